"""One click in a series, as the finding that it would be.

A CT nodule with lung round it is measured as the models' nodules are, so that both can be compared; anything
else, and whatever a person corrected, by `segment_click`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sightline.care import display
from sightline.care.lesions._model import KINDS, Click, Clicked, Point
from sightline.kernel.quantities import Quantity
from sightline.record import archive, findings
from sightline.science import segmentation
from sightline.science.segmentation import ClickSegment, Lesion
from sightline.science.volumes import Volume

T = TypeVar("T")
HU = "[hnsf'U]"


def clicked_at(on: display.Context, view: display.View, click: Click) -> Clicked:
    """Return what lies at a click; the answer to each correction is kept for the next.

    Raises
    ------
    NoLesionHere
        If nothing stands out there.
    """
    volume = view.volume if view.is_hu else replace(view.volume, unit=view.unit)
    in_lung = segmentation.lies_in_lung(volume, click.points_lps_mm[0])
    kind = click.kind or _guessed(view, in_lung=in_lung)
    if in_lung and kind == "lung-nodule" and len(click.points_lps_mm) == 1 and not click.corrections:
        nodule = _nodule(on, volume, click)
        if nodule is not None:
            return _of_nodule(volume, nodule, click)
    return _of_segment(volume, _segment(on, volume, click), click, kind)


def _guessed(view: display.View, *, in_lung: bool) -> str:
    if in_lung:
        return "lung-nodule"
    return "pet-focus" if "SUV" in view.unit or view.unit == "Bq/ml" else "lesion"


def _kept(on: display.Context, click: Click, step: int, what: str, make: Callable[[], T]) -> T:
    key = (what, archive.series_state(on.store, click.series_uid), click.until(step))
    kept: T = on.shelf.get(key, make, _size)
    return kept


def _size(made: Any) -> int:
    masks = [made.mask] if isinstance(made, Lesion) else [made.cover, *made.masks.values()]
    return sum(mask.nbytes for mask in masks)


def _nodule(on: display.Context, volume: Volume, click: Click) -> Lesion | None:
    """Return the nodule at a click, or None where the way of measuring nodules finds none."""
    try:
        return _kept(
            on, click, 0, "nodule", lambda: segmentation.segment_lesion_at(volume, click.points_lps_mm[0])
        )
    except segmentation.NoLesionHere:
        return None


def _segment(on: display.Context, volume: Volume, click: Click) -> ClickSegment:
    found = _kept(
        on,
        click,
        0,
        "click",
        lambda: segmentation.segment_click(volume, click.points_lps_mm, diameter_mm=click.diameter_mm),
    )
    for step, touch in enumerate(click.corrections, 1):
        found = _kept(on, click, step, "click", lambda: _refined(volume, found, touch))  # noqa: B023  called at once
    return found


def _refined(volume: Volume, found: ClickSegment, touch: Any) -> ClickSegment:
    return segmentation.refine(volume, found, add_points=touch.add, remove_points=touch.remove)


def _of_nodule(volume: Volume, lesion: Lesion, click: Click) -> Clicked:
    found = _found(volume, lesion, click, "lung-nodule", {"mean_hu": lesion.mean_hu})
    return Clicked(found, lesion.mask, lesion.offset_zyx, lesion.volume.method, volume.notes)


def _of_segment(volume: Volume, segment: ClickSegment, click: Click, kind: str) -> Clicked:
    # The peak is that of uptake; in Hounsfield units it would only blur a small lesion with its surroundings.
    is_hu = segment.mean.unit == HU
    values = {"mean_hu": segment.mean} if is_hu else {"mean": segment.mean, "peak": segment.peak}
    found = _found(volume, segment, click, kind, values)
    notes = (*volume.notes, *segment.notes)
    return Clicked(found, segment.mask, segment.offset_zyx, segment.volume.method, notes)


def _found(
    volume: Volume,
    part: Lesion | ClickSegment,
    click: Click,
    kind: str,
    values: dict[str, Quantity],
) -> findings.Found:
    slices = tuple(
        (volume.sop_uid_at(z), float(polygons[0][0, 2]), tuple(_polygon(points) for points in polygons))
        for z, polygons in segmentation.outline(part.mask, part.offset_zyx, volume.grid)
    )
    return findings.Found(
        kind=kind,
        label=KINDS[kind],
        series_uid=click.series_uid,
        sop_uid=volume.sop_uid_at(part.axis_slice),
        frame_of_reference_uid=volume.frame_of_reference_uid,
        centre_lps_mm=part.centre_lps_mm,
        values={
            "volume": part.volume,
            "long_axis": part.long_axis,
            "short_axis": part.short_axis,
            **values,
        },
        outline=findings.Outline(slices, part.long_axis_lps_mm, part.short_axis_lps_mm),
        why=_why(click),
    )


def _why(click: Click) -> str:
    if click.diameter_mm is None:
        how = "outlined from one click"
    else:
        how = f"outlined from a stroke of {click.diameter_mm:.0f} mm"
    count = len(click.corrections)
    corrected = f", corrected {count} time{'s' if count > 1 else ''}" if count else ""
    return f"marked by a person; {how}{corrected}"


def _polygon(points: NDArray[np.float64]) -> tuple[Point, ...]:
    return tuple((round(x, 2), round(y, 2), round(z, 2)) for x, y, z in points.tolist())
