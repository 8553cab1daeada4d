"""What runs beside the server: due transfers are enqueued, and a folder is watched for files."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from sightline.kernel import clock
from sightline.record import archive
from sightline.trust import access
from sightline.wire import media
from sightline.wire.transfers import _store as store_
from sightline.wire.transfers._service import dispatch
from sightline.wire.transfers.settings import TransferSettings

EVERY_S = 0.5
DONE, REFUSED = "done", "refused"
AT_ONCE = 200
log = structlog.get_logger(__name__)


class Dispatcher:
    """Enqueues the transfers that are due, and looks after the hot folder, from threads until stopped."""

    def __init__(self, store: archive.Store, settings: TransferSettings) -> None:
        self._store, self._settings = store, settings
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._dispatch, name="transfers", daemon=True)]
        if settings.hot_folder:
            self._threads.append(threading.Thread(target=self._watch, name="hot-folder", daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop, after what is being done."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _dispatch(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                with self._store.database.reading() as db:
                    due = store_.is_any_due(db, clock.now())
                if due:
                    with self._store.database.transaction() as db:
                        dispatch(db, at_once=self._settings.at_once)
            except Exception as error:  # noqa: BLE001  a lost connection must not end the thread
                log.error("transfers not dispatched", error=type(error).__name__)

    def _watch(self) -> None:
        folder = HotFolder(self._store, Path(self._settings.hot_folder or ""), self._settings.hot_quiet_s)
        while not self._stopping.wait(min(1.0, self._settings.hot_quiet_s / 2)):
            try:
                folder.sweep()
            except Exception as error:  # noqa: BLE001  a folder that is away must not end the thread
                log.error("hot folder not read", error=type(error).__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it was when it last changed."""

    size: int
    changed: int
    at: float


class HotFolder:
    """A folder whose files are taken in once they have been unchanged for a while.

    What was taken is moved to ``done/``, what was not to ``refused/`` with the reason beside it; when nothing
    can be stored at present, it stays and is tried again.
    """

    def __init__(self, store: archive.Store, folder: Path, quiet_s: float) -> None:
        self._store, self._folder, self._quiet_s = store, folder, quiet_s
        self._seen: dict[Path, _Seen] = {}
        self._source = archive.Source("import", "hot folder", access.SYSTEM)

    def sweep(self) -> int:
        """Take in what is ready; return how many files were dealt with."""
        self._folder.mkdir(parents=True, exist_ok=True)
        ready, seen = [], {}
        for path in self._files():
            try:
                about = path.stat()
            except OSError:
                continue  # taken away again
            state = self._seen.get(path)
            if state is None or (state.size, state.changed) != (about.st_size, about.st_mtime_ns):
                state = _Seen(about.st_size, about.st_mtime_ns, time.monotonic())
            seen[path] = state
            if time.monotonic() - state.at >= self._quiet_s:
                ready.append(path)
        self._seen = seen
        dealt = 0
        for path in ready[:AT_ONCE]:
            dealt += self._take(path)
        return dealt

    def _files(self) -> Iterator[Path]:
        """Yield the files, whole folders too; links are not followed, and hidden files are not ready."""
        waiting = [self._folder]
        while waiting:
            for path in sorted(waiting.pop().iterdir()):
                if path.name.startswith(".") or path.is_symlink():
                    continue
                if path.is_dir():
                    if path.parent != self._folder or path.name not in {DONE, REFUSED}:
                        waiting.append(path)
                elif path.is_file():
                    yield path

    def _take(self, path: Path) -> bool:
        summary = media.import_paths(self._store, [path], self._source, complete=False)
        if summary.stopped:
            return False
        reasons = [reason for _, reason in (*summary.refused, *summary.conflicts)]
        if not reasons and not summary.seen:
            reasons = [reason for _, reason in summary.skipped] or ["It holds no DICOM object."]
        place = self._place(REFUSED if reasons else DONE, path)
        path.rename(place)
        if reasons:
            place.with_name(f"{place.name}.reason.txt").write_text(
                "\n".join(reasons) + "\n", encoding="utf-8"
            )
        self._seen.pop(path, None)
        return True

    def _place(self, kind: str, path: Path) -> Path:
        """Return a free name for a file that was dealt with, under the day it was."""
        folder = self._folder / kind / clock.now().strftime("%Y%m%d")
        place = folder / path.relative_to(self._folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        number = 0
        while place.exists():
            number += 1
            place = place.with_name(f"{path.name}.{number}")
        return place
