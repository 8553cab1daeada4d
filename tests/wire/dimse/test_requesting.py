"""What we ask of peers: DCMTK, pynetdicom and ourselves."""

import io
import socket
import threading
from types import SimpleNamespace

import pydicom
import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage, ModalityPerformedProcedureStep, StorageCommitmentPushModel
from typer.testing import CliRunner

from sightline.trust import access, audit
from sightline.wire import dimse, peers
from sightline.wire.dimse import _calling
from sightline.wire.dimse.commands import commands
from sightline.wire.dimse.routes import router
from tests.wire.peers.client import Client

pytestmark = pytest.mark.filterwarnings("ignore")

ARCHIVIST = access.Person("p1", "Ada", "ada", frozenset({"archivist"}), "main")


def dataset_of(content):
    return content[144 + int.from_bytes(content[140:144], "little") :]


@pytest.fixture
def scp():
    """Start a pynetdicom server with these classes and handlers; gives it as a peer."""
    servers = []

    def start(*contexts, **handlers):
        ae = AE("THERE")
        for sop_class, *syntaxes in contexts:
            ae.add_supported_context(
                sop_class, syntaxes or [ExplicitVRLittleEndian], scu_role=True, scp_role=True
            )
        bound = [(getattr(evt, name), handler) for name, handler in handlers.items()]
        servers.append(ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=bound))
        port = servers[-1].socket.getsockname()[1]
        return peers.Peer("THERE", "127.0.0.1", port, acse_timeout_s=5, dimse_timeout_s=5)

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture
def mute():
    """A server that accepts connections and says this much."""
    servers = []

    def start(words=b""):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(words)
                connection.recv(65536)

        threading.Thread(target=serve, daemon=True).start()
        return peers.Peer("MUTE", "127.0.0.1", server.getsockname()[1], acse_timeout_s=1, dimse_timeout_s=1)

    yield start
    for server in servers:
        server.close()


def test_an_echo_is_answered_and_timed(archive_ae):
    result = dimse.echo(archive_ae)

    assert (result.ok, result.message) == (True, "SIGHTLINE answers.")
    assert 0 < result.ms < 5000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (b"", "did not answer in time"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not DICOM"),
        (b"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x03", "does not know our AE title"),
        (b"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x07", "does not answer to the AE title"),
        (b"\x07\x00\x00\x00\x00\x04\x00\x00\x02\x00", "before it began"),
        (b"\x02\x00\xff\xff\xff\xff", "not DICOM"),
    ],
    ids=["silence", "http", "calling title", "called title", "abort", "4 GiB"],
)
def test_an_echo_that_fails_says_why_and_ends(mute, words, told):
    result = dimse.echo(mute(words))

    assert not result.ok
    assert told in result.message


def test_nobody_there_and_no_address_are_told():
    assert "cannot be reached" in dimse.echo(peers.Peer("GONE", "127.0.0.1", 1)).message
    assert "has no address" in dimse.echo(peers.Peer("GONE")).message


def test_what_is_sent_arrives_as_it_is_held(take, make_slice, store, receiver):
    contents = {f"1.2.3.1.{n}": make_slice(n) for n in range(1, 8)}
    take(*contents.values())
    peer, folder = receiver("DEST", "+B")
    told = []

    result = dimse.send(store, peer, list(contents), on_progress=told.append)

    assert (result.done, result.failed, result.error, len(told)) == (7, 0, "", 7)
    assert result.bytes == sum(len(dataset_of(c)) for c in contents.values())
    for path in folder.iterdir():
        assert dataset_of(path.read_bytes()) == dataset_of(
            contents[str(pydicom.dcmread(path).SOPInstanceUID)]
        )


def test_a_peer_of_implicit_vr_gets_it_written_anew_unless_that_is_forbidden(take, make_slice, store, scp):
    take(make_slice(1))
    got = []

    def keep(event):
        got.append(event.dataset)
        return 0x0000

    peer = scp((CTImageStorage, ImplicitVRLittleEndian), EVT_C_STORE=keep)

    assert dimse.send(store, peer, ["1.2.3.1.1"], transcode=False).instances[0].status == 0x0122
    (sent,) = dimse.send(store, peer, ["1.2.3.1.1"]).instances
    assert (sent.ok, sent.transcoded) == (True, True)
    assert got[0].PixelData == pydicom.dcmread(io.BytesIO(make_slice(1))).PixelData


def test_warnings_refusals_and_what_is_not_held_are_told_for_each(take, make_slice, store, scp):
    take(make_slice(1), make_slice(2))
    answers = {"1.2.3.1.1": 0xB000, "1.2.3.1.2": 0xA700}
    peer = scp((CTImageStorage,), EVT_C_STORE=lambda e: answers[e.request.AffectedSOPInstanceUID])

    result = dimse.send(store, peer, ["1.2.3.1.1", "1.2.3.1.2", "9.9"])

    assert [(s.sop_uid, s.ok, s.warned) for s in result.instances] == [
        ("1.2.3.1.1", True, True), ("1.2.3.1.2", False, False), ("9.9", False, False),
    ]  # fmt: skip


