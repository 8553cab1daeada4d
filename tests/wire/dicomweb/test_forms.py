"""Negotiation: each resource in each form that PS3.18 8.7 names, refused where none fits."""

import io
import zipfile

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from sightline.record import upkeep
from sightline.trust import access
from sightline.wire.dicomweb._accept import BIG_ENDIAN, choose_frames
from sightline.wire.dicomweb._pixels import encode_frame
from tests.wire.dicomweb.conftest import parts_of

STUDY = "/studies/1.2.3"
SERIES = f"{STUDY}/series/1.2.3.1"
INSTANCE = f"{SERIES}/instances/1.2.3.1.1"
EXPLICIT, HTJ2K, HTJ2K_RPCL = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202"
JPEG_LS, JPEG_2000, BASELINE = (f"1.2.840.10008.1.2.4.{n}" for n in (80, 90, 50))
MULTI = 'multipart/related; type="{}"'
OCTETS, DICOM = MULTI.format("application/octet-stream"), MULTI.format("application/dicom")


def decoded(data: bytes, syntax: str) -> bytes:
    """The pixels of a frame, read by a codec that knows nothing of DICOM."""
    import imagecodecs

    codecs = {
        HTJ2K: imagecodecs.htj2k_decode,
        HTJ2K_RPCL: imagecodecs.htj2k_decode,
        JPEG_2000: imagecodecs.jpeg2k_decode,
        JPEG_LS: imagecodecs.jpegls_decode,
    }
    return codecs[syntax](data).tobytes() if syntax in codecs else data


def syntax_of(kind: str) -> str:
    return kind.partition("transfer-syntax=")[2]


@pytest.mark.parametrize(
    ("accept", "kind", "syntax"),
    [
        ("", "multipart/related", EXPLICIT),  # 8.7.3.3: without a header, the default
        ("*/*", "multipart/related", EXPLICIT),
        (OCTETS, "multipart/related", EXPLICIT),
        (f"{OCTETS}; transfer-syntax=*", "multipart/related", RLELossless),
        (f"{OCTETS}; transfer-syntax={RLELossless}", "multipart/related", RLELossless),
        (f"{OCTETS}; transfer-syntax={HTJ2K_RPCL}", "multipart/related", HTJ2K_RPCL),
        ("application/octet-stream", "application/octet-stream", EXPLICIT),
        ("application/octet-stream; transfer-syntax=*", "application/octet-stream", RLELossless),
        ("image/dicom-rle", "image/dicom-rle", RLELossless),
        ("image/x-dicom-rle", "image/x-dicom-rle", RLELossless),
        ("image/*", "image/dicom-rle", RLELossless),
        ("image/jphc", "image/jphc", HTJ2K_RPCL),
        ("image/jph", "image/jph", HTJ2K_RPCL),
        (f"image/jphc; transfer-syntax={HTJ2K}", "image/jphc", HTJ2K),
        ("image/jls", "image/jls", JPEG_LS),
        ("image/jp2", "image/jp2", JPEG_2000),
        ("image/jpeg, image/jls;q=0.5", "image/jls", JPEG_LS),
        ("image/jls;q=0.2, image/jp2;q=0.9", "image/jp2", JPEG_2000),
    ],
)
def test_a_frame_comes_in_the_form_that_is_asked_for_with_the_same_pixels(
    client, compressed, accept, kind, syntax
):
    response = client.get(f"{INSTANCE}/frames/1", headers={"Accept": accept})

    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith(kind)
    told, data = (
        parts_of(response)[0]
        if kind.startswith("multi")
        else (response.headers["content-type"], response.content)
    )
    assert syntax_of(told) == syntax
    assert syntax == RLELossless or decoded(data, syntax) == compressed


@pytest.mark.parametrize(
    "accept",
    [
        "image/jpeg",
        "text/html",
        "application/octet-stream;q=0",
        f"{OCTETS}; transfer-syntax={BASELINE}",
        f"image/jls; transfer-syntax={JPEG_2000}",
        "video/mp4",
        'multipart/related; type="text/plain"',
    ],
)
def test_a_frame_that_cannot_be_given_so_is_406(client, compressed, accept):
    assert client.get(f"{INSTANCE}/frames/1", headers={"Accept": accept}).status_code == 406


def test_several_frames_are_not_given_as_one(client, put):
    put(np.zeros((2, 4, 4), "u2"), NumberOfFrames=2)

    assert (
        client.get(f"{INSTANCE}/frames/1,2", headers={"Accept": "application/octet-stream"}).status_code
        == 406
    )


