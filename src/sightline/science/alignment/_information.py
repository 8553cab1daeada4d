"""Rigid and affine alignment of images whose values mean different things: two MR sequences, CT with MR.

Mutual information asks only that one image's values predict the other's. The search starts from where the
scanner says the two lie, from their bodies' centres and from turned positions, coarse to fine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.alignment._engine import (
    LEAST_OVERLAP,
    Array,
    Prepared,
    _image,
    points_of,
    sample,
)
from sightline.science.geometry import Floats

Ranks = npt.NDArray[np.uint8]
Linear = Literal["rigid", "affine"]

COARSE_MM, MIDDLE_MM = 8.0, 4.0
TURN_DEGREES = 20.0
KEPT = 3
"""How many of the starts are followed at the coarse level."""

LEVELS = 16
"""Grey levels, each as frequent as the other within the body."""


def ranks(image: Prepared, values: Array | None = None) -> Ranks:
    """Return values as one of 16 levels, equally frequent in the body: which tissue, not how bright."""
    edges = np.unique(np.quantile(image.values[image.body], np.linspace(0, 1, LEVELS + 1)[1:-1]))
    return np.searchsorted(edges, image.values if values is None else values).astype(np.uint8)


def information(a: Ranks, b: Ranks) -> float:
    """Return normalised mutual information (H(a) + H(b)) / H(a, b): 1 for unrelated, 2 for equal.

    References
    ----------
    Studholme et al., Pattern Recognition 1999;32:71.

    Examples
    --------
    >>> levels = np.arange(256, dtype=np.uint8) % 16
    >>> round(information(levels, 15 - levels), 6), round(information(levels, np.repeat(levels[:16], 16)), 6)
    (2.0, 1.0)
    """
    if a.size == 0:
        return float("nan")
    joint = np.bincount(a.astype(np.intp) * LEVELS + b, minlength=LEVELS * LEVELS).astype(float)
    joint = joint.reshape(LEVELS, LEVELS) / a.size

    def entropy(p: Floats) -> float:
        held = p[p > 0]
        return float(-(held * np.log(held)).sum())

    both = entropy(joint.ravel())
    return (entropy(joint.sum(axis=0)) + entropy(joint.sum(axis=1))) / both if both > 0 else 2.0


def find_linear(
    fixed: Prepared, moving: Prepared, *, model: Linear, threads: int, seed: int, start: Floats | None = None
) -> Floats:
    """Return the 4x4 map (fixed to moving, LPS mm) with the most mutual information.

    With `start` only its neighbourhood is searched.
    """
    near, far = _coarser(fixed, COARSE_MM), _coarser(moving, COARSE_MM)
    coarse = [start] if start is not None else _starts(near, far)
    middle = _coarser(fixed, MIDDLE_MM), _coarser(moving, MIDDLE_MM)
    climbed = [
        _climbed(*middle, one, model="rigid", step_mm=4.0, threads=threads, seed=seed) for one in coarse
    ]
    best = max(climbed, key=lambda one: score(*middle, one))
    fine = _climbed(fixed, moving, best, model="rigid", step_mm=1.0, threads=threads, seed=seed)
    found = [best, fine]
    if model == "affine":  # in short steps: a scale that runs away finds a corner where little is said
        loose = _climbed(*middle, fine, model="affine", step_mm=1.0, threads=threads, seed=seed)
        found.append(_climbed(fixed, moving, loose, model="affine", step_mm=0.5, threads=threads, seed=seed))
    return max(found, key=lambda one: score(*middle, one))


def _starts(fixed: Prepared, moving: Prepared) -> list[Floats]:
    """Return the most informative of: as scanned, body on body, each straight and turned about each axis."""
    here = fixed.grid.to_lps_mm(ndimage.center_of_mass(fixed.body))[0]
    there = moving.grid.to_lps_mm(ndimage.center_of_mass(moving.body))[0]
    tried = [
        _about(turn, here, shift)
        for turn in _turns()
        for shift in (np.zeros(3), there - here, _by_ends(fixed, moving, here, there))
    ]
    scores = np.array([score(fixed, moving, one) for one in tried])
    return [tried[n] for n in np.argsort(-scores)[:KEPT]]


def _by_ends(fixed: Prepared, moving: Prepared, here: Floats, there: Floats) -> Floats:
    """Return the shift that lays the tops of the bodies on each other: heads end at the vertex."""
    shift = there - here
    shift[2] = _top(moving) - _top(fixed)
    return shift


def _top(image: Prepared) -> float:
    rows = np.argwhere(image.body.any(axis=(1, 2)))[[0, -1], 0]
    ends = [[z, image.grid.shape_zyx[1] / 2, image.grid.shape_zyx[2] / 2] for z in rows]
    return float(image.grid.to_lps_mm(ends)[:, 2].max())


def _turns() -> list[Floats]:
    angle = np.radians(TURN_DEGREES)
    turns = [np.eye(3)]
    for axis in range(3):
        a, b = (k for k in range(3) if k != axis)
        for sign in (-1, 1):
            turn = np.eye(3)
            turn[a, a] = turn[b, b] = np.cos(angle)
            turn[a, b], turn[b, a] = -sign * np.sin(angle), sign * np.sin(angle)
            turns.append(turn)
    return turns


def _about(turn: Floats, centre: Floats, shift: Floats) -> Floats:
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = centre + shift - turn @ centre
    return matrix


def moved(matrix: Floats, points: Floats) -> Floats:
    """Map points (..., 3) by a homogeneous 4x4 matrix."""
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def score(fixed: Prepared, moving: Prepared, matrix: Floats) -> float:
    """Return normalised mutual information where both bodies are, 0 where they hardly overlap."""
    values, seen = sample(moving, moved(matrix, points_of(fixed.grid)))
    around = ndimage.binary_dilation(fixed.body) & seen
    if (fixed.body & seen).sum() < LEAST_OVERLAP * min(
        fixed.body.sum(), moving.body.sum() * moving.grid.voxel_mm3 / fixed.grid.voxel_mm3
    ):
        return 0.0
    return information(ranks(fixed)[around], ranks(moving, values)[around])


def _coarser(image: Prepared, mm: float) -> Prepared:
    """Return the image averaged onto a coarser isotropic grid."""
    own = image.grid
    if own.spacing_xyz_mm[0] >= mm:
        return image
    grid = own.resampled((mm, mm, mm))
    sigma = 0.42 * mm / own.spacing_xyz_mm[0]
    smooth = replace(image, values=ndimage.gaussian_filter(image.values, sigma))
    points = points_of(grid)
    values, covered = sample(smooth, points)
    body, _ = sample(replace(image, values=image.body.astype(np.float32)), points)
    inside = body > 0.5
    return Prepared(values, inside if inside.any() else np.ones_like(inside), covered, grid)


def _climbed(
    fixed: Prepared,
    moving: Prepared,
    start: Floats,
    *,
    model: Linear,
    step_mm: float,
    threads: int,
    seed: int,
) -> Floats:
    """Return the map that gradient ascent on mutual information reaches from a start.

    References
    ----------
    Mattes et al., IEEE TMI 2003;22:120.
    """
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    transform = sitk.Euler3DTransform() if model == "rigid" else sitk.AffineTransform(3)
    centre = fixed.grid.to_lps_mm(ndimage.center_of_mass(fixed.body))[0]
    transform.SetCenter(centre.tolist())
    linear = start[:3, :3]
    if model == "rigid":
        u, _, v = np.linalg.svd(linear)
        linear = u @ v
    transform.SetMatrix(linear.ravel().tolist())
    transform.SetTranslation((moved(start, centre) - centre).tolist())
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(
        _image(ndimage.binary_dilation(fixed.body, iterations=2).astype(np.uint8), fixed.grid)
    )
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(float(np.clip(40_000 / fixed.values.size, 0.05, 1.0)), seed)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(transform, inPlace=True)
    method.SetOptimizerAsRegularStepGradientDescent(step_mm, 0.01, 80, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    try:
        method.Execute(_image(fixed.values, fixed.grid), _image(moving.values, moving.grid))
    except RuntimeError:  # nothing overlaps from this start
        return start
    found = np.eye(4)
    found[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    middle = np.array(transform.GetCenter())
    found[:3, 3] = middle + np.array(transform.GetTranslation()) - found[:3, :3] @ middle
    return found
