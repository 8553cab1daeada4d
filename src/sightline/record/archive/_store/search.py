"""What is asked of patients, studies, series and instances."""

from typing import Any

from sqlalchemy import Select, and_, exists, func, literal, literal_column, or_, select, tuple_

from sightline.record.archive._matching import normalise_name
from sightline.record.archive._model import (
    ConflictRow,
    Instance,
    InstanceQuery,
    Page,
    Patient,
    Series,
    SeriesQuery,
    Study,
    StudyQuery,
)
from sightline.record.archive._store import triggers
from sightline.record.archive._store.tables import (
    conflicts,
    instances,
    patients,
    series,
    studies,
    study_modalities,
)
from sightline.runtime.db import Db

# What SQLAlchemy's tables cannot say: the migration repeats these statements.
DDL_STATEMENTS = triggers.DDL_STATEMENTS

_STUDY_FIELDS = tuple(studies.c[name] for name in Study.__slots__)
_SERIES_FIELDS = tuple(series.c[name] for name in Series.__slots__)
_INSTANCE_FIELDS = tuple(instances.c[name] for name in Instance.__slots__)
_PATIENT_FIELDS = tuple(patients.c[name] for name in Patient.__slots__)
_CONFLICT_FIELDS = tuple(conflicts.c[name] for name in ConflictRow.__slots__)


def find_patient(db: Db, *, id: str) -> Patient | None:  # noqa: A002
    """Return a patient by opaque id."""
    row = db.execute(select(*_PATIENT_FIELDS).where(patients.c.id == id)).first()
    return Patient(*row) if row else None


def patients_called(db: Db, patient_id: str) -> list[Patient]:
    """Return the patients of every issuer who have this sender's id."""
    c = patients.c
    wanted = select(*_PATIENT_FIELDS).where(c.patient_id == patient_id).order_by(c.issuer, c.id)
    return [Patient(*row) for row in db.execute(wanted)]


def studies_where(
    db: Db, query: StudyQuery, *, limit: int, after: tuple[str, str] | None = None, offset: int = 0
) -> Page[Study]:
    """Return one page of matching studies, newest first."""
    date, uid, wanted = _study_source(query)
    wanted = wanted.where(*_study_conditions(query, date))
    if after:  # a key, not an offset: page 400 costs what page 1 costs
        wanted = wanted.where(tuple_(date, uid) < tuple_(literal(after[0]), literal(after[1])))
    if db.dialect.name == "sqlite" and _is_selective(query):
        # SQLite would walk the date index, hundreds of times slower; a sum is no column, so it cannot.
        date, uid = literal_column("+studies.date"), literal_column("+studies.uid")
    # One row more than asked for tells whether more remain.
    rows = db.execute(wanted.order_by(date.desc(), uid.desc()).limit(limit + 1).offset(offset)).all()
    found = tuple(_study(row) for row in rows[:limit])
    return Page(found, (found[-1].date, found[-1].uid) if found and len(rows) > limit else None)


def _study_source(query: StudyQuery) -> tuple[Any, Any, Select[Any]]:
    """Return date, UID and statement to search by: a modality alone is best walked in its own table."""
    c, m = studies.c, study_modalities.c
    wanted = select(*_STUDY_FIELDS)
    if not query.modality:
        return c.date, c.uid, wanted
    if _is_selective(query):
        held = exists().where(m.study == c.uid, m.modality == query.modality, m.date == c.date)
        return c.date, c.uid, wanted.where(held)
    joined = wanted.select_from(study_modalities.join(studies, m.study == c.uid))
    return m.date, m.study, joined.where(m.modality == query.modality)


def _is_selective(query: StudyQuery) -> bool:
    return bool(query.patient or query.patient_id or query.name or query.accession or query.study_uids)


def _study(row: Any) -> Study:
    values = row._asdict()
    return Study(**values | {"modalities": tuple(m for m in row.modalities.split("\\") if m)})


def _study_conditions(query: StudyQuery, date: Any) -> list[Any]:
    c = studies.c
    conditions: list[Any] = []
    exact = {"patient": query.patient, "patient_id": query.patient_id, "accession": query.accession}
    for name, value in (exact | {"study_id": query.study_id}).items():
        if value:
            conditions.append(_matches(c[name], value))
    if query.study_uids:
        conditions.append(c.uid.in_(list(query.study_uids)))
    if query.name:
        conditions.append(_name_matches(query.name, query.whole_name))
    if query.referring:
        conditions.append(_matches(func.lower(c.referring), query.referring.lower()))
    if query.since:
        conditions.append(date >= query.since)
    if query.until:
        conditions.append(and_(date <= query.until, date != ""))
    if query.time_since:
        conditions.append(c.time >= query.time_since)
    if query.time_until:
        conditions.append(c.time < query.time_until + "~")
    return conditions


