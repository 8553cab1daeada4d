"""Where the images of a series lie, from their headers alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from sightline.science.volumes._assembly import _slices
from sightline.science.volumes._model import MissingGeometry

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class ImagePlane:
    """One image, or frame, in the patient.

    Attributes
    ----------
    frame
        From 1; 1 of an image that has no frames.
    origin_lps_mm
        Centre of the top left pixel.
    right_mm, down_mm
        Steps from one column, and from one row, to the next.
    """

    sop_uid: str
    frame: int
    origin_lps_mm: Triple
    right_mm: Triple
    down_mm: Triple
    rows: int
    columns: int


def place_images(datasets: Sequence[Dataset]) -> tuple[ImagePlane, ...]:
    """Return the planes of images, along the normal of the first; pixels are not needed.

    They need not make a volume: any orientation, distance and size will do.

    Raises
    ------
    MissingGeometry
        If an image does not say where it lies.
    NotGreyscale
        If an image is in colour.
    """
    planes = []
    for plane in (plane for ds in datasets for plane in _slices(ds)):
        if min(plane.shape) < 1:
            raise MissingGeometry("An image has no rows or columns.")
        down_mm, along_mm = plane.pixel_spacing  # Pixel Spacing: between rows, then between columns
        planes.append(
            ImagePlane(
                sop_uid=plane.sop_uid,
                frame=plane.frame,
                origin_lps_mm=_triple(plane.position),
                right_mm=_triple(plane.orientation[:3] * along_mm),
                down_mm=_triple(plane.orientation[3:] * down_mm),
                rows=plane.shape[0],
                columns=plane.shape[1],
            )
        )
    if not planes:
        raise MissingGeometry("There are no images that say where they lie.")
    normal = np.cross(planes[0].right_mm, planes[0].down_mm)
    return tuple(sorted(planes, key=lambda p: (float(np.dot(p.origin_lps_mm, normal)), p.sop_uid, p.frame)))


def _triple(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z
