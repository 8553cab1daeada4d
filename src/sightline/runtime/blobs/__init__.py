"""Blobs: immutable bytes under a key, in a local folder or in an object store.

What `put_if_absent` has returned for is on the disk: a crash afterwards loses nothing. A key never shows half
of its bytes, and what a killed process left half-written is swept when the folder is opened again.
"""

from pathlib import Path

from sightline.runtime.blobs._local import LocalBlobs, page_memory
from sightline.runtime.blobs._model import (
    BlobNotHeld,
    Blobs,
    Data,
    InvalidKey,
    StoreFull,
    StoreUnavailable,
    check_key,
)
from sightline.runtime.blobs._objects import ObjectBlobs

__all__ = [
    "BlobNotHeld",
    "Blobs",
    "Data",
    "InvalidKey",
    "LocalBlobs",
    "ObjectBlobs",
    "StoreFull",
    "StoreUnavailable",
    "check_key",
    "open_blobs",
    "page_memory",
]


def open_blobs(place: str | Path) -> Blobs:
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
