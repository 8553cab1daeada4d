"""C-ECHO and C-STORE over real associations."""

import io
import shutil
import socket
import subprocess

import pydicom
import pytest
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage, Verification

from sightline.record import archive
from sightline.runtime.blobs import StoreFull
from sightline.runtime.settings import ServerSettings
from sightline.wire import dimse

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def listener(store):
    opened = dimse.Listener(store, ServerSettings(dicom_port=0))
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def send(listener):
    """Send datasets over one association and return the status of each."""

    def send(*contents):
        ae = AE("SCANNER")
        ae.add_requested_context(CTImageStorage)
        association = ae.associate("127.0.0.1", listener.port, ae_title="SIGHTLINE")
        assert association.is_established
        try:
            return [association.send_c_store(pydicom.dcmread(io.BytesIO(c))) for c in contents]
        finally:
            association.release()

    return send


def codes(statuses):
    return [status.Status for status in statuses]


def test_an_echo_is_answered(listener):
    ae = AE("SCANNER")
    ae.add_requested_context(Verification)
    association = ae.associate("127.0.0.1", listener.port)
    status = association.send_c_echo()
    association.release()

    assert status.Status == 0x0000


def test_success_means_that_the_object_is_held(send, store, make_slice):
    assert codes(send(make_slice(1), make_slice(2))) == [0x0000, 0x0000]

    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").instance_count == 2
        assert archive.read_dataset(store, db, "1.2.3.1.1").PixelData == (
            pydicom.dcmread(io.BytesIO(make_slice(1))).PixelData
        )


def test_sending_again_is_success_and_changes_nothing(send, store, make_slice):
    send(make_slice(1))

    assert codes(send(make_slice(1))) == [0x0000]
    assert len(list(store.blobs.list("instances/"))) == 1


def test_an_object_that_was_imported_is_held_when_it_is_sent(send, take, store, make_slice):
    take(make_slice(1))

    assert codes(send(make_slice(1))) == [0x0000]
    assert len(list(store.blobs.list("instances/"))) == 1


def test_a_conflict_is_told_in_status_and_words(send, make_slice):
    send(make_slice(1))

    status = send(make_slice(1, PatientComments="other"))[0]

    assert status.Status == 0x0111
    assert "Another object is held" in status.ErrorComment


def test_a_full_store_says_out_of_resources_and_later_takes_it(send, store, make_slice, monkeypatch):
    def full(*_args, **_options):
        raise StoreFull("The disk is full; nothing was stored. Free space and send again.")

    with monkeypatch.context() as patch:
        patch.setattr(store.blobs, "_write", full)
        assert codes(send(make_slice(1))) == [0xA700]

    assert codes(send(make_slice(1))) == [0x0000]


def test_an_object_without_a_study_does_not_match(send, make_slice):
    assert codes(send(make_slice(1, StudyInstanceUID=None))) == [0xA900]


def test_a_stranger_from_elsewhere_may_only_echo(listener, make_slice, monkeypatch):
    monkeypatch.setattr("sightline.wire.peers._admission.is_loopback", lambda address: False)
    ae = AE("STRANGER")
    ae.add_requested_context(Verification)
    ae.add_requested_context(CTImageStorage)

    association = ae.associate("127.0.0.1", listener.port, ae_title="SIGHTLINE")
    accepted = [c.abstract_syntax for c in association.accepted_contexts]
    echoed = association.send_c_echo().Status
    association.release()

    assert (accepted, echoed) == ([Verification], 0x0000)


def test_a_stranger_from_elsewhere_must_know_our_title(listener, monkeypatch):
    monkeypatch.setattr("sightline.wire.peers._admission.is_loopback", lambda address: False)
    ae = AE("STRANGER")
    ae.add_requested_context(Verification)

    association = ae.associate("127.0.0.1", listener.port, ae_title="OTHER")

    assert association.is_rejected
    assert association.acceptor.primitive.diagnostic == 0x07


def test_a_port_that_is_taken_is_told_with_what_to_do(listener, store):
    second = dimse.Listener(store, ServerSettings(dicom_port=listener.port))

    with pytest.raises(dimse.DicomPortTaken, match="--dicom-port"):
        second.start()


@pytest.mark.skipif(shutil.which("storescu") is None, reason="DCMTK is not installed")
def test_dcmtk_stores_what_it_can_read(listener, store, tmp_path, make_slice):
    for n in range(1, 6):
        (tmp_path / f"{n}.dcm").write_bytes(make_slice(n))
    files = sorted(map(str, tmp_path.glob("*.dcm")))

    done = subprocess.run(
        ["storescu", "-aec", "SIGHTLINE", "127.0.0.1", str(listener.port), *files], timeout=60, check=False
    )

    assert done.returncode == 0
    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").instance_count == 5


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(100),
        b"\x01\x00\xff\xff\xff\xff" + bytes(50),
        b"\x04\x00\x00\x00\x00\x02\x00",
    ],
    ids=["http", "zeros", "4 GiB PDU", "data before association"],
)
def test_noise_on_the_port_harms_nobody(listener, send, make_slice, noise):
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as connection:
        connection.sendall(noise)
        connection.shutdown(socket.SHUT_WR)

    assert codes(send(make_slice(1))) == [0x0000]
