"""Categories as drafts of mCODE Cancer Disease Status: preliminary FHIR R4 Observations to be signed."""

import uuid
from typing import Any

from sightline.care.response._evaluation import Evaluated
from sightline.kernel.codes import Code
from sightline.record import derived
from sightline.science import response

SYSTEMS = {"LN": "http://loinc.org", "SCT": "http://snomed.info/sct"}
TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}


def status_bundle(evaluated: Evaluated, patient: str) -> dict[str, Any]:
    """Return a collection with one Observation for each time point after the baseline.

    Each is *preliminary*: a disease status is a clinician's judgement from all evidence (mCODE), of which
    this category is one part. The rules behind it stand in the notes; no profile is claimed while unsigned.

    References
    ----------
    FHIR R4 Observation, Bundle; mCODE Cancer Disease Status (LOINC 97509-4 and its value set).
    """
    assert evaluated.evaluation is not None
    found = [
        _observation(evaluated, evaluated.evaluation, point, patient)
        for point in evaluated.evaluation.points[1:]
    ]
    entries = [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in found]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _observation(
    evaluated: Evaluated,
    evaluation: response.Evaluation,
    point: response.PointResponse,
    patient: str,
) -> dict[str, Any]:
    draft = response.draft_status(point)
    oid = derived.deterministic_uid("response", point.time_point, evaluation.criterion)
    return {
        "resourceType": "Observation",
        "id": _uuid(oid),
        **({"meta": {"security": [TEST_DATA]}} if evaluated.simulated else {}),
        "status": "preliminary",
        "code": _concept(response.DISEASE_STATUS),
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": point.date.isoformat(),
        "valueCodeableConcept": _concept(draft.code),
        "method": {"text": f"{evaluation.title}, version {evaluation.version}: {point.category}"},
        "note": [{"text": text} for text in (draft.note, *_notes(evaluated, point))],
        "derivedFrom": [
            {
                "type": "ImagingStudy",
                "identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{point.time_point}"},
            }
        ],
        **_components(point),
    }


def _notes(evaluated: Evaluated, point: response.PointResponse) -> list[str]:
    notes = ["SIMULATED data, not a patient."] if evaluated.simulated else []
    possible = evaluated.plausible.get(point.time_point, ())
    if len(possible) > 1:
        notes.append(f"Within the intervals of the measurements: {' or '.join(possible)}.")
    if point.provisional:
        notes.append("Provisional: needs another scan.")
    return [*notes, *(reason.text for reason in point.reasons)]


def _components(point: response.PointResponse) -> dict[str, Any]:
    """Return the sum and its changes; nothing where the criterion has no complete number."""
    numbers = (
        (f"value by the criterion ({point.unit})", point.value, point.unit),
        ("change from baseline", point.change_percent, "%"),
        ("change from nadir", point.nadir_change_percent, "%"),
    )
    parts = [
        {"code": {"text": name}, "valueQuantity": _quantity(value, unit)}
        for name, value, unit in numbers
        if value is not None
    ]
    return {"component": parts} if parts else {}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    ucum = {"mm2": "mm2", "mm": "mm", "mm3": "mm3", "%": "%", "mL": "mL", "cm3": "cm3", "g/ml": "g/mL"}
    code = ucum.get(unit)
    coded = {"system": "http://unitsofmeasure.org", "code": code} if code else {}
    return {"value": round(value, 6), **({"unit": unit} if unit else {}), **coded}


def _concept(code: Code) -> dict[str, Any]:
    coding = {"system": SYSTEMS[code.scheme], "code": code.value, "display": code.meaning}
    return {"coding": [coding]}


def _uuid(oid: str) -> str:
    return str(uuid.UUID(int=int(oid.removeprefix("2.25."))))
