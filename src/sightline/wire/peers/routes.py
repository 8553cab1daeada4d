"""HTTP face of the list of peers."""

from dataclasses import fields
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from sightline.runtime.http import Snapshot, Tx
from sightline.trust.identity import Caller
from sightline.wire import peers

router = APIRouter(tags=["peers"])

Title = Annotated[str, Path(max_length=64)]


class PeerBody(BaseModel):
    """What is known of a peer, without its title."""

    host: str = Field(default="", max_length=253)
    port: int = Field(default=104, gt=0, le=65535)
    description: str = Field(default="", max_length=200)
    tls: bool = False
    certificate_sha256: str | None = Field(default=None, max_length=128)
    rights: list[str] = Field(default_factory=lambda: sorted(peers.RIGHTS), max_length=16)
    max_pdu: int = 1 << 20
    max_associations: int = 16
    rate_per_s: float | None = None
    acse_timeout_s: int = 30
    dimse_timeout_s: int = 60
    network_timeout_s: int = 300
    enabled: bool = True
    retrieve_by: Literal["get", "move"] = "get"
    priors: bool = False


class PeerView(PeerBody):
    """A peer as it is kept."""

    title: str


class PeerList(BaseModel):
    """Every peer, by title."""

    items: list[PeerView]
    next: str | None = None


@router.get("/peers")
def list_peers(caller: Caller, db: Snapshot) -> PeerList:
    """Return every peer."""
    return PeerList(items=[view(peer) for peer in peers.list_peers(db, by=caller)])


@router.put("/peers/{title:path}")
def put_peer(title: Title, body: PeerBody, caller: Caller, db: Tx) -> PeerView:
    """Make a peer known, or replace what is known of it."""
    values: dict[str, Any] = body.model_dump() | {"title": title, "rights": frozenset(body.rights)}
    return view(peers.put_peer(db, peers.Peer(**values), by=caller))


@router.delete("/peers/{title:path}", status_code=204)
def remove_peer(title: Title, caller: Caller, db: Tx) -> Response:
    """Forget a peer."""
    peers.remove_peer(db, title, by=caller)
    return Response(status_code=204)


def view(peer: peers.Peer) -> PeerView:
    """Return a peer as JSON shows it."""
    values = {f.name: getattr(peer, f.name) for f in fields(peer)}
    return PeerView(**values | {"rights": sorted(peer.rights)})
