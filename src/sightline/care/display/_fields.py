"""Values in space: dose, parametric maps, and other series of the same frame of reference."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from sightline.care.display._model import Overlay, OverlayNotReadable, Part, Read
from sightline.science import volumes
from sightline.science.geometry import Grid

# Distances of dose planes may differ by this part of their mean.
SPACING_TOLERANCE = 0.01
_DOSE_UNITS = {"GY": "Gy", "RELATIVE": "1"}


def read_dose_header(ds: Dataset) -> Overlay:
    """Return what a dose is, from its header (PS3.3 C.8.8.3)."""
    kind = " ".join(str(ds.get(name) or "").lower() for name in ("DoseType", "DoseSummationType"))
    unit = _DOSE_UNITS.get(str(ds.get("DoseUnits") or ""), "")
    return Overlay(
        uid=str(ds.SOPInstanceUID),
        series_uid=str(ds.SeriesInstanceUID),
        form="dose",
        kind="values",
        label=str(ds.get("SeriesDescription") or ds.get("DoseComment") or f"Dose {kind}").strip()[:200],
        modality="RTDOSE",
        unit=unit,
        frame_uids=frozenset({str(ds.get("FrameOfReferenceUID") or "")}),
        reason=_why_no_dose(ds, unit),
    )


def _why_no_dose(ds: Dataset, unit: str) -> str:
    if not ds.get("Rows"):
        return "The dose holds histograms only, and no values in space."
    return "" if unit else "The dose does not say its units."


def read_map_header(ds: Dataset) -> Overlay:
    """Return what a parametric map is, from its header (PS3.3 A.75)."""
    return Overlay(
        uid=str(ds.SOPInstanceUID),
        series_uid=str(ds.SeriesInstanceUID),
        form="map",
        kind="values",
        label=str(ds.get("ContentLabel") or ds.get("SeriesDescription") or "Parametric map")[:200],
        modality=str(ds.get("Modality") or ""),
        unit=_map_unit(ds),
        quantity=_map_quantity(ds),
        frame_uids=frozenset({str(ds.get("FrameOfReferenceUID") or "")}),
        reference_uids=frozenset(
            str(item.get("SeriesInstanceUID") or "") for item in ds.get("ReferencedSeriesSequence") or []
        ),
    )


def read_series_header(ds: Dataset) -> Overlay:
    """Return what a series of images is, from the header of one of them."""
    modality = str(ds.get("Modality") or "")
    return Overlay(
        uid=str(ds.SeriesInstanceUID),
        series_uid=str(ds.SeriesInstanceUID),
        form="series",
        kind="values",
        label=str(ds.get("SeriesDescription") or modality)[:200],
        modality=modality,
        unit={"CT": "[hnsf'U]", "PT": ""}.get(modality, "1"),
        frame_uids=frozenset({str(ds.get("FrameOfReferenceUID") or "")}),
    )


def read_dose(ds: Dataset, overlay: Overlay, most_bytes: int) -> Read:
    """Return a dose in Gy, or relative, on its own grid.

    Raises
    ------
    OverlayNotReadable
        If its planes are not evenly spaced or its numbers cannot be used.
    """
    voxels = int(ds.Rows) * int(ds.Columns) * int(ds.get("NumberOfFrames") or 1)
    if voxels * 8 > most_bytes:
        raise volumes.TooLarge("The dose has more voxels than are put together here.")
    scaling = float(ds.DoseGridScaling)
    grid = _dose_grid(ds)
    stored = np.asarray(ds.pixel_array).reshape(grid.shape_zyx)
    if not (np.isfinite(scaling) and scaling > 0):
        raise OverlayNotReadable("The dose has no usable Dose Grid Scaling.")
    return Read((Part((stored * np.float64(scaling)).astype(np.float32), grid),), unit=overlay.unit)


def _dose_grid(ds: Dataset) -> Grid:
    """Return where the planes of a dose lie: by their offsets from the first, up or down.

    PS3.3 C.8.8.3.2: offsets are relative when the first is 0; else, in axial planes, positions themselves.
    """
    position = np.array([float(v) for v in ds.ImagePositionPatient])
    orientation = np.array([float(v) for v in ds.ImageOrientationPatient])
    right, down = orientation[:3], orientation[3:]
    down_mm, right_mm = (float(v) for v in ds.PixelSpacing)
    frames = int(ds.get("NumberOfFrames") or 1)
    normal = np.cross(right, down)
    # One plane has no distance to others: it is as thick as it says, or 1 mm.
    step = float(ds.get("SliceThickness") or 0) or 1.0
    if frames > 1:
        offsets = np.array([float(v) for v in ds.GridFrameOffsetVector])
        if len(offsets) != frames:
            raise OverlayNotReadable("The dose does not say where each of its planes lies.")
        steps = np.diff(offsets)
        step = float(steps.mean())
        if step == 0 or np.abs(steps - step).max() > SPACING_TOLERANCE * abs(step):
            raise OverlayNotReadable("The planes of the dose are not evenly spaced.")
        if offsets[0] != 0:
            position[2], normal = offsets[0], np.array([0.0, 0.0, 1.0])
    x, y, z = (float(v) for v in position)
    axes = np.column_stack([right, down, normal * np.sign(step)])
    shape = (frames, int(ds.Rows), int(ds.Columns))
    return Grid(shape, (right_mm, down_mm, abs(step)), (x, y, z), tuple(axes.ravel().tolist()))


def read_map(ds: Dataset, overlay: Overlay, most_bytes: int) -> Read:
    """Return a parametric map in its unit, by its real world value mapping (PS3.3 C.7.6.16.2.11).

    Raises
    ------
    NotAVolume
        If its frames form no volume.
    OverlayNotReadable
        If its mapping is a table.
    """
    voxels = int(ds.Rows) * int(ds.Columns) * int(ds.get("NumberOfFrames") or 1)
    if voxels * 8 > most_bytes:
        raise volumes.TooLarge("The map has more voxels than are put together here.")
    volume = volumes.assemble_volume([ds])
    mapping = _mapping(ds)
    if mapping is None:
        return Read((Part(volume.array, volume.grid),), unit=overlay.unit, notes=volume.notes)
    if "RealWorldValueSlope" not in mapping:
        raise OverlayNotReadable("The map gives its values by a table, which is not shown here.")
    slope = float(mapping.RealWorldValueSlope)
    intercept = float(mapping.get("RealWorldValueIntercept") or 0)
    values: npt.NDArray[Any] = (volume.array * np.float64(slope) + intercept).astype(np.float32)
    return Read((Part(values, volume.grid),), unit=overlay.unit, notes=volume.notes)


def _mapping(ds: Dataset) -> Dataset | None:
    """Return the first real world value mapping of the frames."""
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for groups in (ds.get(name) or [])[:1]:
            for mapping in groups.get("RealWorldValueMappingSequence") or []:
                return mapping  # type: ignore[no-any-return]
    return None


def _map_unit(ds: Dataset) -> str:
    mapping = _mapping(ds)
    for code in (mapping.get("MeasurementUnitsCodeSequence") if mapping is not None else None) or []:
        return str(code.get("CodeValue") or "1")[:64]
    return "1"


def _map_quantity(ds: Dataset) -> tuple[str, str, str] | None:
    mapping = _mapping(ds)
    for item in (mapping.get("QuantityDefinitionSequence") if mapping is not None else None) or []:
        for code in item.get("ConceptCodeSequence") or []:
            names = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
            value, scheme, meaning = (str(code.get(name) or "")[:64] for name in names)
            return value, scheme, meaning
    return None
