"""Whichever earlier study is put beside the current one is aligned on the spot; radiographs in the plane.

A server of its own, with studies for which no model is asked.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.care.clinic import FIRST, SECOND, THIRD
from tests.care.hybrids import hybrid
from tests.journeys.viewer import phantoms
from tests.journeys.viewer.conftest import logged_in
from tests.journeys.viewer.seeing import Reader
from tests.pictures.looking import serving
from tests.proofs import LONG

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900), LONG]

ROOT = "1.2.826.0.1.3680043.8.498.79"
VISITS = {f"{ROOT}.{n}": date for n, date in enumerate((FIRST, SECOND, THIRD), 1)}
OLDEST, _, NEWEST = VISITS
VERDICT = ".verdict:not(#priors)"
PLACEMENT = "window.sightlineViewer.imageToCanvas('{pane}', {column}, {row})"
COLUMN = """(() => {
  const ink = document.querySelector('.prior-over canvas').getContext('2d');
  return [...ink.getImageData(100, 60, 1, 80).data].filter((_, k) => k % 4 === 0);
})()"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("beside")
    source = folder / "source"
    phantoms.write(source / "radiographs", phantoms.radiographs_over_time())
    for n, (study, date) in enumerate(VISITS.items()):
        images = hybrid(study, date, (4.0 * n, -4.0 * n, 7.5 * n))
        for k, content in enumerate(images):
            (source / f"{n}-{k}.dcm").write_bytes(content)
    with serving(folder, source) as address:
        yield address


@pytest.fixture
def reader(browser: Any, address: str) -> Iterator[Reader]:
    context = logged_in(browser, address, viewport={"width": 1600, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield Reader(page)
    context.close()
    assert problems == []


def open_aligned(reader: Reader, study: str) -> None:
    """Open a study until its own comparison is there."""
    for _ in range(60):
        reader.open(study)
        reader.page.wait_for_timeout(1000)
        if "alignment" in reader.page.locator(VERDICT).inner_text():
            return
        reader.page.wait_for_timeout(4000)
    pytest.fail("the study was never aligned with its prior")


def test_any_earlier_study_is_aligned_on_the_spot_and_the_comparison_stays(reader: Reader) -> None:
    page = reader.page
    open_aligned(reader, NEWEST)
    before = page.request.get(f"/api/studies/{NEWEST}/reading").json()["comparison"]
    assert before["prior_uid"] != OLDEST
    page.keyboard.press("Alt+p")
    page.locator("#priors-list .ranked button").last.click()
    expect(page.locator(VERDICT)).to_contain_text("aligning …")
    expect(page.locator("[data-pane=prior]")).to_contain_text("not aligned")
    expect(page.locator(VERDICT)).to_contain_text("alignment", timeout=300_000)
    expect(page.locator("[data-pane=prior]")).to_contain_text("linked by alignment")

    told = page.request.get(f"/api/studies/{NEWEST}/priors/{OLDEST}/alignment").json()
    assert told["status"] == "done"
    assert told["alignment"]["verdict"] in ("good", "care")
    after = page.request.get(f"/api/studies/{NEWEST}/reading").json()["comparison"]
    assert after == before
    kept = page.request.get(f"/dicom-web/studies/{NEWEST}/series?Modality=REG").json()
    assert len(kept) == 1, "the alignment with the best prior, not the one on the spot"

    page.reload()
    reader.until_shown()
    page.keyboard.press("Alt+p")
    page.locator("#priors-list .ranked button").last.click()
    expect(page.locator(VERDICT)).to_contain_text("alignment", timeout=20_000)  # it was kept


def test_pet_now_and_pet_then_are_linked_and_laid_over_each_other(reader: Reader) -> None:
    page = reader.page
    open_aligned(reader, NEWEST)
    reader.until_shown("prior")
    for pane, kind in (("current", ""), ("prior", ".of-prior")):
        page.locator(f"[data-pane={pane}] .canvas").focus()
        page.locator(f".series-thumb{kind or ':not(.of-prior)'}").nth(1).click()
        reader.until(f"document.querySelector('[data-pane={pane}]').innerText.includes('PET')")
        reader.until_shown(pane)
    expect(page.locator("[data-pane=prior]")).to_contain_text("linked by alignment")
    page.locator("[data-pane=current] .canvas").focus()
    page.keyboard.press("Alt+x")
    reader.until("document.querySelector('.prior-over.swipe canvas')?.width === 20")
    page.keyboard.press("v")
    expect(page.locator("#verdict-tests")).to_contain_text("of the image within the aligned one")


def at(reader: Reader, pane: str, column: float, row: float) -> np.ndarray:
    """Return where a pixel is drawn in a pane, from the pane's corner."""
    return np.array(reader.page.evaluate(PLACEMENT.format(pane=pane, column=column, row=row)))


def test_radiographs_of_one_person_pan_and_zoom_together_and_are_swiped(reader: Reader) -> None:
    page = reader.page
    open_aligned(reader, phantoms.FILM_NOW)
    expect(page.locator(VERDICT)).to_contain_text("alignment good")
    reader.until_shown("prior")
    expect(page.locator("[data-pane=prior]")).to_contain_text("linked by alignment")

    page.locator("[data-pane=current] .canvas").focus()
    for _ in range(3):
        page.keyboard.press("+")
    page.wait_for_timeout(500)
    moved = np.array(phantoms.MOVED_MM) / phantoms.PICTURE_MM
    now, then = at(reader, "current", 100, 100), at(reader, "prior", *(100 + moved))
    assert then == pytest.approx(now, abs=4)

    page.keyboard.press("Alt+x")
    reader.until("document.querySelector('.prior-over.swipe canvas')?.width > 0")
    current = reader.picture().grey
    over = page.evaluate(COLUMN)
    places = [at(reader, "current", 100.5, 60.5 + n) for n in range(80)]
    seen = [(v, current[int(y), int(x)]) for v, (x, y) in zip(over, places, strict=True) if y < len(current)]
    assert np.corrcoef(np.array(seen).T)[0, 1] > 0.9
