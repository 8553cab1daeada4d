"""The table of storage commitments: what others asked of us, and what we asked of others."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    insert,
    or_,
    select,
    update,
)

from sightline.runtime.db import Db, Instant, Json, metadata
from sightline.wire.dimse._references import Reference

Direction: TypeAlias = Literal["given", "asked"]

commitments = Table(
    "commitments",
    metadata,
    # "given": asked of us, we answer; "asked": asked by us, the peer answers.
    Column("direction", String(8), primary_key=True),
    Column("transaction_uid", String(64), primary_key=True),
    Column("peer", String(16), primary_key=True),
    Column("study_uid", String(64), index=True),
    Column("count", Integer, nullable=False),
    Column("references_gz", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("committed", Integer),
    Column("failed", Json),
    Column("asked_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant),
    # Somebody is about to tell the peer: until then nobody else does.
    Column("busy_until", Instant),
)


@dataclass(frozen=True, slots=True)
class Key:
    """Names a transaction; an empty peer is whichever it is."""

    direction: Direction
    transaction_uid: str
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Commitment:
    """One transaction: `state` is waiting, sent, ended or given-up; `failed` has class, instance, reason."""

    key: Key
    study_uid: str | None
    references: tuple[Reference, ...]
    state: str
    committed: int | None
    failed: tuple[tuple[str, str, int], ...]
    asked_at: datetime
    ended_at: datetime | None


def put(
    db: Db,
    key: Key,
    references: Sequence[Reference],
    *,
    at: datetime,
    study_uid: str | None = None,
) -> None:
    """Write a transaction that begins; the same one again begins anew."""
    db.execute(delete(commitments).where(*_where(key)))
    db.execute(
        insert(commitments).values(
            direction=key.direction,
            transaction_uid=key.transaction_uid,
            peer=key.peer,
            study_uid=study_uid,
            count=len(references),
            references_gz=zlib.compress(json.dumps(references).encode(), 6),
            state="waiting",
            asked_at=at,
        )
    )


def get(db: Db, key: Key, *, lock: bool = False) -> Commitment | None:
    """Return a transaction, or None; `lock` keeps other writers out until the transaction ends."""
    wanted = select(commitments).where(*_where(key)).limit(2)
    rows = db.execute(wanted.with_for_update() if lock else wanted).all()
    return _from_row(rows[0]) if len(rows) == 1 else None


def of_study(db: Db, study_uid: str, direction: Direction) -> list[Commitment]:
    """Return what was asked for a study, oldest first."""
    c = commitments.c
    wanted = select(commitments).where(c.study_uid == study_uid, c.direction == direction)
    wanted = wanted.order_by(c.asked_at)
    return [_from_row(row) for row in db.execute(wanted)]


def claim(db: Db, key: Key, *, at: datetime, for_s: float) -> bool:
    """Take a transaction to tell the peer; False when it is told already or somebody else is at it."""
    c = commitments.c
    free_ = or_(c.busy_until.is_(None), c.busy_until < at)
    taken = (
        update(commitments)
        .where(*_where(key), c.state == "waiting", free_)
        .values(busy_until=at + timedelta(seconds=for_s))
    )
    return db.execute(taken).rowcount == 1


def change(db: Db, key: Key, **values: Any) -> None:
    """Write how a transaction stands."""
    db.execute(update(commitments).where(*_where(key)).values(**values))


def _where(key: Key) -> list[ColumnElement[bool]]:
    c = commitments.c
    named = [c.direction == key.direction, c.transaction_uid == key.transaction_uid]
    return [*named, c.peer == key.peer] if key.peer else named


def _from_row(row: Row[Any]) -> Commitment:
    references = json.loads(zlib.decompress(row.references_gz))
    return Commitment(
        key=Key(row.direction, row.transaction_uid, row.peer),
        study_uid=row.study_uid,
        references=tuple((sop_class, sop_uid) for sop_class, sop_uid in references),
        state=row.state,
        committed=row.committed,
        failed=tuple((sop_class, sop_uid, reason) for sop_class, sop_uid, reason in row.failed or ()),
        asked_at=row.asked_at,
        ended_at=row.ended_at,
    )
