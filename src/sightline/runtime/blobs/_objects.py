"""Blobs in an object store: S3, Google Cloud Storage or Azure, through obstore."""

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sightline.runtime.blobs._model import (
    CHUNK,
    BlobNotHeld,
    Data,
    StoreFull,
    StoreUnavailable,
    check_key,
)

# A multipart upload cannot be made conditional, so only what is larger than this is sent in parts.
LARGE = 64 << 20
# What is asked for at once when streaming: a slow reader then never outlasts the time-out of a request.
STEP = 8 << 20
# A store that hangs is refused as unavailable instead of holding whoever waits for it.
_LIMITS: dict[str, Any] = {"connect_timeout": "5s", "read_timeout": "20s", "timeout": "300s"}
_RETRY: dict[str, Any] = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
# S3 of its early days, and Swift as Debian 12 has it, know no conditional put.
_UNCONDITIONAL_MARKS = ("501 Not Implemented", "NotImplemented")
# Whole phrases: the error's text holds addresses and times, and so any three digits and any word.
_FULL_MARKS = ("507 Insufficient Storage", "InsufficientStorage", "QuotaExceeded", "exceeds quota")


class ObjectBlobs:
    """Blobs in S3, Google Cloud Storage or Azure through obstore; a conditional put makes them immutable."""

    def __init__(self, url: str) -> None:
        from obstore.store import from_url

        build: Any = from_url  # its types want to know the kind of store beforehand
        # Options given here hide what obstore would read from the environment itself.
        plain = os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true"
        self._store = build(url, client_options=_LIMITS | {"allow_http": plain}, retry_config=_RETRY)
        self._conditional = True
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="blob-writer")
        self._scratch: Path | None = None
        self._making = threading.Lock()

    def put_if_absent(self, key: str, data: Data, *, move: bool = False) -> bool:
        """Store `data` unless `key` is held; say whether it was stored. `move` consumes a file given."""
        check_key(key)
        try:
            with _object_errors(), self._opened(data) as (body, size):
                if size <= LARGE and self._conditional:
                    return self._create(key, body)
                return self._put_if_not_seen(key, body)
        finally:
            if move and isinstance(data, Path):
                data.unlink(missing_ok=True)

    def _create(self, key: str, body: Any) -> bool:
        """Put on the condition that nothing is there; a store that knows no such condition is remembered."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, BaseError

        content = body if isinstance(body, bytes) else body.read()
        try:
            obstore.put(self._store, key, content, mode="create")
        except AlreadyExistsError:
            return False
        except BaseError as error:
            if not any(mark in str(error) for mark in _UNCONDITIONAL_MARKS):
                raise
            self._conditional = False
            return self._put_if_not_seen(key, content)
        return True

    def _put_if_not_seen(self, key: str, body: Any) -> bool:
        """Look, then put: two that put the same key at one moment put the same bytes, for keys name them."""
        import obstore

        if self.head(key) is not None:
            return False
        obstore.put(self._store, key, body)
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

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, chunk: int = CHUNK
    ) -> Iterator[bytes]:
        """Yield the bytes from `start`, `length` of them or all, at most `chunk` at a time."""
        import obstore

        step = max(STEP, chunk)
        first = start + (step if length is None else min(step, max(length, 1)))
        try:
            with _object_errors():
                answer = obstore.get(self._store, check_key(key), options={"range": (start, first)})
                piece, size = bytes(answer.bytes()), int(answer.meta["size"])
        except StoreUnavailable:
            if (held := self.head(key)) is None:
                raise BlobNotHeld("No bytes are held under this key.", key=key) from None
            if start >= held:  # a range beyond the end is refused
                return iter(())
            raise
        end = size if length is None else min(start + length, size)
        return self._stream(key, start, piece, end, chunk)

    def _stream(self, key: str, start: int, piece: bytes, end: int, chunk: int) -> Iterator[bytes]:
        """Yield the piece that is there, then what follows it, each asked for when it is wanted."""
        while start < end:
            piece = piece[: end - start]
            if not piece:
                return
            yield from (piece[i : i + chunk] for i in range(0, len(piece), chunk))
            start += len(piece)
            if start < end:
                piece = self.get_range(key, start, min(max(STEP, chunk), end - start))

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

    @contextmanager
    def _opened(self, data: Data) -> Iterator[tuple[Any, int]]:
        """Yield `data` as something to send, and its size; chunks go through a file, never into memory."""
        if isinstance(data, bytes | bytearray | memoryview):
            yield bytes(data), len(data)
            return
        if isinstance(data, Path):
            with data.open("rb") as file:
                yield file, os.fstat(file.fileno()).st_size
            return
        spooled = self.scratch() / f"chunks-{uuid4().hex}"
        try:
            with spooled.open("xb") as file:
                file.writelines(data)
            with self._opened(spooled) as opened:
                yield opened
        finally:
            spooled.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop the writers and remove the temporary folder."""
        self._pool.shutdown()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)


@contextmanager
def _object_errors() -> Iterator[None]:
    """Turn what the object store says into our words."""
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise BlobNotHeld("No bytes are held under this key.") from None
    except (BaseError, OSError) as error:
        if any(mark in str(error) for mark in _FULL_MARKS):
            raise StoreFull(
                "The object store is full; nothing was stored. Free space; send again."
            ) from error
        words = f"The object store does not answer ({type(error).__name__}); nothing was stored. Try again."
        raise StoreUnavailable(words) from error
