"""Every number is computed here from the points and the image; what a client claims is only compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from sightline.record.annotations import _images as images
from sightline.record.annotations._images import Scale
from sightline.record.annotations._model import (
    LENGTHS,
    REGIONS,
    ImageNotInStudy,
    MeasuredOtherwise,
    Measurement,
    UnusableAnnotation,
    Value,
)
from sightline.science import measuring

Floats = NDArray[np.float64]

TOLERANCE = 0.01

# How a number came about; the words are the meaning of a code of our own in the report.
IN_SPACE, IN_PLANE = "Measured in patient space", "Measured in a reformatted plane"
GIVEN, COUNTED = "Length given by the reader", "Counted in pixels, for the image has no scale"
BY_CENTRES, AT_POINT = "Pixels whose centre lies inside", "The pixel under the point"
ON: Final = {
    images.DETECTOR: "Measured in the detector plane, magnification not corrected",
    images.DEVICE: "Measured in a plane that the device calibrated",
    images.REGION: "Measured in a calibrated ultrasound region",
    images.NONE: COUNTED,
}
BY_READER = "Measured by a line of known length on the image"
METHODS: Final = {
    "space": IN_SPACE, "reformatted": IN_PLANE, "given": GIVEN, "pixels": COUNTED, "centres": BY_CENTRES,
    "point": AT_POINT, "detector": ON[images.DETECTOR], "device": ON[images.DEVICE],
    "region": ON[images.REGION], "reader": BY_READER,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is measured on; `frame` gives the values of one of its frames, from 1, and their unit."""

    header: Dataset
    frame: Callable[[int], tuple[Floats, str] | None]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The points in a unit of length, where they lie, and how that unit came about."""

    points: Floats
    unit: str
    calibration: str
    method: str
    lps_mm: Floats | None


def measure(
    measurements: Sequence[Measurement], image_of: Callable[[str], Image]
) -> tuple[list[Measurement], list[str]]:
    """Return the measurements with values and places computed here, and remarks on what was left out.

    Raises
    ------
    MeasuredOtherwise
        If a claimed value differs from the computed one by more than 1 %, or is in another unit.
    UnusableAnnotation
        If a measurement does not lie on the image that it names.
    """
    readers = _reader_scales(measurements)
    remarks: list[str] = []
    return [_measured(m, image_of, readers, remarks) for m in measurements], remarks


def _reader_scales(measurements: Sequence[Measurement]) -> dict[str, Scale]:
    """Return the scales that readers set, by image, and by series for its other images."""
    scales: dict[str, Scale] = {}
    for m in measurements:
        scale = images.reader_scale(m) if m.kind == "calibrated-length" else None
        if scale is not None:
            scales[m.sop_uid] = scale
            scales.setdefault(m.series_uid, scale)
    return scales


def _measured(
    m: Measurement,
    image_of: Callable[[str], Image],
    readers: Mapping[str, Scale],
    remarks: list[str],
) -> Measurement:
    m.require_place()
    image = image_of(m.sop_uid) if m.on_image else None
    if image is not None:
        _require_on_image(m, image.header)
    m = _tidied(m)
    drawn = _drawn(m, image, readers)
    if m.kind in {"bidirectional", "ellipse"} and _second_is_longer(drawn.points):
        m = replace(m, points_px=_swapped(m.points_px), points_lps_mm=_swapped(m.points_lps_mm))
        drawn = _drawn(m, image, readers)
    found = _sizes(m, drawn)
    if image is not None:
        found += _contents(m, image)
    _compare(m, found, remarks)
    placed = None if drawn.lps_mm is None else [(float(x), float(y), float(z)) for x, y, z in drawn.lps_mm]
    frame_of_reference = m.frame_of_reference_uid
    if image is not None:
        frame_of_reference = str(image.header.get("FrameOfReferenceUID") or "") if placed else ""
    return replace(
        m,
        values=[computed.value for computed in found],
        points_lps_mm=placed,
        calibration=drawn.calibration,
        frame_of_reference_uid=frame_of_reference,
        source=None,
    )


@dataclass(frozen=True, slots=True)
class _Computed:
    """A value, and what a claim of it may lie between."""

    value: Value
    low: float
    high: float


def _require_on_image(m: Measurement, header: Dataset) -> None:
    if str(header.get("SeriesInstanceUID", "")) != m.series_uid:
        raise ImageNotInStudy("A measurement names another series than its image belongs to.")
    rows, columns = int(header.get("Rows") or 0), int(header.get("Columns") or 0)
    if not rows or not columns or m.frame > int(header.get("NumberOfFrames") or 1):
        raise UnusableAnnotation("A measurement is on a frame that its image does not have.")
    near = all(-columns <= c <= 2 * columns and -rows <= r <= 2 * rows for c, r in m.points_px or [])
    if not near:
        raise UnusableAnnotation("A measurement lies far outside its image; draw it again.")


def _tidied(m: Measurement) -> Measurement:
    """Return an outline without its first point repeated at the end."""
    if m.kind not in {"freehand", "spline"}:
        return m

    def opened(points: list[Any] | None) -> list[Any] | None:
        closed = points is not None and len(points) > 3 and tuple(points[0]) == tuple(points[-1])
        return points[:-1] if points is not None and closed else points

    return replace(m, points_px=opened(m.points_px), points_lps_mm=opened(m.points_lps_mm))


def _second_is_longer(points: Floats) -> bool:
    return measuring.length(points[2:]) > measuring.length(points[:2])


def _swapped(points: list[Any] | None) -> list[Any] | None:
    """Return two axes with the longer one first, as DICOM has an ellipse and everybody a lesion."""
    return None if points is None else [*points[2:], *points[:2]]


def _drawn(m: Measurement, image: Image | None, readers: Mapping[str, Scale]) -> _Drawn:
    if image is None:
        points = np.asarray(m.points_lps_mm, dtype=float)
        _require_flat(points)
        return _Drawn(points, "mm", "", IN_PLANE, points)
    assert m.points_px is not None
    place = images.place_of(image.header, m.frame)
    if place is not None:
        points = place.to_patient(m.points_px)
        _require_same_place(m, points, place)
        return _Drawn(points, "mm", "", IN_SPACE, points)
    scale = _scale(m, image.header, readers)
    by_reader = scale.calibration.startswith(images.READER)
    method = (
        BY_READER if by_reader else ON.get(scale.calibration, "Measured by the pixel spacing of the image")
    )
    return _Drawn(scale.to_plane(m.points_px), scale.unit, scale.calibration, method, None)


def _scale(m: Measurement, header: Dataset, readers: Mapping[str, Scale]) -> Scale:
    if m.calibration.startswith(images.READER):
        scale = readers.get(m.sop_uid) or readers.get(m.series_uid)
        if scale is None:
            raise UnusableAnnotation(
                "A length is calibrated by the reader, but no line of known length is there."
            )
        return scale
    return images.scale_of(header, m.frame, m.points_px or [])


def _require_flat(points: Floats) -> None:
    if len(points) > 3:
        off = np.linalg.svd(points - points.mean(axis=0))[1][2]
        if off > 0.5:
            raise UnusableAnnotation("The points of a measurement do not lie in one plane; draw it again.")


def _require_same_place(m: Measurement, points: Floats, place: images.Place) -> None:
    """Refuse a measurement whose points in the image and in the patient are not the same."""
    if m.points_lps_mm is None:
        return
    pixel = float(max(np.linalg.norm(place.step_column), np.linalg.norm(place.step_row)))
    claimed = np.asarray(m.points_lps_mm, dtype=float)
    if claimed.shape != points.shape or np.abs(claimed - points).max() > pixel:
        raise MeasuredOtherwise("The points in the image and in the patient are not the same; draw it again.")


def _sizes(m: Measurement, drawn: _Drawn) -> list[_Computed]:
    p, unit = drawn.points, drawn.unit
    if m.kind == "calibrated-length":
        return [_given_length(m, drawn)]
    if m.kind in LENGTHS:
        sizes = [("length", measuring.length(p), unit)]
    elif m.kind == "bidirectional":
        sizes = [("long_axis", measuring.length(p[:2]), unit), ("short_axis", measuring.length(p[2:]), unit)]
    elif m.kind == "angle":
        sizes = [("angle", measuring.angle_deg(p), "deg")]
    elif m.kind == "cobb":
        sizes = [("angle", measuring.lines_angle_deg(p), "deg")]
    elif m.kind == "ellipse":
        measuring.require_ellipse(p)
        sizes = [("area", measuring.ellipse_area(p), f"{unit}2")]
        sizes.append(("perimeter", measuring.ellipse_perimeter(p), unit))
    elif m.kind in REGIONS:
        sizes = [("area", measuring.polygon_area(p), f"{unit}2")]
        sizes.append(("perimeter", measuring.polygon_perimeter(p), unit))
    else:
        return []
    return [_sure(Value(name, value, of, drawn.method)) for name, value, of in sizes]


def _sure(value: Value) -> _Computed:
    room = TOLERANCE * abs(value.value) + 1e-6
    return _Computed(value, value.value - room, value.value + room)


def _given_length(m: Measurement, drawn: _Drawn) -> _Computed:
    """Return what the reader says a line is long, or how long it is where the image knows."""
    if drawn.lps_mm is not None:
        return _sure(Value("length", measuring.length(drawn.points), "mm", drawn.method))
    scale = images.reader_scale(m)
    if scale is None:
        raise UnusableAnnotation("A line of known length needs its length in mm; type it.")
    known = m.value_of("length")
    assert known is not None
    return _sure(Value("length", known.value, "mm", GIVEN))


def _contents(m: Measurement, image: Image) -> list[_Computed]:
    """Return the statistics of the pixels of a region, or the value of the pixel under a point."""
    if m.kind not in REGIONS and m.kind != "probe":
        return []
    decoded = image.frame(m.frame)
    if decoded is None:
        return []
    values, unit = decoded
    assert m.points_px is not None
    if m.kind == "probe":
        column, row = (int(np.floor(v)) for v in m.points_px[0])
        if not (0 <= row < values.shape[0] and 0 <= column < values.shape[1]):
            return []
        around = values[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        value = Value("value", float(values[row, column]), unit, AT_POINT)
        return [_between(value, float(around.min()), float(around.max()))]
    inside = measuring.inside_ellipse if m.kind == "ellipse" else measuring.inside_polygon
    values, points = _around(values, np.asarray(m.points_px, dtype=float))
    found = measuring.statistics(values, inside(points, (values.shape[0], values.shape[1])))
    if found is None:
        return []
    return [
        _between(Value(name, getattr(found, name), unit, BY_CENTRES), found.low[name], found.high[name])
        for name in ("mean", "sd", "min", "max")
    ]


def _around(values: Floats, points: Floats) -> tuple[Floats, Floats]:
    """Return the part of an image about an outline, and the points in it.

    An ellipse bulges beyond the box of its four ends, by less than half of it on each side.
    """
    size = np.array([values.shape[1], values.shape[0]])
    box = points.max(axis=0) - points.min(axis=0)
    low = np.clip(np.floor(points.min(axis=0) - box / 2) - 2, 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + box / 2) + 2, 0, size).astype(int)
    return values[low[1] : high[1], low[0] : high[0]], points - low


def _between(value: Value, low: float, high: float) -> _Computed:
    room = TOLERANCE * max(abs(low), abs(high)) + 1e-6
    return _Computed(value, low - room, high + room)


def _compare(m: Measurement, found: Sequence[_Computed], remarks: list[str]) -> None:
    """Refuse claims that the computation contradicts; remark on those that it cannot judge."""
    by_name = {computed.value.name: computed for computed in found}
    for claim in m.values:
        computed = by_name.get(claim.name)
        if computed is None:
            remarks.append(f"{claim.name} of a {m.kind} was left out: it cannot be computed for this image.")
            continue
        value = computed.value
        if claim.unit != value.unit:
            raise MeasuredOtherwise(
                f"The {_words(claim.name)} of a {m.kind} came in {claim.unit}, but the image gives "
                f"{value.unit} ({value.method.lower()}); measure it again.",
                uid=m.uid,
            )
        if not computed.low <= claim.value <= computed.high:
            raise MeasuredOtherwise(
                f"The {_words(claim.name)} of a {m.kind} came as {claim.value:.4g} {claim.unit} and is "
                f"{value.value:.4g} {value.unit} by its points and image; measure it again.",
                uid=m.uid,
            )


def _words(name: str) -> str:
    return name.replace("_", " ")
