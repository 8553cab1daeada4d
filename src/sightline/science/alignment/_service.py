"""Aligning a current volume with its prior."""

from dataclasses import replace
from functools import partial

import numpy as np
from scipy import ndimage

from sightline.science.alignment._engine import (
    Array,
    EngineFailed,
    Mask,
    Prepared,
    Rigid,
    find_deformation,
    find_rigid,
    points_of,
    prepare,
    sample,
)
from sightline.science.alignment._model import Alignment, Field, QualityTest, Verdict
from sightline.science.alignment._verdict import (
    CONSISTENCY,
    COVERAGE,
    FOLDS,
    MAXIMUM,
    SIMILARITY,
    STRETCH,
    jacobian,
    judge,
    local_fit,
    sum_up,
)
from sightline.science.geometry import Floats, Grid
from sightline.science.volumes import Volume

WORK_MM = 2.5
MOST_VOXELS = 3_000_000
KNOTS_MM = 10.0
FORTH_STEPS = 300
BACK_STEPS = 150
"""Optimiser steps per resolution; the map back only serves as a test."""

END_MM = 15.0
OUT_MM = 4.0
LEAST_ERROR_MM = 1.0
UNSURE_ERROR_MM = 5.0
METHOD = "rigid multi-start, elastix B-spline 10 mm"


def align(fixed: Volume, moving: Volume, *, threads: int = 2, seed: int = 20_250_101) -> Alignment:
    """Return the alignment of a current volume (fixed) with a prior one (moving), with its verdict.

    A masked translation search gives starts for a rigid map; elastix then finds a B-spline deformation with
    knots 10 mm apart, and another one back, whose disagreement is a test. Takes about 40 s for a chest on two
    cores. Run it in a process of its own: the engine's threads do not survive a fork.

    Parameters
    ----------
    threads, seed
        With both fixed the result repeats.

    Returns
    -------
    Alignment
        Also when it failed: the verdict says so, and the reason names the test.
    """
    spacing = _work_spacing(fixed.grid)
    current, prior = prepare(fixed, spacing), prepare(moving, spacing)
    rigid = find_rigid(current, prior, threads=threads, seed=seed)
    points = points_of(current.grid)
    moved, seen = sample(prior, rigid(points))
    coverage = _coverage(current, prior, rigid, seen)
    test, verdict = judge(COVERAGE, coverage)
    rigid_only = (rigid(points) - points).astype(np.float32)
    unsure = np.full(current.grid.shape_zyx, 2 * UNSURE_ERROR_MM, dtype=np.float32)
    if verdict == "failed":
        return _sealed([(test, verdict)], current.grid, rigid_only, unsure)
    box = _common(current.body, seen)
    grid = current.grid.cropped(*_corner_and_shape(box))
    part = Prepared(current.values[box], current.body[box], current.covered[box], grid)
    mask = ndimage.binary_dilation(part.body, iterations=2) & part.covered & seen[box]
    deform = partial(find_deformation, mask=mask, knots_mm=KNOTS_MM, threads=threads, seed=seed)
    try:
        bend = deform(part, moved[box], iterations=FORTH_STEPS)
        rigidly = replace(part, values=moved[box])
        back = deform(rigidly, part.values, iterations=BACK_STEPS)
    except EngineFailed:  # the engine gives up where hardly anything overlaps
        judged = [(test, verdict), judge(SIMILARITY, np.nan)]
        return _sealed(judged, current.grid, rigid_only, unsure)
    bend, back = (_extended(field, box, current.grid.shape_zyx) for field in (bend, back))
    total = (rigid(points + bend) - points).astype(np.float32)
    judged, error = _tested(current, prior, total, bend, back, test, verdict)
    return _sealed(judged, current.grid, total, error)


def _work_spacing(grid: Grid) -> float:
    """Return 2.5 mm, or more where that makes too many voxels, and finer for a small field of view."""
    size = float(np.prod(grid.size_xyz_mm))
    return float(max(WORK_MM if size > 8e6 else 2.0, (size / MOST_VOXELS) ** (1 / 3)))


def _common(body: Mask, seen: Mask) -> tuple[slice, slice, slice]:
    """Return the box whose planes both scans show.

    Beyond it the prior has no values; at the coarse levels they would leak into the common part. A plane
    counts where it shows at least half of what is shown on the whole: where the prior ends half-way up, all
    planes from front to back are seen by half.
    """
    whole = (body & seen).sum() / max(body.sum(), 1)
    box = []
    for axis in range(3):
        others = tuple(k for k in range(3) if k != axis)
        share = (body & seen).sum(others) / np.maximum(body.sum(others), 1)
        planes = np.flatnonzero((share >= 0.5 * whole) & (share > 0))
        planes = planes if planes.size else np.arange(body.shape[axis])
        box.append(slice(int(planes[0]), int(planes[-1]) + 1))
    return (box[0], box[1], box[2])


