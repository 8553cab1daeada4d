"""Sightline to measure: `with sightline() as server:` runs `sightline serve` as in production.

Access control, audit, logging, jobs and HTTP are on; only the folder and the ports are its own.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.peers.orthanc import BOUNDED_S, free_port

TITLE = "SIGHTLINE"
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Sightline:
    """A running server."""

    folder: Path
    dicom_port: int
    http_port: int
    pid: int

    @property
    def dicom_web(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/dicom-web"


@contextmanager
def sightline(
    folder: Path | None = None,
    *,
    keep: Path | None = None,
    program: Sequence[str] = ("-m", "sightline"),
    **settings: str,
) -> Iterator[Sightline]:
    """Run the server in a folder of its own under `folder`, or in `keep`; `settings` are environment."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="sightline-") as own:
        data = keep or Path(own) / "data"
        dicom_port, http_port = free_port(), free_port()
        command = [sys.executable, *program, "serve", "--data", str(data)]
        command += ["--http-port", str(http_port), "--dicom-port", str(dicom_port)]
        with (Path(own) / "log").open("wb") as log:
            process = subprocess.Popen(
                [shutil.which("timeout") or "timeout", str(BOUNDED_S), *command],
                stdout=log,
                stderr=log,
                env=os.environ | {"SIGHTLINE_ADMIN_PASSWORD": PASSWORD} | settings,
                start_new_session=True,
            )
        try:
            _await(process, http_port, Path(own) / "log")
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            yield Sightline(data, dicom_port, http_port, int(children[0]))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"sightline did not start:\n{log.read_text(errors='replace')[-3000:]}")
        with suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
            return
        time.sleep(0.1)
    sys.exit("sightline did not answer within 120 s.")
