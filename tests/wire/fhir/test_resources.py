"""FHIR resources: read by an outside model, and their codes held against the required value sets."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from fhir.resources.R4B import get_fhir_model_class

from sightline.kernel.codes import LUNG_NODULE, RIGHT_LUNG, Code
from sightline.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from sightline.kernel.quantities import Quantity
from sightline.wire.fhir import _resources as resources
from sightline.wire.fhir._views import (
    FormView,
    InstanceView,
    ObservationView,
    PatientView,
    ReportView,
    SeriesView,
    StudyView,
)

# Required bindings of FHIR R4 4.0.1; fhir.resources does not check them.
REQUIRED = {
    ("DiagnosticReport", "status"): {"registered", "partial", "preliminary", "final", "amended", "corrected"},
    ("Observation", "status"): {"registered", "preliminary", "final", "amended", "corrected"},
    ("ImagingStudy", "status"): {"registered", "available", "cancelled", "entered-in-error", "unknown"},
    ("Endpoint", "status"): {"active", "suspended", "error", "off", "entered-in-error", "test"},
    ("Patient", "gender"): {"male", "female", "other", "unknown"},
    ("Bundle", "type"): {"searchset"},
    ("CapabilityStatement", "status"): {"draft", "active", "retired", "unknown"},
    ("CapabilityStatement", "kind"): {"instance", "capability", "requirements"},
    ("CapabilityStatement", "fhirVersion"): {"4.0.1"},
}
INTERACTIONS = {"read", "vread", "update", "patch", "delete", "history-instance", "create", "search-type"}
SEARCH_TYPES = {"number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"}
ISSUES = {"invalid", "login", "forbidden", "not-found", "conflict", "transient", "not-supported"}

SIGNED_AT = datetime(2026, 11, 24, 11, 30, tzinfo=timezone(timedelta(hours=1)))


def valid(resource: dict) -> dict:
    """Parse by the outside model, check required codes and that nothing is empty; give it back."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    for (kind, element), allowed in REQUIRED.items():
        if resource["resourceType"] == kind and element in resource:
            assert resource[element] in allowed
    assert_nothing_empty(resource)
    for contained in resource.get("contained", []):
        assert "meta" not in contained
        valid(contained)
    return resource


def assert_nothing_empty(value: object) -> None:
    assert value not in (None, "", [], {})
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        assert_nothing_empty(item)


@pytest.fixture
def nodule() -> ObservationView:
    return ObservationView(
        id="f1",
        patient="p1",
        study="s1",
        number=1,
        label="right lung, upper third, nodule",
        tracking_uid="2.25.7",
        finding=LUNG_NODULE,
        site=RIGHT_LUNG,
        effective=date(2026, 11, 24),
        issued=SIGNED_AT,
        laterality=Code("24028007", "SCT", "Right"),
        volume=Quantity(416.2, "mm3", "partial volume", 364.1, 468.3),
        long_axis=Quantity(10.1, "mm", "largest caliper", 9.3, 12.9),
        change="grown 74 % since 3 May 2026",
        change_code=Code("35105006", "SCT", "Increased"),
        algorithm=("chest-ct-nodules", "1.0.0"),
        reader="Dr Ada Adams",
        accession="A-7",
    )


@pytest.fixture
def report(nodule) -> ReportView:
    return ReportView(
        id="r1",
        report_id="r1",
        version=4,
        status="final",
        patient="p1",
        study="s1",
        study_uid="1.2.3",
        effective=datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
        issued=SIGNED_AT,
        organisation="North Hospital",
        title="CT chest report",
        sections=(("Impression", ("Nodule < 11 mm & growing.",)),),
        signed_by="Dr Ada Adams",
        accession="A-7",
        conclusion="Growing nodule.",
        observations=(nodule,),
        prior_study="s0",
        forms=(
            FormView("text/html", b"<p>page</p>", "CT chest report"),
            FormView("application/pdf", b"%PDF-1.7", "CT chest report", url="https://here/report.pdf"),
        ),
    )


def test_a_report_names_what_it_answers_for_and_who_answers(report):
    resource = valid(resources.diagnostic_report(report))

    assert resource["status"] == "final"
    assert resource["category"][0]["coding"][0]["code"] == "RAD"
    assert resource["code"]["coding"][0] == {
        "system": "http://loinc.org",
        "code": "18748-4",
        "display": "Diagnostic imaging study",
    }
    assert resource["subject"] == {"reference": "Patient/p1"}
    assert resource["issued"] == "2026-11-24T10:30:00.000Z"
    assert resource["imagingStudy"][0]["identifier"]["value"] == "urn:oid:1.2.3"
    assert resource["extension"][0]["valueReference"] == {"reference": "ImagingStudy/s0"}
    assert [c["resourceType"] for c in resource["contained"]] == [
        "Organization",
        "Practitioner",
        "Observation",
    ]
    assert resource["contained"][1]["name"] == [{"text": "Dr Ada Adams"}]


