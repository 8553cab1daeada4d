"""Giving out frames and long values: one row of the index, then ranges of the bytes.

What is found here can be read without the database, so no snapshot is held while a client is slow.
"""

import errno
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sightline.record.archive import _store as store_
from sightline.record.archive._frames import (
    ENCAPSULATED,
    NATIVE,
    WHOLE,
    FramePlace,
    find_frame,
    join_fragments,
)
from sightline.record.archive._model import FrameNotAddressable, FrameNotHeld, InstanceNotHeld, Store
from sightline.record.archive._scan import Scan, Span, inflated, scan
from sightline.record.archive._service import frame
from sightline.runtime.db import Db

CHUNK = 1 << 20
# Linux: read what is in memory and say so when it is not.
NOWAIT = getattr(os, "RWF_NOWAIT", 0)
PIXEL_DATA = 0x7FE00010
# Tables above this are unpacked once, not for every frame of a long film.
_LONG_TABLE = 256


@dataclass(frozen=True, slots=True)
class HeldFrames:
    """Where the bytes of one instance are, and its frames in them."""

    study: str
    series: str
    sop_uid: str
    sop_class: str
    blob: str
    size: int
    transfer_syntax: str
    rows: int | None
    columns: int | None
    frames: int | None
    table: bytes | None

    @property
    def is_addressable(self) -> bool:
        """Say whether each frame can be read by itself."""
        return bool(self.table) and self.table[:1] != WHOLE  # type: ignore[index]

    @property
    def is_native(self) -> bool:
        """Say whether the frames lie one after the other, uncompressed."""
        return bool(self.table) and self.table[:1] == NATIVE  # type: ignore[index]

    def place(self, number: int) -> FramePlace:
        """Return the place of frame `number`, counted from 1."""
        if self.table and self.table[:1] == ENCAPSULATED and len(self.table) > _LONG_TABLE:
            return _remembered_place(self.table, number)
        return find_frame(self.table, number)

    def require_frame(self, number: int) -> None:
        """Refuse a frame that is not there."""
        if not self.frames or not 1 <= number <= self.frames:
            raise FrameNotHeld(f"The instance has {self.frames or 0} frame(s), and no frame {number}.")


@lru_cache(maxsize=4096)
def _remembered_place(table: bytes, number: int) -> FramePlace:
    return find_frame(table, number)


def get_frames(store: Store, sop_uid: str, *, study: str = "", series: str = "") -> HeldFrames:
    """Return where the frames of an instance are; refuse when it is held elsewhere than asked for."""
    row = store_.frames_of(store.database, sop_uid)
    if row is None:
        raise InstanceNotHeld(f"No instance {sop_uid} is held.", instance=sop_uid)
    held = HeldFrames(*row)
    if (study and held.study != study) or (series and held.series != series):
        raise InstanceNotHeld(f"Instance {sop_uid} is not held in this study and series.", instance=sop_uid)
    return held


def frames_under(db: Db, *, study: str, series: str = "") -> list[HeldFrames]:
    """Return where the frames of all instances of a study or series are, by series and number."""
    return [HeldFrames(*row) for row in store_.frames_where(db, study=study, series=series)]


def read_frames(store: Store, held: HeldFrames, numbers: Sequence[int]) -> list[bytes]:
    """Return frames, counted from 1, as they are stored: ranged reads of one file."""
    if held.table and held.table[:1] == WHOLE:
        with store.database.reading() as db:
            return [frame(store, db, held.sop_uid, number)[0] for number in numbers]
    places = [held.place(number) for number in numbers]
    if len(places) == 1:
        (place,) = places
        return [join_fragments(store.blobs.get_range(held.blob, place.offset, place.length), place)]
    ranges = [(place.offset, place.length) for place in places]
    read = store.blobs.get_ranges(held.blob, ranges)
    return [join_fragments(data, place) for data, place in zip(read, places, strict=True)]


