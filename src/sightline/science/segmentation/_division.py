"""A box divided between a lesion and its surroundings: seeds from a click, then from the first answer."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from sightline.science.geometry import Floats
from sightline.science.segmentation._model import Mask, Method
from sightline.science.segmentation._scene import F32, Scene
from sightline.science.segmentation._voters import VOTERS, run_voter, vote_majority

SEED = 0.15
"""Radius of the ball at a click that is taken as lesion, in diameters."""

REACH = 0.85
"""Distance from the clicks beyond which nothing is lesion, in diameters: a click may lie at the rim."""

MARGIN = 0.3
"""Distance from the first answer beyond which nothing is lesion, in diameters."""

CORE = 0.5
"""What lies deeper than this part of the greatest depth of the first answer is lesion."""

WEIGHT = 2.0
"""A border as high as the lesion's contrast is worth a way of this many diameters."""

SMOOTH = 0.03
"""Standard deviation of the smoothing, in diameters."""


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """Voxels that are lesion, that are not, and those whose values stand for the surroundings."""

    inner: Mask
    outer: Mask
    around: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """The lesion by each method, the seeds it grew from and its contrast.

    `smooth` are the values of the box after smoothing; `level` is the lesion's, `contrast` the usual distance
    of the surroundings from it.
    """

    masks: dict[Method, Mask]
    seeds: Seeds
    smooth: F32
    level: float
    contrast: float


def divide(scene: Scene, seeds: Seeds, diameter_mm: float, voters: tuple[Method, ...] = VOTERS) -> Division:
    """Return the lesion that grows from given seeds, by each method and, for all three, their majority."""
    smooth = np.asarray(ndimage.gaussian_filter(scene.values, SMOOTH * diameter_mm / scene.mm), np.float32)
    level, contrast = _contrast(smooth, scene.seen, seeds)
    feature = np.clip((smooth - np.float32(level)) / np.float32(max(contrast, 1e-9)), -1, 1)
    masks: dict[Method, Mask] = {
        voter: run_voter(
            voter, feature, seeds.inner, seeds.outer, scene.spacing_mm, weight_mm=WEIGHT * diameter_mm
        )
        for voter in voters
    }
    if len(masks) == len(VOTERS):
        masks["vote"] = vote_majority(list(masks.values()), seeds.inner)
    return Division(masks, seeds, smooth, level, contrast)


def _contrast(smooth: F32, seen: Mask, seeds: Seeds) -> tuple[float, float]:
    """Return the value of the inner seeds, and how far the surroundings usually are from it."""
    inside = smooth[seeds.inner & seen]
    level = float(np.median(inside)) if inside.size else 0.0
    around = smooth[seeds.around & seen]
    away = float(np.median(np.abs(around - level))) if around.size else 0.0
    return level, max(away, 2 * float(inside.std()) if inside.size else 0.0)


def seeds_of_clicks(scene: Scene, at: Floats, diameter_mm: float) -> Seeds:
    """Return balls round the clicks (n, 3; positions in the box) as lesion, what is far as not."""
    away = scene.away_mm(at)
    return Seeds(
        inner=(away <= max(SEED * diameter_mm, 0.9 * scene.mm)) & scene.seen,
        outer=(away > REACH * diameter_mm) | ~scene.seen,
        around=(away > 0.6 * diameter_mm) & (away < diameter_mm),
    )


def seeds_of_mask(scene: Scene, first: Mask, clicked: Mask, diameter_mm: float) -> Seeds:
    """Return the core of a first answer as lesion, what is far from it as not."""
    body = ndimage.binary_opening(first) | clicked
    depth = ndimage.distance_transform_edt(body)
    inner = (depth > CORE * depth.max()) | clicked
    away = ndimage.distance_transform_edt(~body) * scene.mm
    centre = np.argwhere(body).mean(axis=0)[None]
    outer = (away > MARGIN * diameter_mm) | (scene.away_mm(centre) > REACH * diameter_mm) | ~scene.seen
    around = (away > 0.05 * diameter_mm) & (away < MARGIN * diameter_mm)
    return Seeds(inner & scene.seen, outer & ~inner, around)


