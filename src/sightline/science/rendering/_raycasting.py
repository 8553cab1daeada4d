"""Pictures of a whole volume: rays are sent through it and gather colour (direct volume rendering)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.kernel.errors import Invalid
from sightline.science.geometry import Floats, Grid
from sightline.science.rendering._model import MOST_PIXELS, BadView, Projection
from sightline.science.rendering._surfaces import block_means

MOST_VOXELS = 6_000_000
"""A volume is made this small before rays are sent through it: what a processor does in a second."""

MOST_RAYS = 360 * 360
"""More pixels than this are interpolated between rays."""

STEP = 0.7
"""Distance of samples along a ray, in voxels; farther apart, slanted surfaces show rings like wood."""

MOST_STEPS = 500
SLAB = 32
OPAQUE = 0.98
_TABLE = 1024


class LookNotUsable(Invalid):
    """This look needs Hounsfield units; choose mip, average or generic for this series."""


@dataclass(frozen=True, slots=True)
class Look:
    """How values become colour and opacity.

    `points` are (value, red, green, blue, opacity of one mm), by value, linear between; colours from 0 to 1.
    `projection` instead shows the highest or the mean value along each ray in grey.
    """

    points: tuple[tuple[float, float, float, float, float], ...] = ()
    projection: Projection | None = None
    needs_hu: bool = True


_SKIN, _BONE, _BLOOD = (0.90, 0.70, 0.58), (0.96, 0.92, 0.82), (0.78, 0.16, 0.12)
LOOKS: dict[str, Look] = {
    "bone": Look(
        ((180, *_BLOOD, 0.0), (260, 0.85, 0.55, 0.4, 0.06), (420, *_BONE, 0.5), (1500, 1, 1, 1, 0.9))
    ),
    "vessels": Look(
        (
            (110, *_BLOOD, 0.0), (160, *_BLOOD, 0.08), (260, 0.92, 0.35, 0.2, 0.3), (500, *_BONE, 0.5),
            (1500, 1, 1, 1, 0.9),
        )
    ),
    "skin": Look(((-600, *_SKIN, 0.0), (-400, *_SKIN, 0.25), (-150, *_SKIN, 0.8), (3000, *_SKIN, 0.9))),
    "lung": Look(
        (
            (-1000, 0.5, 0.7, 0.9, 0.0), (-950, 0.55, 0.75, 0.95, 0.002), (-800, 0.65, 0.8, 0.9, 0.006),
            (-600, 0.95, 0.75, 0.65, 0.03), (-400, 0.9, 0.5, 0.4, 0.01), (-200, 0.9, 0.5, 0.4, 0.0),
            (150, 1, 1, 1, 0.0), (400, 1, 1, 1, 0.01), (1500, 1, 1, 1, 0.05),
        )
    ),
    "soft": Look(
        (
            (-20, 0.8, 0.45, 0.35, 0.0), (30, 0.8, 0.4, 0.32, 0.04), (120, 0.9, 0.6, 0.45, 0.1),
            (300, *_BONE, 0.4), (1500, 1, 1, 1, 0.9),
        )
    ),
    "generic": Look(  # by parts of the range of values
        ((0.15, 0.3, 0.3, 0.4, 0.0), (0.5, 0.8, 0.6, 0.5, 0.03), (1.0, 1, 1, 0.95, 0.4)), needs_hu=False
    ),
    "mip": Look(projection=Projection.MAX, needs_hu=False),
    "average": Look(projection=Projection.AVERAGE, needs_hu=False),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Camera:
    """Whence the patient is looked at, by parallel rays.

    Attributes
    ----------
    azimuth_deg
        0 from the front, 90 from the patient's left, 180 from the back.
    elevation_deg
        90 from above (the head), -90 from below.
    zoom
        1 shows the whole volume from wherever it is looked at.
    """

    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    zoom: float = 1.0
    columns: int = 512
    rows: int = 512

    def __post_init__(self) -> None:
        if not np.isfinite([self.azimuth_deg, self.elevation_deg]).all() or abs(self.elevation_deg) > 90:
            raise BadView("Azimuth must be a number of degrees, and elevation between -90 and 90.")
        if not 0.1 <= self.zoom <= 20:
            raise BadView("Zoom must be between 0.1 and 20.")
        if not (16 <= self.columns <= MOST_PIXELS and 16 <= self.rows <= MOST_PIXELS):
            raise BadView(f"A picture has from 16 to {MOST_PIXELS} rows and columns.")

    def axes(self) -> tuple[Floats, Floats, Floats]:
        """Return the directions to the right, down and into the picture, as unit vectors in LPS.

        >>> [axis.astype(int).tolist() for axis in Camera().axes()]  # the patient's left, feet and back
        [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
        """
        turn, rise = np.radians([self.azimuth_deg, self.elevation_deg])
        right = np.array([np.cos(turn), np.sin(turn), 0.0])
        ahead = np.array([-np.sin(turn) * np.cos(rise), np.cos(turn) * np.cos(rise), -np.sin(rise)])
        return right, np.cross(ahead, right), ahead


@dataclass(frozen=True, slots=True)
class Box:
    """What is shown of the patient: from `low` to `high` along x, y and z, in LPS mm."""

    low_lps_mm: tuple[float, float, float]
    high_lps_mm: tuple[float, float, float]

    def __post_init__(self) -> None:
        bounds = np.array([self.low_lps_mm, self.high_lps_mm], dtype=float)
        if not np.isfinite(bounds).all() or (bounds[0] >= bounds[1]).any():
            raise BadView("A crop box needs finite bounds, the lower below the upper.")


@dataclass(frozen=True, slots=True)
class HalfSpace:
    """What is shown of the patient: every point p with normal · p ≥ `distance_mm`, in LPS mm."""

    normal: tuple[float, float, float]
    distance_mm: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.distance_mm) or not 0.99 < float(np.linalg.norm(self.normal)) < 1.01:
            raise BadView("A cut needs a finite distance and a normal of length 1.")


def reduced(array: npt.NDArray[Any], grid: Grid) -> tuple[npt.NDArray[np.float32], Grid]:
    """Return the volume as small as rays need it: means of blocks, float32."""
    small, coarse = block_means(array, grid, MOST_VOXELS)
    return np.ascontiguousarray(small, dtype=np.float32), coarse


def render_volume(
    array: npt.NDArray[np.float32],
    grid: Grid,
    look: Look,
    camera: Camera,
    *,
    is_hu: bool,
    crop: Box | None = None,
    cut: HalfSpace | None = None,
) -> npt.NDArray[np.uint8]:
    """Return a picture of a volume that was made small by `reduced`.

    Rays gather colour from front to back until nothing behind can be seen (Levoy, IEEE CG&A 1988;8:29), lit
    from where one looks. Projections are shown between the first and the last hundredth of their values.

    Returns
    -------
    array (row, column, 3), uint8

    Raises
    ------
    LookNotUsable
        If the look needs Hounsfield units and the volume has none.
    """
    if look.needs_hu and not is_hu:
        raise LookNotUsable("This look needs a CT in Hounsfield units; choose mip or generic.")
    view = _View(array, grid, camera, _first_visible(array, look), crop, cut)
    if look.projection is not None:
        picture = _projected(view, look.projection)
    else:
        picture = _composed(view, _Table(array, look))
    return _enlarged(picture, camera)


def _first_visible(array: npt.NDArray[np.float32], look: Look) -> float | None:
    """Return the value from which on something is seen, when whatever is below is empty."""
    if look.projection is not None or not look.needs_hu:
        return None
    return look.points[0][0]


class _View:
    """The volume as rays meet it: slabs of samples, from front to back."""

    def __init__(
        self,
        array: npt.NDArray[np.float32],
        grid: Grid,
        camera: Camera,
        visible_from: float | None,
        crop: Box | None,
        cut: HalfSpace | None,
    ) -> None:
        self._array, self._grid, self._crop, self._cut = array, grid, crop, cut
        self.fill = float(array.min())
        right, down, ahead = camera.axes()
        seen = _corners(grid, array, visible_from)
        middle = seen.mean(axis=0)
        mm = _mm_to_fit(seen - middle, camera) / camera.zoom
        # Rays stand no closer than half a voxel of the small volume, nor more of them than a second allows.
        coarser = max(1.0, (camera.columns * camera.rows / MOST_RAYS) ** 0.5)
        self.columns, self.rows = round(camera.columns / coarser), round(camera.rows / coarser)
        self.mm = mm * camera.columns / self.columns
        depths = (seen - middle) @ ahead
        first, last = float(depths.min()), float(depths.max())
        self.step_mm = max(STEP * min(grid.spacing_xyz_mm), (last - first) / MOST_STEPS, 1e-3)
        self.count = int((last - first) / self.step_mm) + 2
        centre = middle + first * ahead
        top_left = centre - (self.columns - 1) / 2 * self.mm * right - (self.rows - 1) / 2 * self.mm * down
        self._origin = top_left
        self._steps = np.stack([ahead * self.step_mm, down * self.mm, right * self.mm])
        self._window(seen, middle, right, down)

    def _window(self, seen: Floats, middle: Floats, right: Floats, down: Floats) -> None:
        """Keep to the rays that meet what can be seen; the rest of the picture is black."""
        offsets = (seen - middle) @ np.stack([down, right]).T / self.mm
        size = np.array([self.rows, self.columns])
        low = np.clip(np.floor(offsets.min(axis=0) + (size - 1) / 2) - 1, 0, size - 1).astype(int)
        high = np.clip(np.ceil(offsets.max(axis=0) + (size - 1) / 2) + 2, low + 1, size).astype(int)
        self.rays = (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])))
        self._origin = self._origin + low @ self._steps[1:]
        self.shape = (int(high[0] - low[0]), int(high[1] - low[1]))

    def slabs(self, overlap: int = 0) -> Iterator[npt.NDArray[np.float32]]:
        """Yield samples (depth, row, column), each slab with `overlap` more on both sides."""
        import SimpleITK as sitk  # noqa: N813 - several times as quick as scipy, on all cores

        base = self._grid.to_index_zyx(self._origin)[0][::-1]
        steps = (self._grid.to_index_zyx(self._origin + self._steps[::-1]) - base[::-1])[:, ::-1].T
        image = sitk.GetImageFromArray(self._array)  # by voxels: x, y, z; rays: column, row, depth
        to_voxels = sitk.AffineTransform(steps.ravel().tolist(), base.tolist())
        resample = sitk.ResampleImageFilter()
        resample.SetTransform(to_voxels)
        resample.SetInterpolator(sitk.sitkLinear)
        resample.SetDefaultPixelValue(self.fill)
        for first in range(0, self.count, SLAB):
            depth = min(SLAB, self.count - first) + 2 * overlap
            resample.SetSize([self.shape[1], self.shape[0], depth])
            resample.SetOutputOrigin([0.0, 0.0, float(first - overlap)])
            slab = sitk.GetArrayFromImage(resample.Execute(image))
            if self._crop is not None or self._cut is not None:
                slab[~self._within(first - overlap, depth)] = self.fill
            yield slab

    def _within(self, first: int, depth: int) -> npt.NDArray[np.bool_]:
        within = np.ones((depth, *self.shape), dtype=bool)
        k, r, c = np.ogrid[first : first + depth, 0 : self.shape[0], 0 : self.shape[1]]

        def along(direction: npt.ArrayLike) -> Floats:
            step = self._steps @ np.asarray(direction, dtype=float)
            here: Floats = self._origin @ direction + step[0] * k + step[1] * r + step[2] * c
            return here

        if self._crop is not None:
            for axis, place in enumerate(map(along, np.eye(3))):
                within &= (place >= self._crop.low_lps_mm[axis]) & (place <= self._crop.high_lps_mm[axis])
        if self._cut is not None:
            within &= along(self._cut.normal) >= self._cut.distance_mm
        return within

    def whole(self, part: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the picture that the rays are a part of."""
        picture = np.zeros((self.rows, self.columns, *part.shape[2:]), np.float32)
        picture[self.rays] = part
        return picture


def _mm_to_fit(corners: Floats, camera: Camera) -> float:
    """Return the size of a pixel at which the volume fits the picture, the same from all sides."""
    around, high = float(np.hypot(corners[:, 0], corners[:, 1]).max()), float(np.abs(corners[:, 2]).max())
    rise = np.radians(abs(camera.elevation_deg))
    tall = high * np.cos(rise) + around * np.sin(rise)
    return max(2.04 * around / camera.columns, 2.04 * float(tall) / camera.rows, 1e-3)


def _corners(grid: Grid, array: npt.NDArray[np.float32], visible_from: float | None) -> Floats:
    """Return the corners of the box that holds all above a value, or of the whole volume."""
    spans: list[tuple[float, float]] = []
    seen = array > visible_from if visible_from is not None else None
    for axis in range(3):
        hit = np.arange(array.shape[axis])
        if seen is not None and seen.any():
            hit = np.flatnonzero(seen.any(axis=tuple(other for other in range(3) if other != axis)))
        spans.append((float(hit[0]), float(hit[-1])))
    return grid.to_lps_mm([[z, y, x] for z in spans[0] for y in spans[1] for x in spans[2]])


def _projected(view: _View, projection: Projection) -> npt.NDArray[np.float32]:
    gathered: npt.NDArray[np.float32] | None = None
    for slab in view.slabs():
        if projection is Projection.AVERAGE:
            found = slab.sum(axis=0)
            gathered = found if gathered is None else gathered + found
        else:
            found = slab.max(axis=0)
            gathered = found if gathered is None else np.maximum(gathered, found)
    assert gathered is not None
    low, high = (float(v) for v in np.percentile(gathered, (1, 99.8)))
    grey = np.clip((gathered - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
    return view.whole(np.repeat(grey[:, :, np.newaxis], 3, axis=2))


class _Table:
    """Colour and opacity of each of `_TABLE` steps of value."""

    def __init__(self, array: npt.NDArray[np.float32], look: Look) -> None:
        points = np.array(look.points, dtype=float)
        if not look.needs_hu:  # by parts of the range of values
            low, high = (float(v) for v in np.percentile(array[::2, ::2, ::2], (1, 99.8)))
            points[:, 0] = low + points[:, 0] * max(high - low, 1e-6)
        self._low, high = points[0, 0], points[-1, 0]
        self._scale = (_TABLE - 1) / (high - self._low)
        self.even = float(high - self._low) / 200
        values = np.linspace(self._low, high, _TABLE)
        self.colours = np.stack([np.interp(values, points[:, 0], points[:, n]) for n in (1, 2, 3)], 1)
        self._per_mm = np.interp(values, points[:, 0], points[:, 4])

    def opacity(self, step_mm: float) -> npt.NDArray[np.float32]:
        """Return the opacity of one step for each entry."""
        return np.asarray(1 - (1 - self._per_mm) ** step_mm, dtype=np.float32)

    def entries(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        """Return the entry of each value."""
        return np.asarray(np.clip((values - self._low) * self._scale, 0, _TABLE - 1).astype(np.int32))


def _composed(view: _View, table: _Table) -> npt.NDArray[np.float32]:
    colour = np.zeros((view.shape[0] * view.shape[1], 3), np.float32)
    left = np.ones(len(colour), np.float32)  # of the light that comes through
    opacity = table.opacity(view.step_mm)
    for slab in view.slabs(overlap=1):
        entries = table.entries(slab[1:-1])
        shining = opacity[entries]
        for depth in range(len(entries)):
            alpha = shining[depth].ravel()
            rays = np.flatnonzero((alpha > 1e-3) & (left > 1 - OPAQUE))
            if not len(rays):
                continue
            share = left[rays] * alpha[rays]
            lit = share * _light(slab, depth + 1, rays, view, even=table.even)
            colour[rays] += lit[:, np.newaxis] * table.colours[entries[depth].ravel()[rays]]
            left[rays] -= share
        if left.max() <= 1 - OPAQUE:
            break
    return view.whole(colour.reshape(*view.shape, 3))


def _light(
    slab: npt.NDArray[np.float32], depth: int, rays: npt.NDArray[np.intp], view: _View, *, even: float
) -> npt.NDArray[np.float32]:
    """Return how bright each sample is, lit from the viewer: by the angle of the surface it lies on.

    Slopes below `even`, in values per mm, are no surface.
    """
    width = view.shape[1]
    plane = slab[depth].ravel()
    most = len(plane) - 1
    ahead = (slab[depth + 1].ravel()[rays] - slab[depth - 1].ravel()[rays]) / view.step_mm
    across = (plane[np.minimum(rays + 1, most)] - plane[np.maximum(rays - 1, 0)]) / view.mm
    down = (plane[np.minimum(rays + width, most)] - plane[np.maximum(rays - width, 0)]) / view.mm
    facing = (np.abs(ahead) + even) / (np.sqrt(ahead**2 + across**2 + down**2) + even)
    return np.asarray(0.25 + 0.65 * facing + 0.25 * facing**16, dtype=np.float32)


def _enlarged(picture: npt.NDArray[np.float32], camera: Camera) -> npt.NDArray[np.uint8]:
    if picture.shape[:2] != (camera.rows, camera.columns):
        factors = (camera.rows / picture.shape[0], camera.columns / picture.shape[1], 1)
        picture = ndimage.zoom(picture, factors, order=1, mode="nearest", grid_mode=True, prefilter=False)
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8))
