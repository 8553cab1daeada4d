"""The tables of the trail and all statements on them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from sightline.kernel import clock
from sightline.runtime.db import Db, Instant, Json, metadata
from sightline.trust.audit._merkle import Frontier
from sightline.trust.audit._model import Entry, Head

ONLY = 1
PAGE = 2000

# `entry` is what was hashed; the columns beside it only find it, and verification holds them against it.
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("act", String(64), nullable=False),
    Column("person", String(128), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("entry", Text, nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
    Index("ix_audit_subject_seq", "subject", "seq"),
    Index("ix_audit_person_seq", "person", "seq"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", Json, nullable=False),
    Column("root", String(64), nullable=False),
    Column("verified_at", Instant),
)

checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("size", BigInteger, nullable=False, index=True),
    Column("note", Text, nullable=False),
    Column("at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the trail as it stands in the table."""

    seq: int
    at: datetime
    act: str
    person: str
    subject: str
    entry: str
    leaf: bytes


def encode_entry(entry: Entry) -> str:
    """Return the canonical JSON of an entry (RFC 8785): the bytes that are hashed."""
    fields: dict[str, Any] = {
        "seq": entry.seq,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "act": entry.act,
        "by": entry.by,
        "by_name": entry.by_name,
        "on": entry.on,
        "site": entry.site,
        "purpose": entry.purpose,
        "facts": entry.facts,
    }
    return rfc8785.dumps(fields).decode()


def decode_entry(text: str) -> Entry:
    """Return the entry whose canonical JSON is `text`."""
    fields: dict[str, Any] = json.loads(text)
    return Entry(**fields | {"at": datetime.fromisoformat(fields["at"])})


def lock_frontier(db: Db) -> Frontier:
    """Return the right edge of the tree and keep others from growing it until this transaction ends."""
    head = select(audit_head.c.size, audit_head.c.frontier).where(audit_head.c.id == ONLY).with_for_update()
    row = db.execute(head).one_or_none()
    if row is None:
        plant(db)
        row = db.execute(head).one()
    return Frontier(row.size, [bytes.fromhex(text) for text in row.frontier])


def plant(db: Db) -> None:
    """Make the head of an empty tree; two that start at once make one."""
    build = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    empty = Frontier()
    values = {"id": ONLY, "size": 0, "frontier": [], "root": empty.root().hex()}
    db.execute(build(audit_head).values(values).on_conflict_do_nothing())


def add_rows(db: Db, rows: Sequence[Row], frontier: Frontier) -> None:
    """Write rows and the tree that holds them."""
    db.execute(
        insert(audit),
        [{name: getattr(row, name) for name in audit.c.keys()} for row in rows],  # noqa: SIM118  columns, not a dict
    )
    head = {
        "size": frontier.size,
        "frontier": [h.hex() for h in frontier.hashes],
        "root": frontier.root().hex(),
    }
    db.execute(update(audit_head).where(audit_head.c.id == ONLY).values(head))


def get_head(db: Db) -> Head:
    """Return the tree as it is now."""
    row = db.execute(select(audit_head).where(audit_head.c.id == ONLY)).one_or_none()
    if row is None:
        return Head(0, Frontier().root().hex(), None)
    return Head(row.size, row.root, row.verified_at)


def get_frontier(db: Db) -> tuple[str, ...]:
    """Return the stored right edge of the tree, in hexadecimal."""
    found = db.scalar(select(audit_head.c.frontier).where(audit_head.c.id == ONLY))
    return tuple(found or ())


def find_entries(db: Db, *, on: str | None, by: str | None, limit: int, before: int | None) -> list[Entry]:
    """Return entries, newest first; `before` is the sequence number that the page before ended with."""
    wanted = select(audit.c.entry).order_by(audit.c.seq.desc()).limit(limit)
    if on is not None:
        wanted = wanted.where(audit.c.subject == on)
    if by is not None:
        wanted = wanted.where(audit.c.person == by)
    if before is not None:
        wanted = wanted.where(audit.c.seq < before)
    return [decode_entry(text) for text in db.scalars(wanted)]


def stream_rows(db: Db) -> Iterator[Row]:
    """Yield every row in order, a page at a time."""
    wanted = select(audit).order_by(audit.c.seq).execution_options(yield_per=PAGE)
    for row in db.execute(wanted):
        yield Row(*row)


def stream_leaves(db: Db, first: int, end: int) -> Iterator[bytes]:
    """Yield the stored leaf hashes of entries `first` up to, not with, `end`."""
    span = (audit.c.seq >= first) & (audit.c.seq < end)
    wanted = select(audit.c.leaf).where(span).order_by(audit.c.seq).execution_options(yield_per=PAGE)
    yield from db.scalars(wanted)


def add_checkpoint(db: Db, size: int, note: str) -> None:
    """Keep a signed checkpoint beside the trail."""
    db.execute(insert(checkpoints).values(size=size, note=note, at=clock.now()))


def find_notes(db: Db) -> list[str]:
    """Return every signed checkpoint that the database holds, oldest first."""
    return list(db.scalars(select(checkpoints.c.note).order_by(checkpoints.c.id)))


def set_verified(db: Db, at: datetime) -> None:
    """Remember when the whole trail was last proved."""
    db.execute(update(audit_head).where(audit_head.c.id == ONLY).values(verified_at=at))
