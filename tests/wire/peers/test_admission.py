"""Who is let in, and with which rights."""

import pytest

from sightline.trust import access
from sightline.wire import peers

OPERATOR = access.operator("tester")
FAR = "10.0.0.7"


@pytest.fixture
def known(database):
    def known(title, host="", **more):
        with database.transaction() as db:
            peer = peers.put_peer(db, peers.Peer(title, host, **more), by=OPERATOR)
        peers.forget_list(database)
        return peer

    return known


@pytest.fixture
def admit(database):
    def admit(calling, address=FAR, called="SIGHTLINE", certificate=None, open_door=False):
        return peers.admit(
            database,
            calling=calling,
            called=called,
            address=address,
            certificate_sha256=certificate,
            own_title="SIGHTLINE",
            open_door=open_door,
        )

    return admit


def codes(rejection):
    return rejection.result, rejection.source, rejection.reason


def test_a_stranger_from_elsewhere_may_only_echo(admit):
    assert admit("CT1").rights == {"echo"}


def test_a_stranger_of_this_machine_and_one_at_an_open_door_may_do_all(admit):
    assert admit("CT1", address="127.0.0.1").rights == set(peers.RIGHTS)
    assert admit("CT1", address="::ffff:127.0.0.1").rights == set(peers.RIGHTS)
    assert admit("CT1", open_door=True).rights == set(peers.RIGHTS)


def test_a_peer_has_its_rights_and_limits(admit, known):
    known(
        "CT1",
        FAR,
        rights=frozenset({"echo", "store"}),
        max_associations=3,
        rate_per_s=10.0,
        dimse_timeout_s=7,
    )

    admission = admit("CT1 ")

    assert (admission.title, admission.rights) == ("CT1", {"echo", "store"})
    assert (admission.max_associations, admission.rate_per_s, admission.dimse_timeout_s) == (3, 10.0, 7)
    assert admission.person.id == "ae:CT1"


def test_a_peer_that_calls_from_elsewhere_is_refused_even_at_an_open_door(admit, known):
    known("CT1", "10.0.0.8")

    assert codes(admit("CT1", open_door=True)) == (1, 1, 3)


def test_a_peer_known_by_name_is_admitted_from_its_addresses(admit, known, monkeypatch):
    known("CT1", "ct1.hospital.example")
    monkeypatch.setattr(
        peers._admission.socket,
        "getaddrinfo",
        lambda *_a, **_k: [(2, 1, 6, "", (FAR, 0)), (10, 1, 6, "", ("fe80::1%2", 0, 0, 2))],
    )

    assert admit("CT1").peer.title == "CT1"
    assert codes(admit("CT1", address="10.0.0.8")) == (1, 1, 3)


def test_a_bound_certificate_counts_instead_of_the_address(admit, known):
    known("CT1", "10.0.0.8", certificate_sha256="AB" * 32)

    assert admit("CT1", certificate="ab" * 32).peer.title == "CT1"
    assert codes(admit("CT1", address="10.0.0.8")) == (1, 1, 3)
    assert codes(admit("CT1", certificate="cd" * 32)) == (1, 1, 3)


def test_a_disabled_peer_and_a_title_that_is_none_are_not_recognised(admit, known):
    known("CT1", FAR, enabled=False)

    assert codes(admit("CT1")) == (1, 1, 3)
    assert codes(admit("   ")) == (1, 1, 3)
    assert codes(admit("A\\B")) == (1, 1, 3)


def test_another_title_than_ours_is_not_answered_beyond_this_machine(admit):
    assert codes(admit("CT1", called="OTHER")) == (1, 1, 7)
    assert admit("CT1", called="OTHER", address="127.0.0.1").rights == set(peers.RIGHTS)


def test_a_change_of_the_list_is_met_at_most_two_seconds_later(admit, known, database, monkeypatch):
    known("CT1", FAR)
    assert admit("CT1").peer is not None
    with database.transaction() as db:
        peers.remove_peer(db, "CT1", by=OPERATOR)
    clock = peers._admission.time.monotonic

    monkeypatch.setattr(peers._admission.time, "monotonic", lambda: clock() + peers._admission.AGE_S)

    assert admit("CT1").peer is None


def test_the_turnstile_counts_and_paces(admit, known):
    known("CT1", FAR, max_associations=2, rate_per_s=100.0)
    admission, turnstile = admit("CT1"), peers.Turnstile()

    assert [turnstile.enter(admission) for _ in range(2)] == [None, None]
    assert codes(turnstile.enter(admission)) == (2, 3, 2)
    assert turnstile.wait_s(admission) == 0
    assert 0 < turnstile.wait_s(admission) <= 0.01
    turnstile.leave(admission)
    assert turnstile.enter(admission) is None
