"""What of a study may lie over a series: told from headers, read once."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from pydicom import Dataset

from sightline.care.display import _contours as contours
from sightline.care.display import _fields as fields
from sightline.care.display import _segments as segments
from sightline.care.display._model import Context, NotAnOverlay, Overlay, OverlayNotHeld, Slices
from sightline.care.display._views import slices_of
from sightline.kernel.errors import PlatformError
from sightline.record import archive, derived
from sightline.runtime.db import Db
from sightline.science import volumes

# SOP classes, PS3.4 table B.5-1: how each is told from its header.
OBJECTS: dict[str, Callable[[Dataset], Overlay]] = {
    "1.2.840.10008.5.1.4.1.1.66.4": segments.read_header,
    "1.2.840.10008.5.1.4.1.1.66.7": segments.read_header,
    "1.2.840.10008.5.1.4.1.1.481.3": contours.read_header,
    "1.2.840.10008.5.1.4.1.1.481.2": fields.read_dose_header,
    "1.2.840.10008.5.1.4.1.1.30": fields.read_map_header,
}
IMAGES = frozenset({"CT", "MR", "PT", "NM"})
MOST = 500
"""Objects that are looked at of one study."""


def find_overlays(on: Context, study_uid: str, series_uid: str) -> list[Overlay]:
    """Return the objects of a study that are made to lie over images, and the series in the same space.

    Those that cannot lie over this series are there with the reason; of other series only those that can.
    Of what was saved here again and again only the last stands.
    """
    slices, why = None, ""
    try:
        slices = slices_of(on, series_uid)
    except volumes.NotAVolume as error:
        why = str(error)
    with on.store.database.reading() as db:
        found = _standing(list(_candidates(on, db, study_uid, series_uid)))
    judged = [_judged(overlay, slices, series_uid, why) for overlay in found]
    return [overlay for overlay in judged if overlay.form != "series" or not overlay.reason]


def get_overlay(on: Context, study_uid: str, series_uid: str, uid: str) -> tuple[Overlay, Slices]:
    """Return one overlay by its SOP or series UID, and the slices that it is to lie over.

    Raises
    ------
    OverlayNotHeld
        If the study holds none of this UID.
    NotAnOverlay
        If it cannot lie over the series, with the reason.
    """
    with on.store.database.reading() as db:
        found = _held(on, db, study_uid, series_uid, uid)
    slices = slices_of(on, series_uid)
    overlay = _judged(found, slices, series_uid, "")
    if overlay.reason:
        raise NotAnOverlay(overlay.reason)
    return overlay, slices


def _candidates(on: Context, db: Db, study_uid: str, series_uid: str) -> Iterator[Overlay]:
    left = MOST
    for series in archive.series_of_study(db, study_uid):
        if series.uid == series_uid or left <= 0:
            continue
        held = archive.find_instances(db, archive.InstanceQuery(series=series.uid), limit=left).items
        objects = [instance for instance in held if instance.sop_class in OBJECTS]
        left -= max(len(objects), 1)
        for instance in objects:
            yield _of_object(on, db, instance)
        if held and not objects and series.modality in IMAGES:
            yield _of_series(on, db, series, held[0])


def _standing(found: list[Overlay]) -> list[Overlay]:
    last: dict[str, int] = {}
    for overlay in found:
        if overlay.version is not None:
            last[overlay.series_uid] = max(overlay.version, last.get(overlay.series_uid, 0))
    return [o for o in found if o.version is None or o.version == last[o.series_uid]]


def _held(on: Context, db: Db, study_uid: str, series_uid: str, uid: str) -> Overlay:
    instances = archive.find_instances(db, archive.InstanceQuery(sop_uids=[uid])).items
    if instances and instances[0].study == study_uid and instances[0].sop_class in OBJECTS:
        return _of_object(on, db, instances[0])
    others = {series.uid: series for series in archive.series_of_study(db, study_uid)}
    first = archive.find_instances(db, archive.InstanceQuery(series=uid), limit=1).items
    if uid in others and uid != series_uid and first and others[uid].modality in IMAGES:
        return _of_series(on, db, others[uid], first[0])
    raise OverlayNotHeld("The study holds nothing of this UID that could lie over these images.")


def _of_object(on: Context, db: Db, instance: archive.Instance) -> Overlay:
    read = OBJECTS[instance.sop_class]
    return _told(on, db, instance, lambda ds: replace(read(ds), uid=instance.sop_uid))


def _of_series(on: Context, db: Db, series: archive.Series, first: archive.Instance) -> Overlay:
    return _told(on, db, first, lambda ds: replace(fields.read_series_header(ds), uid=series.uid))


def _told(on: Context, db: Db, instance: archive.Instance, read: Callable[[Dataset], Overlay]) -> Overlay:
    """Return what a header tells; of one that cannot be understood only that."""

    def tell() -> Overlay:
        ds = archive.read_dataset(on.store, db, instance.sop_uid, pixels=False)
        try:
            ours = str(ds.get("InstanceCreatorUID") or "") == derived.device_uid()
            version = instance.number or 0
            return replace(read(ds), series_uid=instance.series, version=version if ours else None)
        except (PlatformError, AttributeError, IndexError, KeyError, TypeError, ValueError):
            return Overlay(
                uid=instance.sop_uid,
                series_uid=instance.series,
                form="map",
                kind="values",
                label="",
                modality=str(ds.get("Modality") or ""),
                unit="",
                reason="The object cannot be understood; send it again from its source.",
            )

    state = archive.series_state(on.store, instance.series)
    return on.shelf.get(
        ("overlay", instance.sop_uid, state), tell, lambda told: 1000 + 500 * len(told.segments)
    )


def _judged(overlay: Overlay, slices: Slices | None, series_uid: str, why: str) -> Overlay:
    if overlay.reason:
        return overlay
    if slices is None:
        return replace(overlay, reason=why)
    if series_uid in overlay.reference_uids or (slices.frame_uid and slices.frame_uid in overlay.frame_uids):
        return overlay
    return replace(overlay, reason="It lies in another frame of reference than these images.")
