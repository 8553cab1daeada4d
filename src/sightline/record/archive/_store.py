"""Tables and queries of the archive: the only SQL of the domain.

Patients own studies, studies own series, series own instances. Counts and modalities are kept on the parents,
so that no list ever counts. Dates are text YYYYMMDD, names are searched in a normalised column, pages are
found by key. The indices are those that stay flat at a million studies.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    exists,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

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
from sightline.record.archive._parse import normalise_name
from sightline.runtime.db import Db, Instant, metadata

T = TypeVar("T")

Uid = String(64)
# Prefixes are found by a range, which on PostgreSQL needs byte order.
Searched = Text().with_variant(Text(collation="C"), "postgresql")
BigId = BigInteger().with_variant(Integer, "sqlite")

patients = Table(
    "patients",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("identity", Text, nullable=False, unique=True),
    Column("issuer", Text, nullable=False),
    Column("patient_id", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("name_norm", Searched, nullable=False, index=True),
    Column("birth_date", String(8), nullable=False),
    Column("sex", Text, nullable=False),
)

studies = Table(
    "studies",
    metadata,
    Column("uid", Uid, primary_key=True),
    Column("patient", String(32), ForeignKey("patients.id"), nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_norm", Searched, nullable=False),
    Column("birth_date", String(8), nullable=False),
    Column("sex", Text, nullable=False),
    Column("date", String(8), nullable=False),
    Column("time", Text, nullable=False),
    Column("accession", Text, nullable=False, index=True),
    Column("study_id", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("referring", Text, nullable=False),
    Column("body_part", Text, nullable=False),
    Column("modalities", Text, nullable=False),
    Column("series_count", Integer, nullable=False),
    Column("instance_count", Integer, nullable=False),
    Column("image_count", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("first_received", Instant, nullable=False),
    Column("last_received", Instant, nullable=False),
    Column("settled_at", Instant),
)
Index("ix_studies_newest", studies.c.date.desc(), studies.c.uid.desc())
Index("ix_studies_patient_newest", studies.c.patient, studies.c.date.desc(), studies.c.uid.desc())
Index("ix_studies_patient_id_newest", studies.c.patient_id, studies.c.date.desc(), studies.c.uid.desc())
Index("ix_studies_name_newest", studies.c.name_norm, studies.c.date.desc())
Index(
    "ix_studies_unsettled",
    studies.c.last_received,
    sqlite_where=studies.c.settled_at.is_(None),
    postgresql_where=studies.c.settled_at.is_(None),
)

# One row for each modality of a study, in the order lists are read: no join, no sort.
study_modalities = Table(
    "study_modalities",
    metadata,
    Column("modality", Text, primary_key=True),
    Column("date", String(8), primary_key=True),
    Column("study", Uid, ForeignKey("studies.uid", ondelete="CASCADE"), primary_key=True),
    sqlite_with_rowid=False,
)

series = Table(
    "series",
    metadata,
    Column("uid", Uid, primary_key=True),
    Column("study", Uid, ForeignKey("studies.uid"), nullable=False, index=True),
    Column("modality", Text, nullable=False),
    Column("number", Integer),
    Column("description", Text, nullable=False),
    Column("body_part", Text, nullable=False),
    Column("date", String(8), nullable=False),
    Column("time", Text, nullable=False),
    Column("performed_date", String(8), nullable=False),
    Column("performed_time", Text, nullable=False),
    Column("instance_count", Integer, nullable=False),
    Column("frame_count", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("first_received", Instant, nullable=False),
    Column("last_received", Instant, nullable=False),
)

instances = Table(
    "instances",
    metadata,
    Column("sop_uid", Uid, primary_key=True),
    Column("series", Uid, ForeignKey("series.uid"), nullable=False, index=True),
    Column("study", Uid, ForeignKey("studies.uid"), nullable=False, index=True),
    Column("sop_class", Uid, nullable=False),
    Column("number", Integer),
    Column("transfer_syntax", Uid, nullable=False),
    Column("blob", String(128), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("rows", Integer),
    Column("columns", Integer),
    Column("frames", Integer),
    Column("bits", Integer),
    Column("position", Text, nullable=False),
    Column("location_mm", Float(53)),
    Column("received_at", Instant, nullable=False, index=True),
    Column("frame_table", LargeBinary),
    Column("metadata_gz", LargeBinary, nullable=False),
)

conflicts = Table(
    "conflicts",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("sop_uid", Uid, nullable=False),
    Column("study_uid", Uid, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("blob", String(128), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    UniqueConstraint("sop_uid", "hash"),
)

refusals = Table(
    "refusals",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False, index=True),
    Column("source_kind", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("code", String(32), nullable=False),
    Column("reason", Text, nullable=False),
)

_STUDY_FIELDS = tuple(studies.c[name] for name in Study.__slots__)
_SERIES_FIELDS = tuple(series.c[name] for name in Series.__slots__)
_INSTANCE_FIELDS = tuple(instances.c[name] for name in Instance.__slots__)
_PATIENT_FIELDS = tuple(patients.c[name] for name in Patient.__slots__)
_CONFLICT_FIELDS = tuple(conflicts.c[name] for name in ConflictRow.__slots__)
# SQLite takes at most 32,766 parameters; batches are far below, queries by hand may not be.
_MANY = 5000


def insert_new(db: Db, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; one that is there already stays as it is."""
    if not rows:
        return
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    db.execute(insert(table).on_conflict_do_nothing(), list(rows))


