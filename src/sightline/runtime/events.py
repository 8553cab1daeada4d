"""What happened, once, in order, as rows written in the transaction of the act.

Each listener is a durable job that is enqueued in that same transaction: an event that is
committed reaches every listener, and one that is rolled back never was.
"""

from collections import defaultdict
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, String, Table, insert

from sightline.kernel import clock
from sightline.runtime import jobs
from sightline.runtime.db import Db, Instant, Json, metadata

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("name", String(64), nullable=False, index=True),
    Column("subject", String(128), nullable=False, index=True),
    Column("facts", Json, nullable=False),
    Column("cause", String(128)),
)

_listeners: dict[str, list[jobs.JobKind]] = defaultdict(list)


def listen(name: str, kind: jobs.JobKind) -> None:
    """Have a job of `kind` run for each event called `name`; it gets ``subject`` and the event's facts."""
    if kind not in _listeners[name]:
        _listeners[name].append(kind)


def listeners() -> dict[str, tuple[str, ...]]:
    """Return which jobs listen to which events; the reference page is printed from this."""
    return {name: tuple(kind.name for kind in kinds) for name, kinds in sorted(_listeners.items())}


def publish(db: Db, name: str, subject: str, *, cause: str | None = None, **facts: Any) -> int:
    """Record that `name` happened to `subject` and enqueue its listeners; return its sequence number."""
    row = {"at": clock.now(), "name": name, "subject": subject, "facts": facts, "cause": cause}
    seq = int(db.execute(insert(events).values(row).returning(events.c.seq)).scalar_one())
    for kind in _listeners.get(name, ()):
        jobs.enqueue(db, kind.name, key=f"event-{seq}-{kind.name}", subject=subject, **facts)
    return seq
