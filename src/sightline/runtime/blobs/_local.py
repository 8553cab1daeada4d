"""Blobs in a local folder: files written apart, synced, then linked to their name."""

import ctypes
import errno
import fcntl
import mmap
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sightline.kernel.errors import Unavailable
from sightline.runtime.blobs._model import (
    CHUNK,
    BlobNotHeld,
    Data,
    StoreFull,
    StoreUnavailable,
    check_key,
)

SYNC_FILE_RANGE_WRITE = 2
PAGE = mmap.PAGESIZE
O_DIRECT = getattr(os, "O_DIRECT", 0)
RENAME_NOREPLACE = 1
AT_FDCWD = -100


def _system(name: str, *arguments: Any) -> Any:
    """Return a call of the system that Python has no name for; None where the system has none."""
    call = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if call is not None:
        call.argtypes = arguments
    return call


# Starts writing without waiting for its end.
_begin_writing = _system("sync_file_range", ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
# Renames, and on request refuses to replace what is there.
_rename = _system("renameat2", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)


class LocalBlobs:
    """Blobs as files under a folder, each written apart, synced, then linked to its name."""

    def __init__(self, root: Path, *, writers: int = 8) -> None:
        self._root = root.absolute()
        self._synced: set[Path] = set()
        self._syncs = _FolderSyncs()
        self._begun: dict[Path, int] = {}
        with _disk_errors():
            self._root.mkdir(parents=True, exist_ok=True)
            self._partial = _Partial(self._root / ".partial")
        self._pool = ThreadPoolExecutor(writers, thread_name_prefix="blob-writer")

    def put_if_absent(self, key: str, data: Data, *, move: bool = False) -> bool:
        """Store `data` durably unless `key` is held; say whether it was stored. `move` consumes the file."""
        with _disk_errors():
            stored = self._write(key, data, move)
            self._syncs.sync(self._path(key).parent)
        return stored

    def begin(self, data: bytes | memoryview) -> Path:
        """Write bytes to a scratch file; `put_if_absent` with `move` ends it, or `give_up`.

        Memory of `page_memory` goes past the system's cache: its pages would cost more than the writing.
        """
        path = self._partial.folder / uuid4().hex
        with _disk_errors():
            handle, direct = _create(path)
            self._begun[path] = handle
            try:
                written = _write_direct(handle, data) if direct else 0
                _write_all(handle, memoryview(data)[written:])
                if not written and _begin_writing is not None:
                    _begin_writing(handle, 0, 0, SYNC_FILE_RANGE_WRITE)
            except OSError:
                self.give_up(path)
                raise
        return path

    def give_up(self, begun: Path) -> None:
        """Remove a scratch file that is not wanted."""
        handle = self._begun.pop(begun, None)
        if handle is not None:
            os.close(handle)
        begun.unlink(missing_ok=True)

    def put_many(self, items: Sequence[tuple[str, Data]], *, move: bool = False) -> list[bool]:
        """Do as `put_if_absent` for each: files are synced side by side, each folder once."""
        with _disk_errors():
            work = [self._pool.submit(self._write, key, data, move) for key, data in items]
            errors = [error for w in work if (error := w.exception()) is not None]
            if errors:
                raise errors[0]
            for folder in {self._path(key).parent for key, _ in items}:
                _sync_folder(folder)
        return [w.result() for w in work]

    def get(self, key: str) -> bytes:
        """Return all bytes."""
        with _disk_errors(key):
            return self._path(key).read_bytes()

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`, fewer at the end."""
        return self.get_ranges(key, [(start, length)])[0]

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return several ranges, each ``(start, length)``."""
        with _disk_errors(key):
            handle = os.open(self._path(key), os.O_RDONLY)
            try:
                return [_pread(handle, start, length) for start, length in ranges]
            finally:
                os.close(handle)

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, chunk: int = CHUNK
    ) -> Iterator[bytes]:
        """Yield the bytes from `start`, `length` of them or all, at most `chunk` at a time."""
        with _disk_errors(key):
            handle = os.open(self._path(key), os.O_RDONLY)
        return _chunks_of(handle, start, length, chunk)

    def head(self, key: str) -> int | None:
        """Return the size in bytes, or None when nothing is held."""
        try:
            with _disk_errors(key):
                return self._path(key).stat().st_size
        except BlobNotHeld:
            return None

    def delete(self, key: str) -> None:
        """Remove the bytes; a key that is not held is no error."""
        with _disk_errors():
            self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`, which ends with a slash or is empty, in order of name."""
        folder = self._path(prefix.removesuffix("/")) if prefix else self._root
        yield from self._walk(folder)

    def open_local_path(self, key: str) -> Path | None:
        """Return the file that holds the bytes, for reading only."""
        path = self._path(key)
        return path if path.exists() else None

    def scratch(self) -> Path:
        """Return a folder of this process on the same disk for files on their way in."""
        return self._partial.folder

    def close(self) -> None:
        """Stop the writers and give up the scratch folder."""
        self._pool.shutdown()
        self._partial.close()

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    def _walk(self, folder: Path) -> Iterator[str]:
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path))
            else:
                yield Path(entry.path).relative_to(self._root).as_posix()

    def _write(self, key: str, data: Data, move: bool) -> bool:
        """Write the bytes apart, sync them, name them; the caller syncs the folder."""
        path = self._path(key)
        partial = data if move and isinstance(data, Path) else self._partial.folder / uuid4().hex
        named = False
        try:
            if partial is not data and path.exists():
                return False
            self._make_folder(path.parent)
            _fill(partial, data, self._begun.pop(partial, None))
            named = _name(partial, path)
        finally:
            if not named:
                self.give_up(partial)
        return named

    def _make_folder(self, folder: Path) -> None:
        """Make `folder` so that it outlives a power cut: each new name is synced in its parent."""
        if folder in self._synced:
            return
        for name in reversed([f for f in (folder, *folder.parents) if f.is_relative_to(self._root)]):
            name.mkdir(exist_ok=True)
            _sync_folder(name.parent)
        self._synced.add(folder)


class _Turn:
    """One sync of a folder, for all who came before it began."""

    __slots__ = ("done", "error")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.error: OSError | None = None


class _FolderSyncs:
    """Syncs folders for several writers at once: who comes while a sync runs shares the next one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[Path, _Turn] = {}
        self._running: dict[Path, threading.Lock] = {}

    def sync(self, folder: Path) -> None:
        """Return when a sync of `folder` that began after the call has ended."""
        with self._lock:
            turn = self._next.get(folder)
            leads = turn is None
            if turn is None:
                turn = self._next[folder] = _Turn()
            running = self._running.setdefault(folder, threading.Lock())
        if leads:
            with running:
                with self._lock:
                    del self._next[folder]
                try:
                    _sync_folder(folder)
                except OSError as error:
                    turn.error = error
                finally:
                    turn.done.set()
        else:
            turn.done.wait()
        if turn.error is not None:
            raise turn.error


class _Partial:
    """A folder for the half-written files of this process; those of processes that have gone are swept.

    A lock beside the folder is held as long as the process lives, so a command working beside a running
    server never sweeps the server's files.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        for lock in root.glob("*.lock"):
            self._sweep(lock)
        self.folder, self._lock = self._claim(root)

    @staticmethod
    def _sweep(lock: Path) -> None:
        with suppress(OSError), lock.open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)

    @staticmethod
    def _claim(root: Path) -> tuple[Path, Any]:
        while True:
            lock = root / f"{uuid4().hex}.lock"
            handle = lock.open("a")
            fcntl.flock(handle, fcntl.LOCK_EX)
            if lock.exists():  # else a sweep got in between: take another name
                lock.with_suffix("").mkdir()
                return lock.with_suffix(""), handle
            handle.close()

    def close(self) -> None:
        """Remove the folder and let the lock go."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.with_suffix(".lock").unlink(missing_ok=True)
        self._lock.close()


@dataclass(frozen=True, slots=True)
class _Kind:
    error: type[Unavailable]
    words: str


_FULL = _Kind(StoreFull, "The disk is full; nothing was stored. Free space and send again.")
_DISK_ERRORS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _Kind(
        StoreUnavailable, "The image store is read-only; nothing was stored. Remount it writable."
    ),
    errno.EACCES: _Kind(
        StoreUnavailable, "The image store may not be written; nothing was stored. Check its rights."
    ),
}


