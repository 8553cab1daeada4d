"""FHIR R4 over HTTP: what is given out, to whom, and what is refused."""

import base64

import pytest
from fhir.resources.R4B import get_fhir_model_class

from sightline.care.reporting import jobs as writing
from sightline.trust import audit

STUDY, PRIOR = "1.2", "1.1"


def valid(resource):
    """The resource, after an outside judge has read it."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


def resources(bundle):
    return [entry["resource"] for entry in bundle.get("entry", ())]


def test_a_signed_report_is_given_out_with_its_findings(signed, accepted, db, log_in):
    answer = log_in("referrer").get(f"/fhir/DiagnosticReport/{signed.id}")
    report = valid(answer.json())

    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert (report["status"], report["id"]) == ("final", signed.id)
    assert report["subject"]["reference"] == f"Patient/{signed.patient}"
    assert report["imagingStudy"][0]["reference"] == f"ImagingStudy/{STUDY}"
    assert report["conclusion"].startswith("Growing right lung")
    [observation] = [r for r in report["contained"] if r["resourceType"] == "Observation"]
    assert report["result"] == [{"reference": f"#{accepted.id}"}]
    assert accepted.lesion in str(observation)
    assert "nodule grew 50 %" in str(observation)
    html = base64.b64decode(report["presentedForm"][0]["data"]).decode()
    assert "Dr Ada Adams" in html


def test_the_pdf_joins_the_report_when_it_has_been_written(signed, store, log_in):
    writing._write(store, STUDY)
    report = valid(log_in("referrer").get(f"/fhir/DiagnosticReport/{signed.id}").json())

    kinds = [form["contentType"] for form in report["presentedForm"]]
    assert kinds == ["text/html", "application/pdf"]
    assert base64.b64decode(report["presentedForm"][1]["data"]).startswith(b"%PDF")


def test_a_report_that_is_not_signed_is_not_given_out(accepted, db, log_in):
    from sightline.care import reporting
    from sightline.trust import access

    by = access.operator("t")
    seen = reporting.open_report(db, STUDY, by=by).report
    lines = [(s.name, [reporting.Written(x.text, x.id) for x in s.sentences]) for s in seen.sections]
    reporting.edit_report(db, STUDY, 0, lines, by=by)
    db.commit()
    referrer = log_in("referrer")

    refused = referrer.get(f"/fhir/DiagnosticReport/{seen.id}")
    bundle = referrer.get("/fhir/DiagnosticReport", params={"patient": seen.patient}).json()

    assert refused.status_code == 404
    assert valid(refused.json())["issue"][0]["code"] == "not-found"
    assert (bundle["total"], resources(bundle)) == (0, [])


def test_a_patients_reports_studies_and_name_are_found(signed, log_in):
    referrer = log_in("referrer")
    patient = signed.patient

    reports = valid(referrer.get("/fhir/DiagnosticReport", params={"patient": f"Patient/{patient}"}).json())
    studies = valid(referrer.get("/fhir/ImagingStudy", params={"patient": patient}).json())
    found = valid(referrer.get("/fhir/Patient", params={"identifier": "4711"}).json())
    one = valid(referrer.get(f"/fhir/Patient/{patient}").json())

    assert [r["id"] for r in resources(reports)] == [signed.id]
    assert [r["id"] for r in resources(studies)] == [STUDY, PRIOR]
    assert resources(found) == [one]
    assert (one["name"][0]["family"], one["gender"], one["birthDate"]) == (
        "Lovelace",
        "female",
        "1960-01-02",
    )


def test_a_study_is_found_by_its_uid_and_says_where_its_images_are(signed, log_in):
    reader = log_in("referrer")

    for identifier in (f"urn:dicom:uid|urn:oid:{STUDY}", f"urn:oid:{STUDY}", STUDY):
        bundle = reader.get("/fhir/ImagingStudy", params={"identifier": identifier}).json()
        assert [r["id"] for r in resources(bundle)] == [STUDY]
    study = valid(reader.get(f"/fhir/ImagingStudy/{STUDY}").json())
    endpoint = valid(reader.get("/fhir/Endpoint/dicomweb").json())

    assert (study["numberOfSeries"], study["numberOfInstances"]) == (1, 4)
    assert study["endpoint"][0]["reference"] == "Endpoint/dicomweb"
    assert endpoint["address"] == "http://pacs.example/dicom-web"


def test_a_page_that_is_full_does_not_claim_to_know_the_total(signed, log_in):
    bundle = (
        log_in("referrer").get("/fhir/ImagingStudy", params={"patient": signed.patient, "_count": "1"}).json()
    )

    assert [r["id"] for r in resources(bundle)] == [STUDY]
    assert "total" not in bundle
    assert bundle["link"][0]["url"].endswith("_count=1")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/fhir/DiagnosticReport/unknown", 404, "not-found"),
        ("/fhir/ImagingStudy/9.9", 404, "not-found"),
        ("/fhir/Patient/unknown", 404, "not-found"),
        ("/fhir/Endpoint/unknown", 404, "not-found"),
        ("/fhir/DiagnosticReport", 422, "invalid"),
        ("/fhir/ImagingStudy", 422, "invalid"),
        ("/fhir/Patient", 422, "invalid"),
        ("/fhir/DiagnosticReport?patient=p&_count=many", 422, "invalid"),
        ("/fhir/DiagnosticReport?patient=p&_count=²", 422, "invalid"),
        ("/fhir/DiagnosticReport?patient=p&_count=-1", 422, "invalid"),
        (f"/fhir/DiagnosticReport?patient=p&_count={'9' * 5000}", 422, "invalid"),
    ],
)
def test_what_cannot_be_answered_is_refused_as_an_operation_outcome(signed, log_in, path, status, code):
    answer = log_in("referrer").get(path)

    assert answer.status_code == status
    assert valid(answer.json())["issue"][0]["code"] == code


@pytest.mark.parametrize("kind", ["DiagnosticReport", "ImagingStudy", "Patient", "Endpoint"])
def test_nobody_and_who_may_not_are_kept_out(signed, log_in, kind):
    id_ = {"DiagnosticReport": signed.id, "ImagingStudy": STUDY, "Patient": signed.patient}
    path = f"/fhir/{kind}/{id_.get(kind, 'dicomweb')}"

    nobody, administrator = log_in().get(path), log_in("administrator").get(path)

    assert (nobody.status_code, administrator.status_code) == (401, 403)
    assert [valid(a.json())["resourceType"] for a in (nobody, administrator)] == ["OperationOutcome"] * 2
    assert "Lovelace" not in administrator.text


def test_an_unsigned_report_and_a_strangers_search_tell_a_technologist_nothing(signed, log_in):
    technologist = log_in("technologist")

    assert technologist.get(f"/fhir/DiagnosticReport/{signed.id}").status_code == 403
    assert technologist.get("/fhir/DiagnosticReport", params={"patient": "p"}).status_code == 403


def test_what_was_given_out_stands_in_the_audit_trail(signed, reads, db, log_in):
    referrer = log_in("referrer")
    referrer.get(f"/fhir/DiagnosticReport/{signed.id}")
    referrer.get(f"/fhir/Patient/{signed.patient}")
    reads.flush()

    acts = {(e.act, e.on, e.by_name) for e in audit.trail(db, limit=4)}
    assert {
        ("fhir.read", signed.id, "Dr Referrer"),
        ("fhir.read", signed.patient, "Dr Referrer"),
    } <= acts


def test_the_capability_statement_needs_no_login_and_names_what_is_there(store, log_in):
    statement = valid(log_in().get("/fhir/metadata").json())

    assert [r["type"] for r in statement["rest"][0]["resource"]] == [
        "DiagnosticReport",
        "ImagingStudy",
        "Patient",
        "Endpoint",
    ]
