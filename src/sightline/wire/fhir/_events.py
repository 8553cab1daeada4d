"""Treatments and laboratory values out of a FHIR R4 Bundle, for one patient who is known by identifier.

Read are MedicationRequest (R4 11.1), MedicationStatement (11.4), MedicationAdministration (11.2), Procedure
(9.3), and Observation (10.1) of the category laboratory; what cannot be used, or is of another subject, is
left and counted. A patient is recognised by an identifier and who issued it, never by name or date of birth.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sightline.kernel.codes import Code
from sightline.kernel.errors import Conflict, Invalid
from sightline.record import chart

Resource = Mapping[str, Any]

UCUM = "http://unitsofmeasure.org"
HAPPENED = frozenset({"active", "completed", "stopped", "on-hold", "in-progress"})
MEASURED = frozenset({"final", "amended", "corrected", "preliminary"})
ONLY_PLANNED = frozenset({"proposal", "plan"})
LABORATORY = "laboratory"


class NotABundle(Invalid):
    """The file is no FHIR R4 Bundle in JSON; export the record as a Bundle."""


class AnotherPatient(Conflict):
    """The file does not identify the patient; it may be that of another, or the issuer must be named."""


@dataclass(frozen=True, slots=True)
class Known:
    """A patient as the archive knows them; `system` is what the file calls the issuer, if it must be said."""

    patient_id: str
    issuer: str
    system: str = ""


@dataclass(frozen=True, slots=True)
class EventsRead:
    """What a file holds for the patient, and how many of its resources were left, by reason."""

    found: tuple[chart.Sourced, ...]
    left: dict[str, int]


class _Left(Exception):
    """A resource is left out, for this reason."""


def read_events(data: bytes, known: Known) -> EventsRead:
    """Return what a Bundle holds for a patient.

    Raises
    ------
    NotABundle
        If it cannot be read as one.
    AnotherPatient
        If no Patient in it, or more than one, bears the identifier of the patient from its issuer.
    """
    entries = _entries(data)
    addresses, system = _subject(entries, known)
    found: list[chart.Sourced] = []
    left: Counter[str] = Counter()
    for _, resource in entries:
        read = READERS.get(str(resource.get("resourceType")))
        if read is None:
            continue
        try:
            if _text(_dict(resource.get("subject")).get("reference")) not in addresses:
                raise _Left("is of another subject")
            draft = chart.checked(read(resource))
            found.append(chart.Sourced(_reference(resource, system), draft))
        except (_Left, chart.UnusableEntry) as reason:
            left[f"{resource['resourceType']}: {reason}"] += 1
    return EventsRead(tuple(found), dict(sorted(left.items())))


def _entries(data: bytes) -> list[tuple[str, Resource]]:
    try:
        bundle = json.loads(data)
    except (ValueError, RecursionError) as cause:
        raise NotABundle("The file is no JSON; export the record as a FHIR R4 Bundle.") from cause
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise NotABundle("The file is no FHIR Bundle; export the record as one.")
    entries = [_dict(entry) for entry in _list(bundle.get("entry"))]
    return [(_text(entry.get("fullUrl")), _dict(entry.get("resource"))) for entry in entries]


def _subject(entries: list[tuple[str, Resource]], known: Known) -> tuple[frozenset[str], str]:
    """Return by which references the file names the patient, and the system of the matching identifier."""
    people = [(url, r) for url, r in entries if r.get("resourceType") == "Patient"]
    bearing = [
        (url, person, identifier)
        for url, person in people
        for identifier in map(_dict, _list(person.get("identifier")))
        if known.patient_id and _text(identifier.get("value")) == known.patient_id
    ]
    if not bearing:
        raise AnotherPatient(
            "No Patient in the file bears the patient ID that the archive holds; is it the right file?"
        )
    issued = [item for item in bearing if _is_issued_by(item[2], known.system or known.issuer)]
    if not issued:
        systems = ", ".join(sorted({_text(i.get("system"))[:256] or "(none)" for _, _, i in bearing}))
        raise AnotherPatient(
            "The file bears this patient ID, but not of the issuer whom the archive names. If it is the same "
            f"number, name its system with --issuer: {systems}."
        )
    if len({id(person) for _, person, _ in issued}) > 1:
        raise AnotherPatient("Several Patients in the file bear this identifier; split the file.")
    url, person, identifier = issued[0]
    local = f"Patient/{_text(person.get('id'))}"
    return frozenset({url, local} - {"", "Patient/"}), _text(identifier.get("system"))


def _is_issued_by(identifier: Resource, issuer: str) -> bool:
    names = {_text(identifier.get("system")), _text(_dict(identifier.get("assigner")).get("display"))}
    return bool(issuer) and bool({issuer, f"urn:oid:{issuer}"} & (names - {""}))


def _medication(resource: Resource) -> chart.Draft:
    if _text(resource.get("intent")) in ONLY_PLANNED:
        raise _Left("is only planned")
    asked = _dict(resource.get("dispenseRequest")).get("validityPeriod")
    timed = next(
        (
            bounds
            for item in map(_dict, _list(resource.get("dosageInstruction")))
            if (bounds := _dict(_dict(_dict(item.get("timing")).get("repeat")).get("boundsPeriod")))
        ),
        {},
    )
    given = _dict(resource.get("effectivePeriod"))
    periods = [given, timed, _dict(asked)]
    start = next((_text(p.get("start")) for p in periods if p.get("start")), "")
    stop = next((_text(p.get("end")) for p in periods if p.get("end")), None)
    start = start or _text(resource.get("effectiveDateTime")) or _text(resource.get("authoredOn"))
    return _treatment(resource, resource.get("medicationCodeableConcept"), "medication", start, stop)


def _procedure(resource: Resource) -> chart.Draft:
    period = _dict(resource.get("performedPeriod"))
    start = _text(period.get("start")) or _text(resource.get("performedDateTime"))
    return _treatment(resource, resource.get("code"), "procedure", start, _text(period.get("end")) or None)


def _treatment(resource: Resource, concept: Any, category: str, start: str, stop: str | None) -> chart.Draft:
    if _text(resource.get("status")) not in HAPPENED:
        raise _Left("did not happen, by its status")
    if not start:
        raise _Left("has no date")
    name, code = _concept(concept)
    return chart.Draft(
        chart.Kind.TREATMENT,
        name,
        start,
        stop,
        category=category,
        status=_text(resource["status"]),
        code=code,
    )


def _lab(resource: Resource) -> chart.Draft:
    categories = [
        _text(coding.get("code"))
        for concept in map(_dict, _list(resource.get("category")))
        for coding in map(_dict, _list(concept.get("coding")))
    ]
    if LABORATORY not in categories:
        raise _Left("is no laboratory value")
    if _text(resource.get("status")) not in MEASURED:
        raise _Left("is no result, by its status")
    at = _text(resource.get("effectiveDateTime")) or _text(resource.get("effectiveInstant"))
    at = at or _text(_dict(resource.get("effectivePeriod")).get("start"))
    quantity = _dict(resource.get("valueQuantity"))
    number = _number(quantity.get("value"))
    if number is None:
        raise _Left("has no number")
    unit = _unit(quantity)
    low, high = _range(resource, unit)
    name, code = _concept(resource.get("code"))
    return chart.Draft(
        chart.Kind.LAB, name, at, status=_text(resource["status"]), code=code, value=number,
        comparator=_text(quantity.get("comparator")), unit=unit, low=low, high=high,
    )  # fmt: skip


READERS: Mapping[str, Callable[[Resource], chart.Draft]] = {
    "MedicationRequest": _medication,
    "MedicationStatement": _medication,
    "MedicationAdministration": _medication,
    "Procedure": _procedure,
    "Observation": _lab,
}


def _range(resource: Resource, unit: str) -> tuple[float | None, float | None]:
    """Return the first range in the unit of the value; one that `appliesTo` some people only is left."""
    for item in map(_dict, _list(resource.get("referenceRange"))):
        ends = [_dict(item.get(end)) for end in ("low", "high")]
        if item.get("appliesTo") or not all(_unit(end) in ("", unit) for end in ends):
            continue
        return _number(ends[0].get("value")), _number(ends[1].get("value"))
    return None, None


def _unit(quantity: Resource) -> str:
    coded = _text(quantity.get("code")) if quantity.get("system") == UCUM else ""
    return coded or _text(quantity.get("unit"))


def _concept(value: Any) -> tuple[str, Code | None]:
    concept = _dict(value)
    codings = [coding for coding in map(_dict, _list(concept.get("coding"))) if coding.get("code")]
    first = codings[0] if codings else {}
    name = _text(concept.get("text")) or _text(first.get("display"))
    if not name:
        raise _Left("does not say what it is")
    value_, system = _text(first.get("code")), _text(first.get("system"))
    code = Code(value_, system, _text(first.get("display"))[:500]) if value_ and system else None
    return name[:200], code


def _reference(resource: Resource, system: str) -> str:
    identity = _text(resource.get("id"))
    if not 0 < len(identity) <= 64:
        raise _Left("has no id to be recognised by")
    return f"{system[:256]} {resource['resourceType']}/{identity}".strip()


def _number(value: Any) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    return float(value) if usable else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> Iterator[Any]:
    return iter(value) if isinstance(value, list) else iter(())
