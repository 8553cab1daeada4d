"""A lesion as measured once."""

from collections.abc import Mapping
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

Method = Literal["geodesic", "growcut", "watershed", "vote"]
"""A way to cut out what was clicked; ``vote`` is the majority of the other three."""


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


UNEDITED = "one click, not corrected"
"""In the method of a volume that nobody corrected: it proves no growth."""


@dataclass(frozen=True, slots=True, eq=False)
class ClickSegment:
    """What was cut out by one click or one stroke, with what is needed to correct it.

    Attributes
    ----------
    cover : float32 (z, y, x)
        Part of each voxel that belongs to the segment, 0 to 1, by `method`.
    masks
        Voxels that belong at least half to the segment, by each method, all of the shape of `cover`.
    offset_zyx, grid
        Where that box begins in the volume, and where its voxels lie.
    method
        The one that `mask`, the volume, the axes and the values come from.
    centre_lps_mm
        Centre of mass.
    volume : mm3
        Sum of `cover`; the interval holds the spread of the methods and half a voxel of the border.
    long_axis, short_axis : mm
        Largest caliper in one slice, and the largest one perpendicular to it in the same slice.
    long_axis_lps_mm, short_axis_lps_mm
        Their end points.
    axis_slice
        z index of that slice in the volume.
    mean : unit of the volume
        Mean over the mask.
    peak : unit of the volume
        Greatest mean over a sphere of 1 cm3 whose centre lies in the mask; on PET of SUL this is SULpeak.
    agreement : 1
        Mean Dice coefficient of each two of the three methods: how far the border can be trusted.
    dice
        The coefficient of each pair.
    edge : 1
        Part of the border at which the image changes clearly.
    cut_by_edge
        True when the segment reaches a face of the volume: it is larger than what is seen of it.
    notes
        What a reader should know before using the numbers.
    points_lps_mm, removed_lps_mm
        What was clicked as inside and as outside.
    diameter_mm : mm
        The rough size that was given, or found.
    """

    cover: npt.NDArray[np.float32]
    masks: Mapping[Method, Mask]
    offset_zyx: tuple[int, int, int]
    grid: Grid
    method: Method
    centre_lps_mm: Point
    volume: Quantity
    long_axis: Quantity
    long_axis_lps_mm: Segment
    short_axis: Quantity
    short_axis_lps_mm: Segment
    axis_slice: int
    mean: Quantity
    peak: Quantity
    agreement: Quantity
    dice: Mapping[tuple[Method, Method], float]
    edge: Quantity
    cut_by_edge: bool
    notes: tuple[str, ...]
    points_lps_mm: tuple[Point, ...]
    removed_lps_mm: tuple[Point, ...]
    diameter_mm: float

    @property
    def mask(self) -> Mask:
        """Return the voxels of the segment by the chosen method, bool (z, y, x)."""
        return self.masks[self.method]
