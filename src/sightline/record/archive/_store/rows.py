"""What intake and settling read and write."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import ColumnElement, Table, bindparam, func, literal_column, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite

from sightline.record.archive._store.custody import withheld
from sightline.record.archive._store.tables import (
    conflicts,
    instances,
    patients,
    series,
    studies,
    study_modalities,
)
from sightline.runtime.blobs import StoreUnavailable
from sightline.runtime.db import Database, Db

# SQLite takes at most 32,766 parameters; batches are far below, queries by hand may not be.
_MANY = 5000


def insert_new(db: Db, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; one that is there already stays as it is."""
    if not rows:
        return
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    db.execute(insert(table).on_conflict_do_nothing(), list(rows))


def in_parts(values: Iterable[str]) -> Iterable[list[str]]:
    listed = sorted(set(values))
    return (listed[i : i + _MANY] for i in range(0, len(listed), _MANY))


def known_instances(db: Db, sop_uids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return content hash and blob of each instance that is held."""
    c = instances.c
    return {
        row.sop_uid: (row.hash, row.blob)
        for part in in_parts(sop_uids)
        for row in db.execute(select(c.sop_uid, c.hash, c.blob).where(c.sop_uid.in_(part)))
    }


class HeldUnder(NamedTuple):
    """What is held under an object's UIDs: hash and blob, the series' study, the study's issuer and patient.

    `corrected` says that its senders know series or study by another study or patient.
    """

    instance: tuple[str, str] | None
    home: str | None
    owner: tuple[str, str] | None
    rejected: bool
    corrected: bool


_NOTHING: ColumnElement[Any] = literal_column("NULL")
# Rejected for its age only (DICOM CID 7011) it may come again; what was replaced bans nothing else.
_NO_BAN = ("113039", "replaced")
_HELD_UNDER = union_all(
    select(literal_column("'instance'"), instances.c.hash, instances.c.blob, _NOTHING).where(
        instances.c.sop_uid == bindparam("sop_uid")
    ),
    select(literal_column("'home'"), series.c.study, _NOTHING, series.c.sent_as).where(
        series.c.uid == bindparam("series_uid")
    ),
    select(literal_column("'owner'"), patients.c.issuer, patients.c.patient_id, studies.c.sent_as)
    .join(studies, studies.c.patient == patients.c.id)
    .where(studies.c.uid == bindparam("study_uid")),
    select(literal_column("'rejected'"), withheld.c.code, _NOTHING, _NOTHING).where(
        withheld.c.sop_uid == bindparam("sop_uid"),
        withheld.c.kind == literal_column("'rejected'"),
        withheld.c.code.not_in([literal_column(f"'{code}'") for code in _NO_BAN]),
    ),
)


class Lookup:
    """Asks what is held under an object's UIDs, on connections of its own that stay open between questions.

    It is asked once for every object that comes, so it goes around what a transaction costs.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        compiled = _HELD_UNDER.compile(dialect=self._engine.dialect)
        self._text = str(compiled)
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)
        self._free: list[Any] = []
        self._broken: type[Exception] = self._engine.dialect.loaded_dbapi.Error

    def held_under(self, sop_uid: str, series_uid: str, study_uid: str) -> HeldUnder:
        """Return what is held under an object's UIDs now, in one question."""
        given = {"sop_uid": sop_uid, "series_uid": series_uid, "study_uid": study_uid}
        try:
            rows = self._ask(given)
        except self._broken:  # the server was started anew, say: once more, on a new connection
            self.close()
            try:
                rows = self._ask(given)
            except self._broken as error:
                words = "The database cannot be read; nothing was stored. Send it again later."
                raise StoreUnavailable(words) from error
        found = {row[0]: row for row in rows}
        instance, home, owner = found.get("instance"), found.get("home"), found.get("owner")
        return HeldUnder(
            (instance[1], instance[2]) if instance else None,
            home[1] if home else None,
            (owner[1], owner[2]) if owner else None,
            "rejected" in found,
            bool((home and home[3]) or (owner and owner[3])),
        )

    def _ask(self, given: dict[str, str]) -> list[Any]:
        try:
            connection = self._free.pop()
        except IndexError:
            connection = self._open()
        try:
            cursor = connection.cursor()
            cursor.execute(
                self._text, given if self._order is None else [given[name] for name in self._order]
            )
            rows = list(cursor.fetchall())
            cursor.close()
        except BaseException:
            connection.close()
            raise
        self._free.append(connection)
        return rows

    def _open(self) -> Any:
        """Return a connection of the driver in which each statement sees what is committed then."""
        pooled = self._engine.raw_connection()
        pooled.detach()
        connection: Any = pooled.dbapi_connection
        if self._engine.dialect.name == "postgresql":
            connection.rollback()
            connection.autocommit = True
        return connection

    def close(self) -> None:
        """Close the connections that nobody uses now."""
        while self._free:
            self._free.pop().close()


