"""What changed since the prior is mapped, laid over the image, and gone through by keys."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sightline.app.demo import simulated
from tests.journeys.viewer import phantoms
from tests.journeys.viewer.seeing import Reader
from tests.journeys.viewer.test_accessibility import faults
from tests.proofs import LONG

pytestmark = pytest.mark.journey

NEWEST = simulated.uid("study", simulated.VISITS[-1])
ALIGNED = "performance.getEntriesByName('prior-aligned').length > 0"
# How many pixels of the map over the current pane are warm, and how many cool.
PAINTED = """() => {
  let warm = 0, cool = 0, all = 0;
  for (const canvas of document.querySelectorAll('[data-pane=current] canvas.laid-over')) {
    if (!canvas.width) continue;
    all += canvas.width * canvas.height;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    for (let k = 0; k < data.length; k += 4)
      if (data[k + 3] > 20) { if (data[k] > data[k + 2]) warm++; else cool++; }
  }
  return { warm, cool, all };
}"""
MADE_S = 600
PLACE = re.compile(r"(more|less)[\s\S]*[+−]\d[\s\S]*HU[\s\S]*(mm³|ml)[\s\S]*q ")


def status(page: Page) -> dict[str, Any]:
    answer: dict[str, Any] = page.request.get(f"/api/studies/{NEWEST}/change-map").json()
    return answer


@pytest.fixture
def compared(reader: Reader) -> Reader:
    """A reader before the newest study, compared with its prior."""
    reader.open(NEWEST)
    reader.until(ALIGNED, 60)
    return reader


@LONG
def test_the_change_is_mapped_seen_and_gone_through_by_keys(compared: Reader, axe: str) -> None:
    page = compared.page
    panel = page.get_by_role("region", name="Map of change")
    expect(panel.get_by_role("button", name="Map what changed")).to_be_visible()
    page.keyboard.press("Alt+m")
    expect(panel).to_contain_text(re.compile("queued|being made"))
    compared.open(NEWEST)  # what was asked for outlives the page
    expect(panel.get_by_role("button", name="Change", exact=True)).to_be_visible(timeout=MADE_S * 1000)
    assert page.locator("canvas.laid-over").count() == 0, "nothing is laid over before it is asked for"

    told = status(page)
    page.keyboard.press("Alt+]")
    places = panel.get_by_role("list", name="Places that changed").get_by_role("listitem")
    expect(places).to_have_count(len(told["clusters"]))
    expect(places.first).to_contain_text(PLACE)
    expect(places.first.get_by_role("button")).to_have_attribute("aria-current", "true")
    expect(panel).to_contain_text("A place that is not marked is not shown to be unchanged.")
    laid_over = f"(({PAINTED})().warm + ({PAINTED})().cool) > 10"
    compared.until(laid_over)
    painted = page.evaluate(PAINTED)
    assert painted["warm" if told["clusters"][0]["sign"] == "increase" else "cool"] > 10
    assert painted["warm"] + painted["cool"] < 0.05 * painted["all"], "clear where nothing changed"
    expect(page.locator("[data-pane=current] .changed-ring.selected")).to_have_count(1)
    expect(page.locator("[data-pane=current] .legend")).to_contain_text("standard deviations of noise")
    assert faults(page, axe) == []

    page.keyboard.press("Alt+g")
    expect(page.locator("[data-pane=current] .legend")).to_contain_text("×2")
    page.keyboard.press("Alt+m")
    page.keyboard.press("Alt+m")
    expect(page.locator("[data-pane=current] .legend")).to_have_count(0)


def test_without_a_prior_the_reader_is_told_so(reader: Reader) -> None:
    reader.open(phantoms.RODS)
    reader.page.keyboard.press("Alt+m")

    expect(reader.page.locator(".toast")).to_contain_text("There is no prior to compare with.")
    expect(reader.page.get_by_role("region", name="Map of change")).to_have_count(0)
