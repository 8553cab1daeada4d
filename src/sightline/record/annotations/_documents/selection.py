"""Key images as Key Object Selections: one document for each note, for a selection has one description."""

from collections.abc import Mapping, Sequence

import highdicom as hd
from pydicom import Dataset
from pydicom.sr.codedict import codes

from sightline.record import derived
from sightline.record.annotations import _images as images
from sightline.record.annotations._documents import _authoring as authoring
from sightline.record.annotations._documents._authoring import Author
from sightline.record.annotations._documents._concepts import first, name_key
from sightline.record.annotations._model import KeyImage, Origin, is_uid

SERIES_NUMBER = 911
DESCRIPTION = ("113012", "DCM")
# CID 7011: what is rejected, not selected.
_REJECTIONS = frozenset({"113001", "113037", "113038", "113039"})


def build_selection(
    selected: Sequence[KeyImage],
    source: Mapping[str, Dataset],
    author: Author,
    *,
    series_uid: str,
    version: int,
) -> hd.ko.KeyObjectSelectionDocument:
    """Return the selection of images that share a note, titled *Of Interest*.

    Parameters
    ----------
    selected : at least one, of one note
    source : headers of their images, by SOP Instance UID

    References
    ----------
    PS3.3 A.35.4 (IOD), PS3.16 TID 2010, CID 7010.
    """
    uids = list(dict.fromkeys(image.sop_uid for image in selected))
    sources = [source[uid] for uid in uids]
    headers = derived.read_headers(sources, named=False)
    by_uid = dict(zip(uids, headers, strict=True))
    note = as_note(selected[0].note)
    content = hd.ko.KeyObjectSelection(
        document_title=codes.DCM.OfInterest,
        referenced_objects=[by_uid[image.sop_uid] for image in selected],
        observer_person_context=authoring.person(author),
        observer_device_context=authoring.device(),
        description=note or None,
    )
    _name_frames(content[0].ContentSequence, selected, by_uid)
    arguments = authoring.common(headers, author, series_uid=series_uid, version=version)
    document = hd.ko.KeyObjectSelectionDocument(
        evidence=headers,
        content=content,
        series_number=SERIES_NUMBER,
        series_description=derived.series_description("Key images", simulated=author.simulated),
        **arguments,
    )
    authoring.finish(document, sources[0], headers[0], author)
    return document


def _name_frames(
    items: Sequence[Dataset], selected: Sequence[KeyImage], headers: Mapping[str, Dataset]
) -> None:
    """Say which frame of a multi-frame image is meant; the library refers to whole objects."""
    named = [item for item in items if item.ValueType == "IMAGE"]
    for item, image in zip(named, selected, strict=True):
        if images.has_frames(headers[image.sop_uid]):
            item.ReferencedSOPSequence[0].ReferencedFrameNumber = image.frame


def as_note(text: str) -> str:
    """Return a note as it is kept and compared."""
    return derived.plain(text).strip()


def note_of(ds: Dataset) -> str:
    """Return the note of a selection as it is kept and compared."""
    items = ds.get("ContentSequence") or []
    return next((as_note(str(i.get("TextValue", ""))) for i in items if name_key(i) == DESCRIPTION), "")


def is_rejection(ds: Dataset) -> bool:
    """Say whether a selection rejects what it names (IHE RAD TF-3 4.66)."""
    return name_key(ds)[0] in _REJECTIONS


def read_selection(ds: Dataset, origin: Origin) -> list[KeyImage]:
    """Return the images that a selection names, each with the description of the whole."""
    series = {
        str(sop.get("ReferencedSOPInstanceUID", "")): str(group.get("SeriesInstanceUID", ""))
        for study in ds.get("CurrentRequestedProcedureEvidenceSequence") or []
        for group in study.get("ReferencedSeriesSequence") or []
        for sop in group.get("ReferencedSOPSequence") or []
    }
    note = note_of(ds)[:1000]
    found: list[tuple[str, int]] = []
    for item in ds.get("ContentSequence") or []:
        reference = first(item, "ReferencedSOPSequence")
        if item.get("ValueType") == "IMAGE" and reference is not None:
            uid = str(reference.get("ReferencedSOPInstanceUID", ""))
            frames = reference.get("ReferencedFrameNumber") or [1]
            numbers = [int(frames)] if isinstance(frames, int | str) else [int(f) for f in frames]
            found += [(uid, number) for number in numbers]
    return [
        KeyImage(uid, series.get(uid, ""), frame, note, origin)
        for uid, frame in found
        if is_uid(uid) and is_uid(series.get(uid, ""))
    ]
