"""Command sets of every DIMSE message, as mappings of keywords: bytes in, values out, and back.

Source: PS3.7 6.3.1 (implicit little endian), annex E (the elements and the codes of the commands).
"""

import struct
from collections.abc import Mapping
from typing import Final, TypeAlias

from sightline.wire.dimse._upper_commands import BadCommand

Fields: TypeAlias = Mapping[str, int | str]

C_STORE, C_GET, C_FIND, C_MOVE, C_ECHO, C_CANCEL = 0x0001, 0x0010, 0x0020, 0x0021, 0x0030, 0x0FFF
N_EVENT_REPORT, N_GET, N_SET, N_ACTION, N_CREATE, N_DELETE = 0x0100, 0x0110, 0x0120, 0x0130, 0x0140, 0x0150
RESPONSE = 0x8000
NO_DATASET, DATASET = 0x0101, 0x0001

SUCCESS, CANCELLED = 0x0000, 0xFE00
PENDING = frozenset({0xFF00, 0xFF01})

_ELEMENTS: Final = {
    "AffectedSOPClassUID": (0x0002, "UI"),
    "RequestedSOPClassUID": (0x0003, "UI"),
    "CommandField": (0x0100, "US"),
    "MessageID": (0x0110, "US"),
    "MessageIDBeingRespondedTo": (0x0120, "US"),
    "MoveDestination": (0x0600, "AE"),
    "Priority": (0x0700, "US"),
    "CommandDataSetType": (0x0800, "US"),
    "Status": (0x0900, "US"),
    "ErrorComment": (0x0902, "LO"),
    "ErrorID": (0x0903, "US"),
    "AffectedSOPInstanceUID": (0x1000, "UI"),
    "RequestedSOPInstanceUID": (0x1001, "UI"),
    "EventTypeID": (0x1002, "US"),
    "ActionTypeID": (0x1008, "US"),
    "NumberOfRemainingSuboperations": (0x1020, "US"),
    "NumberOfCompletedSuboperations": (0x1021, "US"),
    "NumberOfFailedSuboperations": (0x1022, "US"),
    "NumberOfWarningSuboperations": (0x1023, "US"),
    "MoveOriginatorApplicationEntityTitle": (0x1030, "AE"),
    "MoveOriginatorMessageID": (0x1031, "US"),
}
_BY_NUMBER: Final = {number: (keyword, vr) for keyword, (number, vr) in _ELEMENTS.items()}
_HEAD = struct.Struct("<HHI")


def encode_command(fields: Fields) -> bytes:
    """Return a command set.

    >>> decode_command(encode_command({"CommandField": C_ECHO, "MessageID": 7}))
    {'CommandField': 48, 'MessageID': 7}
    """
    elements = sorted((*_ELEMENTS[keyword], value) for keyword, value in fields.items())
    body = b"".join(_element(number, vr, value) for number, vr, value in elements)
    return _HEAD.pack(0, 0, 4) + struct.pack("<I", len(body)) + body


def _element(number: int, vr: str, value: int | str) -> bytes:
    if vr == "US":
        data = struct.pack("<H", int(value))
    else:
        data = str(value).encode("ascii", "replace")
        data += (b"\0" if vr == "UI" else b" ") * (len(data) % 2)
    return _HEAD.pack(0, number, len(data)) + data


def decode_command(data: bytes | bytearray) -> dict[str, int | str]:
    r"""Return what a command set says; every length is held against the bytes that are there.

    >>> decode_command(encode_command({"CommandField": C_GET}) + b"\x08\0\x58\0\2\0\0\0" + b"1\0")
    {'CommandField': 16}

    Raises
    ------
    BadCommand
        If the bytes are no command set.
    """
    found: dict[str, int | str] = {}
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise BadCommand("an element is cut off")
        group, number, length = _HEAD.unpack_from(data, at)
        at += 8
        if at + length > len(data):
            raise BadCommand("an element is longer than the command")
        # Some write Failed SOP Instance UID List, of group 0008, among the elements of a response.
        keyword, vr = ("", "") if group else _BY_NUMBER.get(number, ("", ""))
        value = bytes(data[at : at + length])
        at += length
        if vr == "US" and length == 2:
            found[keyword] = int.from_bytes(value, "little")
        elif keyword and vr != "US":
            found[keyword] = value.decode("ascii", "replace").strip("\0 ")
    if not isinstance(found.get("CommandField"), int):
        raise BadCommand("it does not say what is wanted")
    return found
