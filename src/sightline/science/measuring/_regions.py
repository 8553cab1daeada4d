"""Which pixels a region holds, and what their values are."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.draw import polygon2mask

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RegionStatistics:
    """Mean, standard deviation (of the population), least and greatest value of the pixels of a region.

    `low` and `high` are the least and the greatest of each when the region is one pixel smaller or larger:
    what another rule for the pixels on the edge could have found.
    """

    count: int
    mean: float
    sd: float
    min: float
    max: float
    low: dict[str, float]
    high: dict[str, float]


def inside_polygon(points_px: npt.ArrayLike, shape: tuple[int, int]) -> Mask:
    """Return which pixels (row, column) have their centre inside an outline.

    Parameters
    ----------
    points_px : (n, 2), (column, row)
        The top-left corner of the top-left pixel is (0, 0), its centre (0.5, 0.5).
    shape : (rows, columns)
    """
    rows_columns = np.asarray(points_px, dtype=float)[:, ::-1] - 0.5
    return np.asarray(polygon2mask(shape, rows_columns), dtype=bool)


def inside_ellipse(points_px: npt.ArrayLike, shape: tuple[int, int]) -> Mask:
    """Return which pixels have their centre inside an ellipse, by the ends of its axes (4, 2)."""
    p = np.asarray(points_px, dtype=float)
    centre = p.mean(axis=0)
    axes = np.array([p[1] - p[0], p[3] - p[2]]) / 2
    if abs(np.linalg.det(axes)) < 1e-12:
        return np.zeros(shape, dtype=bool)
    rows, columns = np.indices(shape)
    offsets = np.stack([columns + 0.5 - centre[0], rows + 0.5 - centre[1]], axis=-1)
    # In the frame of its own half axes, also on pixels that are not square, the ellipse is the unit circle.
    unit = offsets @ np.linalg.inv(axes)
    return np.asarray((unit**2).sum(axis=-1) <= 1.0)


def statistics(values: npt.NDArray[np.floating], mask: Mask) -> RegionStatistics | None:
    """Return the statistics of the pixels of a region, None where it holds no pixel.

    Parameters
    ----------
    values : (row, column)
        In the unit that is wanted.
    mask : (row, column)
    """
    if not mask.any():
        return None
    found = _four(values[mask])
    other_masks = (ndimage.binary_erosion(mask), ndimage.binary_dilation(mask))
    others = [found, *(_four(values[other]) for other in other_masks if other.any())]
    low = {name: min(o[name] for o in others) for name in found}
    high = {name: max(o[name] for o in others) for name in found}
    return RegionStatistics(int(mask.sum()), **found, low=low, high=high)


def _four(values: npt.NDArray[np.floating]) -> dict[str, float]:
    v = values.astype(np.float64)
    return {"mean": float(v.mean()), "sd": float(v.std()), "min": float(v.min()), "max": float(v.max())}
