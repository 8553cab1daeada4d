"""Which image each plane of a mask lies on, from headers alone.

A mask is drawn on the volume that `science.volumes.assemble_volume` makes of a series. The rules by which
that one orders, drops and straightens are repeated here, and a test holds the two together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from sightline.care.reporting._documents._model import MaskOutsideImages
from sightline.record.derived import IncompleteSource

SAME_PLACE_MM = 0.01
STRAIGHT_PX = 0.1


@dataclass(frozen=True, slots=True)
class Plane:
    """One image, or one frame of one (`frame` from 0), and where its first pixel lies."""

    image: int
    frame: int
    position_lps_mm: NDArray[np.float64]
    cosines: NDArray[np.float64]
    spacing_mm: NDArray[np.float64]


def order_planes(headers: Sequence[Dataset]) -> list[Plane]:
    """Return the planes of a series as its volume stacks them: along the slice normal, each place once.

    Raises
    ------
    IncompleteSource
        If an image does not say where it lies.
    MaskOutsideImages
        If the stack is sheared (tilted gantry): masks then lie on a resampled grid, not on the images.

    References
    ----------
    PS3.3 C.7.6.2.1.1 (position and orientation).
    """
    planes = [plane for image, ds in enumerate(headers) for plane in _planes(image, ds)]
    if not planes:
        raise IncompleteSource("No source image but localizers was given; give the images of the series.")
    row, column = planes[0].cosines[:3], planes[0].cosines[3:]
    normal = np.cross(row, column)
    planes.sort(key=lambda plane: float(plane.position_lps_mm @ normal))
    kept = planes[:1]
    for plane in planes[1:]:
        if float((plane.position_lps_mm - kept[-1].position_lps_mm) @ normal) >= SAME_PLACE_MM:
            kept.append(plane)
    down_mm, along_mm = kept[0].spacing_mm
    drift = np.array([plane.position_lps_mm - kept[0].position_lps_mm for plane in kept])
    shift_px = np.column_stack([drift @ column / down_mm, drift @ row / along_mm])
    if np.abs(shift_px).max() > STRAIGHT_PX:
        raise MaskOutsideImages(
            "The stack is sheared (tilted gantry), so the masks do not lie on its images; "
            "store the report without a segmentation."
        )
    return kept


def _planes(image: int, ds: Dataset) -> list[Plane]:
    if "LOCALIZER" in [str(value).upper() for value in ds.get("ImageType") or []]:
        return []
    if "PerFrameFunctionalGroupsSequence" not in ds:
        return [_plane(image, 0, ds, ds, ds)]
    return [
        _plane(
            image,
            frame,
            _group(ds, frame, "PlanePositionSequence"),
            _group(ds, frame, "PlaneOrientationSequence"),
            _group(ds, frame, "PixelMeasuresSequence"),
        )
        for frame in range(len(ds.PerFrameFunctionalGroupsSequence))
    ]


def _plane(image: int, frame: int, position: Dataset, orientation: Dataset, measures: Dataset) -> Plane:
    return Plane(
        image=image,
        frame=frame,
        position_lps_mm=_numbers(position, "ImagePositionPatient", 3),
        cosines=_numbers(orientation, "ImageOrientationPatient", 6),
        spacing_mm=_numbers(measures, "PixelSpacing", 2),
    )


def _group(ds: Dataset, frame: int, name: str) -> Dataset:
    """Return a functional group (PS3.3 C.7.6.16) of a frame, its own or shared, else an empty dataset."""
    shared = ds.get("SharedFunctionalGroupsSequence") or [Dataset()]
    for groups in (ds.PerFrameFunctionalGroupsSequence[frame], shared[0]):
        if groups.get(name):
            found: Dataset = groups[name].value[0]
            return found
    return Dataset()


def _numbers(ds: Dataset, name: str, count: int) -> NDArray[np.float64]:
    values = np.array([float(value) for value in ds.get(name) or []], np.float64)
    if len(values) != count or not np.isfinite(values).all():
        raise IncompleteSource(f"A source image has no usable {name}; segment another series.")
    return values