def divide_twice(
    scene: Scene, at: Floats, diameter_mm: float, voters: tuple[Method, ...] = VOTERS
) -> Division:
    """Return the lesion at clicks: a geodesic first answer gives the seeds for all methods."""
    seeds = seeds_of_clicks(scene, at, diameter_mm)
    first = divide(scene, seeds, diameter_mm, ("geodesic",)).masks["geodesic"]
    return divide(scene, seeds_of_mask(scene, first, seeds.inner, diameter_mm), diameter_mm, voters)


def fenced_part(mask: Mask, seeds: Seeds) -> float:
    """Return the part of the border of a mask that is drawn by the outer seeds and not by the image."""
    rim = ndimage.binary_dilation(mask) & ~mask
    return float((rim & seeds.outer).sum() / max(int(rim.sum()), 1))


def edge_part(scene: Scene, division: Division, mask: Mask) -> float:
    """Return the part of the border across which the image changes clearly.

    Clearly is by more than 0.4 of the contrast and by more than twice the standard deviation inside, between
    points one voxel of the volume or a tenth of the diameter within and beyond the border.
    """
    soft = ndimage.gaussian_filter(mask.astype(np.float32), 1.0)
    rim = mask & ~ndimage.binary_erosion(mask, border_value=1) & scene.seen
    where = np.argwhere(rim)
    if not len(where):
        return 0.0
    slopes = np.stack([np.gradient(soft, axis=a)[rim] for a in range(3)], axis=1)
    normal = -slopes / np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), 1e-6)
    size_mm = 2 * (3 * mask.sum() / (4 * np.pi)) ** (1 / 3) * scene.mm
    # A step as long as the voxels of the volume are along the normal.
    voxel = 1 / np.maximum(np.linalg.norm(normal / scene.native_mm, axis=1), 1e-6)
    step = np.maximum(0.1 * size_mm, 0.8 * voxel)[:, None] / scene.mm * normal
    edge = where + 0.5 * normal
    outside, inside = (
        ndimage.map_coordinates(division.smooth, (edge + sign * step).T, order=1, mode="nearest")
        for sign in (1, -1)
    )
    core = division.smooth[division.seeds.inner & scene.seen]
    spread = 1.4826 * float(np.median(np.abs(core - np.median(core)))) if core.size else 0.0
    least = max(0.4 * division.contrast, 2 * spread)
    return float((np.abs(outside - inside) > max(least, 1e-9)).mean())


def separation(scene: Scene, division: Division) -> float:
    """Return how far the lesion's value is from the middle of the surroundings, in their own spread."""
    around = division.smooth[division.seeds.around & scene.seen]
    if not around.size:
        return 0.0
    middle = float(np.median(around))
    spread = 1.4826 * float(np.median(np.abs(around - middle)))
    away = abs(division.level - middle)
    return away / spread if spread > 0 else float(np.sign(away)) * 1e3


def strangeness(scene: Scene, division: Division, at: Floats) -> float:
    """Return how far the clicks (n, 3; positions in the box) are from the usual value of the lesion's core.

    In standard deviations of the core, of at least a tenth of the contrast. Much means that the clicks lie on
    something else within what was found: a lesion in an organ, when the organ was cut out.
    """
    core = division.smooth[division.seeds.inner & scene.seen]
    if not core.size:
        return 0.0
    middle = float(np.median(core))
    spread = max(1.4826 * float(np.median(np.abs(core - middle))), 0.1 * division.contrast, 1e-9)
    clicked = ndimage.map_coordinates(division.smooth, at.T, order=1, mode="nearest")
    return float(np.median(np.abs(clicked - middle))) / spread
