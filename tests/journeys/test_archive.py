"""What a PACS administrator does in the browser: take in, find, put right, throw away, get back."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pydicom
import pytest
from playwright.sync_api import Page, expect
from pydicom.data import get_testdata_file

from sightline.app.http import STATIC
from tests.conftest import end, free_port
from tests.journeys.conftest import PASSWORD, Running

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`sightline serve` on an empty folder."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the web app is not built: run make setup")
    folder = tmp_path_factory.mktemp("archive")
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SIGHTLINE_")},
        "SIGHTLINE_DATA": str(folder / "data"),
        "SIGHTLINE_ADMIN_PASSWORD": PASSWORD,
    }
    port = free_port()
    ports = ["--http-port", str(port), "--dicom-port", str(free_port())]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "sightline", "serve", *ports], env=environment, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for_answer(address, server)
        yield Running(address, folder / "data", PASSWORD)
    finally:
        end(server)


def _wait_for_answer(address: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail("the server ended by itself; see server.log")
        try:
            httpx.get(f"{address}/api/session", timeout=5)
            return
        except httpx.TransportError:
            time.sleep(0.3)
    pytest.fail("the server did not answer within 120 s")


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """An image of a study without patient data of anybody."""
    image = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    image.PatientName, image.PatientID = "WEBER^Journey", "J-1"
    image.StudyDescription = "Torax"
    image.save_as(tmp_path / "scan.dcm")
    return tmp_path / "scan.dcm"


def test_a_study_comes_in_is_found_corrected_thrown_away_and_got_back(page: Page, scan: Path) -> None:
    page.on("filechooser", lambda _: None)  # from the beginning, so that the browser hands it to the test
    page.goto("/archive")
    expect(page.get_by_text("The archive is empty.")).to_be_visible()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("u")
    chooser.value.set_files(scan)
    study = page.get_by_role("grid").get_by_role("row").filter(has_text="WEBER, Journey")
    expect(study).to_be_visible(timeout=30_000)

    page.keyboard.press("/")
    page.keyboard.type("nobody")
    expect(page.get_by_text("No study matches.")).to_be_visible()
    page.locator("#archive-search").fill("web jou")
    expect(study).to_be_visible()
    page.keyboard.press("Enter")

    page.keyboard.press("e")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Description").fill("Thorax")
    dialog.get_by_label("Reason").fill("misspelt")
    page.keyboard.press("Enter")
    expect(study).to_contain_text("Thorax")
    page.keyboard.press("Control+z")
    expect(study).to_contain_text("Torax")

    page.keyboard.press("Delete")
    dialog.get_by_label("Reason").fill("a test")
    page.keyboard.press("Enter")
    expect(study).to_have_count(0)

    page.goto("/archive/trash")
    page.get_by_role("button", name="Restore the study of WEBER, Journey").click()
    expect(page.get_by_text("The trash is empty.")).to_be_visible()
    page.goto("/archive")
    expect(study).to_contain_text("Torax")
