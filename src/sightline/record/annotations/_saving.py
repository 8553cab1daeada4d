"""Saving: measure, compare with what is held, write what has changed, keep the findings in step.

The objects are written first, each durable before the next; then one transaction removes the working copy,
brings the findings in step and tells the audit trail. When that is cut short, saving the same again finds
the objects written and does the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from sightline.kernel import clock
from sightline.record import archive, derived
from sightline.record.annotations import _documents as documents
from sightline.record.annotations import _images as images
from sightline.record.annotations import _store as store
from sightline.record.annotations._documents import Author
from sightline.record.annotations._findings import keep_in_step
from sightline.record.annotations._gathering import Gathered, gather, headers_of, require_images
from sightline.record.annotations._measuring import Image, measure
from sightline.record.annotations._model import (
    AnnotationsChangedMeanwhile,
    Content,
    ImageNotInStudy,
    KeyImage,
    Measurement,
    Presentation,
    UnusableAnnotation,
    Written,
)
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("annotation.save", "A person's annotations became DICOM objects")

REPLACED = "113001"  # Rejected for Quality Reasons: the only reason of CID 7011 that fits a withdrawal


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of saving: objects written, objects taken back, and the measurements as they stand."""

    study_uid: str
    patient: str
    measurements: list[Measurement]
    before: list[Measurement]
    written: list[Written] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def write_objects(
    held: archive.Store, study_uid: str, content: Content, *, by: access.Person, version: str = ""
) -> Saved:
    """Write what a person drew as DICOM objects; what is unchanged is not written again.

    Raises
    ------
    AnnotationsChangedMeanwhile
        If `version` is given and is not what stands.
    MeasuredOtherwise, UnusableAnnotation, ImageNotInStudy
        If something of it cannot be right; then nothing is written.
    """
    access.require(by, "archive.store", on=study_uid)
    with held.database.reading() as db:
        study = archive.get_study(db, study_uid)
        gathered = gather(held, db, study_uid, person=by.id)
        if version and version != gathered.version:
            raise AnnotationsChangedMeanwhile(
                "Annotations of this study were saved since these were loaded; load them again, then save."
            )
        author = Author(by.id, by.name, clock.now(), study.simulated)
        headers = require_images(db, study_uid, _images_of(content))
        with derived.unquoted():
            measured, remarks = _measured(held, db, study_uid, content.measurements, headers)
        plan = _Plan(held, db, study_uid, gathered, headers, author)
        with derived.unquoted():
            objects = [*plan.report(measured), *plan.selections(content), *plan.presentations(content)]
        gone = plan.gone(content)
    source = archive.Source("internal", "annotations", by)
    written = []
    for kind, ds in objects:
        archive.store_dataset(held, ds, source)
        written.append(Written(kind, str(ds.SOPInstanceUID), str(ds.SeriesInstanceUID)))
    if gone:
        archive.reject(held, study_uid, REPLACED, note="Taken back by its maker.", by=by, series_uids=gone)
    before = [m for m in gathered.measurements if m.source is not None and m.source.own]
    return Saved(study_uid, study.patient, measured, before, written, gone, remarks)


def conclude(db: Db, saved: Saved, *, by: access.Person, with_findings: bool) -> list[str]:
    """Remove the working copy and bring the findings in step; return the ids of those that changed."""
    access.require(by, "archive.store", on=saved.study_uid)
    changed: list[str] = []
    if with_findings and access.allowed(by, "finding.mark"):
        changed = keep_in_step(db, saved.study_uid, saved.patient, saved.before, saved.measurements, by=by)
    dropped = store.drop_draft(db, saved.study_uid, by.id)
    if saved.written or saved.withdrawn or dropped or changed:
        audit.record(
            db, "annotation.save", by=by, on=saved.study_uid,
            objects=[[w.kind, w.sop_uid] for w in saved.written], withdrawn=saved.withdrawn,
            measurements=[m.uid for m in saved.measurements], findings=changed,
        )  # fmt: skip
    return changed


def _images_of(content: Content) -> list[str]:
    uids = [m.sop_uid for m in content.measurements if m.on_image]
    uids += [k.sop_uid for k in content.key_images]
    uids += [image.sop_uid for p in content.presentations for image in p.images]
    return list(dict.fromkeys(uids))


def _measured(
    held: archive.Store,
    db: Db,
    study_uid: str,
    measurements: Sequence[Measurement],
    headers: dict[str, Dataset],
) -> tuple[list[Measurement], list[str]]:
    for m in measurements:
        if not m.on_image:
            _require_series(db, study_uid, m)
    decoded: dict[tuple[str, int], tuple[NDArray[np.float64], str] | None] = {}

    def image_of(sop_uid: str) -> Image:
        def frame(number: int) -> tuple[NDArray[np.float64], str] | None:
            key = (sop_uid, number)
            if key not in decoded:
                decoded.clear()  # one image at a time: measurements come image by image
                decoded[key] = _pixels(held, db, sop_uid, number)
            return decoded[key]

        return Image(headers[sop_uid], frame)

    return measure(measurements, image_of)


