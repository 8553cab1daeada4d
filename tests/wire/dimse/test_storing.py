"""C-STORE by our own upper layer: what is kept, what is refused and how, and who is put out."""

import io
import shutil
import socket
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.archive import hostile
from bench.peers.scu import CT, EXPLICIT, Scu, part10
from sightline.record import archive
from sightline.runtime.blobs import StoreFull
from sightline.runtime.settings import ServerSettings
from sightline.wire import dimse, peers
from sightline.wire.dimse import _storing, _upper_commands
from sightline.wire.dimse import _upper_pdus as pdus
from sightline.wire.dimse.settings import DimseSettings

pytestmark = pytest.mark.filterwarnings("ignore")

MIB = 1 << 20


@pytest.fixture
def listen(store):
    opened = []

    def listen(**options):
        listener = dimse.Listener(store, ServerSettings(dicom_port=0), dimse=DimseSettings(**options))
        listener.start()
        opened.append(listener)
        return listener

    yield listen
    for listener in opened:
        listener.stop()


@pytest.fixture
def listener(listen):
    return listen()


def instances(store):
    with store.database.reading() as db:
        return archive.find_instances(db, archive.InstanceQuery())


def test_an_object_is_kept_byte_for_byte_behind_our_file_meta(listener, store, make_slice):
    sent = make_slice(1)
    with Scu(listener.port) as scu:
        assert scu.store(sent) == 0x0000

    (held,) = instances(store)
    kept = store.blobs.get(held.blob)
    assert part10(kept)[:3] == part10(sent)[:3]
    assert bytes(part10(kept)[3]) == bytes(part10(sent)[3])


def test_after_the_release_all_that_was_sent_is_in_the_index(listener, store, make_slice):
    with Scu(listener.port) as scu:
        assert [scu.store(make_slice(n)) for n in range(1, 21)] == [0] * 20

    assert len(instances(store)) == 20


def test_the_same_object_by_two_names_of_the_syntax_is_held_once(listener, store, make_slice):
    ds = pydicom.dcmread(io.BytesIO(make_slice(1)))
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
    implicit = io.BytesIO()
    ds.save_as(implicit, implicit_vr=True, little_endian=True)
    with Scu(listener.port, contexts=((CT, EXPLICIT), (CT, "1.2.840.10008.1.2"))) as scu:
        assert [scu.store(make_slice(1)), scu.store(implicit.getvalue())] == [0, 0]

    assert len(instances(store)) == len(list(store.blobs.list("instances/"))) == 1


@pytest.mark.parametrize("size", [16, 64, 1000, 1 << 20])
def test_a_message_may_come_in_pieces_of_any_size(listener, store, make_slice, size):
    with Scu(listener.port) as scu:
        sop_class, sop_uid, _, dataset = part10(make_slice(1))
        command = _upper_commands.encode_store(1, sop_class, sop_uid)
        assert scu.exchange(pdus.encode_message(1, command, bytes(dataset), size)) == 0

    assert len(instances(store)) == 1


def test_several_values_in_one_pdu_are_one_message(listener, store, make_slice):
    with Scu(listener.port) as scu:
        sop_class, sop_uid, _, dataset = part10(make_slice(1))
        command = _upper_commands.encode_store(1, sop_class, sop_uid)
        values = [(3, command), (0, bytes(dataset[:99])), (2, bytes(dataset[99:]))]
        body = b"".join(struct.pack(">IBB", len(v) + 2, 1, c) + v for c, v in values)
        assert scu.exchange(pdus.encode_pdu(pdus.P_DATA, body)) == 0

    assert len(instances(store)) == 1


def test_a_large_object_goes_through_a_file_and_has_the_hash_of_its_bytes(listener, store, make_slice):
    large = make_slice(1, Rows=2048, Columns=2048, PixelData=bytes(range(256)) * (2048 * 8 * 2))
    with Scu(listener.port) as scu:
        assert scu.store(large) == 0
        assert scu.store(large) == 0

    (held,) = instances(store)
    assert held.size > 8 * MIB
    assert bytes(part10(store.blobs.get(held.blob))[3]) == bytes(part10(large)[3])
    assert held.hash == archive.start_hash(EXPLICIT).update(bytes(part10(large)[3])).hexdigest()
    assert list(store.blobs.scratch().iterdir()) == []


def test_an_object_larger_than_allowed_is_refused_and_the_next_is_taken(store, make_slice):
    small = archive.Store(store.database, store.blobs, archive.ArchiveSettings(max_instance_mib=1))
    listener = dimse.Listener(small, ServerSettings(dicom_port=0))
    listener.start()
    large = make_slice(1, Rows=1024, Columns=1024, PixelData=bytes(2 * MIB))
    try:
        with Scu(listener.port) as scu:
            assert [scu.store(large), scu.store(make_slice(2))] == [0xA700, 0]
    finally:
        listener.stop()


def other_uid(make_slice):
    sop_class, _, _, dataset = part10(make_slice(1))
    return _upper_commands.encode_store(1, sop_class, "1.2.3.9.9"), bytes(dataset)


