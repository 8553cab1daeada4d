"""Planes through a volume: oblique, thick, of any size."""

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.geometry import Floats, Grid
from sightline.science.rendering._model import BadPlane, Plane, Projection, Slab

MOST_SAMPLES = 2**29
_RIM = 0.5 + 1e-6


def cut_plane(
    array: npt.NDArray[Any], grid: Grid, plane: Plane, slab: Slab | None = None, *, background: float
) -> npt.NDArray[np.float32]:
    """Return the values on a plane, or their average, highest or lowest through a slab about it.

    Parameters
    ----------
    array : (z, y, x)
        Values of the voxels of `grid`, interpolated linearly between their centres.
    slab
        Sampled at steps of no more than the smallest distance of voxels; parts that lie outside of the
        volume do not count. A slab thicker than the volume is cut to it.
    background
        Value where there is no volume.

    Returns
    -------
    array (row, column), float32

    Raises
    ------
    BadPlane
        If the slab needs more than `MOST_SAMPLES` samples.
    """
    slab = slab or Slab()
    depths = _depths_mm(grid, plane, slab)
    if len(depths) * plane.rows * plane.columns > MOST_SAMPLES:
        raise BadPlane("This slab needs too many samples; choose fewer pixels, or a thinner slab.")
    total = np.zeros((plane.rows, plane.columns), np.float32)
    count = np.zeros(total.shape, np.int32)
    for depth in depths:
        values, inside = sample_plane(array, grid, plane.moved(depth))
        if slab.projection is Projection.AVERAGE:
            total += np.where(inside, values, 0)
        else:
            further = np.maximum if slab.projection is Projection.MAX else np.minimum
            total = np.where(inside, np.where(count > 0, further(total, values), values), total)
        count += inside
    if slab.projection is Projection.AVERAGE:
        total /= np.maximum(count, 1)
    return np.where(count > 0, total, np.float32(background)).astype(np.float32)


def _depths_mm(grid: Grid, plane: Plane, slab: Slab) -> Floats:
    """Return how far from the plane samples are taken, from the near side to the far, within the volume."""
    step = min(grid.spacing_xyz_mm)
    if slab.thickness_mm < step / 2:
        return np.zeros(1)
    corners = grid.to_lps_mm(list(product(*((0, n - 1) for n in grid.shape_zyx))))
    away = (corners - np.array(plane.origin_lps_mm)) @ plane.normal
    low, high = max(-slab.thickness_mm / 2, away.min()), min(slab.thickness_mm / 2, away.max())
    if low >= high:
        return np.zeros(1)
    return np.linspace(low, high, int(np.ceil((high - low) / step)) + 1)


def sample_plane(
    array: npt.NDArray[Any], grid: Grid, plane: Plane, *, nearest: bool = False
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return the value at each pixel of a plane, and whether the pixel lies in the volume.

    Linear between the centres of voxels and float32, or of the nearest voxel and of the array's own type. The
    volume ends half a voxel beyond its outermost centres.
    """
    base = grid.to_index_zyx(plane.origin_lps_mm)[0]
    ends = np.array(plane.origin_lps_mm) + np.array([plane.normal, plane.down_mm, plane.right_mm])
    steps = (grid.to_index_zyx(ends) - base).T  # rows: z, y, x of the volume; columns: away, down, right
    inside = _inside(base, steps, array.shape, plane)
    shape = (plane.rows, plane.columns)
    if not inside.any():
        return np.zeros(shape, array.dtype if nearest else np.float32), inside
    if nearest and (straight := _along_axes(array, base, steps, shape)) is not None:
        return straight, inside
    values = ndimage.affine_transform(
        array,
        steps,
        offset=base,
        output_shape=(1, *shape),
        output=array.dtype if nearest else np.float32,
        order=0 if nearest else 1,
        mode="nearest",
        prefilter=False,
    )
    return values[0], inside


def _inside(base: Floats, steps: Floats, counts: tuple[int, ...], plane: Plane) -> npt.NDArray[np.bool_]:
    inside = np.ones((plane.rows, plane.columns), dtype=bool)
    down, right = np.arange(plane.rows)[:, np.newaxis], np.arange(plane.columns)[np.newaxis]
    for axis, count in enumerate(counts):
        index = base[axis] + steps[axis, 1] * down + steps[axis, 2] * right
        inside &= (index >= -_RIM) & (index <= count - 1 + _RIM)
    return inside


def _along_axes(
    array: npt.NDArray[Any], base: Floats, steps: Floats, shape: tuple[int, int]
) -> npt.NDArray[Any] | None:
    """Return the nearest values by picking rows and columns, where these run along the volume's own."""
    tilt = np.abs(steps[[0, 0, 1, 2], [1, 2, 2, 1]]).max() * max(shape)
    if tilt > 1e-3:
        return None
    z = int(np.clip(np.rint(base[0]), 0, array.shape[0] - 1))
    y = np.clip(np.rint(base[1] + steps[1, 1] * np.arange(shape[0])), 0, array.shape[1] - 1).astype(int)
    x = np.clip(np.rint(base[2] + steps[2, 2] * np.arange(shape[1])), 0, array.shape[2] - 1).astype(int)
    return np.asarray(array[z][np.ix_(y, x)])
