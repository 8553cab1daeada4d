"""All annotations of a study, read from the objects that the archive holds."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydicom import Dataset

from sightline.kernel.errors import PlatformError
from sightline.record import archive, derived
from sightline.record.annotations import _documents as documents
from sightline.record.annotations import _images as images
from sightline.record.annotations._model import (
    Annotations,
    ImageNotInStudy,
    KeyImage,
    Measurement,
    Origin,
    Presentation,
    Segmentation,
    Unread,
    UnusableAnnotation,
)
from sightline.runtime.db import Db

log = structlog.get_logger(__name__)

MODALITIES = frozenset({"SR", "KO", "PR", "SEG"})
MOST_OBJECTS = 500
# Doses and the like: structured reports in which nobody draws.
_NOT_DRAWN = frozenset({"1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.68"})


@dataclass(frozen=True, slots=True)
class Document:
    """One object with annotations in it, as it is held."""

    kind: str
    header: Dataset
    origin: Origin

    @property
    def number(self) -> int:
        """Return which version of its series it is."""
        return int(self.header.get("InstanceNumber") or 0)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a study holds: the newest version of each object, and what is in it."""

    documents: list[Document]
    measurements: list[Measurement]
    key_images: list[KeyImage]
    presentations: list[Presentation]
    segmentations: list[Segmentation]
    unread: list[Unread]

    def of_series(self, series_uid: str) -> list[Document]:
        """Return the documents of a series."""
        return [d for d in self.documents if d.origin.series_uid == series_uid]

    @property
    def version(self) -> str:
        """Return what changes whenever an object does."""
        uids = sorted(d.origin.sop_uid for d in self.documents)
        return hashlib.sha256("\n".join(uids).encode()).hexdigest()[:16]

    def standing(self) -> Annotations:
        """Return what stands: of our own measurements under one UID, the one saved last."""
        by_uid: dict[str, Measurement] = {}
        others: list[Measurement] = []
        for m in self.measurements:
            if m.source is not None and m.source.ours and m.kind != "segment":
                by_uid.pop(m.uid, None)
                by_uid[m.uid] = m
            else:
                others.append(m)
        return Annotations(
            self.version,
            [*by_uid.values(), *others],
            self.key_images,
            self.presentations,
            self.segmentations,
            self.unread,
        )


def gather(held: archive.Store, db: Db, study_uid: str, *, person: str = "") -> Gathered:
    """Return what people and programs drew on a study; `person` is the id of whose own is told apart."""
    unread: list[Unread] = []
    with derived.unquoted():
        found = _newest(list(_documents(held, db, study_uid, person, unread)))
    gathered = Gathered(found, [], [], [], [], unread)
    for document in found:
        try:
            with derived.unquoted():
                _read(document, gathered)
        except (PlatformError, AttributeError, TypeError, ValueError, KeyError, IndexError) as error:
            words = (
                str(error) if isinstance(error, PlatformError) else "It is not built as the standard says."
            )
            unread.append(Unread(document.origin.sop_uid, document.kind, words))
    return replace(
        gathered,
        measurements=_placed(db, gathered.measurements),
        presentations=_inverted(db, gathered.presentations),
    )


def _documents(
    held: archive.Store, db: Db, study_uid: str, person: str, unread: list[Unread]
) -> Iterator[Document]:
    count = 0
    for series in archive.series_of_study(db, study_uid):
        if series.modality not in MODALITIES:
            continue
        for instance in archive.find_instances(db, archive.InstanceQuery(series=series.uid)):
            count += 1
            if instance.sop_class in _NOT_DRAWN:
                continue
            if count > MOST_OBJECTS:
                reason = f"Only the first {MOST_OBJECTS} objects of a study are read."
                unread.append(Unread(instance.sop_uid, series.modality, reason))
                return
            try:
                header = archive.read_dataset(held, db, instance.sop_uid, pixels=False)
                document = Document(series.modality, header, _origin(header, study_uid, person))
                if not _is_report(document):
                    yield document
            except Exception as error:  # noqa: BLE001  a file may be broken in any way
                log.warning("an object cannot be read", error=type(error).__name__)
                unread.append(Unread(instance.sop_uid, series.modality, "The file cannot be read."))


def _is_report(document: Document) -> bool:
    """Say whether an object is our own of a signed report: what it measures is shown as the findings."""
    description = str(document.header.get("SeriesDescription") or "")
    return document.origin.ours and document.kind == "SR" and derived.REPORT_SERIES in description


def _origin(ds: Dataset, study_uid: str, person: str) -> Origin:
    ours = str(ds.get("InstanceCreatorUID") or "") == derived.device_uid()
    title = ds.get("ConceptNameCodeSequence")
    return Origin(
        sop_uid=str(ds.SOPInstanceUID),
        series_uid=str(ds.SeriesInstanceUID),
        by=_author(ds),
        at=_moment(ds),
        ours=ours,
        own=ours and bool(person) and _is_own(ds, study_uid, person),
        title=str(title[0].get("CodeMeaning", "")) if title else str(ds.get("SeriesDescription") or ""),
    )


def _is_own(ds: Dataset, study_uid: str, person: str) -> bool:
    """Say whether a person's own series holds an object, or it names the person as its maker."""
    if documents.identity_of(ds) == person:
        return True
    note = documents.note_of(ds) if ds.get("Modality") == "KO" else ""
    return str(ds.SeriesInstanceUID) == documents.series_uid_for(
        study_uid, person, str(ds.get("Modality", "")), note
    )


