"""The surroundings of a click, cut out and resampled to a small box of even voxels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.geometry import Floats
from sightline.science.segmentation._model import Mask
from sightline.science.volumes import Volume

F32 = npt.NDArray[np.float32]

MOST_VOXELS = 44
"""Voxels along each side of the box."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A box of the volume on even voxels.

    `values` are in the unit of the volume, filled in where `seen` is False (not a number, or outside).
    `low` and `high` (z, y, x) are the voxels of the volume that the box covers, ends left out.
    """

    values: F32
    seen: Mask
    mm: float
    low: tuple[int, int, int]
    high: tuple[int, int, int]
    native_mm: Floats

    @property
    def spacing_mm(self) -> Floats:
        """Return the distance of voxels along z, y, x."""
        return np.full(3, self.mm)

    def to_scene(self, index_zyx: Floats) -> Floats:
        """Return positions (n, 3) in the box, of positions in the volume."""
        return (np.atleast_2d(index_zyx) - self.low + 0.5) * self.native_mm / self.mm - 0.5

    def to_volume(self, field: F32) -> F32:
        """Return a field of the box at the voxels of the volume that it covers."""
        count = np.array(self.high) - np.array(self.low)
        weights = [
            _weights((np.arange(n) + 0.5) * mm / self.mm - 0.5, size, max(mm / self.mm, 1.0))
            for n, size, mm in zip(count, field.shape, self.native_mm, strict=True)
        ]
        return _applied(field, weights)

    def from_volume(self, field: npt.NDArray[np.generic]) -> F32:
        """Return a field that covers the same voxels of the volume, on the voxels of the box."""
        return _applied(field.astype(np.float32), self._weights(self.values.shape))

    def _weights(self, shape: tuple[int, ...]) -> list[F32]:
        count = np.array(self.high) - np.array(self.low)
        return [
            _weights((np.arange(size) + 0.5) * self.mm / mm - 0.5, int(n), max(self.mm / mm, 1.0))
            for size, n, mm in zip(shape, count, self.native_mm, strict=True)
        ]

    def away_mm(self, at: Floats) -> F32:
        """Return the distance of each voxel to the nearest of some positions in the box (n, 3)."""
        axes = np.ogrid[tuple(slice(0, n) for n in self.values.shape)]
        squared = [sum((a - c) ** 2 for a, c in zip(axes, p, strict=True)) for p in at]
        return np.asarray(self.mm * np.sqrt(np.min(squared, axis=0)), dtype=np.float32)


def cut_scene(volume: Volume, low_zyx: Floats, high_zyx: Floats, *, voxels: int = MOST_VOXELS) -> Scene:
    """Return the box between two (fractional) voxel positions, on voxels of one size.

    Voxels are averaged where they are finer than the box needs, else interpolated linearly.
    """
    shape = np.array(volume.array.shape)
    native = np.array(volume.grid.spacing_xyz_mm[::-1], dtype=float)
    low = np.clip(np.floor(low_zyx), 0, shape - 1).astype(int)
    high = np.clip(np.ceil(high_zyx) + 1, low + 1, shape).astype(int)
    extent = (high - low) * native
    mm = max(float(extent.max()) / voxels, float(native.min()) / 2)
    part = np.asarray(
        volume.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], dtype=np.float32
    )
    finite = np.isfinite(part)
    size = np.maximum(np.rint(extent / mm), 1).astype(int)
    ends = (tuple(int(v) for v in low), tuple(int(v) for v in high))
    empty = Scene(np.zeros(size, np.float32), np.ones(size, bool), mm, *ends, native)  # type: ignore[arg-type]
    if finite.all():
        return Scene(empty.from_volume(part), empty.seen, mm, empty.low, empty.high, native)
    cover = empty.from_volume(finite)
    filled = empty.from_volume(np.where(finite, part, 0)) / np.maximum(cover, 1e-6)
    seen = cover > 0.5
    middle = float(np.median(part[finite])) if finite.any() else 0.0
    return Scene(np.where(seen, filled, np.float32(middle)), seen, mm, empty.low, empty.high, native)


def _weights(at: Floats, size: int, width: float) -> F32:
    """Return the matrix (len(at), size) of triangle weights of samples round positions."""
    near = np.clip(at, 0, size - 1)[:, None]
    weights = np.clip(1 - np.abs(near - np.arange(size)) / width, 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _applied(field: F32, weights: list[F32]) -> F32:
    for axis, matrix in enumerate(weights):
        field = np.moveaxis(np.tensordot(matrix, field, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(field)


def noise_of(values: F32, seen: Mask) -> float:
    """Return the standard deviation of what changes from voxel to voxel, robustly."""
    rough = (values - ndimage.gaussian_filter(values, 1.0))[seen]
    return 1.4826 * float(np.median(np.abs(rough - np.median(rough)))) if rough.size else 0.0
