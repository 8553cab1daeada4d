"""Take the pictures of docs/guides/viewer.md anew, of simulated and generated data only.

PYTHONPATH=. .venv/bin/python -m tests.journeys.viewer.guide_pictures
"""

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from sightline.app.demo import simulated
from tests.journeys.viewer import phantoms
from tests.journeys.viewer.conftest import FLAGS, SOFTWARE_WEBGL, logged_in
from tests.journeys.viewer.seeing import Reader
from tests.pictures.looking import serving

IMAGES = Path(__file__).parents[3] / "docs" / "guides" / "images"
NEWEST = simulated.uid("study", simulated.VISITS[-1])
MOST_BYTES = 120_000
COMPARED_S = 280


def keep(reader: Reader, name: str) -> None:
    """Keep what is on the screen, packed until it is small enough."""
    picture = Image.open(io.BytesIO(reader.page.screenshot())).convert("RGB")
    for quality in (85, 70, 55, 40):
        packed = io.BytesIO()
        picture.save(packed, "WEBP", quality=quality, method=6)
        if packed.tell() <= MOST_BYTES:
            break
    (IMAGES / f"viewer-{name}.webp").write_bytes(packed.getvalue())


def take(reader: Reader) -> None:
    """Go through the viewer and keep what it looks like."""
    page = reader.page
    for _ in range(COMPARED_S):
        if page.request.get(f"/api/studies/{NEWEST}/reading").json().get("comparison"):
            break
        page.wait_for_timeout(1000)
    reader.open(NEWEST)
    reader.until("performance.getEntriesByName('prior-aligned').length > 0")
    page.wait_for_timeout(1500)
    keep(reader, "reading")
    page.get_by_role("button", name="All tools").click()
    page.wait_for_timeout(300)
    keep(reader, "tools")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.wait_for_timeout(300)
    keep(reader, "palette")
    page.keyboard.press("Escape")
    reader.open(phantoms.RODS)
    page.keyboard.press("3")
    picture = reader.picture()
    page.keyboard.press("l")
    reader.drag(picture, (120, 120), (520, 300))
    page.keyboard.press("o")
    reader.drag(picture, (600, 330), (760, 420))
    page.wait_for_timeout(500)
    keep(reader, "measuring")
    page.keyboard.press("M")
    page.wait_for_timeout(6000)
    keep(reader, "planes")


def main() -> None:
    """Serve the data, and take the pictures with the system's Chromium."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sightline-guide-") as folder:
        source = Path(folder, "source")
        phantoms.write_all(source / "phantoms")
        simulated.write_patient(source / "patient")
        with serving(Path(folder), source) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=[*FLAGS, SOFTWARE_WEBGL]
            )
            take(Reader(logged_in(browser, address, viewport={"width": 1440, "height": 900}).new_page()))
            browser.close()


if __name__ == "__main__":
    main()
