"""Tumour response over HTTP: the table, keeping it, and what leaves the house."""

import csv
import io
import json

import highdicom as hd
import pydicom
import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydicom.sr.codedict import codes
from typer.testing import CliRunner

from sightline.care.response.commands import commands
from sightline.record import archive
from sightline.trust import access, audit
from tests.care.response.conftest import STUDIES
from tests.dciodvfy import errors_of


@pytest.fixture
def here(patient):
    return f"/api/patients/{patient}/response"


@pytest.fixture
def kept(followed, here, log_in):
    """A response that a radiologist kept: 50, 33, 24 mm and a lesion that is not a target."""
    followed((50.0, 33.0, 24.0), (8.0, 8.0, 8.0))
    reader = log_in("radiologist")
    plan = reader.get(here).json()["plan"]
    assert reader.put(here, json={"version": 0, "plan": plan}).status_code == 200
    return reader


def test_the_table_holds_values_intervals_sums_and_reasons(kept, here):
    shown = kept.get(here).json()

    target, other = shown["lesions"]
    assert (target["code"], target["shown"], other["code"]) == ("T1", ["long-axis"], "N1")
    long_axis = next(v for v in target["cells"][1]["values"] if v["quantity"] == "long-axis")
    assert (long_axis["value"], long_axis["unit"], long_axis["assumed"]) == (33.0, "mm", True)
    assert long_axis["low"] == pytest.approx(33 * 0.779)
    assert [cell["counted"] for cell in target["cells"]] == [50.0, 33.0, 24.0]
    assert target["best_percent"] == pytest.approx(-52.0)
    week = shown["points"][1]
    assert (week["category"], week["value"], week["unit"]) == ("PR", 33.0, "mm")
    assert week["change_percent"] == pytest.approx(-34.0)
    assert all(r["source"].startswith("RECIST 1.1") for r in week["reasons"])
    assert week["plausible"] == ["PR", "SD"]
    assert (shown["best"]["category"], shown["kept"], shown["version"]) == ("PR", True, 1)
    assert shown["swimmer"] == [{"start_day": 182, "end_day": None, "category": "PR"}]


def test_another_criterion_is_worked_out_at_once_and_says_what_is_unconfirmed(kept, here):
    shown = kept.get(here, params={"criterion": "mrecist"}).json()

    assert shown["criterion"]["title"].startswith("mRECIST")
    assert shown["criterion"]["unconfirmed"]
    assert not all(r["confirmed"] for r in shown["points"][1]["reasons"])
    assert shown["plan"]["criterion"] == "recist-1.1", "nothing was kept"
    assert kept.get(here, params={"criterion": "guess"}).status_code == 404


@pytest.mark.parametrize("change", [{"points": [{"studies": []}]}, {"criterium": "x"}, {"left_out": ["a"]}])
def test_what_is_no_plan_is_refused_by_path(kept, here, change):
    plan = kept.get(here).json()["plan"]

    answer = kept.put(here, json={"version": 1, "plan": plan | change})

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("body.plan.")
    assert kept.get(here).json()["version"] == 1


def test_keeping_an_old_version_is_a_conflict_and_undo_leads_back(kept, here):
    plan = kept.get(here).json()["plan"]

    assert kept.put(here, json={"version": 0, "plan": plan}).json()["code"] == "response-changed-meanwhile"
    assert kept.post(f"{here}/undoing", json={"version": 1}).json()["kept"] is False
    assert kept.post(f"{here}/undoing", json={"version": 2}).json()["code"] == "nothing-to-take-back"


def test_who_may_not_see_the_patient_sees_no_response(kept, here, log_in):
    assert log_in("").get(here).status_code == 401
    researcher = log_in("researcher")
    assert researcher.get(here).status_code == 403
    assert researcher.get(f"{here}/table").status_code == 403
    referrer = log_in("referrer")
    assert referrer.get(here).status_code == 200
    plan = referrer.get(here).json()["plan"]
    assert referrer.put(here, json={"version": 1, "plan": plan}).status_code == 403


def test_the_csv_is_one_row_a_time_point_and_no_formula(kept, here):
    plan = kept.get(here).json()["plan"]
    plan["lesions"][1] |= {"label": "=HYPERLINK(1)"}
    kept.put(here, json={"version": 1, "plan": plan})

    answer = kept.get(f"{here}/table")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [row["category"] for row in rows] == ["baseline", "PR", "PR"]
    assert (rows[1]["change_percent"], rows[1]["status"]) == ("-34", "draft")
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())


