"""A regular grid of voxels in patient space."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sightline.kernel.errors import Invalid

Floats = npt.NDArray[np.float64]


class BadGrid(Invalid):
    """The numbers do not describe a regular grid; check the source of the geometry."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A regular 3-D grid in LPS patient space.

    Attributes
    ----------
    shape_zyx
        Number of voxels along z, y, x.
    spacing_xyz_mm
        Distance between voxel centres along x, y, z.
    origin_lps_mm
        Centre of voxel (0, 0, 0).
    directions
        Nine numbers, row-major 3x3; the columns are the unit vectors of the x, y and z index axes.

    References
    ----------
    PS3.3 C.7.6.2.1.1 (Image Position and Image Orientation).

    Examples
    --------
    >>> grid = Grid((10, 20, 30), (0.5, 0.5, 2.0), (-10.0, -20.0, 5.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> grid.to_lps_mm([1, 2, 4]).tolist()
    [[-8.0, -19.0, 7.0]]
    >>> grid.to_index_zyx([-8.0, -19.0, 7.0]).tolist()
    [[1.0, 2.0, 4.0]]
    >>> grid.voxel_mm3
    0.5
    """

    shape_zyx: tuple[int, int, int]
    spacing_xyz_mm: tuple[float, float, float]
    origin_lps_mm: tuple[float, float, float]
    directions: tuple[float, ...]

    def __post_init__(self) -> None:
        numbers = np.array([*self.spacing_xyz_mm, *self.origin_lps_mm, *self.directions], dtype=float)
        if len(self.directions) != 9 or not np.isfinite(numbers).all():
            raise BadGrid("A grid needs nine finite direction numbers and a finite spacing and origin.")
        if min(self.shape_zyx) < 1 or min(self.spacing_xyz_mm) <= 0:
            raise BadGrid(f"Shape {self.shape_zyx} and spacing {self.spacing_xyz_mm} mm must be positive.")
        axes = self.axes
        if not np.allclose(axes.T @ axes, np.eye(3), atol=2e-3):
            raise BadGrid("The axes of a grid must be orthonormal; resample a sheared stack first.")

    @property
    def axes(self) -> Floats:
        """Return the 3x3 matrix whose columns are the x, y and z axes."""
        return np.array(self.directions, dtype=float).reshape(3, 3)

    @property
    def voxel_mm3(self) -> float:
        """Return the volume of one voxel."""
        return float(np.prod(self.spacing_xyz_mm))

    @property
    def size_xyz_mm(self) -> Floats:
        """Return the extent of the grid, whole voxels included."""
        return np.asarray(np.array(self.shape_zyx[::-1]) * np.array(self.spacing_xyz_mm), dtype=float)

    def to_lps_mm(self, index_zyx: npt.ArrayLike) -> Floats:
        """Return patient positions (n, 3) of (fractional) voxel indices (n, 3) given as z, y, x."""
        index_xyz = np.atleast_2d(np.asarray(index_zyx, dtype=float))[:, ::-1]
        steps = index_xyz * np.array(self.spacing_xyz_mm)
        return np.asarray(steps @ self.axes.T + np.array(self.origin_lps_mm))

    def to_index_zyx(self, points_lps_mm: npt.ArrayLike) -> Floats:
        """Return fractional voxel indices (n, 3) as z, y, x of patient positions (n, 3)."""
        offsets = np.atleast_2d(np.asarray(points_lps_mm, dtype=float)) - np.array(self.origin_lps_mm)
        return np.asarray((offsets @ self.axes / np.array(self.spacing_xyz_mm))[:, ::-1])

    def contains(self, points_lps_mm: npt.ArrayLike, *, margin_mm: float = 0.0) -> npt.NDArray[np.bool_]:
        """Tell for each point whether it lies inside, at least `margin_mm` from the outer faces."""
        index = self.to_index_zyx(points_lps_mm)
        margin = margin_mm / np.array(self.spacing_xyz_mm)[::-1] - 0.5
        inside = (index >= margin) & (index <= np.array(self.shape_zyx) - 1 - margin)
        return np.asarray(inside.all(axis=1))

    def resampled(self, spacing_xyz_mm: tuple[float, float, float]) -> "Grid":
        """Return the grid with other spacing that covers the same box about the same centre."""
        spacing = np.array(spacing_xyz_mm, dtype=float)
        counts = np.maximum(np.ceil(self.size_xyz_mm / spacing - 1e-6), 1).astype(int)
        centre = self.to_lps_mm((np.array(self.shape_zyx) - 1) / 2)[0]
        origin = centre - self.axes @ ((counts - 1) / 2 * spacing)
        shape = (int(counts[2]), int(counts[1]), int(counts[0]))
        x, y, z = (float(value) for value in origin)
        return Grid(shape, spacing_xyz_mm, (x, y, z), self.directions)

    def cropped(self, start_zyx: tuple[int, int, int], shape_zyx: tuple[int, int, int]) -> "Grid":
        """Return the grid of a sub-box that begins at voxel `start_zyx`."""
        x, y, z = (float(value) for value in self.to_lps_mm(start_zyx)[0])
        return Grid(shape_zyx, self.spacing_xyz_mm, (x, y, z), self.directions)