@contextmanager
def _disk_errors(key: str | None = None) -> Iterator[None]:
    """Turn what the file system says into our words."""
    try:
        yield
    except FileNotFoundError as error:
        if key is None:
            raise StoreUnavailable("The image store's folder has gone; nothing was stored.") from error
        raise BlobNotHeld("No bytes are held under this key.", key=key) from None
    except OSError as error:
        unknown = _Kind(
            StoreUnavailable, f"The image store does not answer ({error.strerror}); nothing was stored."
        )
        kind = _DISK_ERRORS.get(error.errno or 0, unknown)
        raise kind.error(kind.words) from error


def _fill(partial: Path, data: Data, begun: int | None) -> None:
    """Put `data` into `partial`, which may have `begun` as this handle, and sync it."""
    if begun is not None:
        handle = begun
    elif partial is data:
        handle = os.open(partial, os.O_RDWR)
    else:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
    try:
        if partial is not data:
            for piece in _pieces(data):
                _write_all(handle, piece)
        os.fchmod(handle, 0o440)
        os.fdatasync(handle)
    finally:
        os.close(handle)


def _name(partial: Path, path: Path) -> bool:
    """Give a file its name; False when another has it, and `partial` is still there."""
    if _rename is not None:
        if not _rename(AT_FDCWD, os.fsencode(partial), AT_FDCWD, os.fsencode(path), RENAME_NOREPLACE):
            return True
        number = ctypes.get_errno()
        if number == errno.EEXIST:
            return False
        if number not in {errno.EINVAL, errno.ENOSYS}:
            raise OSError(number, os.strerror(number))
    try:
        os.link(partial, path)
    except FileExistsError:
        return False
    partial.unlink()
    return True


