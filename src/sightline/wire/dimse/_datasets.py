"""Datasets of messages: read from the wire into DICOM JSON within bounds, and made from it to be sent.

Nothing is allocated because a length says so: a dataset is no longer than its bytes, and a deflated one is
inflated up to the same bound.
"""

import codecs
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

from pydicom import Dataset
from pydicom.charset import convert_encodings, python_encoding
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode

from sightline.kernel.errors import Invalid
from sightline.record import archive, orders
from sightline.trust import access
from sightline.wire import peers

# What the contexts of these services are offered in.
MESSAGE_SYNTAXES = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
MOST_BYTES = 64 << 20
CHARACTER_SET = "00080005"
_CHARACTER_SET, _BEGINNING = b"\x08\x00\x05\x00", 1024
_PLAIN, _LATIN_1, _UTF_8 = "", "ISO_IR 100", "ISO_IR 192"
_TEXTS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


class NotReadable(Invalid):
    """The dataset of a message is missing, too long, or none."""


class BadAttribute(Invalid):
    """An attribute of a message is missing, empty or wrong: `fault` says which."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


def items_at(attributes: archive.Attributes, tag: str, name: str, *, most: int) -> list[archive.Attributes]:
    """Return the items of a sequence that must be there, or refuse."""
    if tag not in attributes:
        raise BadAttribute("missing", f"{name} is missing.")
    items = attributes[tag].get("Value") or []
    if not items:
        raise BadAttribute("empty", f"{name} is empty.")
    if len(items) > most or any(not isinstance(item, dict) for item in items):
        raise BadAttribute("wrong", f"{name} is no sequence of {most} items at most.")
    return items


def uid_at(attributes: archive.Attributes, tag: str, name: str) -> str:
    """Return a UID that must be there, or refuse."""
    if tag not in attributes:
        raise BadAttribute("missing", f"{name} is missing.")
    values = attributes[tag].get("Value") or [""]
    uid = str(values[0] or "").strip()
    if not uid:
        raise BadAttribute("empty", f"{name} is empty.")
    if not orders.is_uid(uid):
        raise BadAttribute("wrong", f"{name} is no UID.")
    return uid


def read_message(stream: BytesIO | None, syntax: str, *, most: int = MOST_BYTES) -> archive.Attributes:
    """Return the dataset of a message as DICOM JSON.

    Raises
    ------
    NotReadable
        If it is absent, longer than `most` bytes, or its lengths do not fit.
    """
    data = stream.getvalue() if stream is not None else b""
    uid = UID(syntax)
    if uid.is_deflated:
        data = _inflated(data, most)
    if not 0 < len(data) <= most:
        raise NotReadable("The message has no dataset, or one that is too long.")
    try:
        return archive.read_attributes(data, implicit=uid.is_implicit_VR, little=uid.is_little_endian)
    except archive.ObjectRefused:
        raise NotReadable("The dataset of the message cannot be read.") from None


def build_dataset(attributes: archive.Attributes, *, asked_in: str | None = None) -> Dataset:
    """Return a dataset to send, in a character set that holds its texts.

    `asked_in` is that of the request, which is kept where it is enough; else the plainest that is.
    """
    charset = choose_charset(texts_of(attributes), asked_in)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = Dataset.from_json({tag: e for tag, e in attributes.items() if tag != CHARACTER_SET})
    if charset:
        ds.SpecificCharacterSet = charset.split("\\") if "\\" in charset else charset
    return ds


def encode_dataset(ds: Dataset, syntax: str) -> bytes:
    """Return a dataset as the bytes of a message."""
    uid = UID(syntax)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoded = encode(ds, uid.is_implicit_VR, uid.is_little_endian, uid.is_deflated)
    if encoded is None:
        raise ValueError("The dataset of a message cannot be encoded.")
    return encoded


def charset_of(stream: BytesIO | None, syntax: str) -> str:
    r"""Return the character sets that a message is written in, with backslashes between them.

    They stand at its very beginning; once read into DICOM JSON nothing tells of them any more.

    >>> first = bytes([8, 0, 5, 0]) + b"CS" + bytes([10, 0]) + b"ISO_IR 100"
    >>> charset_of(BytesIO(first), str(ExplicitVRLittleEndian))
    'ISO_IR 100'
    """
    data = stream.getvalue()[:_BEGINNING] if stream is not None else b""
    implicit, at = UID(syntax).is_implicit_VR, 0
    while at + 8 <= len(data):
        tag = data[at : at + 4]
        length = int.from_bytes(data[at + 4 : at + 8] if implicit else data[at + 6 : at + 8], "little")
        if tag == _CHARACTER_SET:
            return data[at + 8 : at + 8 + length].decode("ascii", "replace").strip("\0 ")
        if tag[:2] != _CHARACTER_SET[:2] or tag > _CHARACTER_SET:
            break
        at += 8 + length
    return ""


def choose_charset(texts: Iterable[str], asked_in: str | None = None) -> str:
    r"""Return the character set for texts: that of the request where it is enough.

    >>> choose_charset(["Doe"]), choose_charset(["Müller"]), choose_charset(["山田"])
    ('', 'ISO_IR 100', 'ISO_IR 192')
    >>> choose_charset(["山田"], "\\ISO 2022 IR 87")
    '\\ISO 2022 IR 87'
    """
    held = set("".join(texts))
    for charset in (asked_in or _PLAIN, _PLAIN, _LATIN_1):
        if _holds(charset, held):
            return charset
    return _UTF_8


def _holds(charset: str, characters: set[str]) -> bool:
    names = charset.split("\\") if charset else []
    if any(name and name not in python_encoding for name in names) or len(names) > 8:
        return False
    encodings = convert_encodings(names) if names else ["ascii"]
    return all(any(_encodes(encoding, c) for encoding in encodings) for c in characters)


def _encodes(encoding: str, character: str) -> bool:
    # Latin-1 is how pydicom calls the default repertoire, which is ASCII.
    name = "ascii" if encoding == "iso8859" else encoding
    try:
        codecs.encode(character, name)
    except (UnicodeError, LookupError):
        return False
    return True


def name_text(name: Mapping[str, Any]) -> str:
    """Return a person name of DICOM JSON as DICOM writes it, with its groups (PS3.5 6.2.1)."""
    return "=".join(str(name.get(group, "")) for group in _GROUPS).rstrip("=")


def texts_of(attributes: archive.Attributes) -> Iterator[str]:
    """Yield the texts that a character set has to hold."""
    for element in attributes.values():
        for value in element.get("Value") or ():
            if element["vr"] == "SQ":
                yield from texts_of(value)
            elif element["vr"] in _TEXTS:
                yield "".join(value.values()) if isinstance(value, dict) else str(value)


def _inflated(data: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most + 1)
    except zlib.error:
        raise NotReadable("The dataset of the message cannot be inflated.") from None


def status(code: int, comment: str = "", *, error_id: int | None = None) -> Dataset:
    """Return a status with its reason in words; Error Comment holds 64 characters of ASCII (PS3.7 C)."""
    answer = Dataset()
    answer.Status = code
    if comment:
        answer.ErrorComment = comment.encode("ascii", "replace").decode("ascii")[:64]
    if error_id is not None:
        answer.ErrorID = error_id
    return answer


def person_behind(event: Any) -> access.Person:
    """Return on whose behalf the peer of an event acts, as it was admitted."""
    admission: peers.Admission = event.assoc.admission
    return admission.person
