"""What a modality says of a performed procedure step (MPPS): is it whole, and what does it tell.

Reads datasets in DICOM JSON; pure. Attributes that the standard wants present but lets be empty (type 2) may
be missing altogether, because many modalities leave them out; those that must have a value may not.
Source: PS3.4 F.7.2, table F.7.2-1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sightline.kernel.dates import parse_date
from sightline.kernel.texts import one_line
from sightline.record.orders._matching import texts_of
from sightline.record.orders._model import Attributes, Performed, Progress, UnusableStep, is_time, is_uid

STATUS = "00400252"
STEP_LINKS = "00400270"
SERIES = "00400340"
_STUDY, _ACCESSION, _STEP_ID, _STEP_SERIES = "0020000D", "00080050", "00400009", "0020000E"
_IMAGES, _OTHERS = "00081140", "00400220"
_CLASS, _INSTANCE = "00081150", "00081155"
_START, _END = ("00400244", "00400245"), ("00400250", "00400251")
_REASON = "00400281"
WRONG_ENTRY = ("110514", "DCM")  # "Incorrect worklist entry selected"
# What an N-SET may not change (table F.7.2-1): a modality that sends it again changes nothing.
FIXED = frozenset({
    "00080005", "00080060", "00081120", "00100010", "00100020", "00100030", "00100040", "00400241",
    "00400244", "00400245", "00400253", STEP_LINKS,
})  # fmt: skip
_NAMES = {
    STATUS: "Performed Procedure Step Status",
    STEP_LINKS: "Scheduled Step Attributes Sequence",
    SERIES: "Performed Series Sequence",
    "00080060": "Modality",
    "00400241": "Performed Station AE Title",
    "00400244": "Performed Procedure Step Start Date",
    "00400245": "Performed Procedure Step Start Time",
    "00400250": "Performed Procedure Step End Date",
    "00400251": "Performed Procedure Step End Time",
    "00400253": "Performed Procedure Step ID",
    _STUDY: "Study Instance UID",
    _STEP_SERIES: "Series Instance UID",
    _CLASS: "Referenced SOP Class UID",
    _INSTANCE: "Referenced SOP Instance UID",
}
MOST_REFERENCES = 200_000
MOST_LINKS = 100


@dataclass(frozen=True, slots=True)
class Link:
    """Which scheduled step a performed one names."""

    study_uid: str
    accession: str
    step_id: str


def check_begun(attributes: Attributes) -> None:
    """Refuse what no performed step can begin with (PS3.4 F.7.2.1)."""
    for tag in ("00400253", "00400241", *_START, STATUS, "00080060", STEP_LINKS):
        _require(attributes, tag)
    if _progress(attributes) is not Progress.UNDER_WAY:
        raise _wrong(STATUS, "must be IN PROGRESS at first")
    _check_values(attributes)
    items = attributes[STEP_LINKS]["Value"]
    if len(items) > MOST_LINKS:
        raise _wrong(STEP_LINKS, f"may name {MOST_LINKS} steps at most")
    for item in items:
        _require(item, _STUDY)
        if not is_uid(texts_of(item[_STUDY])[0]):
            raise _wrong(_STUDY, "is no UID")


def check_changed(attributes: Attributes) -> None:
    """Refuse a state that a performed step cannot come to (PS3.4 F.7.2.2, final state)."""
    _require(attributes, STATUS)
    progress = _progress(attributes)
    _check_values(attributes)
    if progress.final:
        for tag in _END:
            _require(attributes, tag)
    if progress is Progress.COMPLETED:
        _require(attributes, SERIES)
    series = attributes.get(SERIES, {}).get("Value", ())
    for item in series:
        _require(item, _STEP_SERIES)
        if not is_uid(texts_of(item[_STEP_SERIES])[0]):
            raise _wrong(_STEP_SERIES, "is no UID")
    for reference in _references(attributes):
        for tag in (_CLASS, _INSTANCE):
            _require(reference, tag)
            if not is_uid(texts_of(reference[tag])[0]):
                raise _wrong(tag, "is no UID")
    if sum(1 for _ in _references(attributes)) > MOST_REFERENCES:
        raise _wrong(SERIES, f"may name {MOST_REFERENCES} objects at most")


def merged(held: Attributes, changes: Attributes) -> Attributes:
    """Return what is held with a modality's changes; what an N-SET may not change stays as it was."""
    return held | {tag: element for tag, element in changes.items() if tag not in FIXED}


