"""Whether two images whose values mean different things show the same place, block by block."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.alignment._engine import Array, Mask
from sightline.science.alignment._information import Ranks, information
from sightline.science.geometry import Floats

LEAST_FILLED = 0.4
"""Part of a block that must be patient for the block to count."""


def local_information(
    fixed: Ranks,
    other: Ranks,
    mask: Mask,
    spacing_mm: float,
    *,
    block_mm: float,
    shifts_mm: tuple[float, ...],
) -> npt.NDArray[np.bool_]:
    """Return for each block whether its mutual information is higher where it is than at every shift.

    Works in any number of dimensions; shifts are taken along each axis, both ways.
    """
    steps = [sign * max(1, round(mm / spacing_mm)) for mm in shifts_mm for sign in (-1, 1)]
    best = []
    for box in _blocks(mask, spacing_mm, block_mm):
        inside = mask[box]
        here = fixed[box][inside]
        elsewhere = [
            information(here, _shifted(other, box, axis, step)[inside])
            for axis in range(mask.ndim)
            for step in steps
        ]
        best.append(information(here, other[box][inside]) > max(elsewhere))
    return np.array(best, dtype=bool)


def shared_edges(fixed: Array, warped: Array, mask: Mask, spacing_mm: float, *, block_mm: float) -> Floats:
    """Return per block how far edges run alike: mean squared cosine between gradients, less chance.

    0 for unrelated images, 1 for equal ones and for any other contrast of the same edges.

    References
    ----------
    Haber and Modersitzki, MICCAI 2006;4191:726 (normalised gradient fields).
    """
    sigma = max(1.0, 2.0 / spacing_mm)
    one, two = (_gradient(values, sigma) for values in (fixed, warped))
    strength = np.sqrt((one**2).sum(axis=0) * (two**2).sum(axis=0))
    alike = (one * two).sum(axis=0) ** 2 / np.maximum(strength, 1e-12)
    inner = ndimage.binary_erosion(mask, iterations=2, border_value=1)
    chance = 1 / mask.ndim
    found = []
    for box in _blocks(inner, spacing_mm, block_mm):
        weight = float(strength[box][inner[box]].sum())
        if weight > 0:
            share = float(alike[box][inner[box]].sum()) / weight
            found.append((share - chance) / (1 - chance))
    return np.array(found)


def _blocks(mask: Mask, spacing_mm: float, block_mm: float) -> list[tuple[slice, ...]]:
    size = [min(max(3, round(block_mm / spacing_mm)), n) for n in mask.shape]
    counts = [n // s for n, s in zip(mask.shape, size, strict=True)]
    boxes = [
        tuple(slice(k * s, k * s + s) for k, s in zip(start, size, strict=True))
        for start in np.ndindex(*counts)
    ]
    return [box for box in boxes if mask[box].mean() >= LEAST_FILLED]


def _shifted(array: Ranks, box: tuple[slice, ...], axis: int, step: int) -> Ranks:
    """Return a block moved by whole voxels along one axis; beyond the edge the last plane repeats."""
    index = [np.arange(part.start, part.stop) for part in box]
    index[axis] = np.clip(index[axis] + step, 0, array.shape[axis] - 1)
    return np.asarray(array[np.ix_(*index)])


def _gradient(values: Array, sigma: float) -> Floats:
    precise = values.astype(float)
    orders = [[int(k == axis) for k in range(values.ndim)] for axis in range(values.ndim)]
    return np.stack([ndimage.gaussian_filter(precise, sigma, order=order) for order in orders])
