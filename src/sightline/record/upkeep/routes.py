"""HTTP face of upkeep."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from sightline.record import upkeep
from sightline.runtime.http import Snapshot, Tx
from sightline.trust.identity import Caller

router = APIRouter(prefix="/upkeep", tags=["upkeep"])

TaskName = Annotated[str, Path(max_length=16)]


class TaskView(BaseModel):
    """How a task stands: `done` of `total` objects, `found` that were not as they should be.

    `lacks` names the setting without which it cannot begin.
    """

    task: str
    state: str
    done: int
    total: int
    found: int
    repaired: int
    bytes: int
    at: datetime | None
    error: str
    lacks: str


class DamageView(BaseModel):
    """Bytes that were not as they should be."""

    id: int
    sop_uid: str
    study: str
    kind: str
    at: datetime
    repaired_at: datetime | None


class DamageList(BaseModel):
    """What was found, newest first."""

    items: list[DamageView]
    next: str | None = None


@router.get("")
def list_tasks(request: Request, caller: Caller, db: Snapshot) -> list[TaskView]:
    """Return how every task of upkeep stands."""
    return [_view(run, request) for run in upkeep.list_tasks(db, by=caller)]


@router.get("/damages")
def list_damages(
    caller: Caller,
    db: Snapshot,
    everything: bool = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> DamageList:
    """Return bytes that are not as they should be; with `everything`, those that were mended too."""
    found = upkeep.list_damages(db, open_only=not everything, limit=limit, by=caller)
    return DamageList(items=[DamageView(**asdict(one)) for one in found])


@router.post("/{task}", status_code=202)
def start_task(task: TaskName, request: Request, caller: Caller, db: Tx) -> TaskView:
    """Begin a task: scrub (check every object), transcode, or cold-copy."""
    return _view(upkeep.start_task(db, task, _settings(request), by=caller), request)


@router.post("/{task}/stop")
def stop_task(task: TaskName, request: Request, caller: Caller, db: Tx) -> TaskView:
    """Stop a task."""
    return _view(upkeep.stop_task(db, task, by=caller), request)


def _settings(request: Request) -> upkeep.UpkeepSettings:
    settings: upkeep.UpkeepSettings = request.app.state.upkeep_settings
    return settings


def _view(run: upkeep.TaskRun, request: Request) -> TaskView:
    values = asdict(run) | {"lacks": upkeep.what_lacks(run.task, _settings(request))}
    return TaskView(**{name: values[name] for name in TaskView.model_fields})
