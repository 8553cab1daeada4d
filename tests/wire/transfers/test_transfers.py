"""Transfers as rows: asked for, dispatched, cancelled, tried again; rules and servers."""

import datetime

import pytest
from sqlalchemy import select, update

from sightline.record import archive
from sightline.runtime import events
from sightline.trust import access, audit
from sightline.wire import peers, transfers
from sightline.wire.transfers import _store
from tests.wire.transfers.conftest import OPERATOR

NOWHERE = "http://127.0.0.1:9/dicom-web"


@pytest.fixture
def away(store):
    """A server that does not run."""
    with store.database.transaction() as db:
        transfers.put_server(db, transfers.Server("away", NOWHERE, "bearer", "hush"), by=OPERATOR)
    return "away"


@pytest.fixture
def study(take, make_slice):
    take(make_slice(1), make_slice(2))
    return "1.2.3"


def test_a_destination_that_is_away_is_tried_again_and_then_given_up(run, store, settings, away, study):
    first = run("send", away, [study])

    assert (first.state, first.attempts) == ("waiting", 1)
    assert "cannot be reached" in first.error
    second = transfers.run_transfer(store, first.id, settings)
    assert (second.state, second.attempts) == ("failed", 2)
    with store.database.reading() as db:
        assert [e.facts["state"] for e in audit.trail(db) if e.act == "transfer.end"] == ["failed"]


def test_a_failed_transfer_can_be_tried_again_by_hand(run, store, settings, away, study):
    failed = run("send", away, [study])
    transfers.run_transfer(store, failed.id, settings)

    with store.database.transaction() as db:
        again = transfers.retry(db, failed.id, by=OPERATOR)
        assert transfers.dispatch(db, at_once=2) == 1

    assert (again.state, again.error) == ("waiting", "")
    assert transfers.run_transfer(store, failed.id, settings).state == "waiting"


def test_asking_twice_is_one_transfer(store, away, study):
    with store.database.transaction() as db:
        first = transfers.start_transfers(db, "send", away, [study, study], by=OPERATOR)
        second = transfers.start_transfers(db, "send", away, [study], by=OPERATOR)

    assert [t.id for t in first] == [t.id for t in second]


def test_a_cancelled_transfer_does_nothing_more(run, store, settings, away, study):
    with store.database.transaction() as db:
        (started,) = transfers.start_transfers(db, "send", away, [study], by=OPERATOR)
        transfers.cancel(db, started.id, by=OPERATOR)

    assert transfers.run_transfer(store, started.id, settings) is None
    with store.database.transaction() as db, pytest.raises(transfers.TransferEnded):
        transfers.cancel(db, started.id, by=OPERATOR)


def test_one_destination_gets_one_transfer_at_a_time_and_all_together_no_more_than_allowed(
    store, away, take, make_slice
):
    for n in range(1, 4):
        take(make_slice(1, study=f"1.2.{n}", series=f"1.2.{n}.1"))
    with store.database.transaction() as db:
        for name in ("b", "c", "d"):
            transfers.put_server(db, transfers.Server(name, NOWHERE), by=OPERATOR)
        transfers.start_transfers(db, "send", away, ["1.2.1", "1.2.2", "1.2.3"], by=OPERATOR)
        assert transfers.dispatch(db, at_once=3) == 1
        for name in ("b", "c", "d"):
            transfers.start_transfers(db, "send", name, ["1.2.1"], by=OPERATOR)
        assert transfers.dispatch(db, at_once=3) == 2
        assert transfers.dispatch(db, at_once=3) == 0


def test_a_study_that_is_not_held_is_not_sent(store, away):
    with store.database.transaction() as db, pytest.raises(archive.StudyNotHeld):
        transfers.start_transfers(db, "send", away, ["9.9"], by=OPERATOR)


def test_who_may_not_export_sends_nothing(store, away, study):
    referrer = access.Person("r", "R", "r", frozenset({"referrer"}), "*")

    with store.database.transaction() as db, pytest.raises(access.NotAllowed):
        transfers.start_transfers(db, "send", away, [study], by=referrer)
    with store.database.reading() as db:
        assert transfers.list_transfers(db, by=OPERATOR) == []


