"""From DICOM datasets to one regular stack (PS3.3 C.7.6.2 Image Plane, C.7.6.16 functional groups)."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_modality_lut
from scipy import ndimage

from sightline.science.geometry import Floats, Grid
from sightline.science.volumes._model import (
    DuplicatePositions,
    MissingGeometry,
    MissingSlices,
    MixedFrames,
    MixedOrientations,
    MixedShapes,
    NotGreyscale,
    TooFewSlices,
    TooLarge,
    UnreadablePixels,
    VariableSpacing,
    Volume,
    WanderingPositions,
)

SAME_PLACE_MM = 0.01
"""Two slices closer than this along the normal lie at one position."""

GAP_FACTOR = 1.5
"""A step this many times the usual one is a hole."""

MAX_WOBBLE = 0.05
"""Largest departure of a slice from its regular place, as a part of the step."""

MIN_SLICES = 3
MAX_VOXELS = 2**31
AIR_HU = -1024


@dataclass(frozen=True, slots=True)
class _Slice:
    """One image plane before it is placed."""

    position: Floats
    orientation: Floats
    pixel_spacing: tuple[float, float]
    shape: tuple[int, int]
    sop_uid: str
    frame: int
    values: Callable[[], npt.NDArray[Any]]
    thickness_mm: float
    kernel: str


def read_volume(paths: Sequence[Path]) -> Volume:
    """Read files and assemble them; compressed images are decoded by pydicom's plug-ins.

    Raises
    ------
    NotAVolume
        If a file is not DICOM, or as `assemble_volume` does. Messages name the position in the list,
        never the file, because file names may hold patient data.
    """
    datasets = []
    for number, path in enumerate(paths, start=1):
        try:
            datasets.append(dcmread(path))
        except Exception as error:
            raise UnreadablePixels(
                f"Image {number} of {len(paths)} cannot be read as DICOM; send it again."
            ) from error
    return assemble_volume(datasets)


def assemble_volume(datasets: Sequence[Dataset]) -> Volume:
    """Return the one volume that the images form.

    Classic images and enhanced multi-frame images are taken. Slices are sorted by their position projected
    on the slice normal; each is rescaled by its own slope and intercept; padding becomes air; localisers and
    exact doubles are left out with a note. A stack sheared by a tilted gantry is shifted back within its
    planes (linear interpolation) and marked `resampled`.

    Parameters
    ----------
    datasets
        Images of one series, in any order.

    Raises
    ------
    NotAVolume
        With a subclass per reason: too few slices, mixed orientation, holes, doubles, and so on.

    References
    ----------
    PS3.3 C.7.6.2.1.1 (position and orientation), C.7.6.16.2.9 (pixel value transformation),
    C.7.5.1.1.2 (pixel padding).
    """
    notes: list[str] = []
    kept = [ds for ds in datasets if "LOCALIZER" not in [str(v).upper() for v in ds.get("ImageType", [])]]
    if datasets and not kept:
        raise TooFewSlices("The series holds only localizers (scouts), no slices; choose another series.")
    if len(kept) < len(datasets):
        notes.append(f"{len(datasets) - len(kept)} localizer images left out")
    slices = [plane for ds in kept for plane in _slices(ds)]
    _require_one_geometry(kept, slices)
    normal = np.cross(slices[0].orientation[:3], slices[0].orientation[3:])
    slices.sort(key=lambda plane: float(plane.position @ normal))
    slices = _without_doubles(slices, normal, notes)
    _require_enough(slices)
    step = _regular_step(slices, normal, notes)
    array = np.stack([plane.values() for plane in slices])
    return _placed(_compact(array), slices, normal, step, unit=_unit(kept[0]), notes=notes, first=kept[0])


def _require_enough(slices: Sequence[_Slice]) -> None:
    if len(slices) < MIN_SLICES:
        few = "A single slice does" if len(slices) == 1 else f"{len(slices)} slices do"
        raise TooFewSlices(
            f"{few} not make a volume; at least {MIN_SLICES} are needed, choose another series."
        )


def _slices(ds: Dataset) -> Iterator[_Slice]:
    if int(ds.get("SamplesPerPixel", 1) or 1) != 1:
        raise NotGreyscale("An image is in colour; choose a greyscale series.")
    if "PerFrameFunctionalGroupsSequence" in ds:
        yield from _enhanced_slices(ds)
    elif int(ds.get("NumberOfFrames", 1) or 1) > 1:
        raise MissingGeometry("A multi-frame image gives no position per frame; choose another series.")
    else:
        yield _slice(ds, 1, ds, ds, ds, lambda: _rescaled(_pixels(ds), ds, ds))


def _enhanced_slices(ds: Dataset) -> Iterator[_Slice]:
    frames = ds.PerFrameFunctionalGroupsSequence
    decoded: list[npt.NDArray[Any]] = []  # decoded once, when the first frame is asked for

    def pixels(index: int) -> npt.NDArray[Any]:
        if not decoded:
            array = _pixels(ds)
            decoded.append(array[np.newaxis] if array.ndim == 2 else array)
        if index >= len(decoded[0]):
            raise UnreadablePixels("A multi-frame image holds fewer frames than it describes; send it again.")
        return np.asarray(decoded[0][index])

    def rescaled(index: int, transform: Dataset) -> Callable[[], npt.NDArray[Any]]:
        return lambda: _rescaled(pixels(index), transform, ds)

    for index, _ in enumerate(frames):
        position = _group(ds, index, "PlanePositionSequence")
        orientation = _group(ds, index, "PlaneOrientationSequence")
        measures = _group(ds, index, "PixelMeasuresSequence")
        transform = _group(ds, index, "PixelValueTransformationSequence")
        yield _slice(ds, index + 1, position, orientation, measures, rescaled(index, transform))


def _group(ds: Dataset, index: int, name: str) -> Dataset:
    """Return one functional group of a frame, from the frame or shared by all, else an empty dataset."""
    shared = ds.get("SharedFunctionalGroupsSequence") or [Dataset()]
    for groups in (ds.PerFrameFunctionalGroupsSequence[index], shared[0]):
        if groups.get(name):
            return groups[name].value[0]  # type: ignore[no-any-return]
    return Dataset()


def _slice(
    ds: Dataset,
    frame: int,
    position: Dataset,
    orientation: Dataset,
    measures: Dataset,
    values: Callable[[], npt.NDArray[Any]],
) -> _Slice:
    cosines = _numbers(orientation, "ImageOrientationPatient", 6)
    row, column = cosines[:3], cosines[3:]
    if abs(row @ row - 1) > 0.01 or abs(column @ column - 1) > 0.01 or abs(row @ column) > 0.01:
        raise MissingGeometry("Image Orientation of an image is not two perpendicular unit vectors.")
    spacing = _numbers(measures, "PixelSpacing", 2)
    if spacing.min() <= 0:
        raise MissingGeometry("Pixel Spacing of an image is not positive.")
    return _Slice(
        position=_numbers(position, "ImagePositionPatient", 3),
        orientation=cosines,
        pixel_spacing=(float(spacing[0]), float(spacing[1])),
        shape=(int(ds.get("Rows", 0) or 0), int(ds.get("Columns", 0) or 0)),
        sop_uid=str(ds.get("SOPInstanceUID", "")),
        frame=frame,
        values=values,
        thickness_mm=float(measures.get("SliceThickness", 0) or 0),
        kernel="/".join(_texts(ds.get("ConvolutionKernel"))),
    )


def _numbers(ds: Dataset, name: str, count: int) -> Floats:
    try:
        values = np.array([float(value) for value in ds.get(name) or []])
    except (TypeError, ValueError):
        values = np.array([])
    if len(values) != count or not np.isfinite(values).all():
        raise MissingGeometry(f"An image has no usable {name}; choose a series with positions.")
    return values


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(part) for part in value]


def _pixels(ds: Dataset) -> npt.NDArray[Any]:
    try:
        return np.asarray(ds.pixel_array)
    except Exception as error:
        raise UnreadablePixels("The pixel data of an image cannot be decoded; send it again.") from error


def _rescaled(stored: npt.NDArray[Any], transform: Dataset, ds: Dataset) -> npt.NDArray[Any]:
    """Return stored values times slope plus intercept; padding pixels become air or the least value."""
    if stored.ndim != 2:
        raise UnreadablePixels("An image holds more pixels than its rows and columns; send it again.")
    if ds.get("ModalityLUTSequence"):
        return np.asarray(apply_modality_lut(stored, ds), dtype=np.float32)
    slope, intercept = _rescale(transform)
    values = stored.astype(np.float32) * slope + intercept
    padding = ds.get("PixelPaddingValue")
    if padding is not None:
        limit = ds.get("PixelPaddingRangeLimit", padding)
        low, high = sorted((int(padding), int(limit)))
        padded = (stored >= low) & (stored <= high)
        if padded.any() and not padded.all():
            is_ct = str(ds.get("Modality", "")) == "CT"
            values[padded] = min(AIR_HU, values[~padded].min()) if is_ct else values[~padded].min()
    return values.astype(np.float32)


def _rescale(transform: Dataset) -> tuple[float, float]:
    try:
        slope = float(transform.get("RescaleSlope", 1) or 1)
        intercept = float(transform.get("RescaleIntercept", 0) or 0)
    except (TypeError, ValueError):
        slope = math.nan
        intercept = math.nan
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise UnreadablePixels("Rescale Slope or Intercept of an image is not a number.")
    return slope, intercept


def _require_one_geometry(datasets: Sequence[Dataset], slices: Sequence[_Slice]) -> None:
    _require_enough(slices)
    first = slices[0]
    if any(np.abs(plane.orientation - first.orientation).max() > 1e-3 for plane in slices):
        raise MixedOrientations("The images look in different directions; choose one orientation.")
    spacings = np.array([plane.pixel_spacing for plane in slices])
    if len({plane.shape for plane in slices}) > 1 or np.ptp(spacings, axis=0).max() > 1e-3:
        raise MixedShapes("The images differ in size or pixel spacing; choose one reconstruction.")
    if len({str(ds.get("FrameOfReferenceUID", "")) for ds in datasets}) > 1:
        raise MixedFrames("The images belong to different frames of reference; choose one acquisition.")
    if min(first.shape) < 1:
        raise MissingGeometry("The images have no rows or columns.")
    if len(slices) * first.shape[0] * first.shape[1] > MAX_VOXELS:
        raise TooLarge(f"The images hold more than {MAX_VOXELS} voxels; choose a smaller series.")


def _without_doubles(slices: list[_Slice], normal: Floats, notes: list[str]) -> list[_Slice]:
    kept: list[_Slice] = []
    for plane in slices:
        same_place = bool(kept) and float((plane.position - kept[-1].position) @ normal) < SAME_PLACE_MM
        if not same_place:
            kept.append(plane)
        elif not np.array_equal(plane.values(), kept[-1].values()):
            raise DuplicatePositions(
                "Two different images lie at one position; split the series by phase, time or kernel."
            )
    if len(kept) < len(slices):
        notes.append(f"{len(slices) - len(kept)} doubled images left out")
    return kept


def _regular_step(slices: Sequence[_Slice], normal: Floats, notes: list[str]) -> float:
    heights = np.array([plane.position @ normal for plane in slices])
    steps = np.diff(heights)
    usual = float(np.median(steps))
    holes = int((steps > GAP_FACTOR * usual).sum())
    if holes:
        gaps = "a hole" if holes == 1 else f"{holes} holes"
        raise MissingSlices(f"The stack of {len(slices)} slices has {gaps}; send the missing images.")
    step = float((heights[-1] - heights[0]) / (len(heights) - 1))
    wobble = np.abs(heights - heights[0] - step * np.arange(len(heights))).max() / step
    if wobble > MAX_WOBBLE:
        raise VariableSpacing(
            f"Slice distance varies from {steps.min():.2f} to {steps.max():.2f} mm; choose a regular series."
        )
    if wobble > 0.01:
        notes.append(f"slice distance varies by up to {100 * wobble:.0f} % and was taken as {step:.3f} mm")
    thickest = max(plane.thickness_mm for plane in slices)
    if 0 < thickest < 0.95 * step:
        notes.append(
            f"slices {thickest:.2f} mm thick stand {step:.2f} mm apart: tissue between is not imaged"
        )
    return step


def _compact(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return int16 when nothing is lost by it, else float32."""
    limits = np.iinfo(np.int16)
    fits = limits.min <= array.min() and array.max() <= limits.max
    if fits and bool((array == np.rint(array)).all()):
        return array.astype(np.int16)
    return array.astype(np.float32)


