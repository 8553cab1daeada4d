"""Blobs: immutable bytes under a key, in a local folder or in an object store.

What `put_if_absent` has returned for is on the disk: a crash afterwards loses nothing. A key never shows half
of its bytes, and what a killed process left half-written is swept when the folder is opened again.
"""

import errno
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from uuid import uuid4

from sightline.kernel.errors import Invalid, NotFound, Unavailable

Data: TypeAlias = bytes | bytearray | memoryview | Path | Iterable[bytes]
"""What can be put: bytes in memory, a file that is copied, or chunks."""

CHUNK = 1 << 20
# A multipart upload cannot be made conditional, so only what is larger than this is sent in parts.
LARGE = 64 << 20
_KEY_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class BlobNotHeld(NotFound):
    """No bytes are held under this key."""


class InvalidKey(Invalid):
    """A key is names of letters, digits, dots, dashes and underscores, joined by slashes."""


class StoreFull(Unavailable):
    """The disk is full; nothing was stored. Free space and send again."""


class StoreUnavailable(Unavailable):
    """The store cannot be read or written; nothing was stored. Check disk, rights and network; send again."""


class Blobs(Protocol):
    """A store of immutable bytes."""

    def put_if_absent(self, key: str, data: Data, *, move: bool = False) -> bool:
        """Store `data` durably unless `key` is held; say whether it was stored. `move` consumes the file."""

    def put_many(self, items: Sequence[tuple[str, Data]], *, move: bool = False) -> list[bool]:
        """Do as `put_if_absent` for each, with fewer syncs."""

    def get(self, key: str) -> bytes:
        """Return all bytes."""

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`, fewer at the end."""

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return several ranges, each ``(start, length)``."""

    def head(self, key: str) -> int | None:
        """Return the size in bytes, or None when nothing is held."""

    def delete(self, key: str) -> None:
        """Remove the bytes; a key that is not held is no error."""

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`, which ends with a slash or is empty."""

    def open_local_path(self, key: str) -> Path | None:
        """Return the file that holds the bytes, for reading only; None when they are not a local file."""

    def scratch(self) -> Path:
        """Return a folder of this process for files on their way in; swept when the process has gone."""

    def close(self) -> None:
        """Let go of what the process holds of the store."""


def open_blobs(place: str | Path) -> "Blobs":
    """Open the store at a folder or at an address such as ``s3://bucket/prefix``.

    >>> open_blobs("memory:///").put_if_absent("a/b", b"bytes")
    True
    """
    address = str(place)
    if address.startswith("file://"):
        return LocalBlobs(Path(address.removeprefix("file://")))
    if "://" in address:
        return ObjectBlobs(address)
    return LocalBlobs(Path(address))


def check_key(key: str) -> str:
    """Return `key`, or refuse what could leave the store or clash with its own files.

    >>> check_key("instances/20240131/07/abc.dcm")
    'instances/20240131/07/abc.dcm'
    """
    names = key.split("/")
    if len(key) > 512 or not all(
        n and not n.startswith(".") and _KEY_CHARACTERS.issuperset(n) for n in names
    ):
        raise InvalidKey("This is not a valid blob key; use letters, digits, '.', '-', '_' and '/'.")
    return key


class LocalBlobs:
    """Blobs as files under a folder, each written apart, synced, then linked to its name."""

    def __init__(self, root: Path, *, writers: int = 8) -> None:
        self._root = root.absolute()
        self._synced: set[Path] = set()
        with _disk_errors():
            self._root.mkdir(parents=True, exist_ok=True)
            self._partial = _Partial(self._root / ".partial")
        self._pool = ThreadPoolExecutor(writers, thread_name_prefix="blob-writer")

    def put_if_absent(self, key: str, data: Data, *, move: bool = False) -> bool:
        """Store `data` durably unless `key` is held; say whether it was stored. `move` consumes the file."""
        with _disk_errors():
            stored = self._write(key, data, move)
            _sync_folder(self._path(key).parent)
        return stored

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

    def head(self, key: str) -> int | None:
        """Return the size in bytes, or None when nothing is held."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
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
        """Write the bytes apart, sync them, link them to their name; the caller syncs the folder."""
        path = self._path(key)
        partial = data if move and isinstance(data, Path) else self._partial.folder / uuid4().hex
        try:
            if path.exists():
                return False
            self._make_folder(path.parent)
            _fill(partial, data)
            try:
                os.link(partial, path)
            except FileExistsError:
                return False
        finally:
            partial.unlink(missing_ok=True)
        return True

    def _make_folder(self, folder: Path) -> None:
        """Make `folder` so that it outlives a power cut: each new name is synced in its parent."""
        if folder in self._synced:
            return
        for name in reversed([f for f in (folder, *folder.parents) if f.is_relative_to(self._root)]):
            name.mkdir(exist_ok=True)
            _sync_folder(name.parent)
        self._synced.add(folder)


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


