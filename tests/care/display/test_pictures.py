"""Planes, surfaces and pictures over HTTP."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from sightline.trust import audit
from tests.care.display.conftest import CT, SIDE, SLICES, STUDY, ct_images, make_segmentation, pet_slice

HERE = f"/api/studies/{STUDY}/series/{CT}"
AXIAL = {
    "centre": "15,15,15",
    "right": "1,0,0",
    "down": "0,1,0",
    "mm_per_pixel": 2,
    "columns": 16,
    "rows": 16,
}
RAW = {"Accept": "application/octet-stream"}
ROUTES = ("plane", "rendering", "surface", "overlays", "overlays/1.2", "overlays/1.2/values")


@pytest.fixture
def reader(study, log_in):
    return log_in("radiologist")


def test_a_plane_on_a_slice_has_its_pixels_with_their_unit(reader):
    answer = reader.get(f"{HERE}/plane", params=AXIAL, headers=RAW)
    values = np.frombuffer(answer.content, "<i2").reshape(16, 16)

    assert answer.headers["sightline-unit"] == "[hnsf'U]"
    assert (answer.headers["sightline-dtype"], answer.headers["sightline-shape"]) == ("int16", "16,16")
    assert np.array_equal(values, np.arange(256).reshape(16, 16) - 1000 + 3)


def test_a_coronal_plane_runs_through_all_slices(reader):
    asked = {
        **AXIAL,
        "centre": "15,14,17.5",
        "down": "0,0,-1",
        "mm_per_pixel": 5,
        "columns": 1,
        "rows": SLICES,
    }
    values = np.frombuffer(reader.get(f"{HERE}/plane", params=asked, headers=RAW).content, "<i2")

    # Row 7, between columns 7 and 8; slices from the head down, each one higher than the one below.
    assert np.abs(values - (7 * 16 + 7.5 - 1000 + np.arange(SLICES, 0, -1))).max() <= 0.5


def test_a_plane_is_windowed_as_asked(reader):
    answer = reader.get(f"{HERE}/plane", params={**AXIAL, "window": "-869.5,256"})
    grey = decoded(answer)

    assert answer.headers["content-type"] == "image/png"
    assert grey.dtype == np.uint8
    # PS3.3 C.11.2.1.2.1: (value - (centre - 0.5)) / (width - 1) + 0.5, of 255
    expected = np.clip(((np.arange(256) - 997 + 870) / 255 + 0.5) * 255, 0, 255)
    assert np.abs(grey.ravel() - expected).max() <= 1


def test_a_slab_shows_the_highest_of_its_slices(reader):
    asked = {**AXIAL, "slab_mm": 60, "projection": "max"}
    values = np.frombuffer(reader.get(f"{HERE}/plane", params=asked, headers=RAW).content, "<i2")

    assert np.array_equal(values, np.arange(256) - 1000 + SLICES)


def test_a_plane_of_pet_is_uptake(reader, keep):
    keep(*(pet_slice(n) for n in range(1, SLICES + 1)))
    answer = reader.get(f"/api/studies/{STUDY}/series/{STUDY}.2/plane", params=AXIAL, headers=RAW)

    assert (answer.headers["sightline-unit"], answer.headers["sightline-dtype"]) == ("g/ml{SUVbw}", "float32")
    assert np.frombuffer(answer.content, "<f4").max() == pytest.approx(3000 * 70_000 / 350e6)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"centre": "1,2"}, "bad-numbers"),
        ({"centre": "nan,0,0"}, "bad-numbers"),
        ({"centre": "1e9,0,0"}, "bad-plane"),
        ({"right": "0,0,0"}, "bad-plane"),
        ({"down": "1,0,0"}, "bad-plane"),
        ({"columns": 4096}, "invalid-request"),
        ({"slab_mm": -1}, "invalid-request"),
        ({"window": "40,0"}, "bad-view"),
        ({"projection": "median"}, "invalid-request"),
    ],
)
def test_a_plane_that_cannot_be_is_refused(reader, changed, code):
    refused = reader.get(f"{HERE}/plane", params={**AXIAL, **changed})

    assert (refused.status_code, refused.json()["code"]) == (422, code)


def test_a_series_with_a_hole_is_refused_in_words(receive, log_in):
    receive("1.5", slices=2)
    for n in (5, 6, 7):
        receive("1.5", slices=1, SOPInstanceUID=f"1.5.1.{n}", ImagePositionPatient=[0, 0, 5.0 * n])
    refused = log_in("radiologist").get("/api/studies/1.5/series/1.5.1/plane", params=AXIAL)

    assert (refused.status_code, refused.json()["code"]) == (422, "missing-slices")
    assert "hole" in refused.json()["detail"]


def test_a_picture_of_the_whole_is_a_colour_png(reader):
    answer = reader.get(
        f"{HERE}/rendering", params={"preset": "mip", "columns": 64, "rows": 48, "azimuth": 30}
    )

    assert decoded(answer).shape == (48, 64, 3)
    assert reader.get(f"{HERE}/rendering", params={"crop": "1,2,3"}).json()["code"] == "bad-numbers"
    assert reader.get(f"{HERE}/rendering", params={"crop": "2,1,0,1,0,1"}).json()["code"] == "bad-view"
    assert reader.get(f"{HERE}/rendering", params={"preset": "x"}).status_code == 422


def decoded(answer) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(answer.content)))


def mesh(answer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points, normals and triangles as a browser reads them."""
    points, triangles = np.frombuffer(answer.content, "<u4", 2)
    floats = np.frombuffer(answer.content, "<f4", 6 * points, offset=8).reshape(2, points, 3)
    faces = np.frombuffer(answer.content, "<u4", offset=8 + 24 * points).reshape(triangles, 3)
    return floats[0], floats[1], faces


