"""Storage commitment, asked of us and asked by us: on the association of the request and on a new one."""

import threading
import time

import pytest
from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.presentation import build_role

from sightline.kernel import clock
from sightline.record import archive
from sightline.runtime import jobs
from sightline.trust import access
from sightline.wire import dimse, peers
from sightline.wire.dimse import _commitment as commitment
from sightline.wire.dimse import _seeking as seeking
from sightline.wire.dimse import _store as table
from sightline.wire.dimse._commitment import SERVICES
from sightline.wire.dimse._seeking import STORAGE_COMMITMENT, WELL_KNOWN
from tests.wire.dimse.services import serving

CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
TRANSACTION = "1.2.840.5.5"
OPERATOR = access.operator("tester")


@pytest.fixture
def port(store):
    with serving(store, SERVICES) as port:
        yield port


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    monkeypatch.setattr(commitment, "QUIET_S", 0.05)
    monkeypatch.setattr(seeking, "LISTEN_S", 0.3)


class Answers:
    """Takes N-EVENT-REPORTs as a peer does, and keeps them."""

    def __init__(self, status=0x0000):
        self.status, self.got, self.came = status, [], threading.Event()

    def __call__(self, event):
        self.got.append((event.request.EventTypeID, event.event_information))
        self.came.set()
        return self.status, None

    @property
    def told(self):
        assert self.came.wait(5)
        kind, information = self.got[0]
        safe = [i.ReferencedSOPInstanceUID for i in information.get("ReferencedSOPSequence", [])]
        failed = {
            i.ReferencedSOPInstanceUID: i.FailureReason for i in information.get("FailedSOPSequence", [])
        }
        return kind, information.TransactionUID, safe, failed


@pytest.fixture
def listening(store):
    """A peer that listens for our calls, and is known here."""
    opened = []

    def listen(handler, event=evt.EVT_N_EVENT_REPORT, title="CT1"):
        ae = AE(title)
        ae.add_supported_context(STORAGE_COMMITMENT, scu_role=True, scp_role=True)
        server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(event, handler)])
        opened.append(server)
        peer = peers.Peer(title, "127.0.0.1", server.socket.getsockname()[1])
        with store.database.transaction() as db:
            peers.put_peer(db, peer, by=OPERATOR)
        return peer

    yield listen
    for server in opened:
        server.shutdown()


def wanted(*references, transaction=TRANSACTION):
    ds = Dataset()
    if transaction is not None:
        ds.TransactionUID = transaction
    ds.ReferencedSOPSequence = []
    for sop_class, sop_uid in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_uid
        ds.ReferencedSOPSequence.append(item)
    return ds


def connect(port, answers=None):
    ae = AE("CT1")
    ae.dimse_timeout = 10
    ae.add_requested_context(STORAGE_COMMITMENT)
    handlers = [(evt.EVT_N_EVENT_REPORT, answers)] if answers else []
    association = ae.associate("127.0.0.1", port, evt_handlers=handlers)
    assert association.is_established
    return association


def ask(association, ds, action=1, instance=WELL_KNOWN):
    return association.send_n_action(ds, action, STORAGE_COMMITMENT, instance)[0].Status


def state_of(store, direction="given", peer="CT1", transaction=TRANSACTION):
    with store.database.reading() as db:
        found = table.get(db, table.Key(direction, transaction, peer))
        return found.state if found else None


def wait_until(true):
    until = time.monotonic() + 5
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    assert true()


def run_next(store, monkeypatch):
    """Do at once what was put into the queue."""
    done = []

    def at_once(db, kind, *, key, delay_s=0, **arguments):
        done.append((kind, delay_s, arguments))

    monkeypatch.setattr(jobs, "enqueue", at_once)
    return done


def test_an_association_that_stays_open_gets_the_answer(port, store, take, make_slice):
    take(make_slice(1), make_slice(2))
    answers = Answers()
    association = connect(port, answers)

    assert ask(association, wanted((CT, "1.2.3.1.1"), (CT, "1.2.3.1.2"))) == 0x0000

    assert answers.told == (1, TRANSACTION, ["1.2.3.1.1", "1.2.3.1.2"], {})
    wait_until(lambda: state_of(store) == "ended")
    assert association.is_established
    association.release()


