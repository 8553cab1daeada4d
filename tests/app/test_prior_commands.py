"""Priors that another archive holds, at the command line."""

import json

from tests.orthanc import TITLE, orthanc

__all__ = ["orthanc"]

NOW, LAST, OTHER = "1.2.10", "1.2.11", "1.2.12"


def test_priors_are_asked_for_fetched_and_a_doubtful_one_is_taken(sightline, orthanc, make_slice, tmp_path):
    (tmp_path / "now.dcm").write_bytes(make_slice(study=NOW, series=f"{NOW}.1", StudyDate="20240601"))
    orthanc.put(make_slice(study=LAST, series=f"{LAST}.1"))
    orthanc.put(make_slice(study=OTHER, series=f"{OTHER}.1", PatientBirthDate="19610102"))
    sightline("import", str(tmp_path / "now.dcm"), "--no-wait")
    assert "No source was asked." in sightline("priors", NOW, "--search").out
    sightline("peer", "add", TITLE, "127.0.0.1", str(orthanc.dicom_port), "--priors")
    assert "priors by get" in sightline("peer", "list").out

    shown = sightline("priors", NOW, "--search")

    assert shown.code == 0, shown.err
    told = {line.split()[0]: line for line in shown.out.splitlines() if LAST in line or OTHER in line}
    assert told.keys() == {"held", "doubtful"}
    assert LAST in told["held"]
    assert "the date of birth differs" in told["doubtful"]
    assert shown.out.splitlines()[-1] == "1 needs a person"

    taken = json.loads(sightline("priors", NOW, "--take", OTHER, "--json").out)
    assert {one["find"]["prior_uid"]: one["find"]["state"] for one in taken["finds"]} == {
        LAST: "held", OTHER: "held",
    }  # fmt: skip
    assert sightline("priors", NOW, "--take", OTHER).code == 1
    assert sightline("priors", "9.9", "--search").code == 2
    assert "Nobody is asked" in sightline("transfer", "source", TITLE, "--off").out
