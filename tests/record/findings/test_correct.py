"""A person's values in place of the model's."""

import math

import pytest

from sightline.record import findings
from sightline.record.findings import Correction, State, UnusableCorrection
from sightline.trust import access, audit


def test_a_correction_puts_a_persons_value_in_place_and_keeps_the_models(db, proposed, radiologist):
    edited = findings.correct_finding(db, proposed.id, Correction(long_axis_mm=12.5), by=radiologist)

    assert edited.state is State.EDITED
    assert (edited.values["long_axis"].value, edited.values["long_axis"].unit) == (12.5, "mm")
    assert edited.values["long_axis"].method == "measured by Dr Ada Adams"
    assert edited.values["volume"] == proposed.values["volume"]
    assert edited.proposed == proposed.values
    assert findings.get_finding(db, proposed.id) == edited


def test_the_audit_holds_both_values_and_no_free_text(db, proposed, radiologist):
    correction = Correction(volume_mm3=500, label="nodule of Mrs Brown", note="Mrs Brown")
    findings.correct_finding(db, proposed.id, correction, by=radiologist)

    [entry] = audit.trail(db, on=proposed.id)
    assert (entry.act, entry.by, entry.facts["noted"]) == ("finding.edit", "p1", True)
    assert entry.facts["before"]["values"]["volume"]["value"] == 400.0
    assert entry.facts["after"]["values"]["volume"]["value"] == 500.0
    assert "Brown" not in str(entry.facts)


def test_the_label_that_a_model_gave_is_kept_beside_the_persons(db, proposed, radiologist):
    findings.correct_finding(db, proposed.id, Correction(label=" granuloma\x07 \n"), by=radiologist)

    assert findings.get_finding(db, proposed.id).label == "granuloma"
    [row] = findings.trail_of(db, proposed.id)
    assert row["before"]["label"] == "right lung, upper third, nodule"
    assert row["after"]["label"] == "granuloma"


def test_a_note_can_be_written_and_taken_out_again(db, proposed, radiologist):
    noted = findings.correct_finding(db, proposed.id, Correction(note="calcified"), by=radiologist)
    assert noted.note == "calcified"

    emptied = findings.correct_finding(db, proposed.id, Correction(note=""), by=radiologist)
    assert emptied.note == ""


@pytest.mark.parametrize(
    ("correction", "says"),
    [
        ({"long_axis_mm": 0.0}, "The long axis must lie between 0 and 1000 mm"),
        ({"long_axis_mm": -3.0}, "between 0 and 1000"),
        ({"short_axis_mm": 1200.0}, "The short axis must lie between 0 and 1000 mm"),
        ({"volume_mm3": math.nan}, "The volume must lie"),
        ({"volume_mm3": math.inf}, "The volume must lie"),
        ({"label": " \n"}, "label is empty"),
        ({}, "changes nothing"),
    ],
)
def test_values_that_cannot_be_right_are_refused_in_words(correction, says):
    with pytest.raises(UnusableCorrection, match=says):
        Correction(**correction)


@pytest.mark.parametrize(
    "axes",
    [
        {"long_axis_mm": 5.0, "short_axis_mm": 6.0},
        {"long_axis_mm": 7.0},  # the model's short axis is 8 mm
        {"short_axis_mm": 11.0},  # its long axis is 10 mm
    ],
)
def test_a_short_axis_longer_than_the_long_one_is_refused_and_changes_nothing(
    db, proposed, radiologist, axes
):
    with pytest.raises(UnusableCorrection, match="longer than the long axis"):
        findings.correct_finding(db, proposed.id, Correction(**axes), by=radiologist)

    assert findings.get_finding(db, proposed.id) == proposed
    assert findings.trail_of(db, proposed.id) == []


def test_a_technologist_may_not_correct_and_leaves_no_trace(db, proposed, technologist):
    with pytest.raises(access.NotAllowed):
        findings.correct_finding(db, proposed.id, Correction(long_axis_mm=12), by=technologist)

    assert findings.get_finding(db, proposed.id) == proposed
    assert audit.trail(db, on=proposed.id) == []
