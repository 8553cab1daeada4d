"""Growth as the deformation between two scans shows it."""

import numpy as np
from scipy import ndimage

from sightline.science.alignment import Alignment, jacobian_of
from sightline.science.change._map_model import Array
from sightline.science.geometry import Grid

LIMITS = (0.2, 5.0)
"""Volume ratios beyond these are folds and tears of the map, not growth."""


def log_jacobian(alignment: Alignment, grid: Grid) -> Array:
    """Return the logarithm of volume now over volume then of what lies at each voxel of `grid`.

    Positive where tissue takes more room in the current scan. The map runs from current to prior, so this is
    minus the logarithm of its Jacobian's determinant. NaN where the map folds, or stretches beyond 0.2 to 5.

    It shows growth of what stays itself and of what pushes. The spline's knots are 10 mm apart: under 15 mm
    growth is blunted, and a lesion that is new or gone moves nothing. Read it together with z, and measure
    small lesions by their outlines.

    Parameters
    ----------
    grid
        Where the answer is wanted; its axes are those of the current scan.

    Returns
    -------
    array (z, y, x), 1

    References
    ----------
    Shearkhani et al., AJNR 2017 (brain metastases by the Jacobian: vessels mislead it, and it misses lesions
    that are new).

    Examples
    --------
    >>> box = Grid((8, 8, 8), (4, 4, 4), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> points = box.to_lps_mm(np.indices((8, 8, 8)).reshape(3, -1).T).reshape(8, 8, 8, 3)
    >>> shrink = (-0.1 * points).astype(np.float32)  # what is 10 mm long now was 9 mm long then
    >>> unit = np.ones((8, 8, 8), np.float32)
    >>> grown = log_jacobian(Alignment("good", "", (), box, shrink, unit, ""), box)
    >>> round(float(np.exp(grown[4, 4, 4])), 3), round(1 / 0.9**3, 3)
    (1.372, 1.372)
    """
    determinant = jacobian_of(alignment)
    low, high = LIMITS
    usable = np.isfinite(determinant) & (determinant > low) & (determinant < high)
    growth = np.where(usable, -np.log(np.where(usable, determinant, 1.0)), np.nan).astype(np.float32)
    return _sampled(growth, alignment.grid, grid)


def _sampled(values: Array, source: Grid, target: Grid) -> Array:
    """Resample between two grids of equal axes; outside, the edge is repeated."""
    index = source.to_index_zyx(target.to_lps_mm([[0, 0, 0], [1, 1, 1]]))
    start, step = index[0], index[1] - index[0]
    sampled: Array = ndimage.affine_transform(
        values, step, offset=start, output_shape=target.shape_zyx, order=1, mode="nearest", output=np.float32
    )
    return sampled


def local_error(alignment: Alignment, grid: Grid) -> Array:
    """Return the alignment's own estimate of its error, mm, on a grid of equal axes."""
    return _sampled(alignment.error_mm, alignment.grid, grid)
