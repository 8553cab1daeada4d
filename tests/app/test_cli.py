"""The command line: exit codes, one-line refusals, JSON for programs."""

import json
import os
import subprocess
import sys

import pytest

from sightline.app import cli
from sightline.runtime import jobs

NOT_DICOM = b"letters to the editor"


def test_help_says_what_it_is_and_what_it_is_not(sightline):
    answer = sightline("--help")

    assert answer.code == 0
    for command in ("serve", "worker", "demo", "import", "timeline", "report", "models", "user", "token"):
        assert command in answer.out
    assert "not a medical device" in " ".join(answer.out.split())


def test_every_command_takes_the_folder_of_the_installation(sightline):
    def walk(commands, path=()):
        for registered in commands.registered_commands:
            yield (*path, registered.name or registered.callback.__name__)
        for group in commands.registered_groups:
            yield from walk(group.typer_instance, (*path, group.name))

    for path in walk(cli.app):
        assert "--data" in sightline(*path, "--help").out, path


def test_good_files_are_taken_and_counted(sightline, write_slice):
    write_slice()

    answer = sightline("import", str(write_slice().parent))

    assert (answer.code, answer.err.strip()) == (0, "")
    assert "1 taken, 0 already held, 0 in conflict, 0 refused, 0 skipped; 1 studies." in answer.out


def test_the_same_files_again_change_nothing(sightline, write_slice):
    path = str(write_slice())
    sightline("import", path, "--no-wait")

    answer = sightline("import", path, "--no-wait", "--json")

    assert answer.code == 0
    assert json.loads(answer.out) == {
        "stored": 0, "held": 1, "conflicts": [], "refused": [], "skipped": [], "studies": {"1.2.3": 1},
        "stopped": "",
    }  # fmt: skip


def test_bad_files_are_named_with_the_reason_and_the_good_are_taken(sightline, write_slice):
    folder = write_slice("good.dcm").parent
    write_slice("nameless.dcm", SOPInstanceUID=None)
    (folder / "cut.dcm").write_bytes((folder / "good.dcm").read_bytes()[:300])
    (folder / "empty.dcm").write_bytes(b"")
    (folder / "letters.dcm").write_bytes(NOT_DICOM * 100)

    answer = sightline("import", str(folder), "--no-wait")

    assert answer.code == 1
    assert "1 taken" in answer.out
    for name in ("nameless.dcm", "cut.dcm", "empty.dcm", "letters.dcm"):
        (line,) = [line for line in answer.out.splitlines() if name in line]
        assert line.startswith(("refused: ", "skipped: ")), line
    assert "Mueller" not in answer.out + answer.err


def test_the_reasons_are_there_for_programs_too(sightline, write_slice):
    folder = write_slice("good.dcm").parent
    write_slice("nameless.dcm", SOPInstanceUID=None)

    answer = sightline("import", str(folder), "--no-wait", "--json")

    summary = json.loads(answer.out)
    assert (answer.code, summary["stored"]) == (1, 1)
    assert [entry["name"].endswith("nameless.dcm") for entry in summary["refused"]] == [True]
    assert summary["refused"][0]["reason"]


def test_another_object_under_a_held_uid_is_a_conflict_and_the_first_stays(sightline, write_slice):
    sightline("import", str(write_slice("one.dcm")), "--no-wait")

    answer = sightline("import", str(write_slice("two.dcm", StudyDescription="changed")), "--no-wait")

    assert answer.code == 1
    assert "conflict: " in answer.out
    assert "0 taken, 0 already held, 1 in conflict" in answer.out


def test_a_path_that_is_not_there_is_a_wrong_use(sightline, tmp_path):
    answer = sightline("import", str(tmp_path / "none"))

    assert answer.code == 2
    assert "does not exist" in " ".join(answer.err.split())


def test_an_import_that_waits_runs_the_jobs_when_nobody_else_does(sightline, write_slice):
    sightline("import", str(write_slice()))

    study = json.loads(sightline("timeline", "4711", "--json").out)["studies"][0]
    assert (study["study"], study["date"], study["images"]) == ("1.2.3", "2024-01-31", 1)
    assert study["findings"] == []


def test_an_import_beside_a_server_leaves_the_jobs_to_it(sightline, write_slice, tmp_path):
    (tmp_path / "data").mkdir()
    with jobs.take_lock(tmp_path / "data" / "worker.lock"):
        answer = sightline("import", str(write_slice()))

    assert answer.code == 0
    assert "1 taken" in answer.out


def test_a_worker_beside_a_server_is_refused(sightline, tmp_path):
    (tmp_path / "data").mkdir()
    with jobs.take_lock(tmp_path / "data" / "worker.lock"):
        answer = sightline("worker")

    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "sightline: Another process runs the jobs of this installation.\n"


