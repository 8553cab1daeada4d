"""A person's word on a finding: accept, reject, take back, mark."""

import pytest

from sightline.record import findings
from sightline.record.findings import Decision, State
from sightline.trust import access, audit


def decide(db, finding, decision, by, **options):
    return findings.decide_finding(db, finding.id, decision, by=by, **options)


@pytest.mark.parametrize(
    ("decision", "state"), [(Decision.ACCEPT, State.ACCEPTED), (Decision.REJECT, State.REJECTED)]
)
def test_a_decision_has_a_person_a_moment_and_a_row_of_its_own(db, proposed, radiologist, decision, state):
    decided = decide(db, proposed, decision, radiologist)

    assert decided.state is state
    assert (decided.decided_by, decided.decided_by_name) == ("p1", "Dr Ada Adams")
    assert findings.get_finding(db, proposed.id) == decided
    [row] = findings.trail_of(db, proposed.id)
    assert (row["decision"], row["by"], row["before"]["state"]) == (decision, "p1", "proposed")
    assert audit.trail(db, on=proposed.id)[0].act == f"finding.{decision}"


def test_only_what_a_person_accepted_or_edited_counts(db, propose, radiologist):
    one, two, three, four = propose(4)
    decide(db, two, Decision.ACCEPT, radiologist)
    decide(db, three, Decision.REJECT, radiologist)
    findings.correct_finding(db, four.id, findings.Correction(long_axis_mm=11), by=radiologist)

    assert [f.counts for f in findings.of_studies(db, "1.2.3")] == [False, True, False, True]
    assert one.state is State.PROPOSED


def test_a_technologist_may_not_decide_and_leaves_no_trace(db, proposed, technologist):
    with pytest.raises(access.NotAllowed):
        decide(db, proposed, Decision.ACCEPT, technologist)

    assert findings.get_finding(db, proposed.id) == proposed
    assert findings.trail_of(db, proposed.id) == []
    assert audit.trail(db, on=proposed.id) == []


def test_what_a_newer_run_replaced_cannot_be_decided_any_more(db, propose, radiologist):
    [old] = propose(run="run-1")
    propose(run="run-2")

    for decision in Decision:
        with pytest.raises((findings.AlreadySuperseded, findings.NothingToUndo)):
            decide(db, old, decision, radiologist)
    with pytest.raises(findings.AlreadySuperseded, match="newer run replaced"):
        findings.correct_finding(db, old.id, findings.Correction(long_axis_mm=11), by=radiologist)

    assert findings.get_finding(db, old.id).state is State.SUPERSEDED
    assert findings.trail_of(db, old.id) == []


def test_the_reason_is_kept_beside_the_decision_and_not_in_the_audit(db, proposed, radiologist):
    decide(db, proposed, Decision.REJECT, radiologist, reason="a vessel\x00 of\nMrs Brown")

    assert findings.trail_of(db, proposed.id)[0]["reason"] == "a vessel of Mrs Brown"
    [entry] = audit.trail(db, on=proposed.id)
    assert entry.facts["noted"] is True
    assert "Brown" not in str(entry.facts)


def test_undo_takes_a_first_decision_back_to_the_proposal(db, proposed, radiologist):
    decide(db, proposed, Decision.ACCEPT, radiologist)

    assert decide(db, proposed, Decision.UNDO, radiologist) == proposed
    assert [row["decision"] for row in findings.trail_of(db, proposed.id)] == ["accept", "undo"]
    assert audit.trail(db, on=proposed.id)[0].act == "finding.undo"


def test_undo_takes_back_one_word_at_a_time(db, proposed, radiologist):
    measured = findings.Correction(long_axis_mm=12, label="left lung, nodule", note="spiculated")
    edited = findings.correct_finding(db, proposed.id, measured, by=radiologist)
    decide(db, proposed, Decision.REJECT, radiologist)

    again = decide(db, proposed, Decision.UNDO, radiologist)
    assert (again.state, again.label, again.note) == (State.EDITED, "left lung, nodule", "spiculated")
    assert again.values == edited.values
    assert (again.decided_by, again.decided_by_name) == ("p1", "Dr Ada Adams")

    assert decide(db, proposed, Decision.UNDO, radiologist) == proposed


