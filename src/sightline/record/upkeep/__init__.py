"""What becomes of bytes over the years: proved again, mended, copied elsewhere, and made quick to serve.

Invariants: the original bytes are never given up for a copy; harmed bytes are replaced only by bytes that
were read and proved to be the same object; a copy counts only once it was read back.
"""

from sightline.record.upkeep._model import (
    TASKS,
    Copy,
    Damage,
    Keeping,
    NoSuchTask,
    NotSetUp,
    Task,
    TaskRun,
    UpkeepUnderWay,
)
from sightline.record.upkeep._service import (
    RUN,
    STUDY,
    copies_of,
    forget_served,
    keep_study,
    list_damages,
    list_tasks,
    run_task,
    served_frames,
    start_task,
    stop_task,
    what_lacks,
)
from sightline.record.upkeep._transcoding import HTJ2K
from sightline.record.upkeep._watching import Keeper
from sightline.record.upkeep.settings import UpkeepSettings

__all__ = [
    "HTJ2K",
    "RUN",
    "STUDY",
    "TASKS",
    "Copy",
    "Damage",
    "Keeper",
    "Keeping",
    "NoSuchTask",
    "NotSetUp",
    "Task",
    "TaskRun",
    "UpkeepSettings",
    "UpkeepUnderWay",
    "copies_of",
    "forget_served",
    "keep_study",
    "list_damages",
    "list_tasks",
    "run_task",
    "served_frames",
    "start_task",
    "stop_task",
    "what_lacks",
]
