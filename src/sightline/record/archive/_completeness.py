"""Whether a study is all here: what came from whom and when, what was expected, what is missing and why.

What is expected is told by the performed procedure step (PS3.4 F.7), an availability notification (PS3.4 R),
a commitment request (PS3.4 J) or the sender itself; without any of these only gaps can be seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from sightline.kernel import clock
from sightline.record.archive import _store as store_
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("archive.expect", "Somebody said how many objects of a study are to come")

Origin: TypeAlias = Literal["mpps", "ian", "commitment", "sender"]
# Numbers this much sparser than the objects are no count of them.
_SPARSE = 4
_MOST_GAPS = 100


@dataclass(frozen=True, slots=True)
class Receipt:
    """What of a study came from one source."""

    source: str
    kind: str
    first_at: datetime
    last_at: datetime
    instances: int


@dataclass(frozen=True, slots=True)
class Expectation:
    """How many objects somebody says that a study, or a part of it, has."""

    origin: str
    count: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object of a study that was not taken."""

    at: datetime
    source: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Missing:
    """How many objects a study is to have, None where nobody said, and how many of them have not come."""

    expected: int | None
    missing: int | None


@dataclass(frozen=True, slots=True)
class Completeness:
    """What is known of whether a study is all here; gaps are missing instance numbers by series."""

    study_uid: str
    held: int
    received: tuple[Receipt, ...]
    expected: tuple[Expectation, ...]
    missing: int | None
    gaps: dict[str, tuple[tuple[int, int], ...]]
    refused: tuple[Refusal, ...]
    conflicts: int

    @property
    def is_complete(self) -> bool:
        """Say whether nothing speaks for something being missing."""
        return not (self.missing or self.gaps or self.refused or self.conflicts)


def note_receipts(db: Db, placed: Iterable[Any]) -> None:
    """Count what came, by study and source, in the transaction that writes its rows."""
    counted: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for item in placed:
        key = item.parsed.study_uid, item.source.kind, item.source.name[:128]
        counted[key].append(item.at)
    store_.add_receipts(
        db,
        [
            {
                "study": study, "source_kind": kind, "source": source,
                "first_at": min(at), "last_at": max(at), "instances": len(at),
            }
            for (study, kind, source), at in sorted(counted.items())
        ],
    )  # fmt: skip


def expect(
    db: Db,
    study_uid: str,
    *,
    origin: Origin,
    count: int | None = None,
    sop_uids: Sequence[str] = (),
    subject: str = "",
    by: access.Person,
) -> None:
    """Keep how many objects of a study somebody speaks of; the study need not have come yet.

    Parameters
    ----------
    subject : str
        What they speak for (a step, a transaction): saying it again replaces what was said.
    """
    access.require(by, "archive.store", on=study_uid)
    row = {
        "study": study_uid, "origin": origin, "subject": subject or study_uid, "by": by.id,
        "count": len(set(sop_uids)) if count is None and sop_uids else count, "at": clock.now(),
    }  # fmt: skip
    store_.put_expectation(db, row, sop_uids)
    audit.record(db, "archive.expect", by=by, on=study_uid, origin=origin, count=row["count"])


def missing_of(db: Db, study_uids: Sequence[str]) -> dict[str, Missing]:
    """Return what is missing of each of the studies of which anybody said how many objects they have."""
    by_study: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in store_.expectations_of(db, study_uids):
        by_study[row["study"]][row["origin"]] += row["count"] or 0
    if not by_study:
        return {}
    came, absent = store_.counts_received(db, by_study), store_.count_absent(db, by_study)
    found = {}
    for uid, origins in by_study.items():
        expected = max(origins.values())
        short = max(expected - came.get(uid, 0), absent.get(uid, 0), 0)
        found[uid] = Missing(expected, short)
    return found


def completeness(db: Db, study_uid: str) -> Completeness:
    """Return what is known of whether a study is all here; it may not be held at all."""
    numbers = store_.numbers_of(db, study_uid)
    gaps = {uid: found for uid, listed in numbers.items() if (found := gaps_in(listed))}
    missing = missing_of(db, [study_uid]).get(study_uid)
    return Completeness(
        study_uid=study_uid,
        held=sum(store_.counts_received(db, [study_uid]).values()),
        received=tuple(
            Receipt(r["source"], r["source_kind"], r["first_at"], r["last_at"], r["instances"])
            for r in store_.receipts_of(db, study_uid)
        ),
        expected=tuple(
            Expectation(r["origin"], r["count"], r["at"]) for r in store_.expectations_of(db, [study_uid])
        ),
        missing=missing.missing if missing else None,
        gaps=gaps,
        refused=tuple(
            Refusal(r["at"], r["source"], r["code"], r["reason"]) for r in store_.refusals_of(db, study_uid)
        ),
        conflicts=store_.count_conflicts(db, [study_uid]).get(study_uid, 0),
    )


def missing_numbers(db: Db, study_uid: str) -> int:
    """Return how many instance numbers are not there between the first and the last of each series."""
    listed = store_.numbers_of(db, study_uid).values()
    return sum(last - first + 1 for numbers in listed for first, last in gaps_in(numbers))


def gaps_in(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return the runs of numbers that are not there between the first and the last.

    Numbers that are far sparser than the objects count something else, and tell nothing.

    >>> gaps_in([1, 2, 5, 6, 8])
    ((3, 4), (7, 7))
    """
    if not numbers or numbers[-1] - numbers[0] + 1 > _SPARSE * len(numbers):
        return ()
    runs = [(a + 1, b - 1) for a, b in pairwise(numbers) if b - a > 1]
    return tuple(runs[:_MOST_GAPS])
