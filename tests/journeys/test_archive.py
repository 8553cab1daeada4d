"""What a PACS administrator does in the browser: take in, find, put right, throw away, get back."""

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Page, expect
from pydicom.data import get_testdata_file

from sightline.app.http import STATIC
from tests.journeys.conftest import Running
from tests.pictures.looking import PASSWORD, serving

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`sightline serve` on an empty folder."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the web app is not built: run make setup")
    folder = tmp_path_factory.mktemp("archive")
    with serving(folder) as address:
        yield Running(address, folder / "data", PASSWORD)


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