def summary_of(uid: str, attributes: Attributes) -> Performed:
    """Return what is shown of a performed step."""
    return Performed(
        uid=uid,
        study_uid=links_of(attributes)[0].study_uid,
        status=_progress(attributes),
        station_ae=one_line(_first(attributes, "00400241"))[:16],
        modality=one_line(_first(attributes, "00080060"))[:16],
        started_at=" ".join(_first(attributes, tag) for tag in _START),
        ended_at=" ".join(text for tag in _END if (text := _first(attributes, tag))),
        series=len(attributes.get(SERIES, {}).get("Value", ())),
        images=len(references_of(attributes)),
    )


def links_of(attributes: Attributes) -> list[Link]:
    """Return which scheduled steps are named."""
    items = attributes[STEP_LINKS].get("Value", ())
    return [Link(_first(i, _STUDY), _first(i, _ACCESSION), _first(i, _STEP_ID)) for i in items]


def references_of(attributes: Attributes) -> dict[str, str]:
    """Return the SOP class of each object that was made, by its UID."""
    return {_first(item, _INSTANCE): _first(item, _CLASS) for item in _references(attributes)}


def is_mistaken(attributes: Attributes) -> bool:
    """Say whether it was ended because the wrong row of the worklist had been chosen."""
    reasons = attributes.get(_REASON, {}).get("Value", ())
    coded = {
        (_first(item, "00080100"), _first(item, "00080102")) for item in reasons if isinstance(item, dict)
    }
    return _progress(attributes) is Progress.DISCONTINUED and WRONG_ENTRY in coded


def _references(attributes: Attributes) -> Iterator[Attributes]:
    for item in attributes.get(SERIES, {}).get("Value", ()):
        for tag in (_IMAGES, _OTHERS):
            yield from item.get(tag, {}).get("Value") or ()


def _progress(attributes: Attributes) -> Progress:
    try:
        return Progress(_first(attributes, STATUS).lower())
    except ValueError:
        raise _wrong(STATUS, "must be IN PROGRESS, COMPLETED or DISCONTINUED") from None


def _check_values(attributes: Attributes) -> None:
    for tag in (_START[0], _END[0]):
        text = _first(attributes, tag)
        if text and (len(text) != 8 or parse_date(text) is None):
            raise _wrong(tag, "is no date")
    for tag in (_START[1], _END[1]):
        text = _first(attributes, tag)
        if text and not is_time(text):
            raise _wrong(tag, "is no time")
    for tag in (STEP_LINKS, SERIES):
        if any(not isinstance(item, dict) for item in attributes.get(tag, {}).get("Value") or ()):
            raise _wrong(tag, "must be a sequence")
    for item in attributes.get(SERIES, {}).get("Value") or ():
        for tag in (_IMAGES, _OTHERS):
            if any(not isinstance(part, dict) for part in item.get(tag, {}).get("Value") or ()):
                raise _wrong(tag, "must be a sequence")


def _require(attributes: Attributes, tag: str) -> None:
    if tag not in attributes:
        raise UnusableStep("missing", tag, f"{_NAMES[tag]} is missing.")
    element = attributes[tag]
    if not (element.get("Value") if element["vr"] == "SQ" else texts_of(element)):
        raise UnusableStep("empty", tag, f"{_NAMES[tag]} is empty.")


def _wrong(tag: str, why: str) -> UnusableStep:
    return UnusableStep("wrong", tag, f"{_NAMES.get(tag, tag)} {why}.")


def _first(attributes: Attributes, tag: str) -> str:
    texts = texts_of(attributes.get(tag))
    return texts[0] if texts else ""
