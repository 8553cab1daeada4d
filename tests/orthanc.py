"""Another archive for tests: a real Orthanc on loopback, with its DICOMweb plug-in, empty for each test."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = "Orthanc"
TITLE = "ORTHANC"
PLUGINS = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "orthanc", "not-a-secret"


@dataclass(frozen=True, slots=True)
class Orthanc:
    """Where it listens, and the few things that tests ask it for."""

    dicom_port: int
    http_port: int

    @property
    def web(self) -> str:
        """The address of its DICOMweb."""
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    def call(self, path: str, data: bytes | None = None) -> Any:
        """Call its own interface."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", data)
        import base64

        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def put(self, *contents: bytes) -> None:
        """Store objects in it."""
        for content in contents:
            self.call("/instances", content)

    def count(self) -> int:
        """Return how many instances it holds."""
        return int(self.call("/statistics")["CountInstances"])


@pytest.fixture
def orthanc() -> Iterator[Orthanc]:
    """An empty Orthanc; skips where it is not installed."""
    if shutil.which(PROGRAM) is None and not Path("/usr/sbin/Orthanc").exists():
        pytest.skip("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    if not PLUGINS.exists():
        pytest.skip("Orthanc's DICOMweb is not installed: apt-get install orthanc-dicomweb")
    from tests.conftest import free_port

    folder = Path(tempfile.mkdtemp(prefix="sightline-orthanc-"))
    found = Orthanc(free_port(), free_port())
    (folder / "orthanc.json").write_text(json.dumps(_configuration(folder, found)))
    program = shutil.which(PROGRAM) or "/usr/sbin/Orthanc"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(folder / "orthanc.json")],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TCP_NODELAY": "1"},
        )
    try:
        _wait(found, process)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _configuration(folder: Path, found: Orthanc) -> dict[str, Any]:
    return {
        "Name": "test",
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "Plugins": [str(PLUGINS)],
        "DicomAet": TITLE,
        "DicomPort": found.dicom_port,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowStore": True,
        "HttpPort": found.http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }


def _wait(found: Orthanc, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("Orthanc ended at its start.")
        try:
            found.call("/system")
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("Orthanc did not start.")
