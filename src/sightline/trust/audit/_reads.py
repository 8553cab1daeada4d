"""Reads, remembered once per person, act, thing and minute, and committed within a second.

A viewer asks for hundreds of frames of one study. The trail says once a minute who looked at what, and no
request waits for it. A crash can lose the reads of the last second, never a write.
"""

import threading
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from sightline.kernel import clock
from sightline.runtime.db import Database
from sightline.trust.access import Person
from sightline.trust.audit._model import require_declared
from sightline.trust.audit._service import Deed, append

FLUSH_S = 0.5
Key = tuple[str, str, str]
log = structlog.get_logger(__name__)


class ReadLog:
    """Collects reads and writes them in the background; `stop` writes the last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[Deed] = []
        self._seen: dict[Key, datetime] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, person: Person, act: str, on: str) -> None:
        """Remember that `person` did `act` on `on`, unless that is known for this minute."""
        require_declared(act)
        now = clock.now()
        minute = now.replace(second=0, microsecond=0)
        key = (person.id, act, on)
        with self._lock:
            if self._seen.get(key) == minute:
                return
            self._seen[key] = minute
            self._waiting.append(Deed(act, person, on, now, {}))

    def flush(self) -> int:
        """Write what is waiting in one transaction and return how many; keep it when the database refuses."""
        with self._writing:
            with self._lock:
                deeds, self._waiting = self._waiting, []
                minute = clock.now().replace(second=0, microsecond=0)
                self._seen = {key: seen for key, seen in self._seen.items() if seen == minute}
            if not deeds:
                return 0
            try:
                with self._database.transaction() as db:
                    append(db, deeds)
            except SQLAlchemyError:
                with self._lock:
                    self._waiting = deeds + self._waiting
                raise
            return len(deeds)

    def start(self) -> None:
        """Begin to write in the background."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._keep_writing, name="audit-reads", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._try_flush()

    def _keep_writing(self) -> None:
        while not self._stopping.wait(FLUSH_S):
            self._try_flush()

    def _try_flush(self) -> None:
        try:
            self.flush()
        except SQLAlchemyError as error:
            log.error(
                "reads not yet in the audit trail", waiting=len(self._waiting), error=type(error).__name__
            )


_reads: ReadLog | None = None


def use(reads: ReadLog | None) -> None:
    """Make `reads` the log that `record_read` writes to; the application does so at its start."""
    global _reads
    _reads = reads


def record_read(person: Person, act: str, on: str) -> None:
    """Remember that `person` looked at `on`: returns at once, in the trail within a second."""
    if _reads is None:
        raise RuntimeError("No read log is in use; call audit.use(audit.ReadLog(database)) at the start.")
    _reads.note(person, act, on)
