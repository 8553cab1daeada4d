"""Without a graphics processor the viewer still shows an image everywhere, or says why not."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.viewer import phantoms
from tests.journeys.viewer.conftest import FLAGS, logged_in
from tests.journeys.viewer.seeing import Reader

pytestmark = pytest.mark.journey

NO_WEBGL = ["--disable-gpu", "--disable-software-rasterizer", "--disable-3d-apis"]
# How bright the brightest pixel of the server's picture is; -1 before there is one.
BRIGHTEST = """() => {
  const image = document.querySelector('[data-pane=current] img.server-picture');
  if (!image?.naturalWidth) return -1;
  const copy = document.createElement('canvas');
  copy.width = image.naturalWidth; copy.height = image.naturalHeight;
  const ink = copy.getContext('2d');
  ink.drawImage(image, 0, 0);
  const { data } = ink.getImageData(0, 0, copy.width, copy.height);
  return data.reduce((most, value, k) => (k % 4 === 3 ? most : Math.max(most, value)), 0);
}"""


@pytest.fixture
def without(playwright: Any, chromium_program: str, address: str) -> Iterator[Reader]:
    """A reader whose browser has no WebGL at all."""
    browser = playwright.chromium.launch(executable_path=chromium_program, args=[*FLAGS, *NO_WEBGL])
    page = logged_in(browser, address, viewport={"width": 1280, "height": 720}).new_page()
    assert page.evaluate("document.createElement('canvas').getContext('webgl2')") is None
    yield Reader(page)
    browser.close()


def is_seen(reader: Reader, words: str) -> None:
    """Hold that the picture of the server is bright somewhere, fills its pane, and is not stretched."""
    for _ in range(100):
        if (brightest := reader.page.evaluate(BRIGHTEST)) > 0:
            break
        reader.page.wait_for_timeout(100)
    assert brightest > 50, words
    pane = reader.page.locator("[data-pane=current] .stack").bounding_box()
    picture = reader.page.locator("[data-pane=current] img.server-picture")
    assert picture.bounding_box() == pane, f"{words} lies outside its pane"
    assert pane is not None
    columns, rows = picture.evaluate("e => [e.naturalWidth, e.naturalHeight]")
    assert columns / rows == pytest.approx(pane["width"] / pane["height"], rel=0.01), f"{words} is stretched"


def test_without_webgl_slices_are_shown_and_planes_and_volume_come_from_the_server(without: Reader) -> None:
    without.open(phantoms.RODS)
    without.page.keyboard.press("3")
    assert without.picture().grey.max() > 50

    for words in ("Axial plane", "Sagittal plane", "Coronal plane", "Oblique plane", "Volume"):
        without.show_as(words)
        without.until_shown()
        is_seen(without, words)


def test_with_software_webgl_the_volume_comes_from_the_server(reader: Reader) -> None:
    reader.open(phantoms.RODS)
    reader.show_as("Volume")
    reader.until_shown()

    is_seen(reader, "Volume")
