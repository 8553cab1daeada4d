"""The same lesion has one tracking UID at all dates."""

import pytest
from pydicom.uid import UID

from sightline.record import findings
from sightline.trust import access, audit


def test_a_finding_that_is_linked_with_none_is_a_lesion_of_its_own(proposed):
    assert proposed.lesion == findings.own_lesion(proposed.id)
    assert UID(proposed.lesion).is_valid
    assert proposed.lesion.startswith("2.25.")


def test_linked_findings_get_one_uid_and_the_audit_says_which(db, propose):
    [then] = propose(run="run-1", study="1.2.3")
    [now] = propose(run="run-2", study="1.2.4")

    findings.unify_lesions(db, "ada1", {now.id: then.lesion}, by=access.SYSTEM)

    assert {f.lesion for f in findings.of_patient(db, "ada1")} == {then.lesion}
    [entry] = audit.trail(db, on="ada1")
    assert (entry.act, entry.facts["lesions"]) == ("lesion.unify", [[now.id, now.lesion, then.lesion]])


def test_saying_again_what_is_so_already_leaves_no_entry(db, propose):
    [then] = propose(run="run-1", study="1.2.3")

    findings.unify_lesions(db, "ada1", {then.id: then.lesion}, by=access.SYSTEM)

    assert audit.trail(db, on="ada1") == []


def test_two_lesions_can_change_places_without_becoming_one(db, propose):
    one, two = propose(2)

    findings.unify_lesions(db, "ada1", {one.id: two.lesion, two.id: one.lesion}, by=access.SYSTEM)

    held = {f.id: f.lesion for f in findings.of_patient(db, "ada1")}
    assert held == {one.id: two.lesion, two.id: one.lesion}


def test_findings_of_another_patient_are_never_touched(db, propose):
    [theirs] = propose(run="run-1", study="1.2.5", patient="bob1")

    findings.unify_lesions(db, "ada1", {theirs.id: "2.25.1"}, by=access.SYSTEM)

    assert findings.get_finding(db, theirs.id) == theirs


def test_a_person_may_not_link_and_leaves_no_trace(db, proposed, technologist):
    with pytest.raises(access.NotAllowed):
        findings.unify_lesions(db, "ada1", {proposed.id: "2.25.1"}, by=technologist)

    assert findings.get_finding(db, proposed.id) == proposed
    assert audit.trail(db, on="ada1") == []
