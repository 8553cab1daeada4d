"""Instance availability, told to us and told by us."""

import pytest
from pydicom import Dataset
from pynetdicom import AE, evt

from sightline.record import archive
from sightline.runtime import jobs
from sightline.trust import access
from sightline.wire import peers
from sightline.wire.dimse import _availability as availability
from sightline.wire.dimse._availability import AVAILABILITY, SERVICES
from tests.wire.dimse.services import serving

CT = "1.2.840.10008.5.1.4.1.1.2"
OPERATOR = access.operator("tester")


@pytest.fixture
def port(store):
    with serving(store, SERVICES) as port:
        yield port


def notice(*sop_uids, gone=""):
    ds, series = Dataset(), Dataset()
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.StudyInstanceUID, series.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    series.ReferencedSOPSequence = []
    for uid in sop_uids:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, uid
        item.InstanceAvailability = "UNAVAILABLE" if uid == gone else "ONLINE"
        item.RetrieveAETitle = "OTHER"
        series.ReferencedSOPSequence.append(item)
    ds.ReferencedSeriesSequence = [series]
    return ds


@pytest.fixture
def announce(port):
    def announce(ds):
        ae = AE("OTHER")
        ae.add_requested_context(AVAILABILITY)
        association = ae.associate("127.0.0.1", port)
        assert association.is_established
        status, _ = association.send_n_create(ds, AVAILABILITY, "1.2.840.8.8")
        association.release()
        return status.Status

    return announce


@pytest.fixture
def expected(monkeypatch):
    told = []
    monkeypatch.setattr(archive, "expect", lambda db, study, **facts: told.append((study, facts)))
    return told


def test_what_a_peer_says_is_there_is_expected(announce, expected):
    assert announce(notice("1.2.3.1.1", "1.2.3.1.2", "1.2.3.1.3", gone="1.2.3.1.3")) == 0x0000

    (study, facts), *_ = expected
    assert (study, facts["origin"], facts["count"]) == ("1.2.3", "ian", 2)
    assert facts["sop_uids"] == ["1.2.3.1.1", "1.2.3.1.2"]


@pytest.mark.parametrize(("held", "settled"), [((1, 2), True), ((1,), False)])
def test_a_study_that_is_all_here_is_complete(announce, expected, store, take, make_slice, held, settled):
    take(*(make_slice(n) for n in held))

    announce(notice("1.2.3.1.1", "1.2.3.1.2"))

    with store.database.reading() as db:
        assert (archive.get_study(db, "1.2.3").settled_at is not None) is settled


@pytest.mark.parametrize(
    ("objects", "changes", "status"),
    [
        (["1.2.3.1.1"], {"StudyInstanceUID": ""}, 0x0121),
        (["1.2.3.1.1"], {"StudyInstanceUID": "one"}, 0x0106),
        (["1.2.3.1.1"], {"ReferencedSeriesSequence": None}, 0x0120),
        (["1.2.3.1.1"], {"ReferencedSeriesSequence": []}, 0x0121),
        ([], {}, 0x0121),
        (["x"], {}, 0x0106),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_notice_that_is_not_whole_is_refused(announce, expected, objects, changes, status):
    ds = notice(*objects)
    for keyword, value in changes.items():
        delattr(ds, keyword) if value is None else setattr(ds, keyword, value)

    assert announce(ds) == status
    assert expected == []


@pytest.fixture
def listening(store):
    """A peer that is told, with what it answers."""
    opened, got = [], []

    def listen(status=0x0000):
        def take_notice(event):
            got.append(event.attribute_list)
            return status, None

        ae = AE("OTHER")
        ae.add_supported_context(AVAILABILITY)
        server = ae.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_CREATE, take_notice)]
        )
        opened.append(server)
        with store.database.transaction() as db:
            peers.put_peer(db, peers.Peer("OTHER", "127.0.0.1", server.socket.getsockname()[1]), by=OPERATOR)
        return got

    yield listen
    for server in opened:
        server.shutdown()


def test_a_complete_study_is_told_to_the_peers_of_the_setting(
    store, tmp_path, take, make_slice, listening, monkeypatch
):
    import sightline.wire.dimse.jobs  # noqa: F401  the kinds of jobs and what they listen to

    monkeypatch.setenv("SIGHTLINE_DIMSE_NOTIFY", " OTHER,OTHER, ")
    got = listening()
    take(make_slice(1), make_slice(2))
    with store.database.transaction() as db:
        archive.settle_now(db, ["1.2.3"])
    worker = jobs.Worker(store.database, lock=tmp_path / "worker.lock", store=store)
    worker.start()
    try:
        worker.drain(timeout_s=10)
    finally:
        worker.stop()

    (told,) = got
    (series,) = told.ReferencedSeriesSequence
    assert (told.StudyInstanceUID, series.SeriesInstanceUID) == ("1.2.3", "1.2.3.1")
    assert [
        (i.ReferencedSOPInstanceUID, i.InstanceAvailability, i.RetrieveAETitle)
        for i in series.ReferencedSOPSequence
    ] == [("1.2.3.1.1", "ONLINE", "SIGHTLINE"), ("1.2.3.1.2", "ONLINE", "SIGHTLINE")]


def test_a_peer_that_refuses_is_told_again_later(store, take, make_slice, listening, monkeypatch):
    listening(status=0x0110)
    take(make_slice(1))
    queued = []
    monkeypatch.setattr(
        jobs, "enqueue", lambda db, kind, *, key, delay_s, **_: queued.append((kind, delay_s))
    )

    availability.tell_peer(store.database, "1.2.3", "OTHER", "event-1", 0)

    assert queued == [("availability-tell", availability.RETRIES_S[0])]


def test_of_a_study_that_is_gone_nothing_is_told(store, listening):
    got = listening()

    availability.tell_peer(store.database, "1.2.3", "OTHER", "event-1", 0)

    assert got == []
