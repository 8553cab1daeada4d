"""From the bytes of one object to what the index keeps of it."""

import math
import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blake3 import blake3

from sightline.record.archive._frames import Opening, Shape, build_table
from sightline.record.archive._header import read_header
from sightline.record.archive._matching import normalise_name, normalise_term
from sightline.record.archive._model import Attributes, Incoming, ObjectRefused
from sightline.record.archive._scan import Buffer, Scan, forget, scan
from sightline.record.archive.settings import ArchiveSettings

MIB = 1 << 20
# A file is hashed by windows of this size, each let go of before the next.
HASHED = 16 * MIB
# The fixed address of DICOMweb in every installation; bulk data is named by it.
WEB = "/dicom-web"
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_DATE = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class Parsed:
    """One object as the index will hold it; `patient` to `instance` are the columns of its rows."""

    name: str
    content: bytes | memoryview | Path
    ours: bool
    sop_uid: str
    series_uid: str
    study_uid: str
    hash: str
    patient: dict[str, Any]
    study: dict[str, Any]
    series: dict[str, Any]
    instance: dict[str, Any]
    simulated: bool
    overlay: dict[str, Any] | None = None


def parse(incoming: Incoming, settings: ArchiveSettings) -> Parsed:
    """Read one object.

    Raises
    ------
    ObjectRefused
        If it cannot be kept; the message says why and what to do.
    """
    with _opened(incoming.content, settings) as buffer:
        found = scan(buffer, max_header=settings.max_header_mib * MIB)
        header = read_header(buffer, found)
        facts = Facts(header.attributes)
        study_uid = facts.uid("0020000D", "StudyInstanceUID")
        series_uid = facts.uid("0020000E", "SeriesInstanceUID")
        sop_uid = facts.uid("00080018", "SOPInstanceUID")
        sop_class = facts.uid("00080016", "SOPClassUID")
        _require_announced(incoming, sop_class, sop_uid)
        table, shape = _frame_table(found, buffer, facts)
        address = f"{WEB}/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}"
        links = _links(found, address)
        digest = incoming.digest or content_hash(found.syntax, buffer, found.start)
        size = len(buffer)
    return Parsed(
        incoming.name,
        incoming.content,
        incoming.ours,
        sop_uid,
        series_uid,
        study_uid,
        digest,
        patient_of(facts, study_uid),
        study_of(facts),
        series_of(facts),
        {
            "sop_class": sop_class,
            "number": facts.whole("00200013"),
            "transfer_syntax": found.syntax,
            "size": size,
            "hash": digest,
            **_pixel_columns(shape),
            **_place_of(facts),
            "frame_table": table,
            "metadata_gz": header.pack(links),
        },
        _is_simulated(facts),
    )


def _require_announced(incoming: Incoming, sop_class: str, sop_uid: str) -> None:
    """Refuse an object that is not the one its sender spoke of: it would be looked for in vain later."""
    if incoming.announced not in {None, (sop_class, sop_uid)}:
        raise ObjectRefused(
            "mismatch",
            "Its SOP Class or Instance UID is not the one announced. Correct it at its source.",
        )


def content_hash(syntax: str, buffer: Buffer, start: int) -> str:
    """Return the identity of an object: transfer syntax and dataset, whatever file meta it came with."""
    digest = start_hash(syntax)
    with memoryview(buffer) as view:
        for at in range(start, len(view), HASHED):
            digest.update(view[at : at + HASHED])
            forget(buffer, at)
    return str(digest.hexdigest())


def start_hash(syntax: str) -> Any:
    """Return the hash that a dataset in `syntax` is added to as it arrives; its hexdigest is the identity."""
    return blake3(syntax.encode("ascii", "replace"))


@contextmanager
def _opened(content: bytes | memoryview | Path, settings: ArchiveSettings) -> Iterator[Buffer]:
    """Give the bytes; a file is mapped, never read whole (it is ours, so nobody shortens it meanwhile)."""
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    if size > settings.max_instance_mib * MIB:
        raise ObjectRefused(
            "too-large",
            f"The file has {size / MIB:.0f} MiB, more than the {settings.max_instance_mib} MiB that are "
            "accepted. Raise SIGHTLINE_ARCHIVE_MAX_INSTANCE_MIB if this is right.",
        )
    if not isinstance(content, Path) or not size:
        yield b"" if isinstance(content, Path) else content
        return
    with content.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        yield buffer


def _links(found: Scan, address: str) -> Attributes:
    """Return in which syntax the object is available, and where what is not in its header (PS3.18 F.2.6)."""
    links: Attributes = {"00083002": {"vr": "UI", "Value": [found.syntax]}}
    for tag, span in found.bulk.items():
        links[f"{tag:08X}"] = {"vr": span.vr, "BulkDataURI": f"{address}/bulkdata/{tag:08X}"}
    if found.pixels is not None:
        name = f"{found.pixels.tag:08X}"
        links[name] = {"vr": found.pixels.span.vr, "BulkDataURI": f"{address}/bulkdata/{name}"}
    return links


