"""A header as DICOM JSON, element by element, each decoded only when none like it was met before.

The slices of a series have nearly all elements in common, so most are known, as values and as text. Whatever
is out of the ordinary is left to the reader of whole headers, and both give the same (PS3.18 F.2).
"""

import json
import zlib
from dataclasses import dataclass, field

from sightline.record.archive._attributes import Context, decode_element, encodings_of, read_attributes
from sightline.record.archive._model import Attributes, ObjectRefused
from sightline.record.archive._scan import Buffer, Scan

# Longer elements are decoded each time. What is known is forgotten when it has grown to this, together.
LONGEST, MOST_BYTES, MOST_KINDS = 2048, 1 << 20, 64
_CHARACTER_SET, _PIXEL_REPRESENTATION = 0x00080005, 0x00280103


@dataclass(slots=True)
class Header:
    """A header as DICOM JSON; `texts` holds each element as it is written, where that is known."""

    attributes: Attributes
    texts: dict[str, str] | None = None

    def pack(self, more: Attributes) -> bytes:
        """Return header and `more` as compressed DICOM JSON, by tag (PS3.18 F.2.2)."""
        if self.texts is None:
            return pack_metadata(self.attributes | more)
        texts = self.texts | {name: _text(name, element) for name, element in more.items()}
        return _packed(f"{{{','.join([texts[name] for name in sorted(texts)])}}}")


def pack_metadata(attributes: Attributes) -> bytes:
    """Return DICOM JSON as compressed bytes, by tag (PS3.18 F.2.2)."""
    return _packed(_compact(dict(sorted(attributes.items()))))


def read_header(buffer: Buffer, found: Scan) -> Header:
    """Return the header of a file that was walked; its elements are shared and must not be changed.

    Raises
    ------
    ObjectRefused
        If an element does not fit into its bounds.
    """
    if found.little and not found.deflated:
        header = _read_known(buffer, found)
        if header is not None:
            return header
    return Header(read_attributes(found.header, implicit=found.implicit, little=found.little))


@dataclass(slots=True)
class _Known:
    """What is known of elements that are read with the same character sets and kind of pixels."""

    here: Context
    elements: dict[bytes, tuple[str, Attributes, str]] = field(default_factory=dict)
    size: int = 0

    def learn(self, element: bytes, *, implicit: bool) -> tuple[str, Attributes, str] | None:
        """Decode an element, and remember it when it is short; None when it is no single element."""
        try:
            ((name, value),) = decode_element(element, self.here, implicit=implicit).items()
        except (ObjectRefused, ValueError):
            return None
        entry = name, value, _text(name, value)
        if len(element) <= LONGEST:
            if self.size > MOST_BYTES:
                self.elements.clear()
                self.size = 0
            self.elements[element] = entry
            self.size += len(element) + 64
        return entry


_known: dict[tuple[tuple[str, ...], bool, bool], _Known] = {}


def _known_with(here: Context, implicit: bool) -> _Known:
    key = here.encodings, here.signed, implicit
    known = _known.get(key)
    if known is None:
        if len(_known) > MOST_KINDS:
            _known.clear()
        known = _known[key] = _Known(here)
    return known


def _read_known(buffer: Buffer, found: Scan) -> Header | None:
    implicit = found.implicit
    known = _known_with(Context(), implicit)
    lookup = known.elements.get
    attributes: Attributes = {}
    texts: dict[str, str] = {}
    for tag, start, end in found.elements:
        element = bytes(buffer[start:end])
        entry = lookup(element) or known.learn(element, implicit=implicit)
        if entry is None:
            return None
        name = entry[0]
        attributes[name] = entry[1]
        texts[name] = entry[2]
        if tag in {_CHARACTER_SET, _PIXEL_REPRESENTATION}:
            here = _context_after(known.here, tag, element, implicit)
            if here is None:
                return None
            known = _known_with(here, implicit)
            lookup = known.elements.get
    return Header(attributes, texts)


def _context_after(here: Context, tag: int, element: bytes, implicit: bool) -> Context | None:
    """Return how what follows is read; None when the element that says so is not of its own kind."""
    if not implicit and element[4:6] != (b"CS" if tag == _CHARACTER_SET else b"US"):
        return None
    value = element[8:]
    if tag == _PIXEL_REPRESENTATION:
        return Context(here.encodings, signed=value[:2] == b"\1\0") if len(value) >= 2 else here
    return Context(encodings_of(value.decode("iso8859").rstrip("\0 ")), signed=here.signed) if value else here


def _text(name: str, element: object) -> str:
    return f'"{name}":{_compact(element)}'


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "replace"), 1)