def test_the_timeline_of_a_patient_is_shown(sightline, write_slice):
    sightline("import", str(write_slice()))

    answer = sightline("timeline", "4711")

    assert answer.code == 0
    assert "2024-01-31" in answer.out
    assert "1 images" in answer.out


def test_treatments_and_labs_of_a_fhir_bundle_come_to_the_patient_whom_an_issuer_names(
    sightline, write_slice, test_data
):
    file = next((test_data / "fhir-synthea").glob("Brent_*.json"), None)
    if file is None:
        pytest.skip("The shared data hold no fhir-synthea.")
    mine = file.stem.split("_")[-1]
    sightline("import", str(write_slice(PatientID=mine)))

    unnamed = sightline("import-events", str(file), "--patient", mine)
    issuer = ("--issuer", "http://hospital.smarthealthit.org")
    first = json.loads(sightline("import-events", str(file), "--patient", mine, *issuer, "--json").out)
    again = json.loads(
        sightline("import-events", str(file), "--patient", first["patient"], *issuer, "--json").out
    )

    assert unnamed.code == 1
    assert "name its system with --issuer: http" in unnamed.err
    assert (first["added"], first["left"]) == (82, {"Observation: is no laboratory value": 24})
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 82)


@pytest.mark.parametrize("command", ["timeline", "report"])
def test_what_is_not_held_is_said_in_one_line_with_exit_code_2(sightline, command):
    answer = sightline(command, "9.9.9")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("sightline: ")
    assert answer.err.count("\n") == 1


def test_a_report_can_be_read_before_anything_is_written(sightline, write_slice):
    sightline("import", str(write_slice()))

    answer = sightline("report", "1.2.3")
    report = json.loads(sightline("report", "1.2.3", "--json").out)

    assert answer.code == 0
    assert "draft, not signed" in answer.out
    assert (report["study"], report["signed_by"], report["objects"]) == ("1.2.3", None, [])
    assert [section["name"] for section in report["sections"]]


def test_the_models_are_listed_with_what_must_be_known_of_them(sightline):
    cards = json.loads(sightline("models", "--json").out)
    shown = sightline("models").out

    card = cards["chest-ct-nodules"]
    assert card["regulatory_status"] == "research only"
    assert card["intended_use"] in " ".join(shown.split())
    assert card["not_for"] in " ".join(shown.split())


def test_a_person_and_a_token_are_made_and_audited(sightline, monkeypatch):
    assert sightline("user", "add", "ben", "--role", "radiologist", "--link").code == 0
    token = sightline("token", "create", "--user", "ben", "--scope", "archive.read", "--expires", "1d")
    people = json.loads(sightline("user", "list", "--json").out)

    assert token.code == 0
    assert len(token.out.strip()) > 20
    assert [(p["username"], p["roles"]) for p in people] == [("ben", ["radiologist"])]
    trail = sightline("audit", "show").out
    assert "user.create" in trail
    assert "token.create" in trail
    assert token.out.strip() not in trail


def test_a_token_for_nobody_is_refused(sightline):
    answer = sightline("token", "create", "--user", "nobody")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "sightline: Nobody has that user name; see sightline user list.\n"


def test_the_trail_is_proved_whole(sightline, write_slice):
    sightline("import", str(write_slice()), "--no-wait")

    plain, verdict = sightline("audit", "verify"), sightline("audit", "verify", "--json")

    assert (plain.code, verdict.code) == (0, 0)
    assert json.loads(verdict.out)["ok"] is True


def test_a_setting_that_does_not_exist_stops_every_command(sightline, monkeypatch, tmp_path):
    monkeypatch.setenv("SIGHTLINE_HTPP_PORT", "9000")

    answer = sightline("user", "list")

    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        "sightline: SIGHTLINE_HTPP_PORT is not a setting; did you mean SIGHTLINE_HTTP_PORT?\n"
    )
    assert not (tmp_path / "data").exists()


def test_an_option_with_an_impossible_value_is_refused_like_the_setting(sightline):
    answer = sightline("serve", "--http-port", "70000")

    assert answer.code == 1
    assert answer.err.startswith(
        "sightline: SIGHTLINE_HTTP_PORT: Input should be less than or equal to 65535"
    )


def test_a_database_that_does_not_answer_is_said_in_one_line(sightline, monkeypatch):
    url = "postgresql+psycopg://me:pass-w0rd@127.0.0.1:1/none?connect_timeout=2"
    monkeypatch.setenv("SIGHTLINE_DATABASE_URL", url)

    answer = sightline("user", "list")

    assert answer.code == 1
    assert answer.err.startswith("sightline: The database cannot be opened")
    assert answer.err.count("\n") == 1
    assert "pass-w0rd" not in answer.err


def test_the_installed_command_answers(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "sightline", "user", "list", "--json", "--data", str(tmp_path / "data")],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONWARNINGS": "error"},
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
