"""WADO-RS: what is held comes out, in the form that was asked for."""

import io
import json
import time

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from tests.wire.dicomweb.conftest import parts_of

SERIES = "/studies/1.2.3/series/1.2.3.1"
INSTANCE = f"{SERIES}/instances/1.2.3.1.1"
AS_STORED = "multipart/related; type=application/octet-stream; transfer-syntax=*"


def test_a_frame_comes_as_stored_in_a_part_that_cornerstone_can_read(client, held, make_slice):
    response = client.get(f"{INSTANCE}/frames/1", headers={"Accept": AS_STORED})

    assert response.status_code == 200
    assert b"\r\nContent-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1\r\n" in (
        response.content
    )
    assert parts_of(response)[0][1] == pydicom.dcmread(io.BytesIO(make_slice(1))).PixelData
    assert response.headers["cache-control"] == "private, max-age=31536000, immutable"


def test_a_frame_that_is_known_is_not_sent_again(client, held):
    first = client.get(f"{INSTANCE}/frames/1", headers={"Accept": AS_STORED})

    again = client.get(
        f"{INSTANCE}/frames/1", headers={"Accept": AS_STORED, "If-None-Match": first.headers["etag"]}
    )

    assert (again.status_code, again.content) == (304, b"")


def test_a_frame_known_in_parts_is_not_taken_for_the_frame_alone(client, held, make_slice):
    parts = client.get(f"{INSTANCE}/frames/1", headers={"Accept": AS_STORED})

    alone = client.get(
        f"{INSTANCE}/frames/1",
        headers={"Accept": "application/octet-stream", "If-None-Match": parts.headers["etag"]},
    )

    assert alone.status_code == 200
    assert alone.content == pydicom.dcmread(io.BytesIO(make_slice(1))).PixelData


def test_a_compressed_frame_comes_as_stored_when_anything_is_taken(client, compressed):
    response = client.get(f"{INSTANCE}/frames/1", headers={"Accept": AS_STORED})

    kind, data = parts_of(response)[0]
    assert kind.endswith(f"transfer-syntax={RLELossless}")
    assert len(data) < len(compressed)


def test_a_compressed_frame_is_decoded_by_default(client, compressed):
    response = client.get(
        f"{INSTANCE}/frames/1", headers={"Accept": 'multipart/related; type="application/octet-stream"'}
    )

    kind, data = parts_of(response)[0]
    assert kind.endswith("transfer-syntax=1.2.840.10008.1.2.1")
    assert data == compressed


def test_a_compressed_frame_comes_under_its_own_media_type(client, compressed):
    response = client.get(f"{INSTANCE}/frames/1", headers={"Accept": "image/dicom-rle"})

    assert response.headers["content-type"].startswith("image/dicom-rle")


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        (f"{INSTANCE}/frames/1", "image/jpeg", 406),
        (
            f"{INSTANCE}/frames/1",
            "multipart/related; type=application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.50",
            406,
        ),
        (f"{INSTANCE}/frames/2", AS_STORED, 404),
        (f"{INSTANCE}/frames/0", AS_STORED, 400),
        (f"{INSTANCE}/frames/x", AS_STORED, 400),
        (f"{SERIES}/instances/1.9/frames/1", AS_STORED, 404),
        ("/studies/1.9/series/1.2.3.1/instances/1.2.3.1.1/frames/1", AS_STORED, 404),
        ("/studies/1.9/series/1.2.3.1/metadata", "application/dicom+json", 404),
        (f"{SERIES}/metadata", "application/dicom+xml", 406),
        (f"{SERIES}/metadata", "text/html", 406),
        ("/studies/1.9", "*/*", 404),
        (f"{INSTANCE}/bulkdata/00420011", "*/*", 404),
        (f"{INSTANCE}/rendered?window=1", "image/jpeg", 400),
        (f"{INSTANCE}/rendered", "video/mp4", 406),
    ],
)
def test_what_cannot_be_given_is_refused_with_the_status_of_the_standard(client, held, path, accept, status):
    response = client.get(path, headers={"Accept": accept})

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_a_range_of_a_frame_comes_alone(client, held):
    accept = "application/octet-stream; transfer-syntax=*"
    whole = client.get(f"{INSTANCE}/frames/1", headers={"Accept": accept}).content

    part = client.get(f"{INSTANCE}/frames/1", headers={"Accept": accept, "Range": "bytes=10-19"})

    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == "bytes 10-19/512"


