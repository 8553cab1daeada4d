"""What an image says of the size, place and value of its pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut

from sightline.kernel.dates import parse_date
from sightline.record.annotations._model import Measurement, Point2, Window
from sightline.science import measuring, pet

Floats = NDArray[np.float64]

DETECTOR, DEVICE, REGION, NONE = (
    "detector plane", "calibrated by the device", "ultrasound region", "none"
)  # fmt: skip
READER = "calibrated by the reader"
_CENTIMETRES = 3  # PS3.3 C.8.5.5.1.15
_PROJECTIONS = frozenset({"CR", "DX", "MG", "XA", "RF", "RG", "PX", "IO"})


@dataclass(frozen=True, slots=True)
class Scale:
    """How points of an image become millimetres, or pixels where nothing says how large those are."""

    unit: str
    per_pixel: tuple[float, float]  # column, row
    calibration: str

    def to_plane(self, points: Sequence[Point2]) -> Floats:
        """Return points (n, 2) in the unit of the scale."""
        return np.asarray(np.asarray(points, dtype=float) * np.array(self.per_pixel))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frame lies in the patient: the corner of its first pixel, the steps along row and column."""

    corner: Floats
    step_column: Floats
    step_row: Floats

    def to_patient(self, points: Sequence[Point2]) -> Floats:
        """Return points (n, 3) in LPS mm."""
        p = np.asarray(points, dtype=float)
        return np.asarray(self.corner + p[:, :1] * self.step_column + p[:, 1:] * self.step_row)

    def to_image(self, points: Sequence[Sequence[float]]) -> tuple[Floats, float]:
        """Return points (n, 2) in image coordinates, and how far the farthest is off the plane, mm."""
        offsets = np.asarray(points, dtype=float) - self.corner
        axes = np.array([self.step_column, self.step_row])
        flat = offsets @ np.linalg.pinv(axes)
        away = np.abs(offsets - flat @ axes).max() if len(offsets) else 0.0
        return flat, float(away)


def numbers(ds: Dataset, name: str, count: int) -> Floats | None:
    """Return the numbers of an attribute, None unless there are `count` finite ones."""
    try:
        values = np.array([float(v) for v in ds.get(name) or []])
    except (TypeError, ValueError):
        return None
    return values if len(values) == count and np.isfinite(values).all() else None


def has_frames(ds: Dataset) -> bool:
    """Say whether an image is one of several frames, of which one has to be named."""
    return "PerFrameFunctionalGroupsSequence" in ds or int(ds.get("NumberOfFrames") or 1) > 1


def group_of(ds: Dataset, frame: int, name: str) -> Dataset:
    """Return a functional group (PS3.3 C.7.6.16) of a frame, its own or shared; else the dataset itself."""
    if "PerFrameFunctionalGroupsSequence" not in ds:
        return ds
    frames = ds.PerFrameFunctionalGroupsSequence
    shared = ds.get("SharedFunctionalGroupsSequence") or [Dataset()]
    for groups in (frames[frame - 1] if frame <= len(frames) else Dataset(), shared[0]):
        if groups.get(name):
            found: Dataset = groups[name].value[0]
            return found
    return Dataset()


def place_of(ds: Dataset, frame: int) -> Place | None:
    """Return where a frame lies in the patient, None where the image does not say (PS3.3 C.7.6.2.1.1)."""
    if str(ds.get("FrameOfReferenceUID") or "") == "":
        return None
    if "PerFrameFunctionalGroupsSequence" not in ds and frame > 1:
        return None
    position = numbers(group_of(ds, frame, "PlanePositionSequence"), "ImagePositionPatient", 3)
    cosines = numbers(group_of(ds, frame, "PlaneOrientationSequence"), "ImageOrientationPatient", 6)
    spacing = numbers(group_of(ds, frame, "PixelMeasuresSequence"), "PixelSpacing", 2)
    if position is None or cosines is None or spacing is None or spacing.min() <= 0:
        return None
    row, column = cosines[:3], cosines[3:]
    if abs(row @ row - 1) > 0.01 or abs(column @ column - 1) > 0.01 or abs(row @ column) > 0.01:
        return None
    across, down = row * spacing[1], column * spacing[0]
    return Place(position - across / 2 - down / 2, across, down)


def scale_of(ds: Dataset, frame: int, points: Sequence[Point2]) -> Scale:
    """Return what the millimetres of an image rest on, for points of it.

    References
    ----------
    PS3.3 10.7 (Pixel Spacing and its calibration on projections), C.8.5.5 (Ultrasound Region Calibration).
    """
    region = _region_scale(ds, points)
    if region is not None:
        return region
    measures = group_of(ds, frame, "PixelMeasuresSequence")
    spacing = numbers(measures, "PixelSpacing", 2)
    detector = numbers(ds, "ImagerPixelSpacing", 2)
    if str(ds.get("Modality", "")) in _PROJECTIONS or detector is not None:
        if spacing is not None and (detector is None or not np.allclose(spacing, detector, rtol=1e-4)):
            calibrated = str(ds.get("PixelSpacingCalibrationType") or "") or detector is not None
            return _scale(spacing, DEVICE if calibrated else DETECTOR)
        return _scale(detector if detector is not None else spacing, DETECTOR)
    return _scale(spacing, "")


def _scale(spacing: Floats | None, calibration: str) -> Scale:
    if spacing is None or spacing.min() <= 0:
        return Scale("px", (1.0, 1.0), NONE)
    return Scale("mm", (float(spacing[1]), float(spacing[0])), calibration)


