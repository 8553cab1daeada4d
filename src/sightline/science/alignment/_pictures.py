"""Aligning two pictures of one person: radiographs, single slices; with a verdict."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.alignment._engine import EngineFailed, Mask
from sightline.science.alignment._likeness import shared_edges
from sightline.science.alignment._model import Field, QualityTest, Verdict
from sightline.science.alignment._planar import (
    LONG_SIDE,
    Picture,
    Plane,
    compared,
    correlation,
    find_affine,
    find_bend,
    moved,
    sample,
)
from sightline.science.alignment._verdict import COVERAGE, FOLDS, STRETCH, Limits, judge, sum_up
from sightline.science.geometry import Floats

BLOCK = 32.0
KNOTS = 32.0
"""In compared pixels: an eighth of the long side. A bend free to move each rib makes any two alike."""

PIXEL = 1.6
"""What a compared pixel counts as where edges are smoothed, in mm: 1.25 pixels whatever the size."""

METHOD = "affine multi-start, elastix B-spline in plane"

Kind = Literal["radiograph", "slice"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What tells one person's pictures from another's, of one kind."""

    alike: Limits
    mirrored: Limits
    size: Limits


# Set on pairs of one and of two persons; bench/science/alignment_other.py measures them.
RULES: dict[Kind, Rule] = {
    # Other persons' chests reach 0.44 by edges, their own mirror images more: hence the second limit.
    "radiograph": Rule(
        Limits(0.60, 0.50, "1", "edges that run alike without bending, median of blocks", True),
        Limits(0.06, 0.03, "1", "the same, above that of the mirrored picture", True),
        Limits(15.0, 30.0, "%", "difference in magnification", False),
    ),
    # Outlines of two trunks run alike; their inner detail, and their size in mm, do not.
    "slice": Rule(
        Limits(0.60, 0.52, "1", "correlation of detail without bending", True),
        Limits(0.06, 0.03, "1", "the same, above that of the mirrored picture", True),
        Limits(3.0, 5.0, "%", "difference in size", False),
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class PictureAlignment:
    """A map from a current picture to a prior one, with a verdict.

    Attributes
    ----------
    verdict, reason, tests
        As of an `Alignment`; one that failed must not be used for subtraction or linking.
    matrix : (3, 3)
        The affine part, homogeneous, current to prior, mm.
    spacing_mm, displacement_mm : (rows, columns, 2) float32
        The whole map on square pixels: (x, y), p_prior = p_current + d(p_current).
    method
        Engine and settings that made it.
    """

    verdict: Verdict
    reason: str
    tests: tuple[QualityTest, ...]
    matrix: Floats
    spacing_mm: float
    displacement_mm: Field
    method: str = METHOD

    def map_points(self, points_xy_mm: npt.ArrayLike) -> Floats:
        """Return where points (n, 2) of the current picture lie in the prior; outside, the edge decides."""
        points = np.atleast_2d(np.asarray(points_xy_mm, dtype=float))
        index = points[:, ::-1].T / self.spacing_mm
        moves = [
            ndimage.map_coordinates(
                self.displacement_mm[..., k].astype(float), index, order=1, mode="nearest"
            )
            for k in range(2)
        ]
        return np.asarray(points + np.stack(moves, axis=1))

    def jacobian(self) -> Floats:
        """Return the determinant of the map's derivative on its pixels: 1 keeps area, 0 and below folds."""
        return _determinant(self.displacement_mm.astype(float), self.spacing_mm)


def align_images(
    fixed: Picture, moving: Picture, *, kind: Kind, threads: int = 2, seed: int = 20_250_101
) -> PictureAlignment:
    """Return the alignment of a current picture (fixed) with a prior one (moving), with its verdict.

    An affine map is searched from several turns and magnifications. Whether both show one person, one side
    and one part is judged by it alone, because pictures that may bend freely can be made to resemble any
    other; only what passes is bent. Takes 2 to 8 s. A projection folds three dimensions into two: what lies
    at different depth moves differently, so that an overlay of radiographs is a guide for the eye.

    Parameters
    ----------
    kind
        ``radiograph`` allows another magnification; ``slice`` is true to size, as single CT slices are.

    Returns
    -------
    PictureAlignment
        Also when it failed: the verdict says so, and the reason names the test.

    Raises
    ------
    NotAPicture
        From `Picture`, if an array has other dimensions, too few pixels or no usable spacing.
    """
    mm = max(n * s for n, s in zip(fixed.array.shape, fixed.spacing_yx_mm, strict=True)) / LONG_SIDE
    current, prior = compared(fixed, mm), compared(moving, mm)
    matrix = find_affine(current, prior, threads=threads, seed=seed)
    points = current.points()
    affine = moved(matrix, points)
    rule = RULES[kind]
    judged = _judged(current, prior, affine, matrix, kind)
    mirror = Plane(prior.detail[:, ::-1], prior.shown[:, ::-1], mm)
    turned = moved(find_affine(current, mirror, threads=threads, seed=seed), points)
    judged.append(
        judge(rule.mirrored, _alike(current, prior, affine, kind) - _alike(current, mirror, turned, kind))
    )
    total = affine - points
    if all(verdict != "failed" for _, verdict in judged):
        warped, shown = sample(prior, affine)
        try:
            bend = find_bend(current, warped, shown & current.shown, knots=KNOTS, threads=threads, seed=seed)
        except EngineFailed:
            bend = np.zeros_like(points)
        total = moved(matrix, points + bend) - points
        determinant = _determinant(total, mm)[shown & current.shown]
        wild = (determinant < 0.3) | (determinant > 3)
        judged += [judge(FOLDS, 100 * float((determinant <= 0).mean()))]
        judged += [judge(STRETCH, 100 * float(wild.mean()))]
    verdict, reason = sum_up(judged)
    tests = tuple(test for test, _ in judged)
    return PictureAlignment(verdict, reason, tests, matrix, mm, total.astype(np.float32))


def _judged(
    current: Plane, prior: Plane, affine: Floats, matrix: Floats, kind: Kind
) -> list[tuple[QualityTest, Verdict]]:
    _, shown = sample(prior, affine)
    both = float((shown & current.shown).sum())
    coverage = 100 * both / max(1.0, min(float(current.shown.sum()), float(prior.shown.sum())))
    size = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    return [
        judge(COVERAGE, min(coverage, 100.0)),
        judge(RULES[kind].size, 100 * (max(size, 1 / max(size, 1e-6)) - 1)),
        judge(RULES[kind].alike, _alike(current, prior, affine, kind)),
    ]


def _alike(current: Plane, prior: Plane, places: Floats, kind: Kind) -> float:
    warped, shown = sample(prior, places)
    mask: Mask = shown & current.shown
    if kind == "slice":
        return correlation(current, warped, mask)
    edges = shared_edges(current.detail, warped, mask, PIXEL, block_mm=PIXEL * BLOCK)
    return float(np.median(edges)) if len(edges) else float("nan")


def _determinant(displacement_mm: Floats, mm: float) -> Floats:
    dx_dy, dx_dx = np.gradient(displacement_mm[..., 0], mm)
    dy_dy, dy_dx = np.gradient(displacement_mm[..., 1], mm)
    return np.asarray((1 + dx_dx) * (1 + dy_dy) - dx_dy * dy_dx)