class ObjectBlobs:
    """Blobs in S3, Google Cloud Storage or Azure through obstore; a conditional put makes them immutable."""

    def __init__(self, url: str) -> None:
        from obstore.store import from_url

        self._store = from_url(url)
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="blob-writer")
        self._scratch: Path | None = None
        self._making = threading.Lock()

    def put_if_absent(self, key: str, data: Data, *, move: bool = False) -> bool:
        """Store `data` unless `key` is held; say whether it was stored. `move` consumes a file given."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        check_key(key)
        try:
            with _object_errors(), _opened(data) as (body, size):
                if size <= LARGE:
                    obstore.put(
                        self._store, key, body.read() if hasattr(body, "read") else body, mode="create"
                    )
                elif self.head(key) is None:
                    obstore.put(self._store, key, body)
                else:
                    return False
        except AlreadyExistsError:
            return False
        finally:
            if move and isinstance(data, Path):
                data.unlink(missing_ok=True)
        return True

    def put_many(self, items: Sequence[tuple[str, Data]], *, move: bool = False) -> list[bool]:
        """Do as `put_if_absent` for each, side by side."""
        return list(self._pool.map(lambda item: self.put_if_absent(*item, move=move), items))

    def get(self, key: str) -> bytes:
        """Return all bytes."""
        import obstore

        with _object_errors():
            return bytes(obstore.get(self._store, check_key(key)).bytes())

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`, fewer at the end."""
        import obstore

        if not length:
            return b""
        with _object_errors():
            return bytes(obstore.get_range(self._store, check_key(key), start=start, length=length))

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return several ranges, each ``(start, length)``."""
        import obstore

        starts, lengths = [start for start, _ in ranges], [length for _, length in ranges]
        with _object_errors():
            return [
                bytes(b)
                for b in obstore.get_ranges(self._store, check_key(key), starts=starts, lengths=lengths)
            ]

    def head(self, key: str) -> int | None:
        """Return the size in bytes, or None when nothing is held."""
        import obstore

        try:
            with _object_errors():
                return int(obstore.head(self._store, check_key(key))["size"])
        except BlobNotHeld:
            return None

    def delete(self, key: str) -> None:
        """Remove the bytes; a key that is not held is no error."""
        import obstore

        with suppress(BlobNotHeld), _object_errors():
            obstore.delete(self._store, check_key(key))

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`, which ends with a slash or is empty."""
        import obstore

        with _object_errors():
            for page in obstore.list(self._store, prefix.removesuffix("/") or None):
                yield from (str(entry["path"]) for entry in page)

    def open_local_path(self, key: str) -> Path | None:
        """Return None: an object is not a local file."""
        return None

    def scratch(self) -> Path:
        """Return a temporary folder of this process."""
        with self._making:
            if self._scratch is None:
                self._scratch = Path(tempfile.mkdtemp(prefix="sightline-"))
            return self._scratch

    def close(self) -> None:
        """Stop the writers and remove the temporary folder."""
        self._pool.shutdown()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)


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


@contextmanager
def _object_errors() -> Iterator[None]:
    """Turn what the object store says into our words; what is already there passes through."""
    from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError

    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise BlobNotHeld("No bytes are held under this key.") from None
    except AlreadyExistsError:
        raise
    except (BaseError, OSError) as error:
        words = f"The object store does not answer ({type(error).__name__}); nothing was stored. Try again."
        raise StoreUnavailable(words) from error


@contextmanager
def _opened(data: Data) -> Iterator[tuple[Any, int]]:
    """Yield `data` as something to send, and its size in bytes."""
    if isinstance(data, Path):
        with data.open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size
    elif isinstance(data, bytes | bytearray | memoryview):
        yield bytes(data), len(data)
    else:
        joined = b"".join(data)
        yield joined, len(joined)


def _fill(partial: Path, data: Data) -> None:
    """Put `data` into `partial` and sync it."""
    if partial is data:
        handle = os.open(partial, os.O_RDWR)
    else:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        if partial is not data:
            for piece in _pieces(data):
                _write_all(handle, piece)
        os.fchmod(handle, 0o440)
        os.fdatasync(handle)
    finally:
        os.close(handle)


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


def _pread(handle: int, start: int, length: int) -> bytes:
    data = os.pread(handle, length, start)
    while len(data) < length and (more := os.pread(handle, length - len(data), start + len(data))):
        data += more
    return data


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
