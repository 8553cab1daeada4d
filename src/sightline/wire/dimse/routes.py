"""HTTP face of what a person asks of a peer."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field

from sightline.runtime.db import Database
from sightline.runtime.http import get_database
from sightline.trust.identity import Caller
from sightline.wire import dimse

router = APIRouter(tags=["peers"])

Title = Annotated[str, Path(max_length=64)]
Opened = Annotated[Database, Depends(get_database)]


class Echo(BaseModel):
    """What came of an echo, in how many ms, and in words."""

    ok: bool
    ms: float
    message: str


class FindBody(BaseModel):
    """What is asked of a peer: keys by keyword, values as DICOM matches them."""

    level: Literal["patient", "study", "series", "instance"] = "study"
    keys: dict[str, Annotated[str, Field(max_length=1024)]] = Field(default_factory=dict, max_length=64)


class Found(BaseModel):
    """What a peer answered, in DICOM JSON."""

    items: list[dict[str, Any]]
    next: str | None = None


def caller_as(request: Request) -> dimse.Caller:
    """Return as whom this installation calls its peers."""
    known = getattr(request.app.state, "dimse_caller", None)
    return known if isinstance(known, dimse.Caller) else dimse.Caller()


As = Annotated[dimse.Caller, Depends(caller_as)]


@router.post("/peers/{title:path}/echo")
def echo(title: Title, caller: Caller, database: Opened, own: As) -> Echo:
    """Ask a peer whether it is there; that it is not is an answer too."""
    result = dimse.echo_peer(database, title, by=caller, caller=own)
    return Echo(ok=result.ok, ms=result.ms, message=result.message)


@router.post("/peers/{title:path}/find")
def find(title: Title, body: FindBody, caller: Caller, database: Opened, own: As) -> Found:
    """Ask a peer what it holds; a POST keeps names out of addresses."""
    answers = dimse.find_at_peer(database, title, body.level, body.keys, by=caller, caller=own)
    return Found(items=[answer.to_json_dict(suppress_invalid_tags=True) for answer in answers])
