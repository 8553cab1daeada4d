"""What begins upkeep by itself: every object is checked again after so many days."""

import threading

import structlog

from sightline.record import archive
from sightline.record.upkeep._model import UpkeepUnderWay
from sightline.record.upkeep._service import is_due, start_task
from sightline.record.upkeep.settings import UpkeepSettings
from sightline.trust import access

EVERY_S = 600.0
log = structlog.get_logger(__name__)


class Keeper:
    """Begins the tasks that are due, from a thread of its own until stopped."""

    def __init__(self, store: archive.Store, settings: UpkeepSettings, *, every_s: float = EVERY_S) -> None:
        self._store, self._settings, self._every_s = store, settings, every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self.begin_due()
            except Exception as error:  # noqa: BLE001  a lost connection must not end the thread
                log.error("upkeep not begun", error=type(error).__name__)

    def begin_due(self) -> bool:
        """Begin what is due; say whether something was."""
        with self._store.database.reading() as db:
            due = is_due(db, self._settings)
        if due:
            try:
                with self._store.database.transaction() as db:
                    start_task(db, "scrub", self._settings, by=access.SYSTEM)
            except UpkeepUnderWay:  # another server was faster
                return False
        return due
