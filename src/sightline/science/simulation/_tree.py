"""Branching tubes of the lung: arteries, veins and airways as tapering segments in reference space."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sightline.science.geometry import Floats


@dataclass(frozen=True, slots=True)
class Tube:
    """One straight piece; radii in mm at its two ends."""

    start: Floats
    end: Floats
    start_mm: float
    end_mm: float


def grow_tree(
    root: Floats,
    heading: Floats,
    radius_mm: float,
    *,
    depth_mm: Callable[[Floats], float],
    rng: np.random.Generator,
    least_mm: float = 0.42,
    limit: int = 850,
) -> list[Tube]:
    """Return the tubes of one tree that fills the space where `depth_mm` is positive.

    Radii follow Murray's law (r0^3 = r1^3 + r2^3); branches bend away from the boundary.
    """
    tubes: list[Tube] = []
    tips = [(np.asarray(root, float), np.asarray(heading, float) / np.linalg.norm(heading), radius_mm)]
    while tips and len(tubes) < limit:
        start, way, radius = tips.pop(0)
        length = max(8.0, 5.0 * radius) * float(rng.uniform(0.7, 1.3))
        for _ in range(3):  # three bent pieces per branch
            way = _bent(way, 0.16, rng)
            inside = len(tubes) <= 6 or depth_mm(start + way * length / 3) > 2.0
            for spread in () if inside else (0.4, 0.7, 1.0):
                turned = _bent(way, spread, rng)
                if depth_mm(start + turned * length / 3) > 2.0:
                    way, inside = turned, True
                    break
            if not inside:
                break
            end = start + way * length / 3
            tubes.append(Tube(start, end, radius, radius * 0.985))
            start, radius = end, radius * 0.985
        else:
            share = float(rng.uniform(0.28, 0.5))
            axis = _perpendicular(way, rng)
            for part, sign in ((share, 1.0), (1 - share, -1.0)):
                child = radius * part ** (1 / 3)
                angle = np.radians(rng.uniform(24, 52)) * (1.35 - part)
                if child >= least_mm:
                    tips.append((start, way * np.cos(angle) + sign * axis * np.sin(angle), child))
    return tubes


def _bent(way: Floats, spread: float, rng: np.random.Generator) -> Floats:
    bent = way + rng.normal(0, spread, 3)
    return np.asarray(bent / np.linalg.norm(bent))


def _perpendicular(way: Floats, rng: np.random.Generator) -> Floats:
    side = np.cross(way, rng.normal(size=3))
    return np.asarray(side / np.linalg.norm(side))
