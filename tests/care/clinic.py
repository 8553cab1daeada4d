"""What the tests of findings, routing and care stand on: a database, an archive, people, studies.

Everything is real and small. PostgreSQL is one database for all tests of a folder, emptied before each:
making one each time takes longer than most of these tests.
"""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from sqlalchemy import create_engine, text
from starlette.routing import Mount

import sightline.app.registry
import sightline.app.tables  # noqa: F401  every table, job and listener
from sightline.app.http import build_api
from sightline.care import display
from sightline.kernel import clock
from sightline.kernel.quantities import Quantity
from sightline.record import archive, findings, timeline
from sightline.runtime import jobs
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import Database, Db, metadata, open_database
from sightline.trust import access, audit, identity
from sightline.wire.fhir import routes as fhir_routes

FIRST, SECOND, THIRD = "20250103", "20250704", "20260103"


@pytest.fixture(scope="session")
def shared_postgresql(postgresql_server: str) -> Iterator[Database]:
    name = f"care{uuid.uuid4().hex[:12]}"
    admin = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name}"))
    opened = open_database(postgresql_server.rsplit("/", 1)[0] + f"/{name}")
    metadata.create_all(opened.engine)
    yield opened
    opened.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database with an open job queue, once on SQLite and once on PostgreSQL."""
    yield from _opened(request, request.param)


@pytest.fixture
def sqlite(request: pytest.FixtureRequest) -> Iterator[Database]:
    """For what does not depend on the kind of database."""
    yield from _opened(request, "sqlite")


def _opened(request: pytest.FixtureRequest, kind: str) -> Iterator[Database]:
    if kind == "postgresql":
        opened = request.getfixturevalue("shared_postgresql")
        jobs.open_queue(opened)
        with opened.transaction() as db:
            tables = [table.name for table in metadata.sorted_tables] + ["dbos.workflow_status"]
            for table in reversed(tables):
                db.execute(text(f"delete from {table}"))
        yield opened
        jobs.close_queues()
        return
    opened = open_database(request.getfixturevalue("sqlite_url"))
    metadata.create_all(opened.engine)
    jobs.open_queue(opened)
    yield opened
    jobs.close_queues()
    opened.dispose()


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Iterator[archive.Store]:
    """An empty archive."""
    blobs = LocalBlobs(tmp_path / "blobs")
    yield archive.Store(database, blobs, archive.ArchiveSettings())
    blobs.close()


@pytest.fixture
def db(database: Database) -> Iterator[Db]:
    """One transaction, begun when it is first used: what a use case does within it is seen at once."""
    with database.engine.connect() as db:
        yield db


@pytest.fixture
def radiologist() -> access.Person:
    return access.Person("p1", "Dr Ada Adams", "adams", frozenset({"radiologist"}), "main")


@pytest.fixture
def colleague() -> access.Person:
    return access.Person("p3", "Dr Bo Brandt", "brandt", frozenset({"radiologist"}), "main")


@pytest.fixture
def technologist() -> access.Person:
    return access.Person("p2", "Tom Technologist", "tom", frozenset({"technologist"}), "main")


def make_slice(number: int, study: str, series: str, **overrides: Any) -> bytes:
    """Return a CT slice of 16 by 16 pixels as Part 10 bytes, 5 mm from the one before."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, UID(f"{series}.{number}")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = f"{study}.9", ""
    ds.PatientName, ds.PatientID = "Lovelace^Ada", "4711"
    ds.PatientBirthDate, ds.PatientSex = "19600102", "F"
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.StudyID = FIRST, "101500", "A1", "1"
    ds.ReferringPhysicianName = "Byron^George"
    ds.Modality, ds.BodyPartExamined, ds.SeriesNumber, ds.InstanceNumber = "CT", "CHEST", 1, number
    ds.StudyDescription, ds.SeriesDescription = "CT chest", "lung"
    ds.Manufacturer = "Made up"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 5.0 * number], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness = [2.0, 2.0], 5.0
    ds.Rows = ds.Columns = 16
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "HU"
    ds.PixelData = (np.arange(256, dtype="<i2") - 1000 + number).tobytes()
    for name, value in overrides.items():
        setattr(ds, name, value)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture
def receive(store: archive.Store) -> Callable[..., str]:
    """Take a series into the archive; return its study's UID."""
    source = archive.Source("import", "test", access.operator("tester"))

    def receive(
        study: str = "1.2.3", date: str = FIRST, *, series: str = "", slices: int = 4, **overrides: Any
    ) -> str:
        uid = series or f"{study}.1"
        made = (make_slice(n, study, uid, StudyDate=date, **overrides) for n in range(1, slices + 1))
        outcomes = archive.take_in(store, [archive.Incoming("a slice", data) for data in made], source)
        assert {outcome.status for outcome in outcomes} <= {"stored", "held"}
        return study

    return receive