def other_class(make_slice):
    _, sop_uid, _, dataset = part10(make_slice(1))
    return _upper_commands.encode_store(1, "1.2.840.10008.5.1.4.1.1.4", sop_uid), bytes(dataset)


def cut(make_slice):
    sop_class, sop_uid, _, dataset = part10(make_slice(1))
    return _upper_commands.encode_store(1, sop_class, sop_uid), bytes(dataset[:-100])


def nothing(make_slice):
    sop_class, sop_uid, _, _ = part10(make_slice(1))
    return _upper_commands.encode_store(1, sop_class, sop_uid), b""


@pytest.mark.parametrize(
    ("make", "status"),
    [(other_uid, 0xA900), (other_class, 0x0122), (cut, 0xC000), (nothing, 0xA900)],
    ids=["another instance", "another class", "cut off", "nothing"],
)
def test_what_cannot_be_kept_is_refused_by_its_status_and_nothing_is_kept(
    listener, store, make_slice, make, status
):
    command, dataset = make(make_slice)
    with Scu(listener.port) as scu:
        assert scu.exchange(pdus.encode_message(1, command, dataset, 16384)) == status
        assert scu.store(make_slice(2)) == 0

    assert [i.number for i in instances(store)] == [2]
    assert len(list(store.blobs.list("instances/"))) == 1
    assert list(store.blobs.scratch().iterdir()) == []


def test_another_object_under_a_held_uid_is_told_and_kept_aside(listener, store, make_slice):
    with Scu(listener.port) as scu:
        assert scu.store(make_slice(1)) == 0
        assert scu.store(make_slice(1, PatientComments="other")) == 0x0111

    with store.database.reading() as db:
        assert len(list(archive.find_conflicts(db))) == 1
    assert len(instances(store)) == 1


def test_a_full_disk_says_out_of_resources_and_later_takes_it(listener, store, make_slice, monkeypatch):
    def full(*_args, **_options):
        raise StoreFull("The disk is full; nothing was stored. Free space and send again.")

    with Scu(listener.port) as scu:
        with monkeypatch.context() as patch:
            patch.setattr(store.blobs, "_write", full)
            assert scu.store(make_slice(1)) == 0xA700
        assert scu.store(make_slice(1)) == 0
    assert len(instances(store)) == 1


def test_an_association_that_breaks_off_in_an_object_leaves_nothing(listener, store, make_slice):
    scu = Scu(listener.port)
    scu.associate()
    scu.connection.sendall(scu.encode(make_slice(1))[:500])
    scu.connection.close()
    with Scu(listener.port) as other:
        assert other.store(make_slice(2)) == 0

    assert [i.number for i in instances(store)] == [2]


def test_many_associations_at_once_are_served(listener, store, make_slice):
    def send(number):
        series = f"1.2.3.{number}"
        with Scu(listener.port, calling=f"SCU{number}", timeout_s=60) as scu:
            return [scu.store(make_slice(n, series=series)) for n in (1, 2)]

    with ThreadPoolExecutor(64) as pool:
        assert set(map(tuple, pool.map(send, range(64)))) == {(0, 0)}

    assert len(instances(store)) == 128
    with store.database.reading() as db:
        study = archive.get_study(db, "1.2.3")
    assert (study.instance_count, study.series_count) == (128, 64)


def test_the_same_object_from_many_at_once_is_held_once(listener, store, make_slice):
    def send(_):
        with Scu(listener.port, timeout_s=60) as scu:
            return scu.store(make_slice(1))

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(send, range(16))) == {0}

    assert len(instances(store)) == len(list(store.blobs.list("instances/"))) == 1


@pytest.mark.parametrize(
    ("change", "reject"),
    [
        ({"protocol_version": 2}, pdus.AssociateReject(1, 2, 2)),
        ({"application_context": "1.2.3"}, pdus.AssociateReject(1, 1, 2)),
        ({"calling": ""}, pdus.AssociateReject(1, 1, 3)),
    ],
    ids=["version", "application context", "no title"],
)
def test_what_cannot_be_talked_about_is_rejected_as_the_standard_says(listener, change, reject):
    scu = Scu(listener.port)
    values = {name: getattr(scu.request, name) for name in scu.request.__slots__}
    scu.request = pdus.AssociateRequest(**values | change)

    assert scu.associate() == reject
    scu.connection.close()


def test_more_associations_than_allowed_are_told_to_come_back(listen):
    listener = listen(max_associations=1)
    with Scu(listener.port):
        assert Scu(listener.port).associate() == pdus.AssociateReject(2, 3, 1)

    with Scu(listener.port) as again:
        assert isinstance(again.answer, pdus.AssociateAccept)


def test_a_peer_without_the_right_to_store_may_echo_only(listener, monkeypatch):
    stranger = peers.Admission("X", None, frozenset({"echo"}), peers.person_of("X"))
    monkeypatch.setattr(peers, "admit", lambda *_args, **_options: stranger)

    with Scu(listener.port, contexts=((CT, EXPLICIT), (_storing.VERIFICATION, EXPLICIT))) as scu:
        assert [c.result for c in scu.answer.contexts] == [3, 0]