def test_every_contained_resource_is_referred_to(report):
    resource = resources.diagnostic_report(report)
    named = {"#" + contained["id"] for contained in resource["contained"]}
    people = resource["performer"] + resource["resultsInterpreter"] + resource["result"]

    assert named == {reference["reference"] for reference in people}


def test_findings_can_stand_outside_the_report(report):
    resource = valid(resources.diagnostic_report(report, contain_observations=False))

    assert resource["result"] == [{"reference": "Observation/f1"}]
    assert "Observation" not in {contained["resourceType"] for contained in resource["contained"]}


def test_rendered_forms_carry_size_and_hash_with_bytes_or_address(report):
    page, pdf = resources.diagnostic_report(report)["presentedForm"]

    assert base64.b64decode(page["data"]) == b"<p>page</p>"
    assert page["size"] == 11
    assert base64.b64decode(page["hash"]) == hashlib.sha1(b"<p>page</p>").digest()
    assert pdf["url"] == "https://here/report.pdf"
    assert "data" not in pdf
    assert pdf["hash"] == base64.b64encode(hashlib.sha1(b"%PDF-1.7").digest()).decode()


def test_the_narrative_is_escaped(report):
    div = resources.diagnostic_report(report)["text"]["div"]

    assert "<p>Nodule &lt; 11 mm &amp; growing.</p>" in div


def test_control_characters_do_not_travel(report):
    resource = valid(resources.diagnostic_report(replace(report, title="CT\x00 chest\x1b report")))

    assert resource["code"]["text"] == "CT chest report"
    assert "<h1>CT chest report</h1>" in resource["text"]["div"]


def test_a_draft_is_preliminary_and_names_no_reader(report):
    draft = replace(report, status="preliminary", signed_by=None, prior_study=None, accession="")
    resource = valid(resources.diagnostic_report(draft))

    assert resource["status"] == "preliminary"
    assert "resultsInterpreter" not in resource
    assert "extension" not in resource


def test_simulated_data_carry_the_mark_of_test_health_data(report):
    resource = valid(resources.diagnostic_report(replace(report, simulated=True)))

    assert resource["meta"]["security"][0]["code"] == "HTEST"
    assert resource["conclusion"].startswith("SIMULATED")
    assert "SIMULATED" in resource["text"]["div"]


def test_a_finding_gives_sizes_in_ucum_with_their_uncertainty(nodule):
    resource = valid(resources.observation(nodule))
    tracking, volume, long_axis = resource["component"]

    assert tracking["valueString"] == "2.25.7"
    assert volume["code"]["coding"][0]["code"] == "118565006"
    assert volume["valueQuantity"]["value"] == 416.2
    assert volume["valueQuantity"]["code"] == "mm3"
    assert volume["valueQuantity"]["system"] == "http://unitsofmeasure.org"
    assert volume["valueQuantity"]["extension"][0]["valueDecimal"] == pytest.approx(52.1 / 1.96, abs=1e-6)
    assert "extension" not in long_axis["valueQuantity"], "a skewed interval is no standard deviation"
    assert resource["note"][1]["text"] == "Long axis: largest caliper; 95 % interval 9.3 to 12.9 mm."


def test_a_finding_says_how_it_changed_and_what_proposed_it(nodule):
    resource = valid(resources.observation(nodule))

    codes = [coding["code"] for coding in resource["interpretation"][0]["coding"]]
    assert codes == ["U", "35105006"]
    assert resource["interpretation"][0]["text"] == "grown 74 % since 3 May 2026"
    assert resource["device"] == {"display": "chest-ct-nodules 1.0.0"}
    assert resource["derivedFrom"] == [{"reference": "ImagingStudy/s1"}]


def test_a_stable_finding_has_no_interpretation_beyond_snomed(nodule):
    stable = replace(nodule, change_code=Code("58158008", "SCT", "Stable"), change=None)
    interpretation = valid(resources.observation(stable))["interpretation"][0]

    assert [coding["code"] for coding in interpretation["coding"]] == ["58158008"]
    assert interpretation["text"] == "Stable"


def test_a_name_keeps_every_script_it_is_written_in():
    view = PatientView("p1", "123", "Yamada^Tarou=山田^太郎=やまだ^たろう", "M", date(1960, 1, 2), "North")
    resource = valid(resources.patient(view))

    assert [name["family"] for name in resource["name"]] == ["Yamada", "山田", "やまだ"]
    assert [name["extension"][0]["valueCode"] for name in resource["name"]] == ["ABC", "IDE", "SYL"]
    assert resource["birthDate"] == "1960-01-02"
    assert resource["gender"] == "male"


