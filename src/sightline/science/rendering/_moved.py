"""A plane through one volume, filled from another that a map leads to."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.geometry import Floats, Grid
from sightline.science.rendering._model import Plane

STEP = 4
"""Pixels between the points that are mapped; between them the map, far smoother than that, is linear."""

_RIM = 0.5


def sample_moved(
    array: npt.NDArray[Any], grid: Grid, plane: Plane, move: Callable[[Floats], Floats]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return the value at each pixel of a plane where a map leads in a volume, and whether that lies in it.

    Parameters
    ----------
    array, grid
        The volume that values are taken of.
    plane
        In the space that the map starts in.
    move
        From points (n, 3), LPS mm, of that space to those of the volume.

    Examples
    --------
    A map that moves everything by one voxel:

    >>> volume = np.arange(27.0).reshape(3, 3, 3)
    >>> grid = Grid((3, 3, 3), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> plane = Plane((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), 3, 3)
    >>> values, inside = sample_moved(volume, grid, plane, lambda points: points + (1, 0, 0))
    >>> values[0].tolist(), inside[0].tolist()
    ([1.0, 2.0, 2.0], [True, True, False])
    """
    rows, columns = _knots(plane.rows), _knots(plane.columns)
    down, right = (np.array(axis) for axis in (plane.down_mm, plane.right_mm))
    points = np.array(plane.origin_lps_mm) + rows[:, None, None] * down + columns[None, :, None] * right
    knots = grid.to_index_zyx(move(points.reshape(-1, 3))).T.reshape(3, len(rows), len(columns))
    index = _between(_between(knots, rows, plane.rows, 1), columns, plane.columns, 2)
    counts = np.array(array.shape)[:, None, None]
    inside = np.all((index >= -_RIM) & (index <= counts - 1 + _RIM), axis=0)
    values = ndimage.map_coordinates(
        array, index, output=np.float32, order=1, mode="nearest", prefilter=False
    )
    return np.asarray(values), np.asarray(inside)


def _knots(count: int) -> Floats:
    """Return where the map is asked, the last pixel among them."""
    return np.unique(np.append(np.arange(0, count, STEP), count - 1)).astype(float)


def _between(values: Floats, knots: Floats, count: int, axis: int) -> Floats:
    """Return values at every pixel along an axis, linear between the knots."""
    if len(knots) == 1:
        return np.repeat(values, count, axis=axis)
    at = np.arange(count)
    low = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
    part = (at - knots[low]) / (knots[low + 1] - knots[low])
    shape = [1, 1, 1]
    shape[axis] = count
    weight = part.reshape(shape)
    return np.asarray(values.take(low, axis=axis) * (1 - weight) + values.take(low + 1, axis=axis) * weight)
