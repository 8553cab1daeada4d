"""The report over HTTP."""

from tests.care.reporting.conftest import STUDY

ADDRESS = f"/api/studies/{STUDY}/report"


def back(report):
    """What a page sends back unchanged."""
    return [
        {"name": part["name"], "sentences": [{"id": s["id"], "text": s["text"]} for s in part["sentences"]]}
        for part in report["sections"]
    ]


def test_a_report_is_opened_edited_and_signed_by_what_was_seen(accepted, db, log_in):
    db.commit()
    reader = log_in("radiologist")
    seen = reader.get(ADDRESS).json()
    assert (seen["state"], seen["version"], seen["based_on"]["accepted"]) == ("draft", 0, 2)
    assert len(seen["digest"]) == 64
    sections = back(seen)
    sections[3]["sentences"].append({"text": "Follow-up in 3 months."})

    sent = {"version": 0, "digest": seen["digest"], "sections": sections}
    edited = reader.put(ADDRESS, json=sent).json()
    assert edited["version"] == 1
    assert edited["sections"][3]["sentences"][-1]["text"] == "Follow-up in 3 months."
    assert edited["sections"][3]["sentences"][-1]["edited"]
    assert edited["digest"] != seen["digest"]

    stale = reader.post(f"{ADDRESS}/signature", json={"version": 1, "digest": seen["digest"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "report-changed-meanwhile")

    signed = reader.post(f"{ADDRESS}/signature", json={"version": 1, "digest": edited["digest"]}).json()
    assert (signed["state"], signed["signed_by"], signed["digest"]) == (
        "signed",
        "Dr Radiologist",
        edited["digest"],
    )
    assert signed["objects"] == [
        {
            "kind": "FHIR",
            "uid": None,
            "label": "DiagnosticReport (FHIR R4)",
            "url": f"/fhir/DiagnosticReport/{signed['id']}",
        }
    ]
    assert reader.put(ADDRESS, json=sent).json()["code"] == "report-already-signed"


def test_a_client_that_does_not_know_of_digests_signs_by_version(accepted, db, log_in):
    db.commit()

    assert log_in("radiologist").post(f"{ADDRESS}/signature", json={"version": 0}).status_code == 200


def test_refusals_come_as_problems_and_change_nothing(accepted, db, log_in):
    db.commit()
    reader = log_in("radiologist")
    seen = reader.get(ADDRESS).json()

    refusals = [
        reader.put(ADDRESS, json={"version": 3, "sections": back(seen)}),
        reader.put(ADDRESS, json={"version": 0, "sections": [{"name": "Addendum", "sentences": []}]}),
        reader.post(f"{ADDRESS}/signature", json={"version": 1}),
        log_in("technologist").get(ADDRESS),
        log_in().get(ADDRESS),
        reader.get("/api/studies/9.9/report"),
    ]

    assert [(r.status_code, r.json()["code"]) for r in refusals] == [
        (409, "report-changed-meanwhile"),
        (422, "unknown-section"),
        (409, "report-changed-meanwhile"),
        (403, "not-allowed"),
        (401, "not-logged-in"),
        (404, "study-not-held"),
    ]
    assert reader.get(ADDRESS).json() == seen


def test_a_report_with_an_empty_section_is_kept_and_not_signed(accepted, db, log_in):
    db.commit()
    reader = log_in("radiologist")
    emptied = reader.put(
        ADDRESS, json={"version": 0, "sections": [{"name": "Findings", "sentences": []}]}
    ).json()

    refused = reader.post(f"{ADDRESS}/signature", json={"version": 1})

    assert [(c["id"], c["severity"]) for c in emptied["checks"]] == [("empty", "error")]
    assert (refused.status_code, refused.json()["code"]) == (422, "report-not-ready")
    assert reader.get(ADDRESS).json()["state"] == "draft"