def _author(ds: Dataset) -> str:
    """Return who made an object: the observer of a report, or the creator of the content."""
    for item in ds.get("ContentSequence") or []:
        name = item.get("ConceptNameCodeSequence")
        if name and str(name[0].get("CodeValue", "")) == "121008":
            return str(item.get("PersonName") or "").rstrip("^")
    return str(ds.get("ContentCreatorName") or "").rstrip("^")


def _moment(ds: Dataset) -> str:
    """Return when the content was made, as ISO 8601 without a zone; empty where it does not say."""
    day = str(ds.get("ContentDate") or ds.get("PresentationCreationDate") or "")
    time = str(ds.get("ContentTime") or ds.get("PresentationCreationTime") or "")
    if len(day) != 8 or len(time) < 6:
        return ""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}"


def _newest(found: Sequence[Document]) -> list[Document]:
    """Return what no newer object replaces, oldest first.

    A report names its predecessors; of the objects of ours in one series, the last is the one that counts.
    """
    replaced = {
        str(sop.get("ReferencedSOPInstanceUID", ""))
        for document in found
        for study in document.header.get("PredecessorDocumentsSequence") or []
        for series in study.get("ReferencedSeriesSequence") or []
        for sop in series.get("ReferencedSOPSequence") or []
    }
    last: dict[str, Document] = {}
    for document in found:
        if document.origin.ours:
            key = document.origin.series_uid
            last[key] = max(document, last.get(key, document), key=lambda d: (d.number, d.origin.at))
    kept = [
        d
        for d in found
        if d.origin.sop_uid not in replaced and (not d.origin.ours or d is last[d.origin.series_uid])
    ]
    return sorted(kept, key=lambda d: (d.origin.at, d.number, d.origin.sop_uid))


def _read(document: Document, into: Gathered) -> None:
    ds, origin = document.header, document.origin
    reasons: list[str] = []
    if document.kind == "SR":
        found = documents.read_measurements(ds, origin, {})
        into.measurements.extend(found.measurements)
        reasons = found.reasons
    elif document.kind == "KO":
        if documents.is_rejection(ds):
            return
        into.key_images.extend(documents.read_selection(ds, origin))
    elif document.kind == "PR":
        presentation, reasons = documents.read_presentation(ds, origin)
        into.presentations.append(presentation)
    else:
        into.segmentations.append(documents.read_segmentation(ds, origin))
    into.unread.extend(Unread(origin.sop_uid, document.kind, reason) for reason in reasons)


def _placed(db: Db, measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return measurements on images of this study with their places in the patient."""
    uids = list({m.sop_uid for m in measurements if m.sop_uid})
    headers = headers_of(db, uids)
    placed = []
    for m in measurements:
        header = headers.get(m.sop_uid)
        if header is not None and m.points_px is not None:
            m = _with_place(m, header)  # noqa: PLW2901
        placed.append(m)
    return placed


def _with_place(m: Measurement, header: Dataset) -> Measurement:
    place = images.place_of(header, m.frame)
    series_uid = m.series_uid or str(header.get("SeriesInstanceUID", ""))
    if place is None or m.points_px is None:
        return replace(m, series_uid=series_uid)
    points = [(float(x), float(y), float(z)) for x, y, z in place.to_patient(m.points_px)]
    uid = str(header.get("FrameOfReferenceUID") or "")
    return replace(m, series_uid=series_uid, points_lps_mm=points, frame_of_reference_uid=uid)


def _inverted(db: Db, presentations: Sequence[Presentation]) -> list[Presentation]:
    """Return presentations with `invert` as a change of how their images show themselves."""
    headers = headers_of(db, list({p.images[0].sop_uid for p in presentations}))
    return [
        replace(p, invert=not p.invert)
        if p.images[0].sop_uid in headers and documents.is_inverse(headers[p.images[0].sop_uid])
        else p
        for p in presentations
    ]


_AT_ONCE = 200


def headers_of(db: Db, sop_uids: Sequence[str]) -> dict[str, Dataset]:
    """Return the headers of instances as they are given out, by SOP Instance UID, without pixels."""
    found: dict[str, Dataset] = {}
    for start in range(0, len(sop_uids), _AT_ONCE):
        asked = archive.InstanceQuery(sop_uids=sop_uids[start : start + _AT_ONCE])
        with derived.unquoted():
            for attributes in json.loads(archive.metadata_json(db, asked)):
                header = Dataset.from_json(_without_bulk(attributes))
                found[str(header.SOPInstanceUID)] = header
    return found


def _without_bulk(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        tag: element
        for tag, element in attributes.items()
        if "BulkDataURI" not in element and tag != "7FE00010"
    }


def require_images(db: Db, study_uid: str, sop_uids: Sequence[str]) -> dict[str, Dataset]:
    """Return the headers of images of a study.

    Raises
    ------
    ImageNotInStudy
        If one is not held, or belongs to another study.
    """
    found = headers_of(db, sop_uids)
    for uid in sop_uids:
        header = found.get(uid)
        if header is None or str(header.get("StudyInstanceUID", "")) != study_uid:
            raise ImageNotInStudy("An annotation is on an image that this study does not hold; reload it.")
        if not header.get("Rows"):
            raise UnusableAnnotation("An annotation is on an object without pixels.")
    return found
