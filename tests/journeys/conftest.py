"""A running Sightline with the simulated patient analysed, and a real browser in front of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from sightline.app.demo import simulated
from sightline.app.http import STATIC
from tests.pictures.looking import PASSWORD, serving

NEWEST = simulated.uid("study", simulated.VISITS[-1])
PRIOR = simulated.uid("study", simulated.VISITS[-2])


@dataclass(frozen=True)
class Running:
    address: str
    folder: Path
    password: str


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first has the analyses of the patient in its set-up."""
    for item in items:
        if "patient_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def patient_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the three simulated visits, analysed and compared: minutes, so copy it."""
    source = tmp_path_factory.mktemp("simulated")
    simulated.write_patient(source)
    data = tmp_path_factory.mktemp("patient") / "data"
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SIGHTLINE_")},
        "SIGHTLINE_DATA": str(data),
        "SIGHTLINE_ADMIN_PASSWORD": PASSWORD,
    }
    sightline = [sys.executable, "-m", "sightline"]
    subprocess.run([*sightline, "import", "--wait", str(source)], env=environment, check=True, timeout=540)
    shutil.rmtree(source)
    return data


@pytest.fixture(scope="module")
def running(patient_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`sightline serve` on a copy of the simulated patient."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the web app is not built: run make setup")
    folder = tmp_path_factory.mktemp("journey")
    shutil.copytree(patient_data, folder / "data")
    with serving(folder) as address:
        with httpx.Client(base_url=address, headers={"X-Sightline": "1"}) as http:
            http.post("/api/session", json={"username": "admin", "password": PASSWORD})
            assert http.get(f"/api/studies/{NEWEST}/reading").json()["comparison"]
        yield Running(address, folder / "data", PASSWORD)


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
