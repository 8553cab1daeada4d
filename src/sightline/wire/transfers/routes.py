"""HTTP face of transfers."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from sightline.kernel.errors import Invalid
from sightline.runtime.http import Snapshot, Tx
from sightline.trust.identity import Caller
from sightline.wire import transfers

router = APIRouter(prefix="/transfers", tags=["transfers"])

Name = Annotated[str, Path(max_length=64)]
TransferId = Annotated[str, Path(max_length=32)]
Limit = Annotated[int, Query(ge=1, le=500)]


class BadPage(Invalid):
    """The mark of the page before is not one; begin again without it."""


class TransferView(BaseModel):
    """A study, or a whole archive, on its way."""

    id: str
    kind: Literal["send", "retrieve", "migrate", "import"]
    peer: str
    study_uid: str | None
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    total: int
    done: int
    failed: int
    bytes: int
    rate_per_s: float | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    error: str
    differences: dict[str, Any] | None
    rule: str


class TransferList(BaseModel):
    """A page of transfers, newest first; `next` asks for the page after."""

    items: list[TransferView]
    next: str | None = None


class Asked(BaseModel):
    """What is asked for; a migration names no studies."""

    kind: Literal["send", "retrieve", "migrate"]
    peer: str = Field(min_length=1, max_length=64)
    studies: list[Annotated[str, Field(max_length=64)]] = Field(default_factory=list, max_length=1000)
    studies_per_hour: int | None = Field(default=None, gt=0)
    verify: bool = False


class Failure(BaseModel):
    """An instance that did not go over, and why."""

    sop_uid: str
    reason: str


class FailureList(BaseModel):
    """The instances of a transfer that did not go over, at most a thousand."""

    items: list[Failure]
    next: str | None = None


class StudyReportView(BaseModel):
    """What became of one study of a migration."""

    study_uid: str
    state: str
    expected: int
    held: int
    missing: int
    extra: int
    conflicting: int
    reason: str


class Report(BaseModel):
    """A page of the studies of a migration, by UID."""

    items: list[StudyReportView]
    next: str | None = None


class WhenBody(BaseModel):
    """Which studies; an empty field asks nothing, * and ? stand for any characters."""

    modality: str = Field(default="", max_length=200)
    source: str = Field(default="", max_length=200)
    label: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=200)


class RuleBody(BaseModel):
    """What a forwarding rule says."""

    when: WhenBody = Field(default_factory=WhenBody)
    to: list[Annotated[str, Field(max_length=64)]] = Field(max_length=20)
    enabled: bool = True


class RuleView(RuleBody):
    """A forwarding rule."""

    name: str


class RuleList(BaseModel):
    """Every forwarding rule, by name."""

    items: list[RuleView]
    next: str | None = None


class ServerBody(BaseModel):
    """A DICOMweb server; a secret that is not given stays as it is while the host stays the same."""

    url: str = Field(max_length=500)
    auth_kind: Literal["none", "basic", "bearer"] = "none"
    secret: str | None = Field(default=None, max_length=8192)
    priors: bool = False


class ServerView(BaseModel):
    """A DICOMweb server, without its secret."""

    name: str
    url: str
    auth_kind: Literal["none", "basic", "bearer"]
    has_secret: bool
    priors: bool


class ServerList(BaseModel):
    """Every DICOMweb server, by name."""

    items: list[ServerView]
    next: str | None = None


@router.get("")
def list_transfers(
    caller: Caller,
    db: Snapshot,
    state: Annotated[str, Query(max_length=16)] = "",
    limit: Limit = 50,
    after: Annotated[str | None, Query(max_length=80)] = None,
) -> TransferList:
    """Return transfers, newest first: those in one state, or all."""
    found = transfers.list_transfers(db, state=state, limit=limit, after=_mark(after), by=caller)
    last = found[-1] if len(found) == limit else None
    return TransferList(
        items=[_view(one) for one in found],
        next=f"{last.created_at.timestamp():.6f}_{last.id}" if last else None,
    )


@router.post("", status_code=202)
def start_transfers(body: Asked, caller: Caller, db: Tx) -> TransferList:
    """Send studies to a peer or server, retrieve them from there, or take over all that it has."""
    asked = {"studies_per_hour": body.studies_per_hour, "verify": body.verify}
    options: dict[str, Any] = {name: value for name, value in asked.items() if value}
    started = transfers.start_transfers(db, body.kind, body.peer, body.studies, by=caller, **options)
    return TransferList(items=[_view(one) for one in started])


@router.get("/rules")
def list_rules(caller: Caller, db: Snapshot) -> RuleList:
    """Return the forwarding rules."""
    return RuleList(items=[RuleView(**asdict(rule)) for rule in transfers.list_rules(db, by=caller)])


@router.put("/rules/{name}")
def put_rule(name: Name, body: RuleBody, caller: Caller, db: Tx) -> RuleView:
    """Set a forwarding rule: studies that settle and match are sent."""
    when = transfers.When(**body.when.model_dump())
    rule = transfers.put_rule(db, transfers.Rule(name, when, tuple(body.to), body.enabled), by=caller)
    return RuleView(**asdict(rule))


@router.delete("/rules/{name}", status_code=204)
def remove_rule(name: Name, caller: Caller, db: Tx) -> Response:
    """Remove a forwarding rule."""
    transfers.remove_rule(db, name, by=caller)
    return Response(status_code=204)


@router.get("/servers")
def list_servers(caller: Caller, db: Snapshot) -> ServerList:
    """Return the DICOMweb servers, without their secrets."""
    return ServerList(items=[_server(server) for server in transfers.list_servers(db, by=caller)])


@router.put("/servers/{name}")
def put_server(name: Name, body: ServerBody, caller: Caller, db: Tx) -> ServerView:
    """Make a DICOMweb server known, or change it."""
    server = transfers.Server(name, body.url, body.auth_kind, body.secret or "", body.priors)
    return _server(transfers.put_server(db, server, keep_secret=body.secret is None, by=caller))


@router.delete("/servers/{name}", status_code=204)
def remove_server(name: Name, caller: Caller, db: Tx) -> Response:
    """Forget a DICOMweb server."""
    transfers.remove_server(db, name, by=caller)
    return Response(status_code=204)


@router.get("/{transfer_id}/failures")
def list_failures(transfer_id: TransferId, caller: Caller, db: Snapshot) -> FailureList:
    """Return the instances that did not go over, and why."""
    found = transfers.failures_of(db, transfer_id, by=caller)
    return FailureList(items=[Failure(sop_uid=uid, reason=reason) for uid, reason in found])


@router.get("/{transfer_id}/studies")
def list_studies(
    transfer_id: TransferId,
    caller: Caller,
    db: Snapshot,
    limit: Limit = 100,
    after: Annotated[str, Query(max_length=64)] = "",
) -> Report:
    """Return what became of each study of a migration."""
    found = transfers.report_of(db, transfer_id, limit=limit, after=after, by=caller)
    return Report(
        items=[StudyReportView(**asdict(one)) for one in found],
        next=found[-1].study_uid if len(found) == limit else None,
    )


@router.post("/{transfer_id}/retry")
def retry_transfer(transfer_id: TransferId, caller: Caller, db: Tx) -> TransferView:
    """Try a transfer again now: only what did not go over."""
    return _view(transfers.retry(db, transfer_id, by=caller))


@router.post("/{transfer_id}/cancel")
def cancel_transfer(transfer_id: TransferId, caller: Caller, db: Tx) -> TransferView:
    """End a transfer."""
    return _view(transfers.cancel(db, transfer_id, by=caller))


def _view(transfer: transfers.Transfer) -> TransferView:
    values = asdict(transfer)
    del values["options"]
    return TransferView(**values)


def _server(server: transfers.Server) -> ServerView:
    return ServerView(
        name=server.name,
        url=server.url,
        auth_kind=server.auth_kind,
        has_secret=bool(server.secret),
        priors=server.priors,
    )


def _mark(after: str | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    moment, _, id_ = after.partition("_")
    try:
        return datetime.fromtimestamp(float(moment), UTC), id_
    except (ValueError, OverflowError, OSError):
        raise BadPage("The mark of the page before is not one; begin again without it.") from None
