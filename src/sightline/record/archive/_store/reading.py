"""What giving out needs: one row of the index, found by its UID.

On SQLite the row is read by the driver itself, on a connection that each thread keeps: a single statement is
a snapshot of its own, and nothing waits for it. A viewer asks for hundreds of frames a second.
"""

import threading
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Select, func, select
from sqlalchemy.dialects import sqlite

from sightline.record.archive._store.tables import instances, series
from sightline.runtime.db import Database, Db

_c = instances.c
_FRAMES = (
    _c.study, _c.series, _c.sop_uid, _c.sop_class, _c.blob, _c.size, _c.transfer_syntax, _c.rows, _c.columns,
    _c.frames, _c.frame_table,
)  # fmt: skip
_STATE = (series.c.study, series.c.generation, series.c.last_received)


def frames_of(database: Database, sop_uid: str) -> Any:
    """Return where an instance belongs, where its bytes are and where its frames are in them, or None."""
    return _first(database, _frames_statement, sop_uid)


def state_of_series(database: Database, uid: str) -> Any:
    """Return the study of a series, how often it has grown and when it did last, or None; to be compared."""
    return _first(database, _state_statement, uid)


def frames_where(db: Db, *, study: str, series: str) -> list[Any]:
    """Return where the bytes and frames are of each instance of a series or study, by series and number."""
    wanted = select(*_FRAMES).where(_c.study == study)
    if series:
        wanted = wanted.where(_c.series == series)
    ordered = wanted.order_by(_c.series, func.coalesce(_c.number, 2**31 - 1), _c.sop_uid)
    return list(db.execute(ordered))


def _frames_statement(uid: str) -> Select[Any]:
    return select(*_FRAMES).where(_c.sop_uid == uid)


def _state_statement(uid: str) -> Select[Any]:
    return select(*_STATE).where(series.c.uid == uid)


def _first(database: Database, statement: Any, uid: str) -> Any:
    if not database.is_sqlite:
        with database.reading() as db:
            return db.execute(statement(uid)).first()
    return _own_connection(database.engine).execute(_sqlite_text(statement), (uid,)).fetchone()


@lru_cache(maxsize=8)
def _sqlite_text(statement: Any) -> str:
    return str(statement("").compile(dialect=sqlite.dialect()))


class _Own(threading.local):
    """The connections of one thread, by engine; they close with the thread or the engine."""

    def __init__(self) -> None:
        self.connections: WeakKeyDictionary[Engine, Any] = WeakKeyDictionary()


_own = _Own()


def _own_connection(engine: Engine) -> Any:
    """Return this thread's own connection of the driver, taken out of the pool for good."""
    kept = _own.connections.get(engine)
    if kept is None:
        borrowed = engine.raw_connection()
        kept = borrowed.driver_connection
        borrowed.detach()
        _own.connections[engine] = kept
    return kept