def _corner_and_shape(
    box: tuple[slice, slice, slice],
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    z, y, x = box
    return (z.start, y.start, x.start), (z.stop - z.start, y.stop - y.start, x.stop - x.start)


def _extended(field: Field, box: tuple[slice, slice, slice], shape: tuple[int, int, int]) -> Field:
    """Return a field over the whole grid, beyond its box as at its edge."""
    room = [(part.start, n - part.stop) for part, n in zip(box, shape, strict=True)]
    return np.pad(field, [*room, (0, 0)], mode="edge")


def _coverage(current: Prepared, prior: Prepared, rigid: Rigid, seen: Mask) -> float:
    """Return how much (%) of the smaller body both scans show."""
    shown = float((current.body & seen).sum()) * current.grid.voxel_mm3
    whole = min(
        float(current.body.sum()) * current.grid.voxel_mm3, float(prior.body.sum()) * prior.grid.voxel_mm3
    )
    return min(100 * shown / max(whole, 1.0), 100.0)


def _tested(
    current: Prepared,
    prior: Prepared,
    total: Field,
    bend: Field,
    back: Field,
    coverage: QualityTest,
    covered: Verdict,
) -> tuple[list[tuple[QualityTest, Verdict]], Array]:
    """Return all tests with their verdicts, and the estimated local error (mm)."""
    spacing = current.grid.spacing_xyz_mm[0]
    warped, seen = sample(prior, points_of(current.grid) + total)
    mask = current.body & seen
    correlations, best, share = local_fit(current.values, warped, mask, spacing)
    determinant = jacobian(total, current.grid)[mask]
    residual = _inverse_residual(current.grid, bend, back)
    enough = len(correlations) > 0 and mask.any()
    judged = [
        (coverage, covered),
        judge(SIMILARITY, float(np.percentile(correlations, 10)) if enough else np.nan),
        judge(MAXIMUM, 100 * float(best.mean()) if enough else np.nan),
        judge(FOLDS, 100 * float((determinant <= 0).mean()) if enough else np.nan),
        judge(STRETCH, 100 * float(((determinant < 0.3) | (determinant > 3)).mean()) if enough else np.nan),
        judge(CONSISTENCY, float(np.percentile(residual[_inner(mask, spacing)], 95)) if enough else np.nan),
    ]
    return judged, _local_error(residual, share, spacing)


def _inner(mask: Mask, spacing_mm: float) -> Mask:
    """Return the mask without its first and last `END_MM`, where a map back has nothing to go by."""
    shown = np.flatnonzero(mask.any(axis=(1, 2)))
    room = round(END_MM / spacing_mm)
    if len(shown) < 4 * room:  # a thin slab is all ends
        return mask
    inner = np.zeros_like(mask)
    inner[shown[0] + room : shown[-1] + 1 - room] = mask[shown[0] + room : shown[-1] + 1 - room]
    return inner


def _inverse_residual(grid: Grid, bend: Field, back: Field) -> Array:
    """Return how far (mm) a point is from itself after going there and back."""
    there = points_of(grid) + bend
    index = grid.to_index_zyx(there.reshape(-1, 3)).T
    returned = np.stack(
        [ndimage.map_coordinates(back[..., k], index, order=1, mode="nearest") for k in range(3)], axis=1
    )
    residual = bend + returned.reshape(bend.shape)
    return np.asarray(np.linalg.norm(residual, axis=-1), dtype=np.float32)


def _local_error(residual: Array, share: Array, spacing: float) -> Array:
    """Return the estimated error (mm): inverse residual, more where blocks fit better elsewhere."""
    smooth = ndimage.gaussian_filter(residual, 10.0 / spacing)
    unsure = 1.0 - np.where(np.isfinite(share), share, 0.5)
    unsure = ndimage.gaussian_filter(unsure.astype(np.float32), 10.0 / spacing)
    return np.asarray(np.hypot(LEAST_ERROR_MM + smooth, UNSURE_ERROR_MM * unsure), dtype=np.float32)


def _sealed(
    judged: list[tuple[QualityTest, Verdict]], grid: Grid, displacement: Floats | Field, error: Array
) -> Alignment:
    verdict, reason = sum_up(judged)
    full = Alignment(
        verdict=verdict,
        reason=reason,
        tests=tuple(test for test, _ in judged),
        grid=grid,
        displacement_mm=np.asarray(displacement, dtype=np.float32),
        error_mm=error,
        method=METHOD,
    )
    return full.resampled(max(OUT_MM, grid.spacing_xyz_mm[0]))
