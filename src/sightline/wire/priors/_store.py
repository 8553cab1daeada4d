"""The tables of priors held elsewhere; the only SQL of this domain."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from sightline.runtime.db import Db, Instant, Json, metadata
from sightline.wire.priors._model import Find, Search, Who

searches = Table(
    "prior_searches",
    metadata,
    Column("study_uid", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("found", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("ended_at", Instant),
)
Index("ix_prior_searches_due", searches.c.source, searches.c.due_at)

finds = Table(
    "prior_finds",
    metadata,
    Column("study_uid", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("prior_uid", String(64), primary_key=True, index=True),
    Column("who", Json, nullable=False),
    Column("date", String(8), nullable=False),
    Column("time", String(16), nullable=False),
    Column("modality", String(64), nullable=False),
    Column("exam", Text, nullable=False),
    Column("images", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("transfer", String(32), nullable=False),
    Column("taken", Boolean, nullable=False),
)


def get_search(db: Db, study_uid: str, source: str) -> Search | None:
    """Return how it stands with one source."""
    c = searches.c
    row = db.execute(select(searches).where(c.study_uid == study_uid, c.source == source)).one_or_none()
    return Search(**row._mapping) if row else None


def searches_of(db: Db, *study_uids: str) -> list[Search]:
    """Return the sources that were asked for some studies, by name."""
    c = searches.c
    wanted = select(searches).where(c.study_uid.in_(study_uids)).order_by(c.source)
    return [Search(**row._mapping) for row in db.execute(wanted)]


def put_search(db: Db, search: Search) -> None:
    """Write a search in place of the one before."""
    add = (postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert)(searches)
    row = asdict(search)
    db.execute(add.values(row).on_conflict_do_update(index_elements=["study_uid", "source"], set_=row))


def last_due(db: Db, source: str) -> datetime | None:
    """Return when the last question to a source is, or was, due."""
    found: datetime | None = db.scalar(select(func.max(searches.c.due_at)).where(searches.c.source == source))
    return found


def finds_of(db: Db, *study_uids: str) -> list[Find]:
    """Return what sources told of for some studies, newest first."""
    c = finds.c
    wanted = select(finds).where(c.study_uid.in_(study_uids))
    order = wanted.order_by(c.date.desc(), c.time.desc(), c.prior_uid, c.source)
    return [_find(row) for row in db.execute(order)]


def finds_named(db: Db, prior_uid: str) -> list[Find]:
    """Return what was told of one earlier study, for whichever study."""
    return [_find(row) for row in db.execute(select(finds).where(finds.c.prior_uid == prior_uid))]


def replace_finds(db: Db, study_uid: str, source: str, told: Sequence[Find]) -> None:
    """Keep what a source tells now in place of what it told before; what is decided stays decided."""
    c = finds.c
    mine = (c.study_uid == study_uid, c.source == source)
    decided = {row.prior_uid for row in db.execute(select(c.prior_uid).where(*mine, c.state != "left"))}
    db.execute(delete(finds).where(*mine, c.state == "left"))
    new = [asdict(find) for find in told if find.prior_uid not in decided]
    if new:
        db.execute(insert(finds), new)


def change_find(db: Db, find: Find, **values: Any) -> None:
    """Change a find."""
    c = finds.c
    key = (c.study_uid == find.study_uid, c.source == find.source, c.prior_uid == find.prior_uid)
    db.execute(update(finds).where(*key).values(values))


def forget(db: Db, study_uid: str) -> None:
    """Forget what was asked and told for a study."""
    db.execute(delete(finds).where(finds.c.study_uid == study_uid))
    db.execute(delete(searches).where(searches.c.study_uid == study_uid))


def _find(row: Row[Any]) -> Find:
    values = dict(row._mapping)
    return Find(**values | {"who": Who(**values["who"])})