def test_undo_after_undo_and_a_new_decision_still_finds_its_way(db, proposed, radiologist):
    for decision in (Decision.ACCEPT, Decision.UNDO, Decision.REJECT, Decision.ACCEPT, Decision.UNDO):
        last = decide(db, proposed, decision, radiologist)

    assert last.state is State.REJECTED
    assert decide(db, proposed, Decision.UNDO, radiologist) == proposed


def test_there_is_nothing_to_take_back_where_nobody_decided(db, proposed, radiologist):
    decide(db, proposed, Decision.ACCEPT, radiologist)
    decide(db, proposed, Decision.UNDO, radiologist)

    with pytest.raises(findings.NothingToUndo, match="nothing to take back"):
        decide(db, proposed, Decision.UNDO, radiologist)

    assert findings.get_finding(db, proposed.id) == proposed
    assert len(findings.trail_of(db, proposed.id)) == 2


def test_accepting_an_edited_finding_leaves_it_edited(db, proposed, radiologist):
    findings.correct_finding(db, proposed.id, findings.Correction(label="granuloma"), by=radiologist)

    assert decide(db, proposed, Decision.ACCEPT, radiologist).state is State.EDITED


def test_a_mark_counts_at_once_by_the_word_of_the_person_who_made_it(db, nodule, propose, radiologist):
    propose(1)
    marked = findings.mark_finding(db, "1.2.3", "ada1", nodule(), by=radiologist)

    assert marked.counts
    assert marked.number == 2
    assert marked.source.kind is findings.SourceKind.PERSON
    assert marked.decided_by == "p1"
    assert findings.get_finding(db, marked.id) == marked
    assert audit.trail(db, on=marked.id)[0].act == "finding.mark"
    assert findings.trail_of(db, marked.id)[0]["decision"] == "mark"


def test_two_marks_at_one_place_are_two_findings(db, nodule, radiologist):
    one, two = (findings.mark_finding(db, "1.2.3", "ada1", nodule(), by=radiologist) for _ in range(2))

    assert (one.number, two.number) == (1, 2)
    assert one.lesion != two.lesion


def test_a_mark_that_is_taken_back_no_longer_counts(db, nodule, radiologist):
    marked = findings.mark_finding(db, "1.2.3", "ada1", nodule(), by=radiologist)

    assert decide(db, marked, Decision.UNDO, radiologist).state is State.REJECTED
    with pytest.raises(findings.NothingToUndo):
        decide(db, marked, Decision.UNDO, radiologist)


def test_a_corrected_mark_goes_back_to_the_mark_first(db, nodule, radiologist):
    marked = findings.mark_finding(db, "1.2.3", "ada1", nodule(), by=radiologist)
    findings.correct_finding(db, marked.id, findings.Correction(long_axis_mm=12), by=radiologist)

    undone = decide(db, marked, Decision.UNDO, radiologist)

    assert undone.counts
    assert undone.values == marked.values


def test_a_newer_run_of_the_model_leaves_a_mark_alone(db, nodule, propose, radiologist):
    marked = findings.mark_finding(db, "1.2.3", "ada1", nodule(), by=radiologist)
    findings.decide_finding(db, marked.id, Decision.UNDO, by=radiologist)
    findings.decide_finding(db, marked.id, Decision.ACCEPT, by=radiologist)
    propose(1, run="run-2")

    assert findings.get_finding(db, marked.id).counts


def test_a_technologist_may_not_mark_and_leaves_no_trace(db, nodule, technologist):
    with pytest.raises(access.NotAllowed):
        findings.mark_finding(db, "1.2.3", "ada1", nodule(), by=technologist)

    assert findings.of_studies(db, "1.2.3") == []
    assert audit.trail(db) == []