def test_several_frames_come_in_the_order_that_is_asked_for(client, put):
    frames = np.arange(3 * 16, dtype="u2").reshape(3, 4, 4)
    put(frames, NumberOfFrames=3)

    response = client.get(f"{INSTANCE}/frames/3,1", headers={"Accept": OCTETS})

    assert [data for _, data in parts_of(response)] == [frames[2].tobytes(), frames[0].tobytes()]
    assert client.get(f"{INSTANCE}/frames/3,4", headers={"Accept": OCTETS}).status_code == 404


@pytest.mark.parametrize(
    ("accept", "kind", "syntax"),
    [
        ("", "multipart/related", EXPLICIT),
        ("*/*", "multipart/related", EXPLICIT),
        ("application/*", "multipart/related", EXPLICIT),
        (DICOM, "multipart/related", EXPLICIT),
        (f"{DICOM}; transfer-syntax=*", "multipart/related", RLELossless),
        ("application/dicom", "application/dicom", EXPLICIT),
        ("application/dicom; transfer-syntax=*", "application/dicom", RLELossless),
        (f"application/dicom; transfer-syntax={RLELossless}", "application/dicom", RLELossless),
        (f'{DICOM}; transfer-syntax="{HTJ2K_RPCL}"', "multipart/related", HTJ2K_RPCL),
        (f"{DICOM}; transfer-syntax={JPEG_LS}", "multipart/related", JPEG_LS),
        (f"{DICOM}; transfer-syntax={JPEG_2000}", "multipart/related", JPEG_2000),
    ],
)
def test_an_object_comes_in_the_transfer_syntax_that_is_asked_for(client, compressed, accept, kind, syntax):
    response = client.get(INSTANCE, headers={"Accept": accept})

    assert response.headers["content-type"].startswith(kind)
    told, data = (
        parts_of(response)[0]
        if kind.startswith("multi")
        else (response.headers["content-type"], response.content)
    )
    ds = pydicom.dcmread(io.BytesIO(data))
    assert (syntax_of(told), ds.file_meta.TransferSyntaxUID) == (syntax, syntax)
    assert ds.pixel_array.tobytes() == compressed
    assert ds.PatientName == "Müller^Jörg"


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (INSTANCE, "image/jpeg"),
        (INSTANCE, f"application/dicom; transfer-syntax={BASELINE}"),
        (SERIES, "application/dicom"),
        (STUDY, "application/octet-stream"),
    ],
)
def test_objects_that_cannot_be_given_so_are_406(client, held, path, accept):
    assert client.get(path, headers={"Accept": accept}).status_code == 406


def test_a_study_comes_as_a_zip_for_who_asks_for_one(client, held, make_slice):
    response = client.get(STUDY, headers={"Accept": "application/zip"})

    packed = zipfile.ZipFile(io.BytesIO(response.content))
    assert packed.testzip() is None
    assert [packed.read(name) for name in packed.namelist()] == [make_slice(n) for n in (1, 2, 3)]
    assert "Müller" not in "".join(packed.namelist())


def test_what_no_decoder_reads_comes_as_it_is_unless_another_form_is_named(client, put):
    ds = put()
    ds.PixelData = pydicom.encaps.encapsulate([b"\0\0\0\x18ftypmp42" + bytes(64)])
    ds["PixelData"].is_undefined_length = True
    ds["PixelData"].VR = "OB"
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.1.9"
    buffer = io.BytesIO()
    ds.save_as(buffer)
    body = b"--X\r\nContent-Type: application/dicom\r\n\r\n" + buffer.getvalue() + b"\r\n--X--"
    sent = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=X'}
    assert client.post("/studies", content=body, headers=sent).status_code == 200
    film = f"{SERIES}/instances/1.2.3.1.9"

    assert client.get(film, headers={"Accept": "application/dicom"}).content == buffer.getvalue()
    explicit = client.get(film, headers={"Accept": f"application/dicom; transfer-syntax={EXPLICIT}"})
    assert explicit.status_code == 406
    for path in ("rendered", "pixeldata"):
        shown = client.get(f"{film}/{path}", headers={"Accept": "video/mp4"})
        assert shown.headers["content-type"].startswith("video/mp4")
        assert shown.content.startswith(b"\0\0\0\x18ftypmp42")
    assert client.get(f"{film}/rendered", headers={"Accept": "image/jpeg"}).status_code == 406


