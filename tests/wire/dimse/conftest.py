"""The archive as an application entity, with all its services, and DCMTK as its peer."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sightline.record import archive
from sightline.runtime.settings import ServerSettings
from sightline.trust import access, audit
from sightline.wire import dimse, peers

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def read_log(store: archive.Store) -> Iterator[audit.ReadLog]:
    log = audit.ReadLog(store.database)
    audit.use(log)
    yield log
    audit.use(None)


@pytest.fixture
def archive_ae(store: archive.Store, read_log: audit.ReadLog) -> Iterator[peers.Peer]:
    """Our archive, listening; as a peer sees it."""
    listener = dimse.Listener(store, ServerSettings(dicom_port=0))
    listener.start()
    yield peers.Peer("SIGHTLINE", "127.0.0.1", listener.port, acse_timeout_s=10, dimse_timeout_s=10)
    listener.stop()


@pytest.fixture
def make_known(store: archive.Store) -> Callable[..., peers.Peer]:
    """Put a peer into the list."""

    def make_known(title: str, port: int = 104, host: str = "127.0.0.1", **more: Any) -> peers.Peer:
        peer = peers.Peer(title, host, port, **{"acse_timeout_s": 5, "dimse_timeout_s": 10, **more})
        with store.database.transaction() as db:
            peers.put_peer(db, peer, by=access.operator("tester"))
        peers.forget_list(store.database)
        return peer

    return make_known


@pytest.fixture
def dcmtk(archive_ae: peers.Peer) -> Run:
    """Run one of DCMTK's programs against the archive."""

    def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        if shutil.which(program) is None:
            pytest.skip(f"{program} of DCMTK is not installed")
        address = ["-aec", archive_ae.title, archive_ae.host, str(archive_ae.port)]
        command = [program, "-v", *arguments[:1], *address, *arguments[1:]]
        return subprocess.run(command, capture_output=True, timeout=60, check=False)

    return run


@pytest.fixture
def receiver(
    tmp_path: Path, make_known: Callable[..., peers.Peer]
) -> Iterator[Callable[..., tuple[peers.Peer, Path]]]:
    """Start DCMTK's storescp as a known peer; gives the peer and the folder that it stores into."""
    running: list[subprocess.Popen[bytes]] = []

    def start(title: str = "DEST", *options: str) -> tuple[peers.Peer, Path]:
        if shutil.which("storescp") is None:
            pytest.skip("storescp of DCMTK is not installed")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        folder = tmp_path / title
        folder.mkdir()
        program = subprocess.Popen(
            ["storescp", *options, "-od", str(folder), str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        running.append(program)
        _wait_for(port)
        return make_known(title, port), folder

    yield start
    for program in running:
        program.terminate()
        program.wait(timeout=10)


def _wait_for(port: int) -> None:
    import time

    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("storescp did not start")
