"""Priors held elsewhere as values, and the rule by which an answer is taken for the same patient."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from sightline.kernel.errors import Conflict, NotFound
from sightline.record import archive, timeline

Trigger: TypeAlias = Literal["order", "arrival", "opening", "person"]
SearchState: TypeAlias = Literal["waiting", "answered", "failed"]
FindState: TypeAlias = Literal["coming", "held", "left", "doubtful", "dismissed"]
StandingState: TypeAlias = Literal["fetching", "doubtful", "failed", "asking", "arrived"]


class PriorNotFound(NotFound):
    """No source has told of this earlier study; ask the sources again."""


class StudyNotKnown(NotFound):
    """The study is neither held nor ordered, so nobody knows whose earlier studies to ask for."""


class PriorOnItsWay(Conflict):
    """The earlier study is held or on its way already."""


@dataclass(frozen=True, slots=True)
class Who:
    """A patient as one side names them; what is empty is not stated."""

    patient_id: str
    issuer: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """A study that priors are wanted for: whose it is, and as the ranking sees it.

    `patient` is the opaque id where images are held, else empty: then the study is only ordered.
    """

    study_uid: str
    who: Who
    current: timeline.Candidate
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """One source asked for the earlier studies of one study's patient, and how that stands."""

    study_uid: str
    source: str
    state: SearchState
    trigger: Trigger
    found: int
    error: str
    attempts: int
    due_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Find:
    """An earlier study that a source told of, what is to become of it, and why.

    `why` is the reason of its rank, `reason` that of its state; `taken`: it is so by a person's word.
    """

    study_uid: str
    source: str
    prior_uid: str
    who: Who
    date: str
    time: str
    modality: str
    exam: str
    images: int
    state: FindState
    reason: str = ""
    why: str = ""
    transfer: str = ""
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Coming:
    """A find as it stands now: how many of its images have come, and what was wrong last."""

    find: Find
    done: int = 0
    total: int = 0
    under_way: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a study's priors held elsewhere stand, as a row of a list shows it: one state, and all in words.

    `fetched` of the `wanted` studies have come; `open` wait for a person.
    """

    state: StandingState
    fetched: int
    wanted: int
    open: int
    text: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What is known of a study's priors that are held elsewhere."""

    searches: tuple[Search, ...]
    finds: tuple[Coming, ...]

    @property
    def text(self) -> str:
        """Say in one line how it stands; empty when there is nothing to say."""
        return " · ".join([*_coming(self.finds), *_searching(self.searches)])

    @property
    def standing(self) -> Standing | None:
        """Return how it stands in one state, None when there is nothing to tell.

        What moves comes first, since it ends by itself; then what waits for a person; then what failed.
        """
        fetched = [one for one in self.finds if one.find.transfer and one.find.state in {"coming", "held"}]
        come = [one for one in fetched if one.find.state == "held"]
        doubtful = sum(one.find.state == "doubtful" for one in self.finds)
        troubled = any(one.find.state == "coming" and (one.error or not one.under_way) for one in fetched)
        states: tuple[tuple[StandingState, bool], ...] = (
            ("fetching", any(one.under_way and not one.error for one in fetched)),
            ("doubtful", doubtful > 0),
            ("failed", troubled or any(search.error for search in self.searches)),
            ("asking", any(search.state == "waiting" for search in self.searches)),
            ("arrived", bool(come)),
        )
        state = next((state for state, holds in states if holds), None)
        text = " · ".join([self.text, *_come(come)] if self.text else _come(come))
        return Standing(state, len(come), len(fetched), doubtful, text) if state else None


def _come(come: Sequence[Coming]) -> list[str]:
    sources = sorted({one.find.source for one in come})
    counts = [(source, sum(one.find.source == source for one in come)) for source in sources]
    return [f"{n} {'has' if n == 1 else 'have'} come from {source}" for source, n in counts]


def _coming(finds: Iterable[Coming]) -> list[str]:
    found = list(finds)
    words = []
    for source in sorted({one.find.source for one in found if one.find.transfer}):
        fetched = [one for one in found if one.find.source == source and one.find.transfer]
        way = [one for one in fetched if one.under_way]
        lost = [one for one in fetched if one.find.state == "coming" and not one.under_way]
        if way:
            late = ", tried again after an error" if any(one.error for one in way) else ""
            words.append(f"{len(way)} of {len(fetched)} coming from {source}{late}")
        if lost:
            words.append(f"{len(lost)} did not come from {source}")
    doubtful = sum(one.find.state == "doubtful" for one in found)
    if doubtful:
        words.append(f"{doubtful} {'needs' if doubtful == 1 else 'need'} a person")
    return words


def _searching(searches: Iterable[Search]) -> list[str]:
    asked = list(searches)
    words = [f"{one.source} has not answered" for one in asked if one.error]
    words += [f"asking {one.source}" for one in asked if one.state == "waiting" and not one.error]
    return words


def contradiction(ours: Who, theirs: Who) -> str:
    """Return in what two descriptions contradict each other, so that they may be of two patients."""
    differs = (
        (ours.patient_id != theirs.patient_id, "the patient ID differs"),
        (_contradict(ours.issuer, theirs.issuer), "the issuer of the patient ID differs"),
        (_contradict(ours.birth_date, theirs.birth_date), "the date of birth differs"),
        (_same_name(ours.name, theirs.name) is False, "the name differs"),
        (_contradict(_known_sex(ours.sex), _known_sex(theirs.sex)), "the sex differs"),
    )
    return ", ".join(words for holds, words in differs if holds)


def difference(ours: Who, theirs: Who) -> str:
    """Return why an answer may be another patient's; empty when it is taken for the same one's.

    An ID is one person's only within its issuer. Where both sides name the issuer, nothing else may
    contradict; where one does not, name and date of birth must both be stated and agree. No value stands in
    the reason, which may be logged (IHE RAD TF-1, IDEP; PS3.3 C.7.1.1).

    Examples
    --------
    >>> ours = Who("4711", "NORTH", "Doe^Jane", "19600102", "F")
    >>> difference(ours, Who("4711", "NORTH", "DOE^JANE^^", "19600102", ""))
    ''
    >>> difference(ours, Who("4711", "SOUTH", "Doe^Jane", "19600102", "F"))
    'the issuer of the patient ID differs'
    >>> difference(ours, Who("4711", "", "Doe^Jane", "", ""))
    'the issuer is not stated, and neither is the date of birth'
    """
    reasons = contradiction(ours, theirs)
    if reasons or (ours.issuer and theirs.issuer):
        return reasons
    known = (
        (_same_name(ours.name, theirs.name) is not None, "the name"),
        (bool(ours.birth_date and theirs.birth_date), "the date of birth"),
    )
    lacking = [words for is_known, words in known if not is_known]
    return f"the issuer is not stated, and neither is {' and '.join(lacking)}" if lacking else ""


def _contradict(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def _known_sex(sex: str) -> str:
    return sex if sex in {"M", "F"} else ""


def _same_name(one: str, other: str) -> bool | None:
    """Say whether two person names agree in a group that both have; None where they have none in common."""
    groups = zip(one.split("="), other.split("="), strict=False)
    both = [(_plain(a), _plain(b)) for a, b in groups if _plain(a) and _plain(b)]
    return any(a == b for a, b in both) if both else None


def _plain(group: str) -> str:
    """Return family and given name as they are compared; the other components say too little."""
    return archive.normalise_name("^".join(group.split("^")[:2]))
