"""What lies over a series lands where it lies in the patient."""

import os
from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from sightline.record import archive, derived
from sightline.trust import access
from tests.care.display.conftest import (
    CT,
    SIDE,
    SLICES,
    STUDY,
    ct_images,
    make_dose,
    make_segmentation,
    make_structures,
    pet_slice,
)

HERE = f"/api/studies/{STUDY}/series/{CT}"
DATA = Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.fixture
def reader(study, log_in):
    return log_in("radiologist")


def masks(*boxes) -> np.ndarray:
    """Return one mask for each box (slices, rows, columns), in the order of the slices from below."""
    made = np.zeros((SLICES, SIDE, SIDE, len(boxes)), np.uint8)
    for n, (z, y, x) in enumerate(boxes):
        made[slice(*z), slice(*y), slice(*x), n] = 1
    return made


def labels_of(reader, uid, **params) -> tuple[dict, np.ndarray]:
    described = reader.get(f"{HERE}/overlays/{uid}").json()
    answer = reader.get(described["values_url"], params=params)
    shape = [int(n) for n in answer.headers["sightline-shape"].split(",")]
    return described, np.frombuffer(answer.content, np.uint8).reshape(shape)


def values_of(reader, uid, **params) -> tuple[dict, np.ndarray]:
    described = reader.get(f"{HERE}/overlays/{uid}").json()
    answer = reader.get(described["values_url"], params=params)
    shape = [int(n) for n in answer.headers["sightline-shape"].split(",")]
    return described, np.frombuffer(answer.content, "<f4").reshape(shape)


BOX = ((1, 4), (2, 9), (5, 14))


@pytest.mark.parametrize("order", [1, -1], ids=["feet first", "head first"])
@pytest.mark.parametrize("omit", [True, False], ids=["empty frames left out", "all frames"])
@pytest.mark.parametrize(
    "kind", [hd.seg.SegmentationTypeValues.BINARY, hd.seg.SegmentationTypeValues.LABELMAP], ids=str
)
def test_a_segmentation_lands_right_however_it_is_stored(reader, keep, order, omit, kind):
    made = masks(BOX, ((4, 5), (0, 3), (0, 3)))
    seg = keep(
        make_segmentation(made[::order], ct_images()[::order], omit_empty_frames=omit, segmentation_type=kind)
    )
    described, labels = labels_of(reader, seg.SOPInstanceUID)

    assert described["kind"] == "labelmap"
    assert described["shape"] == [1, SLICES, SIDE, SIDE]
    assert [s["sop_uid"] for s in described["slices"]] == [f"{CT}.{n}" for n in range(1, SLICES + 1)]
    assert np.array_equal(labels[0], made[..., 0] + 2 * made[..., 1])
    [first, second] = described["segments"]
    assert (first["number"], first["label"], first["layer"], first["value"]) == (1, "part 1", 0, 1)
    assert (second["value"], second["algorithm"], second["tracking_uid"]) == (2, "manual", f"{STUDY}.77.2")
    assert first["type"] == ["10200004", "SCT", "Liver"]


def test_segments_that_overlap_come_in_layers(reader, keep):
    made = masks(BOX, ((2, 5), (4, 12), (4, 12)), ((0, 1), (0, 2), (0, 2)))
    seg = keep(make_segmentation(made, ct_images()))
    described, labels = labels_of(reader, seg.SOPInstanceUID)

    assert described["shape"] == [2, SLICES, SIDE, SIDE]
    for segment in described["segments"]:
        mask = labels[segment["layer"]] == segment["value"]
        assert np.array_equal(mask, made[..., segment["number"] - 1].astype(bool))


def test_a_fractional_segmentation_counts_from_one_half(reader, keep):
    made = np.zeros((SLICES, SIDE, SIDE, 1), np.float32)
    made[2, 4:8, 4:8], made[3, 4:8, 4:8] = 0.8, 0.3
    seg = keep(
        make_segmentation(
            made, ct_images(), segmentation_type=hd.seg.SegmentationTypeValues.FRACTIONAL,
            max_fractional_value=100,
        )
    )  # fmt: skip
    described, labels = labels_of(reader, seg.SOPInstanceUID)

    assert described["fractional"]
    assert np.array_equal(labels[0], (made[..., 0] >= 0.5).astype(np.uint8))


