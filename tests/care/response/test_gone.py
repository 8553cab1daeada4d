"""What becomes of a kept response when studies that it rests on are trashed, moved, or lose their date."""

import pytest

from sightline.record import archive, findings
from sightline.trust import access
from tests.care.clinic import change
from tests.care.response.conftest import STUDIES

BY = access.operator("tester")
BASELINE, SECOND, THIRD = STUDIES


def trash(db, study):
    archive.trash_study(db, study, reason="sent twice", by=BY, trash_days=30)


def move(db, study):
    archive.move_study(db, study, archive.NewPatient("0815", name="Other^Name"), reason="mixed up", by=BY)


def undate(db, study):
    archive.edit_study(db, study, {"StudyDate": None}, reason="wrong", by=BY)


@pytest.fixture
def here(patient):
    return f"/api/patients/{patient}/response"


@pytest.fixture
def kept(followed, here, log_in):
    """A response that a radiologist kept, as its second version: 50, 33, 24 mm."""
    followed((50.0, 33.0, 24.0))
    reader = log_in("radiologist")
    plan = reader.get(here).json()["plan"]
    for version in (0, 1):
        assert reader.put(here, json={"version": version, "plan": plan}).status_code == 200
    return reader


@pytest.mark.parametrize("takes_away", [trash, move, undate])
def test_without_its_baseline_it_says_what_to_do_and_promotes_no_other_time_point(kept, here, db, takes_away):
    takes_away(db, BASELINE)
    db.commit()

    shown = kept.get(here).json()

    assert shown["problem"].startswith("The baseline is gone")
    assert "choose another baseline" in shown["problem"]
    assert (shown["points"], shown["best"], shown["proposal"]) == ([], None, None)
    assert [point["studies"] for point in shown["plan"]["points"]] == [[uid] for uid in STUDIES]
    for kind in ("table", "fhir", "sr"):
        refused = kept.get(f"{here}/{kind}").json()
        assert (refused["code"], refused["detail"]) == ("unusable-plan", shown["problem"])


@pytest.mark.parametrize("takes_away", [trash, move, undate])
def test_a_person_chooses_another_baseline_or_undoes(kept, here, db, takes_away):
    takes_away(db, BASELINE)
    db.commit()
    plan = kept.get(here).json()["plan"]

    as_it_was = kept.put(here, json={"version": 2, "plan": plan})
    undone = kept.post(f"{here}/undoing", json={"version": 2}).json()
    chosen = kept.put(here, json={"version": 3, "plan": plan | {"points": plan["points"][1:]}}).json()

    assert as_it_was.json()["code"] == "unusable-plan"
    assert (undone["version"], undone["problem"][:20]) == (3, "The baseline is gone")
    assert (chosen["version"], chosen["problem"]) == (4, None)
    assert [(p["study_uid"], p["value"]) for p in chosen["points"]] == [(SECOND, 33.0), (THIRD, 24.0)]


def test_a_baseline_that_is_restored_is_the_baseline_again(kept, here, db):
    before = kept.get(here).json()
    trash(db, BASELINE)
    db.commit()
    assert kept.get(here).json()["problem"]

    archive.restore(db, BASELINE, "trashed", by=BY)
    db.commit()

    assert kept.get(here).json() == before


@pytest.mark.parametrize("takes_away", [trash, move, undate])
def test_a_later_study_that_is_gone_says_nothing_and_nothing_is_said_of_it(
    kept, here, patient, clinic, db, radiologist, takes_away
):
    """Neither a lesion first seen in it nor one that a comparison no longer saw in it."""
    [late] = clinic.propose(SECOND, 12.0, run="late")
    findings.decide_finding(db, late.id, findings.Decision.ACCEPT, by=radiologist)
    first = next(f for f in findings.of_patient(db, patient) if f.study_uid == BASELINE)
    clinic.compare(THIRD, BASELINE, change(None, first, "vanished"))
    for study in (SECOND, THIRD):
        takes_away(db, study)
    db.commit()

    shown = kept.get(here).json()

    assert [(p["study_uid"], p["value"]) for p in shown["points"]] == [(BASELINE, 50.0)]
    assert shown["remarks"] == [
        f"A study of time point {number} is not held for this patient (any more)." for number in (2, 3)
    ]
    assert (shown["proposal"], shown["problem"]) == (None, None)
