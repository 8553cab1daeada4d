"""What intake and settling read and write."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sightline.record.archive._store.tables import (
    conflicts,
    instances,
    patients,
    series,
    studies,
    study_modalities,
)
from sightline.runtime.db import Db

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
