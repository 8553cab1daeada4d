"""Every attribute that is matched: where its values are, and what a match of it says in SQL.

The conformance statement is printed from `KEYS`.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Text, and_, cast, false, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from sightline.record.archive._matching import (
    BadKey,
    Empty,
    Level,
    Match,
    Range,
    Single,
    UidList,
    Universal,
    Wildcard,
    normalise_name,
    normalise_term,
)
from sightline.record.archive._store.tables import instances, patients, series, studies
from sightline.runtime.db import Db

Condition: TypeAlias = ColumnElement[bool]
Kind: TypeAlias = Literal["text", "name", "date", "time", "number", "modality", "class", "value"]

LEVELS: tuple[Level, ...] = ("patient", "study", "series", "instance")
# The last code point: a text followed by it is past every text that begins so.
_PAST = "\U0010ffff"
_EARLIEST, _LATEST = "000000.000000", "999999.999999"


@dataclass(frozen=True, slots=True)
class Key:
    """An attribute that is matched; `column` where it has one, on patients the copy that studies keep."""

    tag: str
    keyword: str
    vr: str
    level: Level
    kind: Kind
    column: Any = None


def _keys() -> dict[str, Key]:
    p, s, e, i = patients.c, studies.c, series.c, instances.c
    rows: tuple[tuple[str, str, str, Level, Kind, Any], ...] = (
        ("00100010", "PatientName", "PN", "patient", "name", s.name_norm),
        ("00100020", "PatientID", "LO", "patient", "text", s.patient_id),
        ("00100021", "IssuerOfPatientID", "LO", "patient", "text", p.issuer),
        ("00100030", "PatientBirthDate", "DA", "patient", "date", s.birth_date),
        ("00100040", "PatientSex", "CS", "patient", "text", s.sex),
        ("0020000D", "StudyInstanceUID", "UI", "study", "text", s.uid),
        ("00080020", "StudyDate", "DA", "study", "date", s.date),
        ("00080030", "StudyTime", "TM", "study", "time", s.time),
        ("00080050", "AccessionNumber", "SH", "study", "text", s.accession),
        ("00080061", "ModalitiesInStudy", "CS", "study", "modality", None),
        ("00080062", "SOPClassesInStudy", "UI", "study", "class", None),
        ("00080090", "ReferringPhysicianName", "PN", "study", "name", s.referring_norm),
        ("00081030", "StudyDescription", "LO", "study", "text", s.description),
        ("00200010", "StudyID", "SH", "study", "text", s.study_id),
        ("0020000E", "SeriesInstanceUID", "UI", "series", "text", e.uid),
        ("00080060", "Modality", "CS", "series", "text", e.modality),
        ("00080021", "SeriesDate", "DA", "series", "date", e.date),
        ("00080031", "SeriesTime", "TM", "series", "time", e.time),
        ("0008103E", "SeriesDescription", "LO", "series", "text", e.description),
        ("00180015", "BodyPartExamined", "CS", "series", "text", e.body_part),
        ("00200011", "SeriesNumber", "IS", "series", "number", e.number),
        ("00400244", "PerformedProcedureStepStartDate", "DA", "series", "date", e.performed_date),
        ("00400245", "PerformedProcedureStepStartTime", "TM", "series", "time", e.performed_time),
        ("00400275.00400009", "ScheduledProcedureStepID", "SH", "series", "value", None),
        ("00400275.00401001", "RequestedProcedureID", "SH", "series", "value", None),
        ("00080018", "SOPInstanceUID", "UI", "instance", "text", i.sop_uid),
        ("00080016", "SOPClassUID", "UI", "instance", "text", i.sop_class),
        ("00083002", "AvailableTransferSyntaxUID", "UI", "instance", "text", i.transfer_syntax),
        ("00200013", "InstanceNumber", "IS", "instance", "number", i.number),
    )
    return {row[0]: Key(*row) for row in rows}


KEYS = _keys()
REQUEST_SEQUENCE = "00400275"
REQUEST_KEYS = ("00400275.00400009", "00400275.00401001")


def full_time(column: Any) -> Any:
    """Return a time with all its digits, so that times of any precision compare (PS3.5 6.2, TM)."""
    plain = func.replace(column, ":", "")
    return func.substr(plain.op("||")(func.substr(_EARLIEST, func.length(plain) + 1)), 1, len(_EARLIEST))


def _padded(time: str, fill: str) -> str:
    return time + fill[len(time) :]


def glob(db: Db, column: Any, pattern: str) -> Condition:
    """Match a pattern, with regard to case: GLOB on SQLite (whose LIKE has none), LIKE elsewhere."""
    pattern = re.sub(r"\*+", "*", pattern)
    if db.dialect.name == "sqlite":
        return column.op("GLOB", is_comparison=True)(pattern.replace("[", "[[]"))  # type: ignore[no-any-return]
    quoted = pattern.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return column.like(quoted.replace("*", "%").replace("?", "_"), escape="\\")  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Listed:
    """Many texts in the form that the database takes as one parameter."""

    packed: Any


def pack_list(db: Db, values: Sequence[str]) -> Any:
    """Return texts as one parameter: JSON on SQLite, an array on PostgreSQL."""
    return json.dumps(list(values)) if db.dialect.name == "sqlite" else list(values)


def is_one_of(db: Db, column: Any, values: Listed) -> Condition:
    """Match one of many texts: one parameter, however many they are."""
    if db.dialect.name == "sqlite":
        listed = func.json_each(values.packed).table_valued("value", name="listed")
        return column.in_(select(listed.c.value))  # type: ignore[no-any-return]
    return column == func.any(cast(values.packed, ARRAY(Text)))  # type: ignore[no-any-return]


def is_prefix(column: Any, prefix: str) -> Condition:
    """Match a beginning by a range, which an index in byte order serves."""
    return and_(column >= prefix, column < prefix + _PAST)


def stem_of(pattern: str) -> str:
    """Return what a pattern begins with.

    >>> stem_of("sm?th*"), stem_of("*son")
    ('sm', '')
    """
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


def matches_text(db: Db, column: Any, match: Match, vr: str = "LO") -> Condition:
    """Match a text as it stands, with regard to case (C.2.2.2.1, C.2.2.2.4)."""
    if isinstance(match, Single):
        return column == match.value  # type: ignore[no-any-return]
    if isinstance(match, Wildcard):
        return glob(db, column, match.pattern)
    if isinstance(match, UidList):
        plain = [v for v in match.values if vr == "UI" or not set(v) & {"*", "?"}]
        wild = [v for v in match.values if vr != "UI" and set(v) & {"*", "?"}]
        return or_(false(), column.in_(plain), *(glob(db, column, v) for v in wild))
    if isinstance(match, Empty):
        return or_(column == "", column.is_(None))
    raise BadKey("A range is asked of an attribute that has no order.")


def matches_date(column: Any, match: Match) -> Condition:
    """Match a date or a range of dates; a value of less precision stands for all days in it."""
    if isinstance(match, UidList):
        return or_(false(), *(matches_date(column, Single(v)) for v in match.values))
    if isinstance(match, Empty):
        return column == ""  # type: ignore[no-any-return]
    if isinstance(match, Wildcard | Universal):
        raise BadKey("A pattern is asked of a date.")
    low, high = (match.low, match.high) if isinstance(match, Range) else (match.value, match.value)
    return and_(column != "", *_between(column, low, high and high + _PAST))


def matches_time(column: Any, match: Match) -> Condition:
    """Match a time or a range of times to the precision they are given in."""
    if isinstance(match, UidList):
        return or_(false(), *(matches_time(column, Single(v)) for v in match.values))
    if isinstance(match, Empty):
        return column == ""  # type: ignore[no-any-return]
    if isinstance(match, Wildcard | Universal):
        raise BadKey("A pattern is asked of a time.")
    low, high = (match.low, match.high) if isinstance(match, Range) else (match.value, match.value)
    low, high = low and _padded(low, _EARLIEST), high and _padded(high, _LATEST)
    return and_(column != "", *_between(full_time(column), low, high))


def _between(column: Any, low: str, high: str) -> Iterable[Condition]:
    if low:
        yield column >= low
    if high:
        yield column <= high


def matches_moment(date: Any, time: Any, dates: Match, times: Match) -> Condition:
    """Match one range of moments given by a range of dates and one of times (C.2.2.2.5)."""
    low_date, high_date = ends_of(dates)
    low_time, high_time = ends_of(times)
    low_date, high_date = (
        low_date and _padded(low_date, "00000000"),
        high_date and _padded(high_date, "99999999"),
    )
    full = full_time(time)
    conditions: list[Condition] = [date != "", *_between(date, low_date, high_date)]
    if low_date and low_time:
        after = and_(time != "", full >= _padded(low_time, _EARLIEST))
        conditions.append(or_(date != low_date, after))
    if high_date and high_time:
        before = and_(time != "", full <= _padded(high_time, _LATEST))
        conditions.append(or_(date != high_date, before))
    return and_(*conditions)


def ends_of(match: Match) -> tuple[str, str]:
    """Return the ends of a range, which may be of one value."""
    if isinstance(match, Range):
        return match.low, match.high
    return (match.value, match.value) if isinstance(match, Single) else ("", "")


def matches_number(column: Any, match: Match) -> Condition:
    """Match a whole number."""
    if isinstance(match, Empty):
        return column.is_(None)  # type: ignore[no-any-return]
    values = match.values if isinstance(match, UidList) else (getattr(match, "value", ""),)
    try:
        numbers = [int(value) for value in values]
    except ValueError:
        raise BadKey("A number to match is no number.") from None
    return column.in_([n for n in numbers if -(2**31) <= n < 2**31])  # type: ignore[no-any-return]


def matches_norm(db: Db, column: Any, match: Match, *, name: bool) -> Condition:
    """Match one term, in the form that terms are kept in."""
    if isinstance(match, UidList):
        return or_(false(), *(matches_norm(db, column, _wild_or_single(v), name=name) for v in match.values))
    if isinstance(match, Single):
        return column == norm_of(match.value, name=name)  # type: ignore[no-any-return]
    if isinstance(match, Wildcard):
        pattern = norm_of(match.pattern, name=name)
        stem = stem_of(pattern)
        found = [is_prefix(column, stem)] if stem else []
        if pattern != stem + "*":
            found.append(glob(db, column, pattern))
        return and_(*found)
    raise BadKey("A range is asked of an attribute that has no order.")


def _wild_or_single(value: str) -> Match:
    return Wildcard(value) if set(value) & {"*", "?"} else Single(value)


def norm_of(text: str, *, name: bool) -> str:
    """Return what is asked in the form of terms; a pattern of a text loses what its form cannot keep.

    >>> norm_of("Müll?r^J*", name=True), norm_of("Stra?e * NATIV", name=False)
    ('mull?r j*', 'stra*e*nativ')
    """
    if name:
        return normalise_name(text)
    return re.sub(r"\s*[*?]+\s*", "*", normalise_term(text))


def groups_of(value: str) -> list[str]:
    """Return the groups of a name that is asked for: alphabetic, ideographic, phonetic."""
    return value.split("=", 2)


def group(db: Db, column: Any, number: int) -> Any:
    """Return one group of a normalised name, counted from 0."""
    if db.dialect.name == "postgresql":
        return func.split_part(column, "=", number + 1)
    for _ in range(number):
        column = func.substr(column, func.instr(column.op("||")("="), "=") + 1)
    return func.substr(column, 1, func.instr(column.op("||")("="), "=") - 1)


def matches_groups(db: Db, column: Any, match: Match) -> Condition:
    """Match a name group by group, where what is asked names groups."""
    values: Sequence[str]
    if isinstance(match, UidList):
        values = match.values
    else:
        values = [match.pattern if isinstance(match, Wildcard) else getattr(match, "value", "")]
    return or_(false(), *(_matches_groups(db, column, value) for value in values))


def _matches_groups(db: Db, column: Any, value: str) -> Condition:
    parts = groups_of(value)
    if len(parts) == 1:
        wanted = _wild_or_single(value)
        return or_(*(matches_norm(db, group(db, column, n), wanted, name=True) for n in range(3)))
    asked = [(n, part) for n, part in enumerate(parts) if part.strip("*")]
    return and_(
        true(),
        *(matches_norm(db, group(db, column, n), _wild_or_single(part), name=True) for n, part in asked),
    )
