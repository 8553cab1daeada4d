"""A row of the worklist and the rule that gives it its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sightline.kernel.errors import NotFound
from sightline.record import timeline


class NotOnTheList(NotFound):
    """The study is not on the worklist; it may still be arriving."""


class Urgency(StrEnum):
    """How soon a person should look."""

    CRITICAL = "critical"
    SOON = "soon"
    ROUTINE = "routine"


# Time allowed from arrival to report, by urgency. A site's own service levels will replace these.
ALLOWED: dict[Urgency, timedelta] = {
    Urgency.CRITICAL: timedelta(hours=1),
    Urgency.SOON: timedelta(hours=4),
    Urgency.ROUTINE: timedelta(hours=24),
}

# A solid nodule from this long axis on wants early attention even without a prior
# (Fleischner 2017 rows F3: above 8 mm; doi 10.1148/radiol.2017161659).
LARGE_MM = 8.0
# Volume doubling below this many days is the fast range of the NELSON rule (reference values of that trial).
FAST_DOUBLING_DAYS = 400.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a study stands and why: urgency, one line, and each reason with its weight."""

    urgency: Urgency
    reason: str
    reasons: tuple[tuple[str, str | None], ...]


def place_study(
    changes: Sequence[timeline.Change],
    largest_mm: float | None,
    analysis: str,
    *,
    compared: bool,
    has_prior: bool = False,
) -> Place:
    """Return the place that findings and change earn a study; the strongest reason comes first.

    `largest_mm` is the long axis of the largest finding that nobody rejected and whose change is not known;
    `analysis` says in words how the analysis stands; `compared` that the study could be measured against a
    prior, `has_prior` that there is one.
    """
    reasons = [_reason(change) for change in changes if change.kind in ("grown", "new")]
    if largest_mm is not None and largest_mm > LARGE_MM:
        why = _unknown(compared=compared, has_prior=has_prior)
        reasons.append((Urgency.SOON, f"finding of {largest_mm:.0f} mm{why}"))
    rank = list(Urgency)
    reasons.sort(key=lambda item: rank.index(item[0]))
    if not reasons:
        unknown = f"finding{_unknown(compared=compared, has_prior=has_prior)}"
        calm = _calm(changes, compared=compared, unknown=unknown if largest_mm is not None else "")
        return Place(Urgency.ROUTINE, calm or analysis, ((calm or analysis, None),))
    urgency = reasons[0][0]
    line = " · ".join(text for _, text in reasons[:2])
    return Place(urgency, line, tuple((text, level.value) for level, text in reasons))


def _reason(change: timeline.Change) -> tuple[Urgency, str]:
    fast = change.doubling_days is not None and change.doubling_days < FAST_DOUBLING_DAYS
    urgent = change.kind == "grown" and fast
    return (Urgency.CRITICAL if urgent else Urgency.SOON, change.text)


def _unknown(*, compared: bool, has_prior: bool) -> str:
    if compared:
        return " whose change cannot be told"
    return ", not compared with its prior" if has_prior else " without a prior"


def _calm(changes: Sequence[timeline.Change], *, compared: bool, unknown: str) -> str:
    if not compared:
        return unknown
    if not changes:
        return unknown or "no findings now or before"
    counted: dict[str, int] = {}
    for change in changes:
        counted[change.kind] = counted.get(change.kind, 0) + 1
    words = {"stable": "stable", "shrunk": "smaller", "vanished": "gone", "cannot-tell": "cannot be told"}
    return ", ".join(f"{counted[kind]} {word}" for kind, word in words.items() if kind in counted)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as it is shown."""

    study_uid: str
    patient: str
    urgency: Urgency
    due_at: datetime
    arrived_at: datetime
    reason: str
    reasons: tuple[tuple[str, str | None], ...]
    state: str
    reader: str | None
    reader_name: str | None
    deferred_until: datetime | None
    prior_count: int
    prior_date: str | None
    changes: tuple[dict[str, Any], ...]
    analysis_state: str
    analysis_text: str
    missing_numbers: int
    exam: str
    modality: str


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What to list: free text over name, id and accession; modality; open or reported."""

    text: str = ""
    modality: str = ""
    state: str = "open"
    after: tuple[datetime, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of the list; `more` says whether a further one exists."""

    entries: tuple[Entry, ...]
    more: bool
    critical: int
    open: int
    median_wait_min: int | None