def test_what_is_not_here_of_another_class_or_without_bytes_is_told(port, store, take, make_slice):
    take(make_slice(1), make_slice(2), make_slice(3))
    with store.database.reading() as db:
        store.blobs.delete(archive.get_instance(db, "1.2.3.1.3").blob)
    answers = Answers()
    association = connect(port, answers)

    ask(association, wanted((CT, "1.2.3.1.1"), (MR, "1.2.3.1.2"), (CT, "1.2.3.1.3"), (CT, "1.2.9")))

    reasons = {"1.2.3.1.2": 0x0119, "1.2.3.1.3": 0x0110, "1.2.9": 0x0112}
    assert answers.told == (2, TRANSACTION, ["1.2.3.1.1"], reasons)
    wait_until(lambda: state_of(store) == "ended")
    association.release()


def test_what_was_rejected_is_safe_and_what_is_in_the_trash_is_not(port, store, take, make_slice):
    take(make_slice(1), make_slice(2), make_slice(3))
    by = OPERATOR
    archive.reject(store, "1.2.3", "113001", note="", by=by, sop_uids=["1.2.3.1.1"])
    with store.database.transaction() as db:
        archive.trash_study(db, "1.2.3", reason="test", by=by, trash_days=1, sop_uids=["1.2.3.1.2"])
    answers = Answers()
    association = connect(port, answers)

    ask(association, wanted((CT, "1.2.3.1.1"), (CT, "1.2.3.1.2"), (CT, "1.2.3.1.3")))

    assert answers.told == (2, TRANSACTION, ["1.2.3.1.1", "1.2.3.1.3"], {"1.2.3.1.2": 0x0112})
    wait_until(lambda: state_of(store) == "ended")
    association.release()


def test_one_that_hangs_up_is_called_back(port, store, take, make_slice, listening, monkeypatch):
    take(make_slice(1))
    answers = Answers()
    listening(answers)
    queued = run_next(store, monkeypatch)
    association = connect(port)
    ask(association, wanted((CT, "1.2.3.1.1")))
    association.release()
    wait_until(lambda: len(queued) == 2)  # the one for safety, and the one at once

    commitment.tell_peer(store, table.Key("given", TRANSACTION, "CT1"), 1)

    assert answers.told == (1, TRANSACTION, ["1.2.3.1.1"], {})
    assert state_of(store) == "ended"
    assert [delay for _, delay, _ in queued] == [commitment.SAFETY_S, 0]


@pytest.mark.parametrize("why", ["not known", "not there", "refuses"])
def test_one_that_cannot_be_told_is_tried_again_and_in_the_end_given_up(
    store, take, make_slice, listening, monkeypatch, why
):
    if why == "refuses":
        listening(Answers(status=0x0110))
    if why == "not there":
        with store.database.transaction() as db:
            peers.put_peer(db, peers.Peer("CT1", "127.0.0.1", 1), by=OPERATOR)
    queued = run_next(store, monkeypatch)
    key = table.Key("given", TRANSACTION, "CT1")
    with store.database.transaction() as db:
        table.put(db, key, [(CT, "1.2.9")], at=clock.now())

    commitment.tell_peer(store, key, 1)
    assert (state_of(store), queued[-1][1]) == ("waiting", commitment.RETRIES_S[1])

    commitment.tell_peer(store, key, len(commitment.RETRIES_S))
    assert state_of(store) == "given-up"


def test_two_at_once_tell_the_peer_once(store, listening, monkeypatch):
    answers = Answers()
    listening(answers)
    queued = run_next(store, monkeypatch)
    key = table.Key("given", TRANSACTION, "CT1")
    now = clock.now()
    with store.database.transaction() as db:
        table.put(db, key, [(CT, "1.2.9")], at=now)
        assert table.claim(db, key, at=now, for_s=60)

    commitment.tell_peer(store, key, 0)

    assert answers.got == []
    assert queued[-1][0] == "commitment-answer"


