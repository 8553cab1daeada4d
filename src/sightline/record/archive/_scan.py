"""Walk the bytes of a Part 10 file: is it whole, where are the pixels, what is the header.

Nothing is decoded here. Every length is held against the bytes that are there, so what has passed can be
read without running over its end. Sources: PS3.10 7 (file), PS3.5 7 (elements), PS3.5 A.4 (fragments).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import MADV_DONTNEED, mmap
from typing import TypeAlias

from pydicom.datadict import dictionary_VR

from sightline.record.archive._model import ObjectRefused

Buffer: TypeAlias = bytes | memoryview | mmap

UNDEFINED = 0xFFFFFFFF
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
EXTENDED_OFFSETS = 0x7FE00001
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
TRAILING_PADDING = 0xFFFCFFFC
_LEFT_OUT = PIXEL_TAGS | {EXTENDED_OFFSETS, TRAILING_PADDING}
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
# Values longer than this are left out of the header and fetched as bulk data when asked for.
BULK_OVER = 1024
MAX_DEPTH = 64
MAX_INFLATED = 1 << 30

LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
_BULK = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN"})
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True, slots=True)
class Span:
    """A run of bytes of the file, and the value representation it is in."""

    offset: int
    length: int
    vr: str


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where the pixels are: one run (native), or fragments each ``(offset, length)`` (encapsulated)."""

    tag: int
    span: Span
    encapsulated: bool = False
    basic_offsets: bytes = b""
    extended_offsets: bytes = b""
    fragments: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class Scan:
    """What the walk found; `elements` are those of the header: tag, where it begins, where it ends."""

    syntax: str
    start: int
    implicit: bool
    little: bool
    deflated: bool = False
    header: bytes = b""
    elements: list[tuple[int, int, int]] = field(default_factory=list)
    bulk: dict[int, Span] = field(default_factory=dict)
    pixels: Pixels | None = None


def scan(buffer: Buffer, *, max_header: int = 64 << 20) -> Scan:
    """Walk a whole Part 10 file.

    Raises
    ------
    ObjectRefused
        If it is not DICOM, or a length runs past the end, or the header is larger than `max_header` bytes.
    """
    syntax, start = read_meta(buffer)
    found = Scan(syntax, start, syntax == IMPLICIT, syntax != BIG_ENDIAN, syntax == DEFLATED)
    if found.deflated:
        buffer, start = _inflate(buffer, start), 0
    found.implicit = _looks_implicit(buffer, start, found)
    _Walk(buffer, found, max_header).run(start)
    return found


def forget(buffer: Buffer, at: int, *, over: int = 8 << 20) -> None:
    """Let go of the pages of a mapped file that were read: a large one must not fill the memory."""
    if at > over and isinstance(buffer, mmap):
        buffer.madvise(MADV_DONTNEED)


def inflated(buffer: Buffer) -> bytes:
    """Return the dataset of a deflated file, inflated; spans of its scan point into this."""
    return _inflate(buffer, read_meta(buffer)[1])


def _refuse_truncated(at: int, stated: int, present: int) -> ObjectRefused:
    return ObjectRefused(
        "truncated",
        f"The file is cut off: at byte {at} it states {stated} bytes, and {max(present, 0)} are there. "
        "Copy or send it again from where it came.",
    )


def _refuse_damaged(at: int) -> ObjectRefused:
    return ObjectRefused(
        "damaged",
        f"The file is damaged at byte {at}: no valid element begins there. Export it again at its source.",
    )


