"""Which parts of the body a CT shows: on bodies drawn by formula, and on real scans."""

import numpy as np
import pytest
from pydicom import dcmread

from sightline.science import ct

SPACING = (2.0, 2.0)
ROWS, COLUMNS = np.mgrid[-150:150:2.0, -250:250:2.0]


def ellipse(x, y, a, b):
    """Where an ellipse lies: centre and half axes in mm."""
    return ((COLUMNS - x) / a) ** 2 + ((ROWS - y) / b) ** 2 <= 1


def draw(*parts):
    image = np.full(ROWS.shape, -1000.0)
    for where, hu in parts:
        image[where] = hu
    return image


SPINE = (ellipse(0, 60, 18, 18), 400.0)
BODIES = {
    "head": draw((ellipse(0, 0, 75, 95), 700.0), (ellipse(0, 0, 67, 87), 35.0)),
    "neck": draw(
        (ellipse(0, 0, 60, 60), 40.0), (ellipse(0, 20, 12, 12), 400.0), (ellipse(0, -20, 8, 8), -1000.0)
    ),
    "chest": draw(
        (ellipse(0, 0, 170, 110), 40.0), SPINE, (ellipse(-80, 0, 60, 75), -850.0),
        (ellipse(80, 0, 60, 75), -850.0),
    ),
    "abdomen": draw((ellipse(0, 0, 170, 110), 40.0), SPINE),
    "pelvis": draw(
        (ellipse(0, 0, 180, 110), 40.0), (ellipse(0, 70, 14, 14), 400.0), (ellipse(-110, 20, 30, 25), 400.0),
        (ellipse(110, 20, 30, 25), 400.0),
    ),
    "legs": draw(
        (ellipse(-90, 0, 80, 85), 40.0), (ellipse(90, 0, 80, 85), 40.0), (ellipse(-100, 0, 15, 15), 800.0),
        (ellipse(100, 0, 15, 15), 800.0),
    ),
}  # fmt: skip


def test_area_width_air_and_bone_are_those_of_the_ellipses():
    facts = ct.measure_slice(BODIES["chest"], SPACING)

    assert facts.area_cm2 == pytest.approx(np.pi * 17 * 11, rel=0.02)
    assert facts.width_mm == pytest.approx(340, abs=8)
    assert facts.air == pytest.approx(2 * 60 * 75 / (170 * 110), abs=0.02)
    assert facts.bone == pytest.approx(18 * 18 / (170 * 110), abs=0.005)
    assert ct.measure_slice(BODIES["legs"], SPACING).parts == 2
    assert ct.measure_slice(np.full((64, 64), -1000.0), SPACING) is None


@pytest.mark.parametrize("first", range(6))
@pytest.mark.parametrize("last", range(6))
def test_a_body_from_one_region_to_another_is_read_in_order(first, last):
    if last < first:
        pytest.skip("a body has its regions in one order")
    names = ct.REGIONS[first : last + 1]
    heights = iter(range(1000, -1000, -5))
    slices = [(float(next(heights)), ct.measure_slice(BODIES[n], SPACING)) for n in names for _ in range(20)]

    spans = ct.find_spans(slices[::-1])

    assert tuple(span.region for span in spans) == names
    for k, span in enumerate(spans):
        assert span.high_mm == pytest.approx(1002.5 - 100 * k)
        assert span.high_mm - span.low_mm == pytest.approx(100)


def test_a_single_slice_that_looks_like_another_region_changes_nothing():
    facts = [ct.measure_slice(BODIES[n], SPACING) for n in ["abdomen"] * 10 + ["chest"] + ["abdomen"] * 10]

    (span,) = ct.find_spans([(-5.0 * n, one) for n, one in enumerate(facts)])

    assert span.region == "abdomen"


def test_a_thing_like_no_region_is_none():
    block = ct.measure_slice(draw((ellipse(0, 0, 200, 140), 900.0)), SPACING)

    assert ct.find_spans([(-5.0 * n, block) for n in range(20)]) == ()


def measure(path):
    ds = dcmread(path)
    image = ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
    return float(ds.ImagePositionPatient[2]), ct.measure_slice(image, tuple(map(float, ds.PixelSpacing)))


@pytest.mark.parametrize(
    ("folder", "regions"),
    [
        ("ct/crlm-ct-1004-abdomen/image", ["chest", "abdomen"]),
        ("petct/sts-001-registered-subset/CT/dicom/image", ["legs"]),
        ("sr-seg/dcmqi/segmentations/ct-3slice", ["chest"]),
        ("longitudinal/ct-pairs-ny-sbu/A048383/axial", ["chest"]),
        ("longitudinal/ct-pairs-ny-sbu/A058062/axial", ["abdomen"]),
    ],
)
def test_real_scans_show_what_a_person_sees_in_them(test_data, folder, regions):
    slices = [measure(path) for path in sorted((test_data / folder).glob("*.dcm"))]

    assert [span.region for span in ct.find_spans(slices)] == regions


def test_the_lung_bases_of_a_real_abdomen_end_where_a_person_sees_them_end(test_data):
    folder = test_data / "ct/crlm-ct-1004-abdomen/image"
    chest, abdomen = ct.find_spans([measure(path) for path in sorted(folder.glob("*.dcm"))])

    assert chest.low_mm == abdomen.high_mm == pytest.approx(-222.5, abs=10)
