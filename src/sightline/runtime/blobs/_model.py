"""What a store of blobs promises, what it refuses with, and the keys it takes."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from sightline.kernel.errors import Invalid, NotFound, Unavailable

Data: TypeAlias = bytes | bytearray | memoryview | Path | Iterable[bytes]
"""What can be put: bytes in memory, a file that is copied, or chunks."""

CHUNK = 1 << 20
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

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, chunk: int = CHUNK
    ) -> Iterator[bytes]:
        """Yield the bytes from `start`, `length` of them or all, at most `chunk` at a time.

        What is wrong is told before the first bytes.
        """

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
