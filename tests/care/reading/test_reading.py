"""Opening a study with what belongs beside it, and a person's word on its findings."""

import pytest
from sqlalchemy import text

from sightline.care import reading, reporting, worklist
from sightline.care.timeline import course_of
from sightline.record import findings, timeline
from sightline.record.findings import Correction, Decision, State
from sightline.trust import access, audit
from tests.care.clinic import FIRST, SECOND, THIRD, change

STUDY, PRIOR = "1.2", "1.1"

pytestmark = pytest.mark.usefixtures("reads")


@pytest.fixture
def received(receive):
    receive(PRIOR, FIRST)
    receive(STUDY, SECOND)


@pytest.fixture
def found(received, clinic, db):
    """A nodule that grew, and one that vanished."""
    then, gone = clinic.propose(PRIOR, 8.0, 6.0)
    [now] = clinic.propose(STUDY, 12.0)
    clinic.compare(STUDY, PRIOR, change(now, then, "grown"), change(None, gone, "vanished"))
    patient = clinic.patient_of(STUDY)
    findings.unify_lesions(db, patient, {now.id: then.lesion}, by=access.SYSTEM)
    worklist.refresh_entry(db, STUDY)
    return findings.get_finding(db, now.id)


def published(db, name):
    return db.scalar(text("select count(*) from events where name = :name"), {"name": name})


def test_a_study_is_opened_with_prior_change_findings_and_place(found, db, radiologist):
    opened = reading.open_study(db, STUDY, by=radiologist)

    assert opened.study.uid == STUDY
    assert opened.shown == reading.Shown("1.2.1", (-600.0, 1500.0), "the series with most images")
    assert opened.prior is not None
    assert opened.prior[0].uid == PRIOR
    assert opened.prior_shown is not None
    assert [f.id for f in opened.found] == [found.id]
    assert [f.study_uid for f in opened.lines[found.lesion]] == [PRIOR, STUDY]
    assert opened.entry is not None
    assert opened.entry.reason == "nodule grown since then"
    assert (opened.before, opened.after) == (None, None)
    assert sorted(opened.dates) == [PRIOR, STUDY]


def test_what_is_opened_stands_in_the_audit_trail_and_what_was_refused_does_not(
    found, clinic, reads, db, radiologist
):
    db.commit()
    patient = clinic.patient_of(STUDY)
    reading.open_study(db, STUDY, by=radiologist)
    course_of(db, patient, by=radiologist)
    administrator = access.Person("a", "A", "a", frozenset({"administrator"}), "main")
    for _ in range(2):
        with pytest.raises(access.NotAllowed):
            reading.open_study(db, PRIOR, by=administrator)
    db.rollback()

    reads.flush()

    seen = [(e.act, e.by, e.on) for e in audit.trail(db, limit=2)]
    assert sorted(seen) == [("patient.open", "p1", patient), ("study.open", "p1", STUDY)]


def test_a_study_without_a_prior_opens_alone(receive, db, radiologist):
    receive(STUDY)
    opened = reading.open_study(db, STUDY, by=radiologist)

    assert (opened.prior, opened.prior_shown, opened.comparison, list(opened.found)) == (None, None, None, [])


def test_before_anything_is_compared_the_best_prior_stands_beside(receive, db, radiologist):
    for study, date in (("1.1", FIRST), ("1.2", SECOND), ("1.3", THIRD)):
        receive(study, date)

    opened = reading.open_study(db, "1.3", by=radiologist)

    assert opened.prior is not None
    assert opened.prior[0].uid == "1.2"
    assert [study.uid for study, _ in opened.priors] == ["1.2", "1.1"]


def test_the_prior_that_was_compared_stands_beside_even_if_a_nearer_one_came_since(
    receive, clinic, db, radiologist
):
    for study, date in (("1.1", FIRST), ("1.2", SECOND), ("1.3", THIRD)):
        receive(study, date)
    clinic.compare("1.3", "1.1")

    opened = reading.open_study(db, "1.3", by=radiologist)

    assert opened.prior is not None
    assert opened.prior[0].uid == "1.1"


def test_who_may_not_read_images_does_not_open_a_study(received, db):
    administrator = access.Person("a", "A", "a", frozenset({"administrator"}), "main")

    with pytest.raises(access.NotAllowed):
        reading.open_study(db, STUDY, by=administrator)


