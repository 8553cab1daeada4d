"""What stands in a patient's chart: by hand and by file, removed and restored, merged and taken apart."""

from dataclasses import replace

import pytest

from sightline.kernel.codes import Code
from sightline.record import archive, chart
from sightline.trust import access, audit
from tests.care.clinic import FIRST

LOINC = "http://loinc.org"
LDH = chart.Draft(
    chart.Kind.LAB,
    "LDH",
    "2025-02-01",
    code=Code("2532-0", LOINC, "LDH"),
    value=310.0,
    unit="U/L",
    high=250.0,
)
DRUG = chart.Draft(
    chart.Kind.TREATMENT, "Pembrolizumab", "2025-01", "2025-06-30", category="medication", status="completed"
)
OPERATOR = access.operator("tester")


@pytest.fixture
def patient(receive, clinic, db):
    receive("1.1", FIRST)
    found = clinic.patient_of("1.1")
    db.commit()
    return found


def drafts_of(db, patient):
    return [entry.draft for entry in chart.entries_of(db, patient, by=OPERATOR)]


def test_an_entry_by_hand_is_kept_with_who_and_audited_without_its_words(patient, db, radiologist):
    entry = chart.add_entry(db, patient, LDH, by=radiologist)

    assert chart.entries_of(db, patient, by=radiologist) == [entry]
    assert (entry.origin, entry.entered_by_name) == (chart.EntryOrigin.PERSON, "Dr Ada Adams")
    [told] = audit.trail(db, on=patient, limit=1)
    assert (told.act, told.facts) == ("chart.add", {"entry": entry.id, "kind": "lab"})


def test_what_is_removed_is_kept_and_comes_back_when_it_is_restored(patient, db, radiologist):
    entry = chart.add_entry(db, patient, DRUG, by=radiologist)

    chart.remove_entry(db, patient, entry.id, by=radiologist)
    assert drafts_of(db, patient) == []
    chart.restore_entry(db, patient, entry.id, by=radiologist)

    assert drafts_of(db, patient) == [DRUG]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(LDH, name=" \n"), "name is missing"),
        (replace(LDH, name="x" * 201), "at most"),
        (replace(LDH, start="1 February"), "date must be like"),
        (replace(LDH, start="2025-13"), "date must be like"),
        (replace(LDH, start="2025-02-01T10:00:00"), "offset"),
        (replace(LDH, unit=""), "its unit"),
        (replace(LDH, value=None), "needs a number"),
        (replace(LDH, value=float("inf")), "must be numbers"),
        (replace(LDH, low=300.0), "above the upper"),
        (replace(LDH, comparator="~"), "preceded by"),
        (replace(LDH, stop="2025-03-01"), "no end"),
        (replace(LDH, code=Code("", LOINC, "")), "code needs"),
        (replace(DRUG, stop="2024-12-31"), "before the start"),
        (replace(DRUG, stop="soon"), "end must be like"),
        (replace(DRUG, value=1.0), "no value"),
    ],
)
def test_what_cannot_be_right_is_refused_in_words_and_nothing_is_kept(patient, db, radiologist, wrong, words):
    with pytest.raises(chart.UnusableEntry, match=words):
        chart.add_entry(db, patient, wrong, by=radiologist)

    assert drafts_of(db, patient) == []


def test_a_file_that_comes_again_changes_only_what_is_different(patient, db):
    def bring(*sourced):
        return chart.take_in(db, patient, sourced, by=OPERATOR, source_sha256="a" * 64)

    first = bring(chart.Sourced("s Observation/1", LDH), chart.Sourced("s MedicationRequest/2", DRUG))
    again = bring(chart.Sourced("s Observation/1", LDH), chart.Sourced("s MedicationRequest/2", DRUG))
    corrected = bring(chart.Sourced("s Observation/1", replace(LDH, value=301.0)))

    assert (first.added, first.unchanged) == (2, 0)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    assert (corrected.changed, [d.value for d in drafts_of(db, patient)]) == (1, [None, 301.0])


def test_no_import_brings_back_what_a_person_removed(patient, db, radiologist):
    item = chart.Sourced("s Observation/1", LDH)
    chart.take_in(db, patient, [item], by=OPERATOR, source_sha256="a" * 64)
    [entry] = chart.entries_of(db, patient, by=radiologist)
    chart.remove_entry(db, patient, entry.id, by=radiologist)

    taken = chart.take_in(db, patient, [item], by=OPERATOR, source_sha256="a" * 64)

    assert (taken.left_removed, taken.added, drafts_of(db, patient)) == (1, 0, [])


def test_entries_follow_a_merge_and_go_back_when_it_is_undone(patient, receive, clinic, db, radiologist):
    receive("2.1", FIRST, PatientID="0815", PatientName="Other^Name")
    other = clinic.patient_of("2.1")
    chart.add_entry(db, other, DRUG, by=radiologist)
    chart.add_entry(db, patient, LDH, by=radiologist)

    merge = archive.merge_patients(db, other, patient, reason="same person", by=OPERATOR)
    assert drafts_of(db, patient) == [DRUG, LDH]
    assert drafts_of(db, other) == [DRUG, LDH]
    archive.undo(db, merge.id, by=OPERATOR)

    assert (drafts_of(db, patient), drafts_of(db, other)) == ([LDH], [DRUG])


def test_an_entry_of_one_patient_cannot_be_reached_by_another(patient, receive, clinic, db, radiologist):
    receive("2.1", FIRST, PatientID="0815", PatientName="Other^Name")
    entry = chart.add_entry(db, patient, LDH, by=radiologist)

    with pytest.raises(chart.EntryNotHeld):
        chart.remove_entry(db, clinic.patient_of("2.1"), entry.id, by=radiologist)

    assert drafts_of(db, patient) == [LDH]


BODY = {"kind": "lab", "name": "CEA", "start": "2025-03-04", "value": 7.1, "unit": "ng/mL", "high": 5}


def test_over_http_an_entry_is_added_seen_removed_and_restored(patient, log_in):
    reader, path = log_in("radiologist"), f"/api/patients/{patient}/events"

    added = reader.post(path, json=BODY)
    entry = added.json()
    assert (added.status_code, entry["origin"], entry["entered_by"]) == (201, "person", "Dr Radiologist")
    assert [item["value"] for item in reader.get(path).json()["items"]] == [7.1]
    assert reader.delete(f"{path}/{entry['id']}").status_code == 204
    assert reader.get(path).json()["items"] == []
    assert reader.post(f"{path}/{entry['id']}/restoration").json() == entry
    refused = reader.post(path, json=BODY | {"unit": ""})
    assert (refused.status_code, refused.json()["code"]) == (422, "unusable-entry")
    assert reader.delete(f"{path}/unknown").status_code == 404


def test_who_may_only_see_may_not_enter_and_nobody_sees(patient, log_in):
    path = f"/api/patients/{patient}/events"

    referrer = log_in("referrer")
    assert (referrer.get(path).status_code, referrer.post(path, json=BODY).status_code) == (200, 403)
    assert log_in("administrator").get(path).status_code == 403
    assert log_in().post(path, json=BODY).status_code == 401