def test_the_surface_of_a_segment_encloses_its_voxels(reader, keep):
    mask = np.zeros((SLICES, SIDE, SIDE, 2), np.uint8)
    mask[1:5, 3:13, 4:12, 1] = 1
    mask[0, 0, 0, 0] = 1
    seg = keep(make_segmentation(mask, ct_images()))
    answer = reader.get(f"{HERE}/surface", params={"segmentation": seg.SOPInstanceUID, "segment": 2})
    points, normals, faces = mesh(answer)

    voxels_mm3 = 4 * 10 * 8 * 2 * 2 * 5
    assert float(answer.headers["sightline-volume-mm3"]) == pytest.approx(voxels_mm3, rel=0.05)
    assert faces.max() == len(points) - 1
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)
    assert np.allclose((points.min(axis=0) + points.max(axis=0)) / 2, [15, 15, 17.5], atol=0.01)
    missing = reader.get(f"{HERE}/surface", params={"segmentation": seg.SOPInstanceUID, "segment": 9})
    assert (missing.status_code, missing.json()["code"]) == (422, "not-an-overlay")


def test_a_threshold_above_all_has_no_surface(reader):
    assert len(mesh(reader.get(f"{HERE}/surface", params={"threshold": -900}))[0]) > 10
    refused = reader.get(f"{HERE}/surface", params={"threshold": 5000})
    assert (refused.status_code, refused.json()["code"]) == (422, "empty-surface")


def test_nobody_and_an_administrator_are_kept_out(study, log_in):
    for path in ROUTES:
        params = AXIAL if path == "plane" else {}
        assert log_in().get(f"{HERE}/{path}", params=params).status_code == 401
    administrator = log_in("administrator")
    for path in ROUTES:
        assert administrator.get(f"{HERE}/{path}", params=AXIAL if path == "plane" else {}).status_code == 403


def test_a_series_is_reached_by_its_own_study_only(reader, receive):
    receive("1.7", series="1.7.1")
    for path in ROUTES:
        other = f"/api/studies/{STUDY}/series/1.7.1/{path}"
        assert reader.get(other, params=AXIAL if path == "plane" else {}).status_code == 404


def test_what_is_shown_stands_in_the_audit_trail(reader, reads, db):
    reader.get(f"{HERE}/plane", params=AXIAL)
    reader.get(f"{HERE}/overlays")
    reads.flush()

    seen = [(entry.act, entry.on) for entry in audit.trail(db, limit=10)]
    assert seen.count(("display.read", STUDY)) == 1
