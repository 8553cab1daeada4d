"""An entry of the chart and the rules that it can be drawn by."""

import math
import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from sightline.kernel.codes import Code
from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.kernel.texts import one_line

MOST_ENTRIES = 50_000
LONGEST = {"name": 200, "category": 32, "status": 32, "unit": 32}
_DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
COMPARATORS = frozenset({"", "<", "<=", ">=", ">"})


class EntryNotHeld(NotFound):
    """The patient's chart holds no such entry."""


class UnusableEntry(Invalid):
    """A treatment or laboratory value cannot be right; the message names the part and what it may be."""


class TooManyEntries(Conflict):
    """The chart of a patient holds as many entries as it may; import a narrower file."""


class Kind(StrEnum):
    """What an entry is."""

    TREATMENT = "treatment"
    LAB = "lab"


class EntryOrigin(StrEnum):
    """How an entry came here."""

    PERSON = "person"
    FHIR = "fhir"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be entered.

    `start` and `stop` are as precise as they are known (FHIR dateTime: ``2024``, ``2024-03``, ``2024-03-01``
    or a moment with its offset); no `stop` means that none was stated, which `status` may explain. `unit` is
    a UCUM code, ``1`` for none; `low` and `high` are the ends of the reference range in the same unit. The
    scheme of `code` is a URI, as in FHIR.
    """

    kind: Kind
    name: str
    start: str
    stop: str | None = None
    category: str = ""
    status: str = ""
    code: Code | None = None
    value: float | None = None
    comparator: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Sourced:
    """A draft and the name its source has for it, by which it is recognised when it comes again."""

    reference: str
    draft: Draft


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is kept."""

    id: str
    patient: str
    draft: Draft
    origin: EntryOrigin
    reference: str
    source_sha256: str
    entered_at: datetime
    entered_by: str
    entered_by_name: str
    removed_at: datetime | None = None
    removed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an import."""

    added: int
    changed: int
    unchanged: int
    left_removed: int


def checked(draft: Draft) -> Draft:
    """Return the draft with its texts on one line, or refuse it.

    Raises
    ------
    UnusableEntry
        Names the part that cannot be right, never its value.
    """
    clean = replace(
        draft,
        name=one_line(draft.name),
        category=one_line(draft.category),
        status=one_line(draft.status),
        unit=one_line(draft.unit),
    )
    if not clean.name:
        raise UnusableEntry("The name is missing; write what was given or measured.")
    for name, most in LONGEST.items():
        if len(getattr(clean, name)) > most:
            raise UnusableEntry(f"The {name} may have {most} characters at most.")
    _check_code(clean.code)
    _check_dates(clean)
    if clean.kind is Kind.LAB:
        _check_value(clean)
    elif any(v is not None for v in (clean.value, clean.low, clean.high)) or clean.unit or clean.comparator:
        raise UnusableEntry("A treatment has no value; enter it as a laboratory value.")
    return clean


def day_of(text: str) -> date | None:
    """Return the first day that a date or moment of any precision can mean, or None when it is none.

    >>> day_of("2024-03"), day_of("2024-03-05T23:10:00+02:00"), day_of("March")
    (datetime.date(2024, 3, 1), datetime.date(2024, 3, 5), None)
    """
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat((text + "-01-01")[:10])
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.date() if moment.tzinfo and len(text) <= 35 and "T" in text else None


def _check_dates(draft: Draft) -> None:
    start = day_of(draft.start)
    if start is None or start.year < 1880:
        raise UnusableEntry("The date must be like 2024, 2024-03 or 2024-03-05, or a moment with its offset.")
    if draft.stop is None:
        return
    stop = day_of(draft.stop)
    if stop is None:
        raise UnusableEntry("The end must be like 2024, 2024-03 or 2024-03-05, or left out.")
    if draft.kind is Kind.LAB:
        raise UnusableEntry("A laboratory value has one date and no end.")
    shorter = min(len(draft.start), len(draft.stop), 10)
    if draft.stop[:shorter] < draft.start[:shorter]:
        raise UnusableEntry("The end lies before the start; check both dates.")


def _check_value(draft: Draft) -> None:
    if draft.value is None or not draft.unit:
        raise UnusableEntry("A laboratory value needs a number and its unit (UCUM; 1 where it has none).")
    if not all(math.isfinite(v) for v in (draft.value, draft.low or 0.0, draft.high or 0.0)):
        raise UnusableEntry("The value and its reference range must be numbers.")
    if draft.comparator not in COMPARATORS:
        raise UnusableEntry("The value may be preceded by <, <=, >= or > only.")
    if draft.low is not None and draft.high is not None and draft.low > draft.high:
        raise UnusableEntry("The lower end of the reference range lies above the upper.")


def _check_code(code: Code | None) -> None:
    if code is None:
        return
    if not (0 < len(code.value) <= 64 and 0 < len(code.scheme) <= 256 and len(code.meaning) <= 500):
        raise UnusableEntry("A code needs a value and the address of its system.")
    if not (code.value + code.scheme).isprintable():
        raise UnusableEntry("A code holds a control character; leave it out.")
