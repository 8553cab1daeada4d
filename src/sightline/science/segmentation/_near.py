"""The counterpart of a lesion: what looks like it near a place where it should be."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.geometry import Floats
from sightline.science.segmentation._model import Lesion, Mask, NoLesionHere
from sightline.science.segmentation._nodules import LEAST_BLOBNESS, second_derivative, segment_lesion_at
from sightline.science.volumes import Volume

F32 = npt.NDArray[np.float32]

SIZES = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
"""Diameters that are sought, in multiples of that of the lesion."""

LEAST_MM, MOST_MM = 3.0, 60.0
LEAST_SHARE = 0.35
"""Least response of a counterpart, as a part of the lesion's own."""

AIR_HU, ABOVE_HU = -1000.0, 100.0
MOST_FOUND = 4


def find_lesions_near(
    volume: Volume,
    point_lps_mm: npt.ArrayLike,
    *,
    like: Lesion,
    seen_in: Volume,
    room_mm: float,
    lungs: Mask | None = None,
) -> tuple[Lesion, ...]:
    """Return the lesions within `room_mm` of a point that stand out as `like` does, the nearest first.

    A scale-normalised Laplacian of Gaussian of 0.35 to 2.8 times the lesion's diameter; a peak counts from
    0.35 of the response of `like` in its own volume, where its curvatures are not those of a tube. Each is
    then cut out as by a click.

    Parameters
    ----------
    volume : HU
        Where to look.
    like, seen_in
        The lesion that is followed, and the volume it was cut out of.
    lungs : bool (z, y, x)
        Cut out inside them only, so that the wall of the chest is a border.

    References
    ----------
    Lindeberg, IJCV 1998;30:79.
    """
    point = np.asarray(point_lps_mm, dtype=float).reshape(3)
    own = _Responses.around(seen_in, np.array(like.centre_lps_mm), like, room_mm=0.0)
    there = _Responses.around(volume, point, like, room_mm=room_mm)
    least = LEAST_SHARE * own.strongest_within(like.diameter_mm / 4)
    found: list[Lesion] = []
    for index in there.peaks(least, room_mm):
        try:
            lesion = segment_lesion_at(
                volume, there.place(index), diameter_mm=there.diameter(index), lungs=lungs
            )
        except NoLesionHere:
            continue
        if all(_apart(lesion, other) for other in found):
            found.append(lesion)
        if len(found) == MOST_FOUND:
            break
    return tuple(sorted(found, key=lambda one: float(np.linalg.norm(np.array(one.centre_lps_mm) - point))))


def likeness_at(
    volume: Volume, point_lps_mm: npt.ArrayLike, *, like: Lesion, seen_in: Volume, reach_mm: float
) -> float:
    """Return how much stands out within `reach_mm` of a point, as a part of how much `like` does in its scan.

    The response of `find_lesions_near`, whatever its shape: in slices thicker than half a lesion nothing has
    one.
    """
    point = np.asarray(point_lps_mm, dtype=float).reshape(3)
    own = _Responses.around(seen_in, np.array(like.centre_lps_mm), like, room_mm=0.0)
    there = _Responses.around(volume, point, like, room_mm=reach_mm)
    return there.strongest_within(reach_mm) / max(own.strongest_within(like.diameter_mm / 4), 1e-3)


