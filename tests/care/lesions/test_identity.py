"""What a person says of findings of two dates: what can be said, what it replaces, how it is taken back."""

import pytest

from sightline.record import findings
from sightline.record.findings import Identity
from sightline.trust import access, audit

THEN, NOW = "1.1", "1.2"


@pytest.fixture
def found(receive, clinic):
    """Two findings then, two now, of one patient; there are a third study, and a study of somebody else."""
    receive(THEN)
    receive(NOW)
    receive("1.3")
    receive("1.9", PatientID="other", PatientName="Other^One")
    return [*clinic.propose(THEN, 8.0, 6.0), *clinic.propose(NOW, 9.0, 7.0)]


def standing(db, found):
    return [(s.identity, s.earlier, s.later) for s in findings.statements_of(db, found[0].patient)]


def test_what_is_said_stands_with_a_name_and_in_the_trail(found, db, radiologist):
    a, _, c, _ = found

    said = findings.state_identity(db, Identity.SAME, [a.id], [c.id], by=radiologist)

    assert standing(db, found) == [(Identity.SAME, (a.id,), (c.id,))]
    assert said.by_name == radiologist.name
    [entry] = audit.trail(db, on=c.id)
    assert entry.act == "lesion.same"


def test_the_same_finding_linked_anew_replaces_the_link_and_taking_it_back_restores_it(
    found, db, radiologist
):
    a, b, c, _ = found
    findings.state_identity(db, Identity.SAME, [a.id], [c.id], by=radiologist)
    said = findings.state_identity(db, Identity.SAME, [b.id], [c.id], by=radiologist)
    assert standing(db, found) == [(Identity.SAME, (b.id,), (c.id,))]

    findings.withdraw_identity(db, said.id, by=radiologist)

    assert standing(db, found) == [(Identity.SAME, (a.id,), (c.id,))]
    with pytest.raises(findings.LinkNotHeld, match="taken back already"):
        findings.withdraw_identity(db, said.id, by=radiologist)


def test_a_merge_replaces_the_single_link_and_a_later_no_replaces_the_merge(found, db, radiologist):
    a, b, c, _ = found
    findings.state_identity(db, Identity.SAME, [a.id], [c.id], by=radiologist)
    findings.state_identity(db, Identity.MERGED, [a.id, b.id], [c.id], by=radiologist)
    assert [s[0] for s in standing(db, found)] == [Identity.MERGED]

    findings.state_identity(db, Identity.DIFFERENT, [a.id], [c.id], by=radiologist)

    assert [s[0] for s in standing(db, found)] == [Identity.DIFFERENT]


@pytest.mark.parametrize(
    ("identity", "earlier", "later"),
    [
        (Identity.SAME, [0, 1], [2]),
        (Identity.MERGED, [0], [2]),
        (Identity.MERGED, [0, 0], [2]),
        (Identity.SPLIT, [0], [2]),
        (Identity.SPLIT, [0, 1], [2, 3]),
        (Identity.SAME, [0], [1]),
        (Identity.MERGED, [0, 2], [3]),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(found, db, radiologist, identity, earlier, later):
    with pytest.raises(findings.UnusableLink):
        findings.state_identity(
            db, identity, [found[i].id for i in earlier], [found[i].id for i in later], by=radiologist
        )

    assert standing(db, found) == []


def test_what_contradicts_an_earlier_word_over_three_dates_is_refused(found, clinic, db, radiologist):
    a, b, c, _ = found
    [later] = clinic.propose("1.3", 9.0)
    findings.state_identity(db, Identity.SAME, [a.id], [c.id], by=radiologist)
    findings.state_identity(db, Identity.SAME, [c.id], [later.id], by=radiologist)

    with pytest.raises(findings.ContradictsEarlierWord, match="Take the earlier link back first"):
        findings.state_identity(db, Identity.SAME, [b.id], [later.id], by=radiologist)

    assert len(standing(db, found)) == 2


def test_findings_of_two_patients_are_never_linked(found, clinic, db, radiologist):
    [other] = clinic.propose("1.9", 9.0)

    with pytest.raises(findings.UnusableLink, match="different patients"):
        findings.state_identity(db, Identity.SAME, [found[0].id], [other.id], by=radiologist)


def test_a_technologist_may_not_and_leaves_no_trace(found, db, technologist):
    with pytest.raises(access.NotAllowed):
        findings.state_identity(db, Identity.SAME, [found[0].id], [found[2].id], by=technologist)

    assert standing(db, found) == []
