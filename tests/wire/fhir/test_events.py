"""Treatments and laboratory values out of FHIR Bundles: made-up ones, hostile ones, and Synthea's."""

import json
from collections import Counter

import pytest

from sightline.record import chart
from sightline.wire.fhir._events import AnotherPatient, Known, NotABundle, read_events

HOSPITAL = "http://hospital.example"
KNOWN = Known("4711", HOSPITAL)
SUBJECT = {"reference": "urn:uuid:p"}


def bundle(*resources, identifier=None, more=()):
    person = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [identifier or {"system": HOSPITAL, "value": "4711"}],
    }
    entries = [{"fullUrl": "urn:uuid:p", "resource": person}, *({"resource": r} for r in (*more, *resources))]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def lab(**overrides):
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2532-0", "display": "LDH"}]},
        "subject": SUBJECT,
        "effectiveDateTime": "2025-02-01T08:30:00+01:00",
        "valueQuantity": {
            "value": 310,
            "unit": "units/l",
            "system": "http://unitsofmeasure.org",
            "code": "U/L",
        },
        "referenceRange": [{"high": {"value": 250, "unit": "U/L"}}],
        **overrides,
    }


def drug(**overrides):
    return {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Pembrolizumab"},
        "subject": SUBJECT,
        "authoredOn": "2025-01-10",
        **overrides,
    }


def only(data):
    read = read_events(data, KNOWN)
    assert read.left == {}
    [item] = read.found
    return item


def test_a_laboratory_value_keeps_code_unit_range_and_moment():
    item = only(bundle(lab()))

    assert item.reference == f"{HOSPITAL} Observation/o1"
    draft = item.draft
    assert (draft.name, draft.code.value, draft.code.scheme) == ("LDH", "2532-0", "http://loinc.org")
    assert (draft.value, draft.unit, draft.low, draft.high) == (310.0, "U/L", None, 250.0)
    assert draft.start == "2025-02-01T08:30:00+01:00"


def test_a_range_in_another_unit_is_not_taken_for_one_of_the_value():
    draft = only(bundle(lab(referenceRange=[{"high": {"value": 4.2, "unit": "ukat/L"}}]))).draft

    assert (draft.low, draft.high) == (None, None)


def test_a_medication_has_the_span_it_was_asked_for_and_no_end_where_none_is_stated():
    spanned = drug(
        dosageInstruction=[
            {"timing": {"repeat": {"boundsPeriod": {"start": "2025-01-15", "end": "2025-04-15"}}}}
        ]
    )

    assert (only(bundle(spanned)).draft.start, only(bundle(spanned)).draft.stop) == (
        "2025-01-15",
        "2025-04-15",
    )
    stopped = only(bundle(drug(status="stopped"))).draft
    assert (stopped.start, stopped.stop, stopped.status) == ("2025-01-10", None, "stopped")


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (lab(subject={"reference": "urn:uuid:other"}), "Observation: is of another subject"),
        (lab(subject=None), "Observation: is of another subject"),
        (lab(status="entered-in-error"), "Observation: is no result, by its status"),
        (lab(category=[{"coding": [{"code": "vital-signs"}]}]), "Observation: is no laboratory value"),
        (lab(valueQuantity=None, valueString="positive"), "Observation: has no number"),
        (lab(valueQuantity={"value": True}), "Observation: has no number"),
        (lab(code={}), "Observation: does not say what it is"),
        (lab(id=None), "Observation: has no id to be recognised by"),
        (drug(intent="plan"), "MedicationRequest: is only planned"),
        (drug(status="cancelled"), "MedicationRequest: did not happen, by its status"),
        (drug(authoredOn=None), "MedicationRequest: has no date"),
    ],
)
def test_what_cannot_be_used_is_left_and_counted_with_the_reason(resource, reason):
    read = read_events(bundle(resource), KNOWN)

    assert (read.found, read.left) == ((), {reason: 1})


@pytest.mark.parametrize(
    ("data", "known", "words"),
    [
        (bundle(lab()), Known("0815", HOSPITAL), "No Patient in the file bears"),
        (bundle(lab()), Known("", HOSPITAL), "No Patient in the file bears"),
        (bundle(lab()), Known("4711", "ELSEWHERE"), f"--issuer: {HOSPITAL}"),
        (bundle(lab()), Known("4711", ""), f"--issuer: {HOSPITAL}"),
        (bundle(lab(), identifier={"value": "4711"}), KNOWN, "--issuer: \\(none\\)"),
        (
            bundle(more=[{"resourceType": "Patient", "identifier": [{"system": HOSPITAL, "value": "4711"}]}]),
            KNOWN,
            "Several Patients",
        ),
    ],
)
def test_a_file_is_only_that_of_the_patient_by_identifier_and_issuer(data, known, words):
    with pytest.raises(AnotherPatient, match=words):
        read_events(data, known)


def test_an_issuer_may_be_an_oid_or_the_assigner_or_be_named():
    by_oid = bundle(lab(), identifier={"system": "urn:oid:1.2.3", "value": "4711"})
    by_name = bundle(lab(), identifier={"assigner": {"display": "NORTH"}, "value": "4711"})

    for data, known in (
        (by_oid, Known("4711", "1.2.3")),
        (by_name, Known("4711", "NORTH")),
        (bundle(lab()), Known("4711", "NORTH", system=HOSPITAL)),
    ):
        assert len(read_events(data, known).found) == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe", b"[]", b'{"resourceType":"Patient"}', b"[" * 100_000, b'{"resourceType":"Bundle"'],
)
def test_what_is_no_bundle_is_refused(data):
    with pytest.raises(NotABundle):
        read_events(data, KNOWN)


@pytest.mark.parametrize("junk", [None, 1, "x", [], [1], {"a": 1}, True])
def test_parts_of_the_wrong_shape_are_left_and_never_a_crash(junk):
    shapes = [lab(**{key: junk}) for key in lab() if key != "resourceType"]
    shapes += [drug(**{key: junk}) for key in drug() if key != "resourceType"]
    shapes += [
        drug(dosageInstruction=junk),
        drug(dispenseRequest=junk),
        lab(valueQuantity={"value": 1, "unit": junk}),
    ]

    read_events(bundle(*shapes), KNOWN)
    with pytest.raises((NotABundle, AnotherPatient)):
        read_events(json.dumps({"resourceType": "Bundle", "entry": junk}).encode(), KNOWN)


def test_the_records_of_synthea_are_read_and_nothing_is_left_unexplained(test_data):
    files = sorted((test_data / "fhir-synthea").glob("*.json"))
    if not files:
        pytest.skip("The shared data hold no fhir-synthea.")
    for file in files:
        entries = [entry["resource"] for entry in json.loads(file.read_bytes())["entry"]]
        kinds = Counter(resource["resourceType"] for resource in entries)
        wanted = kinds["MedicationRequest"] + kinds["Procedure"] + kinds["Observation"]

        read = read_events(
            file.read_bytes(), Known(file.stem.split("_")[-1], "http://hospital.smarthealthit.org")
        )

        assert len(read.found) + sum(read.left.values()) == wanted
        assert set(read.left) == {"Observation: is no laboratory value"}
        labs = [item.draft for item in read.found if item.draft.kind is chart.Kind.LAB]
        assert all(draft.unit and draft.code.scheme == "http://loinc.org" for draft in labs)
        assert len({item.reference for item in read.found}) == len(read.found)