def _frame_table(found: Scan, buffer: Buffer, facts: "Facts") -> tuple[bytes | None, Shape | None]:
    """Return where the frames are, and their shape; None for what has no pixels."""
    if found.pixels is None:
        return None, None
    rows, columns = facts.whole("00280010"), facts.whole("00280011")
    if not rows or not columns:
        return None, None
    shape = Shape(
        rows,
        columns,
        facts.whole("00280002") or 1,
        facts.whole("00280100") or 8,
        max(facts.whole("00280008") or 1, 1),
        facts.text("00280004"),
    )
    table = build_table(found.pixels, shape, found.syntax, deflated=found.deflated, opening=Opening(buffer))
    return table, shape


def _pixel_columns(shape: Shape | None) -> dict[str, Any]:
    if shape is None:
        return {"rows": None, "columns": None, "frames": None, "bits": None}
    return {
        "rows": shape.rows,
        "columns": shape.columns,
        "frames": shape.frames,
        "bits": shape.bits_allocated,
    }


class Facts:
    """Single values out of DICOM JSON, clean enough for a database column."""

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes

    def values(self, tag: str) -> list[Any]:
        """Return the values of an attribute, none when it is absent or empty."""
        values = self._attributes.get(tag, {}).get("Value") or []
        return [v for v in values if v is not None]

    def text(self, tag: str) -> str:
        """Return the first value as text without control characters."""
        values = self.values(tag)
        return clean(str(values[0])) if values else ""

    def whole(self, tag: str) -> int | None:
        """Return the first value as a whole number that a column can hold."""
        try:
            number = int(self.values(tag)[0])
        except (IndexError, ValueError, TypeError, OverflowError):
            return None
        return number if -_INT32 <= number < _INT32 else None

    def numbers(self, tag: str) -> list[float]:
        """Return all values as numbers, none when one is not."""
        try:
            return [float(v) for v in self.values(tag)]
        except (ValueError, TypeError):
            return []

    def date(self, tag: str) -> str:
        """Return a date as YYYYMMDD, empty when it is none."""
        found = _DATE.match(self.text(tag))
        return "".join(found.groups()) if found else ""

    def name(self, tag: str) -> str:
        """Return a person's name as DICOM writes it, its groups joined by an equals sign."""
        values = self.values(tag)
        if not values or not isinstance(values[0], dict):
            return ""
        groups = [clean(str(values[0].get(g) or "")) for g in ("Alphabetic", "Ideographic", "Phonetic")]
        return "=".join(groups).rstrip("=")

    def uid(self, tag: str, keyword: str) -> str:
        """Return a UID that must be there and valid (PS3.5 9.1, leading zeros forgiven)."""
        uid = self.text(tag)
        shown = f"{keyword} ({tag[:4]},{tag[4:]})"
        if not uid:
            raise ObjectRefused("missing-uid", f"{shown} is missing. Export the file again at its source.")
        if len(uid) > 64 or not _UID.fullmatch(uid):
            raise ObjectRefused(
                "invalid-uid", f"{shown} is not a valid UID. Export the file again at its source."
            )
        return uid


def clean(text: str) -> str:
    """Return text that every database takes: no control characters, no lone surrogates, no outer blanks."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode().strip()


def patient_of(facts: Facts, study_uid: str) -> dict[str, Any]:
    """Return the columns of the patient of an object."""
    patient_id, issuer, name = facts.text("00100020"), facts.text("00100021"), facts.name("00100010")
    # Without an id nobody can say that two studies are one patient's: each is then a patient of its own.
    identity = f"id|{issuer}|{patient_id}" if patient_id else f"study|{study_uid}"
    return {
        "identity": identity,
        "issuer": issuer,
        "patient_id": patient_id,
        "name": name,
        "name_norm": normalise_name(name),
        "birth_date": facts.date("00100030"),
        "sex": facts.text("00100040"),
    }


def study_of(facts: Facts) -> dict[str, Any]:
    """Return the columns of its study."""
    return {
        "date": facts.date("00080020"),
        "time": facts.text("00080030"),
        "accession": facts.text("00080050"),
        "study_id": facts.text("00200010"),
        "description": facts.text("00081030"),
        "referring": facts.name("00080090"),
        "referring_norm": normalise_name(facts.name("00080090")),
        "description_norm": normalise_term(facts.text("00081030")),
    }


def series_of(facts: Facts) -> dict[str, Any]:
    """Return the columns of its series."""
    return {
        "modality": facts.text("00080060"),
        "number": facts.whole("00200011"),
        "description": facts.text("0008103E"),
        "body_part": facts.text("00180015"),
        "date": facts.date("00080021"),
        "time": facts.text("00080031"),
        "performed_date": facts.date("00400244"),
        "performed_time": facts.text("00400245"),
    }


def _place_of(facts: Facts) -> dict[str, Any]:
    """Return the slice's position, and how far along its normal it lies (PS3.3 C.7.6.2.1.1)."""
    position, orientation = facts.numbers("00200032"), facts.numbers("00200037")
    location = None
    if len(position) == 3 and len(orientation) == 6:
        (a, b, c, d, e, f), (x, y, z) = orientation, position
        along = (b * f - c * e) * x + (c * d - a * f) * y + (a * e - b * d) * z
        location = round(along, 4) if math.isfinite(along) else None
    return {"position": "\\".join(f"{v:.6g}" for v in position), "location_mm": location}


def _is_simulated(facts: Facts) -> bool:
    """Say whether the object declares itself simulated: Image Comments or Image Type say so."""
    image_type = (str(v).upper() for v in facts.values("00080008"))
    return facts.text("00204000").upper().startswith("SIMULATED") or "SIMULATED" in image_type
