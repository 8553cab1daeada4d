"""The tables of upkeep and all statements on them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
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

from sightline.kernel import clock
from sightline.record.upkeep._model import Copy, Damage, Task, TaskRun
from sightline.runtime.db import Db, Instant, metadata

tasks = Table(
    "upkeep_tasks",
    metadata,
    Column("task", String(16), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("found", BigInteger, nullable=False),
    Column("repaired", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("at", Instant),
    Column("error", Text, nullable=False),
    Column("number", Integer, nullable=False),
    # The key after which it goes on.
    Column("cursor", String(256), nullable=False),
)

damages = Table(
    "upkeep_damages",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("blob", String(512), nullable=False, index=True),
    Column("sop_uid", String(64), nullable=False),
    Column("study", String(64), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("repaired_at", Instant),
)

copies = Table(
    "upkeep_copies",
    metadata,
    Column("blob", String(128), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("key", String(256), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("transfer_syntax", String(64), nullable=False),
    Column("frame_table", LargeBinary),
    Column("at", Instant, nullable=False),
)
Index("ix_upkeep_copies_kind", copies.c.kind, copies.c.blob)

_COPY = tuple(copies.c[name] for name in Copy.__slots__)
_RUN = tuple(tasks.c[name] for name in TaskRun.__slots__)


def find_runs(db: Db) -> dict[str, TaskRun]:
    """Return how each task stands that was ever begun."""
    return {row.task: TaskRun(*row) for row in db.execute(select(*_RUN))}


def lock_run(db: Db, task: Task) -> TaskRun:
    """Return how a task stands, locked for who will change it."""
    build = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    numbers = dict.fromkeys(("done", "total", "found", "repaired", "bytes", "number"), 0)
    empty = {"task": task, "state": "never", "error": "", "cursor": "", **numbers}
    db.execute(build(tasks).values(empty).on_conflict_do_nothing())
    row = db.execute(select(*_RUN).where(tasks.c.task == task).with_for_update()).one()
    return TaskRun(*row)


def change_run(db: Db, task: Task, **values: Any) -> None:
    """Change how a task stands."""
    db.execute(update(tasks).where(tasks.c.task == task).values(values | {"at": clock.now()}))


def state_of(db: Db, task: Task) -> tuple[str, int]:
    """Return state and number of a task's run."""
    row = db.execute(select(tasks.c.state, tasks.c.number).where(tasks.c.task == task)).one()
    return row.state, row.number


def note_damage(db: Db, blob: str, sop_uid: str, study: str, kind: str, *, repaired: bool) -> None:
    """Remember bytes that are not as they should be, once while they are not."""
    c, now = damages.c, clock.now()
    known = db.scalar(select(c.id).where(c.blob == blob, c.repaired_at.is_(None)))
    mended = now if repaired else None
    if known is not None:
        db.execute(update(damages).where(c.id == known).values(kind=kind, at=now, repaired_at=mended))
        return
    values = {"blob": blob, "sop_uid": sop_uid, "study": study, "kind": kind, "at": now}
    db.execute(insert(damages).values(values | {"repaired_at": mended}))


def close_damage(db: Db, blobs: Sequence[str]) -> None:
    """Remember that bytes are as they should be again."""
    if not blobs:
        return
    c = damages.c
    open_ = c.blob.in_(list(blobs)), c.repaired_at.is_(None)
    db.execute(update(damages).where(*open_).values(repaired_at=clock.now()))


def find_damages(db: Db, *, open_only: bool, limit: int, study: str = "") -> list[Damage]:
    """Return what was found, newest first."""
    c = damages.c
    wanted = select(*(c[name] for name in Damage.__slots__)).order_by(c.id.desc()).limit(limit)
    if open_only:
        wanted = wanted.where(c.repaired_at.is_(None))
    if study:
        wanted = wanted.where(c.study == study)
    return [Damage(*row) for row in db.execute(wanted)]


def find_copies(db: Db, kind: str, blobs: Sequence[str]) -> dict[str, Copy]:
    """Return the copies of one kind of these blobs."""
    wanted = select(*_COPY).where(copies.c.kind == kind, copies.c.blob.in_(list(blobs)))
    return {row.blob: Copy(*row) for row in db.execute(wanted)}


def walk_copies(db: Db, kind: str, after: str, limit: int) -> list[Copy]:
    """Return the copies of one kind, by key of what they are copies of."""
    c = copies.c
    wanted = select(*_COPY).where(c.kind == kind, c.blob > after).order_by(c.blob).limit(limit)
    return [Copy(*row) for row in db.execute(wanted)]


def add_copy(db: Db, copy: Copy) -> None:
    """Remember a copy."""
    remove_copies(db, copy.kind, [copy.blob])
    values = {name: getattr(copy, name) for name in Copy.__slots__}
    db.execute(insert(copies).values(values | {"at": clock.now()}))


def remove_copies(db: Db, kind: str, blobs: Sequence[str]) -> None:
    """Forget copies."""
    db.execute(delete(copies).where(copies.c.kind == kind, copies.c.blob.in_(list(blobs))))


def forget_copies(db: Db, kind: str) -> None:
    """Forget every copy of a kind."""
    db.execute(delete(copies).where(copies.c.kind == kind))


def count_copies(db: Db, kind: str) -> int:
    """Return how many copies of a kind there are."""
    return int(db.execute(select(func.count()).select_from(copies).where(copies.c.kind == kind)).scalar_one())
