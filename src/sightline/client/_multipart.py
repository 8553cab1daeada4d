"""Multipart bodies, read and written a piece at a time (RFC 2046 5.1)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from sightline.client._model import UnreadableAnswer

IN_MEMORY = 16 << 20
CHUNK = 1 << 20
MOST_HEADER = 16 << 10


def boundary_of(content_type: str) -> bytes:
    """Return the delimiter of a multipart answer.

    >>> boundary_of('multipart/related; type="application/dicom"; boundary=x-1')
    b'x-1'
    """
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if kind.lower().startswith("multipart/"):
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "boundary" and value.strip('" '):
                return value.strip('" ').encode("latin-1", "replace")
    raise UnreadableAnswer("The server's answer is not in parts; is the address one of DICOMweb?")


def read_parts(chunks: Iterable[bytes], boundary: bytes) -> Iterator[IO[bytes]]:
    """Yield the body of each part as a file at its start; one at a time, on disk when it is large."""
    reader = _Reader(iter(chunks))
    mark = b"--" + boundary
    reader.skip_past(mark)
    while not reader.starts_with(b"--"):
        reader.skip_past(b"\r\n\r\n", most=MOST_HEADER)
        with SpooledTemporaryFile(IN_MEMORY) as body:
            reader.copy_until(b"\r\n" + mark, body)
            body.seek(0)
            yield body


class _Reader:
    """A window on the chunks that never holds more than it must to find the next mark."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = bytearray()

    def _more(self) -> None:
        piece = next(self._chunks, None)
        if piece is None:
            raise UnreadableAnswer("The server's answer broke off before its end; ask again.")
        self._held += piece

    def starts_with(self, what: bytes) -> bool:
        while len(self._held) < len(what):
            self._more()
        return self._held.startswith(what)

    def skip_past(self, mark: bytes, most: int = CHUNK) -> None:
        while (at := self._held.find(mark)) < 0:
            if len(self._held) > most:
                raise UnreadableAnswer("The server's answer is not in parts as it says.")
            self._more()
        del self._held[: at + len(mark)]

    def copy_until(self, mark: bytes, target: IO[bytes] | SpooledTemporaryFile[bytes]) -> None:
        while (at := self._held.find(mark)) < 0:
            sure = len(self._held) - len(mark)
            if sure > 0:
                target.write(self._held[:sure])
                del self._held[:sure]
            self._more()
        target.write(self._held[:at])
        del self._held[: at + len(mark)]


def write_parts(files: Iterable[Path | bytes], boundary: str) -> Iterator[bytes]:
    """Yield a multipart body of DICOM objects."""
    for file in files:
        yield f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        if isinstance(file, bytes):
            yield file
        else:
            with file.open("rb") as opened:
                while piece := opened.read(CHUNK):
                    yield piece
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()
