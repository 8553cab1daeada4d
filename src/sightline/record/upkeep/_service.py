"""Use cases of upkeep: begin and stop a task, see how it stands, and the walk that every task is."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import structlog

from sightline.kernel import clock
from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.record.upkeep import _store as store_
from sightline.record.upkeep._copying import copy_batch, let_go, require_cold
from sightline.record.upkeep._model import (
    TASKS,
    Damage,
    Keeping,
    NoSuchTask,
    NotSetUp,
    Stopped,
    Task,
    TaskRun,
    UpkeepUnderWay,
)
from sightline.record.upkeep._scrubbing import scrub_batch
from sightline.record.upkeep._transcoding import transcode_batch
from sightline.record.upkeep.settings import UpkeepSettings
from sightline.runtime import jobs
from sightline.runtime.db import Db
from sightline.trust import access, audit

RUN = "upkeep.run"
STUDY = "upkeep.study"
PAGE = 100
KEYS = 1000
# Bytes have their row within seconds; what is younger than this may still be on its way.
ORPHAN_AGE = timedelta(hours=2)

Batch = Callable[[Keeping, Iterable[archive.HeldBytes]], Iterator[tuple[int, bool, bool]]]
BATCHES: dict[Task, Batch] = {
    "scrub": scrub_batch,
    "transcode": transcode_batch,
    "cold-copy": copy_batch,
}

audit.declare("upkeep.start", "A task of upkeep was begun")
audit.declare("upkeep.stop", "A task of upkeep was stopped")
log = structlog.get_logger(__name__)


def list_tasks(db: Db, *, by: access.Person) -> list[TaskRun]:
    """Return how every task stands."""
    access.require(by, "system.read")
    known = store_.find_runs(db)
    return [known.get(task, TaskRun(task, "never")) for task in TASKS]


def list_damages(
    db: Db, *, open_only: bool = True, limit: int = 100, study: str = "", by: access.Person
) -> list[Damage]:
    """Return bytes that were not as they should be, newest first."""
    access.require(by, "system.read")
    return store_.find_damages(db, open_only=open_only, limit=limit, study=study)


def start_task(db: Db, task: str, settings: UpkeepSettings, *, by: access.Person) -> TaskRun:
    """Begin a task from the start; it runs as a job, and goes on after a crash where it stood."""
    access.require(by, "system.maintain")
    if task not in TASKS:
        raise NoSuchTask(f"A task of upkeep is one of {', '.join(TASKS)}.")
    if lacking := what_lacks(task, settings):
        raise NotSetUp(lacking)
    before = store_.lock_run(db, task)
    if before.state in {"waiting", "running"}:
        raise UpkeepUnderWay("This task runs already; wait for its end, or stop it.")
    number = before.number + 1
    numbers = dict.fromkeys(("done", "found", "repaired", "bytes"), 0)
    total = archive.count_bytes(db)
    store_.change_run(db, task, state="waiting", number=number, cursor="", error="", total=total, **numbers)
    jobs.enqueue(db, RUN, key=f"upkeep-{task}-{number}", priority=200, task=task, number=number)
    audit.record(db, "upkeep.start", by=by, on=task, number=number)
    return store_.lock_run(db, task)


def what_lacks(task: str, settings: UpkeepSettings) -> str:
    """Say which setting a task needs that is not made; nothing when it can begin."""
    if task == "cold-copy" and not settings.cold_url:
        return "No second store is set; name one in SIGHTLINE_UPKEEP_COLD_URL."
    if task == "transcode" and not settings.transcoded:
        return "No modality is set; name some in SIGHTLINE_UPKEEP_TRANSCODE_MODALITIES."
    return ""


def stop_task(db: Db, task: str, *, by: access.Person) -> TaskRun:
    """Stop a task; begun again it starts from the beginning, and passes over what is done."""
    access.require(by, "system.maintain")
    if task not in TASKS:
        raise NoSuchTask(f"A task of upkeep is one of {', '.join(TASKS)}.")
    if store_.lock_run(db, task).state in {"waiting", "running"}:
        store_.change_run(db, task, state="stopped")
        audit.record(db, "upkeep.stop", by=by, on=task)
    return store_.lock_run(db, task)


def is_due(db: Db, settings: UpkeepSettings) -> bool:
    """Say whether every object is to be checked again: so many days after the last check ended."""
    if settings.scrub_days is None:
        return False
    last = store_.find_runs(db).get("scrub")
    if last is None or last.at is None:
        return True
    if last.state in {"waiting", "running"}:
        return False
    return clock.now() - last.at > timedelta(days=settings.scrub_days)


def run_task(keeping: Keeping, task: Task, number: int) -> TaskRun:
    """Walk over every object and do what the task does, going on where it stood."""
    database = keeping.store.database
    with database.transaction() as db:
        run = store_.lock_run(db, task)
        if run.number != number or run.state not in {"waiting", "running"}:
            return run
        store_.change_run(db, task, state="running")
    try:
        run = _walk(keeping, run)
        _finish(keeping, task)
        state, error = "done", ""
    except Stopped:
        state, error = "stopped", ""
    except PlatformError as failure:
        log.warning("upkeep failed", task=task, error=failure.code)
        state, error = "failed", str(failure)[:500]
    with database.transaction() as db:
        store_.change_run(db, task, state=state, error=error)
        return store_.lock_run(db, task)


def _walk(keeping: Keeping, run: TaskRun) -> TaskRun:
    pace = _Pace(keeping.settings.scrub_mib_per_s)
    while True:
        keeping.check()
        with keeping.store.database.reading() as db:
            page = archive.walk_bytes(db, after=run.cursor, limit=PAGE)
        if not page:
            return run
        fine = []
        for held, (size, found, repaired) in zip(page, BATCHES[run.task](keeping, page), strict=True):
            pace.keep(size)
            if run.task == "scrub" and not found:
                fine.append(held.blob)
            run = replace(run, bytes=run.bytes + size, found=run.found + found)
            run = replace(run, repaired=run.repaired + repaired, done=run.done + 1, cursor=held.blob)
        run = replace(run, cursor=page[-1].blob)
        _remember(keeping, run, fine)


def _remember(keeping: Keeping, run: TaskRun, fine: list[str]) -> None:
    with keeping.store.database.transaction() as db:
        state, number = store_.state_of(db, run.task)
        if state != "running" or number != run.number:
            raise Stopped
        numbers = {name: getattr(run, name) for name in ("done", "found", "repaired", "bytes", "cursor")}
        store_.change_run(db, run.task, **numbers)
        store_.close_damage(db, fine)


class _Pace:
    """Keeps reading to so many MiB a second."""

    def __init__(self, mib_per_s: float) -> None:
        self._bytes_per_s = mib_per_s * (1 << 20)
        self._due = time.monotonic()

    def keep(self, size: int) -> None:
        """Rest after `size` bytes."""
        now = time.monotonic()
        self._due = max(self._due, now - 1) + size / self._bytes_per_s
        if self._due > now:
            time.sleep(min(self._due - now, 5))


def _finish(keeping: Keeping, task: Task) -> None:
    """Do what comes after the walk."""
    if task == "scrub":
        _find_orphans(keeping)
    elif task == "cold-copy":
        let_go(keeping, "cold", require_cold(keeping))
    else:
        let_go(keeping, "served", keeping.store.blobs)


def _find_orphans(keeping: Keeping) -> None:
    """Note bytes that no row speaks of; `recover` writes their rows at the next start."""
    latest = (clock.now() - ORPHAN_AGE).strftime("instances/%Y%m%d/%H/~")
    keys: list[str] = []
    for key in keeping.store.blobs.list("instances/"):
        if key < latest:
            keys.append(key)
        if len(keys) >= KEYS:
            _note_orphans(keeping, keys)
            keys = []
    _note_orphans(keeping, keys)


def _note_orphans(keeping: Keeping, keys: list[str]) -> None:
    keeping.check()
    with keeping.store.database.transaction() as db:
        orphans = archive.blobs_without_row(db, keys)
        for key in orphans:
            store_.note_damage(db, key, "", "", "orphan", repaired=False)
        if orphans:
            run = store_.lock_run(db, "scrub")
            store_.change_run(db, "scrub", found=run.found + len(orphans))


def keep_study(keeping: Keeping, study: str) -> None:
    """Do for one study that has settled what the settings ask for: a second copy, a copy to serve from."""
    after = ""
    while True:
        keeping.check()
        with keeping.store.database.reading() as db:
            page = archive.walk_bytes(db, after=after, limit=PAGE, study=study)
        if not page:
            return
        if keeping.cold is not None:
            list(copy_batch(keeping, page))
        if keeping.settings.transcoded:
            list(transcode_batch(keeping, page))
        after = page[-1].blob


def served_frames(store: archive.Store, sop_uid: str) -> archive.HeldFrames | None:
    """Return where the frames of the HTJ2K copy of an instance are, or None when it has none.

    `archive.read_frames` reads from it as from the original.
    """
    with suppress(archive.InstanceNotHeld):
        held = archive.get_frames(store, sop_uid)
        with store.database.reading() as db:
            copy = store_.find_copies(db, "served", [held.blob]).get(held.blob)
        if copy is not None:
            return replace(
                held,
                blob=copy.key,
                size=copy.size,
                transfer_syntax=copy.transfer_syntax,
                table=copy.frame_table,
            )
    return None


def forget_served(db: Db) -> None:
    """Forget every copy to serve from: a backup does not hold them, and they are made anew."""
    store_.forget_copies(db, "served")


def copies_of(db: Db, study: str) -> int:
    """Return how many objects of a study have a second copy."""
    blobs = [held.blob for held in archive.walk_bytes(db, limit=100_000, study=study)]
    parts = (blobs[i : i + 5000] for i in range(0, len(blobs), 5000))
    return sum(len(store_.find_copies(db, "cold", part)) for part in parts)
