"""The table of working copies; the only SQL of this domain."""

from typing import Any

from sqlalchemy import Column, Integer, String, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sightline.kernel import clock
from sightline.record.annotations._model import Draft
from sightline.runtime.db import Db, Instant, Json, metadata

drafts = Table(
    "annotation_drafts",
    metadata,
    Column("study_uid", String(64), primary_key=True),
    Column("person", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("saved_at", Instant, nullable=False),
    Column("content", Json, nullable=False),
)


def get_draft(db: Db, study_uid: str, person: str) -> Draft | None:
    """Return the working copy of a person, None where there is none."""
    row = db.execute(select(drafts).where(_of(study_uid, person))).one_or_none()
    return Draft(row.version, row.saved_at, row.content) if row is not None else None


def put_draft(db: Db, study_uid: str, person: str, version: int, content: dict[str, Any]) -> Draft | None:
    """Write the version after `version`; None when another one stands there by now."""
    new = Draft(version + 1, clock.now(), content)
    values = {"version": new.version, "saved_at": new.saved_at, "content": content}
    if version:
        changed = update(drafts).where(_of(study_uid, person), drafts.c.version == version).values(values)
        return new if db.execute(changed).rowcount else None
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    added = insert(drafts).values(study_uid=study_uid, person=person, **values)
    first = db.execute(added.on_conflict_do_nothing().returning(drafts.c.version)).one_or_none()
    return new if first is not None else None


def drop_draft(db: Db, study_uid: str, person: str) -> bool:
    """Remove the working copy of a person; say whether there was one."""
    return bool(db.execute(delete(drafts).where(_of(study_uid, person))).rowcount)


def _of(study_uid: str, person: str) -> Any:
    return (drafts.c.study_uid == study_uid) & (drafts.c.person == person)