def _unit(ds: Dataset) -> str:
    if str(ds.get("Modality", "")) == "CT":
        return "HU"
    return str(ds.get("Units", "") or "1")


def _placed(
    array: npt.NDArray[Any],
    slices: Sequence[_Slice],
    normal: Floats,
    step: float,
    *,
    unit: str,
    notes: list[str],
    first: Dataset,
) -> Volume:
    """Return the stack on its grid, shifted back within the planes where the gantry was tilted."""
    row, column = _orthonormal(slices[0].orientation)
    axes = np.column_stack([row, column, np.cross(row, column)])
    down_mm, along_mm = slices[0].pixel_spacing  # Pixel Spacing: between rows, then between columns
    drift = np.array([plane.position - slices[0].position for plane in slices])
    shift_px = np.column_stack([drift @ column / down_mm, drift @ row / along_mm])
    origin = slices[0].position
    resampled = bool(np.abs(shift_px).max() > 0.1)
    if resampled:
        array, lead_px, degrees = _unsheared(array, shift_px, drift, normal, air=unit == "HU")
        origin = origin - lead_px[0] * down_mm * column - lead_px[1] * along_mm * row
        notes.append(f"stack sheared by {degrees:.1f} degrees (tilted gantry) was resampled")
    x, y, z = (float(value) for value in origin)
    depth, height, width = array.shape
    return Volume(
        array=array,
        grid=Grid((depth, height, width), (along_mm, down_mm, step), (x, y, z), tuple(axes.ravel().tolist())),
        unit=unit,
        sop_uids=tuple(plane.sop_uid for plane in slices),
        frame_numbers=tuple(plane.frame for plane in slices),
        frame_of_reference_uid=str(first.get("FrameOfReferenceUID", "")),
        thickness_mm=slices[0].thickness_mm,
        kernel=slices[0].kernel,
        resampled=resampled,
        notes=tuple(notes),
    )


