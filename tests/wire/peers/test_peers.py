"""The list of peers, its audit, its routes and its commands."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from sightline.trust import access, audit
from sightline.wire import peers
from sightline.wire.peers.commands import commands
from sightline.wire.peers.routes import router
from tests.wire.peers.client import Client

OPERATOR = access.operator("tester")
ARCHIVIST = access.Person("p1", "Ada", "ada", frozenset({"archivist"}), "main")
READER = access.Person("p2", "Rex", "rex", frozenset({"radiologist"}), "main")
PEER = peers.Peer("CT1", "10.0.0.7", 104, rights=frozenset({"echo", "store"}))


@pytest.fixture
def client(database):
    return Client(database, ARCHIVIST, router)


def test_a_peer_is_added_changed_and_removed_by_somebody(database):
    with database.transaction() as db:
        peers.add_peer(db, PEER, by=ARCHIVIST)
        peers.change_peer(db, replace(PEER, port=11112), by=ARCHIVIST)
        assert peers.find_peer(db, "CT1").port == 11112
        peers.remove_peer(db, "CT1", by=ARCHIVIST)

    with database.reading() as db:
        assert [entry.act for entry in audit.trail(db, on="CT1")] == [
            "peer.remove",
            "peer.change",
            "peer.add",
        ]
        with pytest.raises(peers.PeerNotKnown):
            peers.find_peer(db, "CT1")


def test_a_title_is_taken_once(database):
    with database.transaction() as db:
        peers.add_peer(db, PEER, by=ARCHIVIST)
        with pytest.raises(peers.PeerKnownAlready):
            peers.add_peer(db, PEER, by=ARCHIVIST)


def test_who_may_not_manage_changes_nothing(database):
    with database.transaction() as db:
        with pytest.raises(access.NotAllowed):
            peers.add_peer(db, PEER, by=READER)

        assert peers.list_peers(db, by=READER) == ()


@pytest.mark.parametrize(
    "values",
    [
        {"title": ""},
        {"title": "SEVENTEEN LETTERS"},
        {"title": "A\\B"},
        {"title": "A\nB"},
        {"title": "MÜLLER"},
        {"host": "not a host"},
        {"host": "http://x/"},
        {"port": 0},
        {"rights": frozenset({"fly"})},
        {"max_pdu": 100},
        {"max_associations": 0},
        {"rate_per_s": 0.0},
        {"dimse_timeout_s": 0},
        {"certificate_sha256": "abc"},
    ],
)
def test_what_cannot_be_said_of_a_peer_is_refused(database, values):
    with database.transaction() as db:
        with pytest.raises(peers.NotAPeer):
            peers.add_peer(db, replace(PEER, **values), by=ARCHIVIST)

        assert peers.list_peers(db, by=ARCHIVIST) == ()


@pytest.mark.parametrize(
    "host", ["10.0.0.7", "ct1", "ct-1.hospital.example", "::1", "fe80::1%eth0", "2001:db8::7"]
)
def test_a_host_is_a_name_or_an_address(database, host):
    with database.transaction() as db:
        assert peers.add_peer(db, replace(PEER, host=host), by=ARCHIVIST).host == host


def test_the_routes_list_put_and_delete(client):
    made = client.put("/api/peers/CT%201", json={"host": "10.0.0.7", "rights": ["echo"], "rate_per_s": 5})
    assert (made.status_code, made.json()["title"], made.json()["rights"]) == (200, "CT 1", ["echo"])

    (listed,) = client.get("/api/peers").json()["items"]
    assert (listed["host"], listed["port"], listed["rate_per_s"], listed["enabled"]) == (
        "10.0.0.7",
        104,
        5,
        True,
    )

    assert client.delete("/api/peers/CT 1").status_code == 204
    assert client.get("/api/peers").json() == {"items": [], "next": None}
    assert client.delete("/api/peers/CT 1").status_code == 404


def test_the_routes_refuse_who_may_not(client):
    client.caller = READER

    assert client.put("/api/peers/CT1", json={}).status_code == 403
    assert client.get("/api/peers").json()["items"] == []


def test_the_commands_add_list_and_remove(database):
    def run(*arguments):
        here = SimpleNamespace(database=database, operator=OPERATOR)
        return CliRunner().invoke(commands, list(arguments), obj=here)

    assert run("add", "CT1", "10.0.0.7", "11112", "--right", "echo").output == "CT1 is known.\n"
    assert run("list").output == "CT1               10.0.0.7:11112  echo\n"
    assert '"rights": ["echo"]' in run("list", "--json").output
    assert run("remove", "CT1").exit_code == 0
    assert isinstance(run("remove", "CT1").exception, peers.PeerNotKnown)
