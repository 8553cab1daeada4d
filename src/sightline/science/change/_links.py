"""The same lesion at two dates: a minimum-cost assignment in aligned space."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from sightline.science.alignment import Alignment, folds_near
from sightline.science.change._model import Link
from sightline.science.geometry import Floats, Grid
from sightline.science.segmentation import Lesion, Mask

LEAST_GATE_MM = 10.0
MOST_GATE_MM = 30.0
INSIDE_MM = 10.0
"""A place counts as seen when it lies this far inside the scan."""

UNLINKED_COST = 1.0
"""Cost of leaving one lesion without a partner; a pair is linked below twice this."""

AMBIGUOUS_RATIO = 1.3
AMBIGUOUS_FLOOR = 0.4
"""A second candidate below 1.3 times the best cost, or below this cost, makes the match ambiguous."""

FOLD_MM = 10.0
TOUCH_MM = 3.0
FORBIDDEN = 1e6


def link_lesions(
    current: Sequence[Lesion],
    prior: Sequence[Lesion],
    alignment: Alignment,
    prior_grid: Grid,
    *,
    apart: Collection[tuple[int, int]] = (),
) -> tuple[Link, ...]:
    """Return one link per lesion of either date: linked, new, vanished, not covered or ambiguous.

    Centres and masks are carried over by the alignment; cost = distance / gate + 0.5 |ln(V2 / V1)| + (1 -
    overlap), forbidden beyond the gate or on the other side of the body; then an optimal assignment with
    the choice to leave lesions alone. "New" is said only when the prior saw the place and the alignment did
    not fail; where the map folds within 10 mm of a lesion, every link of it is ambiguous.

    Parameters
    ----------
    alignment
        From the current (fixed) to the prior (moving) volume.
    prior_grid
        Grid of the prior volume, to know what it covered.
    apart
        Pairs, current and prior, that a person told apart: never linked, however well they fit.

    References
    ----------
    Santoro-Fernandes et al., PMB 2021, 10.1088/1361-6560/ac1457 (register, assign).
    """
    if alignment.verdict == "failed":
        return _unlinkable(current, prior, alignment)
    costs = _costs(current, prior, alignment)
    for i, j in apart:
        costs[i, j] = FORBIDDEN
    pairs = _assigned(costs)
    links = [_linked(i, j, costs) for i, j in pairs]
    taken_current, taken_prior = {i for i, _ in pairs}, {j for _, j in pairs}
    for i, lesion in enumerate(current):
        if i not in taken_current:
            links.append(_only_current(i, lesion, prior, taken_prior, alignment, prior_grid))
    for j, lesion in enumerate(prior):
        if j not in taken_prior:
            links.append(_only_prior(j, lesion, current, taken_current, alignment))
    return tuple(_doubted(link, current, prior, alignment) for link in links)


def _doubted(link: Link, current: Sequence[Lesion], prior: Sequence[Lesion], alignment: Alignment) -> Link:
    """Return a link, ambiguous where the map folds nearby."""
    if link.kind in ("not-covered", "ambiguous"):
        return link
    if link.current is not None:
        place = np.asarray(current[link.current].centre_lps_mm)
    elif link.prior is not None:
        place = alignment.inverse_points(prior[link.prior].centre_lps_mm)[0]
    if not folds_near(alignment, place, FOLD_MM):
        return link
    why = f"The alignment folds within {FOLD_MM:.0f} mm of this place; please look and choose."
    return replace(link, kind="ambiguous", reason=why)


def _unlinkable(current: Sequence[Lesion], prior: Sequence[Lesion], alignment: Alignment) -> tuple[Link, ...]:
    why = f"Not compared, because the alignment failed: {alignment.reason}"
    return (
        *(Link(i, None, "not-covered", UNLINKED_COST, why) for i, _ in enumerate(current)),
        *(Link(None, j, "not-covered", UNLINKED_COST, why) for j, _ in enumerate(prior)),
    )


def _costs(current: Sequence[Lesion], prior: Sequence[Lesion], alignment: Alignment) -> Floats:
    costs = np.full((len(current), len(prior)), FORBIDDEN)
    for i, now in enumerate(current):
        place = alignment.map_points(now.centre_lps_mm)[0]
        error = float(alignment.local_error_mm(now.centre_lps_mm)[0])
        gate = min(max(LEAST_GATE_MM, now.diameter_mm / 2 + 3 * error), MOST_GATE_MM)
        for j, then in enumerate(prior):
            away = float(np.linalg.norm(place - np.array(then.centre_lps_mm)))
            other_side = now.side is not None and then.side is not None and now.side != then.side
            if away <= gate and not other_side:
                size = 0.5 * abs(np.log(max(now.volume.value, 1.0) / max(then.volume.value, 1.0)))
                costs[i, j] = away / gate + size + 1 - _overlap(now, then, alignment)
    return costs


def _overlap(now: Lesion, then: Lesion, alignment: Alignment) -> float:
    """Return the part of the smaller lesion that lies inside the other, after alignment."""
    if now.volume.value <= then.volume.value:
        return float(_inside(alignment.map_points(_voxels(now)), then, then.mask).mean())
    return float(_inside(alignment.inverse_points(_voxels(then)), now, now.mask).mean())


def _voxels(lesion: Lesion) -> Floats:
    return lesion.grid.to_lps_mm(np.argwhere(lesion.mask))


def _inside(points: Floats, lesion: Lesion, mask: Mask, room: int = 0) -> Mask:
    index = np.rint(lesion.grid.to_index_zyx(points)).astype(int) + room
    within = ((index >= 0) & (index < mask.shape)).all(axis=1)
    clipped = np.clip(index, 0, np.array(mask.shape) - 1)
    return np.asarray(within & mask[tuple(clipped.T)])


def _assigned(costs: Floats) -> list[tuple[int, int]]:
    """Return the cheapest pairs; each lesion may instead stay alone at `UNLINKED_COST`."""
    n, m = costs.shape
    if not n or not m:
        return []
    table = np.zeros((n + m, n + m))
    table[:n, :m] = costs
    table[:n, m:] = np.where(np.eye(n, dtype=bool), UNLINKED_COST, FORBIDDEN)
    table[n:, :m] = np.where(np.eye(m, dtype=bool), UNLINKED_COST, FORBIDDEN)
    rows, columns = linear_sum_assignment(table)
    return [
        (int(i), int(j))
        for i, j in zip(rows, columns, strict=True)
        if i < n and j < m and costs[i, j] < FORBIDDEN
    ]


def _linked(i: int, j: int, costs: Floats) -> Link:
    cost = float(costs[i, j])
    rivals = np.concatenate([np.delete(costs[i], j), np.delete(costs[:, j], i)])
    if rivals.size and float(rivals.min()) < max(AMBIGUOUS_RATIO * cost, AMBIGUOUS_FLOOR):
        return Link(i, j, "ambiguous", cost, "Another lesion fits almost as well; please choose.")
    return Link(i, j, "linked", cost, f"Same place after alignment (cost {cost:.2f} of at most 2).")


def _only_current(
    i: int,
    lesion: Lesion,
    prior: Sequence[Lesion],
    taken: set[int],
    alignment: Alignment,
    prior_grid: Grid,
) -> Link:
    place = alignment.map_points(lesion.centre_lps_mm)
    if not prior_grid.contains(place, margin_mm=INSIDE_MM)[0]:
        return Link(i, None, "not-covered", UNLINKED_COST, "The prior study does not show this place.")
    touched = [j for j in taken if _touching(alignment.map_points(_voxels(lesion)), prior[j])]
    if touched:
        return Link(
            i, touched[0], "ambiguous", UNLINKED_COST, "May have split from a prior lesion; please choose."
        )
    return Link(
        i, None, "new", UNLINKED_COST, "Nothing lay at this place in the prior study, which shows it."
    )


def _only_prior(
    j: int, lesion: Lesion, current: Sequence[Lesion], taken: set[int], alignment: Alignment
) -> Link:
    place = alignment.inverse_points(lesion.centre_lps_mm)
    if not alignment.grid.contains(place, margin_mm=INSIDE_MM)[0]:
        return Link(None, j, "not-covered", UNLINKED_COST, "The current study does not show this place.")
    touched = [i for i in taken if _touching(alignment.inverse_points(_voxels(lesion)), current[i])]
    if touched:
        return Link(
            touched[0], j, "ambiguous", UNLINKED_COST, "May have merged into one lesion; please choose."
        )
    return Link(None, j, "vanished", UNLINKED_COST, "Nothing is left at this place in the current study.")


def _touching(points: Floats, lesion: Lesion) -> bool:
    """Tell whether points come within 3 mm of a lesion's voxels."""
    spacing = np.array(lesion.grid.spacing_xyz_mm[::-1])
    room = int(np.ceil(TOUCH_MM / spacing.min()))
    away = ndimage.distance_transform_edt(~np.pad(lesion.mask, room), sampling=spacing)
    return bool(_inside(points, lesion, away <= TOUCH_MM, room).any())
