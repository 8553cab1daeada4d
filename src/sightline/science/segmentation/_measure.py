"""One lesion, measured: its mask by half height, its volume by partial volume, its axes by calipers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from skimage.measure import find_contours

from sightline.kernel.quantities import Quantity
from sightline.science.geometry import Floats, Grid
from sightline.science.segmentation._model import Mask, NoLesionHere, Point, Segment
from sightline.science.volumes import Volume

Array = npt.NDArray[Any]

FINE_MM = 0.7
"""Spacing at which vessels are cut off; half a usual voxel."""

SOLID_HU = 40.0
"""Assumed value of a solid nodule that is too small to have a core of its own."""

SOLID_SD_HU = 40.0
BACKGROUND_SD_HU = 8.0
CUT_SD = 1.0
"""Relative standard deviation of the volume were the whole surface cut from vessels or the chest wall."""

LUNG_LIMIT_HU = -550.0
PARTIAL_VOLUME = "partial volume, half-height mask"
CALIPER = "caliper in one slice, half-height contour"


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A lesion cut out of its surroundings, before it is measured.

    `box` are slices into the volume; the masks have the box's shape. `attached` is what is as bright as the
    lesion but belongs to vessels or the chest wall. `isolation` is the part of the surface round the lesion
    that is not bright.
    """

    box: tuple[slice, slice, slice]
    mask: Mask
    attached: Mask
    allowed: Mask
    threshold_hu: float
    background_hu: float
    isolation: float
    roundness: float


def cut_out(volume: Volume, index_zyx: Floats, *, diameter_mm: float, within: Mask | None) -> Region:
    """Return the lesion at a voxel, its vessels cut off by opening with a ball of 0.6 of its inner radius.

    Parameters
    ----------
    index_zyx
        Fractional voxel inside the lesion.
    diameter_mm
        Rough size; decides how much of the surroundings is looked at.
    within
        Voxels the lesion may occupy (the lungs); None allows all.

    Raises
    ------
    NoLesionHere
        If nothing stands out at the point.
    """
    spacing = np.array(volume.grid.spacing_xyz_mm[::-1])
    box = _box_around(volume.grid, index_zyx, max(1.6 * diameter_mm, 12.0))
    hu = np.asarray(volume.array[box], dtype=np.float32)
    allowed = np.ones(hu.shape, dtype=bool) if within is None else np.asarray(within[box])
    start = np.array([part.start for part in box])
    background = _background(hu, allowed)
    fine_hu, fine_allowed, zoom = _zoomed(hu, allowed, spacing)
    centre = (index_zyx - start + 0.5) * zoom - 0.5
    fine_mm = spacing / zoom
    seed = _seed(fine_hu, fine_allowed, centre, fine_mm, reach_mm=max(0.35 * diameter_mm, 1.5))
    top = float(np.percentile(fine_hu[_ball(fine_hu.shape, seed, fine_mm, 0.3 * diameter_mm)], 75))
    threshold = (background + min(top, 60.0)) / 2
    if fine_hu[seed] <= threshold or top - background < 120:
        raise NoLesionHere("Nothing stands out from its surroundings here; click inside the lesion.")
    bright = (fine_hu > threshold) & fine_allowed
    labels, _ = ndimage.label(bright)
    whole = labels == labels[seed]
    lesion = _without_vessels(whole, seed, fine_mm)
    return Region(
        box=box,
        mask=_sampled(lesion, hu.shape, zoom),
        attached=_sampled(bright & ~lesion, hu.shape, zoom),
        allowed=allowed,
        threshold_hu=threshold,
        background_hu=background,
        isolation=_isolation(lesion, bright, fine_allowed, fine_mm),
        roundness=_roundness(lesion, fine_mm),
    )


def _box_around(grid: Grid, index: Floats, reach_mm: float) -> tuple[slice, slice, slice]:
    reach = np.ceil(reach_mm / np.array(grid.spacing_xyz_mm[::-1]))
    low = np.clip(np.floor(index - reach), 0, np.array(grid.shape_zyx) - 1).astype(int)
    high = np.clip(np.ceil(index + reach) + 1, 1, grid.shape_zyx).astype(int)
    return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))


def _background(hu: Array, allowed: Mask) -> float:
    """Return the usual value of the tissue around: lung where there is enough of it."""
    lung = hu[allowed & (hu < LUNG_LIMIT_HU)]
    if lung.size >= max(30, 0.1 * hu.size):
        return float(np.median(lung))
    return float(np.percentile(hu[allowed], 25)) if allowed.any() else float(hu.min())


