"""The multipart reader, fed in pieces of every size."""

import asyncio

import pytest

from sightline.wire.dicomweb._multipart import BadMultipart, PartData, PartEnd, PartStart, read_multipart

HEAD = b"--XX\r\nContent-Type: application/dicom\r\n\r\n"
BODY = HEAD + b"first\r\n--Xnot\r\n\r\n--XX\r\n\r\nsecond\r\n--XX--\r\ntrailer"


def read(body, size):
    async def stream():
        for at in range(0, len(body), size):
            yield body[at : at + size]

    async def gather():
        return [event async for event in read_multipart(stream(), "XX")]

    return asyncio.run(gather())


@pytest.mark.parametrize("size", [*range(1, 20), 1000])
def test_the_parts_are_the_same_however_the_body_arrives(size):
    events = read(BODY, size)

    parts, data = [], b""
    for event in events:
        if isinstance(event, PartData):
            data += event.data
        elif isinstance(event, PartEnd):
            parts.append(data)
            data = b""
    assert parts == [b"first\r\n--Xnot\r\n", b"second"]
    assert [e.headers for e in events if isinstance(e, PartStart)] == [
        {"content-type": "application/dicom"},
        {},
    ]


@pytest.mark.parametrize("cut", [0, 3, 30, 50, len(BODY) - 15])
def test_a_body_that_ends_early_is_refused(cut):
    with pytest.raises(BadMultipart, match="cut off"):
        read(BODY[:cut], 7)


def test_a_part_header_without_end_is_refused():
    with pytest.raises(BadMultipart, match="16 KiB"):
        read(b"--XX\r\nA: " + b"a" * 40_000, 1000)
