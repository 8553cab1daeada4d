"""A patient's priors as held, and the comparison of a study with its prior."""

from dataclasses import replace

import pytest

from sightline.record import archive, timeline
from sightline.trust import access, audit
from tests.care.clinic import FIRST, SECOND, THIRD, change


def test_priors_are_the_earlier_studies_of_the_same_patient(receive, db):
    for uid, date in (("1.1", FIRST), ("1.2", SECOND), ("1.3", THIRD)):
        receive(uid, date)
    receive("1.4", FIRST, PatientID="another")
    receive("1.5", FIRST, StudyDescription="CT head", BodyPartExamined="HEAD")

    assert [p.study_uid for p in timeline.priors_of(db, "1.3")] == ["1.2", "1.1"]
    assert [p.study_uid for p in timeline.priors_of(db, "1.2")] == ["1.1"]
    assert timeline.priors_of(db, "1.1") == ()


def test_of_one_day_a_study_without_a_time_is_no_prior_and_has_none(receive, db, radiologist):
    receive("1.1", FIRST, StudyTime="080000")
    receive("1.2", FIRST, StudyTime="")

    assert timeline.priors_of(db, "1.1") == timeline.priors_of(db, "1.2") == ()
    with pytest.raises(timeline.NotAPrior):
        timeline.note_choice(db, "1.1", "1.2", by=radiologist)


def test_what_we_derived_does_not_change_the_modality_of_a_study(receive, db):
    receive("1.1", FIRST)
    receive("1.1", FIRST, series="1.1.2", slices=1, Modality="SEG")
    receive("1.1", FIRST, series="1.1.3", slices=1, Modality="OT")

    study = archive.get_study(db, "1.1")
    assert study.modalities == ("CT", "OT", "SEG")
    assert timeline.image_modality(study) == "CT"


def test_what_was_planned_on_a_scan_does_not_change_its_modality(receive, db):
    receive("1.1", FIRST)
    for n, modality in enumerate(("RTSTRUCT", "RTPLAN", "RTDOSE", "RTIMAGE", "RTRECORD"), 2):
        receive("1.1", FIRST, series=f"1.1.{n}", slices=1, Modality=modality)

    assert timeline.image_modality(archive.get_study(db, "1.1")) == "CT"


def test_a_study_of_secondary_captures_alone_keeps_their_modality(receive, db):
    receive("1.1", FIRST, Modality="OT")

    assert timeline.image_modality(archive.get_study(db, "1.1")) == "OT"


@pytest.mark.parametrize(
    ("description", "body_part", "exam"),
    [
        ("CT chest", "CHEST", "CT chest"),
        ("Chest low dose", "CHEST", "CT Chest low dose"),
        ("", "CHEST", "CT chest"),
        ("", "", "CT"),
    ],
)
def test_an_exam_is_named_as_a_person_says_it(receive, db, description, body_part, exam):
    receive("1.1", StudyDescription=description, BodyPartExamined=body_part)

    assert timeline.exam_of(archive.get_study(db, "1.1")) == exam


def test_a_comparison_is_read_back_as_it_was_kept(receive, clinic, db):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    [then], [now] = clinic.propose("1.1", 9.0), clinic.propose("1.2", 10.0)

    kept = clinic.compare("1.2", "1.1", change(now, then, "grown"), change(None, then, "vanished"))

    assert timeline.comparison_of(db, "1.2") == kept
    assert timeline.get_comparison(db, kept.id) == kept
    assert timeline.comparison_of(db, "1.1") is None


def test_a_comparison_that_is_made_again_replaces_the_one_before(receive, clinic, db):
    for uid, date in (("1.1", FIRST), ("1.2", SECOND), ("1.3", THIRD)):
        receive(uid, date)
    old = clinic.compare("1.3", "1.1")
    new = clinic.compare("1.3", "1.2", verdict="care")

    assert list(timeline.comparisons_of_patient(db, clinic.patient_of("1.3"))) == [new]
    with pytest.raises(timeline.ComparisonNotHeld, match="open the study again"):
        timeline.get_comparison(db, old.id)


