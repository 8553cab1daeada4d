"""A person's word on which lesions are one comes before what alignment says."""

import numpy as np
import pytest

from sightline.intelligence.routing._following import _known_change
from sightline.record import findings
from sightline.record.findings import Identity
from tests.intelligence.routing.test_comparing import LEFT_PLACE, RIGHT_PLACE, Patient, patient, unmoved

__all__ = ["patient"]

NEAR = (21.0, 30.0, 30.0)


def changes(patient: Patient, alignment=None):
    told = patient.compare("1.2", "1.1", alignment).changes
    return {(c.current, c.prior): c for c in told}


def test_a_lesion_that_is_said_to_be_another_is_new_and_has_its_own_identity(patient, radiologist):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    [now] = patient.find("1.2", (LEFT_PLACE, 9.0))
    said = findings.state_identity(patient.db, Identity.DIFFERENT, [then.id], [now.id], by=radiologist)

    told = changes(patient)

    new = told[(now.id, None)]
    assert (new.kind, new.said, new.said_by, new.statement) == ("new", "different", "Dr Ada Adams", said.id)
    assert new.reason.startswith("Dr Ada Adams said that it is not the lesion")
    assert told[(None, then.id)].kind == "vanished"
    assert patient.lesion(now) != patient.lesion(then)


def test_what_a_person_linked_is_one_lesion_however_far_apart(patient, radiologist):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    [now] = patient.find("1.2", (RIGHT_PLACE, 8.0))
    findings.state_identity(patient.db, Identity.SAME, [then.id], [now.id], by=radiologist)

    [change] = patient.compare("1.2", "1.1").changes

    assert (change.kind, change.linked, change.said) == ("stable", True, "same")
    assert change.reason.startswith("Dr Ada Adams said that it is the same lesion. Volume change")
    assert patient.lesion(now) == patient.lesion(then)


def test_a_person_may_link_where_alignment_failed_or_could_not_be_made(patient, radiologist):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    [now] = patient.find("1.2", (RIGHT_PLACE, 12.0))
    findings.state_identity(patient.db, Identity.SAME, [then.id], [now.id], by=radiologist)

    [failed] = patient.compare("1.2", "1.1", unmoved("failed")).changes
    [none] = patient.compare("1.2", "1.1", "the two could not be read").changes

    assert (failed.kind, failed.linked) == ("grown", True)
    assert (none.linked, none.said) == (True, "same")
    assert patient.lesion(now) == patient.lesion(then)


def test_two_lesions_that_merged_are_compared_by_their_sum_and_the_one_is_a_lesion_of_its_own(
    patient, radiologist
):
    """Spheres of 10 mm, twice: 2 x 523.6 mm3; one of 12.6 mm: 1047.4 mm3, as much."""
    one, two = patient.find("1.1", (LEFT_PLACE, 10.0), (NEAR, 10.0))
    [now] = patient.find("1.2", ((18.0, 30.0, 30.0), 12.6))
    findings.state_identity(patient.db, Identity.MERGED, [one.id, two.id], [now.id], by=radiologist)

    [change] = patient.compare("1.2", "1.1").changes

    assert (change.current, change.kind, change.said, change.linked) == (now.id, "stable", "merged", False)
    assert change.percent == pytest.approx(100 * (12.6**3 / (2 * 10.0**3) - 1))
    assert change.text == "nodules: 2 merged into one, together stable since 3 January 2025"
    assert len({patient.lesion(f) for f in (one, two, now)}) == 3
    [kept] = findings.statements_of(patient.db, patient.clinic.patient_of("1.2"))
    assert kept.earlier == (one.id, two.id)
    told = _known_change(
        change, {f.id: f for f in (one, two, now)}, {"1.1": "2025-01-03", "1.2": "2025-07-04"}
    )
    assert (told.link, told.kind) == ("merged", "stable")


def test_a_lesion_that_split_is_compared_with_the_sum_of_its_parts(patient, radiologist):
    [then] = patient.find("1.1", (LEFT_PLACE, 12.0))
    one, two = patient.find("1.2", (LEFT_PLACE, 10.0), (NEAR, 10.0))
    findings.state_identity(patient.db, Identity.SPLIT, [then.id], [one.id, two.id], by=radiologist)

    told = patient.compare("1.2", "1.1").changes

    assert {c.current for c in told} == {one.id, two.id}
    assert [c.percent for c in told] == pytest.approx([100 * (2 * 10.0**3 / 12.0**3 - 1)] * 2)
    assert len({patient.lesion(f) for f in (then, one, two)}) == 3


def test_what_is_linked_at_other_dates_does_not_join_what_a_person_told_apart(patient, radiologist):
    [one], [two], _ = (patient.find(study, (LEFT_PLACE, 8.0)) for study in ("1.1", "1.2", "1.3"))
    findings.state_identity(patient.db, Identity.DIFFERENT, [one.id], [two.id], by=radiologist)

    for study, prior in (("1.2", "1.1"), ("1.3", "1.2"), ("1.3", "1.1")):
        patient.compare(study, prior)

    assert patient.lesion(one) != patient.lesion(two)


def test_two_findings_of_one_study_are_never_one_lesion(patient):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    one, two = patient.find("1.2", (LEFT_PLACE, 8.0), (RIGHT_PLACE, 8.0))
    held = findings.of_patient(patient.db, patient.clinic.patient_of("1.2"))

    lesions = findings.lesions_of(held, [(one.id, then.id), (two.id, then.id)])

    assert lesions[one.id] == lesions[then.id] != lesions[two.id]


def test_the_limits_that_were_applied_are_told_with_their_source(patient):
    """QIBA small nodule, 8 and 12 mm at 1 mm slices: CV .19 and .11, so 1.96 sqrt(s1^2 + s2^2) on the log."""
    patient.find("1.1", (LEFT_PLACE, 8.0))
    patient.find("1.2", (LEFT_PLACE, 12.0))

    [change] = patient.compare("1.2", "1.1").changes

    spread = 1.96 * np.hypot(*(np.sqrt(np.log1p(cv**2)) for cv in (0.19, 0.11)))
    assert change.limits is not None
    assert change.limits["high"] == pytest.approx(100 * np.expm1(spread))
    assert change.limits["low"] == pytest.approx(100 * np.expm1(-spread))
    assert (change.limits["size_low_mm"], change.limits["size_high_mm"]) == (7.5, 12.5)
    assert (change.limits["slice_mm"], change.limits["max_slice_mm"]) == (1.0, 1.25)
    assert "QIBA" in change.limits["source"]
    assert change.limits["added"] == ()
