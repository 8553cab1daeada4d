"""A volume and the reasons why a set of images is none."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sightline.kernel.errors import Invalid
from sightline.science.geometry import Grid


class NotAVolume(Invalid):
    """The images do not form one volume; the subclass and message say why."""


class TooFewSlices(NotAVolume):
    """Fewer than three slices: no spacing can be verified; choose another series."""


class TooLarge(NotAVolume):
    """More voxels than one volume may hold; choose a smaller series."""


class MissingGeometry(NotAVolume):
    """Position, orientation or spacing is absent or unusable; choose an original axial series."""


class MixedOrientations(NotAVolume):
    """Slices look in different directions; choose a series of one orientation."""


class MixedShapes(NotAVolume):
    """Slices differ in rows, columns or pixel spacing; choose a series of one geometry."""


class MixedFrames(NotAVolume):
    """Slices belong to different frames of reference; choose images of one acquisition."""


class DuplicatePositions(NotAVolume):
    """Two different images lie at one position; split by phase, time or kernel first."""


class MissingSlices(NotAVolume):
    """There is a hole in the stack; send the missing images."""


class VariableSpacing(NotAVolume):
    """The distance between slices varies; choose a regularly spaced reconstruction."""


class WanderingPositions(NotAVolume):
    """Slice positions shift sideways irregularly; the geometry cannot be trusted."""


class NotGreyscale(NotAVolume):
    """The images are in colour; volumes hold one value per voxel."""


class UnreadablePixels(NotAVolume):
    """The pixel data cannot be decoded; send the image again or in another transfer syntax."""


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """One regular stack of images.

    Attributes
    ----------
    array : (z, y, x), int16 or float32
        Values after rescale, in `unit`.
    grid
        Where the voxels lie.
    unit
        ``HU`` for CT, the Units attribute for PET, ``1`` for values without a physical unit.
    sop_uids
        SOP Instance UID of the image at each z.
    frame_numbers
        Frame of that instance at each z, from 1.
    frame_of_reference_uid
        Space the positions refer to; empty when the images do not say.
    thickness_mm
        Nominal slice thickness; the slice spacing when the images do not say.
    kernel
        Convolution Kernel, empty when unknown.
    resampled
        True when voxels were interpolated (tilted gantry): the array then is not pixel for pixel that
        of the source images.
    notes
        What a reader should know about how the stack was made.
    """

    array: npt.NDArray[Any]
    grid: Grid
    unit: str = "HU"
    sop_uids: tuple[str, ...] = ()
    frame_numbers: tuple[int, ...] = ()
    frame_of_reference_uid: str = ""
    thickness_mm: float = 0.0
    kernel: str = ""
    resampled: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.array.shape != self.grid.shape_zyx:
            raise MixedShapes(f"Array shape {self.array.shape} differs from grid {self.grid.shape_zyx}.")
        if self.thickness_mm <= 0:
            object.__setattr__(self, "thickness_mm", float(self.grid.spacing_xyz_mm[2]))

    def with_array(self, array: npt.NDArray[Any]) -> "Volume":
        """Return the volume with other values on the same grid."""
        return replace(self, array=array)

    def sop_uid_at(self, z: int) -> str:
        """Return the SOP Instance UID of slice `z`, clamped to the stack."""
        return self.sop_uids[int(np.clip(z, 0, len(self.sop_uids) - 1))]
