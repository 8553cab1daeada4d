"""Multipart bodies: read while they arrive, written in one go (RFC 2046 5.1, PS3.18 8.6.1)."""

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

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part is complete."""


Event = PartStart | PartData | PartEnd


async def read_multipart(stream: AsyncIterator[bytes], boundary: str) -> AsyncIterator[Event]:
    """Yield the parts of a body as it arrives, holding no more of it than a piece."""
    delimiter = b"\r\n--" + boundary.encode("latin-1")
    buffer = bytearray(b"\r\n")  # the first delimiter may stand at the very beginning
    inside = False
    async for chunk in _with_end(stream):
        if chunk is None:
            raise BadMultipart("The body ends before its last boundary; it was cut off. Send it again.")
        buffer += chunk
        while True:
            at = buffer.find(delimiter)
            if at < 0:
                ready = len(buffer) - len(delimiter)
                if inside and ready > 0:
                    yield PartData(bytes(buffer[:ready]))
                if ready > 0:
                    del buffer[:ready]
                break
            head_end = _head_end(buffer, at + len(delimiter))
            if head_end is None:
                break
            if inside:
                if at:
                    yield PartData(bytes(buffer[:at]))
                yield PartEnd()
            if head_end == 0:
                return
            yield PartStart(_parse_headers(bytes(buffer[at + len(delimiter) : head_end])))
            inside = True
            del buffer[:head_end]


async def _with_end(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes | None]:
    async for chunk in stream:
        yield chunk
    yield None


def _head_end(buffer: bytearray, after: int) -> int | None:
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


def write_multipart(parts: Iterable[tuple[str, bytes]], content_type: str) -> tuple[Iterator[bytes], str]:
    """Return the pieces of a body and its Content-Type; each part is ``(its own Content-Type, bytes)``."""
    boundary = token_hex(16)
    return _pieces(parts, boundary), f'multipart/related; type="{content_type}"; boundary={boundary}'


def _pieces(parts: Iterable[tuple[str, bytes]], boundary: str) -> Iterator[bytes]:
    lead = ""
    for content_type, data in parts:
        # Cornerstone3D finds the header only when it is spelt exactly so.
        yield f"{lead}--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode("latin-1")
        yield data
        lead = "\r\n"
    yield f"{lead}--{boundary}--\r\n".encode("latin-1")
