"""A study is aligned with any earlier one that a reader puts beside it; its comparison stays as it is."""

import json

import numpy as np
import pytest

from sightline.intelligence.routing import _ondemand as ondemand
from sightline.intelligence.routing._following import NotComparable, find_pair
from sightline.record import timeline
from sightline.runtime import jobs
from sightline.science.alignment import Alignment, QualityTest
from sightline.science.geometry import Grid
from sightline.trust import access, audit
from tests.care.clinic import FIRST, SECOND, THIRD

VOXELS = Grid((4, 16, 16), (2.0, 2.0, 5.0), (0.0, 0.0, 5.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
ADDRESS = "/api/studies/1.3/priors/1.1/alignment"


@pytest.fixture
def three(receive):
    """Three studies of one patient; the best prior of the third is the second."""
    for study, date in (("1.1", FIRST), ("1.2", SECOND), ("1.3", THIRD)):
        receive(study, date)


def keep(store, verdict="good"):
    """Keep an alignment of the first and the third study, 1 mm along x, as the engine would."""
    grid = VOXELS.resampled((4.0, 4.0, 4.0))
    field = np.zeros((*grid.shape_zyx, 3), np.float32)
    field[..., 0] = 1.0
    tests = (QualityTest("body seen by both scans", 99.0, 70.0, "%", passed=True),)
    found = Alignment(
        verdict, "all is told", tests, grid, field, np.ones(grid.shape_zyx, np.float32), "a test"
    )
    with store.database.reading() as db:
        pair = find_pair(db, "1.3", "1.1")
    about = {name: getattr(VOXELS, name) for name in VOXELS.__slots__}
    told = {"current": about, "prior": about, "thickness_mm": 5.0, "modality": "CT", "differs": []}
    store.blobs.put_if_absent(f"{pair.key}.json", json.dumps(told).encode())
    store.blobs.put_if_absent(f"{pair.key}.npz", found.to_bytes())


def state(store, person):
    with store.database.reading() as db:
        return ondemand.alignment_state(store, db, "1.3", "1.1", by=person)


def test_asking_twice_waits_for_one_job_and_is_audited_once(store, three, log_in):
    reader = log_in("radiologist")
    assert reader.get(ADDRESS).json()["status"] == "none"
    answers = [reader.post(ADDRESS) for _ in range(2)]

    assert [(a.status_code, a.json()["status"]) for a in answers] == [(202, "waiting")] * 2
    assert reader.get(ADDRESS).json()["text"] == "being aligned, about a minute"
    assert jobs.open_queue(store.database).counts()["waiting"] == 1
    with store.database.reading() as db:
        acts = [entry.act for entry in audit.trail(db, on="1.3")]
    assert acts.count("alignment.request") == 1


def test_what_is_aligned_already_is_told_with_its_tests_and_field(store, three, log_in):
    keep(store)
    reader = log_in("radiologist")
    told = reader.post(ADDRESS).json()

    assert told["status"] == "done"
    assert (told["study_series_uid"], told["prior_series_uid"]) == ("1.3.1", "1.1.1")
    alignment = told["alignment"]
    assert (alignment["verdict"], alignment["tests"][0]["value"]) == ("good", 99.0)
    field = reader.get(alignment["grid"]["url"])
    values = np.frombuffer(field.content, "<f4").reshape(*alignment["grid"]["shape_zyx"], 3)
    assert np.unique(values[..., 0]) == pytest.approx(1.0)
    assert jobs.open_queue(store.database).counts()["waiting"] == 0


def test_a_failed_alignment_gives_its_reason_and_no_field(store, three, log_in):
    keep(store, "failed")
    reader = log_in("radiologist")

    assert reader.get(ADDRESS).json()["alignment"]["grid"] is None
    refused = reader.get("/api/studies/1.3/priors/1.1/grid")
    assert (refused.status_code, refused.json()["code"]) == (404, "no-field")
    assert "all is told" in refused.json()["detail"]


def test_images_that_form_no_volume_are_refused_once_and_the_comparison_stays(
    store, receive, clinic, db, radiologist
):
    receive("1.1", FIRST, slices=1)
    for study, date in (("1.2", SECOND), ("1.3", THIRD)):
        receive(study, date)
    before = clinic.compare("1.3", "1.2")
    db.commit()
    ondemand.request_alignment(store, "1.3", "1.1", by=radiologist)
    ondemand.keep_alignment(store, "1.3", "1.1")
    told = state(store, radiologist)

    assert told.status == "done"
    assert told.alignment is not None
    assert told.alignment.verdict == "failed"
    assert told.text == told.alignment.reason
    assert ondemand.request_alignment(store, "1.3", "1.1", by=radiologist).status == "done"
    with store.database.reading() as db:
        assert timeline.comparison_of(db, "1.3") == before
        assert "alignment.keep" in [entry.act for entry in audit.trail(db, on="1.3")]


def test_what_failed_on_our_side_is_made_again_when_asked(store, three, radiologist):
    with store.database.reading() as db:
        pair = find_pair(db, "1.3", "1.1")
    ondemand._end(store, pair, "failed", "the process ended without a result")

    assert state(store, radiologist).status == "failed"
    assert ondemand.request_alignment(store, "1.3", "1.1", by=radiologist).status == "waiting"
    assert jobs.open_queue(store.database).counts()["waiting"] == 1


def test_only_an_earlier_study_of_the_same_patient_is_aligned(store, three, receive, radiologist, log_in):
    receive("1.9", FIRST, PatientID="another")

    for other in ("1.9", "1.3"):
        with pytest.raises(NotComparable):
            ondemand.request_alignment(store, "1.3", other, by=radiologist)
    with pytest.raises(NotComparable, match="not before"):
        ondemand.request_alignment(store, "1.1", "1.3", by=radiologist)
    assert log_in("radiologist").post("/api/studies/1.3/priors/7.7/alignment").status_code == 404
    assert jobs.open_queue(store.database).counts()["waiting"] == 0


def test_who_may_not_read_may_not_ask(store, three, log_in):
    nobody = access.Person("p9", "No One", "noone", frozenset({"administrator"}), "main")

    with pytest.raises(access.NotAllowed):
        ondemand.request_alignment(store, "1.3", "1.1", by=nobody)
    assert log_in().post(ADDRESS).status_code == 401
    assert jobs.open_queue(store.database).counts()["waiting"] == 0
