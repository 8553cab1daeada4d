"""Writing the header of an object anew with its overlay: what is not named stays the bytes that it was.

Nothing is read that need not be: elements are stepped over from one to the next, up to the pixels.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, TypeAlias

from pydicom import Dataset
from pydicom.charset import convert_encodings
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset as read_elements
from pydicom.filewriter import write_dataset as write_elements

from sightline.record.archive import _store as store_
from sightline.record.archive._attributes import _vr_of as vr_of
from sightline.record.archive._model import ObjectRefused
from sightline.record.archive._overlay import CHARACTER_SET, INSTANCE, PRIVATE, TEXT, UTF8, Overlay
from sightline.record.archive._scan import (
    BIG_ENDIAN,
    DEFLATED,
    IMPLICIT,
    ITEM,
    ITEM_END,
    LONG_VRS,
    MAX_DEPTH,
    SEQUENCE_END,
    UNDEFINED,
    inflated,
)
from sightline.runtime.blobs import Blobs

PIXEL_GROUP = 0x7FE0
_BUFFERED = 64 << 10
# Sequences that are written anew are read into memory; what is longer cannot be a header.
_MOST_REWRITTEN = 64 << 20


@dataclass(frozen=True, slots=True)
class Span:
    """A run of the bytes that are held."""

    start: int
    length: int


Piece: TypeAlias = bytes | Span


class Reader:
    """Small reads of a blob, each from a window of it."""

    def __init__(self, blobs: Blobs, blob: str, size: int) -> None:
        self._blobs, self._blob, self.size = blobs, blob, size
        self._at, self._window = 0, b""

    def read(self, start: int, length: int) -> bytes:
        """Return bytes; fewer at the end."""
        offset = start - self._at
        if offset < 0 or offset + length > len(self._window):
            self._window = self._blobs.get_range(self._blob, start, max(length, _BUFFERED))
            self._at, offset = start, 0
        return self._window[offset : offset + length]


class Held(Reader):
    """The same of bytes in memory."""

    def __init__(self, content: bytes) -> None:
        self._content, self.size = content, len(content)

    def read(self, start: int, length: int) -> bytes:
        return self._content[start : start + length]


@dataclass(frozen=True, slots=True)
class Element:
    tag: int
    vr: str
    start: int
    end: int

    @property
    def key(self) -> str:
        return f"{self.tag:08X}"


def meta_end(reader: Reader) -> int:
    """Return where the dataset begins: after the file meta information (PS3.10 7.1)."""
    at = 132
    for element in _meta_elements(reader):
        at = element.end
    return at


def _meta_elements(reader: Reader) -> Iterator[Element]:
    at = 132
    while (head := reader.read(at, 12))[:2] == b"\x02\x00" and len(head) >= 8:
        vr = head[4:6]
        long = vr in LONG_VRS
        length = struct.unpack_from("<I" if long else "<H", head, 8 if long else 6)[0]
        end = at + (12 if long else 8) + length
        if end > reader.size:
            raise _damaged()
        yield Element(0x00020000 | int.from_bytes(head[2:4], "little"), vr.decode("latin-1"), at, end)
        at = end


def _damaged() -> ObjectRefused:
    return ObjectRefused("damaged", "The header of this object is damaged; restore it from a copy.")


def meta_pieces(reader: Reader, end: int, overlay: Overlay) -> list[Piece]:
    """Return preamble and meta information, which name the instance as it is called now."""
    named = overlay.get(INSTANCE)
    if named is None:
        return [Span(0, end)]
    body = b""
    for element in _meta_elements(reader):
        if element.tag == 0x00020000:
            continue
        if element.tag == 0x00020003:
            uid = str(named["Value"][0]).encode("ascii")
            uid += b"\0" * (len(uid) % 2)
            body += b"\x02\x00\x03\x00UI" + struct.pack("<H", len(uid)) + uid
        else:
            body += reader.read(element.start, element.end - element.start)
    length = b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<I", len(body))
    return [reader.read(0, 132) + length + body]


def dataset_pieces(reader: Reader, start: int, found: store_.Place) -> list[Piece]:
    """Return the dataset with its overlay: what stays as spans of what is held, what changes as bytes."""
    overlay = found.overlay or {}
    deflated = found.transfer_syntax == DEFLATED
    if deflated:
        reader, start = Held(inflated(reader.read(0, reader.size))), 0
    stated = found.transfer_syntax
    letters = reader.read(start + 4, 2)
    implicit = not (letters.isalpha() and letters.isupper()) if len(letters) == 2 else stated == IMPLICIT
    writer = _Writer(reader, implicit, little=stated != BIG_ENDIAN, overlay=overlay)
    pieces = writer.pieces(start)
    if not deflated:
        return pieces
    whole = b"".join(reader.read(p.start, p.length) if isinstance(p, Span) else p for p in pieces)
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(whole) + packer.flush()
    return [packed + b"\0" * (len(packed) % 2)]


class _Writer:
    """Walks the elements of a dataset and says what is written in place of each."""

    def __init__(self, reader: Reader, implicit: bool, *, little: bool, overlay: Overlay) -> None:
        self._reader, self._implicit, self._little = reader, implicit, little
        self._order = "<" if little else ">"
        self._overlay = overlay
        self._named = sorted(k for k in overlay if k not in {PRIVATE, CHARACTER_SET})
        self._without_private = PRIVATE in overlay
        self._changed_groups = {int(k[:4], 16) for k in self._named}
        self._stated: list[str] = []
        self._convert = False
        self._done: set[str] = set()
        self._pieces: list[Piece] = []

    def pieces(self, start: int) -> list[Piece]:
        """Return the dataset from `start` on in pieces."""
        self._settle_text(start)
        restated = self._convert or self._assumes()
        waiting = sorted([*self._named, CHARACTER_SET] if restated else self._named)
        at = start
        for element in self._elements(start):
            while waiting and waiting[0] < element.key:
                self._add_new(waiting.pop(0))
            self._add(element)
            at = element.end
        for key in waiting:
            self._add_new(key)
        self._copy(at, self._reader.size)
        return self._pieces

    def _assumes(self) -> bool:
        return CHARACTER_SET in self._overlay and not self._stated

    def _settle_text(self, start: int) -> None:
        """Find the character set of the object, and whether it holds what is to be written."""
        for element in self._elements(start, until=0x00080005):
            if element.tag == 0x00080005:
                raw = self._value(element)
                self._stated = [p.strip("\0 ") for p in raw.decode("ascii", "replace").split("\\")]
        if not any(self._stated):
            self._stated = []
        texts = list(_texts_of(self._overlay[k] for k in self._named))
        self._convert = not all(map(str.isascii, texts)) and not _holds(
            self._stated or self._assumed(), texts
        )

    def _assumed(self) -> list[str]:
        element = self._overlay.get(CHARACTER_SET)
        return [str(v) for v in element["Value"]] if element else []

    @property
    def _source_encodings(self) -> list[str]:
        return _encodings(tuple(self._stated or self._assumed()))

    @property
    def _target_encodings(self) -> list[str]:
        return ["utf8"] if self._convert else self._source_encodings

    def _add(self, element: Element) -> None:
        """Write what stands in place of an element."""
        if element.tag == 0x00080005 and (self._convert or self._assumes()):
            self._add_new(CHARACTER_SET)
            return
        if element.key in self._overlay and element.key != CHARACTER_SET:
            self._add_new(element.key)
            return
        if not element.tag & 0xFFFF and element.tag >> 16 in self._changed_groups:
            return  # a retired group length would be wrong now
        if self._without_private and element.tag >> 16 & 1:
            return
        inside = element.vr == "SQ" and (self._convert or self._without_private)
        if inside or (self._convert and element.vr in TEXT):
            self._pieces.append(self._rewritten(element))
            return
        self._copy(element.start, element.end)

    def _add_new(self, key: str) -> None:
        """Write an attribute of the overlay, once."""
        if key in self._done:
            return
        self._done.add(key)
        if key == CHARACTER_SET:
            value = [UTF8] if self._convert else self._assumed()
            self._pieces.append(self._encoded({key: {"vr": "CS", "Value": value}}))
        elif self._overlay[key] is not None:
            self._pieces.append(self._encoded({key: self._overlay[key]}))

    def _copy(self, start: int, end: int) -> None:
        last = self._pieces[-1] if self._pieces else None
        if isinstance(last, Span) and last.start + last.length == start:
            self._pieces[-1] = Span(last.start, end - last.start)
        elif end > start:
            self._pieces.append(Span(start, end - start))

    def _encoded(self, attributes: Mapping[str, Any]) -> bytes:
        return self._write(Dataset.from_json(dict(attributes)))

    def _write(self, ds: Dataset) -> bytes:
        buffer = DicomBytesIO()
        buffer.is_implicit_VR, buffer.is_little_endian = self._implicit, self._little
        write_elements(buffer, ds, self._target_encodings)
        return buffer.getvalue()

    def _rewritten(self, element: Element) -> bytes:
        """Return an element written anew: its text in UTF-8, or without what is private inside."""
        if element.end - element.start > _MOST_REWRITTEN:
            raise _damaged()
        raw = self._reader.read(element.start, element.end - element.start)
        ds = read_elements(BytesIO(raw), self._implicit, self._little, parent_encoding=self._source_encodings)
        if self._without_private:
            ds.remove_private_tags()
        if not self._convert:
            return self._write(ds)
        return self._write(_decoded(ds))

    def _value(self, element: Element) -> bytes:
        head = 8 if self._implicit or element.vr.encode() not in LONG_VRS else 12
        return self._reader.read(element.start + head, element.end - element.start - head)

    def _elements(self, at: int, *, until: int | None = None) -> Iterator[Element]:
        """Yield the elements before the pixels; all of them when private ones are left out."""
        while at + 8 <= self._reader.size:
            tag, vr, value, length = self._head(at, self._implicit)
            if until is not None and tag > until:
                return
            if tag >> 16 == PIXEL_GROUP and not self._without_private:
                return
            end = self._end_of(tag, vr, value, length, self._implicit, 0)
            if end > self._reader.size:
                return
            yield Element(tag, vr, at, end)
            at = end

    def _head(self, at: int, implicit: bool) -> tuple[int, str, int, int]:
        """Return tag, value representation, where the value is, and its stated length."""
        head = self._reader.read(at, 12)
        if len(head) < 8:
            raise _damaged()
        group, number = struct.unpack_from(self._order + "HH", head)
        tag = (group << 16) | number
        long = struct.Struct(self._order + "I")
        if implicit or group == 0xFFFE:
            return tag, "" if group == 0xFFFE else vr_of(tag, False), at + 8, long.unpack_from(head, 4)[0]
        if head[4:6] not in LONG_VRS:
            return tag, head[4:6].decode("latin-1"), at + 8, struct.unpack_from(self._order + "H", head, 6)[0]
        if len(head) < 12:
            raise _damaged()
        return tag, head[4:6].decode("latin-1"), at + 12, long.unpack_from(head, 8)[0]

    def _end_of(self, tag: int, vr: str, value: int, length: int, implicit: bool, depth: int) -> int:
        if length != UNDEFINED:
            return value + length
        if depth > MAX_DEPTH:
            raise _damaged()
        inner = implicit or vr == "UN"
        fragments = vr in {"OB", "OW"}
        while True:
            item, _, at, length = self._head(value, True)
            if item == SEQUENCE_END:
                return at
            if item != ITEM:
                raise _damaged()
            if length != UNDEFINED or fragments:
                value = at + length
                continue
            value = at
            while True:
                tag, vr, at, length = self._head(value, inner)
                if tag == ITEM_END:
                    value = at
                    break
                value = self._end_of(tag, vr, at, length, inner, depth + 1)


def _decoded(ds: Dataset) -> Dataset:
    """Return elements with their text read, so that they are written in another character set."""
    for element in ds:  # reading each by its tag decodes it
        if element.VR == "SQ":
            for item in element.value:
                _decoded(item)
    # What seems to have been read in another set than it is in is written value by value.
    implicit, little = ds.original_encoding
    ds.set_original_encoding(implicit, little, "utf8")
    return ds


def _texts_of(elements: Any) -> Iterator[str]:
    for element in elements:
        if element is None:
            continue
        for value in element.get("Value") or ():
            if isinstance(value, str):
                yield value
            elif isinstance(value, dict):
                nested = element.get("vr") == "SQ"
                yield from _texts_of(value.values()) if nested else map(str, value.values())


def _holds(stated: Sequence[str], texts: Sequence[str]) -> bool:
    """Say whether text can be written in a character set as it is."""
    if len(stated) > 1:
        return False
    encoding = _encodings(tuple(stated))[0] if stated else "ascii"
    try:
        for text in texts:
            text.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


@lru_cache(maxsize=64)
def _encodings(stated: tuple[str, ...]) -> list[str]:
    """Return Python's names of character sets, as pydicom wants them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(convert_encodings(list(stated))) if stated else ["iso8859"]
