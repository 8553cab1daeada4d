"""What can be made of an alignment: its inverse, its Jacobian, the same map for images that ride along."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sightline.kernel.errors import Invalid
from sightline.science.alignment._engine import Array, Mask
from sightline.science.alignment._model import Alignment, QualityTest, Verdict
from sightline.science.alignment._verdict import Limits, jacobian, judge, sum_up
from sightline.science.geometry import Floats, Grid
from sightline.science.volumes import Volume

INVERSE = Limits(0.5, 2.0, "mm", "residual of the inverse, 95th percentile", False)
CARRIED = Limits(70.0, 30.0, "%", "of the image within the aligned one", True)
STEPS = 30
EMPTY = 0.05
"""Of the range of its values: below it there is air, or no uptake."""

_ORDER: tuple[Verdict, ...] = ("good", "care", "failed")


class NotCarried(Invalid):
    """The images do not share a frame of reference, so nothing says where one lies in the other."""


def jacobian_of(found: Alignment) -> Array:
    """Return the determinant of the map's derivative, (z, y, x) on the alignment's grid.

    1 keeps volume, 2 means that what fills one voxel now filled two before, 0 and below is a fold. Central
    differences on the alignment's own grid: of a coarser grid only what is wider than two voxels is seen.

    References
    ----------
    Chung et al., NeuroImage 2001;14:595 (deformation-based morphometry).

    Examples
    --------
    >>> grid = Grid((4, 4, 4), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> field = np.zeros((4, 4, 4, 3), dtype=np.float32)
    >>> field[..., 0] = 0.1 * np.arange(4)  # x stretched by 10 %
    >>> round(float(jacobian_of(Alignment("good", "", (), grid, field, field[..., 0], "none"))[1, 1, 1]), 3)
    1.1
    """
    if found.matrix is not None:
        determinant = float(np.linalg.det(found.matrix[:3, :3]))
        return np.full(found.grid.shape_zyx, determinant, dtype=np.float32)
    return jacobian(found.displacement_mm, found.grid).astype(np.float32)


def folds_near(found: Alignment, point_lps_mm: npt.ArrayLike, reach_mm: float) -> bool:
    """Tell whether the map folds within a distance of a point of the fixed volume.

    Examples
    --------
    >>> grid = Grid((9, 9, 9), (2, 2, 2), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> field = np.zeros((9, 9, 9, 3), dtype=np.float32)
    >>> field[4, 4, 4, 0] = 6.0
    >>> folded = Alignment("good", "", (), grid, field, np.ones((9, 9, 9), np.float32), "none")
    >>> folds_near(folded, (8, 8, 8), 4), folds_near(folded, (0, 0, 0), 4)
    (True, False)
    """
    if found.matrix is not None:
        return False
    grid = found.grid
    middle = grid.to_index_zyx(point_lps_mm)[0]
    reach = reach_mm / np.array(grid.spacing_xyz_mm[::-1]) + 1
    low = np.clip(np.floor(middle - reach), 0, np.array(grid.shape_zyx) - 1).astype(int)
    high = np.clip(np.ceil(middle + reach) + 1, low + 1, grid.shape_zyx).astype(int)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    a, b, c = (int(v) for v in high - low)
    part = grid.cropped((int(low[0]), int(low[1]), int(low[2])), (a, b, c))
    folds = part.to_lps_mm(np.argwhere(jacobian(found.displacement_mm[box], part) <= 0))
    return bool((np.linalg.norm(folds - np.asarray(point_lps_mm), axis=1) <= reach_mm).any())


def invert(found: Alignment, onto: Grid) -> Alignment:
    """Return the alignment the other way: the moving volume, whose grid is `onto`, becomes the fixed one.

    A linear map is inverted exactly. A field is inverted by v <- -u(y + v), and what then is missing when
    going there and back is one more test of the result, over what the fixed volume shows.

    References
    ----------
    Chen et al., Med Phys 2008;35:81 (fixed-point inversion; it converges where |du| < 1).

    Examples
    --------
    >>> grid = Grid((8, 8, 8), (2, 2, 2), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> field = np.zeros((8, 8, 8, 3), dtype=np.float32) + np.float32([1, 0, 0])
    >>> there = Alignment("good", "", (), grid, field, np.ones((8, 8, 8), np.float32), "none")
    >>> invert(there, grid).map_points((8, 7, 7)).round(3).tolist()
    [[7.0, 7.0, 7.0]]
    """
    grid = onto.resampled((found.grid.spacing_xyz_mm[0],) * 3)
    points = grid.to_lps_mm(np.indices(grid.shape_zyx).reshape(3, -1).T)
    matrix = None if found.matrix is None else np.asarray(np.linalg.inv(found.matrix), dtype=float)
    home = found.inverse_points(points) if matrix is None else points @ matrix[:3, :3].T + matrix[:3, 3]
    residual = np.linalg.norm(found.map_points(home) - points, axis=1)
    shown = found.grid.contains(home)
    test, verdict = judge(INVERSE, float(np.percentile(residual[shown], 95)) if shown.any() else np.nan)
    error = found.local_error_mm(home) + residual
    return replace(
        _judged_too(found, test, verdict),
        grid=grid,
        displacement_mm=(home - points).reshape(*grid.shape_zyx, 3).astype(np.float32),
        error_mm=error.reshape(grid.shape_zyx).astype(np.float32),
        method=f"inverse of: {found.method}",
        matrix=matrix,
    )


def carry(found: Alignment, aligned: Sequence[Volume], riders: Sequence[Volume]) -> Alignment:
    """Return the alignment for images that were taken with the aligned ones, as PET is with its CT.

    Parameters
    ----------
    found
        Alignment of the current CT with the prior CT.
    aligned
        Those two, current first.
    riders
        The current and the prior image that share their frames of reference.

    Returns
    -------
    Alignment
        On the rider's grid, with a test of how much of what the current rider shows lies within the aligned
        volume: beyond it the map is continued from its edge and nothing vouches for it. What is empty is not
        counted: the field of view of PET is wider than that of its CT.

    Raises
    ------
    NotCarried
        If an image names no frame of reference, or another than its partner.
    """
    for which, partner, rider in zip(("current", "prior"), aligned, riders, strict=True):
        frames = {partner.frame_of_reference_uid, rider.frame_of_reference_uid}
        if len(frames) > 1 or "" in frames:
            raise NotCarried(
                f"The {which} images do not name one frame of reference; align them with each other first."
            )
    rider = riders[0]
    grid = rider.grid.resampled((found.grid.spacing_xyz_mm[0],) * 3)
    points = grid.to_lps_mm(np.indices(grid.shape_zyx).reshape(3, -1).T)
    inside = aligned[0].grid.contains(points)
    test, verdict = judge(CARRIED, 100 * float(inside[_shows(rider, points)].mean()))
    beyond = _distance_outside(aligned[0].grid, points)
    return replace(
        _judged_too(found, test, verdict),
        grid=grid,
        displacement_mm=(found.map_points(points) - points).reshape(*grid.shape_zyx, 3).astype(np.float32),
        error_mm=(found.local_error_mm(points) + beyond).reshape(grid.shape_zyx).astype(np.float32),
        method=f"carried by its frame of reference: {found.method}",
    )


def _shows(image: Volume, points: Floats) -> Mask:
    """Tell at which points (n, 3) an image shows something; everywhere where it is the same throughout."""
    index = np.rint(image.grid.to_index_zyx(points)).astype(int)
    z, y, x = np.clip(index, 0, np.array(image.array.shape) - 1).T
    values = np.asarray(image.array[z, y, x], dtype=float)
    low, high = float(values.min()), float(np.percentile(values, 99))
    shown: Mask = values > low + EMPTY * (high - low)
    return shown if shown.any() else np.ones(len(values), dtype=bool)


def _distance_outside(grid: Grid, points: Floats) -> Floats:
    """Return how far (mm) points (n, 3) lie outside a grid's outer faces; 0 inside."""
    index = grid.to_index_zyx(points)
    over = np.maximum(np.maximum(-0.5 - index, index - (np.array(grid.shape_zyx) - 0.5)), 0.0)
    return np.asarray(np.linalg.norm(over * np.array(grid.spacing_xyz_mm)[::-1], axis=1))


def _judged_too(found: Alignment, test: QualityTest, verdict: Verdict) -> Alignment:
    """Return the alignment with one more test; the worse verdict stands."""
    if _ORDER.index(verdict) <= _ORDER.index(found.verdict):
        reason = found.reason if found.verdict != "good" else f"All {len(found.tests) + 1} tests passed."
        return replace(found, tests=(*found.tests, test), reason=reason)
    _, reason = sum_up([(test, verdict)])
    return replace(found, tests=(*found.tests, test), verdict=verdict, reason=reason)
