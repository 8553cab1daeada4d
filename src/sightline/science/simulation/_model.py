"""A simulated patient whose truth is known by formula."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sightline.science.geometry import Floats, Grid


@dataclass(frozen=True, slots=True)
class Pose:
    """How the patient lies and breathes at one visit: the map from scan space to reference space.

    p_ref = R (p_scan - shift) + breathing(p), a rotation plus a smooth displacement of known form.
    """

    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    angles_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    breathing_mm: float = 0.0

    @property
    def rotation(self) -> Floats:
        """Return the rotation matrix, about x, then y, then z."""
        ax, ay, az = np.radians(self.angles_deg)
        rx = np.array([[1, 0, 0], [0, np.cos(ax), -np.sin(ax)], [0, np.sin(ax), np.cos(ax)]])
        ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
        rz = np.array([[np.cos(az), -np.sin(az), 0], [np.sin(az), np.cos(az), 0], [0, 0, 1]])
        return np.asarray(rz @ ry @ rx)

    def to_reference_mm(self, points_lps_mm: npt.ArrayLike) -> Floats:
        """Return reference positions of scan positions (..., 3)."""
        rigid = (np.asarray(points_lps_mm, dtype=float) - np.array(self.shift_mm)) @ self.rotation.T
        return np.asarray(rigid + self._breath(rigid))

    def _breath(self, rigid: Floats) -> Floats:
        """Return the displacement by breathing: the diaphragm moves most, the front of the ribs a little."""
        x, y, z = rigid[..., 0], rigid[..., 1], rigid[..., 2]
        base = np.exp(-(((z + 70.0) / 75.0) ** 2))
        down = self.breathing_mm * base * (0.75 - 0.25 * np.cos(2 * np.pi * x / 190.0) * np.cos(y / 60.0))
        out = 0.22 * self.breathing_mm * base * np.tanh(-y / 45.0)
        side = 0.12 * self.breathing_mm * np.sin(z / 60.0) * np.tanh(x / 60.0)
        return np.stack([side, -out, down], axis=-1)

    def from_reference_mm(self, points_lps_mm: npt.ArrayLike) -> Floats:
        """Return scan positions of reference positions (..., 3), by fixed-point iteration to 1e-9 mm."""
        target = np.asarray(points_lps_mm, dtype=float)
        rigid = target.copy()
        for _ in range(60):
            rigid = target - self._breath(rigid)
        return np.asarray(rigid @ self.rotation + np.array(self.shift_mm))


@dataclass(frozen=True, slots=True)
class SimulatedNodule:
    """One nodule as it truly is at one visit; the volume comes from the formula of the sphere."""

    name: str
    centre_lps_mm: tuple[float, float, float]
    diameter_mm: float
    volume_mm3: float
    hu: float


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedScan:
    """One visit of the simulated patient: image, grid and truth.

    Attributes
    ----------
    array : (z, y, x) int16, HU
    nodules
        True centre in this scan's space and true volume.
    day
        Days since the first visit.
    """

    array: npt.NDArray[np.int16]
    grid: Grid
    nodules: tuple[SimulatedNodule, ...]
    day: int
    pose: Pose = field(default_factory=Pose)

    def to_reference_mm(self, points_lps_mm: npt.ArrayLike) -> Floats:
        """Return where points (n, 3) of this scan lie in the reference chest."""
        return self.pose.to_reference_mm(points_lps_mm)

    def from_reference_mm(self, points_lps_mm: npt.ArrayLike) -> Floats:
        """Return where points (n, 3) of the reference chest lie in this scan."""
        return self.pose.from_reference_mm(points_lps_mm)
