"""One Sightline with the phantoms and the simulated patient, one browser, for all proofs of the viewer."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sightline.app.http import STATIC
from tests.journeys.viewer import phantoms
from tests.journeys.viewer.seeing import Reader
from tests.pictures.looking import PASSWORD, serving

FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SOFTWARE_WEBGL = "--enable-unsafe-swiftshader"


@pytest.fixture(scope="session")
def address(patient_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where Sightline is served."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the web app is not built: run make setup")
    folder = tmp_path_factory.mktemp("viewer")
    source = folder / "source"
    phantoms.write_all(source / "phantoms")
    shutil.copytree(patient_data, folder / "data")
    with serving(folder, source) as address:
        yield address


@pytest.fixture(scope="session")
def chromium_program() -> str:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    return program


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """Playwright, closed with its module, since it holds an event loop that others of the run would meet."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Any, chromium_program: str) -> Iterator[Any]:
    """Chromium that draws WebGL with the processor."""
    browser = playwright.chromium.launch(executable_path=chromium_program, args=[*FLAGS, SOFTWARE_WEBGL])
    yield browser
    browser.close()


def logged_in(browser: Any, address: str, **options: Any) -> Any:
    """Return a context of a person who has logged in."""
    context = browser.new_context(base_url=address, **options)
    login = {"username": "admin", "password": PASSWORD}
    assert context.request.post("/api/session", data=login, headers={"X-Sightline": "1"}).ok
    return context


@pytest.fixture
def reader(browser: Any, address: str) -> Iterator[Reader]:
    """A reader at a small screen, which is drawn sooner; nothing may fail on his page."""
    context = logged_in(browser, address, viewport={"width": 1280, "height": 720})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield Reader(page)
    context.close()
    assert problems == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    source = Path(__file__).parents[2] / "judges" / "node_modules" / "axe-core" / "axe.min.js"
    if not source.is_file():
        pytest.skip("axe-core is not fetched: python -m tools.judges")
    return source.read_text()
