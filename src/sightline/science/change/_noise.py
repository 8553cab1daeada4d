"""A difference becomes z: its offset, its noise, its edges, and what is left by tissue."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.change._lattice import box_statistics, median, spread, spread_out
from sightline.science.change._map_model import Array, Mask
from sightline.science.geometry import Grid

LEAST_OFF = 0.5
"""Part of the alignment's own estimate of error that an edge is allowed to be off at least."""

CLASSES = 8
FLAT, STEEP = 50.0, 75.0
"""Percentiles of the gradient: below the first noise is measured, above the second the shift of edges."""


def standardise(
    difference: Array, images: tuple[Array, Array], mask: Mask, grid: Grid, error_mm: Array
) -> tuple[Array, Array]:
    """Return z (NaN outside the mask) and the difference less its local offset.

    z = (d - b) / sqrt(s^2 + (g e)^2), then divided by what is left of spread in each class of tissue and of
    gradient, where that exceeds 1. b is the local median of d; s its robust spread where the images are flat,
    so that interpolation, kernel, dose and radius all count as they are; g the gradient that both images have
    within reach, so that a lesion only one of them shows does not hide itself; e how far edges are off, as
    the images show it, and at least half of what the alignment expects.

    Parameters
    ----------
    difference : (z, y, x)
        Current less prior, in any unit.
    images
        The two, as smooth as the difference.
    error_mm : (z, y, x)
        The alignment's estimate of its local error.

    References
    ----------
    Efron, J Am Stat Assoc 2004;99:96 (empirical null).
    """
    spacing = np.array(grid.spacing_xyz_mm[::-1])
    shape = difference.shape
    offset = spread_out(box_statistics(median, mask, spacing, difference), shape)
    left = difference - offset
    del offset
    edge = _shared_gradient(images, grid, float(np.median(error_mm[mask][::31])))
    inside = edge[mask][::7]
    flat, steep = mask & (edge <= np.percentile(inside, FLAT)), mask & (edge >= np.percentile(inside, STEEP))
    noise = spread_out(box_statistics(spread, flat, spacing, left), shape)
    off_mm = spread_out(box_statistics(_edges_off, steep, spacing, left, noise, edge), shape)
    off_mm = np.fmax(off_mm, LEAST_OFF * error_mm)
    z = left / np.maximum(np.hypot(noise, edge * off_mm), 1e-6)
    del noise, off_mm
    mean: Array = np.mean(images, axis=0, dtype=np.float32)
    _calibrate(z, mean, mask)
    _calibrate(z, edge, mask)
    z[~mask] = np.nan
    return z.astype(np.float32, copy=False), left


def _shared_gradient(images: tuple[Array, Array], grid: Grid, reach_mm: float) -> Array:
    """Return the steepest slope within reach that both images have, per mm."""
    reach_mm = float(np.clip(reach_mm, 1.0, 4.0))
    size = [2 * max(1, round(reach_mm / mm)) + 1 if mm < 2 * reach_mm else 1 for mm in grid.spacing_xyz_mm][
        ::-1
    ]
    steepest = [ndimage.maximum_filter(_gradient(image, grid), size) for image in images]
    shared: Array = np.minimum(*steepest)
    return shared


def _gradient(image: Array, grid: Grid) -> Array:
    total = np.zeros_like(image)
    for axis, mm in enumerate(grid.spacing_xyz_mm[::-1]):
        slope = ndimage.correlate1d(image, [-0.5, 0.0, 0.5], axis=axis, mode="nearest")
        total += (slope / np.float32(mm)) ** 2
    return np.sqrt(total)


def _edges_off(left: Array, noise: Array, edge: Array) -> float:
    """Return by how many mm edges are off so that the spread on them is what it is."""
    beyond = max(spread(left) ** 2 - float(np.median(noise)) ** 2, 0.0)
    return float(np.sqrt(beyond) / max(float(np.median(edge)), 1e-6))


def _calibrate(z: Array, by: Array, mask: Mask) -> None:
    """Divide z, in place, by its spread in each class of `by` where that is more than 1."""
    limits = np.percentile(by[mask][::7], np.linspace(0, 100, CLASSES + 1)[1:-1])
    kind = np.searchsorted(limits, by).astype(np.uint8)
    for number in range(CLASSES):
        of_class = mask & (kind == number)
        values = z[of_class]
        if len(values) > 100:
            z[of_class] = values / max(1.0, null_spread(values))


def null_spread(z: npt.NDArray[np.floating]) -> float:
    """Return the spread of what did not change, from the middle and from the shoulders of the distribution.

    >>> round(null_spread(np.random.default_rng(1).normal(size=200_000)), 2)
    1.0
    """
    low, high = np.percentile(z, (5, 95))
    return max(spread(z.astype(np.float32)), float(high - low) / 3.2897)