def _apart(one: Lesion, other: Lesion) -> bool:
    away = np.linalg.norm(np.subtract(one.centre_lps_mm, other.centre_lps_mm))
    return bool(away > max(one.diameter_mm, other.diameter_mm) / 2 + 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Responses:
    """How much each voxel round a point is the middle of a bright blob, and of which size."""

    volume: Volume
    start: Floats
    strides: npt.NDArray[np.int_]
    away_mm: Floats
    sizes_mm: tuple[float, ...]
    smooth: tuple[F32, ...]
    strongest: F32
    scale: npt.NDArray[np.uint8]

    @classmethod
    def around(cls, volume: Volume, point: Floats, like: Lesion, *, room_mm: float) -> "_Responses":
        """Look at every size within `room_mm` of a point."""
        sizes = _sizes(like.diameter_mm)
        spacing = np.array(volume.grid.spacing_xyz_mm[::-1])
        strides = np.maximum(1, np.rint(max(1.0, like.diameter_mm / 10) / spacing)).astype(int)
        index = volume.grid.to_index_zyx(point)[0]
        reach = (room_mm + 1.2 * like.diameter_mm + 6) / spacing
        shape = np.array(volume.grid.shape_zyx)
        low = np.clip(np.floor(index - reach), 0, shape - 2).astype(int)
        high = np.clip(np.ceil(index + reach) + 1, low + 2, shape).astype(int)
        part = volume.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        values = np.clip(np.asarray(part, dtype=np.float32), AIR_HU, like.mean_hu.value + ABOVE_HU)
        if strides.max() > 1:
            values = ndimage.uniform_filter(values, strides.tolist())
            values = values[tuple(slice(None, None, int(s)) for s in strides)]
        mm = spacing * strides
        smooth = tuple(ndimage.gaussian_filter(values, d / (2 * np.sqrt(3)) / mm, truncate=3) for d in sizes)
        responses = np.stack([_laplacian(one, mm, d) for one, d in zip(smooth, sizes, strict=True)])
        places = (np.indices(values.shape).T * strides + low).T.reshape(3, -1)
        away = np.linalg.norm((places.T - index) * spacing, axis=1).reshape(values.shape)
        return cls(
            volume, low.astype(float), strides, away, sizes, smooth,
            responses.max(axis=0), responses.argmax(axis=0).astype(np.uint8),
        )  # fmt: skip

    def strongest_within(self, radius_mm: float) -> float:
        """Return the strongest response near the point."""
        return float(self.strongest[self.away_mm <= max(radius_mm, float(self.away_mm.min()))].max())

    def peaks(self, least: float, room_mm: float) -> list[tuple[int, ...]]:
        """Return voxels that are blobs, the likeliest first: strong and near."""
        near = self.away_mm <= room_mm
        top = (self.strongest == ndimage.maximum_filter(self.strongest, size=3)) & near
        where = [tuple(int(v) for v in p) for p in np.argwhere(top & (self.strongest >= max(least, 1e-3)))]
        where.sort(key=lambda p: -float(self.strongest[p]) / (1 + float(self.away_mm[p]) / room_mm))
        return [p for p in where if self._blobness(p) >= LEAST_BLOBNESS]

    def place(self, index: tuple[int, ...]) -> Floats:
        """Return where a voxel lies, LPS mm."""
        place: Floats = self.volume.grid.to_lps_mm(np.array(index) * self.strides + self.start)[0]
        return place

    def diameter(self, index: tuple[int, ...]) -> float:
        """Return the diameter (mm) of the sphere that responds most."""
        return self.sizes_mm[int(self.scale[index])]

    def _blobness(self, index: tuple[int, ...]) -> float:
        """Return the ratio of the least to the largest curvature (1 for a ball, 0 for a tube)."""
        mm = np.array(self.volume.grid.spacing_xyz_mm[::-1]) * self.strides.astype(float)
        around = tuple(slice(max(i - 2, 0), i + 3) for i in index)
        middle = tuple(i - part.start for i, part in zip(index, around, strict=True))
        part = self.smooth[int(self.scale[index])][around]
        if min(part.shape) < 3:
            return 0.0
        slopes = np.gradient(part, *mm)
        hessian = np.array([[g[middle] for g in np.gradient(slope, *mm)] for slope in slopes])
        for axis in range(3):  # of neighbours: in thick slices the next but one is another organ
            hessian[axis, axis] = second_derivative(part, axis, mm)[middle]
        curvatures = np.linalg.eigvalsh((hessian + hessian.T) / 2)
        return float(np.clip(curvatures[2] / min(curvatures[0], -1e-6), 0, 1))


def _sizes(diameter_mm: float) -> tuple[float, ...]:
    wanted = {min(max(share * diameter_mm, LEAST_MM), MOST_MM) for share in SIZES}
    return tuple(sorted(wanted))


def _laplacian(smooth: F32, mm: Floats, diameter_mm: float) -> F32:
    sigma = diameter_mm / (2 * np.sqrt(3))
    total = sum(second_derivative(smooth, axis, mm) for axis in range(3))
    return np.asarray(-(sigma**2) * total, dtype=np.float32)
