"""What lies round a point: which way of measuring fits there."""

import numpy as np
import numpy.typing as npt

from sightline.science.segmentation._lungs import AIR_LIMIT_HU, GAS_HU
from sightline.science.volumes import Volume

REACH_MM = 20.0
LEAST_LUNG = 0.2
"""Part of the ball round a point that must be lung: a 30 mm lesion at the pleura still leaves as much."""


def lies_in_lung(volume: Volume, point_lps_mm: npt.ArrayLike) -> bool:
    """Tell whether a point of a CT has lung round it: at least a fifth of a ball of 20 mm, and no free gas.

    Parameters
    ----------
    volume
        Any; what is not in HU has no lung.

    Examples
    --------
    >>> from sightline.science.geometry import Grid
    >>> grid = Grid((30, 30, 30), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> [lies_in_lung(Volume(np.full((30, 30, 30), hu, np.int16), grid), (29, 30, 30)) for hu in (-850, 40)]
    [True, False]
    """
    if volume.unit != "HU" or not volume.grid.contains(point_lps_mm)[0]:
        return False
    index = volume.grid.to_index_zyx(point_lps_mm)[0]
    spacing = np.array(volume.grid.spacing_xyz_mm[::-1])
    reach = REACH_MM / spacing
    low = np.maximum(np.floor(index - reach).astype(int), 0)
    high = np.minimum(np.ceil(index + reach).astype(int) + 1, volume.array.shape)
    z, y, x = (np.arange(a, b) for a, b in zip(low, high, strict=True))
    away = sum(((axis - at) * mm) ** 2 for axis, at, mm in zip(np.ix_(z, y, x), index, spacing, strict=True))
    ball = np.asarray(volume.array[low[0] : high[0], low[1] : high[1], low[2] : high[2]])[away <= REACH_MM**2]
    airy = ball[ball < AIR_LIMIT_HU]
    return bool(len(airy) >= LEAST_LUNG * len(ball) and np.median(airy) > GAS_HU)