def test_the_list_is_paged_and_asked_by_state(store, away, take, make_slice):
    for n in range(1, 6):
        take(make_slice(1, study=f"1.2.{n}", series=f"1.2.{n}.1"))
    with store.database.transaction() as db:
        transfers.start_transfers(db, "send", away, [f"1.2.{n}" for n in range(1, 6)], by=OPERATOR)
    with store.database.reading() as db:
        first = transfers.list_transfers(db, limit=3, by=OPERATOR)
        mark = first[-1].created_at, first[-1].id
        rest = transfers.list_transfers(db, limit=3, after=mark, by=OPERATOR)
        assert len({t.id for t in [*first, *rest]}) == 5
        assert transfers.list_transfers(db, state="done", by=OPERATOR) == []


def test_a_settled_study_goes_where_the_rules_say_and_nowhere_else(store, away, study):
    with store.database.transaction() as db:
        for name, when in (
            ("ct", transfers.When(modality="CT", description="ct*")),
            ("mr", transfers.When(modality="MR")),
        ):
            transfers.put_rule(db, transfers.Rule(name, when, (away,)), by=OPERATOR)
        off = transfers.Rule("off", transfers.When(), (away,), enabled=False)
        transfers.put_rule(db, off, by=OPERATOR)

        started = transfers.forward(db, study)

    assert [(t.rule, t.peer, t.study_uid) for t in started] == [("ct", away, study)]


def test_a_rule_may_ask_whence_a_study_came_and_for_its_labels(store, away, study):
    with store.database.transaction() as db:
        archive.label_study(db, study, "teaching", by=OPERATOR)
        for name, when in (
            ("by source", transfers.When(source="test")),
            ("by kind too", transfers.When(source="import:*")),
            ("by label", transfers.When(label="teach*")),
            ("not", transfers.When(source="dimse:*")),
            ("neither", transfers.When(label="research")),
        ):
            transfers.put_rule(db, transfers.Rule(name, when, (away,)), by=OPERATOR)

        matched = {rule.name for rule in _store.find_rules(db) if rule.when.matches(**_facts(db, study))}

    assert matched == {"by source", "by kind too", "by label"}


def _facts(db, study):
    from sightline.wire.transfers._service import _facts_of

    return _facts_of(db, archive.get_study(db, study))


def test_what_came_later_is_all_that_is_sent_the_second_time(
    run, store, settings, away, study, take, make_slice, monkeypatch
):
    from sightline.wire.transfers import _sending

    sent = []
    monkeypatch.setattr(
        _sending,
        "_send_batch",
        lambda work, there, batch: (sent.append([i.sop_uid for i in batch]), {i.sop_uid: "" for i in batch})[
            1
        ],
    )
    with store.database.transaction() as db:
        transfers.put_rule(db, transfers.Rule("all", transfers.When(), (away,)), by=OPERATOR)
        (first,) = transfers.forward(db, study)
    transfers.run_transfer(store, first.id, settings)
    with store.database.transaction() as db:  # what was received before the transfer was asked for
        earlier = datetime.timedelta(hours=1)
        rows = db.execute(select(archive._store.instances.c.received_at)).scalars().all()
        db.execute(update(archive._store.instances).values(received_at=rows[0] - earlier))
    take(make_slice(3))
    with store.database.transaction() as db:
        (second,) = transfers.forward(db, study)
    transfers.run_transfer(store, second.id, settings)

    assert sent == [["1.2.3.1.1", "1.2.3.1.2"], ["1.2.3.1.3"]]


def test_the_rules_are_asked_whenever_a_study_settles():
    import sightline.app.registry  # noqa: F401

    assert transfers.FORWARD in events.listeners()["StudySettled"]


def test_a_rule_to_nowhere_is_refused(store):
    with store.database.transaction() as db, pytest.raises(transfers.DestinationNotKnown):
        transfers.put_rule(db, transfers.Rule("x", transfers.When(), ("nobody",)), by=OPERATOR)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "file:///etc/passwd",
        "http://user:password@host/",
        "http:///x",
        "http://host:port/",
        "http://host/?a=b",
        "host/dicom-web",
    ],
)
def test_an_address_that_cannot_be_one_is_refused(store, url):
    with store.database.transaction() as db, pytest.raises(transfers.NotAServer):
        transfers.put_server(db, transfers.Server("x", url), by=OPERATOR)


