"""STOW-RS of attributes with bulk data, in JSON and in XML (PS3.18 10.5.2, PS3.19 A.1)."""

import io
import json

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless

from sightline.record import archive
from sightline.wire.dicomweb._native import render_native

JSON, XML = "application/dicom+json", "application/dicom+xml"
INSTANCE = "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"
PIXELS = (np.arange(256, dtype="<u2") + 1).tobytes()


def body_of(*parts):
    """A multipart body of ``(Content-Type, Content-Location, bytes)``."""
    heads = [f"--XX\r\nContent-Type: {k}\r\nContent-Location: {at}\r\n\r\n".encode() for k, at, _ in parts]
    return b"".join(head + part[2] + b"\r\n" for head, part in zip(heads, parts, strict=True)) + b"--XX--\r\n"


def post(client, kind, *parts, path="/studies"):
    headers = {"Content-Type": f'multipart/related; type="{kind}"; boundary=XX'}
    return client.post(path, content=body_of(*parts), headers=headers)


@pytest.fixture
def attributes(make_slice):
    """The first slice in DICOM JSON, its pixels named and not there."""
    ds = pydicom.dcmread(io.BytesIO(make_slice(1)))
    made = ds.to_json_dict()
    made["7FE00010"] = {"vr": "OW", "BulkDataURI": "pixels"}
    return made


def written(kind, attributes):
    return json.dumps([attributes]).encode() if kind == JSON else render_native(attributes)


@pytest.mark.parametrize("kind", [JSON, XML])
def test_attributes_and_bulk_data_become_the_object_that_they_describe(client, store, attributes, kind):
    pixels = ("application/octet-stream", "pixels", PIXELS)

    response = post(client, kind, (kind, "", written(kind, attributes)), pixels)

    assert response.status_code == 200, response.text
    with store.database.reading() as db:
        ds = archive.read_dataset(store, db, "1.2.3.1.1")
    assert (ds.PatientName, ds.PixelData, ds["PixelData"].VR) == ("Müller^Jörg", PIXELS, "OW")
    assert ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert list(ds.ImagePositionPatient) == [0, 0, -5]


def test_pixels_inside_of_the_attributes_need_no_part(client, attributes):
    ds = pydicom.Dataset()
    ds.PixelData = PIXELS
    attributes["7FE00010"] = {**ds.to_json_dict()["7FE00010"], "vr": "OW"}

    response = client.post("/studies", content=json.dumps([attributes]), headers={"Content-Type": JSON})

    assert response.status_code == 200, response.text
    frame = client.get(f"{INSTANCE}/frames/1", headers={"Accept": "application/octet-stream"})
    assert frame.content == PIXELS


@pytest.mark.parametrize(
    ("kind", "syntax"),
    [
        ("image/jp2", "1.2.840.10008.1.2.4.91"),
        (f"image/jp2; transfer-syntax={JPEG2000Lossless}", JPEG2000Lossless),
        (f'application/octet-stream; transfer-syntax="{JPEG2000Lossless}"', JPEG2000Lossless),
    ],
)
def test_compressed_bulk_data_are_kept_compressed(client, attributes, kind, syntax):
    import imagecodecs

    stream = imagecodecs.jpeg2k_encode(
        np.frombuffer(PIXELS, "<u2").reshape(16, 16), codecformat="j2k", reversible=True, level=0
    )

    response = post(client, JSON, (JSON, "", written(JSON, attributes)), (kind, "pixels", bytes(stream)))

    assert response.status_code == 200, response.text
    held = pydicom.dcmread(
        io.BytesIO(client.get(INSTANCE, headers={"Accept": "application/dicom; transfer-syntax=*"}).content)
    )
    assert held.file_meta.TransferSyntaxUID == syntax
    assert held.pixel_array.tobytes() == PIXELS


def test_one_that_cannot_be_made_does_not_stop_the_others(client, attributes):
    second = {**attributes, "00080018": {"vr": "UI", "Value": ["1.2.3.1.2"]}}
    second["7FE00010"] = {"vr": "OW", "BulkDataURI": "missing"}
    both = json.dumps([second, attributes]).encode()

    response = post(client, JSON, (JSON, "", both), ("application/octet-stream", "pixels", PIXELS))

    assert response.status_code == 202
    assert response.json()["00081198"]["Value"][0]["00081155"]["Value"] == ["1.2.3.1.2"]
    assert response.json()["00081199"]["Value"][0]["00081155"]["Value"] == ["1.2.3.1.1"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b"not json"),
        (JSON, b"[]"),
        (JSON, b"[1]"),
        (JSON, b'[{"00100010": 1}]'),
        (JSON, b"[" * 100_000),
        (JSON, b'[{"00081140":{"vr":"SQ","Value":[' * 100 + b"]}}]" * 100),
        (XML, b"<NativeDicomModel"),
        (XML, b"<other/>"),
        (XML, b"<a>" * 100_000),
        (XML, b"<!DOCTYPE a [<!ENTITY b 'c'>]><NativeDicomModel/>"),
        (XML, b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><NativeDicomModel/>"),
        (XML, b'<NativeDicomModel><DicomAttribute tag="x" vr="LO"/></NativeDicomModel>'),
        (XML, b'<NativeDicomModel><DicomAttribute tag="00100020" vr="LO"><Value number="9999999"/>'
              b"</DicomAttribute></NativeDicomModel>"),
    ],
)  # fmt: skip
def test_attributes_that_are_none_are_400_and_leave_nothing(client, store, kind, body):
    response = post(client, kind, (kind, "", body), ("application/octet-stream", "pixels", bytes(5 << 20)))

    assert response.status_code == 400, response.text
    assert list(store.blobs.list("instances/")) == []
    assert list(store.blobs.scratch().iterdir()) == []


def test_attributes_without_an_identity_are_refused_by_name(client, attributes):
    del attributes["00080018"]

    response = post(
        client, JSON, (JSON, "", written(JSON, attributes)), ("application/octet-stream", "pixels", PIXELS)
    )

    assert response.status_code == 409
    assert "SOPInstanceUID" in response.json()["0008119A"]["Value"][0]["00000902"]["Value"][0]


def test_two_parts_of_one_name_are_refused(client, attributes):
    pixels = ("application/octet-stream", "pixels", PIXELS)

    assert post(client, JSON, (JSON, "", written(JSON, attributes)), pixels, pixels).status_code == 400


def test_the_answer_comes_in_xml_for_who_asks_for_it(client, make_slice):
    response = client.post(
        "/studies", content=make_slice(1), headers={"Content-Type": "application/dicom", "Accept": XML}
    )

    assert response.status_code == 200
    assert response.headers["content-type"] == XML
    assert (
        '<DicomAttribute tag="00081199" vr="SQ" keyword="ReferencedSOPSequence"><Item number="1">'
        in response.text
    )


def test_a_single_object_needs_no_multipart(client, make_slice):
    response = client.post(
        "/studies/1.2.3", content=make_slice(1), headers={"Content-Type": "application/dicom"}
    )

    assert response.status_code == 200
    assert response.json()["00081190"]["Value"] == ["http://pacs.example/dicom-web/studies/1.2.3"]
