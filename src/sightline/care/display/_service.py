"""Use cases of showing: each asks whether the person may, notes that they looked, and computes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from sightline.care.display import _finding as finding
from sightline.care.display._contours import read_contours
from sightline.care.display._fields import read_dose, read_map
from sightline.care.display._model import (
    Context,
    Contour,
    Described,
    NotAnOverlay,
    Overlay,
    OverlayNotReadable,
    Part,
    Read,
    Roi,
    Slices,
    View,
)
from sightline.care.display._sampling import Encoding, choose_encoding, packed, sampled
from sightline.care.display._segments import read_segmentation
from sightline.care.display._views import reduced_view_of, slices_of, view_of
from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.science import rendering
from sightline.science.geometry import Grid
from sightline.trust import access, audit

audit.declare("display.read", "A person was shown planes, surfaces or overlays computed of a study")

REDUCTIONS = range(1, 9)
READERS: dict[str, Callable[[Dataset, Overlay, int], Read]] = {
    "segmentation": read_segmentation,
    "dose": read_dose,
    "map": read_map,
}


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Values on a plane, and the series that they are of."""

    values: npt.NDArray[np.float32]
    view: View


@dataclass(frozen=True, slots=True)
class Meshing:
    """How smooth and how fine a surface is to be."""

    smoothing_mm: float
    max_triangles: int

    def surface_of(self, array: npt.NDArray[Any], grid: Grid, threshold: float) -> rendering.Surface:
        """Return the surface of what lies above a threshold."""
        return rendering.find_surface(
            array, grid, threshold, smoothing_mm=self.smoothing_mm, max_triangles=self.max_triangles
        )


@dataclass(frozen=True, slots=True)
class Streamed:
    """Values of an overlay as bytes, and what they are."""

    chunks: Iterator[bytes]
    encoding: Encoding
    dtype: str
    shape: tuple[int, ...]
    unit: str


def cut(
    on: Context,
    study_uid: str,
    series_uid: str,
    plane: rendering.Plane,
    slab: rendering.Slab,
    *,
    by: access.Person,
) -> Cut:
    """Return the values of a series on a plane, or through a slab.

    Raises
    ------
    NotAVolume
        If the series is none, with the reason.
    """
    with _admitted(on, study_uid, series_uid, by):
        view = view_of(on, series_uid)
        volume = view.volume
        values = rendering.cut_plane(volume.array, volume.grid, plane, slab, background=view.background)
        return Cut(values, view)


@contextmanager
def opened_volume(on: Context, study_uid: str, series_uid: str, *, by: access.Person) -> Iterator[View]:
    """Give a series as one volume to who computes on it himself, for as long as his turn lasts.

    Raises
    ------
    NotAVolume
        If the series is none, with the reason.
    """
    with _admitted(on, study_uid, series_uid, by):
        yield view_of(on, series_uid)


def slices_in(on: Context, study_uid: str, series_uid: str, *, by: access.Person) -> Slices:
    """Return where the images of a series lie, by their headers.

    Raises
    ------
    MissingGeometry
        If one does not say.
    """
    with _admitted(on, study_uid, series_uid, by):
        return slices_of(on, series_uid)


def draw(found: Cut, window: tuple[float, float] | None) -> npt.NDArray[np.uint8]:
    """Return a plane as greys, by a window or that of the series."""
    centre, width = window or found.view.window
    exact = found.view.volume.array.dtype != np.int16
    return rendering.apply_window(found.values, centre, width, exact=exact)


def render(
    on: Context,
    study_uid: str,
    series_uid: str,
    look: str,
    camera: rendering.Camera,
    *,
    crop: rendering.Box | None = None,
    cut: rendering.HalfSpace | None = None,
    by: access.Person,
) -> npt.NDArray[np.uint8]:
    """Return a picture of the whole volume of a series, (row, column, 3).

    Raises
    ------
    NotAVolume
        If the series is none, with the reason.
    LookNotUsable
        If the look is for CT and the series has no Hounsfield units.
    """
    with _admitted(on, study_uid, series_uid, by):
        is_hu = view_of(on, series_uid).is_hu
        array, grid = reduced_view_of(on, series_uid)
        return rendering.render_volume(
            array, grid, rendering.LOOKS[look], camera, is_hu=is_hu, crop=crop, cut=cut
        )


def find_surface(
    on: Context,
    study_uid: str,
    series_uid: str,
    threshold: float,
    how: Meshing,
    *,
    by: access.Person,
) -> rendering.Surface:
    """Return the surface of what lies above a threshold, in the unit of the series."""
    with _admitted(on, study_uid, series_uid, by):
        volume = view_of(on, series_uid).volume
        return how.surface_of(volume.array, volume.grid, threshold)


def find_segment_surface(
    on: Context,
    study_uid: str,
    series_uid: str,
    uid: str,
    number: int,
    how: Meshing,
    *,
    by: access.Person,
) -> rendering.Surface:
    """Return the surface of one segment of a segmentation, on the segmentation's own grid."""
    with _admitted(on, study_uid, series_uid, by):
        overlay, _ = finding.get_overlay(on, study_uid, series_uid, uid)
        if overlay.kind != "labelmap":
            raise NotAnOverlay("Only a segmentation has segments; name one.")
        read = _read(on, overlay)
        segment = next((s for s in read.segments if s.number == number), None)
        if segment is None:
            raise NotAnOverlay(f"The segmentation has no segment {number}.")
        part = read.parts[segment.layer]
        mask = (part.array == segment.value).astype(np.uint8)
        return how.surface_of(mask, part.grid, 0.5)


