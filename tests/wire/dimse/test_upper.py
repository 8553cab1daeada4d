"""The upper layer without a socket: the state machine, and PDUs as values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynetdicom.fsm import TRANSITION_TABLE
from pynetdicom.pdu import A_ASSOCIATE_RQ

from sightline.wire.dimse import _upper, _upper_commands
from sightline.wire.dimse import _upper_pdus as pdus

ABSTRACT, SYNTAX = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"
EVERYTHING = pdus.User(
    max_length=16384,
    implementation_uid="1.2.3.4",
    implementation_version="TEST 1",
    window=(3, 5),
    roles=(pdus.Role(ABSTRACT, scu=False, scp=True),),
    extended=(pdus.Extended("1.2.840.10008.5.1.4.1.2.2.1", b"\1\1\0"),),
    common_extended=(pdus.CommonExtended(ABSTRACT, "1.2.840.10008.4.2", ("1.2.3", "1.2.4")),),
    identity=pdus.UserIdentity(2, answer_wanted=True, primary=b"somebody", secondary=b"word"),
)


def test_the_table_is_that_of_the_standard_as_another_implementation_has_it():
    ours = {(f"Evt{e}", f"Sta{s}"): action for e, row in _upper.TABLE.items() for s, action in row.items()}

    assert ours == TRANSITION_TABLE


@pytest.mark.parametrize(
    ("events", "actions", "state"),
    [
        ([5, 6, 7, 10, 12, 14, 17], ["AE-5", "AE-6", "AE-7", "DT-2", "AR-2", "AR-4", "AR-5"], 1),
        ([5, 6, 8, 18], ["AE-5", "AE-6", "AE-8", "AA-2"], 1),
        ([5, 10], ["AE-5", "AA-1"], 13),
        ([5, 6, 7, 6], ["AE-5", "AE-6", "AE-7", "AA-8"], 13),
        ([5, 6, 7, 16], ["AE-5", "AE-6", "AE-7", "AA-3"], 1),
        ([5, 6, 7, 11, 12, 14], ["AE-5", "AE-6", "AE-7", "AR-1", "AR-8", None], 10),
    ],
    ids=["stored and released", "rejected", "data first", "asked twice", "aborted", "release collision"],
)
def test_an_association_goes_the_way_of_the_table(events, actions, state):
    machine = _upper.Machine()
    done = []
    for event in events:
        try:
            done.append(machine.on(event))
        except _upper.NotNow:
            done.append(None)

    assert (done, machine.state) == (actions, state)


def test_a_requestor_whose_release_collides_answers_first():
    machine = _upper.Machine(requestor=True)
    for event in (_upper.ASK, _upper.CONNECTED, _upper.AC, _upper.ASK_RELEASE, _upper.RELEASE_RQ):
        machine.on(event)

    assert machine.on(_upper.REPLY_RELEASE) == "AR-9"


def test_everything_that_can_be_negotiated_survives_the_way_there_and_back():
    contexts = (pdus.ProposedContext(1, ABSTRACT, (SYNTAX, "1.2.840.10008.1.2")),)
    request = pdus.AssociateRequest("CALLED", "CALLING", contexts, EVERYTHING)
    accept = pdus.AssociateAccept("CALLED", "CALLING", (pdus.AnsweredContext(1, 0, SYNTAX),), EVERYTHING)

    assert pdus.decode_request(pdus.encode_request(request)[6:]) == request
    assert pdus.decode_accept(pdus.encode_accept(accept)[6:]) == accept


def test_another_implementation_reads_our_request():
    contexts = (pdus.ProposedContext(1, ABSTRACT, (SYNTAX,)),)
    theirs = A_ASSOCIATE_RQ()

    theirs.decode(pdus.encode_request(pdus.AssociateRequest("CALLED", "CALLING", contexts, EVERYTHING)))

    assert theirs.called_ae_title.strip() == "CALLED"
    assert theirs.presentation_context[0].abstract_syntax == ABSTRACT
    assert theirs.user_information.user_identity.primary_field == b"somebody"


def test_a_password_is_never_printed():
    assert "word" not in repr(EVERYTHING)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        bytes(67),
        bytes(68) + b"\x10\0\0\x40short",
        bytes(68) + b"\x20\0\0\4\1\0\0\0",
        bytes(68) + b"\x50\0\0\6\x51\0\0\2\0\1",
        bytes(68) + b"\x10\0\0\x41" + b"1" * 65,
        bytes(68) + b"\x50\0\0\7\x54\0\0\3\0\x09a",
    ],
    ids=["empty", "cut", "long item", "no syntax", "short maximum", "long uid", "cut role"],
)
def test_a_request_that_is_none_is_refused(body):
    with pytest.raises(pdus.BadPdu):
        pdus.decode_request(body)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_no_bytes_break_the_reader(data):
    contexts = (pdus.ProposedContext(1, ABSTRACT, (SYNTAX,)),)
    body = bytearray(pdus.encode_request(pdus.AssociateRequest("A", "B", contexts, EVERYTHING))[6:])
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(68, len(body) - 1))] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(0, len(body)))]

    try:
        assert isinstance(pdus.decode_request(bytes(body)), pdus.AssociateRequest)
    except pdus.BadPdu as error:
        assert str(error)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_commands(noise):
    whole = _upper_commands.encode_store(7, ABSTRACT, "1.2.3")
    for data in (noise, whole[: len(noise)] + noise, whole + noise):
        try:
            assert _upper_commands.parse_command(data).kind in range(1 << 16)
        except _upper_commands.BadCommand as error:
            assert str(error)


def test_a_message_is_cut_to_what_the_peer_takes():
    message = pdus.encode_message(3, b"c" * 20, b"d" * 100, 26)
    values, at = [], 0
    while at < len(message):
        length = int.from_bytes(message[at + 2 : at + 6], "big")
        assert length <= 26
        values += pdus.decode_value_items(message[at + 6 : at + 6 + length])
        at += 6 + length

    assert b"".join(data for _, control, data in values if not control & 1) == b"d" * 100
    assert [control for _, control, _ in values] == [3, 0, 0, 0, 0, 2]
