"""Radiographs and single slices of two dates: the same view is chosen, aligned in the plane, or refused."""

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import DigitalXRayImageStorageForPresentation
from scipy import ndimage

from sightline.care import display, lesions
from sightline.intelligence import routing
from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing import _flat as flat
from sightline.intelligence.routing import _ondemand as ondemand
from sightline.intelligence.routing import jobs as chain
from sightline.intelligence.routing._following import NotComparable, find_pair, map_points
from sightline.intelligence.routing._registering import keep_registration
from sightline.record import archive, timeline
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND, make_slice

SIDE, MM = 200, 1.5
SHIFT_MM = np.array([9.0, -6.0])
"""What is at p now was at p + SHIFT then."""


@pytest.fixture
def database(sqlite):
    """What is tested does not depend on the kind of database."""
    return sqlite


def drawn(seed, shift_mm=(0.0, 0.0)):
    """Return a picture of soft shapes with edges, moved by a shift of its points (x, y)."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal((SIDE, SIDE)), 6)
    values = np.digitize(field, np.quantile(field, (0.2, 0.4, 0.6, 0.8))).astype(float)
    by = np.array(shift_mm)[::-1] / MM
    values = ndimage.shift(values, -by, order=1, mode="nearest")
    return np.round(100 * values + rng.normal(0, 3, values.shape)).astype("<i2")


def take(store, study, date, pictures):
    """Take in one image a series; `pictures` are pairs of pixels and what its header says."""
    source = archive.Source("import", "test", access.operator("tester"))
    for n, (pixels, told) in enumerate(pictures, 1):
        made = make_slice(1, study, f"{study}.{n}", **{
            "StudyDate": date, "Rows": SIDE, "Columns": SIDE, "PixelData": pixels.tobytes(),
            "SOPClassUID": DigitalXRayImageStorageForPresentation, "Modality": "DX",
            "PixelSpacing": None, "ImagerPixelSpacing": [MM, MM], "ImagePositionPatient": None,
            "ImageOrientationPatient": None, "FrameOfReferenceUID": None, "SeriesNumber": n,
            "WindowCenter": 200, "WindowWidth": 401, "RescaleType": "US",
            "StudyDescription": "XR chest", **told,
        })  # fmt: skip
        [outcome] = archive.take_in(store, [archive.Incoming("an image", made)], source)
        assert outcome.status == "stored"


def pair(store):
    with store.database.reading() as db:
        return find_pair(db, "1.2", "1.1")


def test_of_two_studies_the_frontal_views_are_compared_whatever_their_order(store):
    take(store, "1.1", FIRST, [(drawn(1), {"ViewPosition": "PA"}), (drawn(2), {"ViewPosition": "LL"})])
    take(store, "1.2", SECOND, [(drawn(2), {"ViewPosition": "LL"}), (drawn(1), {"ViewPosition": "AP"})])
    found = pair(store)

    assert (found.flat, found.images, found.prior_images) == ("radiograph", ["1.2.2.1"], ["1.1.1.1"])
    assert (found.series_uid, found.prior_series_uid) == ("1.2.2", "1.1.1")


def test_the_side_decides_where_the_views_agree(store):
    views = [(drawn(n), {"ViewPosition": "AP", "ImageLaterality": side}) for n, side in enumerate("LR")]
    take(store, "1.1", FIRST, views)
    take(store, "1.2", SECOND, views[1:])

    assert pair(store).prior_images == ["1.1.2.1"]


def test_the_job_aligns_two_radiographs_and_links_nothing(store, database, radiologist):
    take(store, "1.1", FIRST, [(drawn(1), {"Modality": "CR"})])
    take(store, "1.2", SECOND, [(drawn(1, SHIFT_MM), {})])
    with database.transaction() as db:
        for study in ("1.1", "1.2"):
            routing.request_analysis(db, study, by=access.SYSTEM)
    chain._compare(store, "1.2")
    keep_registration(store, "1.2")
    with database.reading() as db:
        told = timeline.comparison_of(db, "1.2")
        modalities = [series.modality for series in archive.series_of_study(db, "1.2")]
    assert told is not None
    found, _ = comparing.made_alignment(store, pair(store))

    assert told.alignment.verdict == "good"
    assert told.alignment.images == ("1.2.1.1", "1.1.1.1")
    assert told.changes == ()
    points = np.array([[100.0, 120.0, 0.0], [180.0, 90.0, 0.0]])
    assert found.map_points(points) == pytest.approx(points + np.array([*SHIFT_MM, 0.0]), abs=MM)
    assert modalities == ["DX"], "a picture lies in no space that a registration could refer to"
    with pytest.raises(NotComparable, match="in the plane only"):
        map_points(store, "1.2", "1.1", [(0.0, 0.0, 0.0)], by=radiologist)


def test_the_prior_is_drawn_in_its_own_greys_where_it_lies_now(store, log_in, reads):
    take(store, "1.1", FIRST, [(drawn(1), {})])
    take(store, "1.2", SECOND, [(4 * drawn(1, SHIFT_MM), {"WindowCenter": 800, "WindowWidth": 1601})])
    ondemand.keep_alignment(store, "1.2", "1.1")
    reader = log_in("radiologist")
    told = reader.get("/api/studies/1.2/priors/1.1/alignment").json()
    answer = reader.get("/api/studies/1.2/priors/1.1/slice", params={"series": "1.2.1", "image": "1.2.1.1"})

    assert told["alignment"]["images"] == ["1.2.1.1", "1.1.1.1"]
    assert answer.headers["sightline-shape"] == f"{SIDE},{SIDE}"
    values = np.frombuffer(answer.content, "<f4").reshape(SIDE, SIDE)
    shown = np.isfinite(values)
    assert 0.9 < shown.mean() < 1
    now = np.clip(drawn(1, SHIFT_MM) / 400 * 255, 0, 255)
    assert np.median(np.abs(values - now)[shown]) < 8


def test_another_image_of_the_study_is_not_laid_over(store, radiologist, reads):
    take(store, "1.1", FIRST, [(drawn(1), {"ViewPosition": "PA"})])
    take(store, "1.2", SECOND, [(drawn(1), {"ViewPosition": "PA"}), (drawn(2), {"ViewPosition": "LL"})])
    ondemand.keep_alignment(store, "1.2", "1.1")
    on = display.open_context(store, display.DisplaySettings())

    with pytest.raises(lesions.NotAligned, match="Another image"):
        lesions.paired_on_slice(on, "1.2", "1.1", lesions.Image("1.2.2", "1.2.2.1"), by=radiologist)


@pytest.mark.parametrize(
    ("then", "now", "why"),
    [
        ((drawn(2), {}), (drawn(1), {}), "edges that run alike"),
        ((drawn(1), {"ViewPosition": "LL"}), (drawn(1), {"ViewPosition": "PA"}), "The view differs"),
        (
            (drawn(1), {"ImageLaterality": "L"}), (drawn(1), {"ImageLaterality": "R"}),
            "The side differs (r now, l then)",
        ),
        ((drawn(1), {"ImagerPixelSpacing": None}), (drawn(1), {}), "no pixel spacing"),
    ],
)  # fmt: skip
def test_what_is_not_the_same_is_refused_with_its_reason(store, radiologist, then, now, why):
    take(store, "1.1", FIRST, [then])
    take(store, "1.2", SECOND, [now])
    ondemand.keep_alignment(store, "1.2", "1.1")
    with store.database.reading() as db:
        told = ondemand.alignment_state(store, db, "1.2", "1.1", by=radiologist)

    assert told.status == "done"
    assert told.alignment is not None
    assert told.alignment.verdict == "failed"
    assert why in told.text


def test_single_slices_are_mapped_in_the_space_of_the_patient(store):
    orientation = [1, 0, 0, 0, 1, 0]
    told = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT", "PixelSpacing": [MM, MM],
        "ImageOrientationPatient": orientation, "RescaleType": "HU",
    }  # fmt: skip
    take(store, "1.1", FIRST, [(drawn(1), {**told, "ImagePositionPatient": [10, 20, 30]})])
    take(store, "1.2", SECOND, [(drawn(1, SHIFT_MM), {**told, "ImagePositionPatient": [0, 0, -5]})])
    found, _ = comparing.made_alignment(store, pair(store))

    assert found.verdict == "good"
    then = np.array([160.0, 170.0, 30.0]) + np.array([*SHIFT_MM, 0.0])
    assert found.map_points((150.0, 150.0, -5.0))[0] == pytest.approx(then, abs=MM)


@pytest.mark.parametrize(
    ("position", "orientation", "view"),
    [("PA", "", "frontal"), ("LL", "A", "lateral"), ("", "P", "lateral"), ("", "", ""), ("YL", "", "yl")],
)
def test_a_view_is_told_by_its_name_or_by_how_its_rows_run(position, orientation, view):
    assert flat.view_of(position, orientation) == view


def test_real_radiographs_of_one_patient_are_laid_over_each_other(store, test_data, radiologist, reads):
    """NIH ChestX-ray8, patient 1992; the files give no spacing: a chest 40 cm wide fills 1024 pixels."""
    folder = test_data / "longitudinal" / "cxr-followup-nih" / "00001992"
    if not folder.exists():
        pytest.skip("the chest radiographs are not in the shared test data")
    for study, date, name in (("1.1", FIRST, "010"), ("1.2", SECOND, "016")):
        pixels = np.array(Image.open(folder / f"No_findings__00001992_{name}.png").convert("L"))
        size = {"Rows": pixels.shape[0], "Columns": pixels.shape[1], "ImagerPixelSpacing": [0.4, 0.4]}
        take(store, study, date, [(pixels.astype("<i2"), {**size, "WindowCenter": 128, "WindowWidth": 256})])
    ondemand.keep_alignment(store, "1.2", "1.1")
    on = display.open_context(store, display.DisplaySettings())
    with store.database.reading() as db:
        told = ondemand.alignment_state(store, db, "1.2", "1.1", by=radiologist)

    assert told.alignment is not None
    assert told.alignment.verdict != "failed"
    drawn_over = lesions.paired_on_slice(on, "1.2", "1.1", lesions.Image("1.2.1", "1.2.1.1"), by=radiologist)
    shown = np.isfinite(drawn_over.values)
    before = np.corrcoef(_real(folder, "010").ravel(), _real(folder, "016").ravel())[0, 1]
    after = np.corrcoef(drawn_over.values[shown], _real(folder, "016")[shown])[0, 1]
    assert after > max(before, 0.8)


def _real(folder, name):
    return np.array(Image.open(folder / f"No_findings__00001992_{name}.png").convert("L"), dtype=float)
