"""The archive's pages over HTTP, from search to conflict; the bodies are what the web client is built on."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from sightline.record import archive
from sightline.record.archive import jobs as archive_jobs
from sightline.record.archive.routes import router
from sightline.runtime.http import install_problem_handlers
from sightline.trust import access
from sightline.trust.identity import caller_of

ARCHIVIST = access.Person("a", "Archivist", "a", frozenset({"archivist"}), "*")
REFERRER = access.Person("r", "Referrer", "r", frozenset({"referrer"}), "*")
assert archive_jobs.purge_trash.name == "archive-purge"


class Client:
    """Sends requests as `caller` to the routes of the archive."""

    def __init__(self, store):
        self.caller = ARCHIVIST
        self._app = FastAPI()
        self._app.include_router(router, prefix="/api")
        install_problem_handlers(self._app)
        self._app.state.database, self._app.state.store = store.database, store
        self._app.dependency_overrides[caller_of] = lambda: self.caller

    def __call__(self, method, path, json=None):
        async def send():
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://pacs.example") as client:
                return await client.request(method, f"/api/archive{path}", json=json)

        return asyncio.run(send())


@pytest.fixture
def ask(store):
    return Client(store)


@pytest.fixture
def database(sqlite_template, tmp_path):
    """The routes only translate: one kind of database is enough."""
    import shutil

    from sightline.runtime import jobs
    from sightline.runtime.db import open_database

    shutil.copy(sqlite_template, tmp_path / "sightline.db")
    opened = open_database(f"sqlite:///{tmp_path}/sightline.db")
    jobs.open_queue(opened)
    yield opened
    jobs.close_queues()
    opened.dispose()


def test_studies_are_listed_page_by_page_and_searched(ask, take, make_slice):
    take(*(make_slice(1, study=f"1.2.{n}", series=f"1.2.{n}.1", StudyDate=f"2024010{n}") for n in (3, 4, 5)))

    first = ask("GET", "/studies?limit=2").json()
    rest = ask("GET", f"/studies?limit=2&after={first['next']}").json()
    assert [row["uid"] for row in first["items"] + rest["items"]] == ["1.2.5", "1.2.4", "1.2.3"]
    assert rest["next"] is None
    row = first["items"][0]
    assert row["patient"]["name"] == "Müller^Jörg"
    assert (row["labels"], row["on_hold"], row["expected"], row["conflicts"]) == ([], False, None, 0)
    found = ask("POST", "/studies/search", {"text": "mulle", "since": "20240104", "until": "20240104"}).json()
    assert [row["uid"] for row in found["items"]] == ["1.2.4"]
    assert ask("GET", "/studies?after=nonsense").status_code == 422


def test_a_study_tells_all_that_is_known_of_it(ask, take, make_slice):
    take(make_slice(1), make_slice(3))
    ask("PUT", "/studies/1.2.3/labels/teaching")
    ask("PUT", "/studies/1.2.3/hold", {"reason": "case 7"})
    ask("PUT", "/rules", {"retention": [{"name": "all", "keep_days": 10}]})

    told = ask("GET", "/studies/1.2.3").json()

    assert told["series"][0]["gaps"] == [[2, 2]]
    assert told["series"][0]["transfer_syntaxes"] == ["1.2.840.10008.1.2.1"]
    received = told["completeness"]["received"][0]
    assert (received["source"], received["instances"], told["completeness"]["gaps"]) == ("test", 2, 1)
    assert (told["labels"], told["hold"]["reason"]) == (["teaching"], "case 7")
    assert told["retention"]["rule"] == "all"
    assert ask("GET", "/studies/9.9").status_code == 404
    assert ask("DELETE", "/studies/1.2.3/labels/teaching").status_code == 204
    assert ask("DELETE", "/studies/1.2.3/hold").status_code == 204


def test_corrections_are_made_and_undone(ask, take, make_slice):
    take(make_slice(1), make_slice(1, series="1.2.3.2"))
    edit = {"kind": "edit", "changes": {"StudyDescription": "CT abdomen"}, "reason": "typo"}
    move = {"kind": "move", "patient_id": "0815", "issuer": "", "reason": ""}
    made = [
        ask("POST", "/studies/1.2.3/corrections", body)
        for body in (edit, move, {"kind": "split", "series": ["1.2.3.2"]})
    ]

    assert [m.status_code for m in made] == [201] * 3
    assert made[0].json()["summary"] == "Changed StudyDescription"
    assert ask("POST", f"/corrections/{made[1].json()['id']}/undo").status_code == 409
    for correction in reversed(made):
        undone = ask("POST", f"/corrections/{correction.json()['id']}/undo").json()
        assert undone["undone_at"] is not None
    told = ask("GET", "/studies/1.2.3").json()
    assert (told["study"]["description"], told["study"]["series_count"]) == ("CT chest", 2)
    assert [c["kind"] for c in told["corrections"]] == ["edit", "move", "split"]


def test_a_series_is_edited_only_through_its_own_study(ask, take, make_slice):
    take(make_slice(1), make_slice(1, study="1.2.4", series="1.2.4.1"))
    body = {"kind": "edit", "changes": {"SeriesDescription": "bone"}, "series": "1.2.4.1"}

    assert ask("POST", "/studies/1.2.3/corrections", body).status_code == 404
    assert ask("POST", "/studies/1.2.4/corrections", body).status_code == 201


def test_patients_are_merged_by_their_opaque_ids(ask, take, make_slice):
    take(make_slice(1), make_slice(1, study="1.2.4", series="1.2.4.1", PatientID="4712"))
    first, second = (ask("GET", f"/studies/{u}").json()["study"]["patient"]["id"] for u in ("1.2.4", "1.2.3"))

    assert ask("POST", "/patients/merge", {"from": first, "into": second, "reason": ""}).status_code == 201

    assert ask("GET", "/studies/1.2.4").json()["study"]["patient"]["id"] == second


def test_what_is_rejected_or_trashed_is_listed_and_put_back(ask, take, make_slice):
    take(make_slice(1), make_slice(1, study="1.2.4", series="1.2.4.1"))
    assert {r["code"] for r in ask("GET", "/rejection-reasons").json()} == set(archive.REJECTION_REASONS)
    assert ask("POST", "/studies/1.2.3/reject", {"code": "113001", "note": "motion"}).status_code == 200
    assert ask("POST", "/studies/1.2.4/trash", {"reason": "twice"}).json() == {"instances": 1}

    rejected = ask("GET", "/withheld?kind=rejected").json()["items"]
    trashed = ask("GET", "/withheld?kind=trashed").json()["items"]

    assert [(w["study_uid"], w["code"], w["note"]) for w in rejected] == [("1.2.3", "113001", "motion")]
    assert (trashed[0]["patient"]["name"], trashed[0]["purge_after"] is not None) == ("Müller^Jörg", True)
    assert ask("POST", "/withheld/1.2.3/restore", {"kind": "rejected"}).json() == {"instances": 1}
    assert ask("POST", "/trash/empty").json() == {"instances": 1}
    assert ask("GET", "/storage").json()["trash"]["studies"] == 1


def test_a_conflict_is_shown_and_decided(ask, take, make_slice):
    take(make_slice(1))
    take(make_slice(1, PatientComments="x"))
    conflict = ask("GET", "/conflicts").json()["items"][0]
    assert conflict["differs"] == [
        {"tag": "00104000", "keyword": "PatientComments", "held": None, "new": "x"}
    ]

    body = {"decision": "replace", "reason": "newer"}
    assert ask("POST", f"/conflicts/{conflict['id']}/decision", body).json() == {"sop_uid": "1.2.3.1.1"}
    assert ask("POST", f"/conflicts/{conflict['id']}/decision", body).status_code == 409
    assert ask("GET", "/conflicts").json()["items"] == []


def test_a_study_is_complete_on_its_senders_word(ask, take, make_slice):
    take(make_slice(1))

    assert ask("POST", "/studies/1.2.3/complete").json() == {"settled": True}
    assert ask("POST", "/studies/1.2.3/complete").json() == {"settled": False}
    assert ask("GET", "/studies/1.2.3").json()["study"]["settled"] is True


def test_rules_are_kept_as_they_were_put(ask, store):
    rules = {
        "coercion": [{"name": "north", "source": "CT*", "issuer": "NORTH", "fixed": {"StationName": "CT3"}}],
        "retention": [{"name": "ct", "modality": "CT", "keep_days": 3650, "action": "trash"}],
    }
    put = ask("PUT", "/rules", rules)

    assert put.status_code == 200
    assert ask("GET", "/rules").json() == put.json()
    assert ask("PUT", "/rules", {"coercion": [{"name": "x", "character_set": "NO"}]}).status_code == 422
    assert ask("GET", "/rules").json() == put.json()
    ask("PUT", "/rules", {})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/studies/1.2.3/corrections", {"kind": "edit", "changes": {"StudyID": "1"}}),
        ("POST", "/studies/1.2.3/reject", {"code": "113001"}),
        ("POST", "/studies/1.2.3/trash", {}),
        ("PUT", "/studies/1.2.3/labels/x", None),
        ("PUT", "/studies/1.2.3/hold", {}),
        ("POST", "/trash/empty", None),
        ("PUT", "/rules", {}),
        ("POST", "/studies/1.2.3/complete", None),
    ],
)
def test_who_only_reads_changes_nothing(ask, take, make_slice, method, path, body):
    take(make_slice(1))
    before = ask("GET", "/studies/1.2.3").json()
    ask.caller = REFERRER

    assert ask(method, path, body).status_code == 403

    assert ask("GET", "/studies/1.2.3").json() == before
