"""FHIR R4 (4.0.1) resources as JSON values: pure functions from views, nothing empty left in.

What a report holds follows IHE RAD IMR 1.1 (Interactive Multimedia Report); the profile is not claimed
before an outside validator has judged it. Codes are the same as in the DICOM objects.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import escape
from typing import Any

from sightline.kernel.codes import Code
from sightline.kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PlatformError,
    Unauthenticated,
    Unavailable,
)
from sightline.kernel.quantities import Quantity
from sightline.wire.fhir._views import (
    FormView,
    ObservationView,
    PatientView,
    ReportView,
    SeriesView,
    StudyView,
)

Resource = dict[str, Any]

FHIR_VERSION = "4.0.1"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"
DICOM_UID = "urn:dicom:uid"
ASSOCIATED_STUDY = "https://profiles.ihe.net/RAD/IMR/StructureDefinition/associatedStudy"
REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
UNCERTAINTY = "http://hl7.org/fhir/StructureDefinition/iso21090-uncertainty"
UNCERTAINTY_TYPE = "http://hl7.org/fhir/StructureDefinition/iso21090-uncertaintyType"

# PS3.16 8-1: coding scheme designators and the URIs that FHIR knows them by.
_SYSTEMS = {
    "SCT": "http://snomed.info/sct",
    "LN": "http://loinc.org",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "UCUM": UCUM,
    "RADLEX": "http://radlex.org",
}
_WRITTEN_UNITS = {"mm3": "mm³", "cm3": "cm³", "[hnsf'U]": "HU"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_GENDERS = {"M": "male", "F": "female", "O": "other"}

VOLUME = Code("118565006", "SCT", "Volume")
LONG_AXIS = Code("103339001", "SCT", "Long axis")
SHORT_AXIS = Code("103340004", "SCT", "Short axis")
TRACKING_UID = Code("112040", "DCM", "Tracking Unique Identifier")
FINDINGS = Code("59776-5", "LN", "Procedure findings")

# v3 ObservationInterpretation has words for rise and fall only; SNOMED CT says the rest.
_INTERPRETATIONS = {
    "35105006": ("U", "Significant change up"),
    "1250004": ("D", "Significant change down"),
}

_ISSUES: tuple[tuple[type[PlatformError], str], ...] = (
    (NotFound, "not-found"),
    (Unauthenticated, "login"),
    (Forbidden, "forbidden"),
    (Invalid, "invalid"),
    (Conflict, "conflict"),
    (Unavailable, "transient"),
)


def patient(view: PatientView) -> Resource:
    """Return the Patient with the name in every script that it is written in."""
    number: Resource = {
        "type": _concept_of(f"{TERMINOLOGY}/v2-0203", "MR", "Medical record number"),
        "value": view.patient_id,
        "assigner": {"display": view.issuer} if view.issuer else None,
    }
    return _resource(
        "Patient",
        view.id,
        simulated=view.simulated,
        identifier=[number] if view.patient_id else None,
        name=_names(view.name),
        gender=_GENDERS.get(view.sex),
        birthDate=view.birth_date.isoformat() if view.birth_date else None,
    )


def _names(person_name: str) -> list[Resource]:
    """Return the component groups of a DICOM person name (PS3.5 6.2.1) as names."""
    names = []
    for group, script in zip(person_name.split("="), ("ABC", "IDE", "SYL"), strict=False):
        family, given, middle, prefix, suffix = [part.strip() for part in (group + "^^^^").split("^")[:5]]
        if not (family or given):
            continue
        name: Resource = {
            "use": "official",
            "family": family,
            "given": [part for part in (given, middle) if part],
            "prefix": [prefix] if prefix else None,
            "suffix": [suffix] if suffix else None,
        }
        if "=" in person_name:
            name["extension"] = [{"url": REPRESENTATION, "valueCode": script}]
        names.append(name)
    return names


def imaging_study(view: StudyView) -> Resource:
    """Return the ImagingStudy with the identifiers that SMART Imaging Access asks for."""
    return _resource(
        "ImagingStudy",
        view.id,
        simulated=view.simulated,
        identifier=[_dicom_uid(view.study_uid), *_accession(view.accession)],
        status="available",
        modality=[_dicom_modality(modality) for modality in view.modalities],
        subject=_to("Patient", view.patient),
        started=_time(view.started),
        basedOn=_orders(view.accession),
        referrer={"display": view.referrer} if view.referrer else None,
        endpoint=[_to("Endpoint", view.endpoint_id)] if view.endpoint_id else None,
        numberOfSeries=len(view.series),
        numberOfInstances=sum(_instances(series) for series in view.series),
        description=view.description,
        series=[_series(series) for series in view.series],
    )


def _series(view: SeriesView) -> Resource:
    return {
        "uid": view.uid,
        "number": view.number,
        "modality": _dicom_modality(view.modality),
        "description": view.description,
        "numberOfInstances": _instances(view),
        "bodySite": _coding(view.body_site) if view.body_site else None,
        "started": _time(view.started),
        "instance": [
            {
                "uid": instance.uid,
                "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{instance.sop_class}"},
                "number": instance.number,
            }
            for instance in view.instances
        ],
    }


def _instances(view: SeriesView) -> int:
    return view.instance_count or len(view.instances)


def endpoint(endpoint_id: str, *, wado_url: str) -> Resource:
    """Return the Endpoint at which studies are retrieved by WADO-RS, with a token."""
    extension = "http://hl7.org/fhir/smart-app-launch/StructureDefinition/requires-access-token"
    return _resource(
        "Endpoint",
        endpoint_id,
        extension=[{"url": extension, "valueBoolean": True}],
        status="active",
        connectionType={
            "system": f"{TERMINOLOGY}/endpoint-connection-type",
            "code": "dicom-wado-rs",
            "display": "DICOM WADO-RS",
        },
        payloadType=[{"text": "DICOM"}],
        payloadMimeType=["application/dicom"],
        address=wado_url,
    )


def observation(view: ObservationView) -> Resource:
    """Return one lesion at one study: what and where, how large and how sure, how it has changed."""
    sizes = ((VOLUME, view.volume), (LONG_AXIS, view.long_axis), (SHORT_AXIS, view.short_axis))
    measured = [(code, quantity) for code, quantity in sizes if quantity is not None]
    name, version = view.algorithm or ("", "")
    return _resource(
        "Observation",
        view.id,
        simulated=view.simulated,
        basedOn=_orders(view.accession),
        status=view.status,
        category=[
            _concept_of(f"{TERMINOLOGY}/observation-category", "imaging", "Imaging"),
            _concept(FINDINGS),
        ],
        code=_concept(FINDINGS, text=f"{view.number} {view.label}"),
        subject=_to("Patient", view.patient),
        effectiveDateTime=_time(view.effective),
        issued=_instant(view.issued),
        performer=[{"display": view.reader}] if view.reader else None,
        valueCodeableConcept=_concept(view.finding),
        interpretation=_interpretation(view),
        note=[{"text": _method(code, quantity)} for code, quantity in measured],
        bodySite=_site(view),
        device={"display": f"{name} {version}"} if view.algorithm else None,
        derivedFrom=[_to("ImagingStudy", view.study)],
        component=[
            {"code": _concept(TRACKING_UID), "valueString": view.tracking_uid},
            *({"code": _concept(code), "valueQuantity": _quantity(quantity)} for code, quantity in measured),
        ],
    )


def _interpretation(view: ObservationView) -> list[Resource] | None:
    if view.change_code is None:
        return [{"text": view.change}] if view.change else None
    coding = [_coding(view.change_code)]
    if known := _INTERPRETATIONS.get(view.change_code.value):
        system = f"{TERMINOLOGY}/v3-ObservationInterpretation"
        coding.insert(0, {"system": system, "code": known[0], "display": known[1]})
    return [{"coding": coding, "text": view.change or view.change_code.meaning}]


def _site(view: ObservationView) -> Resource | None:
    if view.site is None:
        return None
    site = _concept(view.site)
    if view.laterality is not None:
        site["coding"].append(_coding(view.laterality))
    return site


def _quantity(quantity: Quantity) -> Resource:
    """Return value and UCUM unit; the uncertainty as one normal standard deviation where it is symmetric."""
    value: Resource = {
        "value": quantity.value,
        "unit": _WRITTEN_UNITS.get(quantity.unit, quantity.unit),
        "system": UCUM,
        "code": quantity.unit,
    }
    if quantity.low is None or quantity.high is None:
        return value
    above, below = quantity.high - quantity.value, quantity.value - quantity.low
    if abs(above - below) <= 0.1 * max(above, below):
        deviation = round((above + below) / (2 * 1.96), 6)
        value["extension"] = [
            {"url": UNCERTAINTY, "valueDecimal": deviation},
            {"url": UNCERTAINTY_TYPE, "valueCode": "N"},
        ]
    return value


def _method(code: Code, quantity: Quantity) -> str:
    """Say how it was measured and how sure it is, in words; the interval need not be symmetric."""
    if quantity.low is None or quantity.high is None:
        return f"{code.meaning}: {quantity.method}."
    interval = f"95 % interval {quantity.low:.4g} to {quantity.high:.4g} {quantity.unit}"
    return f"{code.meaning}: {quantity.method}; {interval}."


def diagnostic_report(view: ReportView, *, contain_observations: bool = True) -> Resource:
    """Return the DiagnosticReport: who answers for it, the study, the findings, the rendered forms.

    Parameters
    ----------
    view : ReportView
    contain_observations : bool
        Whether the findings travel inside the report or are referred to as resources of their own.

    References
    ----------
    FHIR R4 DiagnosticReport; IHE RAD IMR 1.1 imr-diagnosticreport.
    """
    contained: list[Resource] = [
        _without_meta(_resource("Organization", "organisation", name=view.organisation))
    ]
    if view.signed_by:
        contained.append(_without_meta(_resource("Practitioner", "reader", name=[{"text": view.signed_by}])))
    results = [_to("Observation", found.id) for found in view.observations]
    if contain_observations:
        contained += [_without_meta(observation(found)) for found in view.observations]
        results = [{"reference": f"#{found.id}"} for found in view.observations]
    return _resource(
        "DiagnosticReport",
        view.id,
        version=view.version,
        updated=view.issued,
        simulated=view.simulated,
        text={"status": "generated", "div": _narrative(view)},
        contained=[_without_meta(resource) for resource in contained],
        extension=_associated(view),
        identifier=[{"value": view.report_id, "assigner": {"display": view.organisation}}],
        basedOn=_orders(view.accession),
        status=view.status,
        category=[_concept_of(f"{TERMINOLOGY}/v2-0074", "RAD", "Radiology")],
        code=_concept(view.code, text=view.title),
        subject=_to("Patient", view.patient),
        effectiveDateTime=_time(view.effective),
        issued=_instant(view.issued),
        performer=[{"reference": "#organisation"}],
        resultsInterpreter=[{"reference": "#reader"}] if view.signed_by else None,
        result=results,
        imagingStudy=[_to("ImagingStudy", view.study) | {"identifier": _dicom_uid(view.study_uid)}],
        conclusion=f"SIMULATED data. {view.conclusion}" if view.simulated else view.conclusion,
        presentedForm=[_form(form) for form in view.forms],
    )


def _narrative(view: ReportView) -> str:
    simulated = "<p><b>SIMULATED data, not a patient</b></p>" if view.simulated else ""
    sections = "".join(
        f"<h2>{escape(heading)}</h2>" + "".join(f"<p>{escape(text)}</p>" for text in paragraphs)
        for heading, paragraphs in view.sections
    )
    title = f"<h1>{escape(view.title)}</h1>"
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{title}{simulated}{sections}</div>'


def _associated(view: ReportView) -> list[Resource] | None:
    if not view.prior_study:
        return None
    return [{"url": ASSOCIATED_STUDY, "valueReference": _to("ImagingStudy", view.prior_study)}]


def _form(view: FormView) -> Resource:
    """Return an attachment; the hash is SHA-1 because FHIR says so, and guards against accidents only."""
    form: Resource = {
        "contentType": view.content_type,
        "language": "en",
        "size": len(view.body),
        "hash": base64.b64encode(hashlib.sha1(view.body, usedforsecurity=False).digest()).decode(),
        "title": view.title,
    }
    if view.url:
        return form | {"url": view.url}
    return form | {"data": base64.b64encode(view.body).decode()}


def operation_outcome(error: PlatformError) -> Resource:
    """Return the refusal as FHIR says it; the message is ours and holds nothing of a patient."""
    code = next((issue for kind, issue in _ISSUES if isinstance(error, kind)), "exception")
    issue = {
        "severity": "error",
        "code": code,
        "details": {"text": str(error)},
        "diagnostics": error.code,
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}


@dataclass(frozen=True, slots=True)
class Capability:
    """What the server does with one resource type; `search` maps parameter to its type."""

    resource: str
    interactions: tuple[str, ...]
    search: Mapping[str, str]
    includes: tuple[str, ...] = ()


def capability_statement(
    capabilities: Sequence[Capability], *, base_url: str, version: str, released: date
) -> Resource:
    """Return what the server can do (``GET /metadata``), from the table that the routes are made from."""
    return _cleaned(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": released.isoformat(),
            "publisher": "Sightline",
            "kind": "instance",
            "software": {"name": "Sightline", "version": version},
            "implementation": {
                "description": "Sightline, research software, not a medical device",
                "url": base_url,
            },
            "fhirVersion": FHIR_VERSION,
            "format": ["application/fhir+json", "json"],
            "rest": [
                {
                    "mode": "server",
                    "security": {"description": "Bearer token, or the cookie of a logged-in person."},
                    "resource": [_capability(capability) for capability in capabilities],
                }
            ],
        }
    )


def _capability(capability: Capability) -> Resource:
    return {
        "type": capability.resource,
        "interaction": [{"code": code} for code in capability.interactions],
        "versioning": "no-version",
        "searchInclude": list(capability.includes),
        "searchParam": [{"name": name, "type": kind} for name, kind in capability.search.items()],
    }


def search_bundle(
    matches: Sequence[Resource],
    *,
    base_url: str,
    self_url: str,
    total: int | None = None,
    next_url: str | None = None,
    included: Iterable[Resource] = (),
    warnings: Sequence[str] = (),
) -> Resource:
    """Return one page of a search; `total` counts matches on all pages, included resources never."""
    base = base_url.rstrip("/")
    entries = [_entry(base, resource, "match") for resource in matches]
    entries += [_entry(base, resource, "include") for resource in included]
    if warnings:
        issues = [{"severity": "warning", "code": "not-supported", "details": {"text": w}} for w in warnings]
        outcome = {"resourceType": "OperationOutcome", "issue": issues}
        entries.append({"resource": outcome, "search": {"mode": "outcome"}})
    links = [{"relation": "self", "url": self_url}]
    if next_url:
        links.append({"relation": "next", "url": next_url})
    return _cleaned(
        {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links, "entry": entries}
    )


def _entry(base: str, resource: Resource, mode: str) -> Resource:
    return {
        "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
        "resource": resource,
        "search": {"mode": mode},
    }


def _resource(
    kind: str,
    resource_id: str,
    *,
    version: int | None = None,
    updated: datetime | None = None,
    simulated: bool = False,
    **elements: Any,
) -> Resource:
    """Return a resource; simulated data carry the standard mark of test health data."""
    test = {"system": f"{TERMINOLOGY}/v3-ActReason", "code": "HTEST", "display": "test health data"}
    meta = {
        "versionId": str(version) if version is not None else None,
        "lastUpdated": _instant(updated) if updated else None,
        "security": [test] if simulated else None,
    }
    return _cleaned({"resourceType": kind, "id": resource_id, "meta": meta, **elements})


def _without_meta(resource: Resource) -> Resource:
    """Contained resources have neither version nor security of their own (dom-4, dom-5)."""
    return {name: value for name, value in resource.items() if name != "meta"}


def _cleaned(resource: Resource) -> Resource:
    cleaned: Resource = _clean(resource)
    return cleaned


def _clean(value: Any) -> Any:
    """Leave out what is None or empty, and control characters in strings: FHIR knows neither."""
    if isinstance(value, dict):
        cleaned = {name: _clean(item) for name, item in value.items()}
        return {name: item for name, item in cleaned.items() if item not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [item for item in map(_clean, value) if item not in (None, "", [], {})]
    return _CONTROL.sub("", value) if isinstance(value, str) else value


def _to(kind: str, resource_id: str) -> Resource:
    return {"reference": f"{kind}/{resource_id}"}


def _coding(code: Code) -> Resource:
    """Return a coding; of a scheme that has no URI only code and words go out."""
    return {"system": _SYSTEMS.get(code.scheme), "code": code.value, "display": code.meaning}


def _concept(code: Code, *, text: str | None = None) -> Resource:
    return {"coding": [_coding(code)], "text": text}


def _concept_of(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _dicom_modality(modality: str) -> Resource:
    return {"system": _SYSTEMS["DCM"], "code": modality}


def _dicom_uid(uid: str) -> Resource:
    return {"system": DICOM_UID, "value": f"urn:oid:{uid}"}


def _accession(accession: str) -> list[Resource]:
    if not accession:
        return []
    return [{"type": _concept_of(f"{TERMINOLOGY}/v2-0203", "ACSN", "Accession ID"), "value": accession}]


def _orders(accession: str) -> list[Resource] | None:
    """Refer to the order by its accession number: the order itself is held elsewhere."""
    return [{"type": "ServiceRequest", "identifier": _accession(accession)[0]}] if accession else None


def _time(moment: datetime | date | None) -> str | None:
    """Return a date, or a moment with its zone; FHIR allows no time of day without one."""
    if isinstance(moment, datetime):
        return _instant(moment) if moment.tzinfo else moment.date().isoformat()
    return moment.isoformat() if moment else None


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
