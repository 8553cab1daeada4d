"""Aligning images whose values mean different things, with a verdict that does not compare brightness."""

import numpy as np

from sightline.science.alignment._engine import Array, Prepared, points_of, prepare, sample
from sightline.science.alignment._information import (
    Linear,
    find_linear,
    moved,
    ranks,
    score,
)
from sightline.science.alignment._likeness import local_information, shared_edges
from sightline.science.alignment._model import Alignment, QualityTest, Verdict
from sightline.science.alignment._verdict import COVERAGE, Limits, judge, sum_up
from sightline.science.geometry import Floats, Grid
from sightline.science.volumes import Volume

WORK_MM = 2.0
MOST_VOXELS = 2_000_000
OUT_MM = 4.0
BLOCK_MM = 30.0
SHIFTS_MM = (5.0, 10.0)
LEAST_ERROR_MM = 1.0

NUDGE_MM, NUDGE_DEGREES = 4.0, 3.0
"""How far from its own answer the search is started again."""

INFORMED = Limits(85.0, 70.0, "%", "blocks that tell most of each other where they are", True)
EDGES = Limits(0.45, 0.40, "1", "edges that run alike, 10th percentile of blocks", True)
MIRROR = Limits(115.0, 105.0, "%", "information against the mirrored image", True)
AGAIN = Limits(2.0, 4.0, "mm", "found again from elsewhere, 95th percentile", False)


def align_across(
    fixed: Volume, moving: Volume, *, model: Linear = "rigid", threads: int = 2, seed: int = 20_250_101
) -> Alignment:
    """Return the rigid or affine alignment of two volumes by mutual information, with its verdict.

    For MR with MR of any sequences, and for CT with MR. Takes about 15 s for a head on two cores.

    Returns
    -------
    Alignment
        With its `matrix`; also when it failed: the verdict says so, and the reason names the test.

    References
    ----------
    Mattes et al., IEEE TMI 2003;22:120; Studholme et al., Pattern Recognition 1999;32:71.
    """
    spacing = max(WORK_MM, (float(np.prod(fixed.grid.size_xyz_mm)) / MOST_VOXELS) ** (1 / 3))
    current, prior = prepare(fixed, spacing), prepare(moving, spacing)
    matrix = find_linear(current, prior, model=model, threads=threads, seed=seed)
    nudged = matrix @ _nudge(current)
    again = find_linear(current, prior, model=model, threads=threads, seed=seed, start=nudged)
    judged, error = _tested(current, prior, matrix, again)
    mirrored = Prepared(prior.values[..., ::-1], prior.body[..., ::-1], prior.covered[..., ::-1], prior.grid)
    turned = find_linear(
        current, mirrored, model="rigid", threads=threads, seed=seed, start=_facing(matrix, prior)
    )
    most = max(score(current, mirrored, turned) - 1, 1e-4)
    judged.append(judge(MIRROR, 100 * (score(current, prior, matrix) - 1) / most))
    return _sealed(judged, current.grid, matrix, error, f"{model} multi-start, mutual information")


def _nudge(image: Prepared) -> Floats:
    """Return a small known motion about the middle of the image."""
    centre = image.grid.to_lps_mm((np.array(image.grid.shape_zyx) - 1) / 2)[0]
    angle = np.radians(NUDGE_DEGREES)
    motion = np.eye(4)
    motion[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    motion[:3, 3] = centre - motion[:3, :3] @ centre + NUDGE_MM / np.sqrt(3)
    return motion


def _facing(matrix: Floats, image: Prepared) -> Floats:
    """Return the map onto the mirrored image that leaves the body where it was."""
    middle = (image.grid.shape_zyx[2] - 1) / 2
    _, _, body_x = (float(np.mean(k)) for k in np.nonzero(image.body))
    shift = image.grid.axes[:, 0] * image.grid.spacing_xyz_mm[0] * 2 * (middle - body_x)
    facing = matrix.copy()
    facing[:3, 3] += shift
    return facing


def _tested(
    current: Prepared, prior: Prepared, matrix: Floats, again: Floats
) -> tuple[list[tuple[QualityTest, Verdict]], float]:
    spacing = current.grid.spacing_xyz_mm[0]
    points = points_of(current.grid)
    warped, seen = sample(prior, moved(matrix, points))
    mask = current.body & seen
    least = min(current.body.sum() * current.grid.voxel_mm3, prior.body.sum() * prior.grid.voxel_mm3)
    coverage = min(100 * float(mask.sum()) * current.grid.voxel_mm3 / max(float(least), 1.0), 100.0)
    best = local_information(
        ranks(current), ranks(prior, warped), mask, spacing, block_mm=BLOCK_MM, shifts_mm=SHIFTS_MM
    )
    edges = shared_edges(current.values, warped, mask, spacing, block_mm=BLOCK_MM)
    apart = np.linalg.norm((moved(matrix, points) - moved(again, points))[mask], axis=-1)
    off = float(np.percentile(apart, 95)) if mask.any() else np.nan
    return [
        judge(COVERAGE, coverage),
        judge(INFORMED, 100 * float(best.mean()) if len(best) else np.nan),
        judge(EDGES, float(np.percentile(edges, 10)) if len(edges) else np.nan),
        judge(AGAIN, off),
    ], LEAST_ERROR_MM + (off if np.isfinite(off) else 0.0)


def _sealed(
    judged: list[tuple[QualityTest, Verdict]], grid: Grid, matrix: Floats, error_mm: float, method: str
) -> Alignment:
    verdict, reason = sum_up(judged)
    coarse = grid.resampled((max(OUT_MM, grid.spacing_xyz_mm[0]),) * 3)
    points = points_of(coarse)
    error: Array = np.full(coarse.shape_zyx, error_mm, dtype=np.float32)
    return Alignment(
        verdict=verdict,
        reason=reason,
        tests=tuple(test for test, _ in judged),
        grid=coarse,
        displacement_mm=(moved(matrix, points) - points).astype(np.float32),
        error_mm=error,
        method=method,
        matrix=matrix,
    )