def test_a_part_of_the_slices_and_of_the_pixels_can_be_had(reader, keep):
    made = masks(BOX)
    seg = keep(make_segmentation(made, ct_images()))
    _, part = labels_of(reader, seg.SOPInstanceUID, first=2, count=2)
    _, coarse = labels_of(reader, seg.SOPInstanceUID, reduce=2)
    address = f"{HERE}/overlays/{seg.SOPInstanceUID}/values"

    assert np.array_equal(part[0], made[2:4, ..., 0])
    assert coarse.shape == (1, SLICES, 8, 8)
    assert abs(int(coarse.sum()) * 4 - int(made.sum())) < 0.4 * made.sum()
    assert reader.get(address, params={"first": SLICES}).status_code == 422
    assert reader.get(address, params={"reduce": 9}).status_code == 422


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("zstd, gzip", "zstd"), ("", None)])
def test_values_are_packed_as_the_client_takes_them(reader, keep, accepted, encoding):
    import imagecodecs

    made = masks(BOX)
    seg = keep(make_segmentation(made, ct_images()))
    answer = reader.get(
        f"{HERE}/overlays/{seg.SOPInstanceUID}/values", headers={"Accept-Encoding": accepted or "identity"}
    )

    assert answer.headers.get("content-encoding") == encoding
    body = answer.content
    if encoding == "zstd" and len(body) != made.size:  # the test's client may know it, or not
        body = imagecodecs.zstd_decode(body)
    assert np.array_equal(np.frombuffer(body, np.uint8).reshape(made.shape[:3]), made[..., 0])


@pytest.mark.parametrize("downward", [False, True])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_dose_lies_where_its_grid_says_in_gray(reader, keep, downward, absolute):
    """A dose that rises by 1 Gy per mm along x + 2y + 3z, on a grid of its own."""
    z_mm = np.arange(0, 40, 4.0)[:: -1 if downward else 1]
    x_mm = np.arange(-3, 40, 3.0)
    ramp = x_mm + 2 * x_mm[:, np.newaxis] + 3 * z_mm[:, np.newaxis, np.newaxis]
    offsets = z_mm + (0 if absolute else -z_mm[0])
    if absolute and not downward:
        ramp, offsets, z_mm = ramp[1:], offsets[1:], z_mm[1:]  # a first offset of 0 would mean relative
    dose = keep(make_dose(ramp + 50, position=(-3, -3, z_mm[0]), offsets=offsets))
    described, values = values_of(reader, dose.SOPInstanceUID)

    row, column = np.mgrid[:SIDE, :SIDE] * 2.0
    z = 5.0 * np.arange(1, SLICES + 1)[:, np.newaxis, np.newaxis]
    assert described["unit"] == "Gy"
    assert np.abs(values - (column + 2 * row + 3 * z + 50)).max() < 0.02
    assert described["range"] == pytest.approx([ramp.min() + 50, ramp.max() + 50], abs=0.01)


def test_a_dose_lies_right_over_sagittal_images(reader, keep, receive):
    """Rows run to the feet and columns to the back; slices stand side by side from the right to the left."""
    sagittal = f"{STUDY}.8"
    for n in range(1, 5):
        receive(
            STUDY, series=sagittal, slices=1, SOPInstanceUID=f"{sagittal}.{n}", SeriesNumber=8,
            ImagePositionPatient=[4.0 * n, 0.0, 32.0], ImageOrientationPatient=[0, 1, 0, 0, 0, -1],
        )  # fmt: skip
    at = np.arange(-3, 40, 3.0)
    ramp = at + 2 * at[:, np.newaxis] + 3 * np.arange(0, 40, 4.0)[:, np.newaxis, np.newaxis]
    dose = keep(make_dose(ramp + 50, position=(-3, -3, 0), offsets=np.arange(0, 40, 4.0)))
    there = f"/api/studies/{STUDY}/series/{sagittal}/overlays/{dose.SOPInstanceUID}"
    described = reader.get(there).json()
    values = np.frombuffer(reader.get(described["values_url"]).content, "<f4").reshape(described["shape"])

    row, column = np.mgrid[:SIDE, :SIDE] * 2.0
    x = np.array([int(one["sop_uid"].rsplit(".", 1)[1]) * 4.0 for one in described["slices"]])
    expected = x[:, np.newaxis, np.newaxis] + 2 * column + 3 * (32 - row) + 50
    assert len(x) == 4
    assert np.abs(values - expected).max() < 0.02


