"""Surfaces of what is denser than a threshold."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import measure

from sightline.science.geometry import Floats, Grid
from sightline.science.rendering._model import MOST_TRIANGLES, BadView, EmptySurface, Surface

MOST_VOXELS = 12_000_000
Indices = npt.NDArray[np.int64]


def find_surface(
    array: npt.NDArray[Any],
    grid: Grid,
    threshold: float,
    *,
    smoothing_mm: float = 0.0,
    max_triangles: int = 100_000,
) -> Surface:
    """Return the surface between what lies above a threshold and the rest, closed where the volume ends.

    Parameters
    ----------
    array : (z, y, x)
        Values, or a mask with a threshold of 0.5. A volume of more than `MOST_VOXELS` is first made coarser
        by means of whole blocks.
    smoothing_mm
        Standard deviation of a Gaussian that is applied before, up to 10 mm.
    max_triangles
        Where there would be more, points are merged to fewer (see `_coarser`).

    Raises
    ------
    EmptySurface
        If nothing, or everything, lies above the threshold.

    References
    ----------
    Lewiner et al., J Graph Tools 2003;8:1 (marching cubes); Lindstrom, SIGGRAPH 2000 (quadrics of clusters).
    """
    if not 0 <= smoothing_mm <= 10 or not 1000 <= max_triangles <= MOST_TRIANGLES:
        raise BadView(f"Smoothing goes from 0 to 10 mm, and triangles from 1000 to {MOST_TRIANGLES}.")
    if not np.isfinite(threshold):
        raise BadView("A threshold must be a finite number.")
    array, grid = _cropped(array, grid, threshold)
    array, grid = block_means(array, grid, MOST_VOXELS)
    values = array.astype(np.float32)
    if smoothing_mm > 0:
        sigma = [smoothing_mm / mm for mm in grid.spacing_xyz_mm[::-1]]
        values = ndimage.gaussian_filter(values, sigma, mode="nearest", truncate=3)
    index, faces, _, _ = measure.marching_cubes(_closed(values, threshold), threshold, allow_degenerate=False)
    points = grid.to_lps_mm(index - 1)
    triangles = faces.astype(np.int64)
    volume = _volume(points, triangles)
    if volume < 0:  # the axes of the volume are left-handed
        triangles, volume = triangles[:, ::-1], -volume
    area = float(np.linalg.norm(_crosses(points, triangles), axis=1).sum() / 2)
    fewer_points, fewer = _at_most(points, triangles, max_triangles, area)
    return Surface(
        points=fewer_points.astype(np.float32),
        normals=_normals(fewer_points, fewer),
        triangles=np.ascontiguousarray(fewer, dtype=np.uint32),
        volume_mm3=volume,
        area_mm2=area,
        full_triangles=len(triangles),
    )


def _closed(values: npt.NDArray[np.float32], threshold: float) -> npt.NDArray[np.float32]:
    """Return the volume with a rim of what lies below, so that the surface ends half a voxel outside."""
    if values.max() <= threshold:
        raise EmptySurface("Nothing lies above this threshold.")
    padded = np.pad(values, 1, mode="edge")
    for axis in range(3):
        for end in (0, -1):
            rim = padded.swapaxes(0, axis)[end]
            rim[...] = np.where(rim > threshold, 2 * threshold - rim, rim)
    return padded


def _cropped(array: npt.NDArray[Any], grid: Grid, threshold: float) -> tuple[npt.NDArray[Any], Grid]:
    """Return the box around what lies above the threshold, with some voxels to spare for smoothing."""
    above = array > threshold
    box = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        hit = np.flatnonzero(above.any(axis=others))
        if not len(hit):
            raise EmptySurface("Nothing lies above this threshold.")
        spare = int(np.ceil(10 / grid.spacing_xyz_mm[2 - axis]))
        box.append(slice(max(hit[0] - spare, 0), min(hit[-1] + spare + 1, array.shape[axis])))
    part = array[tuple(box)]
    start = (int(box[0].start), int(box[1].start), int(box[2].start))
    return part, grid.cropped(start, (part.shape[0], part.shape[1], part.shape[2]))


def block_means(array: npt.NDArray[Any], grid: Grid, most_voxels: int) -> tuple[npt.NDArray[Any], Grid]:
    """Return the means of blocks, as nearly cubes as voxels allow; or the volume itself if small enough."""
    if array.size <= most_voxels:
        return array, grid
    spacing = np.array(grid.spacing_xyz_mm[::-1])
    wanted_mm = float(spacing.min())
    factors = np.ones(3, dtype=int)
    while np.prod(-(-np.array(array.shape) // factors)) > most_voxels:
        wanted_mm *= 1.05
        factors = np.clip(np.floor(wanted_mm / spacing + 1e-6), 1, np.array(array.shape)).astype(int)
    counts = np.array(array.shape) // factors
    fz, fy, fx = (int(f) for f in factors)
    nz, ny, nx = (int(n) for n in counts)
    means = np.empty((nz, ny, nx), np.float32)
    for z in range(nz):  # a slab at a time: no second copy of the whole
        slab = array[z * fz : (z + 1) * fz, : ny * fy, : nx * fx]
        means[z] = slab.reshape(fz, ny, fy, nx, fx).mean(axis=(0, 2, 4), dtype=np.float32)
    x, y, z_mm = (float(v) for v in grid.to_lps_mm((factors - 1) / 2)[0])
    sx, sy, sz = grid.spacing_xyz_mm
    return means, Grid((nz, ny, nx), (sx * fx, sy * fy, sz * fz), (x, y, z_mm), grid.directions)


def _crosses(points: Floats, triangles: Indices) -> Floats:
    first, second, third = (points[triangles[:, n]] for n in range(3))
    return np.asarray(np.cross(second - first, third - first))


def _volume(points: Floats, triangles: Indices) -> float:
    """Return the volume inside by the divergence theorem, positive when the triangles look outward."""
    middle = points - points.mean(axis=0)
    return float((middle[triangles[:, 0]] * _crosses(middle, triangles)).sum() / 6)


def _normals(points: Floats, triangles: Indices) -> npt.NDArray[np.float32]:
    """Return unit normals of the points: those of their triangles, weighted by area."""
    crosses = _crosses(points, triangles)
    sums = np.zeros_like(points)
    for axis in range(3):
        sums[:, axis] = np.bincount(
            triangles.ravel(), weights=np.repeat(crosses[:, axis], 3), minlength=len(points)
        )
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _at_most(points: Floats, triangles: Indices, most: int, area_mm2: float) -> tuple[Floats, Indices]:
    """Return the surface with at most so many triangles: cells grow until there are few enough."""
    cell_mm = float(np.sqrt(2.2 * area_mm2 / most))  # about 2.2 triangles come to a cell
    kept = points, triangles
    while len(kept[1]) > most:
        kept = _coarser(points, triangles, cell_mm)
        cell_mm *= 1.15
    return kept


def _coarser(points: Floats, triangles: Indices, cell_mm: float) -> tuple[Floats, Indices]:
    """Merge the points of each cell into the one nearest to the planes of its triangles.

    The point that minimises the sum of squared distances to those planes; the mean of the points decides in
    the directions that the planes leave open.
    """
    cells = np.floor((points - points.min(axis=0)) / cell_mm).astype(np.int64)
    sizes = cells.max(axis=0) + 1
    keys = (cells[:, 0] * sizes[1] + cells[:, 1]) * sizes[2] + cells[:, 2]
    unique, cluster = np.unique(keys, return_inverse=True)
    count = len(unique)
    sums = np.stack([np.bincount(cluster, points[:, a], count) for a in range(3)], axis=1)
    means: Floats = sums / np.bincount(cluster, minlength=count)[:, np.newaxis]
    crosses = _crosses(points, triangles)
    quadrics, pulls = np.zeros((count, 3, 3)), np.zeros((count, 3))
    for corner in range(3):
        owner = cluster[triangles[:, corner]]
        # Distances are taken from the cell's mean, which keeps the sums small.
        away = ((points[triangles[:, 0]] - means[owner]) * crosses).sum(axis=1)
        for a in range(3):
            pulls[:, a] += np.bincount(owner, crosses[:, a] * away, count)
            for b in range(3):
                quadrics[:, a, b] += np.bincount(owner, crosses[:, a] * crosses[:, b], count)
    weight = np.trace(quadrics, axis1=1, axis2=2)
    quadrics += np.eye(3) * (1e-3 * weight + 1e-12)[:, np.newaxis, np.newaxis]
    shift = np.linalg.solve(quadrics, pulls[:, :, np.newaxis])[:, :, 0]
    merged = means + np.clip(shift, -cell_mm, cell_mm)
    fewer = cluster[triangles]
    whole = (fewer[:, 0] != fewer[:, 1]) & (fewer[:, 1] != fewer[:, 2]) & (fewer[:, 2] != fewer[:, 0])
    return merged, _without_doubles(fewer[whole])


def _without_doubles(triangles: Indices) -> Indices:
    """Leave out triangles that fell onto each other: the same once, and opposite ones both."""
    if not len(triangles):
        return triangles
    order = (triangles.argmin(axis=1)[:, np.newaxis] + np.arange(3)) % 3  # smallest first, same sense
    turned = np.take_along_axis(triangles, order, axis=1)
    size = int(triangles.max()) + 1
    keys, first = np.unique((turned[:, 0] * size + turned[:, 1]) * size + turned[:, 2], return_index=True)
    mirrors = (turned[:, 0] * size + turned[:, 2]) * size + turned[:, 1]
    return np.asarray(turned[first[~np.isin(mirrors[first], keys)]])
