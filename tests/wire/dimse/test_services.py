"""Associations that ask for more than storing: who is offered what, and what hostile bytes do to them."""

import random
import socket
import threading
import time
from contextlib import suppress

import pytest
from pydicom import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import (
    CTImageStorage,
    ModalityWorklistInformationFind,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from sightline.wire import dimse, peers
from sightline.wire.dimse import _messages as messages
from sightline.wire.dimse import _upper_pdus as pdus
from sightline.wire.dimse._calling import Proposal
from sightline.wire.dimse._objects import encode_dataset

pytestmark = pytest.mark.filterwarnings("ignore")

FIND = str(StudyRootQueryRetrieveInformationModelFind)
IMPLICIT = "1.2.840.10008.1.2"
OFFERED = {
    "echo": Verification,
    "store": CTImageStorage,
    "find": StudyRootQueryRetrieveInformationModelFind,
    "retrieve": StudyRootQueryRetrieveInformationModelMove,
    "worklist": ModalityWorklistInformationFind,
    "commit": StorageCommitmentPushModel,
}


def accepted(peer, title):
    ae = AE(title)
    for sop_class in OFFERED.values():
        ae.add_requested_context(sop_class)
    association = ae.associate(peer.host, peer.port, ae_title="SIGHTLINE")
    found = {context.abstract_syntax for context in association.accepted_contexts}
    association.release()
    return found


def test_a_known_peer_is_offered_what_it_has_the_right_to(archive_ae, make_known):
    for right in ("find", "worklist", "commit"):
        make_known("PEER", rights=frozenset({right}))
        assert accepted(archive_ae, "PEER") == {OFFERED[right]}


def test_who_may_retrieve_gets_storage_contexts_but_may_not_store(archive_ae, make_known, store):
    make_known("PEER", rights=frozenset({"retrieve"}))

    assert accepted(archive_ae, "PEER") == {OFFERED["retrieve"], OFFERED["store"]}


def test_everything_that_is_claimed_is_accepted(archive_ae):
    claimed = {uid for service in dimse.SERVICES for uid in service.sop_classes}
    missing = set()
    for start in range(0, len(claimed), 100):
        ae = AE("ASKER")
        some = sorted(claimed)[start : start + 100]
        for uid in [*some, FIND]:
            ae.add_requested_context(uid)
        association = ae.associate(archive_ae.host, archive_ae.port, ae_title="SIGHTLINE")
        missing |= set(some) - {context.abstract_syntax for context in association.accepted_contexts}
        association.release()

    assert missing == set()


def test_a_rate_limit_holds_back_and_refuses_nothing(archive_ae, make_known):
    make_known("PEER", rate_per_s=20.0)
    asked = Dataset()
    asked.StudyInstanceUID = ""
    began = time.monotonic()
    with dimse.Caller("PEER").call(archive_ae, [Proposal(FIND, (IMPLICIT,))]) as call:
        agreed = call.require(FIND)
        for _ in range(5):
            call.ask(
                agreed, {"CommandField": 0x20, "AffectedSOPClassUID": FIND, "Priority": 0}, _identifier()
            )
            assert call.hear().status == 0x0000

    assert time.monotonic() - began > 0.19


def test_a_peer_that_says_nothing_is_let_go(archive_ae, make_known):
    make_known("PEER", network_timeout_s=1)
    call = dimse.Caller("PEER").call(archive_ae, [Proposal(FIND, (IMPLICIT,))])
    began = time.monotonic()

    with pytest.raises(dimse.PeerBroke):
        call.hear(timeout_s=5)

    assert time.monotonic() - began < 4


def _identifier():
    ds = Dataset()
    ds.QueryRetrieveLevel = "STUDY"
    ds.StudyInstanceUID = ""
    return encode_dataset(ds, implicit=True)


def _recorded():
    """A whole session: association, query, release."""
    contexts = (pdus.ProposedContext(1, FIND, (IMPLICIT,)),)
    user = pdus.User(65536, "1.2.3", extended=(pdus.Extended(FIND, b"\1\1\1"),))
    request = pdus.encode_request(pdus.AssociateRequest("SIGHTLINE", "ASKER", contexts, user))
    fields = {
        "CommandField": messages.C_FIND, "MessageID": 1, "AffectedSOPClassUID": FIND, "Priority": 0,
        "CommandDataSetType": messages.DATASET,
    }  # fmt: skip
    query = pdus.encode_message(1, messages.encode_command(fields), _identifier(), 0)
    return [request, query, pdus.RELEASE_REQUEST]


def _mutated(rng, parts):
    chosen = [bytearray(part) for part in parts]
    for _ in range(rng.randint(1, 4)):
        part = rng.choice(chosen[1:] if rng.random() < 0.7 else chosen)
        part += b"\0" * (not part)
        at = rng.randrange(len(part))
        kind = rng.randrange(4)
        if kind == 0:
            part[at] = rng.randrange(256)
        elif kind == 1:
            part[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
        elif kind == 2:
            del part[at : at + rng.randint(1, 16)]
        else:
            part[at:at] = rng.randbytes(rng.randint(1, 32))
    return b"".join(chosen)


def test_mutated_sessions_harm_nobody(archive_ae: peers.Peer):
    rng = random.Random(4)
    recorded = _recorded()
    for _ in range(150):
        with socket.create_connection((archive_ae.host, archive_ae.port), timeout=5) as connection:
            connection.settimeout(10)
            with suppress(OSError):
                connection.sendall(_mutated(rng, recorded))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

    assert dimse.echo(archive_ae).ok
    until = time.monotonic() + 5
    while (left := _serving()) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []


def _serving():
    return [thread.name for thread in threading.enumerate() if thread.name == "association"]
