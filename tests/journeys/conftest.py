"""A running Sightline with the simulated patient analysed, and a real browser in front of it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from sightline.app.demo import simulated
from sightline.app.http import STATIC
from tests.conftest import end, free_port

PASSWORD = "correct horse battery staple"
NEWEST = simulated.uid("study", simulated.VISITS[-1])
PRIOR = simulated.uid("study", simulated.VISITS[-2])


@dataclass(frozen=True)
class Running:
    address: str
    folder: Path
    password: str


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`sightline serve` on a folder with the three simulated visits, analysed and compared."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the web app is not built: run make setup")
    folder = tmp_path_factory.mktemp("journey")
    source = tmp_path_factory.mktemp("simulated")
    simulated.write_patient(source)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SIGHTLINE_")},
        "SIGHTLINE_DATA": str(folder / "data"),
        "SIGHTLINE_ADMIN_PASSWORD": PASSWORD,
    }
    sightline = [sys.executable, "-m", "sightline"]
    subprocess.run([*sightline, "import", "--no-wait", str(source)], env=environment, check=True, timeout=120)
    port, dicom = free_port(), free_port()
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [*sightline, "serve", "--http-port", str(port), "--dicom-port", str(dicom)],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for_comparison(address, server)
        yield Running(address, folder / "data", PASSWORD)
    finally:
        end(server)


def _wait_for_comparison(address: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 480
    with httpx.Client(base_url=address, headers={"X-Sightline": "1"}) as http:
        logged_in = False
        while time.monotonic() < deadline:
            if server.poll() is not None:
                pytest.fail("the server ended by itself; see server.log")
            try:
                if not logged_in:
                    body = {"username": "admin", "password": PASSWORD}
                    logged_in = http.post("/api/session", json=body).is_success
                opened = http.get(f"/api/studies/{NEWEST}/reading").json()
                jobs = http.get("/api/status").json()["jobs"]
                if opened.get("comparison") and not jobs["waiting"] and not jobs["running"]:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.5)
    pytest.fail("the simulated patient was not analysed within 480 s")


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """The system's Chromium, driven by Playwright; closed with its module, since it holds an event loop."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: object, running: Running) -> Iterator[object]:
    """A page of a reader who has logged in by hand."""
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, base_url=running.address)  # type: ignore[attr-defined]
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto("/login")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", running.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/worklist*")
    yield page
    context.close()
    assert problems == []
