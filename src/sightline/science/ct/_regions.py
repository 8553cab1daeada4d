"""Which parts of the body a CT shows, slice by slice, from air, bone and the outline of the body.

Rules with an order: each slice is measured (area and width of the body, air within it, bone and where that
lies, parts), each region says how badly a slice fits it, and dynamic programming finds the cheapest way from
the head down. Without weights; for scale, a slice classifier with the same constraint of order reaches 94 %
over eleven regions (shared reference on change, §9). Expect less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

AIR_HU, BODY_HU, BONE_HU = -500.0, -300.0, 250.0
GRID_MM = 4.0
# From the head down; a study passes them in this order and may begin and end anywhere.
REGIONS = ("head", "neck", "chest", "abdomen", "pelvis", "legs")
# A change of region costs what some slices that fit badly cost, so that single slices make none.
CHANGE_COST = 60.0
WORST, EACH_MM = 20.0, 5.0
SHORTEST_MM = 30.0
# From this misfit on, which is half of the worst, a span is of no region that is known.
UNKNOWN = 10.0

# What each region looks like: of each fact the least, the most, and how far beyond is one unit of misfit.
Looks = dict[str, tuple[float, float, float]]
_LOOKS: dict[str, Looks] = {
    "head": {
        "area_cm2": (90, 320, 50), "width_mm": (110, 210, 25), "air": (0, 0.12, 0.04),
        "bone": (0.08, 0.45, 0.02), "ring": (0.35, 1, 0.15), "parts": (1, 1, 0.3),
    },
    "neck": {
        "area_cm2": (50, 220, 40), "width_mm": (80, 190, 25), "air": (0, 0.1, 0.03),
        "bone": (0.02, 0.1, 0.02), "ring": (0, 0.4, 0.15), "side": (0, 0.6, 0.15), "parts": (1, 1, 0.3),
    },
    "chest": {
        "area_cm2": (250, 1500, 50), "width_mm": (210, 560, 25), "air": (0.12, 0.8, 0.03),
        "bone": (0.008, 0.12, 0.02), "parts": (1, 3, 0.3),
    },
    "abdomen": {
        "area_cm2": (220, 1800, 50), "width_mm": (200, 560, 25), "air": (0, 0.1, 0.03),
        "bone": (0.002, 0.04, 0.01), "side": (0, 0.45, 0.1), "parts": (1, 3, 0.3),
    },
    "pelvis": {
        "area_cm2": (220, 1800, 50), "width_mm": (220, 560, 25), "air": (0, 0.06, 0.03),
        "bone": (0.03, 0.16, 0.01), "side": (0.45, 1, 0.1), "parts": (1, 1, 0.3),
    },
    "legs": {
        "area_cm2": (40, 900, 60), "width_mm": (60, 230, 25), "air": (0, 0.02, 0.02),
        "bone": (0.015, 0.2, 0.01), "side": (0.5, 1, 0.1),
    },
}  # fmt: skip
# The lower neck shows the shoulders, which look like a pelvis: they are taken for one only above a chest.
_SHOULDERS: Looks = {
    "area_cm2": (260, 1200, 50), "width_mm": (240, 560, 25), "air": (0, 0.12, 0.03),
    "bone": (0.03, 0.16, 0.02), "side": (0.4, 1, 0.1), "parts": (1, 1, 0.3),
}  # fmt: skip
SHOULDERS_COST = 1.0


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """What is measured of one transverse slice.

    `area_cm2` and `width_mm` of the body with what it encloses; `air` and `bone` are the fractions of it
    with lung-like or bone-like values; `ring` is the share of the bone that lies in its outer part, `side`
    the share that lies away from the middle third of its width; `parts` counts bodies of similar size.
    """

    area_cm2: float
    width_mm: float
    air: float
    bone: float
    ring: float
    side: float
    parts: int


@dataclass(frozen=True, slots=True)
class Span:
    """A region from `low_mm` to `high_mm` along the patient's axis (z of LPS, towards the head)."""

    region: str
    low_mm: float
    high_mm: float


