"""What is different about an object when it is given out: its bytes never change, its header is written anew.

An *overlay* is DICOM JSON by tag: a value is set, ``None`` removes the attribute, the key ``private`` removes
all private ones. (0008,0005) in an overlay is what the text of an object is written in that does not say so;
it changes nothing of one that does. What an overlay does not name is given out byte for byte as it came.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from pydicom.charset import convert_encodings

from sightline.record.archive import _store as store_
from sightline.record.archive._model import Attributes
from sightline.runtime.db import Db

Overlay: TypeAlias = dict[str, Any]

PRIVATE = "private"
CHARACTER_SET = "00080005"
UTF8 = "ISO_IR 192"
STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"
TEXT = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})


def merge_overlays(study: Overlay | None, series: Overlay | None) -> Overlay | None:
    """Return the overlay of the objects of a series: that of its study and its own, which wins."""
    return {**(study or {}), **(series or {})} or None


def overlay_of(db: Db, series_uid: str) -> Overlay | None:
    """Return the overlay of the objects of a series, None when they are given out as they came."""
    return store_.overlays_of(db, [series_uid]).get(series_uid)


def apply_overlay(attributes: Attributes, overlay: Overlay | None) -> Attributes:
    """Return DICOM JSON with an overlay applied.

    >>> apply_overlay({"00100020": {"vr": "LO"}}, {"00100020": None, "00100040": {"vr": "CS"}})
    {'00100040': {'vr': 'CS'}}
    """
    if not overlay:
        return attributes
    changed = dict(attributes)
    if PRIVATE in overlay:
        changed = _without_private(changed)
    assumed = overlay.get(CHARACTER_SET)
    if assumed and CHARACTER_SET not in changed:
        changed = _decoded_as(changed, assumed["Value"])
        changed[CHARACTER_SET] = {"vr": "CS", "Value": [UTF8]}
    for tag, element in overlay.items():
        if tag in {PRIVATE, CHARACTER_SET}:
            continue
        if element is None:
            changed.pop(tag, None)
        else:
            changed[tag] = element
    return _linked(changed) if {STUDY, SERIES, INSTANCE} & overlay.keys() else changed


def _without_private(attributes: Attributes) -> Attributes:
    public = {tag: element for tag, element in attributes.items() if not int(tag[:4], 16) & 1}
    return {tag: _each_item(element, _without_private) for tag, element in public.items()}


def _each_item(element: Attributes, change: Callable[[Attributes], Attributes]) -> Attributes:
    """Return a sequence with each of its items changed; anything else as it is."""
    if element.get("vr") != "SQ" or "Value" not in element:
        return element
    return {**element, "Value": [change(item) for item in element["Value"]]}


def _decoded_as(attributes: Attributes, stated: Sequence[str]) -> Attributes:
    """Read text again that was read as Latin 1 because its object does not say what it is written in."""
    encoding = convert_encodings(list(stated))[0]

    def again(value: Any) -> Any:
        if isinstance(value, str):
            return value.encode("latin-1", "replace").decode(encoding, "replace")
        if isinstance(value, dict):
            return {group: again(text) for group, text in value.items()}
        return value

    def read(element: Attributes) -> Attributes:
        if element.get("vr") in TEXT and "Value" in element:
            return {**element, "Value": [again(v) for v in element["Value"]]}
        return _each_item(element, lambda item: _decoded_as(item, stated))

    return {tag: read(element) for tag, element in attributes.items()}


def _linked(attributes: Attributes) -> Attributes:
    """Name long values by the UIDs that the object has now."""
    study, series, instance = (
        str((attributes.get(tag, {}).get("Value") or [""])[0]) for tag in (STUDY, SERIES, INSTANCE)
    )
    for tag, element in attributes.items():
        if "BulkDataURI" in element:
            root = element["BulkDataURI"].partition("/studies/")[0]
            address = f"{root}/studies/{study}/series/{series}/instances/{instance}/bulkdata/{tag}"
            attributes[tag] = {**element, "BulkDataURI": address}
    return attributes
