"""The table of peers; the only SQL of this domain."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    false,
    insert,
    select,
    update,
)

from sightline.runtime.db import Db, Json, metadata
from sightline.wire.peers._model import Peer

peers = Table(
    "peers",
    metadata,
    Column("title", String(16), primary_key=True),
    Column("host", String(253), nullable=False),
    Column("port", Integer, nullable=False),
    Column("description", Text, nullable=False),
    Column("tls", Boolean, nullable=False),
    Column("certificate_sha256", String(64)),
    Column("rights", Json, nullable=False),
    Column("max_pdu", Integer, nullable=False),
    Column("max_associations", Integer, nullable=False),
    Column("rate_per_s", Float),
    Column("acse_timeout_s", Integer, nullable=False),
    Column("dimse_timeout_s", Integer, nullable=False),
    Column("network_timeout_s", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("retrieve_by", String(8), nullable=False, server_default="get"),
    Column("priors", Boolean, nullable=False, server_default=false()),
)


def get(db: Db, title: str) -> Peer | None:
    """Return the peer of this title."""
    row = db.execute(select(peers).where(peers.c.title == title)).one_or_none()
    return _from_row(row) if row else None


def find(db: Db) -> tuple[Peer, ...]:
    """Return every peer, by title."""
    return tuple(_from_row(row) for row in db.execute(select(peers).order_by(peers.c.title)))


def add(db: Db, peer: Peer) -> None:
    """Write a new peer."""
    db.execute(insert(peers).values(_row(peer)))


def change(db: Db, peer: Peer) -> None:
    """Write a peer that is known."""
    db.execute(update(peers).where(peers.c.title == peer.title).values(_row(peer)))


def remove(db: Db, title: str) -> bool:
    """Forget a peer; say whether there was one."""
    return bool(db.execute(delete(peers).where(peers.c.title == title)).rowcount)


def _row(peer: Peer) -> dict[str, Any]:
    return asdict(peer) | {"rights": sorted(peer.rights)}


def _from_row(row: Row[Any]) -> Peer:
    values = dict(row._mapping)
    return Peer(**values | {"rights": frozenset(values["rights"])})
