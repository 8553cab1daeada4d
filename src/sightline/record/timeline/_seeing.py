"""Which regions of the body a CT study shows by its images, read once when it has arrived."""

from collections.abc import Sequence

from pydicom import Dataset

from sightline.kernel import clock
from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.record.timeline import _store as store
from sightline.record.timeline._model import Seen
from sightline.runtime.db import Db
from sightline.science import ct
from sightline.trust import access, audit

audit.declare("study.regions", "The regions that a CT shows were read from its images")

METHOD = "ct-rules-1"
FEWEST, EVERY_MM, SHORTEST_MM = 10, 5.0, 60.0
UPRIGHT = 0.9
# The rules call the regions as the ranking does, but for the legs.
_CALLED = {"legs": "extremity"}


def see_study(held: archive.Store, study_uid: str) -> Seen | None:
    """Read the regions of a study's largest transverse CT series, and keep them; None where it has none."""
    with held.database.reading() as db:
        series = _largest_ct(db, study_uid)
        instances = archive.sorted_instances(db, series.uid) if series else []
        seen = _see(held, db, study_uid, _thinned(instances)) if series else None
    if seen is not None:
        with held.database.transaction() as db:
            store.put_seen(db, seen, method=METHOD, at=clock.now())
            regions = [span.region for span in seen.spans]
            audit.record(db, "study.regions", by=access.SYSTEM, on=study_uid, regions=regions, method=METHOD)
    return seen


def _largest_ct(db: Db, study_uid: str) -> archive.Series | None:
    if study_uid not in archive.get_studies(db, [study_uid]):
        return None
    scans = [s for s in archive.series_of_study(db, study_uid) if s.modality == "CT"]
    largest = max(scans, key=lambda s: s.instance_count, default=None)
    return largest if largest and largest.instance_count >= FEWEST else None


def _thinned(instances: Sequence[archive.Instance]) -> list[archive.Instance]:
    """Return images some millimetres apart: more tell no more of where they are."""
    kept: list[archive.Instance] = []
    for instance in instances:
        at = instance.location_mm
        if at is not None and (not kept or abs(at - (kept[-1].location_mm or 0.0)) >= EVERY_MM - 0.01):
            kept.append(instance)
    return kept


def _see(held: archive.Store, db: Db, study_uid: str, instances: Sequence[archive.Instance]) -> Seen | None:
    slices: list[tuple[float, ct.SliceFacts | None]] = []
    frames: set[str] = set()
    for instance in instances:
        try:
            pixels, header = archive.read_pixels(held, db, instance.sop_uid)
        except PlatformError:  # one image that cannot be read says nothing
            continue
        place = _place(header)
        if place is None or pixels.ndim != 2:
            continue
        z_mm, spacing_mm = place
        slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
        slices.append((z_mm, ct.measure_slice(pixels * slope + intercept, spacing_mm)))
        frames.add(str(header.get("FrameOfReferenceUID") or ""))
    if not slices:
        return None
    low_mm, high_mm = min(z for z, _ in slices), max(z for z, _ in slices)
    if high_mm - low_mm < SHORTEST_MM:
        return None
    spans = tuple(
        ct.Span(_CALLED.get(s.region, s.region), s.low_mm, s.high_mm) for s in ct.find_spans(slices)
    )
    frame = frames.pop() if len(frames) == 1 else ""
    return Seen(study_uid, instances[0].series, frame, low_mm, high_mm, spans)


def _place(header: Dataset) -> tuple[float, tuple[float, float]] | None:
    """Return height and spacing (row, column) of a transverse image in mm; None where it is not one."""
    try:
        position = [float(v) for v in header.ImagePositionPatient]
        along, down = (
            [float(v) for v in part]
            for part in (header.ImageOrientationPatient[:3], header.ImageOrientationPatient[3:])
        )
        rows_mm, columns_mm = (float(v) for v in header.PixelSpacing)
        upright = abs(along[0] * down[1] - along[1] * down[0])
    except (AttributeError, TypeError, ValueError, IndexError):
        return None
    if upright < UPRIGHT or not (0 < rows_mm < 10 and 0 < columns_mm < 10):
        return None
    return position[2], (rows_mm, columns_mm)
