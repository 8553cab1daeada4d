"""An outside client, dicomweb-client, stores, searches and retrieves over a real connection."""

import io
import threading
import time

import numpy as np
import pydicom
import pytest
import uvicorn
from dicomweb_client.api import DICOMwebClient
from dicomweb_client.session_utils import create_session

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def outside(client):
    server = uvicorn.Server(uvicorn.Config(client.app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    session = create_session()
    session.headers.update(client.headers)
    yield DICOMwebClient(f"http://127.0.0.1:{port}/dicom-web", session=session)
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def sent(outside, make_slice):
    datasets = [pydicom.dcmread(io.BytesIO(make_slice(n))) for n in (1, 2, 3)]
    return outside.store_instances(datasets)


def test_it_is_told_what_was_stored(sent):
    assert len(sent.ReferencedSOPSequence) == 3
    assert "FailedSOPSequence" not in sent


def test_it_finds_studies_series_and_instances(outside, sent):
    study = outside.search_for_studies(search_filters={"PatientID": "4711"}, fields=["StudyDescription"])[0]
    series = outside.search_for_series("1.2.3")
    instances = outside.search_for_instances("1.2.3", "1.2.3.1", limit=2, offset=1)

    assert pydicom.Dataset.from_json(study).StudyDescription == "CT chest"
    assert [pydicom.Dataset.from_json(s).SeriesInstanceUID for s in series] == ["1.2.3.1"]
    assert [pydicom.Dataset.from_json(i).InstanceNumber for i in instances] == [2, 3]
    assert outside.search_for_studies(search_filters={"PatientID": "none"}) == []


def test_it_retrieves_metadata_objects_and_frames(outside, sent, make_slice):
    metadata = outside.retrieve_series_metadata("1.2.3", "1.2.3.1")
    objects = outside.retrieve_series("1.2.3", "1.2.3.1")
    frames = outside.retrieve_instance_frames("1.2.3", "1.2.3.1", "1.2.3.1.1", [1])
    single = outside.retrieve_instance("1.2.3", "1.2.3.1", "1.2.3.1.2")

    pixels = pydicom.dcmread(io.BytesIO(make_slice(1))).PixelData
    assert [pydicom.Dataset.from_json(m).InstanceNumber for m in metadata] == [1, 2, 3]
    assert [ds.InstanceNumber for ds in objects] == [1, 2, 3]
    assert frames == [pixels]
    assert single == pydicom.dcmread(io.BytesIO(make_slice(2)))


def test_it_retrieves_a_rendered_image_and_bulk_data(outside, sent):
    picture = outside.retrieve_instance_rendered("1.2.3", "1.2.3.1", "1.2.3.1.1", media_types=("image/png",))
    address = outside.retrieve_instance_metadata("1.2.3", "1.2.3.1", "1.2.3.1.1")["7FE00010"]["BulkDataURI"]
    host = outside.base_url.removesuffix("/dicom-web")
    bulk = outside.retrieve_bulkdata(f"{host}{address}")

    assert picture.startswith(b"\x89PNG")
    assert np.frombuffer(bulk[0], "<u2")[0] == 1
