"""Another archive for tests: DCMTK's dcmqrscp on loopback, which gives by C-GET and sends by C-MOVE."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TITLE = "QRSCP"


@dataclass(frozen=True, slots=True)
class Archive:
    """Where it listens, and the folder to send from."""

    port: int
    folder: Path

    def put(self, *contents: bytes) -> None:
        """Store objects in it, by C-STORE."""
        for number, content in enumerate(contents):
            (self.folder / f"{number}.dcm").write_bytes(content)
        files = sorted(str(path) for path in self.folder.glob("*.dcm"))
        address = ["-aec", TITLE, "127.0.0.1", str(self.port)]
        subprocess.run(["storescu", *address, *files], check=True, capture_output=True, timeout=60)


StartArchive = Callable[[int], Archive]


@pytest.fixture
def dcmqrscp(tmp_path: Path) -> Iterator[StartArchive]:
    """Start one that knows us at a port; skips where DCMTK is not installed."""
    if shutil.which("dcmqrscp") is None or shutil.which("storescu") is None:
        pytest.skip("dcmqrscp of DCMTK is not installed: apt-get install dcmtk")
    running: list[subprocess.Popen[bytes]] = []

    def start(our_port: int) -> Archive:
        from tests.conftest import free_port

        port, folder = free_port(), tmp_path / "qrscp"
        (folder / "db").mkdir(parents=True)
        (folder / "sent").mkdir()
        configuration = folder / "dcmqrscp.cfg"
        configuration.write_text(_configuration(port, our_port, folder / "db"))
        running.append(
            subprocess.Popen(
                ["dcmqrscp", "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        )
        _wait_for(port)
        return Archive(port, folder / "sent")

    yield start
    for program in running:
        program.terminate()
        program.wait(timeout=10)


def _configuration(port: int, our_port: int, database: Path) -> str:
    return f"""
NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
sightline = (SIGHTLINE, localhost, {our_port})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{TITLE} {database} RW (200, 1024mb) ANY
AETable END
"""


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("dcmqrscp did not start")
