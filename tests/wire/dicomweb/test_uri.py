"""WADO-URI, as older clients ask (PS3.18 9)."""

import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import RLELossless

WHERE = "requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3.1&objectUID=1.2.3.1.1"


@pytest.fixture
def ask(client):
    return lambda query="", where=WHERE: client.get(f"/wado?{where}{query}", headers={"Accept": ""})


def picture(response):
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))


def test_a_picture_is_a_jpeg_unless_something_else_is_asked_for(ask, held):
    assert picture(ask()).format == "JPEG"
    assert picture(ask("&contentType=image/png")).format == "PNG"
    assert picture(ask("&contentType=image/nothing,image/gif")).format == "GIF"


def test_an_object_comes_in_explicit_little_endian_or_as_asked(ask, put):
    put(syntax=RLELossless)

    plain = ask("&contentType=application/dicom")
    held = ask(f"&contentType=application/dicom&transferSyntax={RLELossless}")

    assert pydicom.dcmread(io.BytesIO(plain.content)).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert pydicom.dcmread(io.BytesIO(held.content)).file_meta.TransferSyntaxUID == RLELossless


def test_a_film_is_an_object_unless_one_frame_is_asked_for_as_a_picture(ask, put):
    frames = np.stack([np.full((4, 4), n * 100, "u2") for n in range(3)])
    put(frames, NumberOfFrames=3, WindowCenter=100, WindowWidth=200)

    assert ask().headers["content-type"].startswith("application/dicom")
    assert picture(ask("&contentType=image/png&frameNumber=3")).getpixel((0, 0)) == 255
    assert picture(ask("&contentType=image/png&frameNumber=1")).getpixel((0, 0)) == 0


@pytest.mark.parametrize(
    ("query", "size"),
    [("&rows=8&columns=8", (8, 8)), ("&rows=4", (4, 4)), ("&region=0,0,0.5,0.25", (8, 4)),
     ("&columns=16&region=0,0,0.5,0.25", (16, 8))],
)  # fmt: skip
def test_size_and_region_are_as_asked(ask, held, query, size):
    assert picture(ask(query)).size == size


def test_a_window_is_applied(ask, held):
    shown = picture(ask("&contentType=image/png&windowCenter=128&windowWidth=2"))

    assert (shown.getpixel((0, 0)), shown.getpixel((15, 15))) == (0, 255)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("&windowCenter=1", 400), ("&rows=x", 400), ("&rows=0", 400), ("&region=0,0,2,2", 400),
        ("&region=1", 400),
        ("&imageQuality=0", 400), ("&frameNumber=x", 400), ("&frameNumber=2", 404), ("&anonymize=yes", 406),
        ("&presentationUID=1.2", 406), ("&contentType=video/mp4", 406), ("&annotation=all", 400),
        ("&contentType=application/dicom&transferSyntax=1.2.840.10008.1.2.4.50", 406),
    ],
)  # fmt: skip
def test_what_cannot_be_given_is_refused(ask, held, query, status):
    response = ask(query)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("where", "status"),
    [("", 400), ("requestType=WADO&studyUID=1.2.3", 400), (WHERE.replace("WADO", "X"), 400),
     (WHERE.replace("objectUID=1.2.3.1.1", "objectUID=9.9"), 404), (WHERE.replace("1.2.3&", "9.9&"), 404)],
)  # fmt: skip
def test_an_address_that_names_nothing_is_refused(ask, held, where, status):
    assert ask("", where).status_code == status


def test_it_answers_at_the_root_of_the_server_too(client, held):
    from tests.wire.dicomweb.conftest import HOST

    assert client.get(f"{HOST}/wado?{WHERE}").status_code == 200


def test_reading_by_query_is_in_the_audit_trail_under_its_study(ask, held, store, reads):
    from sightline.trust import audit

    ask()
    reads.flush()

    with store.database.reading() as db:
        assert [e.act for e in audit.trail(db, on="1.2.3")].count("archive.read") == 1