@pytest.mark.parametrize("stored", [np.float32, np.uint16])
def test_a_parametric_map_has_the_values_and_the_unit_of_its_mapping(reader, keep, stored):
    images = ct_images()
    pixels = np.arange(SLICES * SIDE * SIDE, dtype=stored).reshape(SLICES, SIDE, SIDE)
    mapping = hd.pm.RealWorldValueMapping(
        lut_label="ADC", lut_explanation="made up", unit=codes.UCUM.SquareMillimeterPerSecond,
        value_range=[0, 4000] if stored is np.uint16 else [0.0, 4000.0], slope=0.5, intercept=10.0,
        quantity_definition=codes.DCM.ApparentDiffusionCoefficient,
    )  # fmt: skip
    found = keep(
        hd.pm.ParametricMap(
            source_images=images, pixel_array=pixels, series_instance_uid=generate_uid(), series_number=9,
            sop_instance_uid=generate_uid(), instance_number=1, manufacturer="Made up",
            manufacturer_model_name="Made up", software_versions="1", device_serial_number="1",
            contains_recognizable_visual_features=False, real_world_value_mappings=[mapping],
            voi_lut_transformations=[hd.VOILUTTransformation(window_center=500, window_width=1000)],
        )
    )  # fmt: skip
    described, values = values_of(reader, found.SOPInstanceUID)

    assert (described["unit"], described["form"], described["kind"]) == ("mm2/s", "map", "values")
    assert described["quantity"][:2] == ["113041", "DCM"]
    assert np.allclose(values, pixels * 0.5 + 10)


def test_outside_of_a_dose_there_is_no_value(reader, keep):
    dose = keep(make_dose(np.ones((3, 4, 4)), position=(0, 0, 10), offsets=(0, 5, 10)))
    _, values = values_of(reader, dose.SOPInstanceUID)

    assert np.isnan(values[0]).all()
    assert np.isnan(values[1:4, 8:]).all()
    assert (values[1:4, :5, :5] == 1).all()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"GridFrameOffsetVector": [0, 5, 11]}, "evenly"),
        ({"GridFrameOffsetVector": [0, 5]}, "each of its planes"),
        ({"DoseGridScaling": "0"}, "Scaling"),
        ({"DoseGridScaling": None}, "decoded"),
        ({"PixelSpacing": [3.0]}, "decoded"),
    ],
)
def test_a_dose_that_cannot_be_trusted_is_refused_with_the_reason(reader, keep, changed, why):
    dose = keep(make_dose(np.ones((3, 4, 4)), position=(0, 0, 10), offsets=(0, 5, 10), **changed))
    refused = reader.get(f"{HERE}/overlays/{dose.SOPInstanceUID}")

    assert refused.status_code == 422
    assert why in refused.json()["detail"]


def square(z: float, *, low=4.0, high=20.0) -> list[float]:
    return [low, low, z, high, low, z, high, high, z, low, high, z]


def test_contours_belong_to_the_image_that_they_lie_in(reader, keep):
    tilted = [4, 4, 10, 20, 4, 10, 20, 20, 22, 4, 20, 22]
    found = keep(make_structures({"liver": [square(10), square(15.4), square(40), tilted], "empty": []}))
    described = reader.get(f"{HERE}/overlays/{found.SOPInstanceUID}").json()
    [liver, empty] = described["drawn"]

    assert (liver["name"], liver["colour"], liver["type"]) == ("liver", "#ff8000", "ORGAN")
    assert liver["contours"] == 4
    assert [c["sop_uid"] for c in liver["drawn"]] == [f"{CT}.2", f"{CT}.3", "", ""]
    assert liver["drawn"][0]["points_lps_mm"] == np.array(square(10)).reshape(-1, 3).tolist()
    assert empty["drawn"] == []
    assert (described["values_url"], described["kind"]) == (None, "contours")
    assert reader.get(f"{HERE}/overlays/{found.SOPInstanceUID}/values").status_code == 422


def test_a_contour_that_is_no_list_of_points_is_refused(reader, keep):
    found = keep(make_structures({"liver": [[1.0, 2.0, 3.0, 4.0]]}))
    refused = reader.get(f"{HERE}/overlays/{found.SOPInstanceUID}")

    assert (refused.status_code, refused.json()["code"]) == (422, "overlay-not-readable")


def test_pet_on_ct_is_uptake_where_its_header_allows_it(reader, keep):
    keep(*(pet_slice(n) for n in range(1, SLICES + 1)))
    described, values = values_of(reader, f"{STUDY}.2")

    per_bq_ml = 70_000 / 350e6
    assert described["unit"] == "g/ml{SUVbw}"
    expected = 1000 * np.arange(1, SLICES + 1)[:, np.newaxis, np.newaxis] * per_bq_ml
    assert np.allclose(values[:, 1:15, 1:15], np.broadcast_to(expected, (SLICES, 14, 14)), rtol=1e-5)


def test_pet_without_a_weight_stays_activity_and_says_why(reader, keep):
    keep(*(pet_slice(n, PatientWeight=0) for n in range(1, SLICES + 1)))
    described, values = values_of(reader, f"{STUDY}.2")

    assert described["unit"] == "Bq/ml"
    assert "weight" in described["method"]
    assert values[2, 8, 8] == 3000


