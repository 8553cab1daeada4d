"""Planes, slabs and surfaces as values."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from sightline.kernel.errors import Invalid
from sightline.science.geometry import Floats

MOST_PIXELS = 2048
MOST_TRIANGLES = 500_000
FARTHEST_MM = 1e5
Triple = tuple[float, float, float]


class BadPlane(Invalid):
    """The numbers describe no plane; its directions must be perpendicular and its sizes positive."""


class BadView(Invalid):
    """The volume cannot be looked at like this; correct the size, the zoom or the crop box."""


class EmptySurface(Invalid):
    """Nothing lies above the threshold; choose a lower one, or another segment."""


class Projection(StrEnum):
    """What is shown of the values along a line through a slab."""

    AVERAGE = "average"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True)
class Slab:
    """How thick a plane is, and what is shown of that; 0 mm is the plane alone."""

    thickness_mm: float = 0.0
    projection: Projection = Projection.AVERAGE

    def __post_init__(self) -> None:
        if not 0 <= self.thickness_mm <= FARTHEST_MM:
            raise BadPlane("A slab must be between 0 mm and the volume thick.")


@dataclass(frozen=True, slots=True)
class Plane:
    """A grid of pixels anywhere in the patient.

    Attributes
    ----------
    origin_lps_mm
        Centre of the top left pixel.
    right_mm, down_mm
        Steps from one column, and from one row, to the next: perpendicular, in LPS.
    rows, columns
        Size in pixels, at most `MOST_PIXELS`; planes of images may be larger.
    """

    origin_lps_mm: Triple
    right_mm: Triple
    down_mm: Triple
    rows: int
    columns: int

    def __post_init__(self) -> None:
        numbers = np.array([self.origin_lps_mm, self.right_mm, self.down_mm], dtype=float)
        if not np.isfinite(numbers).all() or np.abs(numbers).max() > FARTHEST_MM:
            raise BadPlane("The centre and the directions of a plane must be finite numbers of mm.")
        lengths = np.linalg.norm(numbers[1:], axis=1)
        if lengths.min() < 1e-6 or abs(numbers[1] @ numbers[2]) > 1e-2 * lengths.prod():
            raise BadPlane("The right and down directions of a plane must be perpendicular and not zero.")
        if min(self.rows, self.columns) < 1:
            raise BadPlane("A plane needs at least one row and one column.")

    @classmethod
    def through(
        cls, centre: Triple, right: Triple, down: Triple, *, mm_per_pixel: float, columns: int, rows: int
    ) -> "Plane":
        """Return the plane whose middle lies at `centre`; lengths of the directions do not matter.

        Examples
        --------
        >>> axes = {"right": (1, 0, 0), "down": (0, 1, 0)}
        >>> Plane.through((0, 0, 5), **axes, mm_per_pixel=0.5, columns=3, rows=2).origin_lps_mm
        (-0.5, -0.25, 5.0)
        """
        if not (1 <= columns <= MOST_PIXELS and 1 <= rows <= MOST_PIXELS):
            raise BadPlane(f"A plane has from 1 to {MOST_PIXELS} rows and columns.")
        if not 1e-3 <= mm_per_pixel <= 1e3:
            raise BadPlane("A pixel must be between 0.001 and 1000 mm wide.")
        across = _of_length(right, mm_per_pixel)
        along = _of_length(down, mm_per_pixel)
        first = np.array(centre, dtype=float) - (columns - 1) / 2 * across - (rows - 1) / 2 * along
        return cls(_triple(first), _triple(across), _triple(along), rows, columns)

    @property
    def normal(self) -> Floats:
        """Return the unit vector away from whoever looks at the plane."""
        across = np.cross(self.right_mm, self.down_mm)
        return np.asarray(across / np.linalg.norm(across), dtype=float)

    def moved(self, along_normal_mm: float) -> "Plane":
        """Return the plane farther away by a distance."""
        origin = np.array(self.origin_lps_mm) + along_normal_mm * self.normal
        return Plane(_triple(origin), self.right_mm, self.down_mm, self.rows, self.columns)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A closed surface of triangles.

    Attributes
    ----------
    points : (n, 3), float32, LPS mm
    normals : (n, 3), float32
        Unit vectors that look outward.
    triangles : (m, 3), uint32
        Counter-clockwise for who looks from outside.
    volume_mm3, area_mm2
        Of the surface before it was made coarser, where it was.
    full_triangles
        How many triangles that had.
    """

    points: npt.NDArray[np.float32]
    normals: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.uint32]
    volume_mm3: float
    area_mm2: float
    full_triangles: int


def _of_length(direction: Triple, length_mm: float) -> Floats:
    vector = np.array(direction, dtype=float)
    size = float(np.linalg.norm(vector))
    if not (np.isfinite(size) and size > 1e-9):
        raise BadPlane("The directions of a plane must be finite and not zero.")
    return np.asarray(vector / size * length_mm, dtype=float)


def _triple(values: Floats) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z
