"""Which clusters of a z map are beyond chance: random field theory, then the false discovery rate."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, stats

from sightline.science.change._lattice import MAD_TO_SIGMA
from sightline.science.change._map_model import Array, Mask, Sign

THRESHOLD_Z = 3.0
FALSE_DISCOVERY = 0.05
LEAST_MM3 = math.pi / 6 * 3.0**3
"""A sphere of 3 mm: the least a lesion measures."""

_EIGHTEEN = ndimage.generate_binary_structure(3, 2)


@dataclass(frozen=True, slots=True)
class Found:
    """One significant cluster: its number in the labels, how sure it is."""

    label: int
    sign: Sign
    voxels: int
    peak_z: float
    p: float
    q: float


def find_clusters(z: Array, mask: Mask, voxel_mm3: float) -> tuple[npt.NDArray[np.int32], tuple[Found, ...]]:
    """Return labels (z, y, x) and the significant clusters, the surest first.

    Clusters above |z| 3, of either sign, are judged by extent and by peak height in a stationary Gaussian
    field as smooth as this one; the smaller p counts twice. Benjamini-Hochberg at 0.05 runs over all
    clusters, and those under the volume of a 3 mm sphere are left out after that.

    References
    ----------
    Friston et al., Hum Brain Mapp 1994;1:210 (extent of clusters). Chumbley et al., NeuroImage 2010;49:3057
    (false discovery rate of topological features). Benjamini & Hochberg, J R Stat Soc B 1995;57:289.
    """
    resel = resel_voxels(z, mask)
    labels = np.zeros(z.shape, np.int32)
    seen: list[Found] = []
    signs: tuple[tuple[Sign, int], ...] = (("increase", 1), ("decrease", -1))
    for sign, way in signs:
        above = mask & (way * np.nan_to_num(z) > THRESHOLD_Z)
        pieces, count = ndimage.label(above, structure=_EIGHTEEN)
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
        peaks = np.atleast_1d(ndimage.maximum(way * np.nan_to_num(z), pieces, np.arange(1, count + 1)))
        p = np.minimum(1.0, 2 * np.minimum(p_of_extent(sizes, resel), p_of_peak(peaks[:count])))
        start = len(seen)
        seen += [
            Found(start + n + 1, sign, int(sizes[n]), way * float(peaks[n]), float(p[n]), 1.0)
            for n in range(count)
        ]
        labels[above] = pieces[above] + start
    return _significant(labels, seen, voxel_mm3)


def _significant(
    labels: npt.NDArray[np.int32], seen: list[Found], voxel_mm3: float
) -> tuple[npt.NDArray[np.int32], tuple[Found, ...]]:
    if not seen:
        return labels, ()
    q = stats.false_discovery_control([found.p for found in seen], method="bh")
    kept = sorted(
        (
            (float(q[n]), found)
            for n, found in enumerate(seen)
            if q[n] <= FALSE_DISCOVERY and found.voxels * voxel_mm3 >= LEAST_MM3
        ),
        key=lambda pair: (pair[0], pair[1].p, -abs(pair[1].peak_z)),
    )
    numbers = np.zeros(len(seen) + 1, np.int32)
    for place, (_, found) in enumerate(kept, start=1):
        numbers[found.label] = place
    clusters = tuple(
        Found(place, found.sign, found.voxels, found.peak_z, found.p, value)
        for place, (value, found) in enumerate(kept, start=1)
    )
    return numbers[labels], clusters


def resel_voxels(z: Array, mask: Mask) -> float:
    """Return how many voxels are one resolution element: the product of the widths at half maximum.

    The width along an axis follows from the spread of neighbouring differences, robustly, so that edges and
    lesions do not count.

    References
    ----------
    Kiebel et al., NeuroImage 1999;10:756 (smoothness from spatial derivatives).

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(40, 60, 60)).astype(np.float32)
    >>> smooth = ndimage.gaussian_filter(noise, 2.0, mode="wrap")  # 4.7 voxels wide at half maximum
    >>> width = resel_voxels(smooth / smooth.std(), np.ones(smooth.shape, bool)) ** (1 / 3)
    >>> bool(4.5 < width < 4.9)
    True
    """
    product = 1.0
    for axis in range(3):
        values, inside = np.moveaxis(z, axis, 0), np.moveaxis(mask, axis, 0)
        steps = (values[1:] - values[:-1])[inside[1:] & inside[:-1]]
        if len(steps) < 2:
            continue
        sigma = MAD_TO_SIGMA * float(np.median(np.abs(steps)))
        # A field as if filtered by a Gaussian of this width: correlation exp(-2 ln2 / width^2) at one voxel.
        correlation = min(max(1 - sigma**2 / 2, 1e-3), 1 - 1e-9)
        product *= math.sqrt(-2 * math.log(2) / math.log(correlation))
    return max(product, 1.0)


def p_of_extent(voxels: npt.ArrayLike, resel: float) -> npt.NDArray[np.float64]:
    """Return the chance that a cluster above the threshold has at least so many voxels.

    References
    ----------
    Friston et al., Hum Brain Mapp 1994;1:210, equation 7, three dimensions.

    Examples
    --------
    >>> bool(p_of_extent([1], 50.0)[0] > 0.2 > p_of_extent([30], 50.0)[0])
    True
    """
    u = THRESHOLD_Z
    per_resel = (4 * math.log(2)) ** 1.5 * (2 * math.pi) ** -2 * (u**2 - 1) * math.exp(-(u**2) / 2)
    mean_size = float(stats.norm.sf(u)) * resel / per_resel
    beta = (math.gamma(2.5) / mean_size) ** (2 / 3)
    return np.asarray(np.exp(-beta * np.asarray(voxels, dtype=float) ** (2 / 3)))


def p_of_peak(z: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the chance that a peak above the threshold is at least so high: a ratio of Euler densities.

    References
    ----------
    Worsley et al., Hum Brain Mapp 1996;4:58; Chumbley & Friston, NeuroImage 2009;44:62.

    Examples
    --------
    >>> p_of_peak([3.0, 5.5]).round(6).tolist()
    [1.0, 8.9e-05]
    """
    height = np.maximum(np.asarray(z, dtype=float), THRESHOLD_Z)
    u = THRESHOLD_Z
    return np.asarray((height**2 - 1) / (u**2 - 1) * np.exp((u**2 - height**2) / 2))