def conflict_blob(db: Db, sop_uid: str, digest: str) -> str | None:
    """Return where an object is that was kept aside before."""
    c = conflicts.c
    return db.scalar(select(c.blob).where(c.sop_uid == sop_uid, c.hash == digest))


def known_blobs(db: Db, keys: Iterable[str]) -> set[str]:
    """Return which of the blob keys a row speaks of."""
    known: set[str] = set()
    for part in in_parts(keys):
        known.update(db.scalars(select(instances.c.blob).where(instances.c.blob.in_(part))))
        known.update(db.scalars(select(conflicts.c.blob).where(conflicts.c.blob.in_(part))))
        known.update(db.scalars(select(withheld.c.blob).where(withheld.c.blob.in_(part))))
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
        for part in in_parts(identities)
        for row in db.execute(select(c.identity, c.id).where(c.identity.in_(part)))
    }


def owners_of_studies(db: Db, uids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return issuer and patient id of each study that is held."""
    p = patients.c
    wanted = select(studies.c.uid, p.issuer, p.patient_id).join(patients, p.id == studies.c.patient)
    return {
        row.uid: (row.issuer, row.patient_id)
        for part in in_parts(uids)
        for row in db.execute(wanted.where(studies.c.uid.in_(part)))
    }


def studies_of_series(db: Db, uids: Iterable[str]) -> dict[str, str]:
    """Return the study of each series that is held."""
    c = series.c
    return {
        row.uid: row.study
        for part in in_parts(uids)
        for row in db.execute(select(c.uid, c.study).where(c.uid.in_(part)))
    }


class Growth(NamedTuple):
    """What came to a study or series in one batch."""

    now: datetime
    instances: int
    size: int
    frames: int = 0
    images: int = 0
    modalities: frozenset[str] = frozenset()
    body_part: str = ""
    simulated: bool = False
    unsettle: bool = True


def grow_series(db: Db, growths: Mapping[str, Growth]) -> dict[str, int]:
    """Add what came to the counts of series; return by study how many of them are new.

    Their metadata are built anew when next asked for.
    """
    c = series.c
    opened: dict[str, int] = {}
    for part in in_parts(growths):
        for row in db.execute(select(c.study, c.generation).where(c.uid.in_(part))):
            opened[row.study] = opened.get(row.study, 0) + (row.generation == 0)
    rows = [
        {"of": uid, "more": g.instances, "frames": g.frames, "size": g.size, "now": g.now}
        for uid, g in sorted(growths.items())
    ]
    db.execute(_GROW_SERIES, rows)
    return opened


_GROW_SERIES = (
    update(series)
    .where(series.c.uid == bindparam("of"))
    .values(
        instance_count=series.c.instance_count + bindparam("more"),
        frame_count=series.c.frame_count + bindparam("frames"),
        bytes=series.c.bytes + bindparam("size"),
        generation=series.c.generation + 1,
        last_received=bindparam("now"),
    )
)


def grow_studies(db: Db, growths: Mapping[str, Growth], opened: Mapping[str, int]) -> None:
    """Add what came to the counts of studies, and let them be unsettled again when it came from outside."""
    c = studies.c
    held = select(c.uid, c.modalities, c.body_part, c.date, c.simulated)
    outside, inside, modalities = [], [], []
    for part in in_parts(growths):
        for row in db.execute(held.where(c.uid.in_(part)).order_by(c.uid).with_for_update()):
            growth = growths[row.uid]
            had = set(row.modalities.split("\\")) - {""}
            values = {
                "of": row.uid,
                "kinds": "\\".join(sorted(had | growth.modalities)),
                "part": row.body_part or growth.body_part,
                "made_up": row.simulated or growth.simulated,
                "series": opened.get(row.uid, 0),
                "more": growth.instances,
                "images": growth.images,
                "size": growth.size,
            }
            if growth.unsettle:
                outside.append(values | {"now": growth.now})
            else:
                inside.append(values)
            modalities += [
                {"modality": m, "date": row.date, "study": row.uid} for m in sorted(growth.modalities - had)
            ]
    if outside:
        db.execute(_GROW_STUDY_FROM_OUTSIDE, outside)
    if inside:
        db.execute(_GROW_STUDY, inside)
    insert_new(db, study_modalities, modalities)


_GROW_STUDY = (
    update(studies)
    .where(studies.c.uid == bindparam("of"))
    .values(
        modalities=bindparam("kinds"),
        body_part=bindparam("part"),
        simulated=bindparam("made_up"),
        series_count=studies.c.series_count + bindparam("series"),
        instance_count=studies.c.instance_count + bindparam("more"),
        image_count=studies.c.image_count + bindparam("images"),
        bytes=studies.c.bytes + bindparam("size"),
    )
)
_GROW_STUDY_FROM_OUTSIDE = _GROW_STUDY.values(last_received=bindparam("now"), settled_at=None)


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
        for part in in_parts(uids)
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