def _zoomed(hu: Array, allowed: Mask, spacing: Floats) -> tuple[Array, Mask, Floats]:
    """Return the box at about `FINE_MM`, and how many fine voxels make a coarse one along each axis."""
    zoom = np.maximum(1, np.rint(spacing / FINE_MM))
    fine = ndimage.zoom(hu, zoom, order=1, grid_mode=True, mode="nearest")
    fine_allowed = allowed
    for axis, times in enumerate(zoom.astype(int)):
        fine_allowed = np.repeat(fine_allowed, times, axis=axis)
    return fine, fine_allowed, zoom


def _ball(shape: tuple[int, ...], centre: tuple[int, ...], spacing: Floats, radius_mm: float) -> Mask:
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    away = sum(((a - c) * mm) ** 2 for a, c, mm in zip(axes, centre, spacing, strict=True))
    return np.asarray(away <= max(radius_mm, 1.0) ** 2)


def _seed(
    fine: Array, allowed: Mask, centre: Floats, spacing: Floats, *, reach_mm: float
) -> tuple[int, int, int]:
    """Return the brightest voxel of the smoothed box near the point."""
    smooth = ndimage.gaussian_filter(fine, 1.0 / spacing)
    start = tuple(int(np.clip(round(c), 0, n - 1)) for c, n in zip(centre, fine.shape, strict=True))
    near = _ball(fine.shape, start, spacing, reach_mm) & allowed
    if not near.any():
        raise NoLesionHere("The point lies outside the lungs; click inside the lesion.")
    z, y, x = np.unravel_index(int(np.where(near, smooth, -np.inf).argmax()), fine.shape)
    return int(z), int(y), int(x)