def _orthonormal(orientation: Floats) -> tuple[Floats, Floats]:
    row = orientation[:3] / np.linalg.norm(orientation[:3])
    column = orientation[3:] - (orientation[3:] @ row) * row
    return row, column / np.linalg.norm(column)


def _unsheared(
    array: npt.NDArray[Any], shift_px: Floats, drift: Floats, normal: Floats, *, air: bool
) -> tuple[npt.NDArray[Any], Floats, float]:
    """Shift each slice within its plane onto one straight stack wide enough for all of them."""
    regular = np.linspace(0, 1, len(array))[:, np.newaxis] * shift_px[-1]
    if np.abs(shift_px - regular).max() > 0.5:
        raise WanderingPositions("Slice positions shift sideways irregularly; the geometry is not trusted.")
    lead = np.ceil(np.maximum(-shift_px.min(axis=0), 0))
    extra = np.ceil(np.maximum(shift_px.max(axis=0), 0))
    fill = AIR_HU if air else float(array.min())
    shape = (len(array), *(np.array(array.shape[1:]) + lead + extra).astype(int))
    if np.prod([float(n) for n in shape]) > MAX_VOXELS:
        raise TooLarge("The sheared stack needs too large a volume to be straightened.")
    straight = np.full(shape, fill, dtype=np.float32)
    for z, plane in enumerate(array):
        window = [(0, int(lead[0] + extra[0])), (0, int(lead[1] + extra[1]))]
        padded = np.pad(plane.astype(np.float32), window, constant_values=fill)
        straight[z] = _shifted(padded, shift_px[z] + lead, fill)
    height = float(drift[-1] @ normal)
    degrees = math.degrees(math.acos(min(1.0, abs(height) / float(np.linalg.norm(drift[-1])))))
    return straight, lead, degrees


def _shifted(plane: npt.NDArray[Any], by_px: Floats, fill: float) -> npt.NDArray[Any]:
    moved: npt.NDArray[Any] = ndimage.shift(plane, by_px, order=1, cval=fill, mode="constant")
    return moved
