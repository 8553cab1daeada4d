"""Durable jobs on DBOS: enqueued in our own transaction, run once each, resumed after a crash.

A job is a function of a `Run` and JSON arguments. Inside it, each `run.step(...)` is remembered: a step
that finished is never run again, one that was cut off is run again, so every step must be idempotent.
On SQLite one process runs the jobs (it holds `worker.lock`); on PostgreSQL many may, and the watcher
hands the work of a silent one to the living.
"""

import fcntl
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO, TypeVar

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy import Column, Engine, String, Table, delete, func, insert, select, update

from sightline.kernel.errors import Conflict, NotFound
from sightline.runtime import logs, processes
from sightline.runtime.db import Database, Db, Instant, build_engine, metadata

QUEUE = "sightline"
HEAVY_QUEUE = "sightline-heavy"
APPLICATION = "sightline"
# Jobs outlive upgrades: a job that an older release enqueued must still be run by this one.
APPLICATION_VERSION = "1"
HEARTBEAT_S = 5
SILENT_S = 20
RETRY_S = 1

R = TypeVar("R")
log = structlog.get_logger(__name__)

workers = Table(
    "workers",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("seen_at", Instant, nullable=False),
)


class WorkerAlreadyRunning(Conflict):
    """Another process runs the jobs of this installation; leave them to it."""


class JobKindTaken(Conflict):
    """Two functions claim one kind of job; rename one of them or uninstall its plug-in."""


class NoSuchJobKind(NotFound):
    """No installed code runs jobs of that kind; install the plug-in that does, or cancel the job."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job may use: set by `app` when it starts the worker."""

    database: Database
    extras: dict[str, Any]
    leash: processes.Leash


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job: its key, its database and extras, and the means to remember steps."""

    key: str
    resources: Resources

    @property
    def database(self) -> Database:
        """The installation's database."""
        return self.resources.database

    def resource(self, name: str) -> Any:
        """Return what `app` put in under `name`, such as the blob store."""
        return self.resources.extras[name]

    def step(self, name: str, work: Callable[[], R]) -> R:
        """Do `work` once: its JSON result is remembered, and returned when the job is resumed."""
        return DBOS.run_step({"name": name}, work)


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job: a name that outlives releases and the function that does it.

    Heavy kinds fill the machine for seconds; they have a queue of their own, so that light ones never wait.
    """

    name: str
    work: Callable[..., Any]
    heavy: bool = False


_kinds: dict[str, JobKind] = {}
_resources: Resources | None = None


def job(name: str, *, heavy: bool = False) -> Callable[[Callable[..., Any]], JobKind]:
    """Make a function of ``(run, **arguments)`` a kind of job."""

    def register(work: Callable[..., Any]) -> JobKind:
        if name in _kinds:
            raise JobKindTaken(f"Two kinds of job are called {name}; rename one of them.")
        kind = JobKind(name, work, heavy)
        _kinds[name] = kind
        return kind

    return register


def kinds() -> tuple[JobKind, ...]:
    """Return every registered kind of job, by name."""
    return tuple(kind for _, kind in sorted(_kinds.items()))


@DBOS.workflow(name="sightline-job", max_recovery_attempts=20)
def _run_job(kind: str, arguments: dict[str, Any]) -> None:
    """Run one job; the single workflow that the engine knows."""
    if _resources is None:
        raise RuntimeError("The worker has no resources; start it through jobs.Worker.")
    if kind not in _kinds:
        raise NoSuchJobKind(f"Nothing here runs jobs of kind {kind}.")
    run = Run(DBOS.workflow_id or "", _resources)
    started = time.monotonic()
    try:
        with processes.leashed(_resources.leash), logs.span("job", job=kind, key=run.key):
            _kinds[kind].work(run, **arguments)
    except Exception as error:
        logs.jobs_total.labels(kind, "failed").inc()
        log.error("job failed", job=kind, key=run.key, error=type(error).__name__, exc_info=error)
        raise
    seconds = time.monotonic() - started
    logs.jobs_total.labels(kind, "done").inc()
    logs.job_seconds.labels(kind).observe(seconds)
    log.info("job done", job=kind, key=run.key, seconds=round(seconds, 2))


class Queue:
    """The durable queue of one database: puts jobs into the caller's transaction and tells how they stand."""

    def __init__(self, database: Database) -> None:
        self._engine = _system_engine(database.engine)
        DBOS.migrate(_address(database.engine))
        self._client = DBOSClient(
            system_database_engine=self._engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            retry_connection_errors=False,
        )

    def enqueue(
        self, db: Db, kind: str, key: str, arguments: dict[str, Any], priority: int, delay_s: float
    ) -> None:
        """Put a job into the transaction of `db`; a key that is already known changes nothing."""
        options: EnqueueOptions = {
            "queue_name": HEAVY_QUEUE if kind in _kinds and _kinds[kind].heavy else QUEUE,
            "workflow_name": "sightline-job",
            "workflow_id": key,
            "app_version": APPLICATION_VERSION,
            "priority": priority,
        }
        if delay_s > 0:
            options["delay_seconds"] = delay_s
        self._client.enqueue_in_transaction(db, options, kind, arguments)

    def is_idle(self) -> bool:
        """Say whether no job is running and none waits for anything but its hour."""
        under_way = self._client.list_workflows(
            status=["ENQUEUED", "PENDING"], load_input=False, load_output=False, limit=1
        )
        return not under_way

    def counts(self) -> dict[str, int]:
        """Return how many jobs are waiting and running, and how many failed."""
        states = {"waiting": ["ENQUEUED", "DELAYED"], "running": ["PENDING"]}
        states["failed"] = ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
        return {
            name: len(
                self._client.list_workflows(status=status, load_input=False, load_output=False, limit=1000)
            )
            for name, status in states.items()
        }

    def resume(self, executor: str) -> int:
        """Hand the running jobs of a silent worker back to the queue; return how many."""
        running = self._client.list_workflows(status="PENDING", executor_id=executor, load_input=False)
        for queue in (QUEUE, HEAVY_QUEUE):
            theirs = [w.workflow_id for w in running if (w.queue_name or QUEUE) == queue]
            if theirs:
                self._client.resume_workflows(theirs, queue_name=queue)
        return len(running)

    def close(self) -> None:
        """Close the connections of the queue."""
        self._client.destroy()
        self._engine.dispose()


