"""A study that is corrected, moved or merged is compared anew, and so are those that it bears on."""

import pytest

from sightline.intelligence import routing
from sightline.record import archive, findings, timeline
from sightline.runtime import jobs
from sightline.trust import audit
from tests.care.clinic import FIRST, THIRD
from tests.intelligence.routing.test_chain import aligned
from tests.intelligence.routing.test_gone import OPERATOR, compared, comparison, worker

__all__ = ["aligned", "compared", "worker"]


@pytest.fixture
def correct(database, worker):
    """Return a function that corrects something and lets what follows from it happen."""

    def correct(how, *what):
        with database.transaction() as db:
            how(db, *what, reason="a test", by=OPERATOR)
        worker.drain(timeout_s=60)
        assert jobs.open_queue(database).counts()["failed"] == 0

    return correct


def lesions(database, *studies):
    with database.reading() as db:
        return [finding.lesion for study in studies for finding in findings.of_studies(db, study)]


def patient_of(database, study):
    with database.reading() as db:
        return archive.get_study(db, study).patient


def test_a_corrected_date_changes_how_long_ago_the_prior_is(compared, correct, database):
    assert comparison(database).days == 182

    correct(archive.edit_study, "1.1", {"StudyDate": "20250603"})
    assert comparison(database).days == 31
    assert "31 days earlier" in comparison(database).why

    correct(archive.edit_study, "1.2", {"StudyDate": "20250703"})
    assert comparison(database).days == 30


def test_a_prior_that_turns_out_to_be_the_later_is_compared_with_the_other(compared, correct, database):
    correct(archive.edit_study, "1.2", {"StudyDate": "20241231"})

    assert comparison(database, "1.2") is None
    assert comparison(database, "1.1").prior_uid == "1.2"
    assert len(set(lesions(database, "1.1", "1.2"))) == 1


@pytest.mark.parametrize("moved", ["1.1", "1.2"])
def test_a_study_that_moves_to_another_patient_ends_its_comparison_and_shares_no_lesion(
    compared, correct, moved, database
):
    assert len(set(lesions(database, "1.1", "1.2"))) == 1

    correct(archive.move_study, moved, archive.NewPatient("0815"))

    assert comparison(database) is None
    assert len(set(lesions(database, "1.1", "1.2"))) == 2
    with database.reading() as db:
        found = findings.of_patient(db, archive.get_study(db, moved).patient)
    assert [finding.study_uid for finding in found] == [moved]


def test_a_lesion_that_a_person_linked_is_parted_with_its_study(
    receive, clinic, correct, database, db, radiologist
):
    receive("1.1", FIRST)
    receive("1.2", THIRD, Modality="MR")  # no comparison links the two
    [then], [now] = clinic.propose("1.1", 9.0), clinic.propose("1.2", 9.0)
    findings.state_identity(db, findings.Identity.SAME, [then.id], [now.id], by=radiologist)
    routing.unify_again(db, then.patient)
    db.commit()
    assert len(set(lesions(database, "1.1", "1.2"))) == 1

    correct(archive.move_study, "1.1", archive.NewPatient("0815"))

    assert len(set(lesions(database, "1.1", "1.2"))) == 2


def test_what_was_compared_with_a_study_that_moves_takes_the_next_best(
    compared, receive, correct, database, worker
):
    receive("1.3", THIRD)
    with database.transaction() as db:
        archive.settle_now(db, ["1.3"])
    worker.drain(timeout_s=60)
    assert comparison(database, "1.3").prior_uid == "1.2"

    correct(archive.move_study, "1.2", archive.NewPatient("0815"))

    assert comparison(database, "1.3").prior_uid == "1.1"


def test_merged_patients_studies_are_compared_with_each_other(compared, receive, correct, database, worker):
    receive("1.0", "20240103", PatientID="0815")
    receive("1.3", THIRD, PatientID="0815")
    with database.transaction() as db:
        archive.settle_now(db, ["1.0", "1.3"])
    worker.drain(timeout_s=60)
    assert comparison(database, "1.3").prior_uid == "1.0"

    correct(archive.merge_patients, patient_of(database, "1.0"), patient_of(database, "1.1"))

    assert comparison(database, "1.1").prior_uid == "1.0"
    assert comparison(database, "1.2").prior_uid == "1.1"
    assert comparison(database, "1.3").prior_uid == "1.2"
    with database.reading() as db:
        held = timeline.comparisons_of_patient(db, archive.get_study(db, "1.1").patient)
    assert [one.study_uid for one in held] == ["1.1", "1.2", "1.3"]


def test_merging_a_patient_parts_no_lesion_on_the_way_and_undoing_it_parts_those_of_the_two(
    compared, receive, clinic, correct, database, db, radiologist
):
    receive("1.3", THIRD, PatientID="0815", Modality="MR")
    [other] = clinic.propose("1.3", 9.0)
    db.commit()
    before = lesions(database, "1.1", "1.2")
    old, into = patient_of(database, "1.1"), patient_of(database, "1.3")

    correct(archive.merge_patients, old, into)
    with database.reading() as reading:
        acts = [e.act for patient in (old, into) for e in audit.trail(reading, on=patient)]
    assert lesions(database, "1.1", "1.2") == before
    assert acts.count("lesion.unify") == 1, "when the two were first compared"

    [now] = findings.of_studies(db, "1.2")
    findings.state_identity(db, findings.Identity.SAME, [now.id], [other.id], by=radiologist)
    routing.unify_again(db, into)
    [told] = archive.corrections_of(db, "1.1")
    db.commit()
    assert len(set(lesions(database, "1.1", "1.2", "1.3"))) == 1

    correct(lambda db, number, reason, by: archive.undo(db, number, by=by), told.id)
    assert lesions(database, "1.1", "1.2") == before
    assert lesions(database, "1.3") != before[:1]


def test_a_study_given_to_a_patient_is_the_prior_of_their_later_one(
    receive, correct, database, worker, aligned
):
    receive("1.1", FIRST, PatientID="another")
    receive("1.2", THIRD)
    with database.transaction() as db:
        archive.settle_now(db, ["1.1", "1.2"])
    worker.drain(timeout_s=60)
    assert comparison(database) is None

    correct(archive.move_study, "1.1", archive.NewPatient("4711"))

    assert comparison(database).prior_uid == "1.1"
