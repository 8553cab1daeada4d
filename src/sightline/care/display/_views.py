"""Series as volumes, put together once and kept for the next question."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from sightline.care.display._model import Context, Slices, View
from sightline.record import archive
from sightline.science import pet, rendering, volumes
from sightline.science.geometry import Grid

# As float32; while it is put together it takes up to three times that.
BYTES_PER_VOXEL = 4
_UCUM = {"HU": "[hnsf'U]", "BQML": "Bq/ml", "GML": pet.BODY_WEIGHT, "CNTS": "{counts}"}


def view_of(on: Context, series_uid: str) -> View:
    """Return a series as a volume, PET as uptake where its headers allow it.

    Raises
    ------
    NotAVolume
        With the reason.
    """
    key = ("view", series_uid, archive.series_state(on.store, series_uid))
    return on.shelf.get(key, lambda: _assemble(on, series_uid), lambda view: view.volume.array.nbytes)


def reduced_view_of(on: Context, series_uid: str) -> tuple[npt.NDArray[np.float32], Grid]:
    """Return a series as small as a picture of the whole needs it."""
    view = view_of(on, series_uid)
    key = ("reduced", series_uid, archive.series_state(on.store, series_uid))
    return on.shelf.get(
        key, lambda: rendering.reduced(view.volume.array, view.volume.grid), lambda small: small[0].nbytes
    )


def slices_of(on: Context, series_uid: str) -> Slices:
    """Return where the images of a series lie, by their headers.

    Raises
    ------
    MissingGeometry
        If one does not say.
    MixedShapes
        If they differ in rows or columns.
    """
    key = ("slices", series_uid, archive.series_state(on.store, series_uid))
    return on.shelf.get(key, lambda: _place(on, series_uid), lambda slices: 1000 * len(slices.planes))


def _place(on: Context, series_uid: str) -> Slices:
    with on.store.database.reading() as db:
        headers = archive.read_datasets(on.store, db, series_uid, pixels=False)
    planes = volumes.place_images(headers)
    if len({(plane.rows, plane.columns) for plane in planes}) > 1:
        raise volumes.MixedShapes("The images differ in size, so nothing is laid over them as a whole.")
    return Slices(planes, str(headers[0].get("FrameOfReferenceUID") or ""))


def _assemble(on: Context, series_uid: str) -> View:
    with on.store.database.reading() as db:
        _require_room(on, archive.find_instances(db, archive.InstanceQuery(series=series_uid)).items)
        datasets = archive.read_datasets(on.store, db, series_uid)
    volume = assembled = volumes.assemble_volume(datasets)
    unit, method = _UCUM.get(volume.unit, "1"), ""
    if str(datasets[0].get("Modality") or "") == "PT":
        volume, unit, method = _uptake(volume, datasets, unit)
    window = _window(volume, datasets, converted=volume is not assembled)
    return View(volume, unit, method, window, background=float(volume.array.min()))


def _require_room(on: Context, instances: Sequence[archive.Instance]) -> None:
    voxels = sum((i.rows or 0) * (i.columns or 0) * (i.frames or 0) for i in instances)
    if voxels * BYTES_PER_VOXEL > on.most_bytes:
        raise volumes.TooLarge(
            "The series is larger than a volume that is put together here; choose a smaller series, or have "
            "SIGHTLINE_DISPLAY_MAX_VOLUME_MIB raised."
        )


def _uptake(
    volume: volumes.Volume, datasets: Sequence[Dataset], unit: str
) -> tuple[volumes.Volume, str, str]:
    """Return the volume as uptake, by the factor of each image; or as it is, with the reason."""
    try:
        by_uid = {str(ds.SOPInstanceUID): pet.uptake_of(ds) for ds in datasets}
    except pet.UnusableActivity as error:
        return volume, unit, f"not SUV: {error}"
    found = [by_uid[uid] for uid in volume.sop_uids]
    if len({uptake.unit for uptake in found}) > 1:
        return volume, unit, "not SUV: the images are of different kinds."
    if all(uptake.factor == 1 for uptake in found):
        return volume, found[0].unit, found[0].method
    factors = np.array([uptake.factor for uptake in found], np.float32)[:, np.newaxis, np.newaxis]
    return volume.with_array(volume.array * factors), found[0].unit, found[0].method


def _window(volume: volumes.Volume, datasets: Sequence[Dataset], *, converted: bool) -> tuple[float, float]:
    """Return the window of the middle image, or the values but for the outermost hundredths."""
    if not converted:
        header = datasets[len(datasets) // 2]
        try:
            values = (header.get("WindowCenter"), header.get("WindowWidth"))
            centre, width = (float(v if isinstance(v, float | int | str) else v[0]) for v in values)
            if width >= 1 and np.isfinite([centre, width]).all():
                return centre, width
        except (TypeError, ValueError, IndexError):
            pass
    low, high = (float(v) for v in np.percentile(volume.array[:, ::4, ::4], (1, 99.5)))
    return (low + high) / 2, max(high - low, 1e-6)
