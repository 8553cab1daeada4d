"""Read a header into DICOM JSON in one pass, keeping whatever its sender wrote.

Unlike a validating reader it drops nothing: a number that is none stays the text that it is, and a sequence
that cannot be read stays bytes. Nothing of a header is ever logged. Sources: PS3.5 6.2, PS3.18 F.2.
"""

import base64
import math
import struct
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR

from sightline.record.archive._model import Attributes, ObjectRefused
from sightline.record.archive._scan import ITEM, LONG_VRS, MAX_DEPTH, SEQUENCE_END, UNDEFINED

_DECODED = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_SINGLE = frozenset({"LT", "ST", "UR", "UT"})
_BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_NUMBERS = {"FD": "d", "FL": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q"}
_PN_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_TEXT_DELIMITERS = {9, 10, 12, 13}
_WORD = {"OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2}
_CHARACTER_SET = 0x00080005
_PIXEL_REPRESENTATION = 0x00280103
_LATIN_1 = ("iso8859",)


class _Broken(Exception):
    """A nested sequence does not fit into its bounds."""


def read_attributes(
    header: bytes, *, implicit: bool, little: bool, by_dictionary: bool = False
) -> Attributes:
    """Return a header in DICOM JSON; `by_dictionary` reads as if it did not say its representations.

    >>> read_attributes(b"\\x10\\0\\x20\\0LO\\x04\\x004711", implicit=False, little=True)
    {'00100020': {'vr': 'LO', 'Value': ['4711']}}
    """
    try:
        reader = _Reader(header, little, by_dictionary)
        return reader.read(0, len(header), implicit, Context(_LATIN_1, signed=False), 0)[0]
    except (_Broken, struct.error):
        raise ObjectRefused(
            "damaged",
            "The header is damaged: a length runs past its end. Export the file again at its source.",
        ) from None


class Context:
    """What an item inherits from the dataset around it: character sets, and whether pixels are signed."""

    __slots__ = ("encodings", "signed")

    def __init__(self, encodings: tuple[str, ...] = _LATIN_1, *, signed: bool = False) -> None:
        self.encodings = encodings
        self.signed = signed


def decode_element(element: bytes, here: Context, *, implicit: bool) -> Attributes:
    """Return one element in little endian as DICOM JSON."""
    try:
        return _Reader(element, little=True, by_dictionary=False).read(0, len(element), implicit, here, 0)[0]
    except (_Broken, struct.error):
        raise ObjectRefused("damaged", "The element is damaged: a length runs past its end.") from None


class _Reader:
    """One pass over a header; positions are bytes from its start."""

    def __init__(self, header: bytes, little: bool, by_dictionary: bool) -> None:
        self._header = header
        self._by_dictionary = by_dictionary
        self._order = "<" if little else ">"
        self._little = little
        self._tag = struct.Struct(self._order + "HH").unpack_from
        self._short = struct.Struct(self._order + "H").unpack_from
        self._long = struct.Struct(self._order + "I").unpack_from

    def read(self, at: int, end: int, implicit: bool, around: Context, depth: int) -> tuple[Attributes, int]:
        """Read elements up to `end`, or up to the end of an item of undefined length."""
        here = Context(around.encodings, signed=around.signed)
        found: Attributes = {}
        while at + 8 <= end:
            group, number = self._tag(self._header, at)
            tag = (group << 16) | number
            if group == 0xFFFE:
                if depth:
                    return found, at + 8
                at += 8  # a delimiter where none belongs
                continue
            vr, value, length = self._head(at, tag, implicit, here)
            if length == UNDEFINED or vr == "SQ" or (vr == "UN" and _vr_of(tag, here.signed) == "SQ"):
                element, at = self._sequence(tag, vr, value, length, end, implicit, here, depth)
            elif value + length > end:
                raise _Broken
            else:
                at = value + length
                element = self._element(tag, vr, self._header[value:at], here)
            if number:  # group lengths say nothing
                found[f"{tag:08X}"] = element
        return found, end

    def _head(self, at: int, tag: int, implicit: bool, here: Context) -> tuple[str, int, int]:
        """Return value representation, where the value begins and its length."""
        if implicit:
            return _vr_of(tag, here.signed), at + 8, self._long(self._header, at + 4)[0]
        raw = self._header[at + 4 : at + 6]
        if raw not in LONG_VRS:
            if not raw.isalpha():
                raise _Broken
            vr = _vr_of(tag, here.signed) if self._by_dictionary else raw.decode("ascii")
            return vr, at + 8, self._short(self._header, at + 6)[0]
        if at + 12 > len(self._header):
            raise _Broken
        vr = _vr_of(tag, here.signed) if self._by_dictionary and raw != b"SQ" else raw.decode("ascii")
        return vr, at + 12, self._long(self._header, at + 8)[0]

    def _sequence(
        self, tag: int, vr: str, value: int, length: int, end: int, implicit: bool, here: Context, depth: int
    ) -> tuple[Attributes, int]:
        """Read a sequence; one of known length that is broken inside is kept as bytes."""
        inner = implicit or vr == "UN"
        if length == UNDEFINED:
            items, after = self._items(value, end, inner, here, depth)
            return ({"vr": "SQ", "Value": items} if items else {"vr": "SQ"}), after
        after = value + length
        if after > end:
            raise _Broken
        try:
            items, _ = self._items(value, after, inner, here, depth)
        except _Broken:
            return _inline("UN", self._header[value:after]), after
        return ({"vr": "SQ", "Value": items} if items else {"vr": "SQ"}), after

    def _items(self, at: int, end: int, implicit: bool, here: Context, depth: int) -> tuple[list[Any], int]:
        if depth > MAX_DEPTH:
            raise _Broken
        items: list[Any] = []
        while at + 8 <= end:
            group, number = self._tag(self._header, at)
            tag = (group << 16) | number
            length = self._long(self._header, at + 4)[0]
            at += 8
            if tag == SEQUENCE_END:
                return items, at
            if tag != ITEM or (length != UNDEFINED and at + length > end):
                raise _Broken
            stop = end if length == UNDEFINED else at + length
            item, at = self.read(at, stop, implicit, here, depth + 1)
            items.append(item)
            if length != UNDEFINED:
                at = stop
        return items, end

    def _element(self, tag: int, vr: str, raw: bytes, here: Context) -> Attributes:
        if vr == "UN":
            vr = _vr_of(tag, here.signed)
        if not raw:
            return {"vr": vr}
        if vr in _BYTES:
            return _inline(vr, raw if self._little else _swapped(raw, _WORD.get(vr, 1)))
        if (code := _NUMBERS.get(vr)) is not None:
            size = struct.calcsize(code)
            count = len(raw) // size
            values = list(struct.unpack_from(f"{self._order}{count}{code}", raw))
            if tag == _PIXEL_REPRESENTATION and values:
                here.signed = values[0] == 1
            return {"vr": vr, "Value": [_finite(v) for v in values] if code in "fd" else values}
        if vr == "AT":
            pairs = struct.unpack_from(f"{self._order}{len(raw) // 4 * 2}H", raw)
            return {
                "vr": vr,
                "Value": [f"{a:04X}{b:04X}" for a, b in zip(pairs[::2], pairs[1::2], strict=True)],
            }
        return self._text(tag, vr, raw, here)

    def _text(self, tag: int, vr: str, raw: bytes, here: Context) -> Attributes:
        text = _decode(raw, here.encodings if vr in _DECODED else _LATIN_1)
        if tag == _CHARACTER_SET:
            here.encodings = encodings_of(text.rstrip("\0 "))
            text = "ISO_IR 192"  # what follows is UTF-8 now, as JSON is (PS3.18 F.2.2)
        text = text.rstrip("\0 ")
        if not text:
            return {"vr": vr}
        if vr in _SINGLE:
            return {"vr": vr, "Value": [text]}
        convert = _CONVERSIONS.get(vr, str.strip)
        return {"vr": vr, "Value": [convert(part) if part.strip() else None for part in text.split("\\")]}


def _decode(raw: bytes, encodings: tuple[str, ...]) -> str:
    if b"\x1b" in raw and len(encodings) > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return decode_bytes(raw, encodings, _TEXT_DELIMITERS)
    return raw.decode(encodings[0], "replace")


@lru_cache(maxsize=256)
def encodings_of(stated: str) -> tuple[str, ...]:
    """Return Python's names of the character sets stated in (0008,0005)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = convert_encodings([part.strip() for part in stated.split("\\")])
        for name in names:
            b"a".decode(name, "replace")  # Python knows encodings that are none of text, such as zip
    except (LookupError, ValueError):
        return _LATIN_1
    return tuple(names) or _LATIN_1


def _person(text: str) -> Any:
    groups = (part.strip() for part in text.split("=", 2))
    return {name: group for name, group in zip(_PN_GROUPS, groups, strict=False) if group} or None


def _integer(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        return text.strip()


def _decimal(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text.strip()
    if not math.isfinite(number):
        return text.strip()
    return int(number) if number.is_integer() and "e" not in text.lower() and "." not in text else number


def _finite(number: float) -> Any:
    """Return a number, or its name where JSON has none for it (PS3.18 F.2.7)."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else ("inf" if number > 0 else "-inf")


_CONVERSIONS: dict[str, Callable[[str], Any]] = {"PN": _person, "IS": _integer, "DS": _decimal}


def _inline(vr: str, raw: bytes) -> Attributes:
    return {"vr": vr, "InlineBinary": base64.b64encode(raw).decode("ascii")}


def _swapped(raw: bytes, size: int) -> bytes:
    """Return big-endian words as little-endian ones, which is how JSON carries them (PS3.18 F.2.7)."""
    if size == 1 or len(raw) % size:
        return raw
    return b"".join(raw[i : i + size][::-1] for i in range(0, len(raw), size))


@lru_cache(maxsize=8192)
def _vr_of(tag: int, signed: bool) -> str:
    """Return the value representation of an element that does not say it."""
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "UN"
    if vr == "US or SS":
        return "SS" if signed else "US"
    return vr.rsplit(" or ", 1)[-1]
