"""Answers from DICOM JSON to the bytes of a message: texts by a short way, all else by pydicom.

A C-FIND has many small answers of texts; pydicom spends most of a millisecond on each. Sources: PS3.5 6.2
(value representations and their padding), 7.1 (data elements), A.1 and A.2 (transfer syntaxes).
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from sightline.record import archive
from sightline.wire.dimse._datasets import (
    CHARACTER_SET,
    build_dataset,
    choose_charset,
    encode_dataset,
    name_text,
    texts_of,
)

_CODECS = {"": "ascii", "ISO_IR 6": "ascii", "ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8"}
_SHORT = frozenset({"AE", "AS", "CS", "DA", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UI"})
_LONG = frozenset({"UC", "UT"})
_MOST_SHORT = 0xFFFE


class _NotShort(Exception):
    """Something in the attributes is for pydicom to encode."""


def encode_attributes(attributes: archive.Attributes, syntax: str, *, asked_in: str | None = None) -> bytes:
    """Return attributes as the dataset of a message, in a character set that holds their texts.

    `asked_in` is the character set of the request, which is kept where it is enough.
    """
    charset = choose_charset(texts_of(attributes), asked_in)
    codec = _CODECS.get(charset)
    if codec is not None and syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        said = {CHARACTER_SET: {"vr": "CS", "Value": [charset]}} if charset else {}
        plain = {tag: element for tag, element in attributes.items() if tag != CHARACTER_SET}
        try:
            return _dataset({**plain, **said}, codec, implicit=syntax == ImplicitVRLittleEndian)
        except (_NotShort, UnicodeError):
            pass
    return encode_dataset(build_dataset(attributes, asked_in=asked_in), syntax)


def _dataset(attributes: Mapping[str, Any], codec: str, *, implicit: bool) -> bytes:
    return b"".join(
        piece for tag in sorted(attributes) for piece in _element(tag, attributes[tag], codec, implicit)
    )


def _element(tag: str, element: Mapping[str, Any], codec: str, implicit: bool) -> Iterator[bytes]:
    vr, values = element["vr"], element.get("Value") or ()
    if vr == "SQ":
        data = b"".join(_item(value, codec, implicit) for value in values)
    elif vr in _SHORT or vr in _LONG:
        data = "\\".join(_text(vr, value) for value in values).encode(codec)
        data += (b"\0" if vr == "UI" else b" ") * (len(data) % 2)
    elif values or "InlineBinary" in element or "BulkDataURI" in element:
        raise _NotShort
    else:
        data = b""
    number = int(tag, 16)
    yield struct.pack("<HH", number >> 16, number & 0xFFFF)
    if implicit:
        yield struct.pack("<I", len(data))
    elif vr in _SHORT and len(data) <= _MOST_SHORT:
        yield struct.pack("<2sH", vr.encode(), len(data))
    elif vr in _LONG or vr == "SQ":
        yield struct.pack("<2sxxI", vr.encode(), len(data))
    else:
        raise _NotShort
    yield data


def _item(attributes: Mapping[str, Any], codec: str, implicit: bool) -> bytes:
    data = _dataset(attributes or {}, codec, implicit=implicit)
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(data)) + data


def _text(vr: str, value: Any) -> str:
    if value is None:
        return ""
    if vr == "PN":
        if not isinstance(value, dict):
            raise _NotShort
        return name_text(value)
    if not isinstance(value, str) and (vr != "IS" or not isinstance(value, int)):
        raise _NotShort
    return str(value)
