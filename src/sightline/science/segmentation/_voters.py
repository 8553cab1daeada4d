"""Three ways to divide a box of voxels between foreground and background seeds.

Each takes features, seeds and spacing and returns the foreground; none knows of patients or units.
"""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.segmentation import watershed

from sightline.science.geometry import Floats
from sightline.science.segmentation._model import Mask, Method

F32 = npt.NDArray[np.float32]

ROUNDS = 2
"""Times the box is swept along all axes in both directions; more changes under 0.1 % of the voxels."""

MOST_STEPS = 200
STEEPEST = 1.5
"""Difference of features at which the attack of a growcut neighbour has no strength left."""


def geodesic_distances(feature: F32, seeds: Mask, spacing_mm: Floats, *, weight_mm: float) -> F32:
    """Return the geodesic distance (mm) of each voxel to several sets of seeds.

    A step costs sqrt(length^2 + (weight difference)^2), so that a path through an even region costs its
    length and one across a border the height of that border. Planes are swept along each axis in both
    directions, each taking over from the nine nearest voxels of the one before.

    Parameters
    ----------
    feature : (z, y, x)
        Without unit, about 0 in the lesion and 1 outside.
    seeds : bool (k, z, y, x)
    spacing_mm : (3,), z, y, x
    weight_mm : mm
        Length that a difference of 1 in the feature is worth.

    Returns
    -------
    (k, z, y, x), mm
        Infinite where a set is empty.

    References
    ----------
    Toivanen, Pattern Recognition Letters 1996;17:437 (distance transform on grey values); Criminisi, Sharp
    and Blake, ECCV 2008, 10.1007/978-3-540-88682-2_9 (geodesic segmentation by sweeps).

    Examples
    --------
    >>> line = np.array([[[0, 0, 1, 1]]], dtype=np.float32)
    >>> seeds = np.array([[[[True, False, False, False]]]])
    >>> geodesic_distances(line, seeds, np.ones(3), weight_mm=0.0).ravel().tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    distances = np.where(seeds, np.float32(0), np.float32(np.inf))
    for _ in range(ROUNDS):
        for axis in range(3):
            order = (axis, *(a for a in range(3) if a != axis))
            values = np.transpose(feature, order)
            # The sets stay together behind the swept axis: one step handles both.
            planes = np.moveaxis(distances, axis + 1, 0)
            _sweep(values, planes, spacing_mm[list(order)], weight_mm)
            _sweep(values[::-1], planes[::-1], spacing_mm[list(order)], weight_mm)
    return distances


def _sweep(values: F32, planes: F32, spacing: Floats, weight_mm: float) -> None:
    """Carry distances from each plane to the next, in place."""
    _, rows, columns = values.shape
    scaled = np.pad(values * np.float32(weight_mm), ((0, 0), (1, 1), (1, 1)), mode="edge")
    before = np.full((planes.shape[1], rows + 2, columns + 2), np.inf, dtype=np.float32)
    for i in range(1, len(values)):
        before[:, 1:-1, 1:-1] = planes[i - 1]
        here, best = scaled[i, 1:-1, 1:-1], planes[i]
        for dy, dx in product((0, 1, 2), repeat=2):
            part = (slice(dy, dy + rows), slice(dx, dx + columns))
            squared = np.float32(
                spacing[0] ** 2 + ((dy - 1) * spacing[1]) ** 2 + ((dx - 1) * spacing[2]) ** 2
            )
            step = np.sqrt((here - scaled[i - 1][part]) ** 2 + squared)
            np.minimum(best, before[:, *part] + step, out=best)


def vote_geodesic(feature: F32, inner: Mask, outer: Mask, spacing_mm: Floats, *, weight_mm: float) -> Mask:
    """Return the voxels that lie nearer, on geodesic paths, to the inner seeds than to the outer ones."""
    near, far = geodesic_distances(feature, np.stack([inner, outer]), spacing_mm, weight_mm=weight_mm)
    return np.asarray(near < far)


def vote_growcut(feature: F32, inner: Mask, outer: Mask) -> Mask:
    """Return the voxels conquered by the inner seeds in a cellular automaton.

    At each step the six neighbours attack a cell with their own strength times 1 - difference / 1.5; the
    strongest attack above the cell's strength wins it. Ends when nothing changes.

    References
    ----------
    Vezhnevets and Konouchine, GraphiCon 2005 (GrowCut).

    Examples
    --------
    >>> line = np.array([[[0, 0, 0, 1, 1]]], dtype=np.float32)
    >>> ends = np.arange(5).reshape(1, 1, 5)
    >>> vote_growcut(line, ends == 0, ends == 4).ravel().tolist()
    [True, True, True, False, False]
    """
    # Signed strength: one array says whose a cell is and how strongly.
    state = inner.astype(np.float32) - outer.astype(np.float32)
    links = [
        np.asarray(np.clip(1 - np.abs(np.diff(feature, axis=a)) / STEEPEST, 0, 1), dtype=np.float32)
        for a in range(3)
    ]
    for _ in range(MOST_STEPS):
        after = state.copy()
        for axis, link in enumerate(links):
            low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
            high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
            _attack(after, low, state[high] * link)
            _attack(after, high, state[low] * link)
        if np.array_equal(after, state):
            break
        state = after
    return np.asarray(state > 0)


def _attack(cells: F32, part: tuple[slice, ...], strength: F32) -> None:
    held = cells[part]
    np.copyto(held, strength, where=np.abs(strength) > np.abs(held))


def vote_watershed(feature: F32, inner: Mask, outer: Mask, spacing_mm: Floats) -> Mask:
    """Return what floods from the inner seeds over the height of the gradient.

    References
    ----------
    Beucher and Meyer 1993 (watershed from markers); scikit-image's implementation.
    """
    slopes = np.gradient(feature, *spacing_mm)
    height = np.sqrt(sum(slope**2 for slope in slopes))
    return np.asarray(watershed(height, inner + 2 * outer.astype(np.int32)) == 1)


def cleaned(mask: Mask, seeds: Mask) -> Mask:
    """Return the part of a mask that holds the seeds, with its holes filled."""
    labels, _ = ndimage.label(mask | seeds)
    kept = np.isin(labels, np.unique(labels[seeds]))
    return np.asarray(ndimage.binary_fill_holes(kept))


VOTERS: tuple[Method, ...] = ("geodesic", "growcut", "watershed")


def run_voter(
    voter: Method, feature: F32, inner: Mask, outer: Mask, spacing_mm: Floats, *, weight_mm: float
) -> Mask:
    """Return the foreground by one of `VOTERS`: what is connected to the inner seeds, holes filled."""
    ways: dict[Method, Callable[[], Mask]] = {
        "geodesic": lambda: vote_geodesic(feature, inner, outer, spacing_mm, weight_mm=weight_mm),
        "growcut": lambda: vote_growcut(feature, inner, outer),
        "watershed": lambda: vote_watershed(feature, inner, outer, spacing_mm),
    }
    return cleaned(ways[voter]() & ~outer, inner)


def vote_majority(masks: Sequence[Mask], seeds: Mask) -> Mask:
    """Return what more than half of the masks hold, connected to the seeds."""
    return cleaned(np.sum(masks, axis=0) * 2 > len(masks), seeds)