def _pixels(held: archive.Store, db: Db, sop_uid: str, number: int) -> tuple[NDArray[np.float64], str] | None:
    """Return the values of a grey frame and their unit; None where there are none."""
    try:
        stored, header = archive.read_pixels(held, db, sop_uid, number, raw=True)
    except (archive.FrameNotDecodable, archive.FrameNotHeld):
        return None
    if stored.ndim != 2 or str(header.get("PhotometricInterpretation", "")) == "PALETTE COLOR":
        return None
    return images.pixel_values(stored, header, number), images.pixel_unit(header)


def _require_series(db: Db, study_uid: str, m: Measurement) -> None:
    header = first_header(db, m.series_uid)
    if header is None or str(header.get("StudyInstanceUID", "")) != study_uid:
        raise ImageNotInStudy("A measurement names a series that this study does not hold; load it again.")
    if str(header.get("FrameOfReferenceUID") or "") != m.frame_of_reference_uid:
        raise UnusableAnnotation("A measurement lies in another frame of reference than its series.")


def first_header(db: Db, series_uid: str) -> Dataset | None:
    """Return the header of the first instance of a series, None where there is none."""
    found = archive.find_instances(db, archive.InstanceQuery(series=series_uid), limit=1)
    uids = [instance.sop_uid for instance in found]
    return next(iter(headers_of(db, uids).values()), None)


Built = tuple[Any, Dataset]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which objects are to be written so that what is held says what was sent."""

    held: archive.Store
    db: Db
    study_uid: str
    gathered: Gathered
    headers: dict[str, Dataset]
    author: Author

    def report(self, measured: Sequence[Measurement]) -> list[Built]:
        """Return the report, unless the one that stands says the same."""
        series_uid = documents.series_uid_for(self.study_uid, self.author.id, "SR")
        standing = {m.uid: m for m in self.gathered.standing().measurements}
        mine = [m for m in measured if not _is_anothers(standing.get(m.uid), m)]
        previous = next(iter(self.gathered.of_series(series_uid)), None)
        kept = [m for m in self.gathered.measurements if m.source and m.source.series_uid == series_uid]
        if _same_measurements(kept, mine) or (previous is None and not mine):
            return []
        source = [self.headers[m.sop_uid] for m in mine if m.on_image]
        source += [
            h for m in mine if not m.on_image and (h := first_header(self.db, m.series_uid)) is not None
        ]
        if not source:
            source = self._any_image(kept)
        unique = list({str(ds.SOPInstanceUID): ds for ds in source}.values())
        ds = documents.build_measurements(
            mine,
            unique,
            self.author,
            series_uid=series_uid,
            version=(previous.number if previous else 0) + 1,
            previous=previous.header if previous else None,
        )
        return [("SR", ds)]

    def _any_image(self, kept: Sequence[Measurement]) -> list[Dataset]:
        """Return an image for a report without measurements to refer to."""
        found = headers_of(self.db, [m.sop_uid for m in kept if m.sop_uid][:1])
        if not found:
            series = [s.uid for s in archive.series_of_study(self.db, self.study_uid) if s.frame_count]
            found = {uid: h for uid in series[:1] if (h := first_header(self.db, uid)) is not None}
        return list(found.values())

    def selections(self, content: Content) -> list[Built]:
        """Return the selections of key images whose images changed, one a note."""
        built: list[Built] = []
        for note, selected in _by_note(content.key_images).items():
            series_uid = documents.series_uid_for(self.study_uid, self.author.id, "KO", note)
            kept = [k for k in self.gathered.key_images if k.source and k.source.series_uid == series_uid]
            mine = [k for k in selected if not self._anothers_key(k)]
            if not mine or _keys(kept) == _keys(mine):
                continue
            previous = next(iter(self.gathered.of_series(series_uid)), None)
            version = (previous.number if previous else 0) + 1
            ds = documents.build_selection(
                mine, self.headers, self.author, series_uid=series_uid, version=version
            )
            built.append(("KO", ds))
        return built

    def _anothers_key(self, key: KeyImage) -> bool:
        return any(
            _keys([other]) == _keys([key])
            and other.note == key.note
            and not (other.source and other.source.own)
            for other in self.gathered.key_images
        )

    def presentations(self, content: Content) -> list[Built]:
        """Return the presentation states that changed."""
        standing = {p.uid: p for p in self.gathered.presentations}
        built: list[Built] = []
        for shown in content.presentations:
            kept = standing.get(shown.uid)
            header = self.headers[shown.images[0].sop_uid]
            if kept is not None and _same_presentation(kept, shown, header):
                continue
            if kept is not None and not (kept.source and kept.source.ours):
                raise UnusableAnnotation(
                    "A presentation of another program cannot be changed; save a new one."
                )
            if kept is None:
                self._require_free(shown.uid)
            previous = next(iter(self.gathered.of_series(shown.uid)), None)
            version = (previous.number if previous else 0) + 1
            ds = documents.build_presentation(shown, self.headers, self.author, version=version)
            built.append(("PR", ds))
        return built

    def _require_free(self, uid: str) -> None:
        if archive.find_series(self.db, archive.SeriesQuery(series_uids=[uid]), limit=1).items:
            raise UnusableAnnotation("The UID of a presentation is that of something else; make a new one.")

    def gone(self, content: Content) -> list[str]:
        """Return the series of the person's own selections and presentations that were left out."""
        shown = {p.uid for p in content.presentations}
        gone = [
            p.source.series_uid
            for p in self.gathered.presentations
            if p.source and p.source.own and p.uid not in shown
        ]
        left = {
            documents.series_uid_for(self.study_uid, self.author.id, "KO", note)
            for note in _by_note(content.key_images)
        }
        gone += [
            k.source.series_uid
            for k in self.gathered.key_images
            if k.source and k.source.own and k.source.series_uid not in left
        ]
        return list(dict.fromkeys(gone))