def test_the_fhir_observations_are_preliminary_drafts(kept, here, patient):
    bundle = kept.get(f"{here}/fhir").json()

    get_fhir_model_class("Bundle").model_validate(bundle)
    one = bundle["entry"][0]["resource"]
    assert (one["status"], one["subject"]) == ("preliminary", {"reference": f"Patient/{patient}"})
    assert one["code"]["coding"][0] == {
        "system": "http://loinc.org", "code": "97509-4", "display": "Cancer disease progression",
    }  # fmt: skip
    assert one["valueCodeableConcept"]["coding"][0]["code"] == "268910001"
    assert one["note"][0]["text"].startswith("Draft for sign-off")
    assert any("PR or SD" in note["text"] for note in one["note"])
    assert one["derivedFrom"][0]["identifier"]["value"] == f"urn:oid:{STUDIES[1]}"


def test_the_sr_is_unverified_and_reads_back_value_and_unit(kept, here, tmp_path):
    data = kept.get(f"{here}/sr", params={"study": STUDIES[1]}).content

    assert errors_of(data, tmp_path) == []
    ds = pydicom.dcmread(io.BytesIO(data))
    assert (ds.CompletionFlag, ds.PreliminaryFlag, ds.VerificationFlag) == (
        "PARTIAL",
        "PRELIMINARY",
        "UNVERIFIED",
    )
    assert (ds.StudyInstanceUID, ds.PatientID) == (STUDIES[1], "4711")
    report = hd.sr.ComprehensiveSR.from_dataset(ds)
    [measured] = [
        m
        for group in report.content.get_image_measurement_groups()
        for m in group.get_measurements()
        if m.name == codes.SCT.LongAxis and m.value == 33.0
    ]
    assert measured.unit.value == "mm"
    [found] = [i for i in ds.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == "112020"]
    coded = {
        i.ConceptNameCodeSequence[0].CodeValue: i.ConceptCodeSequence[0].CodeValue
        for i in found.ContentSequence
        if i.ValueType == "CODE"
    }
    assert coded["112021"] == "112022"
    values = [i.ConceptCodeSequence[0].CodeValue for i in found.ContentSequence if i.ValueType == "CODE"]
    assert {"112042", "112046"} <= set(values), "targets PR, non-targets still there"
    words = [i.TextValue for i in found.ContentSequence if i.ValueType == "TEXT"]
    assert any("targets PR [RECIST 1.1]" in text for text in words)
    assert kept.get(f"{here}/sr", params={"study": "9.9"}).json()["code"] == "no-response-yet"


def test_what_nobody_kept_does_not_leave(followed, here, log_in):
    followed((50.0, 33.0, 24.0))
    reader = log_in("radiologist")

    for kind in ("table", "fhir", "sr"):
        assert reader.get(f"{here}/{kind}").json()["code"] == "no-response-yet"


def test_looking_and_giving_out_stand_in_the_trail(kept, here, patient, reads, database):
    kept.get(f"{here}/table")
    reads.flush()

    with database.reading() as db:
        acts = {entry.act for entry in (*audit.trail(db, on=patient), *audit.trail(db, on=f"{patient}/csv"))}
    assert {"response.open", "response.keep", "response.export"} <= acts


@pytest.fixture
def terminal(database):
    """Return a function that runs the command with these words."""

    class Here:
        operator = access.operator("tester")

        def __init__(self):
            self.database = database

    return lambda *words: CliRunner().invoke(commands, words, obj=Here())


def test_the_command_says_the_same(kept, here, patient, terminal):
    shown = terminal("4711", "--json")
    words = terminal(patient, "--criterion", "irecist")

    assert json.loads(shown.stdout)["points"] == kept.get(here).json()["points"]
    assert "iPR" in words.stdout
    assert "a reader decides" in words.stdout
    assert words.stdout.startswith("Patient 4711, issuer not stated\n")


def test_the_command_shows_nobodys_response_while_two_issuers_use_the_id(kept, receive, patient, terminal):
    receive("2.1", IssuerOfPatientID="ELSEWHERE", PatientName="Other^Name")

    refused = terminal("4711")
    named, other = terminal("4711", "--issuer", ""), terminal("4711", "--issuer", "ELSEWHERE")

    assert refused.stdout == ""
    assert isinstance(refused.exception, archive.SeveralPatients)
    assert "have this ID: (none), ELSEWHERE. Name the issuer" in str(refused.exception)
    assert "best response PR" in named.stdout
    assert other.stdout.startswith("Patient 4711, issuer ELSEWHERE\n")
    assert "best response" not in other.stdout
    assert terminal(patient).stdout == named.stdout
    assert isinstance(terminal("4711", "--issuer", "NOBODY").exception, archive.PatientNotHeld)
