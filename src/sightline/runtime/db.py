"""The database: SQLAlchemy Core on SQLite (WAL, synced) or PostgreSQL, one transaction per use case.

A write transaction on SQLite begins IMMEDIATE, so two writers queue instead of failing half-way; reads take
a snapshot and never wait. What is committed is on the disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.types import TypeDecorator

from sightline.kernel.errors import Unavailable

Db = Connection

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = JSON().with_variant(JSONB(), "postgresql")


class DatabaseUnavailable(Unavailable):
    """The database cannot be opened; check its address and that it runs."""


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: `timestamptz` on PostgreSQL, naive UTC text on SQLite, aware in Python on both."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; hand SQLite its UTC without an offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be stored; use clock.now().")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware moment in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Database:
    """One database: `transaction()` writes, `reading()` sees a snapshot and cannot write."""

    engine: Engine
    _reader: Engine

    @contextmanager
    def transaction(self) -> Iterator[Db]:
        """Open a write transaction; commit at the end, roll back on any error."""
        with self.engine.begin() as db:
            yield db

    @contextmanager
    def reading(self) -> Iterator[Db]:
        """Open a snapshot for reading."""
        with self._reader.begin() as db:
            yield db

    @property
    def is_sqlite(self) -> bool:
        """Say whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open the database at `url` with the pragmas and isolation that the rest of the house relies on.

    Raises
    ------
    DatabaseUnavailable
        If there is no such kind of database, or it does not answer or cannot be read.
    """
    try:
        engine = build_engine(url)
        with engine.connect():
            pass
    except (ArgumentError, DBAPIError, ImportError) as cause:
        raise DatabaseUnavailable(
            f"The database cannot be opened ({_reason(cause)}); is SIGHTLINE_DATABASE_URL right, does it run?"
        ) from cause
    if engine.dialect.name == "sqlite":
        return Database(engine, engine.execution_options(sightline_reading=True))
    reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(engine, reader)


def _reason(cause: Exception) -> str:
    """Say what was wrong in one line; the address is left out, for it may hold a password."""
    if isinstance(cause, DBAPIError):
        return str(cause.orig).strip().splitlines()[0]
    return "its address is not one of sqlite:///FILE and postgresql+psycopg://…"


def build_engine(url: str, *, own_transactions: bool = True, **options: Any) -> Engine:
    """Return an engine; on SQLite with WAL, synced, foreign keys on and, for our own use, explicit BEGIN."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(
            parsed, pool_pre_ping=True, pool_size=20, max_overflow=20, hide_parameters=True, **options
        )
    engine = create_engine(
        parsed,
        connect_args={"check_same_thread": False, "timeout": 30},
        pool_size=20,
        max_overflow=20,
        hide_parameters=True,
        **options,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    # We open our own transactions; those of the job engine the driver opens, for writing so that they queue.
    level = None if own_transactions else "IMMEDIATE"
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", level))
    if own_transactions:
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(db: Connection) -> None:
    reading = db.get_execution_options().get("sightline_reading", False)
    db.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    db.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
