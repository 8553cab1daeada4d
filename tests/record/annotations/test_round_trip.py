"""What is written as DICOM reads back with the same numbers, whatever was drawn."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.record import derived
from sightline.record.annotations import (
    Area,
    Graphic,
    Measurement,
    Origin,
    Presentation,
    ShownImage,
    Value,
    Window,
)
from sightline.record.annotations import _documents as documents
from sightline.record.annotations._images import Place, place_of, scale_of
from sightline.record.annotations._model import POINTS
from tests.care.clinic import make_slice

HEADER = pydicom.dcmread(
    io.BytesIO(make_slice(2, "1.2.3", "1.2.3.1", Rows=512, Columns=512)), stop_before_pixels=True
)
ORIGIN = Origin("1.2.9", "1.2.8", ours=True)
AUTHOR = documents.Author("p1", "Dr Ada Adams", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), False)

single = st.floats(0, 512, width=32)
point = st.tuples(single, single)
place = st.tuples(*[st.floats(-2000, 2000, width=32)] * 3)
number = st.floats(-1e9, 1e9, allow_nan=False).map(lambda v: 0.0 if abs(v) < 1e-300 else v)
words = st.text(st.characters(exclude_categories=["C"]), max_size=200)


PIXEL_UNITS = ["[hnsf'U]", "g/ml{SUVbw}", "Bq/ml", "1"]


@st.composite
def drawn(draw) -> Measurement:
    kind = draw(st.sampled_from(sorted(POINTS)))
    least, most = POINTS[kind]
    count = draw(st.integers(least, min(most, 12)))
    in_space = draw(st.booleans()) and kind not in {"freehand", "spline", "rectangle", "ellipse"}
    names = {
        "length": ["length"], "calibrated-length": ["length"], "bidirectional": ["long_axis", "short_axis"],
        "angle": ["angle"], "cobb": ["angle"], "probe": ["value"], "arrow": [], "text": [],
    }.get(kind, ["area", "perimeter", "mean", "sd", "min", "max"])  # fmt: skip
    units = {
        "angle": "deg", "area": draw(st.sampled_from(["mm2", "px2"])),
        **dict.fromkeys(["mean", "sd", "min", "max", "value"], draw(st.sampled_from(PIXEL_UNITS))),
    }  # fmt: skip
    values = [Value(n, draw(number), units.get(n, draw(st.sampled_from(["mm", "px"])))) for n in names]
    points = draw(st.lists(place if in_space else point, min_size=count, max_size=count, unique=True))
    return Measurement(
        uid=f"2.25.{draw(st.integers(0, 2**128 - 1))}",
        kind=kind,
        series_uid="1.2.3.1",
        sop_uid="" if in_space else "1.2.3.1.2",
        frame_of_reference_uid="1.2.3.9" if in_space else "",
        label=draw(words),
        points_px=None if in_space else points,
        points_lps_mm=points if in_space else None,
        values=values,
        calibration=draw(st.sampled_from(["", "detector plane", "calibrated by the reader: 50 mm"])),
    )


def through_a_file(ds: pydicom.Dataset) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(derived.encode(ds)))


@settings(deadline=None, max_examples=60)
@given(st.lists(drawn(), min_size=1, max_size=4, unique_by=lambda m: m.uid))
def test_every_measurement_reads_back_as_it_was_written(measurements):
    ds = documents.build_measurements(measurements, [HEADER], AUTHOR, series_uid="1.2.8", version=1)
    found = documents.read_measurements(through_a_file(ds), ORIGIN, {})

    assert found.reasons == []
    assert len(found.measurements) == len(measurements)
    for wrote, read in zip(measurements, found.measurements, strict=True):
        assert (read.uid, read.kind, read.series_uid) == (wrote.uid, wrote.kind, wrote.series_uid)
        assert read.label.strip() == wrote.label.strip()
        assert (read.points_px, read.points_lps_mm) == (wrote.points_px, wrote.points_lps_mm)
        assert read.calibration == wrote.calibration
        assert [(v.name, v.unit) for v in read.values] == [(v.name, v.unit) for v in wrote.values]
        for one, other in zip(wrote.values, read.values, strict=True):
            assert other.value == pytest.approx(one.value, rel=1e-6, abs=1e-12)


graphic = st.one_of(
    st.builds(lambda p: Graphic("point", [p]), point),
    st.builds(
        lambda p, t: Graphic("text", [p], t),
        point,
        st.text("abcäß漢 ", min_size=1, max_size=20).filter(str.strip),
    ),
    st.builds(lambda p: Graphic("polyline", p), st.lists(point, min_size=2, max_size=9, unique=True)),
    st.builds(lambda p: Graphic("circle", p), st.lists(point, min_size=2, max_size=2, unique=True)),
    st.builds(lambda p: Graphic("ellipse", p), st.lists(point, min_size=4, max_size=4, unique=True)),
)
corner = st.tuples(st.integers(0, 200), st.integers(0, 200))


@settings(deadline=None, max_examples=60)
@given(
    graphics=st.lists(graphic, max_size=5),
    rotation=st.sampled_from([0, 90, 180, 270]),
    flip=st.booleans(),
    invert=st.booleans(),
    top_left=corner,
    size=corner,
    window=st.tuples(st.integers(-2000, 2000), st.integers(1, 4000)),
)
def test_every_presentation_reads_back_as_it_was_set(
    graphics, rotation, flip, invert, top_left, size, window
):
    area = Area(top_left, (top_left[0] + size[0] + 1, top_left[1] + size[1] + 1))
    shown = Presentation(
        "2.25.9", "1.2.3.1", [ShownImage("1.2.3.1.2")], "as I saw it", Window(*window), invert, rotation,
        flip, area, graphics,
    )  # fmt: skip
    ds = documents.build_presentation(shown, {"1.2.3.1.2": HEADER}, AUTHOR, version=1)
    read, reasons = documents.read_presentation(through_a_file(ds), ORIGIN)
    once = {(g.kind, tuple(g.points), g.text.strip()) for g in graphics}

    assert reasons == []
    assert {(g.kind, tuple(g.points), g.text.strip()) for g in read.graphics} == once
    assert replace(read, graphics=[], source=None, layer="") == replace(shown, graphics=[])


# --- Where images lie and what their millimetres rest on --------------------------------------------------


@given(st.lists(point, min_size=1, max_size=5))
def test_points_go_to_the_patient_and_back(points):
    where = place_of(HEADER, 1)
    back, away = where.to_image(where.to_patient(points))

    assert back == pytest.approx(np.array(points), abs=1e-6)
    assert away == pytest.approx(0, abs=1e-6)


def test_the_centre_of_the_first_pixel_is_its_position():
    where = place_of(HEADER, 1)

    assert isinstance(where, Place)
    assert where.to_patient([(0.5, 0.5)])[0].tolist() == [0, 0, 10]


def header(**attributes) -> pydicom.Dataset:
    ds = pydicom.Dataset()
    for name, value in attributes.items():
        setattr(ds, name, value)
    return ds


def region(**changes) -> pydicom.Dataset:
    facts = {
        "RegionLocationMinX0": 10, "RegionLocationMinY0": 10, "RegionLocationMaxX1": 100,
        "RegionLocationMaxY1": 90, "PhysicalUnitsXDirection": 3, "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.05, "PhysicalDeltaY": -0.04, "RegionSpatialFormat": 1,
    }  # fmt: skip
    return header(**(facts | changes))


@pytest.mark.parametrize(
    ("ds", "expected"),
    [
        (header(Modality="CT", PixelSpacing=[2, 1]), ("mm", (1, 2), "")),
        (header(Modality="DX", ImagerPixelSpacing=[0.2, 0.2]), ("mm", (0.2, 0.2), "detector plane")),
        (
            header(Modality="DX", ImagerPixelSpacing=[0.2, 0.2], PixelSpacing=[0.2, 0.2]),
            ("mm", (0.2, 0.2), "detector plane"),
        ),
        (
            header(Modality="DX", ImagerPixelSpacing=[0.2, 0.2], PixelSpacing=[0.15, 0.15]),
            ("mm", (0.15, 0.15), "calibrated by the device"),
        ),
        (header(Modality="CR", PixelSpacing=[0.1, 0.1]), ("mm", (0.1, 0.1), "detector plane")),
        (header(Modality="XA"), ("px", (1, 1), "none")),
        (header(Modality="CT", PixelSpacing=[0, 1]), ("px", (1, 1), "none")),
        (
            header(Modality="US", SequenceOfUltrasoundRegions=[region()]),
            ("mm", (0.5, 0.4), "ultrasound region"),
        ),
        (
            header(Modality="US", SequenceOfUltrasoundRegions=[region(RegionLocationMaxX1=20)]),
            ("px", (1, 1), "none"),
        ),
        (
            header(Modality="US", SequenceOfUltrasoundRegions=[region(PhysicalUnitsXDirection=4)]),
            ("px", (1, 1), "none"),
        ),
    ],
)
def test_millimetres_rest_on_what_the_image_says(ds, expected):
    scale = scale_of(ds, 1, [(20, 20), (50, 60)])

    assert (scale.unit, scale.per_pixel, scale.calibration) == (
        expected[0],
        pytest.approx(expected[1]),
        expected[2],
    )
