"""From attributes in JSON or XML, and their bulk data, to objects (PS3.18 10.5.2, F; PS3.19 A.1)."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb._native import parse_native

# An object is put together in memory; a film of gigabytes is sent as application/dicom.
MOST_ASSEMBLED = 1 << 29
MAX_DEPTH = 64
PIXEL_DATA, AVAILABLE_SYNTAX = "7FE00010", "00083002"
# What the answer of a server holds and an object does not.
_NOT_OF_OBJECTS = frozenset({AVAILABLE_SYNTAX, "00081190", "00080056"})
_IDENTITY = (("00080016", "SOPClassUID"), ("00080018", "SOPInstanceUID"))
_ITEM = b"\xfe\xff\x00\xe0"


class BadJson(Invalid):
    """The body is not DICOM JSON; correct it and send it again."""

    status = 400


@dataclass(frozen=True, slots=True)
class Bulk:
    """A part of bulk data: media type, transfer syntax where it says one, and its bytes."""

    kind: str
    syntax: str
    content: bytes | Path
    size: int

    def read(self) -> bytes:
        """Return the bytes."""
        return self.content.read_bytes() if isinstance(self.content, Path) else self.content

    def discard(self) -> None:
        """Remove the file, if it is in one."""
        if isinstance(self.content, Path):
            self.content.unlink(missing_ok=True)


def parse_attributes(kind: str, body: bytes) -> list[archive.Attributes]:
    """Return the datasets of a body of JSON or XML.

    Raises
    ------
    BadJson, BadXml
        If it is not what it says, or nested too deep.
    """
    if kind not in {accept.JSON, accept.PLAIN_JSON}:
        return parse_native(body)
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise BadJson("The body is not JSON, or is nested too deep.") from None
    found = read if isinstance(read, list) else [read]
    if not found or not all(_is_dataset(one, 0) for one in found):
        raise BadJson("The body is not DICOM JSON: attributes by tag, each with its vr (PS3.18 F.2).")
    return found


def _is_dataset(one: Any, depth: int) -> bool:
    """Say whether a value has the form of a dataset all the way down."""
    if not isinstance(one, dict) or depth > MAX_DEPTH:
        return False
    return all(
        len(tag) == 8
        and isinstance(element, dict)
        and isinstance(element.get("vr"), str)
        and isinstance(element.get("Value", []), list)
        and (
            element["vr"] != "SQ"
            or all(v is None or _is_dataset(v, depth + 1) for v in element.get("Value", []))
        )
        for tag, element in one.items()
    )


def build_objects(
    bodies: Sequence[tuple[str, bytes]], bulk: Mapping[str, Bulk], *, most: int
) -> Iterator[archive.Incoming | archive.Outcome]:
    """Yield the objects of the bodies as Part 10 bytes, or why one could not be made."""
    number = 0
    for kind, body in bodies:
        for attributes in parse_attributes(kind, body):
            number += 1
            name = f"object {number}"
            try:
                yield archive.Incoming(name, _built(attributes, bulk, min(most, MOST_ASSEMBLED)), ours=True)
            except archive.ObjectRefused as error:
                yield archive.Outcome(
                    "refused", name, _text(attributes, "00080018"), _text(attributes, "00080016"),
                    reason=str(error), code=error.reason,
                )  # fmt: skip


def _built(attributes: archive.Attributes, bulk: Mapping[str, Bulk], most: int) -> bytes:
    for tag, keyword in _IDENTITY:
        if not _text(attributes, tag):
            raise archive.ObjectRefused("missing-uid", f"{keyword} is missing; add it and send it again.")
    needed = sum(bulk[uri].size for uri in _addresses(attributes) if uri in bulk)
    if needed > most:
        raise archive.ObjectRefused("too-large", "Its bulk data are too large; send it as application/dicom.")

    def fetch(_: str, __: str, uri: str) -> bytes:
        if uri not in bulk:
            raise archive.ObjectRefused("truncated", "A part of bulk data that it names is not in the body.")
        return bulk[uri].read()

    kept = {t: e for t, e in attributes.items() if not t.startswith("0002") and t not in _NOT_OF_OBJECTS}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = Dataset.from_json(kept, fetch)
            ds.file_meta = FileMetaDataset()
            ds.file_meta.TransferSyntaxUID = UID(_place_pixels(ds, attributes, bulk))
            ds.SpecificCharacterSet = "ISO_IR 192"
            buffer = BytesIO()
            ds.save_as(buffer, enforce_file_format=True)
    except archive.ObjectRefused:
        raise
    except Exception as error:  # pydicom raises what it likes at what it cannot write
        raise archive.ObjectRefused(
            "damaged", "Its attributes cannot be written as DICOM; correct them and send it again."
        ) from error
    return buffer.getvalue()


def _addresses(attributes: archive.Attributes) -> Iterator[str]:
    for element in attributes.values():
        if isinstance(element.get("BulkDataURI"), str):
            yield element["BulkDataURI"]
        if element.get("vr") == "SQ":
            for item in element.get("Value", ()):
                yield from _addresses(item or {})


def _place_pixels(ds: Dataset, attributes: archive.Attributes, bulk: Mapping[str, Bulk]) -> str:
    """Return the transfer syntax that pixel data came in, having put compressed ones into fragments."""
    stated = _text(attributes, AVAILABLE_SYNTAX)
    part = bulk.get(attributes.get(PIXEL_DATA, {}).get("BulkDataURI", ""))
    if "PixelData" not in ds or part is None:
        return accept.EXPLICIT
    syntax = part.syntax or stated or _syntax_of(part.kind, part)
    if syntax in accept.RAW or syntax == accept.BIG_ENDIAN:
        ds["PixelData"].VR = "OW" if int(ds.get("BitsAllocated") or 8) > 8 else "OB"
        return accept.EXPLICIT
    data = bytes(ds.PixelData)
    if not data.startswith(_ITEM):  # a bare stream: one frame, or a film
        if int(ds.get("NumberOfFrames") or 1) > 1 and not part.kind.startswith("video/"):
            raise archive.ObjectRefused(
                "damaged", "Its compressed frames cannot be told apart; send it as application/dicom."
            )
        data = encapsulate([data])
    ds.PixelData = data
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return syntax


def _syntax_of(kind: str, part: Bulk) -> str:
    """Return the transfer syntax that a media type stands for where it names none (PS3.18 8.7.3.3.2)."""
    if kind == "image/jpeg":
        marks = {0xC1: "51", 0xC3: "70"}
        return "1.2.840.10008.1.2.4." + marks.get(_frame_mark(part.read()), "50")
    lossy_too = {"image/jp2": "91", "image/jls": "81", "image/jphc": "203"}
    if kind in lossy_too:  # a stream may be either; these say nothing that need not be true
        return f"1.2.840.10008.1.2.4.{lossy_too[kind]}"
    return ({**accept.IMAGES, **accept.VIDEOS}.get(kind) or (accept.EXPLICIT,))[0]


def _frame_mark(data: bytes) -> int:
    """Return the kind of frame that a JPEG stream begins (ITU-T T.81 B.2.2)."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in {0xC0, 0xC1, 0xC2, 0xC3}:
            return data[at + 1]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0


def _text(attributes: archive.Attributes, tag: str) -> str:
    values = attributes.get(tag, {}).get("Value") or [""]
    return str(values[0] or "")