def _region_scale(ds: Dataset, points: Sequence[Point2]) -> Scale | None:
    """Return the scale of the ultrasound region that holds all the points."""
    for region in ds.get("SequenceOfUltrasoundRegions") or []:
        box = [region.get(f"RegionLocation{n}") for n in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
        if None in box or units != (_CENTIMETRES, _CENTIMETRES) or region.get("RegionSpatialFormat") != 1:
            continue
        left, top, right, bottom = (float(v) for v in box)
        if not all(left <= c <= right + 1 and top <= r <= bottom + 1 for c, r in points):
            continue
        x, y = (abs(float(region.get(f"PhysicalDelta{axis}") or 0)) * 10 for axis in "XY")
        if x > 0 and y > 0 and math.isfinite(x) and math.isfinite(y):
            return Scale("mm", (x, y), REGION)
    return None


def reader_scale(drawn: Measurement) -> Scale | None:
    """Return the scale that a reader set by a line of known length."""
    known = drawn.value_of("length")
    if known is None or known.unit != "mm" or known.value <= 0 or drawn.points_px is None:
        return None
    pixels = measuring.length(drawn.points_px)
    if pixels <= 0:
        return None
    per_pixel = known.value / pixels
    return Scale("mm", (per_pixel, per_pixel), f"{READER}: {known.value:g} mm")


def window_of(ds: Dataset, frame: int = 1) -> Window | None:
    """Return the first window that an image, or a frame of it, itself proposes."""
    ds = group_of(ds, frame, "FrameVOILUTSequence")
    centres, widths = np.ravel(ds.get("WindowCenter") or []), np.ravel(ds.get("WindowWidth") or [])
    if not centres.size or not widths.size or float(widths[0]) <= 0:
        return None
    return Window(float(centres[0]), float(widths[0]))


def pixel_unit(ds: Dataset) -> str:
    """Return the unit of the values after rescale, as a UCUM code; 1 where there is none."""
    if str(ds.get("Modality", "")) == "CT":
        return "[hnsf'U]"
    if str(ds.get("Modality", "")) == "PT":
        if _suv_of(ds) is not None:
            return "g/ml{SUVbw}"
        return "Bq/ml" if str(ds.get("Units", "")) == "BQML" else "1"
    return "1"


def pixel_values(stored: NDArray[Any], ds: Dataset, frame: int) -> NDArray[np.float64]:
    """Return one frame (row, column) in `pixel_unit`: rescaled, and as uptake where the header allows it."""
    if ds.get("ModalityLUTSequence"):
        return np.asarray(apply_modality_lut(stored, ds), dtype=np.float64)
    slope, intercept, _ = rescale_of(ds, frame) or (1.0, 0.0, "")
    values = stored.astype(np.float64) * slope + intercept
    factor = _suv_of(ds) if str(ds.get("Modality", "")) == "PT" else None
    return values * factor if factor is not None else values


def rescale_of(ds: Dataset, frame: int) -> tuple[float, float, str] | None:
    """Return slope, intercept and type of the rescale of a frame, None where there is none."""
    transform = group_of(ds, frame, "PixelValueTransformationSequence")
    if transform.get("RescaleSlope") is None:
        return None
    kind = str(transform.get("RescaleType") or "US")
    return _number(transform.RescaleSlope, 1.0), _number(transform.get("RescaleIntercept"), 0.0), kind


def _number(value: Any, otherwise: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return otherwise
    return number if math.isfinite(number) else otherwise


def _suv_of(ds: Dataset) -> float | None:
    """Return by what to multiply the rescaled values of a PET image to get SUVbw, None if unknown."""
    units = str(ds.get("Units", ""))
    if units == "GML":
        return 1.0 if str(ds.get("SUVType") or "BW") == "BW" else None
    corrected = str(ds.get("DecayCorrection", ""))
    doses = ds.get("RadiopharmaceuticalInformationSequence") or []
    if units != "BQML" or corrected not in {"START", "ADMIN"} or len(doses) != 1:
        return None
    elapsed = 0.0 if corrected == "ADMIN" else _elapsed_s(ds, doses[0])
    try:
        return pet.suv_factor(
            injected_bq=_number(doses[0].get("RadionuclideTotalDose"), 0.0),
            elapsed_s=math.nan if elapsed is None else elapsed,
            half_life_s=_number(doses[0].get("RadionuclideHalfLife"), 0.0),
            weight_kg=_number(ds.get("PatientWeight"), 0.0),
        )
    except pet.UnusableActivity:
        return None


def _elapsed_s(ds: Dataset, dose: Dataset) -> float | None:
    """Return the time from injection to the start of the series, s, also across midnight."""
    started = _seconds(ds.get("SeriesTime"))
    acquired = _seconds(ds.get("AcquisitionTime"))
    injected = _seconds(dose.get("RadiopharmaceuticalStartTime"))
    if started is None or injected is None or parse_date(str(ds.get("SeriesDate", ""))) is None:
        return None
    if acquired is not None and started > acquired:  # a series time of its later processing
        return None
    return (started - injected) % 86_400


def _seconds(value: Any) -> float | None:
    text = str(value or "")
    if len(text) < 6 or not text[:6].isdigit():
        return None
    return int(text[:2]) * 3600 + int(text[2:4]) * 60 + float(text[4:] or 0)