def test_the_query_parameter_says_what_is_accepted_in_place_of_the_header(client, held):
    by_query = client.get(f"{INSTANCE}/rendered?accept=image/png", headers={"Accept": "image/jpeg"})
    as_json = client.get(f"{INSTANCE}/metadata?accept=application/dicom+json")

    assert by_query.headers["content-type"] == "image/png"
    assert as_json.headers["content-type"] == "application/dicom+json"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/dicom+json"),
        ("*/*", "application/dicom+json"),
        ("application/json", "application/json"),
        ("application/dicom+json", "application/dicom+json"),
        (MULTI.format("application/dicom+xml"), "multipart/related"),
        ("application/dicom+xml;q=0.1, application/json;q=0.05", "application/json"),
    ],
)
@pytest.mark.parametrize("path", [STUDY, SERIES])
def test_metadata_of_several_come_in_json_or_as_parts_of_xml(client, held, path, accept, kind):
    response = client.get(f"{path}/metadata", headers={"Accept": accept})

    assert response.headers["content-type"].startswith(kind)
    if kind.startswith("multi"):
        parts = parts_of(response)
        assert len(parts) == 3
        assert all(
            b'<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM"' in d
            for _, d in parts
        )
    else:
        assert [d["00080018"]["Value"][0] for d in response.json()] == [f"1.2.3.1.{n}" for n in (1, 2, 3)]


def test_metadata_of_one_instance_come_as_a_document_of_xml(client, held):
    response = client.get(f"{INSTANCE}/metadata", headers={"Accept": "application/dicom+xml"})

    assert response.headers["content-type"] == "application/dicom+xml"
    assert "<FamilyName>Müller</FamilyName><GivenName>Jörg</GivenName>" in response.text


@pytest.mark.parametrize(
    "path", [STUDY, SERIES, INSTANCE, f"{STUDY}/metadata", f"{SERIES}/metadata", f"{INSTANCE}/metadata"]
)
def test_what_is_known_is_not_sent_again_until_the_series_grows(client, held, take, make_slice, path):
    etag = client.get(path).headers["etag"]

    known = client.get(path, headers={"If-None-Match": f'"other", W/{etag}'})
    take(make_slice(9))
    grown = client.get(path, headers={"If-None-Match": etag})

    assert (known.status_code, known.content) == (304, b"")
    assert grown.status_code == 200


def test_frames_that_were_made_quick_to_serve_are_not_encoded_again(client, held, store, monkeypatch):
    keeping = upkeep.Keeping(store, upkeep.UpkeepSettings(transcode_modalities="CT"), None)
    with store.database.transaction() as db:
        begun = upkeep.start_task(db, "transcode", keeping.settings, by=access.operator("tester"))
    upkeep.run_task(keeping, "transcode", begun.number)
    plain = parts_of(client.get(f"{INSTANCE}/frames/1"))[0][1]
    monkeypatch.setattr("sightline.wire.dicomweb._frames.encode_frame", None)

    response = client.get(
        f"{INSTANCE}/frames/1", headers={"Accept": f"{OCTETS}; transfer-syntax={HTJ2K_RPCL}"}
    )

    ((kind, data),) = parts_of(response)
    assert syntax_of(kind) == HTJ2K_RPCL
    assert decoded(data, HTJ2K_RPCL) == plain


@pytest.mark.parametrize("accepted", ["*/*", OCTETS, f"{OCTETS}; transfer-syntax=*"])
def test_big_endian_frames_are_given_as_little_endian(accepted):
    """No client of web services has to turn bytes round (PS3.18 8.7.3)."""
    assert choose_frames(accepted, BIG_ENDIAN, several=False).syntax == EXPLICIT


def test_big_endian_frames_are_given_as_stored_to_who_names_them():
    named = f"{OCTETS}; transfer-syntax={BIG_ENDIAN}"

    assert choose_frames(named, BIG_ENDIAN, several=False).syntax == BIG_ENDIAN


@pytest.mark.parametrize(("planar", "first"), [(0, [1, 2, 3]), (1, [1, 4, 7])])
def test_decoded_colours_lie_as_the_metadata_say(planar, first):
    header = pydicom.Dataset()
    header.PlanarConfiguration = planar
    pixels = np.arange(1, 10, dtype=np.uint8).reshape(1, 3, 3)

    assert list(encode_frame(pixels, EXPLICIT, header)[:3]) == first