def _pieces(data: Data) -> Iterator[bytes | bytearray | memoryview]:
    if isinstance(data, Path):
        with data.open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece
    elif isinstance(data, bytes | bytearray | memoryview):
        yield data
    else:
        yield from data


def _write_all(handle: int, piece: bytes | bytearray | memoryview) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(handle, rest) :]


def page_memory(size: int) -> memoryview:
    """Return memory that `LocalBlobs.begin` can hand to the disk as it is."""
    return memoryview(mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


def _create(path: Path) -> tuple[int, bool]:
    """Make a file; say whether what is written to it goes past the system's cache."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags | O_DIRECT, 0o440), bool(O_DIRECT)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    path.unlink(missing_ok=True)
    return os.open(path, flags, 0o440), False


def _write_direct(handle: int, data: bytes | memoryview) -> int:
    """Write whole pages, where the disk takes this memory, then turn to the cache; return how many bytes."""
    whole = len(data) // PAGE * PAGE
    written = 0
    try:
        written = os.write(handle, memoryview(data)[:whole]) if whole else 0
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    fcntl.fcntl(handle, fcntl.F_SETFL, 0)
    if written < whole:
        written = os.lseek(handle, written // PAGE * PAGE, os.SEEK_SET)
    return written


def _pread(handle: int, start: int, length: int) -> bytes:
    data = os.pread(handle, length, start)
    while len(data) < length and (more := os.pread(handle, length - len(data), start + len(data))):
        data += more
    return data


def _chunks_of(handle: int, start: int, length: int | None, chunk: int) -> Iterator[bytes]:
    """Yield what is read from an open file, and close it."""
    left = length
    try:
        while left is None or left > 0:
            with _disk_errors():
                piece = os.pread(handle, chunk if left is None else min(chunk, left), start)
            if not piece:
                return
            start += len(piece)
            left = None if left is None else left - len(piece)
            yield piece
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
