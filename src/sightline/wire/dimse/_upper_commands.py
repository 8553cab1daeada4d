"""Command sets: what says in a DIMSE message what is wanted (PS3.7 6.3, E); implicit little endian."""

import struct
from dataclasses import dataclass

C_STORE, C_ECHO, C_CANCEL = 0x0001, 0x0030, 0x0FFF
RESPONSE = 0x8000
NO_DATASET = 0x0101
LONGEST_COMMAND = 64 << 10

_HEAD = struct.Struct("<HHI")
_SHORT = struct.Struct("<H")


class BadCommand(Exception):
    """The bytes are no command set."""


@dataclass(frozen=True, slots=True)
class Command:
    """What the services of this port need of a request."""

    kind: int
    message_id: int
    sop_class: str
    sop_uid: str
    has_dataset: bool


def parse_command(data: bytes | bytearray) -> Command:
    """Return a command; every length is held against the bytes that are there."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise BadCommand("an element is cut off")
        group, number, length = _HEAD.unpack_from(data, at)
        if at + 8 + length > len(data):
            raise BadCommand("an element is longer than the command")
        if not group:  # some write elements of other groups among them
            found[number] = bytes(data[at + 8 : at + 8 + length])
        at += 8 + length
    kind = _whole(found, 0x0100)
    if kind is None:
        raise BadCommand("it does not say what is wanted")
    dataset = _whole(found, 0x0800)
    return Command(
        kind,
        _whole(found, 0x0110) or 0,
        _uid(found, 0x0002) or _uid(found, 0x0003),
        _uid(found, 0x1000) or _uid(found, 0x1001),
        dataset is not None and dataset != NO_DATASET,
    )


def encode_response(request: Command, status: int, comment: str = "") -> bytes:
    """Return the response to a request, with what it was about and, in words, why."""
    elements = [(0x0002, _padded(request.sop_class, "\0"))] if request.sop_class else []
    elements += [
        (0x0100, _SHORT.pack(request.kind | RESPONSE)),
        (0x0120, _SHORT.pack(request.message_id)),
        (0x0800, _SHORT.pack(NO_DATASET)),
        (0x0900, _SHORT.pack(status)),
    ]
    if comment:  # Error Comment holds 64 characters (PS3.7 C)
        elements.append((0x0902, _padded(comment[:64], " ")))
    if request.sop_uid:
        elements.append((0x1000, _padded(request.sop_uid, "\0")))
    return _encode(elements)


def encode_store(message_id: int, sop_class: str, sop_uid: str) -> bytes:
    """Return a C-STORE-RQ of medium priority."""
    return _encode(
        [
            (0x0002, _padded(sop_class, "\0")),
            (0x0100, _SHORT.pack(C_STORE)),
            (0x0110, _SHORT.pack(message_id)),
            (0x0700, _SHORT.pack(0)),
            (0x0800, _SHORT.pack(0)),
            (0x1000, _padded(sop_uid, "\0")),
        ]
    )


def _encode(elements: list[tuple[int, bytes]]) -> bytes:
    body = b"".join(_HEAD.pack(0, number, len(value)) + value for number, value in elements)
    return _HEAD.pack(0, 0, 4) + struct.pack("<I", len(body)) + body


def _whole(found: dict[int, bytes], number: int) -> int | None:
    value = found.get(number, b"")
    return int(_SHORT.unpack(value)[0]) if len(value) == 2 else None


def _uid(found: dict[int, bytes], number: int) -> str:
    return found.get(number, b"")[:80].rstrip(b"\0 ").decode("ascii", "replace")


def _padded(text: str, pad: str) -> bytes:
    data = text.encode("ascii", "replace")
    return data + pad.encode() if len(data) % 2 else data
