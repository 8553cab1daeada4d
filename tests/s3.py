"""A real S3 endpoint for tests: OpenStack Swift with its s3api, on loopback ports, in a temporary folder.

It checks signatures, answers ranges and conditional puts as S3 does, and needs four processes. It is started
when the first test asks for it and stopped when the test run ends.
"""

import atexit
import base64
import getpass
import hashlib
import hmac
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import pytest

ACCESS, SECRET, BUCKET = "test:tester", "testing", "sightline"
PACKAGES = "swift-proxy swift-account swift-container swift-object"
PROGRAMS = tuple(f"swift-{part}-server" for part in ("proxy", "account", "container", "object"))
START_S = 60

STORAGE = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
devices = {devices}
swift_dir = {folder}
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY = f"""
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {{port}}
workers = 0
user = {{user}}
swift_dir = {{folder}}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache s3api tempauth copy bulk slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
# The filter has to be there; a cache behind it has not.
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {SECRET} .admin
[filter:copy]
use = egg:swift#copy
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the endpoint listens and how long it took to start."""

    address: str
    started_s: float

    def use(self) -> None:
        """Name it in the environment, as an operator would; the tests put the environment back."""
        os.environ.update(
            AWS_ENDPOINT_URL=self.address,
            AWS_ACCESS_KEY_ID=ACCESS,
            AWS_SECRET_ACCESS_KEY=SECRET,
            AWS_REGION="us-east-1",
            AWS_ALLOW_HTTP="true",
        )


@pytest.fixture(scope="session")
def s3_endpoint() -> Endpoint:
    """The endpoint; skips where Swift is not installed."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"No S3 endpoint here ({', '.join(missing)} missing): apt-get install {PACKAGES}")
    return _start()


@pytest.fixture
def s3_url(s3_endpoint: Endpoint) -> Iterator[str]:
    """The address of an empty place in the endpoint's bucket."""
    s3_endpoint.use()
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@cache
def _start() -> Endpoint:
    from tests.conftest import free_port

    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="sightline-s3-"))
    processes: list[subprocess.Popen[bytes]] = []
    atexit.register(_stop, processes, folder)
    (folder / "devices" / "disk").mkdir(parents=True)
    ports = {kind: free_port() for kind in ("account", "container", "object", "proxy")}
    for kind, port in ports.items():
        if kind != "proxy":
            _make_ring(folder, kind, port)
        text = (PROXY if kind == "proxy" else STORAGE).format(
            port=port, user=getpass.getuser(), devices=folder / "devices", folder=folder, kind=kind
        )
        (folder / f"{kind}.conf").write_text(text)
        with (folder / f"{kind}.log").open("wb") as log:
            command = [f"swift-{kind}-server", str(folder / f"{kind}.conf")]
            processes.append(subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL))
    address = f"http://127.0.0.1:{ports['proxy']}"
    _make_bucket(address)
    return Endpoint(address, time.monotonic() - began)


def _make_ring(folder: Path, kind: str, port: int) -> None:
    ring = str(folder / f"{kind}.builder")
    for step in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/disk", "1"], ["rebalance"]):
        subprocess.run(["swift-ring-builder", ring, *step], capture_output=True, timeout=30, check=False)


def _make_bucket(address: str) -> None:
    """Make the bucket by a signed address (signature version 2), as soon as the endpoint answers."""
    expires = int(time.time()) + 600
    text = f"PUT\n\n\n{expires}\n/{BUCKET}".encode()
    signature = base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha1).digest()).decode()
    query = f"AWSAccessKeyId={quote(ACCESS)}&Expires={expires}&Signature={quote(signature, safe='')}"
    request = urllib.request.Request(f"{address}/{BUCKET}?{query}", method="PUT")
    deadline = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(request, timeout=20).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise TimeoutError("The S3 endpoint of the tests did not start.") from None
            time.sleep(0.2)


def _stop(processes: list[subprocess.Popen[bytes]], folder: Path) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)
