"""Real objects of many makers: what came is given back byte for byte, in other forms or refused."""

import io

import pydicom
import pytest

from sightline.wire.dicomweb._native import parse_native

MOST_BYTES = 1 << 20
MOST_FILES = 16


@pytest.fixture(scope="module")
def files(test_data):
    """One small file of each SOP class, transfer syntax and photometric interpretation there is."""
    picked = {}
    for path in sorted(test_data.rglob("*.dcm")):
        if path.stat().st_size < MOST_BYTES:
            try:
                ds = pydicom.dcmread(path, stop_before_pixels=True)
            except pydicom.errors.InvalidDicomError:
                continue
            syntax = ds.file_meta.get("TransferSyntaxUID")
            picked.setdefault((ds.get("SOPClassUID"), syntax, ds.get("PhotometricInterpretation")), path)
    return list(picked.values())[:MOST_FILES]


def test_real_objects_come_back_as_they_came_and_in_every_other_form_or_are_refused(client, files):
    stored = 0
    for path in files:
        answer = client.post(
            "/studies", content=path.read_bytes(), headers={"Content-Type": "application/dicom"}
        )
        assert answer.status_code in {200, 409}, path.name
        if answer.status_code == 409:
            failed = answer.json().get("0008119A") or answer.json()["00081198"]
            assert failed["Value"][0]["00000902"]["Value"][0], path.name
            continue
        stored += 1
        address = answer.json()["00081199"]["Value"][0]["00081190"]["Value"][0]

        as_held = client.get(address, headers={"Accept": "application/dicom; transfer-syntax=*"})
        assert as_held.content == path.read_bytes(), path.name
        explicit = client.get(address, headers={"Accept": "application/dicom"})
        assert explicit.status_code in {200, 406}, path.name
        if explicit.status_code == 200:
            told = explicit.headers["content-type"].partition("transfer-syntax=")[2]
            assert pydicom.dcmread(io.BytesIO(explicit.content)).file_meta.TransferSyntaxUID == told, (
                path.name
            )
        document = client.get(f"{address}/metadata", headers={"Accept": "application/dicom+xml"})
        assert len(parse_native(document.content)[0]) == len(client.get(f"{address}/metadata").json()[0]), (
            path.name
        )
        for part, kinds in (
            ("rendered", "*/*"),
            ("thumbnail", "image/*"),
            ("frames/1", "*/*"),
            ("pixeldata", "*/*"),
        ):
            given = client.get(f"{address}/{part}", headers={"Accept": kinds})
            assert given.status_code in {200, 404, 406}, (path.name, part)
    assert stored > len(files) // 2