def test_a_peer_that_goes_away_leaves_the_rest_failed(take, make_slice, store, scp):
    take(make_slice(1), make_slice(2), make_slice(3))

    def answer(event):
        if event.request.AffectedSOPInstanceUID == "1.2.3.1.2":
            event.assoc.abort(block=False)
        return 0x0000

    result = dimse.send(
        store, scp((CTImageStorage,), EVT_C_STORE=answer), ["1.2.3.1.1", "1.2.3.1.2", "1.2.3.1.3"]
    )

    assert (result.done, result.failed) == (1, 2)
    assert "THERE ended the association" in result.error


def test_a_commitment_is_asked_for_and_its_report_awaited(scp):
    asked = []

    def take_request(event):
        asked.append(event.action_information)
        report = Dataset()
        report.TransactionUID = event.action_information.TransactionUID
        report.ReferencedSOPSequence = event.action_information.ReferencedSOPSequence
        assoc = event.assoc
        threading.Timer(
            0.2,
            lambda: assoc.send_n_event_report(
                report, 1, StorageCommitmentPushModel, "1.2.840.10008.1.20.1.1"
            ),
        ).start()
        return 0x0000, None

    peer = scp((StorageCommitmentPushModel,), EVT_N_ACTION=take_request)

    result = dimse.commit(peer, [(CTImageStorage, "1.2.3")], wait_s=5)

    assert result.report.TransactionUID == result.transaction_uid == asked[0].TransactionUID
    assert asked[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3"


def test_a_performed_step_is_created_and_set_and_a_refusal_is_told(scp):
    said = []
    peer = scp(
        (ModalityPerformedProcedureStep,),
        EVT_N_CREATE=lambda e: (
            said.append(("create", e.attribute_list.Modality)),
            (0x0000, e.attribute_list),
        )[1],
        EVT_N_SET=lambda e: (said.append(("set", e.request.RequestedSOPInstanceUID)), (0x0110, None))[1],
    )
    step = Dataset()
    step.Modality = "CT"

    dimse.create_step(peer, "1.2.3.4", step)
    with pytest.raises(dimse.PeerRefusedRequest, match="0110H"):
        dimse.set_step(peer, "1.2.3.4", step)

    assert said == [("create", "CT"), ("set", "1.2.3.4")]


def test_a_class_that_the_peer_does_not_offer_is_told(archive_ae, scp):
    with pytest.raises(dimse.NotSupported):
        dimse.notify(scp((CTImageStorage,)), Dataset())


@pytest.mark.parametrize("size", [0, 1, 5, 6, 7, 100])
@pytest.mark.parametrize("pieces", [[], [b""], [b"abc"], [b"abc", b"", b"defgh"], [bytes(13), bytes(6)]])
def test_fragments_hold_all_of_the_pieces_and_end_once(size, pieces):
    if not size:
        return
    cut = list(_calling.fragments(pieces, size))

    assert b"".join(fragment for fragment, _ in cut) == b"".join(pieces)
    assert [last for _, last in cut] == [False] * (len(cut) - 1) + [True]
    assert all(len(fragment) <= size for fragment, _ in cut)


def test_the_echo_button_and_the_search_at_a_peer(archive_ae, store, take, make_slice, make_known):
    take(make_slice(1))
    make_known("US", archive_ae.port)
    client = Client(store.database, ARCHIVIST, router)

    assert client.post("/api/peers/US/echo").json()["ok"] is True
    found = client.post("/api/peers/US/find", {"level": "study", "keys": {"PatientID": "4711"}}).json()[
        "items"
    ]
    assert [item["0020000D"]["Value"] for item in found] == [["1.2.3"]]
    assert client.post("/api/peers/US/find", {"keys": {"Nonsense": "1"}}).status_code == 422
    assert client.post("/api/peers/NOBODY/echo").status_code == 404
    with store.database.reading() as db:
        assert [e.act for e in audit.trail(db, on="US")] == ["peer.find", "peer.echo", "peer.add"]


def test_the_commands_echo_and_find(archive_ae, store, take, make_slice, make_known):
    take(make_slice(1))
    make_known("US", archive_ae.port)
    make_known("GONE", 1)
    here = SimpleNamespace(database=store.database, operator=access.operator("tester"))

    def run(*arguments):
        return CliRunner().invoke(commands, list(arguments), obj=here)

    assert "US" in run("echo", "US").output
    assert run("echo", "GONE").exit_code == 1
    assert "1.2.3" in run("find", "US", "-k", "PatientID=4711").output
    assert run("find", "US", "-k", "PatientID").exception is not None