def read_meta(buffer: Buffer) -> tuple[str, int]:
    """Return the transfer syntax and where the dataset begins (PS3.10 7.1: always explicit little endian)."""
    if not len(buffer):
        raise ObjectRefused("empty", "The file is empty (0 bytes). Copy or send it again from where it came.")
    if buffer[128:132] != b"DICM":
        raise ObjectRefused(
            "not-dicom",
            "This is not a DICOM file: the mark DICM at byte 128 is missing. "
            "Leave it out, or export it as DICOM.",
        )
    syntax, at = "", 132
    while buffer[at : at + 2] == b"\x02\x00":
        vr = bytes(buffer[at + 4 : at + 6])
        long = vr in LONG_VRS
        value = at + (12 if long else 8)
        if value > len(buffer):
            raise _refuse_truncated(at, 12, len(buffer) - at)
        length = struct.unpack_from("<I" if long else "<H", buffer, at + (8 if long else 6))[0]
        if value + length > len(buffer):
            raise _refuse_truncated(at, length, len(buffer) - value)
        if buffer[at + 2 : at + 4] == b"\x10\x00":
            syntax = bytes(buffer[value : value + length]).rstrip(b"\0 ").decode("ascii", "replace")
        at = value + length
    if not syntax:
        raise ObjectRefused(
            "damaged", "The file does not say its transfer syntax (0002,0010). Export it again at its source."
        )
    return syntax, at