def _by_note(selected: Sequence[KeyImage]) -> dict[str, list[KeyImage]]:
    by_note: dict[str, dict[tuple[str, int], KeyImage]] = {}
    for key in selected:
        by_note.setdefault(documents.as_note(key.note), {})[(key.sop_uid, key.frame)] = key
    return {note: list(keys.values()) for note, keys in by_note.items()}


def _keys(selected: Sequence[KeyImage]) -> set[tuple[str, int]]:
    return {(key.sop_uid, key.frame) for key in selected}


def _is_anothers(standing: Measurement | None, m: Measurement) -> bool:
    """Say whether somebody else's object says the same already."""
    if standing is None or standing.source is None or standing.source.own:
        return False
    return _same_measurement(standing, m)


def _same_measurements(kept: Sequence[Measurement], mine: Sequence[Measurement]) -> bool:
    by_uid = {m.uid: m for m in kept}
    return by_uid.keys() == {m.uid for m in mine} and all(_same_measurement(by_uid[m.uid], m) for m in mine)


def _same_measurement(a: Measurement, b: Measurement) -> bool:
    """Say whether two measurements say the same, but for what single precision rounds."""
    place = ("kind", "series_uid", "sop_uid", "frame", "calibration")
    if any(getattr(a, name) != getattr(b, name) for name in place) or a.label.strip() != b.label.strip():
        return False
    own = (a.points_px, b.points_px) if b.on_image else (a.points_lps_mm, b.points_lps_mm)
    if not _near(*own, tolerance=2e-3):
        return False
    numbers = [[(v.name, v.unit) for v in m.values] for m in (a, b)]
    values = [[v.value for v in m.values] for m in (a, b)]
    return numbers[0] == numbers[1] and bool(np.allclose(values[0], values[1], rtol=1e-3, atol=1e-3))


def _near(a: Sequence[Any] | None, b: Sequence[Any] | None, *, tolerance: float) -> bool:
    if a is None or b is None or len(a) != len(b):
        return a is None and b is None
    return bool(np.allclose(np.asarray(a, dtype=float), np.asarray(b, dtype=float), rtol=0, atol=tolerance))


def _same_presentation(kept: Presentation, shown: Presentation, header: Dataset) -> bool:
    """Say whether two presentations say the same; without a window the image's own is written."""
    if shown.window is None:
        shown = replace(shown, window=images.window_of(header, (shown.images[0].frames or [1])[0]))
    plain: dict[str, Any] = {"source": None, "editable": True, "graphics": [], "layer": "", "area": None}
    label = derived.short_text(shown.label)
    if replace(kept, **plain) != replace(shown, label=label, **plain):
        return False
    if shown.area is not None:
        corners = [[p.area.top_left, p.area.bottom_right] if p.area else None for p in (kept, shown)]
        if not _near(*corners, tolerance=1.0):
            return False
    drawn = [[(g.kind, g.text) for g in p.graphics] for p in (kept, shown)]
    return drawn[0] == drawn[1] and all(
        _near(_open(a.points), _open(b.points), tolerance=2e-3)
        for a, b in zip(kept.graphics, shown.graphics, strict=True)
    )


def _open(points: Sequence[Any]) -> Sequence[Any]:
    return points[:-1] if len(points) > 2 and points[0] == points[-1] else points
