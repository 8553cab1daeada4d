"""Two volumes brought onto one grid, to one sharpness and one scale of values."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.alignment import Alignment, invert
from sightline.science.change._map_model import Array, Mask
from sightline.science.geometry import Grid
from sightline.science.volumes import Volume

MOST_VOXELS = 16_000_000
"""Of a map: 64 MB a field. Finer scans are averaged down to this."""

SLAB_VOXELS = 1_000_000
"""Voxels that are sampled at once, so that their places fit into memory."""

MUCH_COARSER = 1.4
INVERSE_MM = 6.0

KNOTS = 33
GAIN_VOXELS = 60_000
LEAST_SHARP_MM = 0.2
"""Differences of sharpness below this are left alone."""

MOST_BLUR_MM = 1.5
LEAST_CURVED = 5000
SURE = 5.0
"""Standard errors that a difference of sharpness must be away from none."""


def map_grid(grid: Grid) -> Grid:
    """Return the grid of a map: that of the current scan, or one along its axes with voxels to spare.

    >>> scan = Grid((300, 512, 512), (0.7, 0.7, 1.0), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> coarse = map_grid(scan)
    >>> coarse.shape_zyx, round(coarse.spacing_xyz_mm[0], 2)
    ((223, 267, 267), 1.35)
    """
    voxels = math.prod(grid.shape_zyx)
    if voxels <= MOST_VOXELS:
        return grid
    finest = min(grid.spacing_xyz_mm)
    while True:
        finest *= 1.02
        x, y, z = (max(mm, finest) for mm in grid.spacing_xyz_mm)
        if math.prod(grid.resampled((x, y, z)).shape_zyx) <= MOST_VOXELS:
            return grid.resampled((x, y, z))


def on_map(volume: Volume, grid: Grid) -> Array:
    """Return a volume's values on a grid along its own axes, averaged where that is coarser."""
    if grid == volume.grid:
        return np.asarray(volume.array, dtype=np.float32)
    values = _averaged(volume, grid)
    index = volume.grid.to_index_zyx(grid.to_lps_mm([[0, 0, 0], [1, 1, 1]]))
    start, step = index[0], index[1] - index[0]
    sampled: Array = ndimage.affine_transform(
        values, step, offset=start, output_shape=grid.shape_zyx, order=1, mode="nearest"
    )
    return sampled


def _averaged(volume: Volume, grid: Grid) -> Array:
    """Return the values smoothed as much as the coarser sampling needs; thick slices need less."""
    x, y, z = volume.grid.spacing_xyz_mm
    steps, wide = np.array([z, y, x]), np.array([max(z, volume.thickness_mm), y, x])
    sigma = 0.42 * np.maximum(np.array(grid.spacing_xyz_mm[::-1]) - wide, 0.0) / steps
    values = np.asarray(volume.array, dtype=np.float32)
    return ndimage.gaussian_filter(values, sigma) if max(sigma) > 0.1 else values


def sampled_alike(
    current: Volume, prior: Volume, alignment: Alignment, grid: Grid
) -> tuple[Array, Array, Mask]:
    """Return both scans on one grid as if slices had been equally thick, and which voxels the prior holds.

    Where the prior's slices are further apart than those of the grid, what lies between them is not known.
    The current scan then goes the same way: as thick, at the places of the prior's slices, and back.
    """
    thickest = max(current.thickness_mm, prior.thickness_mm)
    current, prior = _as_thick(current, thickest), _as_thick(prior, thickest)
    then, seen = through(prior, alignment, grid)
    if prior.grid.spacing_xyz_mm[2] <= MUCH_COARSER * grid.spacing_xyz_mm[2]:
        return on_map(current, grid), then, seen
    back = invert(alignment.resampled(INVERSE_MM), prior.grid)
    there, _ = through(current, back, prior.grid)
    now, _ = through(prior.with_array(there), alignment, grid)
    return now, then, seen


def _as_thick(volume: Volume, thickness_mm: float) -> Volume:
    """Return a volume as if its slices had been thicker: a box of thickness t has the variance t^2 / 12."""
    sigma_mm = math.sqrt((thickness_mm**2 - volume.thickness_mm**2) / 12)
    if sigma_mm < LEAST_SHARP_MM:
        return volume
    values = np.asarray(volume.array, dtype=np.float32)
    sigma = sigma_mm / volume.grid.spacing_xyz_mm[2]
    blurred = ndimage.gaussian_filter1d(values, sigma, axis=0, mode="nearest")
    return replace(volume, array=blurred, thickness_mm=thickness_mm)


def through(prior: Volume, alignment: Alignment, grid: Grid) -> tuple[Array, Mask]:
    """Return the prior's values where the voxels of `grid` lie in it, and which lie inside it.

    Sampled once, by cubic splines: they keep sharpness at any offset, where linear interpolation blurs
    half-way between voxels and not on them.
    """
    values = np.ascontiguousarray(_averaged(prior, grid))
    splines = ndimage.spline_filter(values, order=3, output=np.float32, mode="mirror")
    del values
    sampled = np.empty(grid.shape_zyx, np.float32)
    inside = np.empty(grid.shape_zyx, bool)
    planes = max(1, SLAB_VOXELS // (grid.shape_zyx[1] * grid.shape_zyx[2]))
    limits = np.array(prior.grid.shape_zyx)[:, None] - 0.99
    for first in range(0, grid.shape_zyx[0], planes):
        shape = (min(planes, grid.shape_zyx[0] - first), *grid.shape_zyx[1:])
        voxels = np.indices(shape).reshape(3, -1).T + np.array([first, 0, 0])
        index = prior.grid.to_index_zyx(alignment.map_points(grid.to_lps_mm(voxels))).T
        slab = slice(first, first + shape[0])
        drawn = ndimage.map_coordinates(splines, index, order=3, mode="mirror", prefilter=False)
        sampled[slab] = drawn.reshape(shape)
        inside[slab] = ((index >= -0.01) & (index <= limits)).all(axis=0).reshape(shape)
    return sampled, inside


@dataclass(frozen=True, slots=True)
class Blur:
    """Gaussian blur (standard deviation, mm) that brings the sharper of two scans to the other."""

    current_in_plane_mm: float = 0.0
    current_through_mm: float = 0.0
    prior_in_plane_mm: float = 0.0
    prior_through_mm: float = 0.0

    def of(self, which: str, grid: Grid) -> list[float]:
        """Return the blur of ``current`` or ``prior`` in voxels (z, y, x)."""
        in_plane, along = getattr(self, f"{which}_in_plane_mm"), getattr(self, f"{which}_through_mm")
        x, y, z = grid.spacing_xyz_mm
        return [along / z, in_plane / y, in_plane / x]

    @property
    def text(self) -> str:
        """Return the blur in words, empty where there is none."""
        parts = [
            f"{which} by {in_plane:.1f} mm in plane and {along:.1f} mm through"
            for which, in_plane, along in (
                ("current", self.current_in_plane_mm, self.current_through_mm),
                ("prior", self.prior_in_plane_mm, self.prior_through_mm),
            )
            if max(in_plane, along) > 0
        ]
        return " and ".join(parts)


def sharpness_gap(current: Array, prior: Array, mask: Mask, grid: Grid) -> Blur:
    """Return the blur that the sharper of two scans still needs, from the scans themselves.

    Of two images of one scene, blurred by Gaussians of variances a and b, the difference is (a - b) / 2
    times the scene's Laplacian, to first order. Shifts are odd where that is even, so that they do not
    count; the fit is made, robustly, where both images have the strongest Laplacian, so that a lesion only
    one of them shows does not count either. What the fit is not sure of is left alone.
    """
    curved = [_curvatures(image, grid) for image in (current, prior)]
    sums = [in_plane + along for in_plane, along in curved]
    inner = ndimage.binary_erosion(mask, iterations=3) & (sums[0] * sums[1] > 0)
    strength = np.minimum(np.abs(sums[0]), np.abs(sums[1]))
    if inner.sum() < LEAST_CURVED:
        return Blur()
    chosen = inner & (strength >= np.percentile(strength[inner][::7], 98))
    gap = ndimage.gaussian_filter(current - prior, 1.0)[chosen].astype(float)
    in_plane, along = (((a + b) / 2)[chosen].astype(float) for a, b in zip(*curved, strict=True))
    columns = np.stack([in_plane, along, np.ones(len(gap))], axis=1)
    slopes = _robust_fit(columns, gap)
    left = gap - columns @ slopes
    sigma = 1.4826 * float(np.median(np.abs(left)))
    # A voxel is not alone: about 30 of them are one independent value after the filter.
    unsure = sigma * np.sqrt(30 * np.diag(np.linalg.pinv(columns.T @ columns)))
    sure = np.abs(slopes) > SURE * unsure
    return _as_blur(
        *(2 * slope if is_sure else 0.0 for slope, is_sure in zip(slopes[:2], sure, strict=False))
    )


def _curvatures(image: Array, grid: Grid) -> tuple[Array, Array]:
    """Return the second derivatives in the plane, summed, and through it."""
    smooth = ndimage.gaussian_filter(image, 1.0)
    x, y, z = grid.spacing_xyz_mm
    return _second(smooth, 1, y) + _second(smooth, 2, x), _second(smooth, 0, z)


def _as_blur(in_plane_mm2: float, along_mm2: float) -> Blur:
    def width(variance: float) -> float:
        mm = math.sqrt(max(variance, 0.0))
        return min(mm, MOST_BLUR_MM) if mm >= LEAST_SHARP_MM else 0.0

    return Blur(width(-in_plane_mm2), width(-along_mm2), width(in_plane_mm2), width(along_mm2))


def _second(values: Array, axis: int, mm: float) -> Array:
    if values.shape[axis] < 3:
        return np.zeros_like(values)
    bent: Array = ndimage.correlate1d(values, [1.0, -2.0, 1.0], axis=axis, mode="nearest")
    return bent / np.float32(mm**2)


def _robust_fit(columns: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return least squares with Tukey's weights (tuning 4.685), ten rounds."""
    roots: npt.NDArray[np.float64] = np.ones(len(target))
    slopes: npt.NDArray[np.float64] = np.zeros(columns.shape[1])
    for _ in range(10):
        slopes = np.asarray(np.linalg.lstsq(columns * roots[:, None], target * roots, rcond=None)[0])
        left = target - columns @ slopes
        scale = 1.4826 * np.median(np.abs(left)) + 1e-9
        roots = np.clip(1 - (left / (4.685 * scale)) ** 2, 0, None)  # of the weights
    return slopes


def match_values(current: Array, prior: Array, mask: Mask) -> Array:
    """Return the prior with the current scan's distribution of values inside the mask.

    For values without a scale of their own, as of MR: quantiles of what both scans show, linear beyond.

    References
    ----------
    Nyul & Udupa, Magn Reson Med 1999;42:1072 (standardising MR scales by quantiles).
    """
    levels = np.linspace(0.5, 99.5, KNOTS)
    knots, values = (np.percentile(a[mask], levels) for a in (prior, current))
    knots = knots + np.arange(KNOTS) * 1e-6 * max(float(np.ptp(knots)), 1e-6)
    matched = np.interp(prior, knots, values)
    ends = ((prior < knots[0], 0, 4), (prior > knots[-1], -1, -5))
    for outside, end, inner in ends:
        slope = (values[end] - values[inner]) / (knots[end] - knots[inner])
        matched[outside] = values[end] + slope * (prior[outside] - knots[end])
    return matched.astype(np.float32)


def match_gain(current: Array, prior: Array, mask: Mask) -> Array:
    """Return the prior with the slowly varying gain of the current scan: a cubic field of log ratios.

    As of the coils of MR, whose values are proportional to it; fitted robustly, so that lesions do not count.
    """
    usable = np.flatnonzero(mask & (current > 0) & (prior > 0))
    usable = usable[:: 1 + len(usable) // GAIN_VOXELS]
    if len(usable) < 1000:
        return prior
    ratio = np.log(current.ravel()[usable] / prior.ravel()[usable]).astype(float)
    places = np.array(np.unravel_index(usable, mask.shape)).T
    slopes = _robust_fit(_cubic(places / mask.shape), ratio)
    gained = np.empty_like(prior)
    plane = np.indices(mask.shape[1:]).reshape(2, -1).T
    for z in range(mask.shape[0]):
        terms = _cubic(np.column_stack([np.full(len(plane), z), plane]) / mask.shape)
        gained[z] = prior[z] * np.exp(terms @ slopes).reshape(mask.shape[1:])
    return gained


def _cubic(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the 20 products of coordinates (n, 3), 0 to 1, up to the third degree."""
    z, y, x = (2 * places - 1).T
    powers = [(i, j, k) for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]
    return np.stack([z**i * y**j * x**k for i, j, k in powers], axis=1)