_queues: dict[str, Queue] = {}


def open_queue(database: Database) -> Queue:
    """Return the queue of `database`, made on first use."""
    url = _address(database.engine)
    if url not in _queues:
        _queues[url] = Queue(database)
    return _queues[url]


def close_queues() -> None:
    """Close every queue that this process opened."""
    while _queues:
        _queues.popitem()[1].close()


def enqueue(
    db: Db, kind: str, /, *, key: str, priority: int = 100, delay_s: float = 0, **arguments: Any
) -> None:
    """Put a job of the kind called `kind` into the caller's transaction; the same `key` twice is one job.

    With `delay_s` it is not begun before that many seconds have passed, and holds nobody up until then.
    """
    url = _address(db.engine)
    if url not in _queues:
        raise RuntimeError("No queue is open for this database; call jobs.open_queue first.")
    _queues[url].enqueue(db, kind, key, arguments, priority, delay_s)


class Worker:
    """Runs jobs in this process until stopped; one per process."""

    def __init__(
        self,
        database: Database,
        *,
        lock: Path,
        concurrency: int = 4,
        heartbeat_s: float = HEARTBEAT_S,
        silent_s: float = SILENT_S,
        retry_s: float = RETRY_S,
        **extras: Any,
    ) -> None:
        self._database = database
        self._heartbeat_s, self._silent_s, self._retry_s = heartbeat_s, silent_s, retry_s
        self._lock_path = lock
        self._lock: TextIO | None = None
        self._concurrency = concurrency
        self._extras = extras
        self._engine: Engine | None = None
        self._leash = processes.Leash()
        self._stopping = threading.Event()
        self._standby: threading.Thread | None = None
        self.id = f"{socket.gethostname()}-{os.getpid()}"

    def start(self) -> None:
        """Begin to run jobs, those that a crash cut off first."""
        global _resources
        if self._database.is_sqlite:
            self._lock = take_lock(self._lock_path)
            self.id = "local"
        _resources = Resources(self._database, self._extras, self._leash)
        open_queue(self._database)
        self._engine = _system_engine(self._database.engine)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_engine": self._engine,
            "serializer": DBOSPortableJSONSerializer(),
            "application_version": APPLICATION_VERSION,
            "executor_id": self.id,
            # It would log what a failed job raised, and that may quote patient data; we log it ourselves.
            "log_level": "CRITICAL",
            "enable_otlp": False,
            "use_listen_notify": False,
        }
        if not self._database.is_sqlite:
            beat(self._database, self.id)  # before the first job: whoever holds jobs must be watched
        DBOS(config=config)
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=self._concurrency, polling_interval_sec=0.25)
        DBOS.register_queue(HEAVY_QUEUE, worker_concurrency=processes.PLACES, polling_interval_sec=0.25)
        if not self._database.is_sqlite:
            threading.Thread(target=self._keep_watch, name="job-watch", daemon=True).start()

    def start_when_free(self) -> None:
        """Begin to run jobs or, while another process of this installation does, as soon as that one ends."""
        try:
            self.start()
        except WorkerAlreadyRunning:
            self._standby = threading.Thread(target=self._stand_by, name="job-standby", daemon=True)
            self._standby.start()

    def _stand_by(self) -> None:
        while not self._stopping.wait(self._retry_s):
            with suppress(WorkerAlreadyRunning):
                self.start()
                return

    def _keep_watch(self) -> None:
        while not self._stopping.wait(self._heartbeat_s):
            with suppress(Exception):  # a lost connection must not end the watch; the next beat tries again
                beat(self._database, self.id)
                watch(self._database, silent_s=self._silent_s)

    def stop(self, *, wait_s: int = 0) -> None:
        """Stop taking jobs, and the children of those that run: they are resumed at the next start."""
        self._stopping.set()
        if self._standby is not None:
            self._standby.join()
        if self._engine is not None:
            DBOS.destroy(workflow_completion_timeout_sec=wait_s)
            self._leash.cut()  # or the process would wait for their children before it ends
            self._engine.dispose()
        if self._lock is not None:
            self._lock.close()

    def drain(self, *, timeout_s: float = math.inf) -> None:
        """Wait until no job is due or running; raise TimeoutError when that takes too long.

        Jobs whose hour has not come are left alone.
        """
        deadline = time.monotonic() + timeout_s
        queue = open_queue(self._database)
        while not queue.is_idle():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Jobs still under way after {timeout_s:.0f} s: {queue.counts()}.")
            time.sleep(0.1)


