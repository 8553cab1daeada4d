"""Byte ranges, bulk data and pixel data (PS3.18 10.4.1.1.4, 10.4.1.1.5; RFC 9110 14)."""

import numpy as np
import pytest

from tests.wire.dicomweb.conftest import HOST, parts_of

SERIES = "/studies/1.2.3/series/1.2.3.1"
INSTANCE = f"{SERIES}/instances/1.2.3.1.1"
ONE = {"Accept": "application/octet-stream; transfer-syntax=*"}


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (f"{INSTANCE}/frames/1", "application/octet-stream"),
        (f"{INSTANCE}/bulkdata/7FE00010", "application/octet-stream"),
        (INSTANCE, "application/dicom"),
    ],
)
@pytest.mark.parametrize(
    ("asked", "first", "stop"),
    [("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=5-99999999", 5, None)],
)
def test_a_range_comes_alone(client, held, path, accept, asked, first, stop):
    whole = client.get(path, headers={"Accept": accept}).content

    part = client.get(path, headers={"Accept": accept, "Range": asked})

    start = first if first >= 0 else len(whole) + first
    end = len(whole) if stop is None else stop
    assert (part.status_code, part.content) == (206, whole[start:end])
    assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(whole)}"
    assert part.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("path", [f"{INSTANCE}/frames/1", f"{INSTANCE}/bulkdata/7FE00010"])
def test_a_range_beyond_the_end_is_416(client, held, path):
    response = client.get(path, headers={**ONE, "Range": "bytes=99999999-"})

    assert (response.status_code, response.headers["content-range"]) == (416, "bytes */512")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=x-y", "bytes=", "bytes=--5"])
def test_what_is_no_single_range_gets_the_whole(client, held, asked):
    response = client.get(f"{INSTANCE}/frames/1", headers={**ONE, "Range": asked})

    assert (response.status_code, len(response.content)) == (200, 512)


def test_a_range_of_another_state_gets_the_whole(client, held):
    response = client.get(
        f"{INSTANCE}/frames/1", headers={**ONE, "Range": "bytes=0-1", "If-Range": '"other"'}
    )

    assert response.status_code == 200


def test_a_long_value_is_fetched_at_the_address_that_the_metadata_name(client, put):
    document = bytes(range(256)) * 16
    put(EncapsulatedDocument=document)
    address = client.get(f"{INSTANCE}/metadata").json()[0]["00420011"]["BulkDataURI"]

    single = client.get(f"{HOST}{address}", headers={"Accept": "application/octet-stream"})
    multi = client.get(
        f"{HOST}{address}", headers={"Accept": 'multipart/related; type="application/octet-stream"'}
    )

    assert single.content == document
    assert parts_of(multi)[0][1] == document
    assert f"Content-Location: {HOST}{address}\r\n".encode() in multi.content


def test_compressed_pixel_data_come_frame_by_frame(client, compressed):
    response = client.get(f"{INSTANCE}/bulkdata/7FE00010")

    assert [data for _, data in parts_of(response)] == [compressed]
    assert client.get(f"{INSTANCE}/pixeldata").content.count(b"Content-Type") == 1


@pytest.mark.parametrize("path", ["/studies/1.2.3/pixeldata", f"{SERIES}/pixeldata", f"{SERIES}/bulkdata"])
def test_pixel_data_of_a_series_or_study_come_a_part_each(client, held, path):
    parts = parts_of(client.get(path))

    assert [np.frombuffer(data, "<u2")[0] for _, data in parts] == [1, 2, 3]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{INSTANCE}/bulkdata/00420011", 404),
        (f"{INSTANCE}/bulkdata/xyz", 400),
        (f"{SERIES}/instances/9.9/bulkdata/7FE00010", 404),
        ("/studies/9.9/pixeldata", 404),
    ],
)
def test_bulk_data_that_are_not_there_are_refused(client, held, path, status):
    assert client.get(path).status_code == status


def test_a_head_request_has_the_headers_and_no_body(client, held):
    whole = client.get(f"{INSTANCE}/frames/1", headers=ONE)

    head = client.request("HEAD", f"{INSTANCE}/frames/1", headers=ONE)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
