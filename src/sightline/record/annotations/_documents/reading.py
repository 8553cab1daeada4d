"""Measurements of any TID 1500 report: ours, OHIF's, dcmqi's and other people's.

A reader of reports meets what the standard allows and what it does not; each group is read for itself, and
one that cannot be is told with its reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from pydicom import Dataset

from sightline.record.annotations._documents import _concepts as concepts
from sightline.record.annotations._documents._concepts import first, key_of, name_key
from sightline.record.annotations._model import (
    POINTS,
    Kind,
    Measurement,
    Origin,
    Point2,
    Point3,
    SegmentReference,
    UnusableAnnotation,
    Value,
    is_uid,
)
from sightline.record.derived import deterministic_uid

MOST_GROUPS, DEEPEST = 2000, 12
REPORT = ("126000", "DCM")


@dataclass(frozen=True, slots=True)
class Found:
    """What a report holds, and why parts of it could not be read."""

    measurements: list[Measurement]
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class _Shape:
    """One graphic: its points in an image, or in patient space."""

    type: str
    points: list[tuple[float, ...]]
    in_space: bool
    sop_uid: str = ""
    frame: int = 1
    frame_of_reference_uid: str = ""
    closed: bool = False


def read_measurements(ds: Dataset, origin: Origin, series_of: dict[str, str]) -> Found:
    """Return the measurements of a report.

    Parameters
    ----------
    ds : the report
    origin : where it is held
    series_of : the series of each image, by SOP Instance UID, as held here; the report's evidence adds to it
    """
    if not _is_measurement_report(ds):
        title = first(ds, "ConceptNameCodeSequence")
        meaning = str(title.get("CodeMeaning", "")) if title is not None else ""
        return Found([], [f"It is no measurement report (TID 1500) but «{meaning or 'untitled'}»."])
    series = _evidence(ds) | series_of
    measurements: list[Measurement] = []
    reasons: list[str] = []
    for number, group in enumerate(_groups(ds.get("ContentSequence") or []), start=1):
        if number > MOST_GROUPS:
            reasons.append(f"Only the first {MOST_GROUPS} measurement groups were read.")
            break
        try:
            measurements.append(_measurement(group, origin, series, number))
        except UnusableAnnotation as error:
            reasons.append(f"Measurement group {number}: {error}")
        except (AttributeError, TypeError, ValueError, KeyError, IndexError):
            reasons.append(f"Measurement group {number} is not built as TID 1500 wants it.")
    return Found(measurements, reasons)


def _is_measurement_report(ds: Dataset) -> bool:
    template = first(ds, "ContentTemplateSequence")
    named = template is not None and str(template.get("TemplateIdentifier", "")) == "1500"
    return named or name_key(ds) == REPORT


def _evidence(ds: Dataset) -> dict[str, str]:
    """Return the series of each instance that the report names as evidence."""
    found = {}
    for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"):
        for study in ds.get(keyword) or []:
            for series in study.get("ReferencedSeriesSequence") or []:
                for sop in series.get("ReferencedSOPSequence") or []:
                    found[str(sop.get("ReferencedSOPInstanceUID", ""))] = str(
                        series.get("SeriesInstanceUID", "")
                    )
    return found


def _groups(items: Sequence[Dataset], depth: int = 0) -> Iterator[Dataset]:
    for item in items:
        if name_key(item) == concepts.GROUP:
            yield item
        elif item.get("ValueType") == "CONTAINER" and depth < DEEPEST:
            yield from _groups(item.get("ContentSequence") or [], depth + 1)


def _measurement(group: Dataset, origin: Origin, series: dict[str, str], number: int) -> Measurement:
    items = list(group.get("ContentSequence") or [])
    values, shapes = _values(items)
    shapes = [s for item in items if (s := _shape(item)) is not None] + shapes
    uid = _uid(items) or deterministic_uid(origin.sop_uid, "group", str(number))
    label = _label(items)
    segment = _segment(items)
    if not shapes:
        if segment is None or not values:
            raise UnusableAnnotation("It says neither where it was measured nor on which segment.")
        return Measurement(
            uid=uid, kind="segment", series_uid="", label=label, values=values, segment=segment, source=origin
        )
    kind, points = _kind(items, values, shapes)
    shape = shapes[0]
    in_space = shape.in_space
    return Measurement(
        uid=uid,
        kind=kind,
        series_uid=_series(items, shape, series),
        sop_uid=shape.sop_uid,
        frame=shape.frame,
        frame_of_reference_uid=shape.frame_of_reference_uid,
        label=label[:200],
        points_px=None if in_space else cast(list[Point2], points),
        points_lps_mm=cast(list[Point3], points) if in_space else None,
        values=values[:20],
        calibration=_own_text(items, "calibration")[:200],
        source=origin,
    )


def _uid(items: Sequence[Dataset]) -> str:
    uid = next((str(i.get("UID", "")) for i in items if name_key(i) == concepts.TRACKING_UID), "")
    return uid if is_uid(uid) else ""


def _own_text(items: Sequence[Dataset], code: str) -> str:
    wanted = (code, concepts.OURS)
    return next((str(i.get("TextValue", "")) for i in items if name_key(i) == wanted), "")


def _tracking_id(items: Sequence[Dataset]) -> str:
    return next((str(i.get("TextValue", "")) for i in items if name_key(i) == concepts.TRACKING_ID), "")


def _label(items: Sequence[Dataset]) -> str:
    """Return the words of the person: a comment, the free text of a viewer, or a name for tracking."""
    comments = [str(i.get("TextValue", "")) for i in items if name_key(i) == concepts.COMMENT]
    if comments:
        return comments[0]
    free = [c for i in items if (c := first(i, "ConceptCodeSequence")) is not None]
    for code in free:
        if key_of(code)[0] == concepts.FREE_TEXT[0]:
            return str(code.get("CodeMeaning", ""))
    tracking = _tracking_id(items)
    return "" if tracking.lower().startswith("cornerstone") else tracking


def _values(items: Sequence[Dataset]) -> tuple[list[Value], list[_Shape]]:
    values, shapes = [], []
    for item in items:
        if item.get("ValueType") != "NUM":
            continue
        inner = item.get("ContentSequence") or []
        shapes += [s for child in inner if (s := _shape(child)) is not None]
        value = _value(item, inner)
        if value is not None:
            values.append(value)
    return values, shapes


def _value(item: Dataset, inner: Sequence[Dataset]) -> Value | None:
    measured = first(item, "MeasuredValueSequence")
    if measured is None or measured.get("NumericValue") is None:
        return None
    number = measured.get("FloatingPointValue", measured.NumericValue)
    unit_item = first(measured, "MeasurementUnitsCodeSequence")
    name = _value_name(item, inner)
    if name is None:
        return None
    method = next((c for i in inner if name_key(i) in {concepts.METHOD, concepts.METHOD_SRT}
                   and (c := first(i, "ConceptCodeSequence")) is not None), None)  # fmt: skip
    words = str(method.get("CodeMeaning", "")) if method is not None else ""
    return Value(name, float(number), concepts.unit_of(key_of(unit_item)[0]), words)


def _value_name(item: Dataset, inner: Sequence[Dataset]) -> str | None:
    """Return our name of a number: of its derivation, else of its concept; others keep their meaning."""
    derivation = next(
        (c for i in inner if name_key(i) == concepts.DERIVATION and (c := first(i, "ConceptCodeSequence"))),
        None,
    )
    if derivation is not None:
        return concepts.NAMES.get(key_of(derivation)) or _meaning(derivation)
    key = name_key(item)
    if key in concepts.NAMES:
        return concepts.NAMES[key]
    if key == ("111010", "DCM"):  # the Center of a marker: the number 1, without meaning
        return None
    if key in {(c.value, c.scheme_designator) for c in concepts.QUANTITIES.values()}:
        return "value"
    code = first(item, "ConceptNameCodeSequence")
    return _meaning(code) if code is not None else None


def _meaning(code: Dataset) -> str:
    return str(code.get("CodeMeaning", "")).lower()[:64] or "value"


def _shape(item: Dataset) -> _Shape | None:
    kind = item.get("ValueType")
    if kind not in {"SCOORD", "SCOORD3D"}:
        return None
    size = 3 if kind == "SCOORD3D" else 2
    data = item.get("GraphicData")
    numbers = [float(v) for v in (data if data is not None else [])]
    if len(numbers) < size or len(numbers) % size:
        raise UnusableAnnotation("Its coordinates are not whole points.")
    points = [tuple(numbers[i : i + size]) for i in range(0, len(numbers), size)]
    closed = len(points) > 2 and bool(np.allclose(points[0], points[-1], atol=1e-4))
    graphic = str(item.get("GraphicType", ""))
    if size == 3:
        uid = str(item.get("ReferencedFrameOfReferenceUID", ""))
        return _Shape(graphic, points, True, frame_of_reference_uid=uid, closed=closed)
    reference = next(
        (r for child in item.get("ContentSequence") or [] if (r := first(child, "ReferencedSOPSequence"))),
        None,
    )
    if reference is None:
        raise UnusableAnnotation("Its coordinates are on no image.")
    frames = reference.get("ReferencedFrameNumber") or 1
    frame = int(frames) if isinstance(frames, int | str) else int(cast(Any, frames)[0])
    return _Shape(
        graphic, points, False, str(reference.get("ReferencedSOPInstanceUID", "")), frame, closed=closed
    )


def _series(items: Sequence[Dataset], shape: _Shape, series: dict[str, str]) -> str:
    named = next((str(i.get("UID", "")) for i in items if name_key(i) == ("112002", "DCM")), "")
    return named or series.get(shape.sop_uid, "")


def _segment(items: Sequence[Dataset]) -> SegmentReference | None:
    for item in items:
        reference = first(item, "ReferencedSOPSequence")
        if reference is not None and reference.get("ReferencedSegmentNumber"):
            number = reference.ReferencedSegmentNumber
            segment = int(number if isinstance(number, int) else cast(Any, number)[0])
            return SegmentReference(str(reference.get("ReferencedSOPInstanceUID", "")), segment)
    return None


def _kind(
    items: Sequence[Dataset], values: Sequence[Value], shapes: Sequence[_Shape]
) -> tuple[Kind, list[tuple[float, ...]]]:
    """Return what kind of measurement it is, by what is said of it, else by its numbers and shape."""
    said = _own_text(items, "kind")
    tool = _tracking_id(items).rpartition(":")[2]
    by_tool = next((k for k, name in concepts.TOOLS.items() if name.lower() == tool.lower()), "")
    kind = said if said in POINTS else by_tool if by_tool else _kind_by_shape(values, shapes)
    if values and values[0].name == "short_axis":
        shapes = shapes[::-1]
    points = _points(kind, shapes)
    least, most = POINTS[kind]
    if not least <= len(points) <= most:
        kind = _kind_by_shape(values, shapes)
        points = _points(kind, shapes)
    return cast(Kind, kind), points


def _kind_by_shape(values: Sequence[Value], shapes: Sequence[_Shape]) -> str:
    shape = shapes[0]
    names = {value.name for value in values}
    if shape.type in {"CIRCLE", "ELLIPSE"}:
        return "ellipse"
    if shape.type in {"POINT", "MULTIPOINT"} or len(shape.points) == 1:
        return "probe" if names else "text"
    if {"long_axis", "short_axis"} <= names and len(shapes) > 1:
        return "bidirectional"
    if "angle" in names and len(shape.points) in {3, 4}:
        return "angle" if len(shape.points) == 3 or shape.points[1] == shape.points[2] else "cobb"
    if len(shape.points) == 2:
        return "length" if names else "arrow"
    if shape.closed or shape.type == "POLYGON" or "area" in names:
        return "rectangle" if _is_rectangle(shape) else "freehand"
    raise UnusableAnnotation(f"An open line of {len(shape.points)} points is no measurement known here.")


def _is_rectangle(shape: _Shape) -> bool:
    p = np.array(shape.points[:-1] if shape.closed else shape.points)
    if len(p) != 4:
        return False
    sides = np.roll(p, -1, axis=0) - p
    across = abs(float(sides[0] @ sides[1]))
    even = np.allclose(sides[0], -sides[2], atol=1e-3)
    return bool(even and across < 1e-3 * float(np.linalg.norm(sides[0]) * np.linalg.norm(sides[1])) + 1e-9)


def _points(kind: str, shapes: Sequence[_Shape]) -> list[tuple[float, ...]]:
    shape = shapes[0]
    if kind == "bidirectional":
        lines = [s.points for s in shapes if len(s.points) == 2]
        return [point for line in lines[:2] for point in line]
    if shape.type == "CIRCLE" and len(shape.points) == 2:
        return _circle(shape)
    if kind == "angle" and len(shape.points) == 4 and shape.points[1] == shape.points[2]:
        return [*shape.points[:2], shape.points[3]]
    if kind in {"rectangle", "freehand", "spline"} and shape.closed:
        return shape.points[:-1]
    if kind == "text" and len(shape.points) == 2:
        return shape.points[:1]
    return shape.points


def _circle(shape: _Shape) -> list[tuple[float, ...]]:
    """Return a circle, given by centre and a point on it, as the ends of two axes."""
    (x, y), (px, py) = (point[:2] for point in shape.points)
    r = float(np.hypot(px - x, py - y))
    return [(x - r, y), (x + r, y), (x, y - r), (x, y + r)]