def take_lock(path: Path) -> TextIO:
    """Hold `path` for as long as this process lives, or refuse; a kill frees it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise WorkerAlreadyRunning("Another process runs the jobs of this installation.") from None
    return handle


def beat(database: Database, worker: str) -> None:
    """Record that `worker` lives (PostgreSQL), by the database's clock: those of the machines may differ."""
    with database.transaction() as db:
        seen = db.execute(update(workers).where(workers.c.id == worker).values(seen_at=func.now()))
        if not seen.rowcount:
            db.execute(insert(workers).values(id=worker, seen_at=func.now()))


def has_living_worker(database: Database, *, silent_s: float = SILENT_S) -> bool:
    """Say whether a worker was heard of lately (PostgreSQL)."""
    lately = workers.c.seen_at >= func.now() - timedelta(seconds=silent_s)
    with database.reading() as db:
        return db.scalar(select(workers.c.id).where(lately).limit(1)) is not None


def watch(database: Database, *, silent_s: float = SILENT_S) -> int:
    """Hand the jobs of workers that fell silent to the living (PostgreSQL); return how many were moved."""
    with database.transaction() as db:
        long_ago = workers.c.seen_at < func.now() - timedelta(seconds=silent_s)
        silent = db.scalars(select(workers.c.id).where(long_ago).with_for_update(skip_locked=True))
        moved = 0
        for worker in silent.all():
            moved += open_queue(database).resume(worker)
            db.execute(delete(workers).where(workers.c.id == worker))
    return moved


def _system_engine(engine: Engine) -> Engine:
    """Return an engine of the job system's own on the same database, so that its pool never starves ours."""
    return build_engine(_address(engine), own_transactions=False)


def _address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)