def test_the_worker_tells_after_a_crash_of_the_server(store, tmp_path, take, make_slice, listening):
    import sightline.wire.dimse.jobs  # noqa: F401  the kinds of jobs

    take(make_slice(1))
    answers = Answers()
    listening(answers)
    key = table.Key("given", TRANSACTION, "CT1")
    with store.database.transaction() as db:
        table.put(db, key, [(CT, "1.2.3.1.1")], at=clock.now())
        commitment._enqueue(db, key, attempt=0, delay_s=0.2)
    worker = jobs.Worker(store.database, lock=tmp_path / "worker.lock", store=store)
    worker.start()
    try:
        assert answers.told[0] == 1
        wait_until(lambda: state_of(store) == "ended")
    finally:
        worker.stop()


@pytest.mark.parametrize(
    ("ds", "action", "instance", "status"),
    [
        (wanted((CT, "1.2.9")), 2, WELL_KNOWN, 0x0123),
        (wanted((CT, "1.2.9")), 1, "1.2.9", 0x0112),
        (wanted((CT, "1.2.9"), transaction=None), 1, WELL_KNOWN, 0x0115),
        (wanted((CT, "1.2.9"), transaction=""), 1, WELL_KNOWN, 0x0115),
        (wanted(), 1, WELL_KNOWN, 0x0115),
        (wanted((CT, "")), 1, WELL_KNOWN, 0x0115),
        (wanted(("", "1.2.9")), 1, WELL_KNOWN, 0x0115),
    ],
)
def test_a_request_that_cannot_be_is_refused_and_not_kept(port, store, ds, action, instance, status):
    association = connect(port)

    assert ask(association, ds, action, instance) == status

    association.release()
    assert state_of(store) is None


def test_what_a_peer_says_it_sent_is_expected(port, store, take, make_slice, monkeypatch):
    take(make_slice(1))
    told = []
    monkeypatch.setattr(archive, "expect", lambda db, study, **facts: told.append((study, facts)))
    answers = Answers()
    association = connect(port, answers)
    ask(association, wanted((CT, "1.2.3.1.1"), (CT, "1.2.3.1.2")))
    assert answers.told[0] == 2
    wait_until(lambda: state_of(store) == "ended")
    association.release()

    assert [(study, facts["origin"], facts["count"]) for study, facts in told] == [("1.2.3", "commitment", 2)]


# --- asked by us ---


@pytest.fixture
def asked(store, take, make_slice):
    """Two objects of ours, for which the peer OTHER is to be asked."""
    take(make_slice(1), make_slice(2))

    def begin():
        with store.database.transaction() as db:
            return dimse.ask_commitment(
                db, "OTHER", ["1.2.3.1.1", "1.2.3.1.2", "1.2.9"], study_uid="1.2.3", by=OPERATOR
            )

    return begin


def commitment_of(store, transaction):
    with store.database.reading() as db:
        return dimse.get_commitment(db, transaction)


def test_our_request_is_sent_and_waits_for_the_answer(store, listening, asked):
    requests = []

    def take_request(event):
        requests.append(event.action_information)
        return 0x0000, None

    listening(take_request, evt.EVT_N_ACTION, title="OTHER")
    transaction = asked()

    seeking.ask_peer(store.database, table.Key("asked", transaction, "OTHER"), 0)

    assert requests[0].TransactionUID == transaction
    assert [i.ReferencedSOPInstanceUID for i in requests[0].ReferencedSOPSequence] == [
        "1.2.3.1.1",
        "1.2.3.1.2",
    ]
    assert commitment_of(store, transaction).state == "sent"


