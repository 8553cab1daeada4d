"""A storage user of our own: whole PDUs, encoded beforehand, sent at once.

It measures what a server can take where DCMTK's tools are the limit, and sends what no tool would send.
"""

import socket
import struct
from pathlib import Path
from types import TracebackType

from sightline.wire.dimse import _upper_commands as commands
from sightline.wire.dimse import _upper_pdus as pdus

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


def part10(file: Path | bytes) -> tuple[str, str, str, memoryview]:
    """Return SOP class, SOP instance, transfer syntax and dataset of a Part 10 file."""
    data = memoryview(file.read_bytes() if isinstance(file, Path) else file)
    found = {}
    at = 132
    while bytes(data[at : at + 2]) == b"\2\0":
        long = bytes(data[at + 4 : at + 6]) in {b"OB", b"UN", b"UT"}
        value = at + (12 if long else 8)
        length = struct.unpack_from("<I" if long else "<H", data, at + (8 if long else 6))[0]
        found[data[at + 2]] = bytes(data[value : value + length])
        at = value + length
    uids = [found[number].rstrip(b"\0").decode() for number in (2, 3, 0x10)]
    return uids[0], uids[1], uids[2], data[at:]


class Scu:
    """One association as its requestor."""

    def __init__(
        self,
        port: int,
        *,
        contexts: tuple[tuple[str, str], ...] = ((CT, EXPLICIT),),
        called: str = "SIGHTLINE",
        calling: str = "SCU",
        timeout_s: float = 30,
        connection: socket.socket | None = None,
        user: pdus.User | None = None,
    ) -> None:
        self.connection = connection or socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.connection.settimeout(timeout_s)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ids = {pair: 2 * n + 1 for n, pair in enumerate(contexts)}
        proposed = tuple(pdus.ProposedContext(i, pair[0], (pair[1],)) for pair, i in self.ids.items())
        user = user or pdus.User(max_length=1 << 20, implementation_uid="1.2.3")
        self.request = pdus.AssociateRequest(called, calling, proposed, user)
        self.answer: pdus.AssociateAccept | pdus.AssociateReject | pdus.Abort | None = None
        self.sent = 0

    def associate(self) -> "pdus.AssociateAccept | pdus.AssociateReject | pdus.Abort":
        """Ask for the association and return the answer."""
        self.connection.sendall(pdus.encode_request(self.request))
        kind, body = self.read_pdu()
        decode = {
            pdus.ASSOCIATE_AC: pdus.decode_accept,
            pdus.ASSOCIATE_RJ: pdus.decode_reject,
            pdus.ABORT: pdus.decode_abort,
        }[kind]
        self.answer = decode(body)
        return self.answer

    @property
    def max_length(self) -> int:
        assert isinstance(self.answer, pdus.AssociateAccept)
        return self.answer.user.max_length

    def read_pdu(self) -> tuple[int, bytes]:
        """Return type and body of the next PDU; raise EOFError when the peer has closed."""
        kind, length = struct.unpack(">BxI", self._read(6))
        return kind, self._read(length)

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            piece = self.connection.recv(length - len(data))
            if not piece:
                raise EOFError("the peer closed")
            data += piece
        return data

    def encode(self, file: Path | bytes) -> bytes:
        """Return the PDUs of a C-STORE-RQ."""
        sop_class, sop_uid, syntax, dataset = part10(file)
        self.sent += 1
        command = commands.encode_store(self.sent & 0xFFFF, sop_class, sop_uid)
        return pdus.encode_message(self.ids[sop_class, syntax], command, bytes(dataset), self.max_length)

    def store(self, file: Path | bytes) -> int:
        """Send one object and return the status."""
        return self.exchange(self.encode(file))

    def exchange(self, message: bytes) -> int:
        """Send a message and return the status of its response."""
        self.connection.sendall(message)
        return self.read_status()

    def read_status(self) -> int:
        """Return the status of the next response."""
        kind, body = self.read_pdu()
        if kind != pdus.P_DATA:
            raise EOFError(f"PDU {kind} instead of a response")
        (_, control, data), *_ = pdus.decode_value_items(body)
        assert control == pdus.COMMAND | pdus.LAST
        at = 0
        while at < len(data):
            _, number, length = struct.unpack_from("<HHI", data, at)
            if number == 0x0900:
                return int(struct.unpack_from("<H", data, at + 8)[0])
            at += 8 + length
        raise ValueError("a response without a status")

    def release(self) -> int:
        """Release the association; return the type of the PDU that answers."""
        self.connection.sendall(pdus.RELEASE_REQUEST)
        return self.read_pdu()[0]

    def __enter__(self) -> "Scu":
        """Associate."""
        answer = self.associate()
        assert isinstance(answer, pdus.AssociateAccept), answer
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release, or close when something went wrong."""
        try:
            if kind is None:
                self.release()
        finally:
            self.connection.close()
