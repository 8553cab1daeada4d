"""Priors held elsewhere over HTTP and at the command line, and who is a source of them."""

import pytest

from sightline.trust import access
from sightline.wire import peers, priors, transfers
from sightline.wire.peers.routes import router as peers_router
from sightline.wire.priors.routes import router
from sightline.wire.transfers.routes import router as transfers_router
from tests.wire.peers.client import Client
from tests.wire.priors.conftest import OPERATOR

NOW = "1.2.10"


@pytest.fixture
def client(store):
    made = Client(store.database, OPERATOR, router, peers_router, transfers_router)
    made._app.state.prior_settings = priors.PriorSettings()
    return made


def test_a_study_that_is_opened_has_its_sources_asked_once(client, take, make_study):
    take(*make_study(NOW, "20240601", "CT chest"))
    client.put("/api/peers/PACS", {"host": "127.0.0.1", "port": 9, "priors": True, "retrieve_by": "move"})

    asked = client.post(f"/api/studies/{NOW}/priors/search", {"trigger": "opening"})

    assert asked.status_code == 202
    assert asked.json()["text"] == "asking PACS"
    again = client.post(f"/api/studies/{NOW}/priors/search", {"trigger": "opening"}).json()
    assert again == client.get(f"/api/studies/{NOW}/priors/elsewhere").json() == asked.json()
    assert client.post("/api/studies/9.9/priors/search", {}).status_code == 404
    assert client.post(f"/api/studies/{NOW}/priors/1.2.11/take").status_code == 404
    client.caller = access.Person("n", "N", "n", frozenset(), "*")
    assert client.get(f"/api/studies/{NOW}/priors/elsewhere").status_code == 403


def test_peers_and_servers_are_made_sources_and_no_more(client, store):
    client.put("/api/peers/PACS", {"host": "127.0.0.1", "port": 9})
    client.put("/api/transfers/servers/web", {"url": "http://127.0.0.1:9/dicom-web", "secret": "hush"})
    with store.database.transaction() as db:
        for name in ("PACS", "web"):
            transfers.set_source(db, name, on=True, by=OPERATOR)
        assert [transfers.name_of(there) for there in transfers.find_sources(db)] == ["PACS", "web"]
        assert transfers.find_other(db, "web").secret == "hush"
        transfers.set_source(db, "PACS", on=False, by=OPERATOR)
        assert [transfers.name_of(there) for there in transfers.find_sources(db)] == ["web"]
        with pytest.raises(transfers.DestinationNotKnown):
            transfers.set_source(db, "nobody", on=True, by=OPERATOR)
        with pytest.raises(peers.NotAPeer, match="needs an address"):
            peers.put_peer(db, peers.Peer("LATE", priors=True), by=OPERATOR)
    assert client.get("/api/peers").json()["items"][0]["priors"] is False
