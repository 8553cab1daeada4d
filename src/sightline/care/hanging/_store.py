"""The table of hanging protocols that people and sites keep; the only SQL of this domain."""

from typing import Any

from sqlalchemy import Column, String, Table, and_, delete, func, insert, or_, select, update

from sightline.care.hanging._model import HangingProtocol, Owned, Owner
from sightline.runtime.db import Db, Instant, Json, metadata

protocols = Table(
    "hanging_protocols",
    metadata,
    # Whose it is: "mine" with the id of a person, or "site" with the name of a site.
    Column("owner", String(8), primary_key=True),
    Column("holder", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("protocol", Json, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
Holder = tuple[Owner, str]


def find(db: Db, holders: tuple[Holder, ...]) -> tuple[Owned, ...]:
    """Return what these holders keep, in their order and then by id."""
    p = protocols.c
    rows = db.execute(select(p.owner, p.holder, p.id, p.protocol).where(or_(*map(_of, holders)))).all()
    in_order = sorted(rows, key=lambda row: (holders.index((Owner(row.owner), row.holder)), row.id))
    return tuple(Owned(Owner(row.owner), HangingProtocol.model_validate(row.protocol)) for row in in_order)


def held(db: Db, holder: Holder, protocol_id: str) -> bool:
    """Say whether a holder keeps a protocol of this id."""
    found = select(protocols.c.id).where(_of(holder), protocols.c.id == protocol_id)
    return db.execute(found).first() is not None


def count(db: Db, holder: Holder) -> int:
    """Return how many protocols a holder keeps."""
    return db.scalar(select(func.count()).select_from(protocols).where(_of(holder))) or 0


def put(db: Db, holder: Holder, protocol: HangingProtocol, *, at: Any, new: bool) -> None:
    """Write a protocol: a new one, or in place of the one of its id."""
    values = {"protocol": protocol.model_dump(mode="json"), "changed_at": at}
    if new:
        owner, whose = holder
        db.execute(insert(protocols).values(owner=owner, holder=whose, id=protocol.id, **values))
    else:
        db.execute(update(protocols).where(_of(holder), protocols.c.id == protocol.id).values(values))


def remove(db: Db, holder: Holder, protocol_id: str) -> bool:
    """Forget a protocol; say whether there was one."""
    return bool(db.execute(delete(protocols).where(_of(holder), protocols.c.id == protocol_id)).rowcount)


def _of(holder: Holder) -> Any:
    owner, whose = holder
    return and_(protocols.c.owner == owner, protocols.c.holder == whose)