def test_series_metadata_are_packed_once_and_sent_as_they_are(client, held, store):
    first = client.get(f"{SERIES}/metadata", headers={"Accept-Encoding": "gzip"})

    plain = client.get(f"{SERIES}/metadata", headers={"Accept-Encoding": "identity"})
    again = client.get(f"{SERIES}/metadata", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["content-encoding"] == "gzip"
    assert first.json() == plain.json()
    assert [d["00200013"]["Value"] for d in plain.json()] == [[1], [2], [3]]
    assert again.status_code == 304
    until = time.monotonic() + 10  # they are kept after the answer
    while not (kept := list(store.blobs.list("metadata/"))) and time.monotonic() < until:
        time.sleep(0.01)
    assert len(kept) == 1


def test_series_metadata_change_when_the_series_grows(client, held, take, make_slice):
    before = client.get(f"{SERIES}/metadata")
    take(make_slice(4))

    after = client.get(f"{SERIES}/metadata", headers={"If-None-Match": before.headers["etag"]})

    assert (after.status_code, len(after.json())) == (200, 4)


def test_metadata_are_in_tag_order_and_tell_names_by_group(client, held):
    attributes = client.get(f"{INSTANCE}/metadata").json()[0]

    assert list(attributes) == sorted(attributes)
    assert attributes["00100010"]["Value"] == [{"Alphabetic": "Müller^Jörg"}]
    assert attributes["00200032"]["Value"] == [0, 0, -5]


def test_pixels_named_by_the_metadata_can_be_fetched_at_that_address(client, held):
    address = client.get(f"{INSTANCE}/metadata").json()[0]["7FE00010"]["BulkDataURI"]

    response = client.get(f"http://pacs.example{address}", headers={"Accept": "application/octet-stream"})

    assert np.frombuffer(response.content, "<u2")[:3].tolist() == [1, 2, 3]


def test_a_study_comes_out_as_it_went_in(client, held, make_slice):
    response = client.get(
        "/studies/1.2.3",
        headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'},
    )

    assert [data for _, data in parts_of(response)] == [make_slice(n) for n in (1, 2, 3)]


def test_a_compressed_object_is_decoded_for_who_asks_for_explicit_little_endian(client, compressed):
    response = client.get(INSTANCE, headers={"Accept": "application/dicom"})

    ds = pydicom.dcmread(io.BytesIO(response.content))
    assert ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert ds.PixelData == compressed


@pytest.mark.parametrize("path", [INSTANCE, SERIES, "/studies/1.2.3"])
def test_a_thumbnail_is_a_small_jpeg(client, held, path):
    response = client.get(f"{path}/thumbnail")

    assert response.headers["content-type"] == "image/jpeg"
    assert response.content[:2] == b"\xff\xd8"


def test_a_rendered_image_follows_the_window_that_is_asked_for(client, held):
    import imagecodecs

    response = client.get(f"{INSTANCE}/rendered?window=128,2", headers={"Accept": "image/png"})

    shown = imagecodecs.png_decode(response.content)
    assert (shown.shape, shown[0, 0], shown[-1, -1]) == ((16, 16), 0, 255)


def test_nobody_reads_without_saying_who_he_is(client, held):
    response = client.get(f"{SERIES}/metadata", headers={"Authorization": ""})

    assert response.status_code == 401
    assert json.loads(response.content)["code"] == "not-logged-in"


def test_reading_is_in_the_audit_trail_once_a_minute(client, held, store):
    from sightline.trust import audit

    for _ in range(5):
        client.get(f"{INSTANCE}/frames/1", headers={"Accept": AS_STORED})
    audit._reads._reads.flush()

    with store.database.reading() as db:
        acts = [e.act for e in audit.trail(db, on="1.2.3")]
    assert 1 <= acts.count("archive.read") <= 2


@pytest.mark.parametrize(
    ("keyword", "tag", "bits"), [("FloatPixelData", "7FE00008", 32), ("DoubleFloatPixelData", "7FE00009", 64)]
)
def test_pixels_of_floating_point_are_named_by_their_own_tag(client, take, make_slice, keyword, tag, bits):
    values = np.linspace(-1, 1, 256, dtype=f"<f{bits // 8}").tobytes()
    take(make_slice(1, PixelData=None, BitsAllocated=bits, **{keyword: values}))

    (held,) = client.get("/studies/1.2.3/series/1.2.3.1/metadata").json()
    got = client.get(
        f"/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/bulkdata/{tag}",
        headers={"Accept": "application/octet-stream"},
    )

    assert "7FE00010" not in held
    assert held[tag]["BulkDataURI"].endswith(f"/bulkdata/{tag}")
    assert got.content == values
