"""A lesion cut out by a click: shown first, then kept as a finding."""

from io import BytesIO

import numpy as np
import pytest
from sqlalchemy import text

from sightline.care import lesions, reporting, worklist
from sightline.care.lesions import Click, Touch
from sightline.record import archive, findings
from sightline.science.segmentation import NoLesionHere
from sightline.trust import access, audit
from tests.care.clinic import FIRST
from tests.care.lesions.conftest import CT, STUDY

pytestmark = pytest.mark.usefixtures("reads")

CENTRE, RADIUS = (36.0, 34.0, 33.0), 9.0
BALL = (*CENTRE, RADIUS)


def test_a_ball_is_measured_within_its_own_interval(scan, on, db, radiologist):
    """4/3 pi r^3 = 3054 mm3."""
    scan(STUDY, [BALL])

    clicked = lesions.look(on, STUDY, Click(CT, ((38.0, 33.0, 32.0),)), by=radiologist)

    volume = clicked.found.values["volume"]
    assert volume.low < 4 / 3 * np.pi * RADIUS**3 < volume.high
    assert volume.value == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.2)
    assert clicked.found.values["long_axis"].value == pytest.approx(2 * RADIUS, abs=2)
    assert clicked.found.values["mean_hu"].value == pytest.approx(60, abs=12)
    assert np.linalg.norm(np.subtract(clicked.found.centre_lps_mm, CENTRE)) < 1
    assert clicked.found.kind == "lesion"
    assert findings.of_studies(db, STUDY) == []


def test_a_nodule_with_lung_round_it_is_measured_as_the_models_nodules_are(scan, on, radiologist):
    scan(STUDY, [BALL], inside=20, around=-850)

    clicked = lesions.look(on, STUDY, Click(CT, (CENTRE,)), by=radiologist)

    assert (clicked.found.kind, clicked.method) == ("lung-nodule", "partial volume, half-height mask")
    assert clicked.found.values["volume"].value == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.05)


def test_a_stroke_says_how_large_and_a_correction_changes_only_its_place(scan, on, radiologist):
    scan(STUDY, [BALL])
    stroke = Click(
        CT, tuple((28.0 + 2 * k, 34.0, 33.0) for k in range(9)), diameter_mm=18.0, kind="liver-lesion"
    )

    whole = lesions.look(on, STUDY, stroke, by=radiologist)
    cut = Click(CT, stroke.points_lps_mm, 18.0, (Touch(remove=((43.0, 34.0, 33.0),)),), "liver-lesion")
    less = lesions.look(on, STUDY, cut, by=radiologist)

    assert whole.found.label == "liver lesion"
    assert whole.found.why == "marked by a person; outlined from a stroke of 18 mm"
    assert less.found.why.endswith("corrected 1 time")
    assert less.found.values["volume"].value < whole.found.values["volume"].value
    assert less.found.centre_lps_mm[0] < whole.found.centre_lps_mm[0]


def test_what_was_shown_is_kept_as_a_finding_that_counts(scan, on, db, radiologist):
    scan(STUDY, [BALL])
    click = Click(CT, (CENTRE,), kind="lymph-node")

    shown = lesions.look(on, STUDY, click, by=radiologist)
    kept = lesions.mark(on, STUDY, click, by=radiologist)

    assert kept.counts
    assert (kept.kind, kept.label, kept.values) == ("lymph-node", "lymph node", shown.found.values)
    with np.load(BytesIO(on.store.blobs.get(kept.mask_key))) as file:
        assert file["mask"].sum() == shown.mask.sum()
    assert findings.get_outline(db, kept.id)["slices"]
    assert worklist.get_entry(db, STUDY).reason.startswith("finding of 18 mm")
    assert db.scalar(text("select count(*) from events where name = 'FindingsChanged'")) == 1
    assert audit.trail(db, on=kept.id)[0].act == "finding.mark"


def test_where_nothing_stands_out_nothing_is_marked(scan, on, db, radiologist):
    scan(STUDY)

    with pytest.raises(NoLesionHere, match="click inside a lesion"):
        lesions.mark(on, STUDY, Click(CT, (CENTRE,)), by=radiologist)

    assert findings.of_studies(db, STUDY) == []


def test_once_the_report_is_signed_nothing_is_kept(scan, on, db, radiologist):
    scan(STUDY, [BALL])
    worklist.refresh_entry(db, STUDY)
    reporting.sign_report(db, STUDY, 0, by=radiologist)
    db.commit()

    with pytest.raises(reporting.ReportAlreadySigned):
        lesions.mark(on, STUDY, Click(CT, (CENTRE,)), by=radiologist)

    assert findings.of_studies(db, STUDY) == []


def test_a_technologist_may_not_and_leaves_no_trace(scan, on, db, technologist):
    scan(STUDY, [BALL])

    for act in (lesions.look, lesions.mark):
        with pytest.raises(access.NotAllowed):
            act(on, STUDY, Click(CT, (CENTRE,)), by=technologist)

    assert findings.of_studies(db, STUDY) == []


def test_a_click_in_a_series_of_another_study_is_refused(scan, receive, on, radiologist):
    scan(STUDY, [BALL])
    receive("1.9", FIRST)

    with pytest.raises(archive.SeriesNotHeld, match="does not belong to this study"):
        lesions.mark(on, STUDY, Click("1.9.1", (CENTRE,)), by=radiologist)


def test_over_http_a_click_is_shown_and_kept_and_nonsense_is_refused(scan, log_in):
    scan(STUDY, [BALL])
    reader = log_in("radiologist")
    click = {"series_uid": CT, "points_lps_mm": [list(CENTRE)]}

    shown = reader.post(f"/api/studies/{STUDY}/click", json=click).json()
    assert shown["values"]["volume"]["unit"] == "mm3"
    assert {s["sop_uid"] for s in shown["slices"]} >= {shown["sop_uid"]}
    kept = reader.post(f"/api/studies/{STUDY}/findings", json=click).json()
    [finding] = reader.get(f"/api/studies/{STUDY}/reading").json()["findings"]
    assert (finding["id"], finding["state"]) == (kept["finding_id"], "accepted")
    for change, status in (
        ({"points_lps_mm": []}, 422),
        ({"points_lps_mm": [[0, 0, 1e9]]}, 422),
        ({"diameter_mm": -1}, 422),
        ({"kind": "unicorn"}, 422),
        ({"points_lps_mm": [[900, 0, 0]]}, 422),
        ({"series_uid": "9.9"}, 404),
    ):
        assert reader.post(f"/api/studies/{STUDY}/click", json={**click, **change}).status_code == status
