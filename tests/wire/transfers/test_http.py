"""Transfers and upkeep over HTTP and at the command line."""

import pytest

from sightline.record import upkeep
from sightline.record.upkeep.routes import router as upkeep_router
from sightline.trust import access
from sightline.wire import transfers
from sightline.wire.transfers.routes import router
from tests.wire.peers.client import Client
from tests.wire.transfers.conftest import OPERATOR

SERVER = {"url": "http://127.0.0.1:9/dicom-web", "auth_kind": "bearer", "secret": "hush"}


@pytest.fixture
def client(database):
    made = Client(database, OPERATOR, router, upkeep_router)
    made._app.state.upkeep_settings = upkeep.UpkeepSettings()
    return made


@pytest.fixture
def study(take, make_slice):
    take(make_slice(1))
    return "1.2.3"


def test_a_server_is_put_listed_without_its_secret_and_removed(client):
    put = client.put("/api/transfers/servers/other", SERVER)

    assert put.status_code == 200
    assert "hush" not in put.text
    (listed,) = client.get("/api/transfers/servers").json()["items"]
    assert listed == {
        "name": "other", "url": SERVER["url"], "auth_kind": "bearer", "has_secret": True, "priors": False,
    }  # fmt: skip
    assert client.delete("/api/transfers/servers/other").status_code == 204
    assert client.delete("/api/transfers/servers/other").status_code == 404


def test_a_rule_is_put_listed_and_removed(client):
    client.put("/api/transfers/servers/other", SERVER)
    body = {"when": {"modality": "CT"}, "to": ["other"], "enabled": True}

    assert client.put("/api/transfers/rules/ct", body).status_code == 200
    (listed,) = client.get("/api/transfers/rules").json()["items"]
    assert listed == {
        "name": "ct",
        "when": {"modality": "CT", "source": "", "label": "", "description": ""},
        "to": ["other"],
        "enabled": True,
    }
    assert client.delete("/api/transfers/rules/ct").status_code == 204
    assert client.put("/api/transfers/rules/ct", body | {"to": ["nobody"]}).status_code == 422


def test_a_transfer_is_asked_for_shown_cancelled_and_tried_again(client, study):
    client.put("/api/transfers/servers/other", SERVER)

    asked = client.post("/api/transfers", {"kind": "send", "peer": "other", "studies": [study]})

    assert asked.status_code == 202
    (shown,) = client.get("/api/transfers?state=waiting").json()["items"]
    assert shown == asked.json()["items"][0]
    assert set(shown) >= {
        "id", "kind", "peer", "study_uid", "state", "total", "done", "failed", "bytes", "rate_per_s",
        "created_at", "started_at", "ended_at", "attempts", "error", "differences",
    }  # fmt: skip
    address = f"/api/transfers/{shown['id']}"
    assert client.post(f"{address}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{address}/cancel").status_code == 409
    assert client.post(f"{address}/retry").json()["state"] == "waiting"
    assert client.get(f"{address}/failures").json()["items"] == []
    assert client.get(f"{address}/studies").json()["items"] == []
    assert client.get("/api/transfers/nothing/studies").status_code == 404


def test_pages_follow_each_other(client, take, make_slice):
    client.put("/api/transfers/servers/other", SERVER)
    uids = [f"1.2.{n}" for n in range(1, 6)]
    take(*(make_slice(1, study=uid, series=f"{uid}.1") for uid in uids))
    client.post("/api/transfers", {"kind": "send", "peer": "other", "studies": uids})

    seen, after = [], ""
    while True:
        page = client.get(f"/api/transfers?limit=2{after}").json()
        seen += [item["study_uid"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert sorted(seen) == uids
    assert client.get("/api/transfers?after=nonsense").status_code == 422


def test_who_may_not_is_refused_and_nothing_is_asked_for(client, study):
    client.put("/api/transfers/servers/other", SERVER)
    client.caller = access.Person("r", "R", "r", frozenset({"referrer"}), "*")

    body = {"kind": "send", "peer": "other", "studies": [study]}
    assert client.post("/api/transfers", body).status_code == 403
    assert client.put("/api/transfers/servers/x", SERVER).status_code == 403
    assert client.post("/api/upkeep/scrub").status_code == 403
    client.caller = OPERATOR
    assert client.get("/api/transfers").json() == {"items": [], "next": None}


def test_upkeep_is_begun_shown_and_stopped(client, study):
    assert [task["state"] for task in client.get("/api/upkeep").json()] == ["never"] * 3

    begun = client.post("/api/upkeep/scrub")

    assert (begun.status_code, begun.json()["state"], begun.json()["total"]) == (202, "waiting", 1)
    assert client.post("/api/upkeep/scrub").status_code == 409
    assert client.post("/api/upkeep/scrub/stop").json()["state"] == "stopped"
    assert client.post("/api/upkeep/cold-copy").status_code == 422
    assert client.post("/api/upkeep/polish").status_code == 422
    assert client.get("/api/upkeep/damages").json()["items"] == []


def test_the_worker_runs_what_was_dispatched(store, settings, study, tmp_path):
    import sightline.app.registry  # noqa: F401
    from sightline.runtime import jobs

    with store.database.transaction() as db:
        transfers.put_server(db, transfers.Server("other", SERVER["url"]), by=OPERATOR)
        (started,) = transfers.start_transfers(db, "send", "other", [study], by=OPERATOR)
    dispatcher = transfers.Dispatcher(store, settings)
    worker = jobs.Worker(
        store.database, lock=tmp_path / "worker.lock", store=store, transfer_settings=settings
    )
    worker.start()
    dispatcher.start()
    try:
        import time

        for _ in range(200):
            with store.database.reading() as db:
                now = transfers.get_transfer(db, started.id)
            if now.state == "failed":
                break
            time.sleep(0.1)
    finally:
        dispatcher.stop()
        worker.stop()
    assert (now.state, now.attempts) == ("failed", 2)