def test_the_audit_names_prior_verdict_and_what_became_of_each_lesion(receive, clinic, db):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    [now] = clinic.propose("1.2", 10.0)
    clinic.compare("1.2", "1.1", change(now, None, "new"))

    entry = audit.trail(db, on="1.2")[0]
    assert (entry.act, entry.facts["prior"], entry.facts["verdict"]) == ("comparison.record", "1.1", "good")
    assert entry.facts["changes"] == [[now.id, "", "new"]]


def test_a_person_may_not_record_a_comparison_and_leaves_no_trace(receive, clinic, db, radiologist):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    kept = clinic.compare("1.2", "1.1")

    with pytest.raises(access.NotAllowed):
        timeline.record_comparison(db, replace(kept, days=1), by=radiologist)

    assert timeline.comparison_of(db, "1.2") == kept


def test_what_a_reader_puts_beside_a_study_by_hand_is_kept_once_and_told_of_others(receive, db, radiologist):
    for n in range(1, 4):  # three patients, each with an old and an older study
        receive(f"1.{n}.1", FIRST, PatientID=f"P{n}")
        receive(f"1.{n}.2", SECOND, PatientID=f"P{n}")
        receive(f"1.{n}.3", THIRD, PatientID=f"P{n}")
    for n in (1, 2):
        timeline.note_choice(db, f"1.{n}.3", f"1.{n}.1", by=radiologist)
    timeline.note_choice(db, "1.1.3", "1.1.1", by=radiologist)

    whys = [prior.why for prior in timeline.priors_of(db, "1.3.3")]
    assert all("readers chose such a one in 2 of 2" in why for why in whys)
    assert [e.act for e in audit.trail(db, on="1.1.3")].count("prior.choose") == 1
    assert "a reader chose it before" in timeline.priors_of(db, "1.1.2")[0].why


def test_what_was_chosen_beside_a_study_itself_does_not_count_for_it(receive, db, radiologist):
    for n in (1, 2):
        receive(f"1.{n}.1", FIRST, PatientID=f"P{n}")
        receive(f"1.{n}.2", SECOND, PatientID=f"P{n}")
    timeline.note_choice(db, "1.2.2", "1.2.1", by=radiologist)
    before = timeline.priors_of(db, "1.1.2")

    timeline.note_choice(db, "1.1.2", "1.1.1", by=radiologist)

    assert timeline.priors_of(db, "1.1.2") == before


def test_the_priors_of_several_studies_are_those_of_each(receive, clinic, db, radiologist):
    for study, date in (("1.1", FIRST), ("1.2", SECOND), ("1.3", THIRD)):
        receive(study, date)
    receive("1.4", THIRD, StudyDescription="MR head", BodyPartExamined="HEAD", Modality="MR")
    timeline.note_choice(db, "1.3", "1.1", by=radiologist)
    timeline.note_choice(db, "1.2", "1.1", by=radiologist)
    held = archive.studies_of_patient(db, clinic.patient_of("1.1"))

    found = timeline.priors_among(db, held, {"1.1", "1.2", "1.3", "1.4"})

    assert found == {uid: timeline.priors_of(db, uid) for uid in ("1.1", "1.2", "1.3", "1.4")}
    assert [prior.study_uid for prior in found["1.3"]] == ["1.1", "1.2"]
    assert timeline.priors_among(db, held, set()) == {}


def test_only_an_earlier_study_of_the_same_patient_can_be_chosen(receive, db, radiologist):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    receive("1.3", FIRST, PatientID="another")

    for study, prior in (("1.1", "1.2"), ("1.2", "1.3")):
        with pytest.raises(timeline.NotAPrior):
            timeline.note_choice(db, study, prior, by=radiologist)
    assert [e.act for e in audit.trail(db, on="1.2")].count("prior.choose") == 0


def test_choices_end_when_a_study_becomes_another_patients(receive, db, radiologist):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    receive("1.3", THIRD)
    timeline.note_choice(db, "1.2", "1.1", by=radiologist)
    assert any("chose it before" in prior.why for prior in timeline.priors_of(db, "1.3"))

    timeline.follow_patient(db, "1.1", "somebody else")

    assert all("chose" not in prior.why for prior in timeline.priors_of(db, "1.3"))
