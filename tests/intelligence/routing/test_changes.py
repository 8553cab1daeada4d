"""A person's word on which lesions are one comes before what alignment says."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.intelligence.routing import ChangeAnswer
from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing._following import StudyChange, _known_change
from sightline.kernel.quantities import Quantity
from sightline.record import findings
from sightline.record.findings import Identity
from sightline.science.segmentation import UNEDITED
from tests.intelligence.routing.test_comparing import (
    GEOMETRY,
    LEFT_PLACE,
    RIGHT_PLACE,
    Patient,
    patient,
    unmoved,
)

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


def by_hand(patient, radiologist, study, mm, **other):
    """Mark a sphere as a person does: by one click, unless it is said otherwise."""
    found = patient._sphere(study, f"click-{study}", 0, LEFT_PLACE, mm)
    clicked = Quantity(found.values["volume"].value, "mm3", f"sum of geodesic, {UNEDITED}")
    found = replace(found, kind="lesion", values=found.values | {"volume": clicked}, **other)
    ada = patient.clinic.patient_of(study)
    return findings.mark_finding(patient.db, study, ada, found, by=radiologist)


def test_lesions_clicked_at_two_dates_and_never_corrected_prove_no_growth(patient, radiologist):
    by_hand(patient, radiologist, "1.1", 20.0)
    by_hand(patient, radiologist, "1.2", 40.0)

    [change] = patient.compare("1.2", "1.1").changes

    assert (change.kind, change.linked, change.limits) == ("cannot-tell", True, None)
    assert change.percent == pytest.approx(700)
    assert "Correct both masks" in change.reason


@pytest.mark.parametrize("modality", ["MR", "PT"])
def test_figures_of_ct_judge_no_other_modality(patient, radiologist, modality):
    patient.find("1.1", (LEFT_PLACE, 8.0))
    patient.find("1.2", (LEFT_PLACE, 12.0))

    comparison, _ = comparing.build_comparison(
        patient.db, patient.blobs, patient.pair("1.2", "1.1"), unmoved(), replace(GEOMETRY, modality=modality)
    )

    [change] = comparison.changes
    assert (change.kind, change.linked, change.limits) == ("cannot-tell", True, None)
    assert f"For {modality}" in change.reason


def test_what_was_measured_in_a_series_that_was_not_aligned_is_not_judged_by_its_slices(patient, radiologist):
    [then] = patient.find("1.1", (LEFT_PLACE, 8.0))
    now = by_hand(patient, radiologist, "1.2", 12.0, series_uid="1.2.9")
    findings.state_identity(patient.db, Identity.SAME, [then.id], [now.id], by=radiologist)

    [change] = patient.compare("1.2", "1.1").changes

    assert (change.kind, change.linked) == ("cannot-tell", True)
    assert "another series" in change.reason


def test_lengths_drawn_by_hand_are_linked_and_told_without_a_volume(patient, radiologist):
    length = {"long_axis": Quantity(12.0, "mm", "ruler")}
    marks = [by_hand(patient, radiologist, study, 12.0, mask_key=None) for study in ("1.1", "1.2")]
    then, now = (replace(mark, values=length) for mark in marks)
    findings.state_identity(patient.db, Identity.SAME, [then.id], [now.id], by=radiologist)

    [change] = patient.compare("1.2", "1.1").changes
    told = _known_change(change, {then.id: then, now.id: now}, {"1.1": "2025-01-03", "1.2": "2025-07-02"})

    assert (told.link, told.at[0].volume) == ("linked", None)
    assert (
        ChangeAnswer.of(StudyChange("1.2", "1.1", "", "good", "", (told,))).lesions[0].at[1].long_mm == 12.0
    )


def test_what_may_have_split_is_told_as_ambiguous(patient):
    """One sphere of 12 mm then; two beside each other now, of which both fit."""
    [then] = patient.find("1.1", (LEFT_PLACE, 12.0))
    held = patient.find("1.2", ((13.0, 30.0, 30.0), 8.0), ((17.0, 30.0, 30.0), 8.0))

    told = patient.compare("1.2", "1.1").changes

    assert {change.link for change in told} == {"ambiguous"}
    found = {f.id: f for f in (then, *held)}
    dates = {"1.1": "2025-01-03", "1.2": "2025-07-02"}
    assert {_known_change(change, found, dates).link for change in told} == {"ambiguous"}
