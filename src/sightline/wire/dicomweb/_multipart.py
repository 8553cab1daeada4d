"""Multipart bodies: read while they arrive, written while they are sent (RFC 2046 5.1, PS3.18 8.6.1)."""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from secrets import token_hex

from sightline.kernel.errors import Invalid

MAX_HEADER = 16 << 10


class BadMultipart(Invalid):
    """The body is not the multipart body that its header announces; send it again."""

    status = 400


@dataclass(frozen=True, slots=True)
class PartStart:
    """A part begins; header names are lower case."""

    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class PartData:
    """Bytes of the part that began last."""

    data: bytes | memoryview


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part is complete."""


Event = PartStart | PartData | PartEnd


async def read_multipart(stream: AsyncIterator[bytes], boundary: str) -> AsyncIterator[Event]:
    """Yield the parts of a body as it arrives, holding no more of it than a piece."""
    delimiter = b"\r\n--" + boundary.encode("latin-1")
    data = b"\r\n"  # the first delimiter may stand at the very beginning
    inside = False
    async for chunk in stream:
        data = data + chunk if data else chunk
        at = 0
        while True:
            found = data.find(delimiter, at)
            head_end = None if found < 0 else _head_end(data, found + len(delimiter))
            if head_end is None:  # what may be the beginning of a delimiter waits for more
                ready = found if found >= 0 else max(len(data) - len(delimiter), at)
                if inside and ready > at:
                    yield PartData(memoryview(data)[at:ready])
                data = data[ready:]
                break
            if inside:
                if found > at:
                    yield PartData(memoryview(data)[at:found])
                yield PartEnd()
            if head_end == 0:
                return
            yield PartStart(_parse_headers(data[found + len(delimiter) : head_end]))
            inside = True
            at = head_end
    raise BadMultipart("The body ends before its last boundary; it was cut off. Send it again.")


def _head_end(buffer: bytes, after: int) -> int | None:
    """Return where the part's data begin, 0 for the last boundary, None when more must come first."""
    if buffer[after : after + 2] == b"--":
        return 0
    end = buffer.find(b"\r\n\r\n", after)
    if end >= 0:
        return end + 4
    if len(buffer) - after > MAX_HEADER:
        raise BadMultipart("The header of a part is longer than 16 KiB.")
    return None


def _parse_headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Part:
    """A part to be written: its Content-Type, its bytes piece by piece, and the address it is of."""

    kind: str
    pieces: Iterable[bytes]
    location: str = ""


def new_boundary() -> str:
    """Return a boundary that no bytes contain by chance."""
    return token_hex(16)


def content_type_of(kind: str, boundary: str) -> str:
    """Return the Content-Type of a body whose parts are of `kind`."""
    return f'multipart/related; type="{kind}"; boundary={boundary}'


def part_frame(kind: str, boundary: str) -> tuple[bytes, bytes]:
    """Return what stands before and after the one part of a body."""
    # Cornerstone3D finds the header only when it is spelt exactly so.
    return f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode(
        "latin-1"
    ), f"\r\n--{boundary}--\r\n".encode()


def write_parts(parts: Iterable[Part], boundary: str) -> Iterator[tuple[bytes, ...]]:
    """Yield a body; the head of a part comes together with its first piece, unjoined."""
    lead = ""
    for part in parts:
        location = f"\r\nContent-Location: {part.location}" if part.location else ""
        head = f"{lead}--{boundary}\r\nContent-Type: {part.kind}{location}\r\n\r\n".encode("latin-1")
        pieces = iter(part.pieces)
        yield head, next(pieces, b"")
        for piece in pieces:
            yield (piece,)
        lead = "\r\n"
    yield (f"{lead}--{boundary}--\r\n".encode("latin-1"),)