@pytest.mark.parametrize(
    ("safe", "failed", "committed", "kept"),
    [
        (["1.2.3.1.1", "1.2.3.1.2"], {}, 2, ()),
        (["1.2.3.1.1"], {"1.2.3.1.2": 0x0112}, 1, ((CT, "1.2.3.1.2", 0x0112),)),
        (["1.2.3.1.1"], {}, 1, ((CT, "1.2.3.1.2", 0x0110),)),
        (["1.2.3.1.1", "1.2.3.1.2"], {"1.2.3.1.2": 0x0119}, 1, ((CT, "1.2.3.1.2", 0x0119),)),
    ],
    ids=["all safe", "one failed", "one not named", "one both"],
)
def test_the_answer_comes_on_an_association_of_the_peers(
    port, store, listening, asked, safe, failed, committed, kept
):
    listening(lambda event: (0x0000, None), evt.EVT_N_ACTION, title="OTHER")
    transaction = asked()

    assert answer(port, transaction, safe, failed) == 0x0000

    held = commitment_of(store, transaction)
    assert (held.state, held.committed, held.failed) == ("ended", committed, kept)
    with store.database.reading() as db:
        assert dimse.commitments_of(db, "1.2.3") == [held]


def test_the_answer_comes_on_the_association_of_our_request(store, listening, asked):
    def take_request(event):
        information = event.action_information

        def tell():
            time.sleep(0.05)
            event.assoc.send_n_event_report(information, 1, STORAGE_COMMITMENT, WELL_KNOWN)

        threading.Thread(target=tell).start()
        return 0x0000, None

    listening(take_request, evt.EVT_N_ACTION, title="OTHER")
    transaction = asked()

    seeking.ask_peer(store.database, table.Key("asked", transaction, "OTHER"), 0)

    assert commitment_of(store, transaction).committed == 2


def test_a_peer_that_is_not_there_is_asked_again(store, asked, monkeypatch):
    with store.database.transaction() as db:
        peers.put_peer(db, peers.Peer("OTHER", "127.0.0.1", 1), by=OPERATOR)
    transaction = asked()
    queued = run_next(store, monkeypatch)

    seeking.ask_peer(store.database, table.Key("asked", transaction, "OTHER"), 0)
    assert [(kind, delay) for kind, delay, _ in queued] == [("commitment-request", seeking.RETRIES_S[0])]

    seeking.ask_peer(store.database, table.Key("asked", transaction, "OTHER"), len(seeking.RETRIES_S))
    assert commitment_of(store, transaction).state == "given-up"


def test_a_peer_that_never_answers_is_asked_anew(store, listening, asked, monkeypatch):
    listening(lambda event: (0x0000, None), evt.EVT_N_ACTION, title="OTHER")
    transaction = asked()
    queued = run_next(store, monkeypatch)

    seeking.ask_peer(store.database, table.Key("asked", transaction, "OTHER"), 0)
    assert [(delay, told["attempt"]) for _, delay, told in queued] == [(seeking.UNANSWERED_S, 1)]
    seeking.ask_peer(store.database, table.Key("asked", transaction, "OTHER"), 1)

    with store.database.reading() as db:
        first, second = dimse.commitments_of(db, "1.2.3")
    assert (first.state, second.state) == ("given-up", "waiting")
    assert (queued[1][1], queued[1][2]["attempt"]) == (0, 1)
    assert second.references == first.references


def test_an_answer_that_nobody_asked_for_is_refused(port):
    assert answer(port, "1.2.840.9", ["1.2.3.1.1"], {}) == 0x0115
    assert answer(port, "", ["1.2.3.1.1"], {}) == 0x0115
    assert answer(port, "1.2.840.9", [], {}, kind=3) == 0x0113


def test_a_peer_that_is_not_known_is_not_asked(asked):
    with pytest.raises(peers.PeerNotKnown):
        asked()


def answer(port, transaction, safe, failed, kind=None):
    """Answer as an archive does: it opens the association, as the provider of the service."""
    ds = wanted(*((CT, uid) for uid in safe), transaction=transaction)
    ds.FailedSOPSequence = []
    for uid, reason in failed.items():
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID, item.FailureReason = CT, uid, reason
        ds.FailedSOPSequence.append(item)
    ae = AE("OTHER")
    ae.add_requested_context(STORAGE_COMMITMENT)
    role = build_role(STORAGE_COMMITMENT, scp_role=True)
    association = ae.associate("127.0.0.1", port, ext_neg=[role])
    assert association.is_established
    status, _ = association.send_n_event_report(
        ds, kind or (2 if failed else 1), STORAGE_COMMITMENT, WELL_KNOWN
    )
    association.release()
    return status.Status
