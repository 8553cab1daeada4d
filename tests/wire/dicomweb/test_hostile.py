"""Bodies and addresses that nobody sends in good faith: refused, quickly, and nothing is left behind."""

import asyncio
import json
import random
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sightline.kernel.errors import PlatformError
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb import _rendering as rendering
from sightline.wire.dicomweb._assembly import build_objects
from sightline.wire.dicomweb._multipart import PartData, PartEnd, PartStart, read_multipart
from sightline.wire.dicomweb._native import parse_native, render_native
from sightline.wire.dicomweb._pixels import stream_size
from sightline.wire.dicomweb._search import parse_search

quickly = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
UIDS = st.sampled_from(["1.2.3", "1.2.3.1", "1.2.3.1.1", "", "x", "9" * 65])
VRS = st.sampled_from(["LO", "PN", "DS", "IS", "SQ", "OW", "UI", "US", "AT", "DA", "??", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ELEMENTS = st.fixed_dictionaries(
    {"vr": VRS}, optional={"Value": VALUES, "InlineBinary": st.text(), "BulkDataURI": st.text()}
)
DATASETS = st.dictionaries(
    st.sampled_from(["00100010", "00100020", "0020000D", "00080018", "7FE00010", "x"]), ELEMENTS
)


def read_all(body, boundary="XX", size=64):
    async def stream():
        for at in range(0, len(body), size):
            yield body[at : at + size]

    async def gather():
        return [event async for event in read_multipart(stream(), boundary)]

    return asyncio.run(gather())


@quickly
@given(st.lists(st.binary(max_size=300), max_size=4), st.integers(1, 400))
def test_what_was_put_into_parts_comes_out_of_them(parts, size):
    body = b"".join(b"--XX\r\nA: b\r\n\r\n" + part + b"\r\n" for part in parts) + b"--XX--"
    if any(b"\r\n--XX" in b"\r\n" + part for part in parts):
        return

    events = read_all(body, size=size)

    found, data = [], b""
    for event in events:
        if isinstance(event, PartStart):
            data = b""
        elif isinstance(event, PartData):
            data += event.data
        elif isinstance(event, PartEnd):
            found.append(data)
    assert found == parts


@quickly
@given(st.binary(max_size=2000), st.integers(1, 100))
def test_no_body_breaks_the_reader_of_parts(body, size):
    try:
        read_all(b"--XX\r\n" + body, size=size)
    except PlatformError as error:
        assert error.status == 400


@quickly
@given(st.text(max_size=200))
def test_no_accept_header_breaks_the_choice(header):
    for choose in (
        lambda h: accept.choose_frames(h, accept.EXPLICIT, several=False),
        lambda h: accept.choose_objects(h, accept.RLE, several=True),
        accept.choose_attributes,
    ):
        with suppress(accept.NotAcceptable):
            choose(header)


@quickly
@given(
    st.dictionaries(
        st.sampled_from(["window", "viewport", "quality", "annotation", "iccprofile"]), st.text(max_size=40)
    )
)
def test_no_parameter_breaks_a_rendering(query):
    try:
        rendering.parse_rendering(query)
    except PlatformError as error:
        assert error.status == 400


@quickly
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["limit", "offset", "includefield", "PatientID", "x.y", "00100010"]),
            st.text(max_size=40),
        )
    )
)
def test_no_query_breaks_a_search(pairs):
    try:
        parse_search(pairs)
    except PlatformError as error:
        assert error.status in {400, 413}


@quickly
@given(st.lists(DATASETS, max_size=3) | VALUES)
def test_no_json_breaks_the_making_of_objects(datasets):
    try:
        list(build_objects([(accept.JSON, json.dumps(datasets).encode())], {}, most=1 << 20))
    except PlatformError as error:
        assert error.status == 400


@quickly
@given(st.binary(max_size=500), st.integers(0, 10_000))
def test_no_xml_breaks_the_reader(noise, seed):
    attributes = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B"}]},
        "00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}]},
    }
    whole = bytearray(render_native(attributes))
    random.seed(seed)
    for _ in range(random.randint(1, 5)):
        whole[random.randrange(len(whole))] = random.randrange(256)
    for body in (bytes(whole), noise, bytes(whole[: random.randrange(len(whole))])):
        try:
            parse_native(body)
        except PlatformError as error:
            assert error.status == 400


@quickly
@given(st.binary(max_size=100))
def test_no_stream_breaks_the_reader_of_its_size(data):
    for start in (b"", b"\xff\xd8", b"\xff\x4f\xff\x51", b"\xff\xd8\xff\xe0"):
        stream_size(start + data)


@pytest.mark.parametrize(
    "path",
    [
        "/studies/..%2f..%2fetc", "/studies/%00", "/studies/" + "1" * 5000,
        "/studies/1.2.3/series/'or'1'='1",
        "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/frames/" + "1," * 20_000 + "1",
        "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/frames/99999999999999999999",
        "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/frames/%D9%A1",
        "/studies?limit=99999999999999999999", "/studies?offset=99999999999",
        "/studies?" + "PatientID=1&" * 2000,
        "/studies?" + ".".join(["00400275"] * 50) + "=1", "/studies?PatientName=" + "*" * 1000,
    ],
)  # fmt: skip
def test_no_address_breaks_anything(client, held, path):
    assert client.get(path).status_code in {200, 204, 400, 404, 406, 413}


def test_a_client_that_goes_away_leaves_no_file(client, store, make_slice):
    async def cut_off():
        yield b"--XX\r\nContent-Type: application/dicom\r\n\r\n" + bytes(6 << 20)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        client.post(
            "/studies",
            content=cut_off(),
            headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=XX'},
        )

    assert list(store.blobs.scratch().iterdir()) == []
