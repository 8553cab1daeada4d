"""A lesion as measured once."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from sightline.kernel.errors import Invalid
from sightline.kernel.quantities import Quantity
from sightline.science.geometry import Grid

Mask = npt.NDArray[np.bool_]
Point = tuple[float, float, float]
Segment = tuple[Point, Point]


class LungsNotFound(Invalid):
    """No lung lies in the volume; choose a chest CT that covers the lungs."""


class NotHounsfield(Invalid):
    """The volume is not in HU; lungs and nodules are searched in CT only."""


class NoLesionHere(Invalid):
    """Nothing that stands out from its surroundings lies at the point; click inside the lesion."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesion:
    """One lesion in one volume.

    Attributes
    ----------
    mask, offset_zyx
        Voxels of the lesion in its bounding box, and where that box begins in the volume.
    grid
        Where the voxels of `mask` lie.
    centre_lps_mm
        Centre of mass.
    volume : mm3
        By partial volume, with the 95 % interval of this single measurement.
    long_axis, short_axis : mm
        Largest caliper in one slice, and the largest one perpendicular to it in the same slice.
    long_axis_lps_mm, short_axis_lps_mm
        Their end points.
    axis_slice
        z index of that slice in the volume.
    mean_hu : [hnsf'U]
        Mean over the mask.
    score
        How much it looks like a nodule, 0 to 1; it orders candidates and is no probability.
    location, side
        Plain words, and ``R``, ``L`` or None when no lung was given.
    """

    mask: Mask
    offset_zyx: tuple[int, int, int]
    grid: Grid
    centre_lps_mm: Point
    volume: Quantity
    long_axis: Quantity
    long_axis_lps_mm: Segment
    short_axis: Quantity
    short_axis_lps_mm: Segment
    axis_slice: int
    mean_hu: Quantity
    score: float
    location: str
    side: Literal["R", "L"] | None

    @property
    def diameter_mm(self) -> float:
        """Return the diameter of the sphere of equal volume, (6V/pi)^(1/3)."""
        return float((6 * max(self.volume.value, 0.0) / np.pi) ** (1 / 3))
