"""What a derived object repeats from its source images, and the few attributes all of ours share."""

import io
import re
from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pydicom.valuerep import DA, DT, TM, PersonName

from sightline.kernel.errors import Invalid
from sightline.record.derived._texts import deterministic_uid, short_text

MANUFACTURER = "Sightline"
SIMULATED = "SIMULATED"
CHARACTER_SET = "ISO_IR 192"

# Values in the source's character set, and the ISO 2022 designators that decoding can leave behind.
_TEXT = ("PN", "LO", "SH", "LT", "ST", "UC", "UT")
_ESCAPE = re.compile("\x1b[\x20-\x2f]*[\x30-\x7e]?")
_ACQUISITION_EQUIPMENT = "109101"  # DCM, CID 7005; its time is that of the scan

# Type 1 in every image; without them nothing can be derived.
_REQUIRED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
# Type 2: written, empty if need be (PS3.3 C.7.1.1, C.7.2.1).
_MAY_BE_EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
)
# Curves, overlays and pixels: never repeated, and the bulk of an image.
_BULK_GROUPS = (*range(0x5000, 0x5100, 2), *range(0x6000, 0x6100, 2), 0x7FE0)


class IncompleteSource(Invalid):
    """The source images lack what a derived object must repeat; correct the images and try again."""


@cache
def software_version() -> str:
    """Return the version that the objects name as their maker's."""
    try:
        return version("sightline")
    except PackageNotFoundError:
        return "source"


@cache
def device_uid() -> str:
    """Return the UID by which reports name this software as an observer."""
    return deterministic_uid("sightline", "device")


def read_headers(source: Sequence[Dataset], *, named: bool = True) -> list[Dataset]:
    """Return copies of the sources without pixels and private elements, in UTF-8, with empty type 2 added.

    Without `named` the patient's name is left empty, for libraries that would quote it in a warning.

    Raises
    ------
    IncompleteSource
        If there is no source, a UID is missing, or the sources are of more than one study.
    """
    if not source:
        raise IncompleteSource("No source image was given for the derived object; give at least one.")
    missing = {keyword for ds in source for keyword in _REQUIRED if not ds.get(keyword)}
    if missing:
        raise IncompleteSource(f"A source image has no {sorted(missing)[0]}; correct the image.")
    if len({ds.StudyInstanceUID for ds in source}) > 1:
        raise IncompleteSource("The source images belong to more than one study; give those of one.")
    headers = [_header(ds) for ds in source]
    if not named:
        for header in headers:
            header.PatientName = ""
    return headers


def patient_name(ds: Dataset) -> PersonName:
    """Return the patient's name with nothing left of the character set it was written in."""
    return PersonName(_ESCAPE.sub("", str(ds.get("PatientName") or "")))


def _header(ds: Dataset) -> Dataset:
    header = Dataset()
    for tag in ds.keys():  # noqa: SIM118 - iterating a Dataset itself would decode every value
        if not tag.is_private and tag.group not in _BULK_GROUPS and tag.group > 0x0002:
            header[tag] = _in_unicode(ds[tag])
    for keyword in _MAY_BE_EMPTY:
        if keyword not in header:
            setattr(header, keyword, "")
    header.StudyTime = _time(header)
    for keyword in ("PatientBirthDate", "StudyDate"):
        plain = str(header[keyword].value or "").replace(".", "")  # as ACR-NEMA wrote them
        setattr(header, keyword, plain if _is_date(plain) else "")
    if header.PatientSex not in {"", "M", "F", "O"}:
        header.PatientSex = ""
    header.SpecificCharacterSet = CHARACTER_SET
    return header


def _in_unicode(element: DataElement) -> DataElement:
    """Copy one element so that its names no longer depend on the source's character set."""
    if element.VR == "SQ":
        items = [_nested(item) for item in element.value]
        return DataElement(element.tag, "SQ", items)
    if element.VR not in _TEXT or element.is_empty:
        return deepcopy(element)
    kind = PersonName if element.VR == "PN" else str
    texts = [element.value] if element.VM == 1 else list(element.value)
    plain = [kind(_ESCAPE.sub("", str(text))) for text in texts]
    value = plain[0] if len(plain) == 1 else plain
    return DataElement(element.tag, element.VR, value, validation_mode=config.IGNORE)


def _nested(item: Dataset) -> Dataset:
    copied = Dataset()
    for tag in item.keys():  # noqa: SIM118
        if not tag.is_private and tag != 0x00080005:
            copied[tag] = _in_unicode(item[tag])
    return copied


def _time(header: Dataset) -> str:
    """Return the time of the study; what ACR-NEMA wrote with colons without them, what is no time empty."""
    text = str(header[0x00080030].value or "").replace(":", "").strip()
    try:
        TM(text)
    except ValueError:
        return ""
    return text


def _is_date(value: str) -> bool:
    try:
        DA(value)
    except ValueError:
        return False
    return True


def local_time(header: Dataset, moment: datetime) -> datetime:
    """Return an aware moment on the clock that the study's own dates are in.

    (0008,0201) *Timezone Offset From UTC* of the source decides; without it the time stays as given.
    """
    offset = str(header.get("TimezoneOffsetFromUTC", "")).strip()
    if len(offset) != 5 or offset[0] not in "+-" or not offset[1:].isdigit():
        return moment
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    return moment.astimezone(timezone((-1 if offset[0] == "-" else 1) * timedelta(minutes=minutes)))


def person_name(name: str) -> str:
    """Return a name for people as a DICOM person name; one already in components stays.

    >>> person_name("Dr Ada Adams")
    'Dr Ada Adams^'
    >>> person_name("Adams^Ada")
    'Adams^Ada'
    """
    single = short_text(name.replace("=", " "), limit=63)
    return single if "^" in single else f"{single}^"


REPORT_SERIES = "Measurement report"
"""Series description of what a signed report measured: the findings of the report, drawn by nobody."""


def series_description(text: str, *, simulated: bool) -> str:
    """Return a series description (LO, 64 characters) that says so, once, when the data are simulated."""
    return short_text(f"{SIMULATED} {text.removeprefix(SIMULATED).lstrip()}" if simulated else text)


def stamp(ds: Dataset, header: Dataset, moment: datetime) -> None:
    """Replace what the libraries take from the clock by the moment of making, and make it UTF-8."""
    local = local_time(header, moment)
    ds.SpecificCharacterSet = CHARACTER_SET
    ds.InstanceCreationDate, ds.InstanceCreationTime = DA(local.date()), TM(local.time())
    ds.InstanceCreatorUID = UID(device_uid())
    if "TimezoneOffsetFromUTC" in header:
        ds.TimezoneOffsetFromUTC = header.TimezoneOffsetFromUTC
    for observer in ds.get("VerifyingObserverSequence", []):
        observer.VerificationDateTime = DT(moment)
    for equipment in ds.get("ContributingEquipmentSequence", []):
        if equipment.PurposeOfReferenceCodeSequence[0].CodeValue != _ACQUISITION_EQUIPMENT:
            equipment.ContributionDateTime = DT(moment)


def encode(ds: Dataset) -> bytes:
    """Return the object as a DICOM file (PS3.10)."""
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
