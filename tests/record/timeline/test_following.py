"""After a correction, what was found and compared is with the patient whose study it is."""

from sightline.record import archive, findings, timeline
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND, change

ARCHIVIST = access.operator("archivist")


def follow(db, uid):
    patient = archive.get_study(db, uid).patient
    findings.follow_patient(db, uid, patient)
    timeline.follow_patient(db, uid, patient)
    return patient


def test_merged_patients_have_one_timeline_with_both_studies(receive, clinic, db):
    receive("1.1", FIRST, PatientID="4711")
    receive("1.2", SECOND, PatientID="4712")
    [found] = clinic.propose("1.1", 9.0)
    old, new = clinic.patient_of("1.1"), clinic.patient_of("1.2")

    archive.merge_patients(db, old, new, reason="", by=ARCHIVIST)
    follow(db, "1.1")

    assert [s.uid for s in archive.studies_of_patient(db, new)] == ["1.2", "1.1"]
    assert [p.study_uid for p in timeline.priors_of(db, "1.2")] == ["1.1"]
    assert [f.id for f in findings.of_patient(db, new)] == [found.id]


def test_a_study_that_moves_away_takes_its_findings_and_its_comparison_along(receive, clinic, db):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    [then], [now] = clinic.propose("1.1", 9.0), clinic.propose("1.2", 10.0)
    old = clinic.patient_of("1.2")
    clinic.compare("1.2", "1.1", change(now, then, "grown"))

    archive.move_study(db, "1.2", archive.NewPatient("0815"), reason="", by=ARCHIVIST)
    patient = follow(db, "1.2")

    assert [f.id for f in findings.of_patient(db, patient)] == [now.id]
    assert timeline.comparisons_of_patient(db, old) == []
    assert timeline.priors_of(db, "1.2") == ()
