"""Studies go to another archive and come from there, over DICOMweb and over DICOM."""

import pytest
from sqlalchemy import select

from sightline.record import archive
from sightline.runtime.events import events
from sightline.wire import peers, transfers
from tests.orthanc import PASSWORD, TITLE, USER
from tests.wire.transfers.conftest import OPERATOR


@pytest.fixture(params=["web", "dicom"])
def other(request, store, orthanc):
    """Orthanc as a DICOMweb server and as a peer; the name that it is known by."""
    with store.database.transaction() as db:
        if request.param == "web":
            server = transfers.Server("other", orthanc.web, "basic", f"{USER}:{PASSWORD}")
            return transfers.put_server(db, server, by=OPERATOR).name
        peer = peers.Peer(TITLE, "127.0.0.1", orthanc.dicom_port)
        return peers.put_peer(db, peer, by=OPERATOR).title


def test_a_study_is_sent_whole(run, other, orthanc, take, make_slice):
    take(*(make_slice(n) for n in range(1, 8)))

    ended = run("send", other, ["1.2.3"])

    assert (ended.state, ended.total, ended.done, ended.failed, ended.error) == ("done", 7, 7, 0, "")
    assert orthanc.count() == 7
    assert ended.bytes > 0
    assert ended.rate_per_s > 0


def test_sending_again_changes_nothing_there(run, other, orthanc, take, make_slice):
    take(make_slice(1), make_slice(2))
    run("send", other, ["1.2.3"])

    assert run("send", other, ["1.2.3"]).state == "done"
    assert orthanc.count() == 2


def test_a_study_is_retrieved(run, other, orthanc, store, make_slice):
    orthanc.put(*(make_slice(n) for n in range(1, 6)))

    ended = run("retrieve", other, ["1.2.3"])

    assert (ended.state, ended.total, ended.done) == ("done", 5, 5)
    assert ended.differences == {"expected": 5, "held": 5, "missing": 0, "extra": 0, "conflicting": 0}
    with store.database.reading() as db:
        ours = archive.read_dataset(store, db, "1.2.3.1.3")
        assert archive.get_study(db, "1.2.3").settled_at is not None
        settled = db.execute(select(events.c.facts).where(events.c.name == "StudySettled")).scalars().all()
    assert ours.PatientID == "4711"
    assert [facts["history"] for facts in settled] == ["retrieved"]


def test_what_was_rejected_here_is_no_difference_and_stops_nothing(
    run, other, orthanc, store, take, make_slice
):
    orthanc.put(*(make_slice(n) for n in (1, 2, 3)))
    take(make_slice(1))
    archive.reject(store, "1.2.3", "113001", note="blurred", sop_uids=["1.2.3.1.1"], by=OPERATOR)

    ended = run("retrieve", other, ["1.2.3"])

    assert (ended.state, ended.differences["missing"]) == ("done", 0)
    with store.database.reading() as db:
        held = archive.find_instances(db, archive.InstanceQuery(study="1.2.3"))
    assert sorted(i.sop_uid for i in held if i.series == "1.2.3.1") == ["1.2.3.1.2", "1.2.3.1.3"]


def test_a_study_that_is_not_there_is_said_to_be_missing(run, other):
    ended = run("retrieve", other, ["9.9.9"])

    assert ended.state == "waiting"
    assert "does not have this study" in ended.error


def test_a_whole_archive_is_taken_over_with_a_report_of_what_differs(
    run, other, orthanc, store, take, make_slice
):
    for study in range(1, 4):
        orthanc.put(*(make_slice(n, study=f"1.2.{study}", series=f"1.2.{study}.1") for n in (1, 2)))
    take(make_slice(9, study="1.2.1", series="1.2.1.1"))  # ours alone
    take(make_slice(1, study="1.2.2", series="1.2.2.1", PixelData=b"\7" * 512))  # not the same as theirs

    ended = run("migrate", other, verify=True)

    with store.database.reading() as db:
        report = {s.study_uid: s for s in transfers.report_of(db, ended.id, by=OPERATOR)}
        assert archive.get_study(db, "1.2.3").instance_count == 2
    assert (report["1.2.3"].state, report["1.2.3"].held) == ("done", 2)
    assert (report["1.2.1"].state, report["1.2.1"].extra, report["1.2.1"].missing) == ("differs", 1, 0)
    assert (report["1.2.2"].state, report["1.2.2"].conflicting) == ("differs", 1)
    assert (ended.state, ended.total) == ("done", 3)
    assert ended.differences["studies_done"] == 1


def test_a_migration_goes_on_where_it_stood(run, other, orthanc, store, settings, make_slice, monkeypatch):
    from sightline.wire.transfers import _taking

    for study in range(1, 5):
        orthanc.put(make_slice(1, study=f"1.2.{study}", series=f"1.2.{study}.1"))
    real, taken = _taking._take_study, []

    def killed_at_the_third(work, there, study):
        if len(taken) == 2:
            raise KeyboardInterrupt
        taken.append(study)
        return real(work, there, study)

    with monkeypatch.context() as patch:
        patch.setattr(_taking, "_take_study", killed_at_the_third)
        with store.database.transaction() as db:
            (started,) = transfers.start_transfers(db, "migrate", other, by=OPERATOR)
        with pytest.raises(KeyboardInterrupt):
            transfers.run_transfer(store, started.id, settings)
    again = []
    monkeypatch.setattr(_taking, "_take_study", lambda *a: (again.append(a[2]), real(*a))[1])

    ended = transfers.run_transfer(store, started.id, settings)

    assert (ended.state, ended.done) == ("done", 4)
    assert set(taken).isdisjoint(again)


def test_what_the_other_side_refuses_is_kept_and_tried_again_alone(
    run, store, settings, orthanc, take, make_slice, monkeypatch
):
    from sightline.wire.transfers import _sending

    with store.database.transaction() as db:
        server = transfers.Server("other", orthanc.web, "basic", f"{USER}:{PASSWORD}")
        transfers.put_server(db, server, by=OPERATOR)
    take(*(make_slice(n) for n in range(1, 5)))
    real, sent = _sending._send_batch, []

    def refuse_one(work, there, batch):
        sent.append([i.sop_uid for i in batch])
        if len(sent) == 1:
            good = [i for i in batch if i.sop_uid != "1.2.3.1.2"]
            return real(work, there, good) | {"1.2.3.1.2": "The server refused it (reason A700)."}
        return real(work, there, batch)

    monkeypatch.setattr(_sending, "_send_batch", refuse_one)

    first = run("send", "other", ["1.2.3"])

    assert (first.state, first.done, first.failed, first.attempts) == ("waiting", 3, 1, 1)
    with store.database.reading() as db:
        assert transfers.failures_of(db, first.id, by=OPERATOR) == [
            ("1.2.3.1.2", "The server refused it (reason A700).")
        ]
    second = transfers.run_transfer(store, first.id, settings)
    assert (second.state, second.done, second.failed) == ("done", 4, 0)
    assert sent[1] == ["1.2.3.1.2"]
