"""Which findings of several dates are one lesion: what a person says of it, and what follows from that."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.record.findings._model import Finding, own_lesion

MOST_PARTS = 20


class UnusableLink(Invalid):
    """The findings cannot be what was said of them; the message says why."""


class ContradictsEarlierWord(Conflict):
    """With what was said before, two findings of one study would be one lesion; take that back first."""


class LinkNotHeld(NotFound):
    """Nobody said this of the patient's lesions, or it was taken back already."""


class Identity(StrEnum):
    """What a person can say of findings of two studies."""

    SAME = "same"
    DIFFERENT = "different"
    MERGED = "merged"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person said: the findings of the earlier study and those of the later one, by id.

    Merged: several earlier ones became the one later, which is a lesion of its own from then on and has them
    as parents. Split: the one earlier became several later, each a lesion of its own.
    """

    id: str
    patient: str
    identity: Identity
    earlier: tuple[str, ...]
    later: tuple[str, ...]
    at: datetime
    by: str
    by_name: str

    def __post_init__(self) -> None:
        counts = (len(set(self.earlier)), len(set(self.later)))
        fits = {
            Identity.MERGED: counts[0] > 1 and counts[1] == 1,
            Identity.SPLIT: counts[0] == 1 and counts[1] > 1,
        }.get(self.identity, counts == (1, 1))
        if not fits or max(counts) > MOST_PARTS or counts != (len(self.earlier), len(self.later)):
            raise UnusableLink(
                "One finding of each study is the same or another lesion; several earlier ones merge into "
                "one, one earlier splits into several."
            )

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Return every earlier finding with every later one."""
        return frozenset((earlier, later) for earlier in self.earlier for later in self.later)

    def replaces(self, other: "Statement") -> bool:
        """Say whether this says anew what another said: of a pair, or of what a finding is linked with."""
        if self.pairs & other.pairs:
            return True
        if Identity.DIFFERENT in (self.identity, other.identity):
            return False
        return bool(set(self.later) & set(other.later) or set(self.earlier) & set(other.earlier))


def require_pair_of_studies(earlier: Sequence[Finding], later: Sequence[Finding]) -> None:
    """Refuse findings that are not of one patient, an earlier study and another one."""
    if len({f.patient for f in (*earlier, *later)}) > 1:
        raise UnusableLink("The findings belong to different patients, so they are no lesion together.")
    studies = [{f.study_uid for f in side} for side in (earlier, later)]
    if any(len(side) != 1 for side in studies) or studies[0] == studies[1]:
        raise UnusableLink("Findings are linked between two studies, not within one; choose one of each.")


def lesions_of(
    held: Sequence[Finding], linked: Iterable[tuple[str, str]], statements: Sequence[Statement] = ()
) -> dict[str, str]:
    """Return the tracking UID of each finding: what is linked, over however many dates, is one lesion.

    A person's word comes before what was `linked` by alignment. Two findings of one study are never one
    lesion, and what a person told apart, or said to have merged or split, stays apart however it is linked
    elsewhere.
    A lesion keeps the identity of the finding that was recorded first, so that what was reported under it
    stays findable when an older study arrives late.
    """
    groups = _Groups(held, apart=_apart(statements))
    for statement in statements:
        if statement.identity is Identity.SAME:
            groups.join(*statement.earlier, *statement.later)
    for one, other in linked:
        groups.join(one, other)
    return {finding: own_lesion(root) for finding, root in groups.roots().items()}


def contradicts(held: Sequence[Finding], statements: Sequence[Statement]) -> bool:
    """Say whether what persons said of findings cannot all hold."""
    groups = _Groups(held, apart=_apart(statements))
    same = (s for s in statements if s.identity is Identity.SAME)
    return not all(groups.join(*s.earlier, *s.later) for s in same)


def _apart(statements: Sequence[Statement]) -> set[frozenset[str]]:
    return {frozenset(pair) for s in statements if s.identity is not Identity.SAME for pair in s.pairs}


class _Groups:
    """Sets of findings, joined one pair after the other unless that puts together what must stay apart."""

    def __init__(self, held: Sequence[Finding], *, apart: set[frozenset[str]]) -> None:
        ordered = sorted(held, key=lambda f: (f.created_at, f.id))
        self._rank = {f.id: place for place, f in enumerate(ordered)}
        self._study: Mapping[str, str] = {f.id: f.study_uid for f in held}
        self._members = {f.id: [f.id] for f in ordered}
        self._apart = apart

    def join(self, one: str, other: str) -> bool:
        """Make the lesion of two findings one; say whether it is, also where one of them is not held."""
        if one not in self._rank or other not in self._rank:
            return True
        ours, theirs = self._members[one], self._members[other]
        if ours is theirs:
            return True
        if any(self._must_stay_apart(a, b) for a in ours for b in theirs):
            return False
        both = sorted([*ours, *theirs], key=self._rank.__getitem__)
        self._members.update(dict.fromkeys(both, both))
        return True

    def _must_stay_apart(self, a: str, b: str) -> bool:
        return self._study[a] == self._study[b] or frozenset((a, b)) in self._apart

    def roots(self) -> dict[str, str]:
        """Return the oldest finding of each finding's set."""
        return {finding: members[0] for finding, members in self._members.items()}