def test_a_study_lists_what_lies_over_a_series_and_what_cannot_with_the_reason(reader, keep):
    keep(*(pet_slice(n) for n in range(1, SLICES + 1)))
    keep(*(pet_slice(n, series=f"{STUDY}.3", FrameOfReferenceUID="1.9.9") for n in range(1, 4)))
    seg = keep(make_segmentation(masks(BOX), ct_images()))
    dose = keep(make_dose(np.ones((3, 4, 4)), position=(0, 0, 10), offsets=(0, 5, 10), frame="1.9.9"))
    listed = {one["uid"]: one for one in reader.get(f"{HERE}/overlays").json()}

    assert set(listed) == {f"{STUDY}.2", seg.SOPInstanceUID, dose.SOPInstanceUID}
    assert (listed[f"{STUDY}.2"]["kind"], listed[f"{STUDY}.2"]["reason"]) == ("values", "")
    assert listed[seg.SOPInstanceUID]["segments"][0]["label"] == "part 1"
    assert listed[seg.SOPInstanceUID]["description_url"] == f"{HERE}/overlays/{seg.SOPInstanceUID}"
    assert "frame of reference" in listed[dose.SOPInstanceUID]["reason"]
    assert listed[dose.SOPInstanceUID]["description_url"] is None
    refused = reader.get(f"{HERE}/overlays/{dose.SOPInstanceUID}")
    assert (refused.status_code, refused.json()["code"]) == (422, "not-an-overlay")


def test_of_what_was_saved_here_again_and_again_only_the_last_is_listed(reader, keep):
    made = [make_segmentation(masks(BOX), ct_images(), content_description="liver") for _ in range(4)]
    for number, (seg, series) in enumerate(zip(made, ("1.5", "1.5", "1.6", "1.6"), strict=True), start=1):
        seg.SeriesInstanceUID, seg.InstanceNumber = series, number
    for ours in made[:2]:
        ours.InstanceCreatorUID = derived.device_uid()
    keep(*made)
    listed = reader.get(f"{HERE}/overlays").json()

    assert {one["uid"] for one in listed} == {seg.SOPInstanceUID for seg in made[1:]}
    assert {one["label"] for one in listed} == {"liver"}
    assert reader.get(f"{HERE}/overlays/{made[0].SOPInstanceUID}").status_code == 200


def test_an_object_that_cannot_be_understood_is_listed_as_such(reader, keep):
    dose = make_dose(np.ones((3, 4, 4)), position=(0, 0, 10), offsets=(0, 5, 10))
    broken = make_structures({"liver": [square(10)]})
    del broken.ROIContourSequence[0].ReferencedROINumber
    del dose.DoseUnits
    keep(dose, broken)
    listed = {one["uid"]: one["reason"] for one in reader.get(f"{HERE}/overlays").json()}

    assert "units" in listed[dose.SOPInstanceUID]
    assert "understood" in listed[broken.SOPInstanceUID]


def test_what_another_study_holds_lies_over_nothing_here(reader, keep, receive):
    receive("1.9", series="1.9.1")
    for uid in ("1.9.1", "1.9.1.1", CT, "9.9.9"):
        assert reader.get(f"{HERE}/overlays/{uid}").status_code == 404


def test_a_real_segmentation_lies_on_the_images_that_its_frames_name(store, log_in):
    """Each frame of the dcmqi liver names its image; the labels on that image are the frame's own pixels."""
    folder = DATA / "sr-seg/dcmqi/segmentations"
    if not folder.is_dir():
        pytest.skip("the segmentations are not here (SIGHTLINE_TEST_DATA)")
    files = [*sorted((folder / "ct-3slice").glob("*.dcm")), folder / "partial_overlaps.dcm"]
    source = archive.Source("import", "test", access.operator("tester"))
    archive.take_in(store, [archive.Incoming("image", path) for path in files], source)
    seg, image = dcmread(files[-1]), dcmread(files[0])
    here = f"/api/studies/{image.StudyInstanceUID}/series/{image.SeriesInstanceUID}"
    reader = log_in("radiologist")
    described = reader.get(f"{here}/overlays/{seg.SOPInstanceUID}").json()
    labels = np.frombuffer(reader.get(described["values_url"]).content, np.uint8).reshape(described["shape"])

    slices = [s["sop_uid"] for s in described["slices"]]
    placed = {s["number"]: (s["layer"], s["value"]) for s in described["segments"]}
    for index, groups in enumerate(seg.PerFrameFunctionalGroupsSequence):
        uid = groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        layer, value = placed[groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber]
        mask = labels[layer, slices.index(uid)] == value
        assert np.array_equal(mask, seg.pixel_array[index].astype(bool))
