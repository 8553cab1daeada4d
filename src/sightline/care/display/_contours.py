"""Structure sets: their regions, and the contours of each image (PS3.3 C.8.8.5, C.8.8.6)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from sightline.care.display._colours import rgb_colour
from sightline.care.display._model import Contour, Overlay, OverlayNotReadable, Roi, Slices
from sightline.science import volumes

MOST_POINTS = 2_000_000
MOST_CONTOURS = 200_000
# How far from its image a contour of a single image may lie.
ALONE_MM = 1.5
_CONTOUR_DATA = (0x3006, 0x0050)


def read_header(ds: Dataset) -> Overlay:
    """Return what a structure set is, from its header; its contours are not looked at."""
    drawn = {int(item.ReferencedROINumber): item for item in ds.get("ROIContourSequence") or []}
    meant = {
        int(item.ReferencedROINumber): str(item.get("RTROIInterpretedType") or "")
        for item in ds.get("RTROIObservationsSequence") or []
    }
    frames, rois = set(), []
    for item in ds.get("StructureSetROISequence") or []:
        number = int(item.ROINumber)
        frames.add(str(item.get("ReferencedFrameOfReferenceUID") or ""))
        contour = drawn.get(number, Dataset())
        rois.append(
            Roi(
                number=number,
                name=str(item.get("ROIName") or f"region {number}")[:200],
                colour=rgb_colour(contour.get("ROIDisplayColor"), number),
                type=meant.get(number, ""),
                contours=len(contour.get("ContourSequence") or []),
            )
        )
    referenced = ds.get("ReferencedFrameOfReferenceSequence") or []
    frames |= {str(item.get("FrameOfReferenceUID") or "") for item in referenced}
    return Overlay(
        uid=str(ds.SOPInstanceUID),
        series_uid=str(ds.SeriesInstanceUID),
        form="structures",
        kind="contours",
        label=_label(ds),
        modality="RTSTRUCT",
        unit="",
        rois=tuple(rois),
        frame_uids=frozenset(frames - {""}),
        reference_uids=frozenset(_referenced_series(referenced)),
        reason="" if any(roi.contours for roi in rois) else "The structure set holds no contours.",
    )


def _label(ds: Dataset) -> str:
    """Return the label and what the series says beyond it: several sets are often labelled alike."""
    told = (str(ds.get(name) or "") for name in ("StructureSetLabel", "SeriesDescription"))
    return " · ".join(dict.fromkeys(part for part in told if part))[:200] or "Structure set"


def _referenced_series(frames: Sequence[Dataset]) -> list[str]:
    return [
        str(series.get("SeriesInstanceUID") or "")
        for frame in frames
        for study in frame.get("RTReferencedStudySequence") or []
        for series in study.get("RTReferencedSeriesSequence") or []
    ]


def read_contours(ds: Dataset, overlay: Overlay, slices: Slices) -> list[tuple[Roi, list[Contour]]]:
    """Return the contours of each region, each with the image that it lies in.

    By its place in the patient: in the image whose plane is nearest, when it is nearer than half the distance
    of images and the contour lies flat in it. Others, such as those of a structure set over images of another
    orientation, lie in none.

    Raises
    ------
    TooLarge
        If there are more than `MOST_POINTS` points.
    OverlayNotReadable
        If a contour is not a list of points.
    """
    nearest = _Nearest(slices)
    left, drawn = MOST_POINTS, {}
    for item in ds.get("ROIContourSequence") or []:
        read = []
        for contour in item.get("ContourSequence") or []:
            points = _points(contour)
            left -= len(points) + MOST_POINTS // MOST_CONTOURS
            if left < 0:
                raise volumes.TooLarge("The structure set holds more contours than can be shown at once.")
            sop_uid, frame = nearest.image_of(points)
            kind = str(contour.get("ContourGeometricType") or "")
            read.append(Contour(sop_uid, frame, kind.startswith("CLOSED") and len(points) > 2, points))
        drawn[int(item.ReferencedROINumber)] = read
    return [(roi, drawn.get(roi.number, [])) for roi in overlay.rois]


def _points(contour: Dataset) -> npt.NDArray[np.float64]:
    """Return the points of a contour; from the text itself, for a set may hold a million numbers."""
    element = contour.get_item(_CONTOUR_DATA)
    raw = getattr(element, "value", None)
    if raw is None or len(raw) == 0:
        return np.zeros((0, 3))
    try:
        parts = bytes(raw).rstrip(b" \0").split(b"\\") if isinstance(raw, bytes) else list(raw)
        numbers = np.array([float(part) for part in parts])
        points = numbers.reshape(-1, 3)
    except (TypeError, ValueError) as error:
        raise OverlayNotReadable("A contour of the structure set is not a list of points.") from error
    if not np.isfinite(points).all():
        raise OverlayNotReadable("A contour of the structure set is not a list of points.")
    return points


class _Nearest:
    """Finds the image that a contour lies in."""

    def __init__(self, slices: Slices) -> None:
        self._planes = slices.planes
        first = slices.planes[0]
        normal = np.cross(first.right_mm, first.down_mm)
        self._normal = normal / np.linalg.norm(normal)
        # Localisers and the like look elsewhere: nothing lies in images that do not look as the first does.
        along = [
            np.cross(p.right_mm, p.down_mm) / np.linalg.norm(np.cross(p.right_mm, p.down_mm))
            for p in self._planes
        ]
        self._is_parallel = np.array([abs(float(other @ self._normal)) > 0.9999 for other in along])
        self._heights = np.array([np.dot(plane.origin_lps_mm, self._normal) for plane in self._planes])
        steps = np.diff(np.unique(np.round(self._heights[self._is_parallel], 2)))
        self._within = float(np.median(steps)) / 2 if len(steps) else ALONE_MM

    def image_of(self, points: npt.NDArray[np.float64]) -> tuple[str, int]:
        """Return SOP instance UID and frame, or an empty UID."""
        if not len(points):
            return "", 1
        heights = points @ self._normal
        away = np.where(self._is_parallel, np.abs(self._heights - heights.mean()), np.inf)
        index = int(away.argmin())
        if away[index] > self._within or np.ptp(heights) > 2 * self._within:
            return "", 1
        return self._planes[index].sop_uid, self._planes[index].frame
