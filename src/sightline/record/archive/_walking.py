"""The bytes themselves, for those who look after them: which there should be, and whether they are unharmed.

The identity of an object is the hash of its transfer syntax and dataset, so it can be computed again from the
bytes alone.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sightline.record.archive import _store as store_
from sightline.record.archive._frames import ENCAPSULATED
from sightline.record.archive._model import ObjectRefused
from sightline.record.archive._parse import start_hash
from sightline.record.archive._scan import read_meta
from sightline.runtime.db import Db

# No file meta that a scanner writes comes near this.
META_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class HeldBytes:
    """Bytes that a row speaks of; `kind` is instance, conflict or withheld, `size` None where unknown."""

    blob: str
    hash: str
    size: int | None
    sop_uid: str
    study: str
    kind: str


def walk_bytes(db: Db, *, after: str = "", limit: int = 500, study: str = "") -> list[HeldBytes]:
    """Return what should be there, by key: those after `after`, of one study or of all."""
    return [HeldBytes(*row) for row in store_.bytes_after(db, after, limit, study)]


def count_bytes(db: Db) -> int:
    """Return how many there should be."""
    return store_.count_bytes(db)


def blobs_without_row(db: Db, keys: Sequence[str]) -> list[str]:
    """Return those of the keys that no row speaks of."""
    return store_.without_row(db, keys)


def hash_of(chunks: Iterable[bytes]) -> tuple[str, int]:
    """Return the identity of an object from its Part 10 bytes, and how many they are.

    The identity is empty when the bytes are not an object at all.
    """
    pieces = iter(chunks)
    head, size, whole = b"", 0, False
    for piece in pieces:
        head += piece
        if len(head) >= META_LIMIT:
            break
    else:
        whole = True
    try:
        syntax, start = read_meta(head)
    except ObjectRefused:
        return "", len(head) if whole else len(head) + sum(len(piece) for piece in pieces)
    digest = start_hash(syntax)
    digest.update(head[start:])
    size = len(head)
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return str(digest.hexdigest()), size


def build_frame_table(spans: Sequence[tuple[int, int]]) -> bytes:
    """Return the frame table of a file whose frames are one fragment each, at these offsets and lengths."""
    rows = np.array([(offset, length, 1) for offset, length in spans], "<u8")
    return ENCAPSULATED + zlib.compress(rows.tobytes(), 1)
