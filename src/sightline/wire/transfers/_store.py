"""The tables of transfers and all statements on them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    delete,
    false,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from sightline.runtime.db import Db, Instant, Json, metadata
from sightline.wire.transfers._model import OPEN, Rule, Server, StudyReport, Transfer, When

servers = Table(
    "transfer_servers",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("auth_kind", String(16), nullable=False),
    Column("secret", Text, nullable=False),
    Column("priors", Boolean, nullable=False, server_default=false()),
)

rules = Table(
    "transfer_rules",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("when", Json, nullable=False),
    Column("to", Json, nullable=False),
    Column("enabled", Boolean, nullable=False),
)

transfers = Table(
    "transfers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("peer", Text, nullable=False),
    Column("study_uid", String(64), index=True),
    Column("state", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("differences", Json),
    Column("rule", String(64), nullable=False),
    Column("options", Json, nullable=False),
    Column("person", Json, nullable=False),
    # When it is next tried, and the number of the attempt whose job was enqueued.
    Column("due_at", Instant, nullable=False),
    Column("queued", Integer, nullable=False),
)
Index("ix_transfers_newest", transfers.c.created_at.desc(), transfers.c.id.desc())
Index("ix_transfers_state_due", transfers.c.state, transfers.c.due_at)

# What of a transfer is done and what failed: a retry sends the rest. Kept only while something is open.
items = Table(
    "transfer_items",
    metadata,
    Column("transfer", String(32), ForeignKey("transfers.id", ondelete="CASCADE"), primary_key=True),
    Column("sop_uid", String(64), primary_key=True),
    Column("reason", Text, nullable=False),
)

# The studies of a migration, in the order they are taken over.
migrated = Table(
    "transfer_studies",
    metadata,
    Column("transfer", String(32), ForeignKey("transfers.id", ondelete="CASCADE"), primary_key=True),
    Column("study_uid", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("expected", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("extra", Integer, nullable=False),
    Column("conflicting", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)
Index("ix_transfer_studies_state", migrated.c.transfer, migrated.c.state, migrated.c.study_uid)

_SHOWN = tuple(transfers.c[name] for name in Transfer.__slots__ if name != "rate_per_s")
_REPORTED = tuple(migrated.c[name] for name in StudyReport.__slots__)


def find_servers(db: Db) -> tuple[Server, ...]:
    """Return every server, by name."""
    return tuple(Server(*row) for row in db.execute(select(servers).order_by(servers.c.name)))


def get_server(db: Db, name: str) -> Server | None:
    """Return a server, or None."""
    row = db.execute(select(servers).where(servers.c.name == name)).first()
    return Server(*row) if row else None


def put_server(db: Db, server: Server) -> None:
    """Write a server."""
    db.execute(delete(servers).where(servers.c.name == server.name))
    db.execute(insert(servers).values({name: getattr(server, name) for name in Server.__slots__}))


def remove_server(db: Db, name: str) -> bool:
    """Forget a server; say whether it was there."""
    return bool(db.execute(delete(servers).where(servers.c.name == name)).rowcount)


def find_rules(db: Db) -> tuple[Rule, ...]:
    """Return every rule, by name."""
    return tuple(
        Rule(row.name, When(**row.when), tuple(row.to), row.enabled)
        for row in db.execute(select(rules).order_by(rules.c.name))
    )


def put_rule(db: Db, rule: Rule) -> None:
    """Write a rule."""
    db.execute(delete(rules).where(rules.c.name == rule.name))
    values = {"name": rule.name, "when": asdict(rule.when), "to": list(rule.to), "enabled": rule.enabled}
    db.execute(insert(rules).values(values))


def remove_rule(db: Db, name: str) -> bool:
    """Forget a rule; say whether it was there."""
    return bool(db.execute(delete(rules).where(rules.c.name == name)).rowcount)


def add_transfer(db: Db, row: dict[str, Any]) -> None:
    """Write a new transfer."""
    db.execute(insert(transfers).values(row))


def get_transfer(db: Db, id: str, *, locked: bool = False) -> Transfer | None:  # noqa: A002
    """Return a transfer, locked for who will change it."""
    wanted = select(*_SHOWN).where(transfers.c.id == id)
    row = db.execute(wanted.with_for_update() if locked else wanted).first()
    return _transfer(row) if row else None


def transfers_named(db: Db, ids: Collection[str]) -> list[Transfer]:
    """Return those of some transfers that there are."""
    return [_transfer(row) for row in db.execute(select(*_SHOWN).where(transfers.c.id.in_(ids)))]


def person_of(db: Db, id: str) -> dict[str, Any]:  # noqa: A002
    """Return on whose behalf a transfer runs."""
    return dict(db.execute(select(transfers.c.person).where(transfers.c.id == id)).scalar_one())


def find_transfers(db: Db, state: str, *, limit: int, after: tuple[datetime, str] | None) -> list[Transfer]:
    """Return transfers, newest first."""
    c = transfers.c
    wanted = select(*_SHOWN).order_by(c.created_at.desc(), c.id.desc()).limit(limit)
    if state:
        wanted = wanted.where(c.state == state)
    if after is not None:
        wanted = wanted.where(
            tuple_(c.created_at, c.id) < tuple_(literal(after[0], Instant), literal(after[1]))
        )
    return [_transfer(row) for row in db.execute(wanted)]


def _transfer(row: Any) -> Transfer:
    values = row._asdict()
    end = values["ended_at"]
    rate = None
    if values["started_at"] is not None and end is not None and values["done"]:
        rate = values["done"] / max((end - values["started_at"]).total_seconds(), 0.001)
    if values["state"] in OPEN:  # while it runs, the column says how far it was last told
        values["ended_at"] = None
    return Transfer(**values, rate_per_s=rate)


def is_open(db: Db, kind: str, peer: str, study_uid: str | None) -> str | None:
    """Return the id of a transfer that waits to do the same."""
    c = transfers.c
    same = and_(c.kind == kind, c.peer == peer, c.study_uid == study_uid, c.state == "waiting")
    return db.scalar(select(c.id).where(same).limit(1))


def last_sent(db: Db, peer: str, study_uid: str, rule: str) -> datetime | None:
    """Return when the last complete sending of a study by a rule began."""
    c = transfers.c
    same = and_(c.study_uid == study_uid, c.kind == "send", c.peer == peer, c.rule == rule, c.state == "done")
    found: datetime | None = db.scalar(select(func.max(c.created_at)).where(same))
    return found


def change_transfer(db: Db, id: str, **values: Any) -> None:  # noqa: A002
    """Change a transfer."""
    db.execute(update(transfers).where(transfers.c.id == id).values(values))


def next_attempt(db: Db, id: str) -> int:  # noqa: A002
    """Return how many attempts count as made, those included whose job was lost."""
    c = transfers.c
    row = db.execute(select(c.attempts, c.queued).where(c.id == id)).one()
    return max(int(row.attempts), int(row.queued))


def queued_peers(db: Db) -> list[str]:
    """Return the destination of each transfer whose job is enqueued or runs."""
    c = transfers.c
    return list(db.scalars(select(c.peer).where(c.state.in_(OPEN), c.queued > c.attempts)))


def is_any_due(db: Db, now: datetime) -> bool:
    """Say whether a transfer waits to be tried now; asked often, so it neither writes nor locks."""
    c = transfers.c
    due = select(c.id).where(c.state == "waiting", c.due_at <= now, c.queued <= c.attempts)
    return db.execute(due.limit(1)).first() is not None


def due_transfers(db: Db, now: datetime, limit: int) -> list[tuple[str, str, int]]:
    """Return id, destination and attempts so far of those that may be tried now, longest due first."""
    c = transfers.c
    due = select(c.id, c.peer, c.attempts).where(
        c.state == "waiting", c.due_at <= now, c.queued <= c.attempts
    )
    rows = db.execute(due.order_by(c.due_at, c.id).limit(limit).with_for_update(skip_locked=True))
    return [(row.id, row.peer, row.attempts) for row in rows]


def note_items(db: Db, transfer: str, reasons: dict[str, str]) -> None:
    """Remember what became of instances: an empty reason means that it is over there."""
    if not reasons:
        return
    build = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    rows = [{"transfer": transfer, "sop_uid": uid, "reason": reason} for uid, reason in reasons.items()]
    new = build(items)
    keys = ["transfer", "sop_uid"]
    db.execute(new.on_conflict_do_update(index_elements=keys, set_={"reason": new.excluded.reason}), rows)


def items_done(db: Db, transfer: str) -> set[str]:
    """Return the instances that are over there."""
    c = items.c
    return set(db.scalars(select(c.sop_uid).where(c.transfer == transfer, c.reason == "")))


def failures_of(db: Db, transfer: str, limit: int = 1000) -> list[tuple[str, str]]:
    """Return which instances failed, and why."""
    c = items.c
    rows = select(c.sop_uid, c.reason).where(c.transfer == transfer, c.reason != "").order_by(c.sop_uid)
    return [(row.sop_uid, row.reason) for row in db.execute(rows.limit(limit))]


def count_failures(db: Db, transfer: str) -> int:
    """Return how many instances failed."""
    c = items.c
    wanted = select(func.count()).where(c.transfer == transfer, c.reason != "")
    return int(db.execute(wanted).scalar_one())


def forget_items(db: Db, transfer: str) -> None:
    """Forget what became of each instance: the transfer is complete."""
    db.execute(delete(items).where(items.c.transfer == transfer))


def add_studies(db: Db, transfer: str, studies: Iterable[tuple[str, int]]) -> None:
    """Add studies to a migration; one that is there already stays as it is."""
    zero = dict.fromkeys(("held", "missing", "extra", "conflicting"), 0)
    rows = [
        {
            "transfer": transfer,
            "study_uid": uid,
            "state": "waiting",
            "expected": expected,
            "reason": "",
            **zero,
        }
        for uid, expected in studies
    ]
    if rows:
        build = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
        db.execute(build(migrated).on_conflict_do_nothing(), rows)


def next_studies(db: Db, transfer: str, limit: int) -> list[str]:
    """Return studies that are still to be taken over."""
    c = migrated.c
    wanted = select(c.study_uid).where(c.transfer == transfer, c.state == "waiting").order_by(c.study_uid)
    return list(db.scalars(wanted.limit(limit)))


def change_study(db: Db, transfer: str, study_uid: str, **values: Any) -> None:
    """Write what became of a study."""
    c = migrated.c
    db.execute(update(migrated).where(c.transfer == transfer, c.study_uid == study_uid).values(values))


def reopen_studies(db: Db, transfer: str) -> None:
    """Have the studies that were not complete taken over again."""
    c = migrated.c
    again = update(migrated).where(c.transfer == transfer, c.state != "done")
    db.execute(again.values(state="waiting", reason=""))


def studies_of(
    db: Db, transfer: str, *, limit: int, after: str = "", states: Sequence[str] = ()
) -> list[StudyReport]:
    """Return the studies of a migration, by UID."""
    c = migrated.c
    wanted = select(*_REPORTED).where(c.transfer == transfer, c.study_uid > after)
    if states:
        wanted = wanted.where(c.state.in_(states))
    return [StudyReport(*row) for row in db.execute(wanted.order_by(c.study_uid).limit(limit))]


def sum_studies(db: Db, transfer: str) -> dict[str, int]:
    """Return what the two sides do not have in common, in numbers."""
    c = migrated.c
    sums = [func.coalesce(func.sum(c[n]), 0) for n in ("expected", "held", "missing", "extra", "conflicting")]
    row = db.execute(select(func.count(), *sums).where(c.transfer == transfer)).one()
    names = ("studies", "expected", "held", "missing", "extra", "conflicting")
    found = {name: int(value) for name, value in zip(names, row, strict=True)}
    states = select(c.state, func.count()).where(c.transfer == transfer).group_by(c.state)
    counted = {state: int(count) for state, count in db.execute(states)}
    return found | {f"studies_{state}": counted.get(state, 0) for state in ("waiting", "done", "differs")}