@pytest.mark.parametrize(
    ("decision", "reason", "again"),
    [(Decision.ACCEPT, "nodule grown since then", 0), (Decision.REJECT, "1 gone", 1)],
)
def test_a_decision_places_the_study_anew_and_compares_again_who_is_left_out(
    found, db, radiologist, decision, reason, again
):
    decided = reading.decide(db, found.id, decision, by=radiologist)

    assert decided.decided_by == "p1"
    assert worklist.get_entry(db, STUDY).reason == reason
    assert published(db, "FindingsChanged") == again


def test_a_rejection_that_is_taken_back_brings_the_reason_back(found, db, radiologist):
    reading.decide(db, found.id, Decision.REJECT, by=radiologist)
    undone = reading.decide(db, found.id, Decision.UNDO, by=radiologist)

    assert undone == found
    assert worklist.get_entry(db, STUDY).reason == "nodule grown since then"
    assert published(db, "FindingsChanged") == 2


def test_a_corrected_size_places_a_study_without_a_prior_anew(receive, clinic, db, radiologist):
    receive(STUDY)
    [finding] = clinic.propose(STUDY, 12.0)
    worklist.refresh_entry(db, STUDY)
    assert worklist.get_entry(db, STUDY).urgency == "soon"

    reading.correct(db, finding.id, Correction(long_axis_mm=5, short_axis_mm=4), by=radiologist)

    assert worklist.get_entry(db, STUDY).urgency == "routine"
    assert published(db, "FindingsChanged") == 1


def test_once_the_report_is_signed_its_findings_do_not_change(found, store, db, radiologist):
    reading.decide(db, found.id, Decision.ACCEPT, by=radiologist)
    reporting.sign_report(db, STUDY, 0, by=radiologist)
    kept = findings.get_finding(db, found.id)

    for decision in Decision:
        with pytest.raises(reporting.ReportAlreadySigned, match="findings cannot change"):
            reading.decide(db, found.id, decision, by=radiologist)
    with pytest.raises(reporting.ReportAlreadySigned):
        reading.correct(db, found.id, Correction(long_axis_mm=15), by=radiologist)

    assert findings.get_finding(db, found.id) == kept
    assert len(findings.trail_of(db, found.id)) == 1


def test_the_prior_of_a_signed_study_is_still_open_to_decisions(found, clinic, db, radiologist):
    reporting.sign_report(db, STUDY, 0, by=radiologist)
    [then, _] = findings.of_studies(db, PRIOR)

    assert reading.decide(db, then.id, Decision.ACCEPT, by=radiologist).state is State.ACCEPTED


@pytest.mark.parametrize("act", ["decide", "correct"])
def test_a_technologist_may_not_and_leaves_no_trace(found, store, db, technologist, act):
    db.commit()
    acts = {
        "decide": lambda: reading.decide(db, found.id, Decision.ACCEPT, by=technologist),
        "correct": lambda: reading.correct(db, found.id, Correction(long_axis_mm=15), by=technologist),
    }

    with pytest.raises(access.NotAllowed, match="needs the role radiologist"):
        acts[act]()

    assert findings.get_finding(db, found.id) == found
    assert len(findings.of_studies(db, STUDY)) == 1
    assert audit.trail(db, on=found.id) == []


def test_a_comparison_whose_alignment_failed_has_no_field(received, clinic, store, db, radiologist):
    comparison = clinic.compare(STUDY, PRIOR, verdict="failed")

    with pytest.raises(reading.NoAlignment, match="could not be aligned"):
        reading.field_of(store, db, comparison.id, by=radiologist)
    with pytest.raises(timeline.ComparisonNotHeld):
        reading.field_of(store, db, "unknown", by=radiologist)


def test_an_outline_is_given_with_its_finding_and_to_nobody_else(found, db, radiologist):
    finding, outline = reading.outline_of(db, found.id, by=radiologist)

    assert finding == found
    assert outline["long_axis"] == [[2.0, 2.0, 10.0], [14.0, 2.0, 10.0]]
    with pytest.raises(access.NotAllowed):
        reading.outline_of(
            db, found.id, by=access.Person("a", "A", "a", frozenset({"administrator"}), "main")
        )
