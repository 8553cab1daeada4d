"""Fixtures for every test: a fresh database (SQLite and a real PostgreSQL), an archive, objects, data."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid
from sqlalchemy import create_engine, text

from sightline.record import archive
from sightline.runtime import jobs
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import Database, metadata, open_database
from sightline.trust import access

MakeSlice = Callable[..., bytes]


def end(server: "subprocess.Popen[bytes]") -> None:
    """End a server by its process: asked to, and killed where it does not within 20 s."""
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Commands set variables for the rest of their process; each test gets back what it began with."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The shared real data; skips where it is absent."""
    folder = Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("SIGHTLINE_TEST_DATA is absent: this test needs the shared real data")
    return folder


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL on a loopback port of its own, stopped at the end."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    binaries = programs[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="sightline-pg-"))
    as_user = [] if os.geteuid() else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    if not os.geteuid():
        shutil.chown(folder, "postgres", "postgres")
    port = free_port()
    data = folder / "data"
    run = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 60}
    subprocess.run(
        [
            *as_user,
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "sightline",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        ],
        **run,
    )
    server = subprocess.Popen(
        [
            *as_user,
            binaries / "postgres",
            "-D",
            data,
            "-p",
            str(port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={folder}",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=200",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"postgresql+psycopg://sightline@127.0.0.1:{port}/postgres"
    try:
        _wait_for(url)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str) -> None:
    import time

    engine = create_engine(url)
    for _ in range(200):
        try:
            with engine.connect() as connection:
                connection.execute(text("select 1"))
            engine.dispose()
            return
        except Exception:
            time.sleep(0.1)
    raise TimeoutError("PostgreSQL did not start")


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """A fresh PostgreSQL database."""
    name = f"t{uuid.uuid4().hex[:12]}"
    admin = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name}"))
    yield postgresql_server.rsplit("/", 1)[0] + f"/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"drop database if exists {name} with (force)"))
    admin.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/sightline.db"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables, made once and copied for each test."""
    path = tmp_path_factory.mktemp("template") / "sightline.db"
    _fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The name of such a database on the PostgreSQL of the tests."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    _on(postgresql_server, f"create database {name}")
    _fill(postgresql_server.rsplit("/", 1)[0] + f"/{name}")
    return name


def _fill(url: str) -> None:
    import sightline.app.tables  # noqa: F401  every domain's tables

    made = open_database(url)
    metadata.create_all(made.engine)
    jobs.open_queue(made)
    jobs.close_queues()
    made.dispose()


def _on(server: str, statement: str) -> None:
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(statement))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh copy of the template with an open job queue, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "sightline.db")
        yield from _opened(f"sqlite:///{tmp_path}/sightline.db")
        return
    template = request.getfixturevalue("postgresql_template")
    server = request.getfixturevalue("postgresql_server")
    name = f"t{uuid.uuid4().hex[:12]}"
    _on(server, f"create database {name} template {template}")
    yield from _opened(server.rsplit("/", 1)[0] + f"/{name}")
    _on(server, f"drop database if exists {name} with (force)")


def _opened(url: str) -> Iterator[Database]:
    opened = open_database(url)
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
