"""How far an alignment may be trusted: tests with limits, and the sentence that sums them up.

The limits follow the project's reference (coverage, local maximum, Jacobian, inverse consistency) and were
set on pairs of known truth: simulated visits, known warps, other persons, flipped and shifted scans.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.alignment._engine import Array, Mask
from sightline.science.alignment._model import Field, QualityTest, Verdict
from sightline.science.geometry import Floats, Grid

BLOCK_MM = 40.0
SHIFTS_MM = (5.0, 10.0)

DETAIL_MM = 4.0
"""Coarser structure is taken out before comparing: outlines fit between any two persons, vessels do not."""

LEAST_DETAIL = 0.01
"""A block with less detail (standard deviation, 0 to 1) says nothing about position."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one test: what is good, and what is still usable with care."""

    good: float
    care: float
    unit: str
    name: str
    at_least: bool


COVERAGE = Limits(70.0, 40.0, "%", "body seen by both scans", True)
SIMILARITY = Limits(0.70, 0.60, "1", "local correlation of detail, 10th percentile", True)
MAXIMUM = Limits(90.0, 80.0, "%", "blocks that fit best where they are", True)
FOLDS = Limits(0.2, 1.0, "%", "folded voxels", False)
STRETCH = Limits(2.0, 6.0, "%", "voxels stretched beyond 0.3 to 3 times", False)
CONSISTENCY = Limits(5.0, 15.0, "mm", "inverse consistency, 95th percentile", False)


def local_fit(
    fixed: Array, moved: Array, mask: Mask, spacing_mm: float
) -> tuple[Floats, npt.NDArray[np.bool_], Array]:
    """Compare blocks of 40 mm where they are and shifted by 5 and 10 mm along each axis.

    Returns
    -------
    correlations
        Of the detail in each block with enough patient and structure, where it is.
    best
        Whether that block fits better there than at every shift.
    map : (z, y, x)
        1 where blocks fit best, 0 where not, smooth in between; NaN where there is no block.
    """
    whole = max(3, round(BLOCK_MM / spacing_mm) | 1)
    size = tuple(min(whole, n) for n in fixed.shape)  # a thin slab has thinner blocks
    inner = ndimage.binary_erosion(mask, iterations=2, border_value=1)
    detail, other = (_detail(values, mask, spacing_mm) for values in (fixed, moved))
    here = _block_correlation(detail, other, inner, size)
    best = np.ones(fixed.shape, dtype=bool)
    for axis in range(3):
        for shift_mm in SHIFTS_MM:
            step = max(1, round(shift_mm / spacing_mm))
            for way in (-step, step):
                there = _block_correlation(detail, np.roll(other, way, axis), inner, size)
                best &= ~(there > here)
    usable = np.isfinite(here) & inner
    centres = np.zeros(fixed.shape, dtype=bool)
    z, y, x = (max(1, n // 2) for n in size)
    centres[z // 2 :: z, y // 2 :: y, x // 2 :: x] = True
    picked = usable & centres
    share = np.where(usable, best & (here > SIMILARITY.care), np.nan).astype(np.float32)
    return here[picked], best[picked], share


def _detail(values: Array, mask: Mask, spacing_mm: float) -> Array:
    """Return the values less their local mean within the mask."""
    weight, sigma = mask.astype(np.float32), DETAIL_MM / spacing_mm
    mean = ndimage.gaussian_filter(values * weight, sigma) / np.maximum(
        ndimage.gaussian_filter(weight, sigma), 1e-3
    )
    return np.asarray(values - mean, dtype=np.float32)


def _block_correlation(a: Array, b: Array, mask: Mask, size: tuple[int, ...]) -> Floats:
    """Return normalised correlation in a box round every voxel; NaN where too little is seen."""
    weight = mask.astype(np.float64)

    def mean(values: Floats) -> Floats:
        return np.asarray(ndimage.uniform_filter(values, size, mode="constant"))

    number = np.maximum(mean(weight), 1e-6)
    mean_a, mean_b = mean(a * weight) / number, mean(b * weight) / number
    spread_a = mean(a * a * weight) / number - mean_a**2
    spread_b = mean(b * b * weight) / number - mean_b**2
    both = mean(a * b * weight) / number - mean_a * mean_b
    within = mean(np.ones(mask.shape))  # part of the box that the grid has
    enough = (number > 0.25 * within) & (spread_a > LEAST_DETAIL**2)
    correlation = both / np.sqrt(np.maximum(spread_a * spread_b, 1e-12))
    return np.where(enough, correlation, np.nan)


def jacobian(displacement_mm: Field, grid: Grid) -> Floats:
    """Return the determinant of the map's derivative at each voxel; 1 keeps volume, 0 and below folds.

    Central differences; along an axis of one voxel the map is taken as constant.

    Examples
    --------
    >>> field = np.zeros((4, 4, 4, 3), dtype=np.float32)
    >>> field[..., 0] = 0.1 * np.arange(4)  # x stretched by 10 %
    >>> box = Grid((4, 4, 4), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> float(jacobian(field, box)[1, 1, 1].round(3))
    1.1
    """
    in_axes = displacement_mm @ grid.axes  # components along x, y, z index axes
    derivative = np.zeros((*grid.shape_zyx, 3, 3))
    for column, axis in enumerate((2, 1, 0)):
        if grid.shape_zyx[axis] > 1:
            step = grid.spacing_xyz_mm[column]
            derivative[..., column] = np.gradient(in_axes, step, axis=axis)
    return np.asarray(np.linalg.det(derivative + np.eye(3)))


def judge(limits: Limits, value: float) -> tuple[QualityTest, Verdict]:
    """Return the test of one value and the best verdict it allows."""

    def passes(limit: float) -> bool:
        return bool(np.isfinite(value)) and (value >= limit if limits.at_least else value <= limit)

    verdict: Verdict = "good" if passes(limits.good) else "care" if passes(limits.care) else "failed"
    return QualityTest(limits.name, float(value), limits.good, limits.unit, verdict == "good"), verdict


def sum_up(judged: list[tuple[QualityTest, Verdict]]) -> tuple[Verdict, str]:
    """Return the worst verdict and one sentence that names the test which decided."""
    order: dict[Verdict, int] = {"good": 0, "care": 1, "failed": 2}
    test, verdict = max(judged, key=lambda pair: order[pair[1]])
    shown = f"{test.value:.2g}" if test.unit in ("1", "") else f"{test.value:.1f} {test.unit}"
    limit = f"{test.limit:.2g}" if test.unit in ("1", "") else f"{test.limit:g} {test.unit}"
    if verdict == "good":
        return verdict, f"All {len(judged)} tests passed."
    words = "Use with care" if verdict == "care" else "Not to be used"
    if not np.isfinite(test.value):
        return verdict, f"{words}: {test.name} could not be measured."
    return verdict, f"{words}: {test.name} is {shown} (limit {limit})."
