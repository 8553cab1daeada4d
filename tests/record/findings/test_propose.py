"""What a run of a model proposes, and what becomes of earlier runs."""

import pytest

from sightline.record import findings
from sightline.record.findings import Decision, State
from sightline.trust import access, audit


def test_a_run_gives_numbered_proposals_that_name_what_they_rest_on(db, propose):
    one, two = propose(2)

    assert [one.number, two.number] == [1, 2]
    assert {one.state, two.state} == {State.PROPOSED}
    assert one.source == findings.Source(
        findings.SourceKind.MODEL, "chest-ct-nodules", "1.0.0", "run-1", "aa", "bb"
    )
    assert one.lesion != two.lesion
    assert findings.get_finding(db, one.id) == one


def test_what_was_proposed_is_read_back_to_the_last_digit(db, proposed, nodule):
    held = findings.get_finding(db, proposed.id)

    assert held.values == held.proposed == nodule().values
    assert held.centre_lps_mm == nodule().centre_lps_mm
    assert findings.get_outline(db, proposed.id)["slices"][0][0] == "1.2.3.1.7"


def test_the_same_run_again_changes_nothing(db, propose):
    first = propose(2)
    entries = len(audit.trail(db))

    assert propose(2) == first
    assert len(findings.of_studies(db, "1.2.3")) == 2
    assert len(audit.trail(db)) == entries


def test_the_audit_says_model_run_inputs_and_values(db, proposed):
    [entry] = audit.trail(db, on="1.2.3")

    assert (entry.act, entry.by) == ("finding.propose", "system")
    assert entry.facts["run"] == "run-1"
    assert entry.facts["inputs_sha256"] == "aa"
    assert entry.facts["findings"][0]["values"]["volume"]["value"] == 400.0


def test_a_person_may_not_propose_in_place_of_a_model(db, model, nodule, radiologist):
    with pytest.raises(access.NotAllowed):
        findings.propose_findings(db, "1.2.3", "ada1", model(), [nodule()], by=radiologist)

    assert findings.of_studies(db, "1.2.3") == []
    assert audit.trail(db) == []


def test_a_newer_run_replaces_what_nobody_decided_and_says_so(db, propose):
    old = propose(2, run="run-1")
    new = propose(1, run="run-2")

    assert findings.of_studies(db, "1.2.3") == new
    assert {findings.get_finding(db, f.id).state for f in old} == {State.SUPERSEDED}
    [superseded] = [e for e in audit.trail(db, on="1.2.3") if e.act == "finding.supersede"]
    assert sorted(superseded.facts["findings"]) == sorted(f.id for f in old)


def test_a_newer_run_that_finds_nothing_replaces_too(db, propose):
    propose(2, run="run-1")

    assert propose(0, run="run-2") == []
    assert findings.of_studies(db, "1.2.3") == []


@pytest.mark.parametrize("decision", [Decision.ACCEPT, Decision.REJECT])
def test_what_a_person_decided_outlives_a_newer_run_under_its_number(db, propose, radiologist, decision):
    one, two = propose(2, run="run-1")
    decided = findings.decide_finding(db, two.id, decision, by=radiologist)

    [new] = propose(1, run="run-2")

    assert findings.get_finding(db, two.id) == decided
    assert decided.number == 2
    assert new.number == 3
    assert findings.get_finding(db, one.id).state is State.SUPERSEDED


def test_a_run_on_another_study_leaves_this_one_alone(db, propose):
    here = propose(1, run="run-1")
    propose(1, run="run-2", study="1.2.4")

    assert findings.of_studies(db, "1.2.3") == here


def test_another_model_does_not_replace_this_one(db, propose, nodule):
    here = propose(1)
    other = findings.Source(findings.SourceKind.MODEL, "other", "1", "run-x")
    findings.propose_findings(db, "1.2.3", "ada1", other, [nodule()], by=access.SYSTEM)

    assert [f.number for f in findings.of_studies(db, "1.2.3")] == [1, 2]
    assert findings.get_finding(db, here[0].id).state is State.PROPOSED


def test_an_unknown_finding_is_not_held(db):
    with pytest.raises(findings.FindingNotHeld, match="is not held"):
        findings.get_finding(db, "00")
    with pytest.raises(findings.FindingNotHeld):
        findings.get_outline(db, "00")
