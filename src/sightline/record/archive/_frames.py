"""Where each frame is in its file, kept as a few bytes in the index so that a frame is one ranged read.

Sources: PS3.5 A.4 (encapsulation, Basic Offset Table), PS3.3 C.7.6.3.1.8 (Extended Offset Table).
"""

import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sightline.record.archive._model import FrameNotAddressable, FrameNotHeld, ObjectRefused
from sightline.record.archive._scan import Pixels

NATIVE, ENCAPSULATED, WHOLE = b"N", b"E", b"W"
VIDEO_PREFIX = "1.2.840.10008.1.2.4.10"
_HEADER = struct.Struct("<QQQ")
# Starts of a JPEG, JPEG-LS or JPEG 2000 codestream: a fragment that opens a frame.
_OPENINGS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")


@dataclass(frozen=True, slots=True)
class Shape:
    """What the header says of the pixels."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    frames: int
    photometric: str

    @property
    def frame_bits(self) -> int:
        """How many bits a native frame has; in YBR_FULL_422 two pixels share chroma (PS3.3 C.7.6.3.1.2)."""
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.rows * self.columns * samples * self.bits_allocated


def build_table(pixels: Pixels, shape: Shape, syntax: str, *, deflated: bool, opening: "Opening") -> bytes:
    """Return the frame table; refuse pixels that are shorter than the header states."""
    if not pixels.encapsulated:
        return _native_table(pixels, shape, deflated)
    if deflated or syntax.startswith(VIDEO_PREFIX):
        return WHOLE
    starts = _frame_starts(pixels, shape.frames, opening)
    if starts is None:
        return WHOLE
    return _encapsulated_table(pixels, starts)


class Opening:
    """Look at the first bytes of a fragment without reading the file."""

    def __init__(self, buffer: object) -> None:
        self._buffer = buffer

    def __call__(self, offset: int) -> bytes:
        """Return the four bytes at `offset`."""
        return bytes(self._buffer[offset : offset + 4])  # type: ignore[index]


def _native_table(pixels: Pixels, shape: Shape, deflated: bool) -> bytes:
    needed = (shape.frame_bits * shape.frames + 7) // 8
    if pixels.span.length < needed:
        raise ObjectRefused(
            "truncated",
            f"The pixel data is cut off: {shape.frames} frame(s) of {shape.rows}×{shape.columns} need "
            f"{needed} bytes, and {pixels.span.length} are there. Send it again from where it came.",
        )
    if deflated or shape.frame_bits % 8:
        return WHOLE
    return NATIVE + _HEADER.pack(pixels.span.offset, shape.frame_bits // 8, shape.frames)


def _frame_starts(pixels: Pixels, frames: int, opening: Opening) -> list[int] | None:
    """Return the index of the fragment that opens each frame, or None when they cannot be told apart."""
    fragments = pixels.fragments
    if len(fragments) < frames:
        raise ObjectRefused(
            "truncated",
            f"The pixel data is cut off: {frames} frames are stated and {len(fragments)} fragments are "
            "there. Send it again from where it came.",
        )
    if len(fragments) == frames:
        return list(range(frames))
    if frames == 1:
        return [0]
    tables = ((pixels.extended_offsets, "<u8"), (pixels.basic_offsets, "<u4"))
    for table, kind in tables:
        if starts := _starts_of(fragments, table, kind, frames):
            return starts
    opened = [i for i, (offset, _) in enumerate(fragments) if opening(offset).startswith(_OPENINGS)]
    return opened if len(opened) == frames and opened[0] == 0 else None


def _starts_of(
    fragments: tuple[tuple[int, int], ...], table: bytes, kind: str, frames: int
) -> list[int] | None:
    """Read an offset table; believe it only when each entry points at the item tag of a fragment."""
    if len(table) != frames * np.dtype(kind).itemsize:
        return None
    index_at = {offset - fragments[0][0]: i for i, (offset, _) in enumerate(fragments)}
    starts = [index_at.get(int(offset), -1) for offset in np.frombuffer(table, kind)]
    return starts if starts[0] == 0 and all(a < b for a, b in pairwise(starts)) else None


def _encapsulated_table(pixels: Pixels, starts: list[int]) -> bytes:
    ends = [*starts[1:], len(pixels.fragments)]
    spans = np.empty((len(starts), 3), "<u8")
    for n, (first, last) in enumerate(zip(starts, ends, strict=True)):
        # Where a frame has several fragments, the item header of the first is read too, to walk from.
        begin = pixels.fragments[first][0] - (8 if last - first > 1 else 0)
        end = sum(pixels.fragments[last - 1])
        spans[n] = begin, end - begin, last - first
    return ENCAPSULATED + zlib.compress(spans.tobytes(), 1)


@dataclass(frozen=True, slots=True)
class FramePlace:
    """Where a frame's bytes are; with several fragments, each has its item header before it."""

    offset: int
    length: int
    fragments: int = 1


def find_frame(table: bytes | None, number: int) -> FramePlace:
    """Return the place of frame `number`, counted from 1."""
    if not table:
        raise FrameNotHeld("This instance has no pixels.")
    if table[:1] == WHOLE:
        raise FrameNotAddressable(
            "The frames of this instance cannot be read apart; fetch the whole instance."
        )
    if table[:1] == NATIVE:
        offset, length, frames = _HEADER.unpack_from(table, 1)
        _check(number, frames)
        return FramePlace(offset + (number - 1) * length, length)
    spans: NDArray[np.uint64] = np.frombuffer(zlib.decompress(table[1:]), "<u8").reshape(-1, 3)
    _check(number, len(spans))
    return FramePlace(*(int(v) for v in spans[number - 1]))


def _check(number: int, frames: int) -> None:
    if not 1 <= number <= frames:
        raise FrameNotHeld(f"The instance has {frames} frame(s), and no frame {number}.")


def join_fragments(data: bytes, place: FramePlace) -> bytes:
    """Return the frame's bytes without the item headers between its fragments (PS3.5 A.4)."""
    if place.fragments == 1:
        return data
    pieces, at = [], 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        pieces.append(data[at + 8 : at + 8 + length])
        at += 8 + length
    return b"".join(pieces)
