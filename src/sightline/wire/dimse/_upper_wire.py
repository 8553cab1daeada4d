"""The bytes of a connection: read into the place where they stay, with a limit on how long that may take.

TCP_QUICKACK is armed again after each receive: a sender with Nagle holds the end of a message back until the
start is acknowledged, and an acknowledgement that waits 40 ms would set the pace.
"""

import socket
import ssl
import struct
import time
from contextlib import suppress

from sightline.wire.dimse import _upper_pdus as pdus

_HEAD = struct.Struct(">BxI")
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)
_LINGER_S = 5.0
AHEAD = 12  # a PDU's head and that of its first value: no PDU with data is shorter
SLOWEST = 1024  # bytes/s below which a message makes no headway


class Gone(Exception):
    """The peer is no longer there."""


class TooSlow(Exception):
    """The peer was waited for as long as is allowed."""


class Wire:
    """One connection, read by one thread; `stop` may come from another."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._plain = not isinstance(connection, ssl.SSLSocket)
        self._ahead = memoryview(bytearray(AHEAD))
        self._kept = 0
        self._from = 0
        self._since = 0.0
        self._allowed_s = 0.0
        self._count = 0
        connection.setblocking(True)
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def wait_at_most(self, seconds: float) -> None:
        """Have a read or write that takes longer raise `TooSlow`; 0 lets it take as long as it wants."""
        if not self._plain:
            self._socket.settimeout(seconds or None)
            return
        limit = struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def begin(self, allowed_s: float) -> None:
        """Have what comes from now on make headway: after `allowed_s` it must have come at 1 KiB/s."""
        self._since, self._allowed_s, self._count = time.monotonic(), allowed_s, 0

    def read_head(self) -> tuple[int, int]:
        """Return type and length of the next PDU."""
        head = bytearray(6)
        self.fill(memoryview(head))
        return _HEAD.unpack(head)

    def read(self, length: int) -> bytes:
        """Return `length` bytes, which the caller has found reasonable."""
        data = bytearray(length)
        self.fill(memoryview(data))
        return bytes(data)

    def fill(self, view: memoryview) -> None:
        """Fill `view`; the head of what follows comes along when it is there."""
        got = 0
        if self._kept:
            got = min(self._kept, len(view))
            view[:got] = self._ahead[self._from : self._from + got]
            self._from += got
            self._kept -= got
        while got < len(view):
            got += self._receive(view[got:])

    def _receive(self, view: memoryview) -> int:
        try:
            if self._plain:
                count = self._socket.recvmsg_into((view, self._ahead))[0]
                if count > len(view):
                    self._from, self._kept = 0, count - len(view)
                    count = len(view)
            else:
                count = self._socket.recv_into(view)
            if _QUICKACK is not None:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        except (BlockingIOError, TimeoutError, ssl.SSLWantReadError):
            raise TooSlow from None
        except (OSError, ValueError):
            raise Gone from None
        if not count:
            raise Gone
        self._count += count
        if self._allowed_s:
            taken = time.monotonic() - self._since
            if taken > self._allowed_s and self._count < taken * SLOWEST:
                raise TooSlow
        return count

    def send(self, data: bytes) -> None:
        """Send whole PDUs at once."""
        try:
            self._socket.sendall(data)
        except (BlockingIOError, TimeoutError, ssl.SSLWantWriteError):
            raise TooSlow from None
        except (OSError, ValueError):
            raise Gone from None

    def send_reject(self, reject: pdus.AssociateReject) -> None:
        """Refuse the association, when the peer still listens."""
        with suppress(Gone, TooSlow):
            self.send(pdus.encode_reject(reject))

    def send_abort(self, source: int, reason: int) -> None:
        """Abort the association, when the peer still listens."""
        with suppress(Gone, TooSlow):
            self.wait_at_most(_LINGER_S)
            self.send(pdus.encode_abort(pdus.Abort(source, reason)))

    def await_close(self) -> None:
        """Give the peer a moment to close first, so that it reads our last PDU (PS3.8 Sta13, ARTIM)."""
        with suppress(Gone, TooSlow, OSError):
            self._socket.shutdown(socket.SHUT_WR)
            self.wait_at_most(_LINGER_S)
            self.begin(_LINGER_S)
            scrap = memoryview(bytearray(4096))
            while True:
                self._receive(scrap)

    def stop(self) -> None:
        """End a read that waits in another thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self._socket.close()
