"""One HTTP client for both sides: a raw socket, kept open, that reads bodies without keeping them."""

import socket
import threading
import time
from collections.abc import Callable, Sequence

BUFFER = 1 << 20


class Connection:
    """A connection to a server on loopback; the same bytes go to whoever answers."""

    def __init__(self, port: int, token: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = f"Host: 127.0.0.1:{port}\r\n"
        if token:
            self._lines += f"Authorization: Bearer {token}\r\n"
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)

    def ask(self, path: str, *, accept: str = "", gzip: bool = False) -> tuple[int, int, float]:
        """GET a path; return status, bytes of the body and the time it took in s."""
        lines = self._lines + (f"Accept: {accept}\r\n" if accept else "")
        lines += "Accept-Encoding: gzip\r\n" if gzip else ""
        return self._exchange([f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()])

    def post(self, path: str, kind: str, body: Sequence[bytes]) -> tuple[int, int, float]:
        """POST a body; return the same."""
        size = sum(map(len, body))
        head = f"POST {path} HTTP/1.1\r\n{self._lines}Accept: application/dicom+json\r\n"
        head += f"Content-Type: {kind}\r\nContent-Length: {size}\r\n\r\n"
        return self._exchange([head.encode(), *body])

    def close(self) -> None:
        self._socket.close()

    def _exchange(self, request: Sequence[bytes]) -> tuple[int, int, float]:
        started = time.perf_counter()
        for piece in request:
            self._socket.sendall(piece)
        head, rest = self._head()
        lines = head.lower().split(b"\r\n")
        status = int(lines[0].split()[1])
        headers = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)
        if b"content-length" in headers:
            size = int(headers[b"content-length"])
            self._skip(size - len(rest))
        elif headers.get(b"transfer-encoding") == b"chunked":
            size = self._skip_chunks(rest)
        else:
            size = self._skip_to_end(len(rest)) if status == 200 else 0
        return status, size, time.perf_counter() - started

    def _head(self) -> tuple[bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            got = self._socket.recv(BUFFER)
            if not got:
                raise ConnectionError("The server closed the connection.")
            data += got
        head, _, rest = data.partition(b"\r\n\r\n")
        return head, rest

    def _skip(self, left: int) -> None:
        while left > 0:
            got = self._socket.recv_into(self._view[: min(left, BUFFER)])
            if not got:
                raise ConnectionError("The server closed the connection.")
            left -= got

    def _skip_to_end(self, size: int) -> int:
        """Read a body that ends with the connection; return its size."""
        while got := self._socket.recv_into(self._view):
            size += got
        return size

    def _skip_chunks(self, data: bytes) -> int:
        """Read a chunked body to its end; return its size."""
        size = 0
        while True:
            while b"\r\n" not in data:
                data += self._more()
            line, _, data = data.partition(b"\r\n")
            length = int(line.split(b";")[0], 16)
            size += length
            left = length + 2 - len(data)
            if left > 0:
                self._skip(left)
                data = b""
            else:
                data = data[length + 2 :]
            if not length:
                return size

    def _more(self) -> bytes:
        got = self._socket.recv(65536)
        if not got:
            raise ConnectionError("The server closed the connection.")
        return got


def at_once(works: Sequence[Callable[[], None]]) -> float:
    """Do all at once, each in a thread of its own; return how long it took in s."""
    failed: list[Exception] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  told by the caller
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return time.perf_counter() - started