def test_a_secret_is_never_shown_and_never_goes_to_another_host(store, away):
    with store.database.transaction() as db:
        (shown,) = transfers.list_servers(db, by=OPERATOR)
        assert "hush" not in f"{shown!r}{shown.secret}"
        same = transfers.Server("away", f"{NOWHERE}/studies", "bearer")
        transfers.put_server(db, same, keep_secret=True, by=OPERATOR)
        assert _store.get_server(db, "away").secret == "hush"
        other = transfers.Server("away", "http://elsewhere.example/dicom-web", "bearer")
        transfers.put_server(db, other, keep_secret=True, by=OPERATOR)
        assert _store.get_server(db, "away").secret == ""
        told = [e.facts for e in audit.trail(db)]
    assert "hush" not in str(told)


def test_a_server_cannot_take_the_name_of_a_peer(store):
    with store.database.transaction() as db:
        peers.put_peer(db, peers.Peer("CT1", "127.0.0.1"), by=OPERATOR)
        with pytest.raises(transfers.TransferUnderWay):
            transfers.put_server(db, transfers.Server("CT1", NOWHERE), by=OPERATOR)


def test_only_who_manages_peers_sets_servers_and_rules(store):
    reader = access.Person("r", "R", "r", frozenset({"radiologist"}), "*")

    with store.database.transaction() as db:
        with pytest.raises(access.NotAllowed):
            transfers.put_server(db, transfers.Server("x", NOWHERE), by=reader)
        with pytest.raises(access.NotAllowed):
            transfers.put_rule(db, transfers.Rule("x", transfers.When(), ("x",)), by=reader)


def test_a_folder_is_taken_over_and_taken_up_again(store, settings, tmp_path, make_slice, monkeypatch):
    from sightline.wire.transfers import _taking

    monkeypatch.setattr(_taking, "LISTED_AT_ONCE", 2)
    folder = tmp_path / "other archive"
    for n in range(1, 6):
        (folder / f"{n % 2}").mkdir(parents=True, exist_ok=True)
        (folder / f"{n % 2}" / f"{n}.dcm").write_bytes(make_slice(n))
    (folder / "readme.txt").write_text("no DICOM")
    with store.database.transaction() as db:
        started = transfers.start_folder(db, folder, by=OPERATOR)

    ended = transfers.run_transfer(store, started.id, settings)

    assert (ended.state, ended.done, ended.failed) == ("done", 5, 1)
    assert ended.differences["stored"] == 5
    assert ended.differences["refused"] == 1
    with store.database.transaction() as db:
        transfers.retry(db, started.id, by=OPERATOR)
    again = transfers.run_transfer(store, started.id, settings)
    assert again.differences["stored"] == 5  # the cursor stood at the end: nothing was read twice


def test_files_in_the_hot_folder_are_taken_once_they_are_quiet(store, tmp_path, make_slice):
    folder = tmp_path / "hot"
    hot = transfers.HotFolder(store, folder, quiet_s=0.2)
    hot.sweep()
    (folder / "sub").mkdir()
    (folder / "sub" / "a.dcm").write_bytes(make_slice(1)[:600])
    (folder / "b.txt").write_text("no DICOM at all")
    hot.sweep()
    import time

    time.sleep(0.15)
    (folder / "sub" / "a.dcm").write_bytes(make_slice(1))  # it had not arrived whole
    assert hot.sweep() == 0
    time.sleep(0.25)

    assert hot.sweep() == 2

    assert [p.name for p in (folder / "done").rglob("*.dcm")] == ["a.dcm"]
    assert sorted(p.name for p in (folder / "refused").rglob("*.txt")) == ["b.txt", "b.txt.reason.txt"]
    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").instance_count == 1
    assert hot.sweep() == 0


def test_a_hot_folder_keeps_its_files_while_nothing_can_be_stored(store, tmp_path, make_slice, monkeypatch):
    from sightline.runtime.blobs import StoreFull

    folder = tmp_path / "hot"
    folder.mkdir()
    (folder / "a.dcm").write_bytes(make_slice(1))
    hot = transfers.HotFolder(store, folder, quiet_s=0.0)

    def full(*_a, **_k):
        raise StoreFull("The disk is full; nothing was stored. Free space and send again.")

    with monkeypatch.context() as patch:
        patch.setattr(store.blobs, "put_if_absent", full)
        assert hot.sweep() == 0
    assert (folder / "a.dcm").exists()
    assert hot.sweep() == 1
    assert not (folder / "a.dcm").exists()