@pytest.mark.parametrize(("private", "results"), [(False, [3, 0, 4]), (True, [0, 0, 0])])
def test_private_classes_and_syntaxes_are_kept_by_setting(listen, private, results):
    contexts = (("1.3.12.2.1107.5.9.1", EXPLICIT), (CT, EXPLICIT), (CT, "1.2.840.113619.5.2"))
    with Scu(listen(private_classes=private).port, contexts=contexts) as scu:
        assert [c.result for c in scu.answer.contexts] == results


def test_the_first_syntax_proposed_is_taken(listener):
    scu = Scu(listener.port)
    proposed = pdus.ProposedContext(1, CT, ("1.2.840.10008.1.2.4.90", EXPLICIT))
    scu.request = pdus.AssociateRequest("SIGHTLINE", "SCU", (proposed,))

    assert scu.associate().contexts == (pdus.AnsweredContext(1, 0, "1.2.840.10008.1.2.4.90"),)
    scu.connection.close()


def test_one_who_says_nothing_is_put_out(listen):
    listener = listen(acse_timeout_s=1)
    with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as silent:
        assert silent.recv(1) == b""


def test_one_who_stops_in_a_message_is_put_out(listener, make_slice, monkeypatch):
    hurried = peers.Admission(
        "X", None, peers.EVERY_RIGHT, peers.person_of("X"), network_timeout_s=1, dimse_timeout_s=1
    )
    monkeypatch.setattr(peers, "admit", lambda *_args, **_options: hurried)
    scu = Scu(listener.port)
    scu.associate()
    scu.connection.sendall(scu.encode(make_slice(1))[:300])

    assert scu.read_pdu()[0] == pdus.ABORT


@pytest.mark.parametrize(
    "message",
    [
        pdus.encode_pdu(pdus.P_DATA, b""),
        pdus.encode_pdu(pdus.P_DATA, struct.pack(">IBB", 1 << 30, 1, 3)),
        pdus.encode_value(9, 3, b"x"),
        pdus.encode_value(1, 2, b"a dataset that nobody announced"),
        pdus.encode_value(1, 3, b"no command at all"),
        pdus.encode_pdu(9, b"????"),
        pdus.encode_pdu(pdus.ASSOCIATE_RQ, bytes(80)),
    ],
    ids=["empty", "too long", "unknown context", "data first", "no command", "unknown PDU", "asked twice"],
)
def test_what_is_no_dicom_ends_the_association_and_nobody_elses(listener, make_slice, message):
    scu = Scu(listener.port)
    scu.associate()
    scu.connection.sendall(message)
    assert scu.read_pdu()[0] == pdus.ABORT
    scu.connection.close()

    with Scu(listener.port) as other:
        assert other.store(make_slice(1)) == 0


def test_a_rate_slows_a_peer_down(listener, make_slice, monkeypatch):
    slow = peers.Admission("X", None, peers.EVERY_RIGHT, peers.person_of("X"), rate_per_s=10)
    monkeypatch.setattr(peers, "admit", lambda *_args, **_options: slow)
    started = time.monotonic()
    with Scu(listener.port) as scu:
        for n in range(1, 6):
            assert scu.store(make_slice(n)) == 0

    assert time.monotonic() - started >= 0.4


def test_stopping_ends_open_associations_and_keeps_what_they_brought(listen, store, make_slice):
    before = set(threading.enumerate())
    listener = listen()
    scu = Scu(listener.port)
    scu.associate()
    assert scu.store(make_slice(1)) == 0

    listener.stop()

    assert len(instances(store)) == 1
    ours = {"association", "spool", "dicom-port"}
    assert not [t for t in set(threading.enumerate()) - before if t.name in ours]


@pytest.mark.skipif(shutil.which("storescu") is None, reason="DCMTK is not installed")
def test_dcmtk_stores_with_any_size_of_pdu(listener, store, tmp_path, make_slice):
    folder = tmp_path / "slices"
    folder.mkdir()
    for n in range(1, 4):
        (folder / f"{n}.dcm").write_bytes(make_slice(n))
    for size in ("4096", "131072"):
        command = ["storescu", "-pdu", size, "-aec", "SIGHTLINE", "127.0.0.1", str(listener.port)]
        subprocess.run([*command, "+sd", str(folder)], timeout=60, check=True)

    assert len(instances(store)) == 3


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 1 << 32))
def test_no_bytes_stop_the_listener(listener, make_slice, seed):
    hostile.attack(listener.port, seed, make_slice(1), timeout_s=10)


def test_after_an_attack_the_next_is_served(listener, store, make_slice):
    for seed in range(50):
        hostile.attack(listener.port, seed, make_slice(1), timeout_s=10)
    with Scu(listener.port) as scu:
        assert scu.store(make_slice(2)) == 0
    assert 2 in [i.number for i in instances(store)]
    assert list(store.blobs.scratch().iterdir()) == []
