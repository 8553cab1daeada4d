"""What may be set in what is given out: which attributes at which level, and values that their VR allows.

UIDs, pixels and what describes them are never among them: who changes those makes another object.
Sources: PS3.3 C.7.1.1 (patient), C.7.2 (study), C.7.3 (series), PS3.5 6.2 (value representations).
"""

import warnings
from typing import Any, Final

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.valuerep import validate_value

from sightline.kernel.errors import Invalid
from sightline.record.archive._model import Attributes
from sightline.record.archive._overlay import CHARACTER_SET, PRIVATE, Overlay

PATIENT: Final = ("PatientName", "PatientBirthDate", "PatientSex")
STUDY: Final = (
    "StudyDate", "StudyTime", "AccessionNumber", "StudyID", "StudyDescription", "ReferringPhysicianName",
    "PatientAge", "PatientSize", "PatientWeight", "AdditionalPatientHistory", "AdmissionID",
    "PatientComments", "NameOfPhysiciansReadingStudy", "RequestingService",
)  # fmt: skip
SERIES: Final = (
    "Modality", "SeriesNumber", "SeriesDescription", "SeriesDate", "SeriesTime", "BodyPartExamined",
    "Laterality", "ProtocolName", "PerformingPhysicianName", "OperatorsName", "InstitutionName",
    "InstitutionalDepartmentName", "StationName", "Manufacturer", "ManufacturerModelName",
)  # fmt: skip
# What a coercion may set besides: whom the object is of.
IDENTITY: Final = ("PatientID", "IssuerOfPatientID")

_TEXT = frozenset({"AE", "AS", "CS", "DA", "DS", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UT", "UC"})
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_LONGEST = 1024


class NotEditable(Invalid):
    """This attribute cannot be changed here; the message names those that can."""


class InvalidValue(Invalid):
    """The attribute cannot have this value; the message says what it must be like."""


def tag_of(keyword: str) -> str:
    """Return the tag of an attribute as DICOM JSON names it.

    >>> tag_of("PatientID")
    '00100020'
    """
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise NotEditable(f"No attribute is called {keyword[:64]!r}; use a keyword of PS3.6.")
    return f"{tag:08X}"


def element_of(keyword: str, value: str | None) -> Attributes | None:
    """Return an attribute in DICOM JSON, None where it is to be removed.

    Raises
    ------
    InvalidValue
        If its value representation does not allow the value.

    Examples
    --------
    >>> element_of("PatientBirthDate", "19600102")
    {'vr': 'DA', 'Value': ['19600102']}
    """
    if value is None:
        return None
    vr = dictionary_VR(int(tag_of(keyword), 16))
    if vr not in _TEXT:
        raise NotEditable(f"{keyword} has the value representation {vr}, which cannot be set here.")
    text = value.strip()
    if len(text) > _LONGEST or any(ord(c) < 32 and c not in "\n\r\t" for c in text) or "\\" in text:
        raise InvalidValue(f"{keyword} must be one value of at most {_LONGEST} characters of text.")
    if not text:
        return {"vr": vr}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            validate_value(vr, text, config.RAISE)
            return {"vr": vr, "Value": [_json_value(vr, text)]}
    except ValueError:
        raise InvalidValue(f"{keyword} cannot have this value: it is not a valid {vr} (PS3.5 6.2).") from None


def _json_value(vr: str, text: str) -> Any:
    if vr == "PN":
        groups = (part.strip() for part in text.split("=", 2))
        return {name: group for name, group in zip(_GROUPS, groups, strict=False) if group}
    return int(text) if vr == "IS" else float(text) if vr == "DS" else text


def text_of(element: Attributes | None) -> str | None:
    """Return the first value of an attribute as text, None where there is none."""
    values = (element or {}).get("Value")
    if not values or values[0] is None:
        return None
    if isinstance(values[0], dict):
        return "=".join(str(values[0].get(group, "")) for group in _GROUPS).rstrip("=")
    return str(values[0])


def changes_of(changes: dict[str, str | None], allowed: tuple[str, ...]) -> Overlay:
    """Return changes by keyword as an overlay; refuse what may not be changed here."""
    refused = sorted(set(changes) - set(allowed))
    if refused:
        raise NotEditable(
            f"{refused[0][:64]} cannot be changed here; what can: {', '.join(sorted(allowed))}."
        )
    return {tag_of(keyword): element_of(keyword, value) for keyword, value in changes.items()}


_OF_STUDY = frozenset(map(tag_of, (*PATIENT, *STUDY, *IDENTITY)))


def split_levels(overlay: Overlay) -> tuple[Overlay, Overlay]:
    """Return the parts of an overlay that hold for the whole study, and for its series only."""
    study = {tag: element for tag, element in overlay.items() if tag in _OF_STUDY}
    return study, {tag: element for tag, element in overlay.items() if tag not in study}


def changed_attributes(overlay: Overlay) -> list[str]:
    """Return the tags that an overlay names, without what is no attribute."""
    return sorted(tag for tag in overlay if tag not in {PRIVATE, CHARACTER_SET})