def read_between(
    store: Store, held: HeldFrames, number: int, head: bytes, tail: bytes, *, wait: bool
) -> bytearray | None:
    """Return a frame as it is stored between two other pieces, read straight to its place.

    None when there is more to it than one run of a local file, or, unless `wait`, when it is not in memory
    and reading it would keep the caller waiting for the disk.
    """
    if not held.is_addressable or not hasattr(os, "preadv") or not (wait or NOWAIT):
        return None
    place = held.place(number)
    path = store.blobs.open_local_path(held.blob) if place.fragments == 1 else None
    if path is None:
        return None
    body = bytearray(len(head) + place.length + len(tail))
    body[: len(head)] = head
    body[len(body) - len(tail) :] = tail
    into = memoryview(body)[len(head) : len(body) - len(tail)]
    handle = os.open(path, os.O_RDONLY)
    try:
        got = os.preadv(handle, [into], place.offset, 0 if wait else NOWAIT)
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EOPNOTSUPP}:
            return None
        raise
    finally:
        os.close(handle)
    return body if got == place.length else None


def series_state(store: Store, uid: str) -> tuple[str, tuple[Any, ...]] | None:
    """Return the study of a series and its state, which changes with all that its metadata tell; or None."""
    row = store_.state_of_series(store.database, uid)
    return None if row is None else (row[0], tuple(row[1:]))


def read_chunks(store: Store, blob: str, start: int, length: int) -> Iterator[bytes]:
    """Yield a run of bytes, a piece at a time."""
    end = start + length
    while start < end:
        piece = store.blobs.get_range(blob, start, min(CHUNK, end - start))
        if not piece:
            return
        yield piece
        start += len(piece)


@dataclass(frozen=True, slots=True)
class BulkValue:
    """A long value: where it is in the bytes, or, of a deflated object, the value itself."""

    blob: str
    offset: int
    size: int
    data: bytes | None = None

    def chunks(self, store: Store, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the value, or a part of it, a piece at a time."""
        length = self.size - start if length is None else length
        if self.data is not None:
            return iter((self.data[start : start + length],))
        return read_chunks(store, self.blob, self.offset + start, length)


def find_bulk(store: Store, held: HeldFrames, tag: int) -> BulkValue:
    """Return where a long value is that the metadata only name; the file is mapped, never read whole.

    Raises
    ------
    FrameNotHeld
        If the instance has no such value.
    FrameNotAddressable
        If it is pixel data in fragments: ask for the frames.
    """
    if tag == PIXEL_DATA and held.is_native:
        first = held.place(1)
        return BulkValue(held.blob, first.offset, first.length * (held.frames or 1))
    with _scanned(store, held) as (found, data):
        span: Span | None = found.bulk.get(tag)
        if span is None and found.pixels is not None and tag == found.pixels.tag:
            if found.pixels.encapsulated:
                raise FrameNotAddressable("The pixels are in fragments; ask for the frames.")
            span = found.pixels.span
        if span is None:
            raise FrameNotHeld("The instance has no bulk data of this tag.")
        if found.deflated:
            value = inflated(data)[span.offset : span.offset + span.length]
            return BulkValue(held.blob, 0, span.length, value)
        return BulkValue(held.blob, span.offset, span.length)


def bulk_tags(store: Store, held: HeldFrames) -> list[int]:
    """Return the tags of the long values besides the pixels."""
    with _scanned(store, held) as (found, _):
        return sorted(found.bulk)


def find_fragments(store: Store, held: HeldFrames) -> tuple[tuple[int, int], ...]:
    """Return the fragments ``(offset, length)`` of pixels that are one stream, as a film is."""
    with _scanned(store, held) as (found, _):
        if found.pixels is None or not found.pixels.encapsulated:
            raise FrameNotHeld("The instance has no stream of pixels.")
        return found.pixels.fragments


@contextmanager
def _scanned(store: Store, held: HeldFrames) -> Iterator[tuple[Scan, bytes | mmap.mmap]]:
    most = store.settings.max_header_mib << 20
    path = store.blobs.open_local_path(held.blob)
    if path is None:
        data = store.blobs.get(held.blob)
        yield scan(data, max_header=most), data
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        yield scan(buffer, max_header=most), buffer
