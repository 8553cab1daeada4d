"""A lesion is outlined by a click and kept, linked by a person, and seen on the aligned prior in one pane."""

import re

import pytest
from playwright.sync_api import expect

from sightline.app.demo import simulated
from tests.journeys.viewer.seeing import Reader
from tests.proofs import LONG

pytestmark = [pytest.mark.journey, LONG]  # the models and the alignment take minutes

NEWEST = simulated.uid("study", simulated.VISITS[-1])
ALIGNED = "performance.getEntriesByName('prior-aligned').length > 0"
OUTLINED = "document.querySelector('.lesion-draft')?.getAttribute('aria-busy') === 'false'"


@pytest.fixture
def reader(reader: Reader) -> Reader:
    """A reader before the newest study, analysed and compared."""
    reader.open(NEWEST)
    reader.until(ALIGNED, 60)
    reader.page.locator(".finding.selected .lesion-link").first.wait_for()
    return reader


def lesion(reader: Reader) -> tuple[float, float]:
    """Return where the selected finding is outlined, on the page."""
    box = reader.page.locator("[data-pane=current] .mark.selected:not(.draft) path").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_lesion_under_the_pointer_is_outlined_corrected_kept_and_taken_back(reader: Reader) -> None:
    page = reader.page
    before = page.locator(".finding").count()
    page.mouse.move(*lesion(reader), steps=3)
    page.keyboard.press("m")
    reader.until(OUTLINED)
    panel = page.get_by_role("region", name="Lesion at the click")
    expect(panel).to_contain_text(re.compile(r"long axis\s*1\d\.\d mm"))
    expect(panel).to_contain_text("mm³")

    x, y = lesion(reader)
    page.keyboard.down("Alt")
    page.mouse.click(x + 4, y)
    page.keyboard.up("Alt")
    expect(panel.get_by_role("button", name="Last correction back")).to_be_visible(timeout=20_000)
    page.keyboard.press("Backspace")
    expect(panel.get_by_role("button", name="Last correction back")).to_be_hidden(timeout=20_000)
    page.keyboard.press("Enter")
    expect(page.locator(".finding")).to_have_count(before + 1, timeout=20_000)
    expect(page.locator(".finding.selected")).to_contain_text("accepted")

    page.keyboard.press("Control+z")
    expect(page.locator(".finding.is-rejected").last).to_contain_text("rejected", timeout=20_000)


def test_where_nothing_stands_out_the_panel_says_so_and_what_to_do(reader: Reader) -> None:
    x, y = lesion(reader)
    reader.page.mouse.move(x - 4, y - 190, steps=3)  # in the air in front of the chest
    reader.page.keyboard.press("m")
    reader.until(OUTLINED)

    expect(reader.page.get_by_role("region", name="Lesion at the click")).to_contain_text(
        "click inside a lesion"
    )
    reader.page.keyboard.press("Escape")
    expect(reader.page.locator(".lesion-draft")).to_have_count(0)


def test_a_person_confirms_a_link_and_takes_it_back_by_keys(reader: Reader) -> None:
    link = reader.page.locator(".finding.selected .lesion-link")
    expect(link).to_contain_text("by alignment")
    reader.page.keyboard.press("Alt+s")
    expect(link).to_contain_text("same lesion as in the prior, said", timeout=20_000)
    expect(reader.page.locator(".finding.selected .limits summary")).to_contain_text("repeats vary by")

    reader.page.keyboard.press("Control+z")
    expect(link).to_contain_text("by alignment", timeout=20_000)


def test_the_aligned_prior_is_swiped_and_blinked_in_one_pane(reader: Reader) -> None:
    page = reader.page
    page.keyboard.press("Alt+x")
    reader.until("document.querySelector('.prior-over.swipe canvas')?.width > 0")
    line = page.get_by_role("slider", name="Line between current")
    page.keyboard.press("ArrowLeft")
    expect(line).to_have_attribute("aria-valuenow", "45")
    page.keyboard.press("Alt+b")
    expect(page.locator(".over-badge")).to_contain_text("prior")
    page.keyboard.press("Space")
    expect(page.locator(".over-badge")).to_contain_text("current")
    page.keyboard.press("Escape")
    expect(page.locator(".prior-over")).to_have_count(0)
