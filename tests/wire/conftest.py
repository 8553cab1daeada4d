"""Real, small objects to store, and a fresh archive to store them in."""

import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

from sightline.record import archive
from sightline.runtime import jobs
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import Database, metadata, open_database
from sightline.trust import access

MakeSlice = Callable[..., bytes]


@pytest.fixture
def make_slice() -> MakeSlice:
    """A CT slice as Part 10 bytes; the same arguments give the same bytes, whatever is given overrides."""

    def make(number: int = 1, *, study: str = "1.2.3", series: str = "1.2.3.1", **overrides: Any) -> bytes:
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.SOPClassUID = CTImageStorage
        ds.SOPInstanceUID = UID(f"{series}.{number}")
        ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
        ds.PatientName, ds.PatientID = "Müller^Jörg", "4711"
        ds.PatientBirthDate, ds.PatientSex = "19600102", "M"
        ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20240131", "101500", "A1"
        ds.Modality, ds.BodyPartExamined, ds.SeriesNumber, ds.InstanceNumber = "CT", "CHEST", 1, number
        ds.StudyDescription, ds.SeriesDescription = "CT chest", "lung"
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, -5.0 * number], [1, 0, 0, 0, 1, 0]
        ds.Rows = ds.Columns = 16
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.PixelData = (np.arange(256, dtype="<u2") + number).tobytes()
        for name, value in overrides.items():
            if value is None:
                ds.pop(name, None)
            else:
                setattr(ds, name, value)
        buffer = BytesIO()
        ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
        ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", generate_uid())
        ds.save_as(buffer, enforce_file_format=True)
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables, made once and copied for each test."""
    import sightline.app.tables  # noqa: F401

    path = tmp_path_factory.mktemp("template") / "sightline.db"
    made = open_database(f"sqlite:///{path}")
    metadata.create_all(made.engine)
    jobs.open_queue(made)
    jobs.close_queues()
    made.dispose()
    return path


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Iterator[Database]:
    """A fresh SQLite database; what depends on the kind of database is tested with the archive itself."""
    shutil.copy(template, tmp_path / "sightline.db")
    opened = open_database(f"sqlite:///{tmp_path}/sightline.db")
    jobs.open_queue(opened)
    yield opened
    jobs.close_queues()
    opened.dispose()


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Iterator[archive.Store]:
    blobs = LocalBlobs(tmp_path / "blobs")
    yield archive.Store(database, blobs, archive.ArchiveSettings())
    blobs.close()


@pytest.fixture
def source() -> archive.Source:
    return archive.Source("import", "test", access.operator("tester"))


@pytest.fixture
def take(store: archive.Store, source: archive.Source) -> Callable[..., list[archive.Outcome]]:
    """Take in bytes, each named by its place."""

    def take(*contents: bytes) -> list[archive.Outcome]:
        items = [archive.Incoming(f"file {n}", content) for n, content in enumerate(contents, 1)]
        return archive.take_in(store, items, source)

    return take
