"""HTTP face of hanging protocols."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from sightline.care import hanging
from sightline.runtime.http import Snapshot, Tx, revalidated
from sightline.trust.identity import Caller

router = APIRouter(prefix="/hanging-protocols", tags=["hanging"])

ProtocolId = Annotated[str, Path(max_length=64)]
Changeable = Annotated[
    Literal["mine", "site"], Query(description="Whose: the caller's own, or the site's (administrators).")
]
OfOwner = Annotated[
    hanging.Owner | None, Query(description="Only those of this owner; none gives what the caller may use.")
]


class OwnedProtocol(BaseModel):
    """A protocol and whose it is."""

    owner: hanging.Owner
    protocol: hanging.HangingProtocol


class OwnedProtocolList(BaseModel):
    """Protocols, the nearest to the caller first."""

    items: list[OwnedProtocol]
    next: str | None = None


async def _file(request: Request) -> bytes:
    """Read a file little further than it may go; whoever parses it refuses one that is too large."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > hanging.MOST_FILE_BYTES:
            break
    return bytes(data)


SentFile = Annotated[bytes, Depends(_file)]
FILE_SCHEMA = {
    "type": "object",
    "required": ["version", "protocols"],
    "properties": {
        "version": {"const": hanging.VERSION},
        "protocols": {"type": "array", "items": {"$ref": "#/components/schemas/HangingProtocol"}},
    },
}
FILE_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": FILE_SCHEMA}}}}


@router.get("", response_model=OwnedProtocolList)
def list_protocols(request: Request, caller: Caller, db: Snapshot, owner: OfOwner = None) -> Response:
    """Return the hanging protocols that the caller may use: own, site's, built-in; of one id the nearest."""
    found = hanging.find_protocols(db, by=caller, owner=owner)
    return revalidated(request, OwnedProtocolList(items=[_view(owned) for owned in found]))


@router.get("/export", response_class=Response, responses={200: {"content": {"application/json": {}}}})
def export_protocols(caller: Caller, db: Snapshot, owner: OfOwner = None) -> Response:
    """Return hanging protocols as one file, as the import takes it."""
    found = hanging.find_protocols(db, by=caller, owner=owner)
    name = 'attachment; filename="hanging-protocols.json"'
    data = hanging.render_file(tuple(owned.protocol for owned in found))
    return Response(data, media_type="application/json", headers={"Content-Disposition": name})


@router.post("/import", openapi_extra=FILE_BODY)
def import_protocols(caller: Caller, sent: SentFile, db: Tx, owner: Changeable = "mine") -> OwnedProtocolList:
    """Keep all protocols of a file, or none if one cannot be kept; the refusal names the path of a fault."""
    read = hanging.parse_file(sent)
    kept = hanging.import_protocols(db, read, by=caller, owner=hanging.Owner(owner))
    return OwnedProtocolList(items=[_view(owned) for owned in kept])


@router.post("", status_code=201)
def add_protocol(
    body: hanging.HangingProtocol, caller: Caller, db: Tx, owner: Changeable = "mine"
) -> OwnedProtocol:
    """Keep a hanging protocol under an id that is not in use yet."""
    return _view(hanging.add_protocol(db, body, by=caller, owner=hanging.Owner(owner)))


@router.put("/{protocol_id}")
def put_protocol(
    protocol_id: ProtocolId, body: hanging.HangingProtocol, caller: Caller, db: Tx, owner: Changeable = "mine"
) -> OwnedProtocol:
    """Keep a hanging protocol, in place of the one of its id if there is one."""
    if body.id != protocol_id:
        raise hanging.NotAHangingProtocol("id: is another one than in the address; make them the same.")
    return _view(hanging.put_protocol(db, body, by=caller, owner=hanging.Owner(owner)))


@router.delete("/{protocol_id}", status_code=204)
def remove_protocol(protocol_id: ProtocolId, caller: Caller, db: Tx, owner: Changeable = "mine") -> Response:
    """Forget a hanging protocol; one of the same id behind it (the site's, a built-in) is seen again."""
    hanging.remove_protocol(db, protocol_id, by=caller, owner=hanging.Owner(owner))
    return Response(status_code=204)


def _view(owned: hanging.Owned) -> OwnedProtocol:
    return OwnedProtocol(owner=owned.owner, protocol=owned.protocol)
