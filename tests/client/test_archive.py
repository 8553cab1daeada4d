"""What a researcher does from Python."""

from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread

from sightline.client import Archive, LoginRefused, NotThere, ServerUnavailable, UnreadableAnswer
from sightline.client._multipart import read_parts, write_parts

SERIES = {"PixelSpacing": [0.5, 0.7], "SliceThickness": 5, "RescaleSlope": 2, "RescaleIntercept": -1000}


@pytest.fixture
def held(client, make_slice):
    """A series of four slices, 5 mm apart from head to foot."""
    return list(client.upload([make_slice(n, **SERIES) for n in (1, 2, 3, 4)]))


def test_upload_says_what_became_of_each_object(client, held, make_slice, tmp_path):
    folder = tmp_path / "cd"
    folder.mkdir()
    (folder / "a.dcm").write_bytes(make_slice(1, PatientComments="other"))
    (folder / "b.txt").write_bytes(b"hello")

    kept, refused = sorted(client.upload([folder]), key=lambda s: s.name == "")

    assert [stored.ok for stored in held] == [True] * 4
    assert (kept.ok, kept.name, kept.status) == (False, str(folder / "a.dcm"), 0x0111)
    assert not refused.ok
    assert refused.reason.startswith("This is not a DICOM file")


def test_upload_takes_datasets_and_goes_in_batches(client, make_slice):
    given = (dcmread(BytesIO(make_slice(n))) for n in range(1, 8))

    assert [s.ok for s in client.upload(given, batch=3)] == [True] * 7


def test_search_pages_through_everything(client, make_slice):
    list(client.upload(make_slice(1, study=f"1.2.{n}", series=f"1.2.{n}.1") for n in range(130)))

    assert len({ds.StudyInstanceUID for ds in client.find_studies(PatientName="müller*")}) == 130
    assert len(list(client.find_studies(limit=5))) == 5
    assert list(client.find_studies(PatientID="nobody")) == []


def test_series_and_instances_are_found_below_a_study_or_everywhere(client, held):
    (series,) = client.find_series("1.2.3")

    assert [ds.SeriesInstanceUID for ds in client.find_series(Modality="CT")] == [series.SeriesInstanceUID]
    assert [ds.InstanceNumber for ds in client.find_instances("1.2.3", "1.2.3.1")] == [1, 2, 3, 4]


def test_a_volume_has_values_in_hounsfield_and_a_grid_in_mm(client, held):
    volume = client.read_volume("1.2.3", "1.2.3.1")

    assert volume.array.shape == (4, 16, 16)
    assert volume.array[-1, 0, 0] == 1 * 2 - 1000  # slice 1 lies highest: -5 mm
    np.testing.assert_allclose(volume.grid.spacing_xyz_mm, (0.7, 0.5, 5.0))
    np.testing.assert_allclose(volume.grid.origin_lps_mm, (0, 0, -20))


def test_pixels_of_one_object_come_as_stored(client, held):
    array, ds = client.read_pixels("1.2.3", "1.2.3.1", "1.2.3.1.2")

    assert array[0, 0] == 2
    assert ds.InstanceNumber == 2


def test_headers_come_without_pixels(client, held):
    headers = client.read_metadata("1.2.3", "1.2.3.1")

    assert [ds.InstanceNumber for ds in headers] == [1, 2, 3, 4]


def test_downloaded_files_are_the_bytes_that_were_sent(client, make_slice, held, tmp_path):
    paths = client.download(tmp_path / "out", "1.2.3")

    assert [p.read_bytes() for p in paths] == [make_slice(n, **SERIES) for n in (1, 2, 3, 4)]


def test_what_is_not_held_is_said_in_the_servers_words(client):
    with pytest.raises(NotThere, match=r"1\.2\.9"):
        list(client.read_objects("1.2.9"))


def test_a_wrong_token_is_refused(address):
    with Archive(address, token="slt_wrong") as stranger, pytest.raises(LoginRefused):
        next(stranger.find_studies())


def test_a_server_that_is_not_there_is_named_as_such():
    with Archive("http://127.0.0.1:9/dicom-web", timeout_s=1) as nobody, pytest.raises(ServerUnavailable):
        list(nobody.read_objects("1.2.3"))


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
def test_parts_survive_any_cut_between_chunks(size):
    bodies = [b"", b"\r\n--x", b"--y\r\n" * 9, bytes(range(256)) * 9]
    whole = b"".join(write_parts(bodies, "y-boundary"))

    chunks = (whole[i : i + size] for i in range(0, len(whole), size))

    assert [part.read() for part in read_parts(chunks, b"y-boundary")] == bodies


def test_a_body_that_breaks_off_is_no_end():
    whole = b"".join(write_parts([b"abc"], "b"))

    with pytest.raises(UnreadableAnswer, match="broke off"):
        list(read_parts([whole[:-6]], b"b"))
