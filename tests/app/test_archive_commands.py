"""The archive at the command line."""

import json

import pytest


@pytest.fixture
def study(sightline, write_slice):
    sightline("import", str(write_slice()), "--no-wait")
    (found,) = json.loads(sightline("archive", "search", "--json").out)
    return found["study"]["uid"]


def test_a_study_is_found_corrected_and_the_correction_undone(sightline, study):
    assert study in sightline("archive", "search").out

    made = sightline(
        "archive", "correct", study, "StudyDescription=Other", "AccessionNumber-", "--reason", "x"
    )

    assert made.code == 0, made.err
    (fact,) = json.loads(sightline("archive", "corrections", study, "--json").out)
    assert (
        fact["summary"] == "Changed AccessionNumber, StudyDescription"
        or "StudyDescription" in fact["summary"]
    )
    assert "Other" in sightline("archive", "search", "other").out
    assert sightline("archive", "undo", str(fact["id"])).code == 0
    assert sightline("archive", "undo", str(fact["id"])).code == 1
    assert "Other" not in sightline("archive", "search").out


def test_a_study_is_rejected_and_restored(sightline, study):
    assert "rejection note" in sightline("archive", "reject", study, "--code", "113037").out
    assert study in sightline("archive", "rejected").out
    assert sightline("archive", "search").out == ""
    assert "1 objects are held again" in sightline("archive", "restore", study, "--kind", "rejected").out


def test_a_hold_beats_the_trash_and_the_trash_is_listed(sightline, study):
    sightline("archive", "hold", study, "--reason", "case 7")
    refused = sightline("archive", "trash", study)
    assert (refused.code, "legal hold" in refused.err) == (1, True)
    sightline("archive", "hold", study, "--release")
    assert "1 objects are in the trash" in sightline("archive", "trash", study).out
    assert study in sightline("archive", "trash", "--list").out


def test_a_study_moves_is_labelled_and_counted(sightline, study):
    assert sightline("archive", "move", study, "0815", "--name", "Doe^Jane").code == 0
    sightline("archive", "label", study, "teaching")
    assert "0815" in sightline("archive", "search", "--label", "teaching").out
    assert "1 studies, 1 objects" in sightline("archive", "storage").out
    assert sightline("archive", "conflicts").out == ""


def test_an_id_of_two_issuers_leads_to_neither_until_one_is_named(sightline, write_slice):
    for n, issuer in ((1, "A"), (2, "B")):
        uids = {"StudyInstanceUID": f"1.{n}", "SeriesInstanceUID": f"1.{n}.1", "SOPInstanceUID": f"1.{n}.1.1"}
        folder = write_slice(f"{n}.dcm", **uids, IssuerOfPatientID=issuer).parent
    sightline("import", str(folder), "--no-wait")

    refused = sightline("timeline", "4711")
    shown = sightline("timeline", "4711", "--issuer", "B")
    unclear = sightline("archive", "merge", "4711", "4711")
    merged = sightline("archive", "merge", "4711", "4711", "--issuer", "A", "--into-issuer", "B")

    for answer in (refused, unclear):
        assert (answer.code, answer.out, "issuers have this ID: A, B." in answer.err) == (1, "", True)
    assert shown.out.startswith("Patient 4711, issuer B\n")
    assert merged.code == 0, merged.err
    assert sightline("timeline", "4711").out.startswith("Patient 4711, issuer B\n")


def test_the_doctor_says_whether_a_study_is_all_here(sightline, study):
    well = sightline("doctor", "--study", study)
    assert (well.code, "Nothing seems to be missing" in well.out) == (0, True)
    assert sightline("doctor", "--study", "9.9").code == 1
    assert json.loads(sightline("doctor", "--study", study, "--json").out)["complete"] is True


def test_a_change_that_is_none_is_refused_in_one_line(sightline, study):
    answer = sightline("archive", "correct", study, "StudyDescription")

    assert (answer.code, "KEYWORD=VALUE" in answer.err) == (1, True)


def test_rules_are_printed_and_put_in_place_from_a_file(sightline, write_slice, tmp_path):
    sightline("import", str(write_slice()), "--no-wait")
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"retention": [{"name": "ten years", "keep_days": 3650}]}))

    assert json.loads(sightline("archive", "rules").out) == {"coercion": [], "retention": []}
    assert json.loads(sightline("archive", "rules", str(file)).out)["retention"][0]["keep_days"] == 3650

    file.write_text(json.dumps({"retention": [{"name": "never", "keep_days": 0}]}))
    refused = sightline("archive", "rules", str(file))
    assert refused.code == 1
    assert "retention.0.keep_days" in refused.err
    assert json.loads(sightline("archive", "rules").out)["retention"][0]["name"] == "ten years"
