"""A sender that costs next to nothing: one prepared dataset, its UIDs changed in place, raw sockets.

Independent of the code that is measured: the few PDUs it needs are written out here (PS3.8 9.3, PS3.7 9.3.1).
"""

import socket
import struct
from collections.abc import Iterable, Iterator

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

EXPLICIT = "1.2.840.10008.1.2.1"
APPLICATION = "1.2.840.10008.3.1.1.1"
OURS = "1.2.826.0.1.3680043.10.1.9"
LONGEST_PDU = 1 << 20
CHUNK = 1 << 18


def item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body


def associate(calling: str, called: str, sop_class: str) -> bytes:
    """Return an A-ASSOCIATE-RQ that proposes one class in explicit VR little endian."""
    context = struct.pack(">Bxxx", 1) + item(0x30, sop_class.encode()) + item(0x40, EXPLICIT.encode())
    user = item(0x51, struct.pack(">I", LONGEST_PDU)) + item(0x52, OURS.encode())
    body = struct.pack(">Hxx16s16s32x", 1, called.ljust(16).encode(), calling.ljust(16).encode())
    body += item(0x10, APPLICATION.encode()) + item(0x20, context) + item(0x50, user)
    return struct.pack(">BxI", 1, len(body)) + body


def element(tag: int, value: bytes) -> bytes:
    return struct.pack("<HHI", 0, tag, len(value)) + value


def store_request(message: int, sop_class: str, sop_uid: str) -> bytes:
    """Return the command set of a C-STORE-RQ in implicit VR little endian."""
    body = element(0x0002, padded(sop_class)) + element(0x0100, struct.pack("<H", 1))
    body += element(0x0110, struct.pack("<H", message & 0xFFFF)) + element(0x0700, struct.pack("<H", 0))
    body += element(0x0800, struct.pack("<H", 1)) + element(0x1000, padded(sop_uid))
    return element(0x0000, struct.pack("<I", len(body))) + body


def padded(uid: str) -> bytes:
    raw = uid.encode()
    return raw + b"\0" * (len(raw) % 2)


def pdata(control: int, body: bytes | memoryview) -> list[bytes | memoryview]:
    """Return one P-DATA-TF of one fragment as pieces."""
    return [struct.pack(">BxIIBB", 4, len(body) + 6, len(body) + 2, 1, control), body]


class Refused(Exception):
    """The association or an object was refused."""


def status_of(command: bytes) -> int:
    """Return the status in a response: its elements are walked, for a message id may look like one."""
    at = 0
    while at + 8 <= len(command):
        group, element, length = struct.unpack_from("<HHI", command, at)
        if (group, element) == (0, 0x0900):
            return int(struct.unpack_from("<H", command, at + 8)[0])
        at += 8 + length
    raise Refused("a response without a status")


class Association:
    """An open association for one storage class."""

    def __init__(self, port: int, called: str, sop_class: str, calling: str = "BLASTER") -> None:
        self._sop_class = sop_class
        self._message = 0
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(associate(calling, called, sop_class))
        kind, body = self._receive()
        if kind != 2:
            raise Refused(f"association answered by PDU {kind}: {body[:4].hex()}")
        longest = body.find(b"\x51\x00\x00\x04")
        announced = struct.unpack_from(">I", body, longest + 4)[0] if longest >= 0 else 16384
        self._most = min(announced or LONGEST_PDU, LONGEST_PDU) - 6

    def _receive(self) -> tuple[int, bytes]:
        head = self._exactly(6)
        kind, length = struct.unpack(">BxI", head)
        return kind, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        got = bytearray()
        while len(got) < count:
            piece = self._socket.recv(count - len(got))
            if not piece:
                raise Refused("the peer closed the connection")
            got += piece
        return bytes(got)

    def store(self, sop_uid: str, pieces: Iterable[bytes | memoryview], size: int) -> int:
        """Send one object of `size` bytes and return the status that came back."""
        self._message += 1
        self._send(pdata(3, store_request(self._message, self._sop_class, sop_uid)))
        left = size
        for fragment in self._fragments(pieces):
            left -= len(fragment)
            self._send(pdata(0 if left else 2, fragment))
        kind, body = self._receive()
        if kind != 4:
            raise Refused(f"C-STORE answered by PDU {kind}")
        return status_of(body[6:])

    def _fragments(self, pieces: Iterable[bytes | memoryview]) -> Iterator[memoryview]:
        for piece in pieces:
            view = memoryview(piece)
            for start in range(0, len(view), self._most):
                yield view[start : start + self._most]

    def _send(self, parts: list[bytes | memoryview]) -> None:
        total = sum(len(p) for p in parts)
        sent = self._socket.sendmsg(parts)
        if sent < total:
            self._socket.sendall(b"".join(parts)[sent:])

    def close(self) -> None:
        """Release the association."""
        with self._socket:
            self._socket.sendall(struct.pack(">BxII", 5, 4, 0))
            self._receive()


class Template:
    """An encoded dataset whose SOP, series and study UIDs can be replaced by others of the same length."""

    def __init__(self, ds: Dataset) -> None:
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, False
        write_dataset(buffer, ds)
        self.encoded = bytearray(buffer.getvalue())
        self.sop_class = str(ds.SOPClassUID)
        self._places = {name: self.encoded.index(tag) + 8 for name, tag in UIDS.items()}
        self._lengths = {name: len(str(ds[name].value)) for name in UIDS}
        self._number = self.encoded.index(b"\x20\x00\x13\x00IS") + 8

    def made(self, number: int, **uids: str) -> bytes:
        """Return the dataset under other UIDs and an Instance Number of six digits."""
        for name, uid in uids.items():
            raw = uid.encode()
            if len(raw) != self._lengths[name]:
                raise ValueError(f"{name} must stay {self._lengths[name]} characters long.")
            self.encoded[self._places[name] : self._places[name] + len(raw)] = raw
        self.encoded[self._number : self._number + 6] = f"{number:06d}".encode()
        return bytes(self.encoded)


UIDS = {
    "SOPInstanceUID": b"\x08\x00\x18\x00UI",
    "StudyInstanceUID": b"\x20\x00\x0d\x00UI",
    "SeriesInstanceUID": b"\x20\x00\x0e\x00UI",
}
