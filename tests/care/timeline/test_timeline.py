"""A patient through time: what is on the page, for whom, and at what cost however long the line is."""

from dataclasses import replace

import pytest
from sqlalchemy import event

from sightline.care import reporting, timeline, worklist
from sightline.record import archive, findings
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND, THIRD, change

STUDY, PRIOR = "1.2", "1.1"
pytestmark = pytest.mark.usefixtures("reads")


@pytest.fixture
def found(receive, clinic, db):
    """One nodule seen twice and grown, another seen once and gone."""
    receive(PRIOR, FIRST)
    receive(STUDY, SECOND)
    then, gone = clinic.propose(PRIOR, 8.0, 6.0)
    [now] = clinic.propose(STUDY, 12.0)
    clinic.compare(STUDY, PRIOR, change(now, then, "grown"), change(None, gone, "vanished"))
    findings.unify_lesions(db, clinic.patient_of(STUDY), {now.id: then.lesion}, by=access.SYSTEM)
    for study in (PRIOR, STUDY):
        worklist.refresh_entry(db, study)
    db.commit()
    return now, then, gone


@pytest.fixture
def page_of(found, clinic, db, log_in):
    """What a person in a role is shown of the patient."""
    patient = clinic.patient_of(STUDY)
    db.commit()
    return lambda role="radiologist": log_in(role).get(f"/api/patients/{patient}/timeline").json()


def test_studies_come_oldest_first_with_what_they_cover(page_of):
    shown = page_of()

    assert [(s["study_uid"], s["date"]) for s in shown["studies"]] == [
        (PRIOR, "2025-01-03"),
        (STUDY, "2025-07-04"),
    ]
    assert shown["studies"][0]["regions"] == ["chest"]
    assert shown["studies"][0]["report"] is None
    assert (shown["simulated"], shown["reports_shown"]) == (False, True)


def test_a_lesion_keeps_every_value_with_unit_interval_and_method(page_of, found):
    now, then, _ = found
    [line] = [line for line in page_of()["lesions"] if line["tracking_uid"] == then.lesion]

    assert (line["kind"], line["state"], line["regions"]) == ("lung-nodule", "proposed", ["chest"])
    assert [(p["finding_id"], p["date"]) for p in line["points"]] == [
        (then.id, "2025-01-03"),
        (now.id, "2025-07-04"),
    ]
    volume = line["points"][0]["values"]["volume"]
    assert volume == {
        "value": pytest.approx(204.8),
        "unit": "mm3",
        "low": pytest.approx(184.32),
        "high": pytest.approx(225.28),
        "method": "made up for a test",
    }
    assert (line["points"][0]["source"], line["points"][0]["by_model"]) == ("chest-ct-nodules 1.0.0", True)


def test_a_change_is_told_with_its_interval_and_what_is_gone_at_the_study_that_no_longer_shows_it(
    page_of, found
):
    _, then, gone = found
    lines = {line["tracking_uid"]: line for line in page_of()["lesions"]}

    [grown] = lines[then.lesion]["changes"]
    assert (grown["study_uid"], grown["prior_uid"], grown["days"]) == (STUDY, PRIOR, 182)
    assert (grown["percent"], grown["low"], grown["high"]) == (50.0, 30.0, 75.0)
    [vanished] = lines[gone.lesion]["changes"]
    assert (vanished["kind"], vanished["date"], vanished["percent"]) == ("vanished", "2025-07-04", None)


def test_lesions_of_one_region_are_told_apart_by_organ(page_of, found, clinic, db):
    organs = {
        "segment VI, hepatic metastasis": "liver",
        "left kidney, cyst": "kidney",
        "right adrenal nodule": "adrenal gland",
        "para-aortic lymph node": "lymph node",
        "Length 2": "other",
    }
    seen = clinic.nodule(STUDY, 0, 9.0, "by hand", "R", mask=False)
    source = findings.Source(findings.SourceKind.MODEL, "abdomen", "1.0.0", "run", "a" * 64, "b" * 64)
    marked = [replace(seen, kind="measurement", label=label) for label in organs]
    findings.propose_findings(db, STUDY, clinic.patient_of(STUDY), source, marked, by=access.SYSTEM)
    db.commit()

    shown = {line["label"]: line["organ"] for line in page_of()["lesions"]}

    assert shown.items() >= organs.items()
    assert {organ for label, organ in shown.items() if label not in organs} == {"lung"}


def test_what_a_person_rejected_is_not_on_the_page(page_of, found, db, radiologist):
    findings.decide_finding(db, found[2].id, findings.Decision.REJECT, by=radiologist)
    db.commit()

    assert found[2].lesion not in {line["tracking_uid"] for line in page_of()["lesions"]}


def test_a_signed_report_is_marked_for_whoever_may_read_it(page_of, found, db, radiologist):
    findings.decide_finding(db, found[0].id, findings.Decision.ACCEPT, by=radiologist)
    reporting.sign_report(db, STUDY, 0, by=radiologist)
    db.commit()

    first, second = (study["report"] for study in page_of()["studies"])
    assert (first, second["signed_by"]) == (None, "Dr Ada Adams")
    shown = page_of("technologist")
    assert (shown["reports_shown"], shown["studies"][1]["report"]) == (False, None)


def test_a_former_id_leads_to_whom_the_patient_was_merged_into(receive, found, clinic, db, radiologist):
    receive("2.1", THIRD, PatientID="0815", PatientName="Other^Name")
    former, patient = clinic.patient_of("2.1"), clinic.patient_of(STUDY)
    archive.merge_patients(db, former, patient, reason="same person", by=access.operator("tester"))

    course = timeline.course_of(db, former, by=radiologist)

    assert course.patient.id == patient
    assert [study.uid for study in course.studies] == [PRIOR, STUDY, "2.1"]
    assert len(course.sightings) == 3


def test_nobody_and_an_administrator_are_kept_out(found, clinic, db, log_in):
    path = f"/api/patients/{clinic.patient_of(STUDY)}/timeline"
    db.commit()

    assert log_in().get(path).status_code == 401
    assert log_in("administrator").get(path).status_code == 403
    assert log_in("radiologist").get("/api/patients/unknown/timeline").status_code == 404


def test_the_number_of_statements_does_not_grow_with_the_line(receive, found, clinic, db, radiologist):
    patient = clinic.patient_of(STUDY)

    def statements():
        seen = []

        def note(*facts):
            seen.append(facts[2])

        event.listen(db, "before_cursor_execute", note)
        timeline.course_of(db, patient, by=radiologist)
        event.remove(db, "before_cursor_execute", note)
        return len(seen)

    before = statements()
    db.commit()
    more = [receive(f"3.{n}", f"2025{1 + n % 12:02}15", slices=1) for n in range(20)]
    for study in more:
        clinic.propose(study, 5.0, 6.0, 7.0)

    assert len(timeline.course_of(db, patient, by=radiologist).studies) == 22
    assert statements() == before