def measure_slice(image_hu: NDArray[np.floating], spacing_mm: tuple[float, float]) -> SliceFacts | None:
    """Measure a transverse slice.

    Parameters
    ----------
    image_hu : array (row, column), HU
    spacing_mm : (row, column), mm

    Returns
    -------
    SliceFacts or None
        None where there is no body: less than 20 cm².
    """
    steps = [max(1, round(GRID_MM / mm)) for mm in spacing_mm]
    image = np.asarray(image_hu, dtype=np.float32)[:: steps[0], :: steps[1]]
    cell_mm = (spacing_mm[0] * steps[0], spacing_mm[1] * steps[1])
    cell_cm2 = cell_mm[0] * cell_mm[1] / 100
    body, parts = _body(image, cell_cm2)
    area_cm2 = float(body.sum()) * cell_cm2
    if area_cm2 < 20:
        return None
    columns = np.flatnonzero(body.any(axis=0))
    width_mm = float(columns[-1] - columns[0] + 1) * cell_mm[1]
    bone = body & (image > BONE_HU)
    inner = ndimage.binary_erosion(body, iterations=max(1, round(16 / GRID_MM)))
    middle = (columns[0] + columns[-1]) / 2
    aside = np.abs(np.arange(image.shape[1]) - middle) > (columns[-1] - columns[0]) / 6
    bones = max(int(bone.sum()), 1)
    return SliceFacts(
        area_cm2=area_cm2, width_mm=width_mm,
        air=float((body & (image < AIR_HU)).sum() / body.sum()),
        bone=float(bone.sum() / body.sum()), ring=float((bone & ~inner).sum() / bones),
        side=float((bone & aside[None, :]).sum() / bones), parts=parts,
    )  # fmt: skip


def _body(image: NDArray[np.float32], cell_cm2: float) -> tuple[NDArray[np.bool_], int]:
    """Return the body with the air it encloses, and how many parts it has; the table is opened away."""
    solid = ndimage.binary_opening(image > BODY_HU, iterations=2)
    labels, count = ndimage.label(solid)
    if not count:
        return solid, 0
    sizes = ndimage.sum_labels(solid, labels, np.arange(1, count + 1))
    kept = np.flatnonzero((sizes >= sizes.max() * 0.4) & (sizes * cell_cm2 >= 20)) + 1
    body = ndimage.binary_fill_holes(np.isin(labels, kept))
    return np.asarray(body, dtype=np.bool_), len(kept)


def find_spans(slices: Sequence[tuple[float, SliceFacts | None]]) -> tuple[Span, ...]:
    """Return the regions that a stack of transverse slices shows, from the head down.

    Parameters
    ----------
    slices : sequence of (z in mm towards the head, facts)
        In any order; slices without a body say nothing.

    Returns
    -------
    tuple of Span
        Spans shorter than 30 mm are left out, except when the whole stack is shorter, and those that fit
        no region.
    """
    seen = sorted(((z, facts) for z, facts in slices if facts is not None), key=lambda one: -one[0])
    if not seen:
        return ()
    costs = np.array([[_misfit(region, facts) for region in REGIONS] for _, facts in seen])
    heights = [z for z, _ in seen]
    step = float(np.median([a - b for a, b in pairwise(heights)])) if len(heights) > 1 else 1.0
    path = _cheapest(costs * step / EACH_MM)
    spans, begin = [], 0
    for k in range(1, len(path) + 1):
        if k == len(path) or path[k] != path[begin]:
            if costs[begin:k, path[begin]].mean() < UNKNOWN:
                low_mm, high_mm = heights[k - 1] - step / 2, heights[begin] + step / 2
                spans.append(Span(REGIONS[path[begin]], low_mm, high_mm))
            begin = k
    total = heights[0] - heights[-1] + step
    return tuple(s for s in spans if s.high_mm - s.low_mm >= min(SHORTEST_MM, total))


def _misfit(region: str, facts: SliceFacts) -> float:
    """Return how badly a slice fits a region: squared distances beyond what is usual, at most 20."""
    looks = _LOOKS[region]
    if region == "legs" and facts.parts > 1:  # two legs are as wide as a pelvis
        looks = {name: look for name, look in looks.items() if name != "width_mm"}
    if region == "neck":
        return min(_beyond(looks, facts), _beyond(_SHOULDERS, facts) + SHOULDERS_COST, WORST)
    return min(_beyond(looks, facts), WORST)


def _beyond(looks: Looks, facts: SliceFacts) -> float:
    beyond = [
        max(low - getattr(facts, name), getattr(facts, name) - high, 0.0) / unit
        for name, (low, high, unit) in looks.items()
    ]
    return float(sum(b * b for b in beyond))


def _cheapest(costs: NDArray[np.float64]) -> list[int]:
    """Return the region of each slice on the cheapest way that never goes back towards the head."""
    regions = costs.shape[1]
    best, back = costs[0].copy(), np.zeros(costs.shape, dtype=int)
    for k in range(1, len(costs)):
        total = np.empty(regions)
        for there in range(regions):
            ways = best[: there + 1] + CHANGE_COST * (np.arange(there + 1) != there)
            back[k, there] = int(ways.argmin())
            total[there] = ways.min() + costs[k, there]
        best = total
    path = [int(best.argmin())]
    for k in range(len(costs) - 1, 0, -1):
        path.append(int(back[k, path[-1]]))
    return path[::-1]