def _matches(column: Any, value: str) -> Any:
    """Match a value; * and ? are wildcards (PS3.4 C.2.2.2.4)."""
    return column.like(_like(value), escape="\\") if set(value) & {"*", "?"} else column == value


def _like(pattern: str) -> str:
    quoted = pattern.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return quoted.replace("*", "%").replace("?", "_")


def _name_matches(name: str, whole: bool) -> Any:
    """Match the beginning of a name by a range of its index; a pattern with inner wildcards by LIKE."""
    column = studies.c.name_norm
    if whole and not set(name) & {"*", "?"}:
        norm = normalise_name(name)
        return or_(column == norm, and_(column >= norm + "=", column < norm + ">"))
    stem = name.rstrip("*")
    if set(stem) & {"*", "?"}:
        return column.like(_like(normalise_name(name)), escape="\\")
    prefix = normalise_name(stem)
    if not prefix:
        return column >= ""
    return and_(column >= prefix, column < prefix + "\U0010ffff")


def series_where(db: Db, query: SeriesQuery, *, limit: int | None = None, offset: int = 0) -> list[Series]:
    """Return matching series, by study and number."""
    c = series.c
    wanted = select(*_SERIES_FIELDS)
    if query.study:
        wanted = wanted.where(c.study == query.study)
    if query.modality:
        wanted = wanted.where(c.modality == query.modality)
    if query.series_uids:
        wanted = wanted.where(c.uid.in_(list(query.series_uids)))
    if query.number is not None:
        wanted = wanted.where(c.number == query.number)
    ordered = wanted.order_by(c.study, func.coalesce(c.number, 2**31 - 1), c.uid)
    return [Series(*row) for row in db.execute(ordered.limit(limit).offset(offset))]


def instances_where(
    db: Db, query: InstanceQuery, *, limit: int | None = None, offset: int = 0
) -> list[Instance]:
    """Return matching instances, by series, number and UID."""
    ordered = select(*_INSTANCE_FIELDS).where(*_instance_conditions(query)).order_by(*_instance_order())
    return [Instance(*row) for row in db.execute(ordered.limit(limit).offset(offset))]


def _instance_conditions(query: InstanceQuery) -> list[Any]:
    c = instances.c
    conditions: list[Any] = []
    if query.study:
        conditions.append(c.study == query.study)
    if query.series:
        conditions.append(c.series == query.series)
    if query.sop_class:
        conditions.append(c.sop_class == query.sop_class)
    if query.sop_uids:
        conditions.append(c.sop_uid.in_(list(query.sop_uids)))
    if query.number is not None:
        conditions.append(c.number == query.number)
    return conditions


def _instance_order() -> tuple[Any, ...]:
    c = instances.c
    return c.series, func.coalesce(c.number, 2**31 - 1), c.sop_uid


def get_instance(db: Db, sop_uid: str) -> Instance | None:
    """Return one instance, or None."""
    row = db.execute(select(*_INSTANCE_FIELDS).where(instances.c.sop_uid == sop_uid)).first()
    return Instance(*row) if row else None


def frame_source(db: Db, sop_uid: str) -> tuple[str, str, bytes | None] | None:
    """Return blob, transfer syntax and frame table of an instance."""
    c = instances.c
    row = db.execute(select(c.blob, c.transfer_syntax, c.frame_table).where(c.sop_uid == sop_uid)).first()
    return (row.blob, row.transfer_syntax, row.frame_table) if row else None


def metadata_of(db: Db, query: InstanceQuery) -> list[tuple[str, str, bytes]]:
    """Return UID, series and compressed DICOM JSON (as it came) of each matching instance, in order."""
    c = instances.c
    # Sorted here: the database would carry all the bytes through its sorting.
    wanted = select(*_instance_order(), c.metadata_gz)
    rows = sorted(map(tuple, db.execute(wanted.where(*_instance_conditions(query)))))
    return [(sop_uid, of_series, packed) for of_series, _, sop_uid, packed in rows]


def generation_of(db: Db, series_uid: str) -> int | None:
    """Return how often a series has grown, or None when it is not held."""
    return db.scalar(select(series.c.generation).where(series.c.uid == series_uid))


def conflicts_of(db: Db, study_uid: str = "") -> list[ConflictRow]:
    """Return the open conflicts, of one study or of all."""
    c = conflicts.c
    wanted = select(*_CONFLICT_FIELDS).where(c.resolved_at.is_(None))
    if study_uid:
        wanted = wanted.where(c.study_uid == study_uid)
    return [ConflictRow(*row) for row in db.execute(wanted.order_by(c.id))]
