"""Segmentations: what their segments are, and their voxels as layers of labels (PS3.3 C.8.20)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from sightline.care.display._colours import colour_of
from sightline.care.display._model import Overlay, OverlayNotReadable, Part, Read, Segment
from sightline.science import volumes
from sightline.science.geometry import Grid

MOST_SEGMENTS = 2000
LABELS = 255
"""Labels of one layer: a byte, and 0 is nothing."""

HALF = 0.5
# Distances of slices may differ by this part of their mean, as in PET whose positions were rounded.
SPACING_TOLERANCE = 0.05


def read_header(ds: Dataset) -> Overlay:
    """Return what a segmentation is, from its header."""
    items = list(ds.get("SegmentSequence") or [])
    found = [_segment(item) for item in items[:MOST_SEGMENTS] if int(item.SegmentNumber) > 0]
    kind = str(ds.get("SegmentationType") or "")
    return Overlay(
        uid=str(ds.SOPInstanceUID),
        series_uid=str(ds.SeriesInstanceUID),
        form="segmentation",
        kind="labelmap",
        label=_label(ds)[:200],
        modality="SEG",
        unit="",
        segments=tuple(found),
        frame_uids=frozenset({str(ds.get("FrameOfReferenceUID") or "")}),
        reference_uids=frozenset(_referenced_series(ds)),
        reason="" if found else "The segmentation has no segments.",
        fractional=kind == "FRACTIONAL",
        algorithm=next((s.algorithm for s in found if s.algorithm), ""),
    )


def _label(ds: Dataset) -> str:
    """Return the words for people; the content label is a name for programs, often just SEGMENTATION."""
    names = ("ContentDescription", "SeriesDescription", "ContentLabel")
    return next((str(ds[name].value) for name in names if ds.get(name)), "Segmentation")


def _referenced_series(ds: Dataset) -> list[str]:
    return [str(item.get("SeriesInstanceUID") or "") for item in ds.get("ReferencedSeriesSequence") or []]


def _segment(item: Dataset) -> Segment:
    number = int(item.SegmentNumber)
    return Segment(
        number=number,
        label=str(item.get("SegmentLabel") or f"segment {number}")[:200],
        colour=colour_of(item.get("RecommendedDisplayCIELabValue"), number),
        category=_code(item, "SegmentedPropertyCategoryCodeSequence"),
        type=_code(item, "SegmentedPropertyTypeCodeSequence"),
        algorithm=str(item.get("SegmentAlgorithmType") or "").lower(),
        tracking_uid=str(item.get("TrackingUID") or ""),
    )


def _code(item: Dataset, name: str) -> tuple[str, str, str]:
    for code in item.get(name) or []:
        value = code.get("CodeValue") or code.get("LongCodeValue") or code.get("URNCodeValue") or ""
        return str(value), str(code.get("CodingSchemeDesignator") or ""), str(code.get("CodeMeaning") or "")
    return "", "", ""


def read_segmentation(ds: Dataset, overlay: Overlay, most_bytes: int) -> Read:
    """Return the voxels of a segmentation: as many layers as overlaps, and segments beyond 255, need.

    Frames that were left out are empty; those of a fractional segmentation count from one half on.

    Raises
    ------
    OverlayNotReadable
        If its frames form no regular volume.
    TooLarge
        If it has more voxels than a volume may have.
    """
    seg = hd.seg.Segmentation.from_dataset(ds, copy=False)
    geometry = seg.get_volume_geometry(rtol=SPACING_TOLERANCE)
    if geometry is None:
        raise OverlayNotReadable("The frames of the segmentation do not form one regular volume.")
    if int(np.prod(geometry.spatial_shape)) * 2 > most_bytes:
        raise volumes.TooLarge("The segmentation has more voxels than are put together here.")
    layers, placed = _layers(seg, overlay, most_bytes)
    grid = _grid(geometry)
    notes = ("values from one half on are shown",) if overlay.fractional else ()
    return Read(tuple(Part(layer, grid) for layer in layers), segments=placed, notes=notes)


def _layers(
    seg: hd.seg.Segmentation, overlay: Overlay, most_bytes: int
) -> tuple[list[npt.NDArray[np.uint8]], Sequence[Segment]]:
    numbers = [segment.number for segment in overlay.segments]
    if not overlay.fractional and len(numbers) <= LABELS:
        try:
            combined = _volume(seg, numbers)
        except RuntimeError:  # segments overlap
            pass
        else:
            labelled = (replace(s, value=n) for n, s in enumerate(overlay.segments, start=1))
            return [combined.astype(np.uint8)], tuple(labelled)
    layers: list[npt.NDArray[np.uint8]] = []
    used: list[int] = []
    placed = []
    for segment in overlay.segments:
        mask = _mask(seg, segment.number, fractional=overlay.fractional)
        free = (n for n, layer in enumerate(layers) if used[n] < LABELS and not layer[mask].any())
        layer = next(free, len(layers))
        if layer == len(layers):
            if (layer + 1) * mask.size > most_bytes:
                raise volumes.TooLarge("The segments overlap so often that they need too much memory.")
            layers.append(np.zeros(mask.shape, np.uint8))
            used.append(0)
        used[layer] += 1
        layers[layer][mask] = used[layer]
        placed.append(replace(segment, layer=layer, value=used[layer]))
    return layers, tuple(placed)


def _volume(seg: hd.seg.Segmentation, numbers: Sequence[int]) -> npt.NDArray[Any]:
    """Return labels 1, 2, … of the segments, in the order of their numbers."""
    volume = seg.get_volume(
        segment_numbers=list(numbers), combine_segments=True, relabel=True, rtol=SPACING_TOLERANCE
    )
    return np.asarray(volume.array)


def _mask(seg: hd.seg.Segmentation, number: int, *, fractional: bool) -> npt.NDArray[np.bool_]:
    if not fractional:
        return _volume(seg, [number]) > 0
    volume = seg.get_volume(segment_numbers=[number], rtol=SPACING_TOLERANCE)
    return np.asarray(volume.array[..., 0] >= HALF)


def _grid(geometry: hd.VolumeGeometry) -> Grid:
    """Return where the voxels lie; the array is (slice, row, column), whichever way the slices run."""
    affine = np.asarray(geometry.affine, dtype=float)
    steps = affine[:3, [2, 1, 0]]
    spacing = np.linalg.norm(steps, axis=0)
    nz, ny, nx = (int(n) for n in geometry.spatial_shape)
    sx, sy, sz = (float(v) for v in spacing)
    x, y, z = (float(v) for v in affine[:3, 3])
    return Grid((nz, ny, nx), (sx, sy, sz), (x, y, z), tuple((steps / spacing).ravel().tolist()))