def _without_vessels(whole: Mask, seed: tuple[int, int, int], spacing: Floats) -> Mask:
    """Return the compact part of the region round the seed: a morphological opening by reconstruction."""
    depth = ndimage.distance_transform_edt(np.pad(whole, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    near = _ball(whole.shape, seed, spacing, 2.5) & whole
    climbed = np.where(near, depth, 0.0)
    radius = float(climbed.max())
    peak = tuple(int(i) for i in np.unravel_index(int(climbed.argmax()), whole.shape))
    reach = 0.6 * radius
    cores, _ = ndimage.label(depth > reach)
    if cores[peak] == 0:
        return whole
    core = cores == cores[peak]
    grown = ndimage.distance_transform_edt(~core, sampling=spacing) <= 1.15 * reach
    labels, _ = ndimage.label(whole & grown)
    return np.asarray(labels == labels[peak])


def _sampled(fine: Mask, shape: tuple[int, ...], zoom: Floats) -> Mask:
    """Return the coarse voxels at least half filled by the fine mask."""
    (nz, ny, nx), (z, y, x) = shape, zoom.astype(int)
    return np.asarray(fine.reshape(nz, z, ny, y, nx, x).mean(axis=(1, 3, 5)) >= 0.5)


def _isolation(lesion: Mask, bright: Mask, allowed: Mask, spacing: Floats) -> float:
    """Return the part of a shell round the lesion, as far as it may reach, that is not bright."""
    away = ndimage.distance_transform_edt(~lesion, sampling=spacing)
    radius = (3 * lesion.sum() * float(np.prod(spacing)) / (4 * np.pi)) ** (1 / 3)
    near = max(1.4, 0.4 * radius)
    shell = (away > near) & (away <= near + 1.0)
    seen = shell & allowed
    if seen.sum() < 0.25 * max(int(shell.sum()), 1):
        return 0.0
    return float(1.0 - (bright & seen).sum() / seen.sum())


def _roundness(lesion: Mask, spacing: Floats) -> float:
    """Return the ratio of the shortest to the longest principal axis (1 for a sphere)."""
    points = np.argwhere(lesion) * spacing
    if len(points) < 8:
        return 0.0
    spread = np.linalg.eigvalsh(np.cov(points.T) + np.diag(spacing**2) / 12)
    return float(np.sqrt(max(spread[0], 0.0) / spread[-1]))


def partial_volume(volume: Volume, region: Region) -> tuple[Quantity, float]:
    """Return the volume (mm3) of a lesion, with its 95 % interval, and the lesion value (HU) it rests on.

    V = dV sum((I - B) / (L - B)) over the mask grown by two voxels, unclamped; B from the surroundings, L
    from the core where it has three voxels or more. The standard deviation adds noise, B, L and the
    part of the surface that was cut from vessels or the chest wall, in quadrature.

    References
    ----------
    Kuhnigk et al., IEEE TMI 2006;25:417 (partial-volume weighting of segmented lesions).
    """
    hu = np.asarray(volume.array[region.box], dtype=np.float64)
    spacing = np.array(volume.grid.spacing_xyz_mm[::-1])
    around = ndimage.binary_dilation(region.mask, iterations=2) & region.allowed
    others = ndimage.binary_dilation(region.attached & ~region.mask) & ~region.mask
    counted = (around & ~others) | region.mask
    background, noise = _surroundings(hu, region, spacing)
    lesion, lesion_sd = _core(hu, region, spacing)
    contrast = lesion - background
    voxel = volume.grid.voxel_mm3
    number = int(counted.sum())
    value = voxel * float((hu[counted] - background).sum()) / contrast
    # Noise of neighbouring voxels is correlated over about two of them along each in-plane axis.
    by_noise = voxel * noise * np.sqrt(number * 2.0) / contrast
    by_background = abs(number * voxel - value) * BACKGROUND_SD_HU / contrast
    by_lesion = value * lesion_sd / contrast
    by_cut = value * CUT_SD * _cut_share(region)
    spread = float(np.sqrt(by_noise**2 + by_background**2 + by_lesion**2 + by_cut**2))
    low, high = max(value - 1.96 * spread, 0.0), value + 1.96 * spread
    return Quantity(value, "mm3", PARTIAL_VOLUME, low, high), lesion


def _cut_share(region: Region) -> float:
    """Return the part of the rim that is vessel or chest wall: there the border is drawn, not seen."""
    rim = ndimage.binary_dilation(region.mask) & ~region.mask
    return float((rim & (region.attached | ~region.allowed)).sum() / max(int(rim.sum()), 1))


def _surroundings(hu: Floats, region: Region, spacing: Floats) -> tuple[float, float]:
    """Return mean and noise of the background in a shell 3 to 6 mm from the lesion, vessels left out."""
    away = ndimage.distance_transform_edt(~region.mask, sampling=spacing)
    shell = (away > 3.0) & (away <= 6.0) & region.allowed
    values = hu[shell]
    if values.size < 20:
        return region.background_hu, 20.0
    middle = float(np.median(values))
    noise = max(1.4826 * float(np.median(np.abs(values - middle))), 5.0)
    quiet = values[np.abs(values - middle) < 2.5 * noise]
    return float(quiet.mean()), float(quiet.std())


def _core(hu: Floats, region: Region, spacing: Floats) -> tuple[float, float]:
    """Return the lesion's own value and its standard deviation."""
    depth = ndimage.distance_transform_edt(np.pad(region.mask, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    core = hu[depth > max(3.0, 1.3 * float(spacing.max()))]
    if core.size >= 3:
        return float(core.mean()), max(float(core.std()) / np.sqrt(core.size / 2), 5.0)
    brightest = float(np.percentile(hu[region.mask], 90))
    if brightest < -250 and region.mask.sum() >= 12:  # subsolid: no full voxel of soft tissue in sight
        return brightest, 60.0
    return SOLID_HU, SOLID_SD_HU


def outline(mask: Mask, offset_zyx: tuple[int, int, int], grid: Grid) -> list[tuple[int, list[Floats]]]:
    """Return the contours of a mask: for each slice z of the volume, closed polygons (n, 3) in LPS mm.

    Examples
    --------
    >>> grid = Grid((9, 9, 9), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> mask = np.ones((1, 2, 2), dtype=bool)
    >>> [(z, polygons)] = outline(mask, (3, 4, 4), grid)
    >>> z, polygons[0].min(axis=0).tolist(), polygons[0].max(axis=0).tolist()
    (3, [3.5, 3.5, 6.0], [5.5, 5.5, 6.0])
    """
    contours = []
    for z, plane in enumerate(np.asarray(mask)):
        polygons = [
            _in_patient(line, z + offset_zyx[0], offset_zyx, grid)
            for line in find_contours(np.pad(plane, 1).astype(float), 0.5)
        ]
        if polygons:
            contours.append((z + offset_zyx[0], polygons))
    return contours


def _in_patient(line: Floats, z: int, offset: tuple[int, int, int], grid: Grid) -> Floats:
    rows, columns = line[:, 0] - 1 + offset[1], line[:, 1] - 1 + offset[2]
    return grid.to_lps_mm(np.column_stack([np.full(len(line), z), rows, columns]))


@dataclass(frozen=True, slots=True)
class Axes:
    """Long and short axis of a lesion in the slice where it is longest."""

    z: int
    long_mm: float
    long_lps_mm: Segment
    short_mm: float
    short_lps_mm: Segment


def measure_axes(volume: Volume, region: Region) -> Axes:
    """Return the largest in-plane caliper over all slices and the largest chord perpendicular to it.

    The contour runs at half height between background and lesion, below voxel size.
    """
    near = ndimage.binary_dilation(region.mask) & ~(region.attached & ~region.mask) & region.allowed
    hu = np.asarray(volume.array[region.box], dtype=float)
    shown = np.where(near, hu, np.minimum(hu, region.background_hu))
    z, y, x = (part.start for part in region.box)
    rows = np.flatnonzero(region.mask.any(axis=(1, 2)))
    return axes_of(
        shown,
        region.threshold_hu,
        rows=rows,
        outside=region.background_hu,
        grid=volume.grid,
        offset_zyx=(int(z), int(y), int(x)),
    )


def axes_of(
    field: Array,
    level: float,
    *,
    rows: npt.ArrayLike,
    outside: float,
    grid: Grid,
    offset_zyx: tuple[int, int, int],
) -> Axes:
    """Return the axes of what lies above a level of a field (z, y, x) that begins at a voxel of a grid.

    Parameters
    ----------
    rows
        Slices of the field that are looked at.
    outside
        Value beyond the faces of the field, below the level.
    """
    best: tuple[float, int, Floats, tuple[int, int]] | None = None
    _, dy, dx = grid.spacing_xyz_mm[::-1]
    for row in np.asarray(rows):
        plane = np.pad(field[row], 1, constant_values=outside)
        for line in find_contours(plane, level):
            flat = np.column_stack([(line[:, 0] - 1) * dy, (line[:, 1] - 1) * dx])
            length, pair = _caliper(flat)
            if best is None or length > best[0]:
                best = (length, int(row), flat, pair)
    if best is None:
        raise NoLesionHere("The lesion has no outline in any slice; click inside the lesion.")
    length, z, flat, pair = best
    ends = flat[list(pair)]
    chord = _widest_chord(flat, ends)

    def place(points: Floats) -> Segment:
        index = np.column_stack([np.full(2, z + offset_zyx[0]), points[:, 0] / dy, points[:, 1] / dx])
        index[:, 1:] += offset_zyx[1:]
        first, last = grid.to_lps_mm(index)
        return _point(first), _point(last)

    short = float(np.linalg.norm(chord[1] - chord[0]))
    return Axes(z + offset_zyx[0], length, place(ends), short, place(chord))


def _point(values: Floats) -> Point:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _caliper(flat: Floats) -> tuple[float, tuple[int, int]]:
    try:
        corners = ConvexHull(flat).vertices
    except QhullError:  # a line or a dot
        corners = np.arange(len(flat))
    points = flat[corners]
    away = np.linalg.norm(points[:, None] - points[None], axis=-1)
    i, j = np.unravel_index(int(away.argmax()), away.shape)
    return float(away[i, j]), (int(corners[i]), int(corners[j]))


def _widest_chord(flat: Floats, ends: Floats) -> Floats:
    """Return the end points of the longest chord perpendicular to the long axis."""
    along = ends[1] - ends[0]
    length = float(np.linalg.norm(along))
    if length == 0:
        return ends
    along = along / length
    across = np.array([-along[1], along[0]])
    u, v = (flat - ends[0]) @ along, (flat - ends[0]) @ across
    best = (0.0, 0.0, 0.0)
    for at in np.linspace(0.02, 0.98, 49) * length:
        crossing = np.flatnonzero((u[:-1] - at) * (u[1:] - at) <= 0)
        steps = u[crossing + 1] - u[crossing]
        share = np.where(steps == 0, 0.0, (at - u[crossing]) / np.where(steps == 0, 1.0, steps))
        heights = v[crossing] + share * (v[crossing + 1] - v[crossing])
        if len(heights) >= 2 and np.ptp(heights) > best[2] - best[1]:
            best = (float(at), float(heights.min()), float(heights.max()))
    at, low, high = best
    return np.array([ends[0] + at * along + low * across, ends[0] + at * along + high * across])
