"""A person says which lesions are one; tracking UID, change and curve follow at once, can be undone."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from sightline.care import lesions, reporting
from sightline.intelligence.routing._pair import pair_of
from sightline.record import archive, findings
from sightline.record.findings import Identity
from sightline.science.alignment import Alignment
from sightline.science.geometry import Grid
from tests.care.clinic import FIRST, SECOND

pytestmark = pytest.mark.usefixtures("reads")

STUDY, PRIOR = "1.2", "1.1"
GRID = Grid((20, 40, 40), (2.0, 2.0, 5.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


@pytest.fixture
def found(receive, clinic, store, db):
    """A nodule then and one now, 10 mm apart, compared by an alignment that moves nothing."""
    receive(PRIOR, FIRST)
    receive(STUDY, SECOND)
    before = clinic.propose(PRIOR, 8.0, 7.0, mask=True)
    [now] = clinic.propose(STUDY, 9.0, mask=True)
    study, prior = (archive.get_study(db, uid) for uid in (STUDY, PRIOR))
    pair = pair_of(db, study, prior, ("1.2.1", "1.1.1"), why="same region", days=182)
    still = np.zeros((*GRID.shape_zyx, 3), np.float32)
    alignment = Alignment("good", "", (), GRID, still, np.ones(GRID.shape_zyx, np.float32), "made up")
    about = {
        "current": asdict(GRID),
        "prior": asdict(GRID),
        "thickness_mm": 1.0,
        "modality": "CT",
        "differs": [],
    }
    store.blobs.put_if_absent(f"{pair.key}.json", json.dumps(about).encode())
    store.blobs.put_if_absent(f"{pair.key}.npz", alignment.to_bytes())
    clinic.compare(STUDY, PRIOR)
    db.commit()
    return [*before, now]


def test_a_link_changes_tracking_uid_change_and_curve_at_once_and_undo_takes_all_back(found, log_in):
    then, other, now = found
    reader = log_in("radiologist")

    def shown():
        [finding] = reader.get(f"/api/studies/{STUDY}/reading").json()["findings"]
        return finding

    body = {"identity": "same", "earlier": [other.id], "later": [now.id]}
    said = reader.post("/api/lesion-links", json=body).json()["statement"]
    assert shown()["tracking_uid"] == other.lesion
    assert shown()["change"]["said"] == "same"
    assert shown()["change"]["kind"] == "grown"
    assert [point["study_uid"] for point in shown()["curve"]] == [PRIOR, STUDY]
    assert shown()["change"]["limits"]["source"]

    assert reader.delete(f"/api/lesion-links/{said}").status_code == 204
    assert shown()["tracking_uid"] == then.lesion  # which lies at the same place
    assert shown()["change"]["said"] is None
    assert reader.delete(f"/api/lesion-links/{said}").status_code == 404


def test_a_merge_over_http_is_compared_by_the_sum(found, log_in):
    then, other, now = found
    reader = log_in("radiologist")

    body = {"identity": "merged", "earlier": [then.id, other.id], "later": [now.id]}
    assert reader.post("/api/lesion-links", json=body).status_code == 200

    [finding] = reader.get(f"/api/studies/{STUDY}/reading").json()["findings"]
    assert finding["change"]["said"] == "merged"
    assert finding["change"]["percent"] == pytest.approx(100 * (9**3 / (8**3 + 7**3) - 1))


def test_the_candidates_are_those_of_the_prior_and_the_nearest_comes_first(found, log_in, clinic, db):
    then, other, now = found
    reader = log_in("radiologist")

    listed = reader.get(f"/api/findings/{now.id}/candidates").json()

    assert [c["finding_id"] for c in listed] == [then.id, other.id]
    assert [c["away_mm"] for c in listed] == [None, None]  # that comparison keeps no field
    reader.post("/api/lesion-links", json={"identity": "same", "earlier": [then.id], "later": [now.id]})
    listed = reader.get(f"/api/findings/{now.id}/candidates").json()
    assert [round(c["away_mm"]) for c in listed] == [0, 10]


def test_once_the_report_is_signed_no_link_changes(found, store, db, radiologist):
    then, _, now = found
    reporting.sign_report(db, STUDY, 0, by=radiologist)

    with pytest.raises(reporting.ReportAlreadySigned):
        lesions.link(store, db, Identity.SAME, [then.id], [now.id], by=radiologist)

    assert findings.statements_of(db, now.patient) == []


@pytest.mark.parametrize(
    "body",
    [
        {"identity": "friends", "earlier": ["x"], "later": ["y"]},
        {"identity": "same", "earlier": [], "later": ["y"]},
        {"identity": "same", "earlier": ["x"] * 30, "later": ["y"]},
        {"identity": "same", "earlier": ["x"]},
    ],
)
def test_nonsense_is_refused(found, log_in, body):
    assert log_in("radiologist").post("/api/lesion-links", json=body).status_code == 422


def test_what_is_not_held_is_not_found_and_nobody_is_let_in(found, log_in):
    body = {"identity": "same", "earlier": [found[0].id], "later": ["nobody"]}
    assert log_in("radiologist").post("/api/lesion-links", json=body).status_code == 404
    assert log_in().post("/api/lesion-links", json=body).status_code == 401
    body["later"] = [found[2].id]
    assert log_in("administrator").post("/api/lesion-links", json=body).status_code == 403
