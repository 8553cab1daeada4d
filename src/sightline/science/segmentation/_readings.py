"""What is read off a clicked segment: volume, axes, mean, peak, and how far they can be trusted."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.signal import fftconvolve

from sightline.kernel.quantities import Quantity
from sightline.science.geometry import Floats, Grid
from sightline.science.segmentation._measure import axes_of
from sightline.science.segmentation._model import UNEDITED, ClickSegment, Mask, Method, NoLesionHere, Point
from sightline.science.segmentation._scene import F32
from sightline.science.segmentation._voters import VOTERS
from sightline.science.volumes import Volume

UCUM = {"HU": "[hnsf'U]", "GML": "g/ml", "BQML": "Bq/ml", "CM2ML": "cm2/ml"}
"""Units of volumes as UCUM codes; others are kept as they are."""

PEAK_MM = 10 * (3 / (4 * np.pi)) ** (1 / 3)
"""Radius of the sphere of 1 cm3."""

LEAST_SPREAD = 0.12
"""Least standard deviation of the logarithm of a volume: what two clicks and two readers differ by."""

UNSEEN_SPREAD = 0.8
"""The same of a lesion whose border is guessed all round."""

SUBVOXELS = 5
FAINT = 0.8
"""Part of the border that the image shows, below which the reader is told."""

DOUBTFUL = 0.7
"""Mean Dice coefficient of the methods below which the border is called doubtful."""


def read_segment(
    volume: Volume,
    covers: Mapping[Method, F32],
    offset_zyx: tuple[int, int, int],
    *,
    method: Method,
    edge: float,
    points: Floats,
    removed: Floats,
    diameter_mm: float,
    corrected: bool = False,
) -> ClickSegment:
    """Return a segment with all that is measured on it.

    Parameters
    ----------
    covers
        Part of each voxel inside, by method, (z, y, x), beginning at voxel `offset_zyx`.

    Raises
    ------
    NoLesionHere
        If no voxel is inside.
    """
    covers, offset = _bounded(covers, offset_zyx)
    masks: dict[Method, Mask] = {name: cover >= 0.5 for name, cover in covers.items()}
    cover, mask = covers[method], masks[method]
    if not mask.any():
        raise NoLesionHere("What was clicked is smaller than a voxel; click inside a larger lesion.")
    dice = {(a, b): _dice(masks[a], masks[b]) for a, b in combinations(VOTERS, 2)}
    agreement = float(np.mean(list(dice.values())))
    spread = _log_spread(covers, cover, volume.grid, edge)
    summed = f"sum of {method}" if corrected else f"sum of {method}, {UNEDITED}"
    axes = axes_of(
        cover,
        0.5,
        rows=np.flatnonzero(mask.any(axis=(1, 2))),
        outside=0.0,
        grid=volume.grid,
        offset_zyx=offset,
    )
    values = np.asarray(volume.array[_part(offset, mask.shape)], dtype=float)[mask]
    unit = UCUM.get(volume.unit, volume.unit)
    cut = _at_face(mask, offset, volume.array.shape)
    weights = np.argwhere(mask)
    return ClickSegment(
        cover=cover,
        masks=masks,
        offset_zyx=offset,
        grid=volume.grid.cropped(offset, (mask.shape[0], mask.shape[1], mask.shape[2])),
        method=method,
        centre_lps_mm=_points(volume.grid.to_lps_mm(weights.mean(axis=0) + offset))[0],
        volume=_with_spread(float(cover.sum()) * volume.grid.voxel_mm3, "mm3", summed, spread),
        long_axis=_with_spread(axes.long_mm, "mm", f"caliper in one slice, {method} outline", spread / 3),
        long_axis_lps_mm=axes.long_lps_mm,
        short_axis=_with_spread(axes.short_mm, "mm", f"caliper in one slice, {method} outline", spread / 3),
        short_axis_lps_mm=axes.short_lps_mm,
        axis_slice=axes.z,
        mean=Quantity(float(np.nanmean(values)), unit, f"mean over the {method} mask"),
        peak=Quantity(_peak(volume, mask, offset), unit, "greatest mean over a sphere of 1 cm3"),
        agreement=Quantity(agreement, "1", "mean Dice coefficient of the methods"),
        dice=dice,
        edge=Quantity(edge, "1", "part of the border with a clear change of the image"),
        cut_by_edge=cut,
        notes=_notes(cut, agreement, edge, bool(np.isnan(values).any())),
        points_lps_mm=_points(points),
        removed_lps_mm=_points(removed),
        diameter_mm=diameter_mm,
    )


def _bounded(
    covers: Mapping[Method, F32], offset: tuple[int, int, int]
) -> tuple[dict[Method, F32], tuple[int, int, int]]:
    """Return the covers in the smallest box that holds all of them."""
    where = np.argwhere(np.max(list(covers.values()), axis=0) > 0.02)
    if not len(where):
        raise NoLesionHere("What was clicked is smaller than a voxel; click inside a larger lesion.")
    low, high = where.min(axis=0), where.max(axis=0) + 1
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    start = (int(low[0]) + offset[0], int(low[1]) + offset[1], int(low[2]) + offset[2])
    return {name: np.ascontiguousarray(cover[box]) for name, cover in covers.items()}, start


def _part(offset: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(a, a + n) for a, n in zip(offset, shape, strict=True))


def _points(values: Floats) -> tuple[Point, ...]:
    return tuple((float(x), float(y), float(z)) for x, y, z in np.asarray(values).reshape(-1, 3))


def _dice(a: Mask, b: Mask) -> float:
    return float(2 * (a & b).sum() / max(int(a.sum() + b.sum()), 1))


def _log_spread(covers: Mapping[Method, F32], chosen: F32, grid: Grid, edge: float) -> float:
    """Return the standard deviation of the logarithm of the volume.

    The spread of the methods, a quarter of a voxel of the whole border, `UNSEEN_SPREAD` for the part of the
    border that the image does not show, and `LEAST_SPREAD`, in quadrature.
    """
    sizes = np.array([float(covers[name].sum()) for name in VOTERS])
    by_method = float(np.std(np.log(np.maximum(sizes, 0.5)), ddof=1))
    diameter = (6 * float(chosen.sum()) * grid.voxel_mm3 / np.pi) ** (1 / 3)
    by_border = 6 / diameter * grid.voxel_mm3 ** (1 / 3) / 4
    unseen = UNSEEN_SPREAD * (1 - edge)
    return float(np.sqrt(by_method**2 + by_border**2 + unseen**2 + LEAST_SPREAD**2))


def _with_spread(value: float, unit: str, method: str, spread: float) -> Quantity:
    factor = float(np.exp(1.96 * spread))
    return Quantity(value, unit, method, value / factor, value * factor)


def _at_face(mask: Mask, offset: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    where = np.argwhere(mask) + offset
    return bool((where.min(axis=0) == 0).any() or (where.max(axis=0) == np.array(shape) - 1).any())


def _notes(cut: bool, agreement: float, edge: float, holes: bool) -> tuple[str, ...]:
    notes = []
    if cut:
        notes.append("The lesion reaches the edge of the volume: its true size is larger.")
    if agreement < DOUBTFUL:
        notes.append("The methods disagree about the border: check it on every slice, or correct it.")
    if edge < FAINT:
        notes.append(f"The image shows only {100 * edge:.0f} % of the border; the rest is a guess: check it.")
    if holes:
        notes.append("Voxels without a value lie in the lesion and are left out of mean and peak.")
    return tuple(notes)


def _peak(volume: Volume, mask: Mask, offset: tuple[int, int, int]) -> float:
    """Return the greatest mean over a sphere of 1 cm3 centred on a voxel of the mask."""
    kernel = _sphere(volume.grid)
    room = [n // 2 for n in kernel.shape]
    low = [max(a - r, 0) for a, r in zip(offset, room, strict=True)]
    high = [a + n + r for a, n, r in zip(offset, mask.shape, room, strict=True)]
    around = np.asarray(
        volume.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], dtype=np.float64
    )
    finite = np.isfinite(around)
    sums = _smeared(np.where(finite, around, 0.0), kernel)
    counts = _smeared(finite.astype(float), kernel)
    part = _part(tuple(a - b for a, b in zip(offset, low, strict=True)), mask.shape)
    means = sums[part][mask] / np.maximum(counts[part][mask], 1e-9)
    return float(means.max())


def _smeared(values: Floats, kernel: Floats) -> Floats:
    return np.asarray(fftconvolve(values, kernel, mode="same"))


def _sphere(grid: Grid) -> Floats:
    """Return which part of each voxel round a voxel lies in the sphere, scaled to a sum of 1."""
    spacing = np.array(grid.spacing_xyz_mm[::-1])
    reach = np.ceil(PEAK_MM / spacing).astype(int)
    fine = [(np.arange((2 * r + 1) * SUBVOXELS) + 0.5) / SUBVOXELS - r - 0.5 for r in reach]
    z, y, x = (axis * mm for axis, mm in zip(fine, spacing, strict=True))
    inside = (z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 <= PEAK_MM**2).astype(float)
    nz, ny, nx = 2 * reach + 1
    parts = inside.reshape(nz, SUBVOXELS, ny, SUBVOXELS, nx, SUBVOXELS).mean(axis=(1, 3, 5))
    return np.asarray(parts / parts.sum())


def soft_cover(mask: npt.NDArray[np.bool_]) -> F32:
    """Return a mask as parts of voxels, its stairs smoothed."""
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), 0.7), dtype=np.float32)
