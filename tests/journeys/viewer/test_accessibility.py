"""No violations of axe-core on any page, large or small; keys reach every control, the focus is seen."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from sightline.app.demo import simulated
from tests.journeys.viewer import phantoms
from tests.journeys.viewer.conftest import logged_in
from tests.journeys.viewer.seeing import Reader

pytestmark = pytest.mark.journey

NEWEST = simulated.uid("study", simulated.VISITS[-1])
SIZES = [(1920, 1080), (390, 844)]
# Each violation as its rule and the first elements it concerns.
FAULTS = """async () => (await axe.run(document)).violations.map(
  (v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`)"""
FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  const name = e.getAttribute('aria-label') || e.title || e.innerText || e.getAttribute('name') || e.tagName;
  return { name: `${e.tagName.toLowerCase()} ${name.slice(0, 50)}`, ring: ring || style.boxShadow !== 'none',
           seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight &&
                 box.right > 0 && box.left < innerWidth };
}"""


def faults(page: Page, axe: str) -> list[str]:
    page.wait_for_timeout(400)
    page.evaluate(axe)
    found: list[str] = page.evaluate(FAULTS)
    return found


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def sized(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Reader]:
    width, height = request.param
    context = logged_in(browser, address, viewport={"width": width, "height": height})
    yield Reader(context.new_page())
    context.close()


def test_pages_have_no_violations(sized: Reader, axe: str, browser: Any, address: str) -> None:
    page, found = sized.page, {}
    for name in ("worklist", "archive"):
        page.goto(f"/{name}")
        page.get_by_role("grid").wait_for()
        found[name] = faults(page, axe)
    patient = page.request.get(f"/api/studies/{NEWEST}/reading").json()["study"]["patient"]["id"]
    page.goto(f"/patient/{patient}")
    page.wait_for_timeout(1500)
    found["timeline"] = faults(page, axe)
    stranger = browser.new_context(base_url=address, viewport=page.viewport_size)
    login = stranger.new_page()
    login.goto("/login")
    found["login"] = faults(login, axe)
    stranger.close()

    assert {name: each for name, each in found.items() if each} == {}


def test_the_reading_page_has_no_violations(sized: Reader, axe: str) -> None:
    page, found = sized.page, {}
    sized.open(phantoms.RODS)
    found["single"] = faults(page, axe)
    if (page.viewport_size or {})["width"] > 1000:
        for menu in ("All tools", "Layout", "How this pane is shown"):
            page.get_by_role("button", name=menu).first.click()
            found[menu] = faults(page, axe)
            page.keyboard.press("Escape")
        page.keyboard.press("Alt+3")
        page.wait_for_timeout(1000)
        found["2 × 2"] = faults(page, axe)
    page.keyboard.press("Control+k")
    found["palette"] = faults(page, axe)

    assert {name: each for name, each in found.items() if each} == {}


def test_tab_goes_through_every_control_of_the_reading_page_and_the_focus_is_seen(reader: Reader) -> None:
    page = reader.page
    reader.open(phantoms.RODS)
    controls = page.locator(
        "a[href]:visible, button:visible:not([disabled]):not([tabindex='-1']), .canvas[tabindex='0']:visible"
    ).count()
    seen: list[dict[str, Any]] = []
    for _ in range(controls + 25):
        page.keyboard.press("Tab")
        if at := page.evaluate(FOCUS):
            seen.append(at)

    assert len({each["name"] for each in seen}) >= 0.6 * controls  # some controls share a name
    assert [each["name"] for each in seen if not each["seen"]] == []
    assert sorted({each["name"] for each in seen if not each["ring"]}) == []