def find_overlays(on: Context, study_uid: str, series_uid: str, *, by: access.Person) -> list[Overlay]:
    """Return what of a study lies over a series, or cannot, with the reason."""
    with _admitted(on, study_uid, series_uid, by):
        return finding.find_overlays(on, study_uid, series_uid)


def describe_overlay(
    on: Context, study_uid: str, series_uid: str, uid: str, *, by: access.Person
) -> Described:
    """Return one overlay as it lies over a series: the order of its values, or its contours.

    Raises
    ------
    NotAnOverlay, OverlayNotReadable, NotAVolume
        If it cannot lie over the series, with the reason.
    """
    with _admitted(on, study_uid, series_uid, by):
        overlay, slices = finding.get_overlay(on, study_uid, series_uid, uid)
        if overlay.kind == "contours":
            return Described(overlay, slices, contours=_contours(on, overlay, slices))
        read = _read(on, overlay)
        labels = overlay.kind == "labelmap"
        return Described(
            overlay=overlay,
            slices=slices,
            dtype="uint8" if labels else "float32",
            shape=_shape(overlay, read, slices, len(slices.planes), 1),
            unit=read.unit,
            range=None if labels else _range(read.parts[0]),
            method=read.method,
            segments=read.segments,
            notes=read.notes,
        )


def overlay_values(
    on: Context,
    study_uid: str,
    series_uid: str,
    uid: str,
    *,
    first: int,
    count: int | None,
    reduce: int,
    accepted: str,
    by: access.Person,
) -> Streamed:
    """Return the values of an overlay on slices of a series, made and packed while they are sent.

    Parameters
    ----------
    first, count
        Which of the slices, from 0; all from the first on when `count` is None.
    reduce
        Give every so many rows and columns only.
    accepted
        Encodings that the client takes, as in Accept-Encoding.
    """
    with _admitted(on, study_uid, series_uid, by):
        overlay, slices = finding.get_overlay(on, study_uid, series_uid, uid)
        if overlay.kind == "contours":
            raise NotAnOverlay("A structure set holds contours and no values; ask for its description.")
        if (
            reduce not in REDUCTIONS
            or not 0 <= first < len(slices.planes)
            or (count is not None and count < 1)
        ):
            raise NotAnOverlay(f"There are {len(slices.planes)} slices, and reductions from 1 to 8.")
        chosen = range(first, min(first + (count or len(slices.planes)), len(slices.planes)))
        read = _read(on, overlay)
        shape = _shape(overlay, read, slices, len(chosen), reduce)
        labels = overlay.kind == "labelmap"
        encoding = choose_encoding(accepted, int(np.prod(shape)) * (1 if labels else 4))
        chunks = packed(sampled(read, slices, chosen, reduce), encoding)
        return Streamed(chunks, encoding, "uint8" if labels else "float32", shape, read.unit)


@contextmanager
def _admitted(on: Context, study_uid: str, series_uid: str, by: access.Person) -> Iterator[None]:
    """Refuse who may not read the study, or a series that is not in it; note who looks, and take turns."""
    access.require(by, "archive.read", on=study_uid)
    with on.store.database.reading() as db:
        if archive.get_series(db, series_uid).study != study_uid:
            raise archive.SeriesNotHeld("The series does not belong to this study.", series=series_uid)
    audit.record_read(by, "display.read", on=study_uid)
    with on.turns.taken():
        yield


@contextmanager
def _understood() -> Iterator[None]:
    """Turn whatever the decoders and the values of a strange object raise into a refusal."""
    try:
        yield
    except PlatformError:
        raise
    except Exception as error:
        raise OverlayNotReadable("The object cannot be decoded; send it again from its source.") from error


def _read(on: Context, overlay: Overlay) -> Read:
    """Return the arrays of an overlay, read once and kept."""
    if overlay.form == "series":
        view = view_of(on, overlay.uid)
        part = Part(view.volume.array, view.volume.grid)
        return Read((part,), unit=view.unit, method=view.method, notes=view.volume.notes)
    key = ("read", overlay.uid, archive.series_state(on.store, overlay.series_uid))

    def make() -> Read:
        with on.store.database.reading() as db:
            ds = archive.read_dataset(on.store, db, overlay.uid)
        with _understood():
            return READERS[overlay.form](ds, overlay, on.most_bytes)

    return on.shelf.get(key, make, lambda made: made.size)


def _contours(on: Context, overlay: Overlay, slices: Slices) -> list[tuple[Roi, list[Contour]]]:
    with on.store.database.reading() as db:
        ds = archive.read_dataset(on.store, db, overlay.uid)
    with _understood():
        return read_contours(ds, overlay, slices)


def _shape(overlay: Overlay, read: Read, slices: Slices, count: int, reduce: int) -> tuple[int, ...]:
    rows, columns = (-(-n // reduce) for n in slices.shape)
    layers = (len(read.parts),) if overlay.kind == "labelmap" else ()
    return (*layers, count, rows, columns)


def _range(part: Part) -> tuple[float, float] | None:
    low, high = (float(furthest.reduce(part.array, axis=None)) for furthest in (np.fmin, np.fmax))
    return (low, high) if np.isfinite([low, high]).all() else None