def _in_parts(values: Iterable[str]) -> Iterable[list[str]]:
    listed = sorted(set(values))
    return (listed[i : i + _MANY] for i in range(0, len(listed), _MANY))


def known_instances(db: Db, sop_uids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return content hash and blob of each instance that is held."""
    c = instances.c
    return {
        row.sop_uid: (row.hash, row.blob)
        for part in _in_parts(sop_uids)
        for row in db.execute(select(c.sop_uid, c.hash, c.blob).where(c.sop_uid.in_(part)))
    }


def known_blobs(db: Db, keys: Iterable[str]) -> set[str]:
    """Return which of the blob keys a row speaks of."""
    known: set[str] = set()
    for part in _in_parts(keys):
        known.update(db.scalars(select(instances.c.blob).where(instances.c.blob.in_(part))))
        known.update(db.scalars(select(conflicts.c.blob).where(conflicts.c.blob.in_(part))))
    return known


def last_received(db: Db) -> datetime | None:
    """Return when the newest instance came."""
    newest: datetime | None = db.scalar(select(func.max(instances.c.received_at)))
    return newest


def add_patients(db: Db, rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Add patients that are new; return the opaque id of each identity."""
    by_identity = {row["identity"]: row for row in rows}
    known = _patient_ids(db, by_identity)
    new = [{"id": uuid4().hex, **by_identity[i]} for i in sorted(by_identity) if i not in known]
    if new:
        insert_new(db, patients, new)
        known = _patient_ids(db, by_identity)
    return known


def _patient_ids(db: Db, identities: Iterable[str]) -> dict[str, str]:
    c = patients.c
    return {
        row.identity: row.id
        for part in _in_parts(identities)
        for row in db.execute(select(c.identity, c.id).where(c.identity.in_(part)))
    }


def owners_of_studies(db: Db, uids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return issuer and patient id of each study that is held."""
    p = patients.c
    wanted = select(studies.c.uid, p.issuer, p.patient_id).join(patients, p.id == studies.c.patient)
    return {
        row.uid: (row.issuer, row.patient_id)
        for part in _in_parts(uids)
        for row in db.execute(wanted.where(studies.c.uid.in_(part)))
    }


def studies_of_series(db: Db, uids: Iterable[str]) -> dict[str, str]:
    """Return the study of each series that is held."""
    c = series.c
    return {
        row.uid: row.study
        for part in _in_parts(uids)
        for row in db.execute(select(c.uid, c.study).where(c.uid.in_(part)))
    }


def grow_study(
    db: Db, uid: str, *, now: datetime, unsettle: bool, modalities: set[str], **added: Any
) -> None:
    """Add what came to a study's counts, and let it be unsettled again when it came from outside."""
    c = studies.c
    row = db.execute(select(c.modalities, c.body_part, c.date).where(c.uid == uid).with_for_update()).one()
    had = set(row.modalities.split("\\")) - {""}
    values: dict[str, Any] = {
        "modalities": "\\".join(sorted(had | modalities)),
        "body_part": row.body_part or added["body_part"],
        "series_count": c.series_count + added["series"],
        "instance_count": c.instance_count + added["instances"],
        "image_count": c.image_count + added["images"],
        "bytes": c.bytes + added["bytes"],
    }
    if added["simulated"]:
        values["simulated"] = True
    if unsettle:
        values |= {"last_received": now, "settled_at": None}
    db.execute(update(studies).where(c.uid == uid).values(values))
    new = [{"modality": m, "date": row.date, "study": uid} for m in sorted(modalities - had) if m]
    insert_new(db, study_modalities, new)


def grow_series(db: Db, uid: str, *, now: datetime, instances: int, frames: int, size: int) -> None:
    """Add what came to a series' counts; its metadata are built anew when next asked for."""
    c = series.c
    values = {
        "instance_count": c.instance_count + instances,
        "frame_count": c.frame_count + frames,
        "bytes": c.bytes + size,
        "generation": c.generation + 1,
        "last_received": now,
    }
    db.execute(update(series).where(c.uid == uid).values(values))


def due_studies(db: Db, quiet_since: datetime, limit: int = 500) -> list[tuple[str, str]]:
    """Return UID and patient of the studies that have been quiet since then and are not settled yet."""
    c = studies.c
    due = select(c.uid, c.patient).where(c.settled_at.is_(None), c.last_received <= quiet_since)
    return [
        (r.uid, r.patient) for r in db.execute(due.order_by(c.last_received).limit(limit).with_for_update())
    ]


def unsettled_studies(db: Db, uids: Iterable[str]) -> list[tuple[str, str]]:
    """Return UID and patient of those of the studies that are not settled."""
    c = studies.c
    return [
        (row.uid, row.patient)
        for part in _in_parts(uids)
        for row in db.execute(
            select(c.uid, c.patient).where(c.uid.in_(part), c.settled_at.is_(None)).with_for_update()
        )
    ]


def count_unsettled(db: Db) -> int:
    """Return how many studies are still arriving."""
    counted: int = db.execute(select(func.count()).where(studies.c.settled_at.is_(None))).scalar_one()
    return counted


def is_any_due(db: Db, quiet_since: datetime) -> bool:
    """Say whether a study waits to be settled; asked often, so it neither writes nor locks."""
    c = studies.c
    due = select(c.uid).where(c.settled_at.is_(None), c.last_received <= quiet_since)
    return db.execute(due.limit(1)).first() is not None


def mark_settled(db: Db, uid: str, now: datetime) -> None:
    """Mark a study as settled."""
    db.execute(update(studies).where(studies.c.uid == uid).values(settled_at=now))


def find_patient(db: Db, *, id: str = "", patient_id: str = "") -> Patient | None:  # noqa: A002
    """Return a patient by opaque id, or by the sender's id (of the first issuer when several use it)."""
    c = patients.c
    wanted = select(*_PATIENT_FIELDS).where(c.id == id if id else c.patient_id == patient_id)
    row = db.execute(wanted.order_by(c.issuer, c.id).limit(1)).first()
    return Patient(*row) if row else None


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
        return column == normalise_name(name)
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


def metadata_of(db: Db, query: InstanceQuery) -> list[tuple[str, bytes]]:
    """Return UID and compressed DICOM JSON of each matching instance, in order."""
    c = instances.c
    wanted = select(c.sop_uid, c.metadata_gz).where(*_instance_conditions(query)).order_by(*_instance_order())
    return [(row.sop_uid, row.metadata_gz) for row in db.execute(wanted)]


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
