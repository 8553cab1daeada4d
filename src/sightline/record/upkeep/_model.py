"""What upkeep does, how far it is, and what it found: frozen values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from sightline.kernel.errors import Conflict, Invalid
from sightline.record import archive
from sightline.record.upkeep.settings import UpkeepSettings
from sightline.runtime.blobs import Blobs

Task: TypeAlias = Literal["scrub", "transcode", "cold-copy"]
TaskState: TypeAlias = Literal["never", "waiting", "running", "done", "failed", "stopped"]
Harm: TypeAlias = Literal["missing", "damaged", "orphan", "unreadable"]
CopyKind: TypeAlias = Literal["cold", "served"]

TASKS: tuple[Task, ...] = ("scrub", "transcode", "cold-copy")


class UpkeepUnderWay(Conflict):
    """This task runs already; wait for its end."""


class NoSuchTask(Invalid):
    """There is no such task of upkeep."""


class NotSetUp(Invalid):
    """The task needs a setting that is not made; the message names it."""


class Stopped(Exception):
    """A person stopped the task while it ran."""


@dataclass(frozen=True, slots=True)
class TaskRun:
    """How a task stands: `done` of `total` objects, `found` that were not as they should be."""

    task: Task
    state: TaskState
    done: int = 0
    total: int = 0
    found: int = 0
    repaired: int = 0
    bytes: int = 0
    at: datetime | None = None
    error: str = ""
    number: int = 0
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that were not as they should be; `repaired_at` None says that they still are not."""

    id: int
    blob: str
    sop_uid: str
    study: str
    kind: Harm
    at: datetime
    repaired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Copy:
    """A further copy of an object's bytes, under `key`: a second one elsewhere, or one to serve from."""

    blob: str
    kind: CopyKind
    key: str
    size: int
    hash: str
    transfer_syntax: str = ""
    frame_table: bytes | None = None


@dataclass(slots=True)
class Keeping:
    """What a task works on; `check` raises when the process ends."""

    store: archive.Store
    settings: UpkeepSettings
    cold: Blobs | None
    check: Callable[[], None] = field(default=lambda: None)
