"""Robust statistics that vary slowly over a volume: of boxes on a lattice, interpolated between."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.change._map_model import Array, Mask

BOX_MM = 40.0
"""Side of a box; steps are half of it. Much larger than a lesion, smaller than an organ."""

LEAST_VOXELS = 100
MOST_VOXELS = 4000
"""Voxels of a box that a statistic sees: fewer than the first say nothing, more than the second only cost."""

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""

Lattice = npt.NDArray[np.float64]
Statistic = Callable[..., float]


def box_statistics(
    statistic: Statistic, mask: Mask, spacing_zyx_mm: npt.ArrayLike, *arrays: Array
) -> Lattice:
    """Return the statistic of the arrays' values in each box; NaN where a box has too few voxels."""
    axes = [_boxes(n, mm) for n, mm in zip(mask.shape, np.asarray(spacing_zyx_mm, float), strict=True)]
    found = np.full([len(axis) for axis in axes], np.nan)
    for at in np.ndindex(found.shape):
        box = tuple(axis[n] for axis, n in zip(axes, at, strict=True))
        inside = np.flatnonzero(mask[box])
        if len(inside) < LEAST_VOXELS:
            continue
        chosen = inside[:: 1 + len(inside) // MOST_VOXELS]
        found[at] = statistic(*(array[box].ravel()[chosen] for array in arrays))
    return found


def _boxes(voxels: int, mm: float) -> list[slice]:
    """Return the boxes along one axis: about 40 mm wide, their centres half as far apart."""
    count = max(1, round(2 * voxels * mm / BOX_MM) - 1)
    centres = np.linspace(0, voxels, count + 2)[1:-1]
    half = max(BOX_MM / mm / 2, voxels / (count + 1))
    return [slice(max(0, int(c - half)), min(voxels, int(np.ceil(c + half)))) for c in centres]


def spread_out(lattice: Lattice, shape: tuple[int, ...]) -> Array:
    """Return the values of boxes on all voxels, linear between centres; boxes without take the nearest."""
    if not np.isfinite(lattice).any():
        return np.full(shape, np.nan, dtype=np.float32)
    nearest = ndimage.distance_transform_edt(
        ~np.isfinite(lattice), return_distances=False, return_indices=True
    )
    values = lattice[tuple(nearest)].astype(np.float32)
    for axis, voxels in enumerate(shape):
        values = np.moveaxis(np.tensordot(_weights(values.shape[axis], voxels), values, (1, axis)), 0, axis)
    return np.ascontiguousarray(values)


def _weights(count: int, voxels: int) -> Array:
    """Return the linear weights (voxels, count) of box centres on voxels."""
    place = (np.arange(voxels) + 0.5) * (count + 1) / voxels - 1
    place = np.clip(place, 0, count - 1)
    below = np.minimum(place.astype(int), max(count - 2, 0))
    weights = np.zeros((voxels, count), dtype=np.float32)
    rows = np.arange(voxels)
    weights[rows, below] = 1 - (place - below)
    if count > 1:
        weights[rows, below + 1] = place - below
    return weights


def median(values: Array) -> float:
    """Return the median of a box."""
    return float(np.median(values))


def spread(values: Array) -> float:
    """Return a robust standard deviation of a box.

    >>> round(spread(np.random.default_rng(1).normal(3, 2, 100_000)), 1)
    2.0
    """
    return MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values))))
