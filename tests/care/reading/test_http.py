"""Reading and the worklist over HTTP: from the list to a decision."""

import pytest

from sightline.care import worklist
from sightline.record import findings
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND, change

STUDY, PRIOR = "1.2", "1.1"


@pytest.fixture
def received(receive):
    receive(PRIOR, FIRST)
    receive(STUDY, SECOND)


@pytest.fixture
def found(received, clinic, db):
    then, gone = clinic.propose(PRIOR, 8.0, 6.0)
    [now] = clinic.propose(STUDY, 12.0)
    clinic.compare(STUDY, PRIOR, change(now, then, "grown"), change(None, gone, "vanished"))
    patient = clinic.patient_of(STUDY)
    findings.unify_lesions(db, patient, {now.id: then.lesion}, by=access.SYSTEM)
    for study in (PRIOR, STUDY):
        worklist.refresh_entry(db, study)
    db.commit()
    return now, then, gone


def test_the_worklist_gives_each_row_with_its_reason_and_pages(found, log_in):
    reader = log_in("radiologist")
    first = reader.get("/api/worklist", params={"limit": 1}).json()
    rest = reader.get("/api/worklist", params={"limit": 1, "after": first["next"]}).json()

    [row] = first["items"]
    assert (row["study_uid"], row["urgency"], row["reason"]) == (STUDY, "critical", "nodule grown since then")
    assert row["patient"]["name"] == "Lovelace, Ada"
    assert (row["prior_date"], row["images"]["received"]) == ("2025-01-03", 4)
    assert [r["study_uid"] for r in rest["items"]] == [PRIOR]
    assert rest["next"] is None
    assert first["counts"]["open"] == 2


def test_a_reader_takes_puts_off_and_gives_back(found, log_in):
    reader = log_in("radiologist")

    assert reader.post(f"/api/worklist/{STUDY}/claim").json()["state"] == "reading"
    assert reader.post(f"/api/worklist/{STUDY}/deferral", json={"minutes": 30}).json()["deferred_until"]
    assert [r["study_uid"] for r in reader.get("/api/worklist").json()["items"]] == [PRIOR]
    assert reader.delete(f"/api/worklist/{STUDY}/deferral").json()["deferred_until"] is None
    assert reader.delete(f"/api/worklist/{STUDY}/claim").json()["reader"] is None
    assert reader.post(f"/api/worklist/{STUDY}/deferral", json={"minutes": 0}).status_code == 422
    assert reader.post("/api/worklist/9.9/claim").json()["code"] == "not-on-the-list"


def test_a_study_is_opened_with_everything_that_belongs_beside_it(found, log_in):
    now, then, gone = found
    opened = log_in("radiologist").get(f"/api/studies/{STUDY}/reading").json()

    assert opened["prior"]["study"]["uid"] == PRIOR
    assert opened["comparison"]["verdict"] == "good"
    assert opened["comparison"]["grid"]["shape_zyx"] == [1, 1, 1]
    [shown] = opened["findings"]
    assert (shown["id"], shown["state"], shown["change"]["kind"]) == (now.id, "proposed", "grown")
    assert shown["prior"]["finding_id"] == then.id
    assert [point["date"] for point in shown["curve"]] == ["2025-01-03", "2025-07-04"]
    [vanished] = opened["vanished"]
    assert (vanished["current"], vanished["prior"]["finding_id"]) == (None, gone.id)
    assert [visit["study_uid"] for visit in opened["timeline"]] == [PRIOR, STUDY]
    assert (opened["previous"], opened["next"]["study_uid"]) == (None, PRIOR)


def test_a_finding_is_accepted_corrected_and_taken_back_word_by_word(found, log_in):
    now = found[0]
    reader = log_in("radiologist")
    word = f"/api/findings/{now.id}/decision"

    assert reader.post(word, json={"decision": "accept"}).json()["state"] == "accepted"
    edited = reader.put(f"/api/findings/{now.id}", json={"long_axis_mm": 14.0, "label": "granuloma"}).json()
    assert (edited["state"], edited["label"]) == ("edited", "granuloma")
    assert edited["current"]["long_axis"]["value"] == 14.0
    assert edited["proposed"]["long_axis"]["value"] == 12.0
    assert edited["decided_by"] == "Dr Radiologist"
    undone = reader.post(word, json={"decision": "undo"}).json()
    assert (undone["state"], undone["label"]) == ("accepted", "right lung, upper third, nodule")
    assert reader.post(word, json={"decision": "undo"}).json()["state"] == "proposed"
    nothing = reader.post(word, json={"decision": "undo"})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing-to-undo")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"long_axis_mm": -1}, 422),
        ({"long_axis_mm": 5000}, 422),
        ({"short_axis_mm": 13}, 422),
        ({}, 422),
        ({"label": ""}, 422),
        ({"long_axis_mm": "ten"}, 422),
    ],
)
def test_a_correction_that_cannot_be_right_is_refused(found, db, log_in, body, status):
    refused = log_in("radiologist").put(f"/api/findings/{found[0].id}", json=body)

    assert refused.status_code == status
    assert findings.trail_of(db, found[0].id) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/api/studies/{STUDY}/reading", None),
        ("POST", "/api/findings/x/decision", {"decision": "accept"}),
        ("PUT", "/api/findings/x", {"label": "x"}),
        ("POST", f"/api/studies/{STUDY}/findings", {"series_uid": "1.2.1", "points_lps_mm": [[0, 0, 0]]}),
        ("POST", f"/api/studies/{STUDY}/analysis", None),
        ("GET", "/api/worklist", None),
        ("POST", f"/api/worklist/{STUDY}/claim", None),
    ],
)
def test_nobody_and_an_administrator_are_kept_out(found, log_in, method, path, body):
    assert log_in().request(method, path, json=body).status_code == 401
    assert log_in("administrator").request(method, path, json=body).status_code == 403


def test_a_comparison_or_finding_that_is_not_there_is_not_found(received, log_in):
    reader = log_in("radiologist")

    for path in ("/api/comparisons/x/grid", "/api/findings/x/outline", "/api/studies/9.9/reading"):
        assert reader.get(path).status_code == 404
