"""Images become a volume, or are refused with the reason.

Invariants: positions come from Image Position projected on the slice normal, never from Slice Thickness
or Spacing Between Slices; nothing is interpolated across a hole; two images at one place are never averaged;
slices ascend along the cross product of the row and column directions.
"""

from sightline.science.volumes._assembly import assemble_volume, read_volume
from sightline.science.volumes._model import (
    DuplicatePositions,
    MissingGeometry,
    MissingSlices,
    MixedFrames,
    MixedOrientations,
    MixedShapes,
    NotAVolume,
    NotGreyscale,
    TooFewSlices,
    TooLarge,
    UnreadablePixels,
    VariableSpacing,
    Volume,
    WanderingPositions,
)
from sightline.science.volumes._places import ImagePlane, place_images

__all__ = [
    "DuplicatePositions",
    "ImagePlane",
    "MissingGeometry",
    "MissingSlices",
    "MixedFrames",
    "MixedOrientations",
    "MixedShapes",
    "NotAVolume",
    "NotGreyscale",
    "TooFewSlices",
    "TooLarge",
    "UnreadablePixels",
    "VariableSpacing",
    "Volume",
    "WanderingPositions",
    "assemble_volume",
    "place_images",
    "read_volume",
]