def _inflate(buffer: Buffer, start: int) -> bytes:
    """Return the inflated dataset (PS3.5 A.5), refusing what would fill the memory."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = machine.decompress(buffer[start:], MAX_INFLATED)
    except zlib.error:
        raise ObjectRefused(
            "damaged", "The compressed part of the file cannot be unpacked. Export it again at its source."
        ) from None
    if machine.unconsumed_tail:
        raise ObjectRefused(
            "too-large", "The file unpacks to more than 1 GiB. Send it in another transfer syntax."
        )
    if not machine.eof:
        raise _refuse_truncated(start, len(data) + 1, len(data))
    return data


def _looks_implicit(buffer: Buffer, start: int, found: Scan) -> bool:
    """Believe the first element rather than the transfer syntax: some writers state the wrong one."""
    vr = buffer[start + 4 : start + 6]
    if len(vr) < 2:
        return found.implicit
    return not (_LETTERS.issuperset(vr))


class _Walk:
    """One walk over the elements of a dataset."""

    def __init__(self, buffer: Buffer, found: Scan, max_header: int) -> None:
        self._buffer = buffer
        self._found = found
        self._end = len(buffer)
        self._max_header = max_header
        order = "<" if found.little else ">"
        self._tag = struct.Struct(order + "HH").unpack_from
        self._long = struct.Struct(order + "I").unpack_from
        self._short = struct.Struct(order + "H").unpack_from

    def run(self, start: int) -> None:
        """Note header, bulk values and pixels from `start` to the end."""
        found, buffer = self._found, self._buffer
        kept_from, pieces, size, extended = start, [], 0, b""
        elements = found.elements
        at = start
        while self._end - at >= 8:
            tag, vr, value, length = self._element(at, found.implicit)
            if tag == 0 and not any(buffer[at : at + 64]):  # padding with zeros at the end
                break
            after = self._after(at, tag, vr, value, length, found.implicit, 0)
            if tag == EXTENDED_OFFSETS:
                extended = bytes(buffer[value:after])
            drop = tag in _LEFT_OUT or not tag & 0xFFFF  # group lengths say nothing that we need
            name = self._name(tag, vr) if length > BULK_OVER or drop else ""
            if tag in PIXEL_TAGS:
                found.pixels = self._pixels(tag, name, value, length, after, extended)
            elif length > BULK_OVER and length != UNDEFINED and name.encode() in _BULK and tag >> 16 != 0x28:
                found.bulk[tag] = Span(value, length, name)
                drop = True
            if drop:
                pieces.append(buffer[kept_from:at])
                kept_from = after
            else:
                elements.append((tag, at, after))
                size += after - at
            if size > self._max_header:
                raise ObjectRefused(
                    "too-large",
                    f"The header is larger than {self._max_header >> 20} MiB. "
                    "Raise SIGHTLINE_ARCHIVE_MAX_HEADER_MIB if this is right.",
                )
            at = after
        if any(buffer[at : self._end][:8]):
            raise _refuse_truncated(at, 8, self._end - at)
        pieces.append(buffer[kept_from:at])
        found.header = b"".join(pieces)

    def _name(self, tag: int, vr: bytes) -> str:
        """Return the value representation, from the dictionary where the file does not say it."""
        if vr:
            return vr.decode("ascii")
        try:
            return dictionary_VR(tag).split(" or ")[-1]
        except KeyError:
            return "UN"

    def _element(self, at: int, implicit: bool) -> tuple[int, bytes, int, int]:
        """Return tag, value representation (empty when implicit), where the value is, its stated length."""
        group, number = self._tag(self._buffer, at)
        tag = (group << 16) | number
        if implicit or group == 0xFFFE:
            return tag, b"", at + 8, self._long(self._buffer, at + 4)[0]
        vr = bytes(self._buffer[at + 4 : at + 6])
        if vr not in LONG_VRS:
            if not _LETTERS.issuperset(vr):
                if tag == 0:
                    return tag, b"", at + 8, 0
                raise _refuse_damaged(at)
            return tag, vr, at + 8, self._short(self._buffer, at + 6)[0]
        if at + 12 > self._end:
            raise _refuse_truncated(at, 12, self._end - at)
        return tag, vr, at + 12, self._long(self._buffer, at + 8)[0]

    def _after(
        self, at: int, tag: int, vr: bytes, value: int, length: int, implicit: bool, depth: int
    ) -> int:
        """Return where the element at `at` ends, having walked it when its length is not stated."""
        if length != UNDEFINED:
            if value + length > self._end:
                raise _refuse_truncated(at, length, self._end - value)
            return value + length
        if tag in PIXEL_TAGS or vr in {b"OB", b"OW"}:
            return self._fragments_end(value)
        # A sequence hidden in UN is in implicit VR little endian (PS3.5 6.2.2 note 2).
        return self._sequence_end(value, implicit or vr == b"UN", depth + 1)

    def _sequence_end(self, at: int, implicit: bool, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise ObjectRefused(
                "damaged", f"Sequences are nested deeper than {MAX_DEPTH}. Export it again at its source."
            )
        while True:
            tag, length = self._item(at)
            at += 8
            if tag == SEQUENCE_END:
                return at
            if tag != ITEM:
                raise _refuse_damaged(at - 8)
            if length != UNDEFINED:
                if at + length > self._end:
                    raise _refuse_truncated(at - 8, length, self._end - at)
                at += length
            else:
                at = self._item_end(at, implicit, depth)

    def _item_end(self, at: int, implicit: bool, depth: int) -> int:
        while True:
            if at + 8 > self._end:
                raise _refuse_truncated(at, 8, self._end - at)
            tag, vr, value, length = self._element(at, implicit)
            if tag == ITEM_END:
                return value
            at = self._after(at, tag, vr, value, length, implicit, depth)

    def _item(self, at: int) -> tuple[int, int]:
        if at + 8 > self._end:
            raise _refuse_truncated(at, 8, self._end - at)
        group, number = self._tag(self._buffer, at)
        return (group << 16) | number, self._long(self._buffer, at + 4)[0]

    def _fragments(self, at: int) -> Iterator[tuple[int, int]]:
        """Yield the items of encapsulated pixel data, the offset table first, then ``(end, -1)``."""
        read = 0
        while True:
            tag, length = self._item(at)
            if tag == SEQUENCE_END:
                yield at + 8, -1
                return
            if tag != ITEM:
                raise _refuse_damaged(at)
            if at + 8 + length > self._end:
                raise _refuse_truncated(at, length, self._end - at - 8)
            yield at + 8, length
            at += 8 + length
            read += 1
            if not read % 256:
                forget(self._buffer, at)

    def _fragments_end(self, at: int) -> int:
        return list(self._fragments(at))[-1][0]

    def _pixels(self, tag: int, vr: str, value: int, length: int, after: int, extended: bytes) -> Pixels:
        if length != UNDEFINED:
            return Pixels(tag, Span(value, length, vr))
        table, *fragments = [item for item in self._fragments(value) if item[1] >= 0] or [(value, 0)]
        offsets = bytes(self._buffer[table[0] : table[0] + table[1]])
        return Pixels(tag, Span(value, after - value, vr), True, offsets, extended, tuple(fragments))