@pytest.mark.parametrize("sex", ["", "X"])
def test_an_unknown_sex_is_left_out(sex):
    assert "gender" not in valid(resources.patient(PatientView("p1", "123", "A^B", sex)))


def test_a_patient_of_whom_nothing_is_known_is_still_a_patient():
    assert valid(resources.patient(PatientView("p1", ""))) == {"resourceType": "Patient", "id": "p1"}


def test_a_study_is_found_by_its_uid_and_accession_number():
    instance = InstanceView("1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.2", 1)
    series = SeriesView("1.2.3.4", "CT", 2, "lung", instances=(instance,))
    view = StudyView(
        "s1", "1.2.3", "p1", ("CT",), date(2026, 11, 24), "A-7", endpoint_id="wado", series=(series,)
    )
    resource = valid(resources.imaging_study(view))

    assert resource["identifier"][0] == {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}
    assert resource["identifier"][1]["value"] == "A-7"
    assert resource["numberOfInstances"] == 1
    assert resource["started"] == "2026-11-24"
    assert resource["series"][0]["instance"][0]["sopClass"]["code"] == "urn:oid:1.2.840.10008.5.1.4.1.1.2"
    assert resource["endpoint"] == [{"reference": "Endpoint/wado"}]


def test_a_time_without_a_zone_is_told_as_a_date(nodule):
    resource = valid(resources.observation(replace(nodule, effective=SIGNED_AT.replace(tzinfo=None))))

    assert resource["effectiveDateTime"] == "2026-11-24"


def test_an_endpoint_says_that_it_needs_a_token():
    resource = valid(resources.endpoint("wado", wado_url="https://here/dicom-web"))

    assert resource["extension"][0]["valueBoolean"] is True
    assert resource["connectionType"]["code"] == "dicom-wado-rs"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (NotFound, "not-found"),
        (Unauthenticated, "login"),
        (Forbidden, "forbidden"),
        (Invalid, "invalid"),
        (Conflict, "conflict"),
        (Unavailable, "transient"),
    ],
)
def test_each_kind_of_refusal_has_its_issue_code(kind, code):
    class NamedRefusal(kind):
        """Named after what is the case."""

    issue = valid(resources.operation_outcome(NamedRefusal("What happened; what to do.")))["issue"][0]

    assert issue["code"] == code
    assert code in ISSUES
    assert issue["details"]["text"] == "What happened; what to do."
    assert issue["diagnostics"] == "named-refusal"


def test_the_capability_statement_lists_what_the_table_says():
    table = [
        resources.Capability("Patient", ("read", "search-type"), {"_id": "token"}),
        resources.Capability(
            "ImagingStudy", ("search-type",), {"patient": "reference"}, ("ImagingStudy:endpoint",)
        ),
    ]
    resource = valid(
        resources.capability_statement(
            table, base_url="https://here/fhir", version="0.1", released=date(2026, 11, 24)
        )
    )

    served = resource["rest"][0]["resource"]
    assert [entry["type"] for entry in served] == ["Patient", "ImagingStudy"]
    assert {i["code"] for entry in served for i in entry["interaction"]} <= INTERACTIONS
    assert {p["type"] for entry in served for p in entry["searchParam"]} <= SEARCH_TYPES
    assert served[1]["searchInclude"] == ["ImagingStudy:endpoint"]


def test_a_search_bundle_tells_matches_from_what_came_along():
    match = resources.patient(PatientView("p1", "123"))
    extra = resources.endpoint("wado", wado_url="https://here/dicom-web")
    bundle = valid(
        resources.search_bundle(
            [match],
            base_url="https://here/fhir/",
            self_url="https://here/fhir/Patient?_count=1",
            next_url="https://here/fhir/Patient?_count=1&after=p1",
            total=2,
            included=[extra],
            warnings=["Parameter colour is not known and was ignored."],
        )
    )

    assert [entry["search"]["mode"] for entry in bundle["entry"]] == ["match", "include", "outcome"]
    assert bundle["entry"][0]["fullUrl"] == "https://here/fhir/Patient/p1"
    assert bundle["total"] == 2
    assert [link["relation"] for link in bundle["link"]] == ["self", "next"]


def test_an_empty_search_is_a_bundle_with_nothing_in_it():
    bundle = valid(resources.search_bundle([], base_url="https://here", self_url="https://here/x", total=0))

    assert bundle["total"] == 0
    assert "entry" not in bundle