@dataclass(frozen=True, slots=True)
class Clinic:
    """Says what a model or a comparison would say, in the database that the test looks at."""

    store: archive.Store
    db: Db

    def patient_of(self, study: str) -> str:
        return archive.get_study(self.db, study).patient

    def propose(
        self, study: str, *lengths_mm: float, run: str = "", side: str = "R", mask: bool = False
    ) -> list[findings.Finding]:
        """Propose a nodule of each length; each lies 10 mm from the one before."""
        run = run or f"run-{study}"
        found = [self.nodule(study, i, mm, run, side, mask=mask) for i, mm in enumerate(lengths_mm)]
        source = findings.Source(
            findings.SourceKind.MODEL, "chest-ct-nodules", "1.0.0", run, "a" * 64, "b" * 64
        )
        patient = self.patient_of(study)
        return findings.propose_findings(self.db, study, patient, source, found, by=access.SYSTEM)

    def nodule(self, study: str, index: int, mm: float, run: str, side: str, *, mask: bool) -> findings.Found:
        lies = {"R": "right", "L": "left"}[side]
        key = f"masks/{run}/{index}.npz" if mask else None
        if key:
            file = BytesIO()
            box = np.ones((2, 2, 2), dtype=bool)
            np.savez_compressed(file, mask=box, offset_zyx=np.array([1, 2 + 5 * index, 2]))
            self.store.blobs.put_if_absent(key, file.getvalue())
        method = "made up for a test"
        volume = 0.4 * mm**3
        point = (5.0, 5.0 + 10 * index, 12.5)
        return findings.Found(
            kind="lung-nodule",
            label=f"{lies} lung, upper third, nodule",
            series_uid=f"{study}.1",
            sop_uid=f"{study}.1.2",
            frame_of_reference_uid=f"{study}.9",
            centre_lps_mm=point,
            values={
                "volume": Quantity(volume, "mm3", method, 0.9 * volume, 1.1 * volume),
                "long_axis": Quantity(mm, "mm", method),
                "short_axis": Quantity(0.8 * mm, "mm", method),
                "mean_hu": Quantity(-20.0, "[hnsf'U]", method),
            },
            outline=findings.Outline((), ((2.0, 2.0, 10.0), (2.0 + mm, 2.0, 10.0))),
            why="round and denser than lung",
            laterality=side,
            score=0.9,
            mask_key=key,
        )

    def compare(
        self, study: str, prior: str, *changes: timeline.Change, verdict: str = "good"
    ) -> timeline.Comparison:
        """Keep a comparison that found these changes."""
        grid = {
            "shape_zyx": [1, 1, 1],
            "spacing_xyz_mm": [1.0, 1.0, 1.0],
            "origin_lps_mm": [0.0, 0.0, 0.0],
            "directions": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        }
        alignment = timeline.AlignmentSummary(
            verdict,
            "all tests passed",
            (),
            "made up",
            "alignments/x.npz",
            None if verdict == "failed" else grid,
        )
        comparison = timeline.Comparison(
            id=f"{study}/{prior}"[:64],
            study_uid=study,
            prior_uid=prior,
            patient=self.patient_of(study),
            study_series_uid=f"{study}.1",
            prior_series_uid=f"{prior}.1",
            why="same region · same modality",
            days=182,
            alignment=alignment,
            changes=changes,
            at=clock.now(),
        )
        timeline.record_comparison(self.db, comparison, by=access.SYSTEM)
        return comparison


@pytest.fixture
def clinic(store: archive.Store, db: Db) -> Clinic:
    return Clinic(store, db)


def change(
    current: findings.Finding | None, prior: findings.Finding | None, kind: str, **facts: Any
) -> timeline.Change:
    """Return what became of a lesion, grown by half in 300 days unless told otherwise."""
    measured = kind in ("grown", "shrunk", "stable")
    told: dict[str, Any] = {
        "current": current.id if current else None,
        "prior": prior.id if prior else None,
        "kind": kind,
        "percent": 50.0 if measured else None,
        "low": 30.0 if measured else None,
        "high": 75.0 if measured else None,
        "doubling_days": 300.0 if kind == "grown" else None,
        "doubling_low": 200.0 if kind == "grown" else None,
        "doubling_high": 500.0 if kind == "grown" else None,
        "text": f"nodule {kind} since then",
        "reason": f"said to be {kind}",
        "linked": current is not None and prior is not None,
    }
    return timeline.Change(**{**told, **facts})


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Client:
    """Sends requests to the application in this process, with a person's token."""

    def __init__(self, app: Any, token: str) -> None:
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            opened = httpx.AsyncClient(
                transport=self._transport, base_url="http://pacs.example", headers=self._headers
            )
            async with opened as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **options)


@pytest.fixture
def reads(database: Database) -> Iterator[audit.ReadLog]:
    """The log of who looked at what; it is written when a test flushes it."""
    log = audit.ReadLog(database)
    audit.use(log)
    yield log
    audit.use(None)


@pytest.fixture
def log_in(store: archive.Store, reads: audit.ReadLog) -> Callable[[str], Client]:
    """An HTTP client of a person in a role; of nobody when none is given."""
    app = build_api()
    app.router.routes.append(Mount("/fhir", routes=fhir_routes.build()))
    app.state.database, app.state.store = store.database, store
    app.state.display = display.open_context(store, display.DisplaySettings())
    by = access.operator("tester")

    def log_in(role: str = "") -> Client:
        if not role:
            return Client(app, "")
        with store.database.transaction() as db:
            identity.create_user(db, role, f"Dr {role.title()}", frozenset({role}), by=by)
            return Client(app, identity.create_token(db, role, by=by))

    return log_in
