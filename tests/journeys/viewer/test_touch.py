"""On a phone and a tablet, as emulated: one finger scrolls, two enlarge, and nothing is cut off."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.viewer import phantoms
from tests.journeys.viewer.conftest import logged_in
from tests.journeys.viewer.seeing import Reader

pytestmark = pytest.mark.journey

# What sticks out of the screen, by its class or text.
CUT_OFF = """() => [...document.querySelectorAll('header *, .pane, .pane .corner, footer, .tools button')]
  .filter((e) => { const b = e.getBoundingClientRect();
                   let p = e.parentElement;
                   while (p && !/(auto|scroll)/.test(getComputedStyle(p).overflowX)) p = p.parentElement;
                   return b.width > 0 && !p && (b.right > innerWidth + 1 || b.left < -1); })
  .map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 30)}`)"""


@pytest.fixture(params=[(390, 844), (1024, 1366)], ids=["phone", "tablet"])
def hand(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Reader]:
    """A reader with a screen to touch."""
    width, height = request.param
    size = {"width": width, "height": height}
    context = logged_in(browser, address, viewport=size, has_touch=True, is_mobile=True)
    yield Reader(context.new_page())
    context.close()


class Fingers:
    """Fingers on the middle of the first pane."""

    def __init__(self, reader: Reader) -> None:
        self._page = reader.page
        self._wire = reader.page.context.new_cdp_session(reader.page)
        box = reader.page.locator("[data-pane=current] .stack").bounding_box()
        assert box is not None
        self.x, self.y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def move(self, *paths: tuple[tuple[float, float], tuple[float, float]], steps: int = 8) -> None:
        """Put down a finger at each first place and move all to their second, from the middle of the pane."""
        for k in range(steps + 1):
            at = [
                {"x": self.x + a + (c - a) * k / steps, "y": self.y + b + (d - b) * k / steps, "id": n}
                for n, ((a, b), (c, d)) in enumerate(paths)
            ]
            self._send("touchMove" if k else "touchStart", at)
            self._page.wait_for_timeout(40)
        self._send("touchEnd", [])
        self._page.wait_for_timeout(500)

    def _send(self, kind: str, points: list[dict[str, float]]) -> None:
        self._wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def scale(reader: Reader) -> float:
    """Return the pixels of the scale bar for each mm that it stands for."""
    bar = reader.page.locator("[data-pane=current] .scale")
    value, unit = bar.inner_text().split()
    return float(str(bar.evaluate("e => e.getBoundingClientRect().width"))) / (
        float(value) * {"mm": 1, "cm": 10}[unit]
    )


def image(reader: Reader) -> int:
    found = re.search(r"Im (\d+)/", reader.words())
    assert found
    return int(found[1])


def test_one_finger_scrolls_and_two_enlarge(hand: Reader) -> None:
    hand.open(phantoms.RODS)
    fingers = Fingers(hand)
    before = image(hand)
    fingers.move(((0, -50), (0, 50)))
    assert image(hand) > before

    before, small = image(hand), scale(hand)
    fingers.move(((-20, 0), (-90, 0)), ((20, 0), (90, 0)))
    assert scale(hand) > 1.3 * small
    assert image(hand) == before


def test_nothing_is_cut_off_and_the_image_has_most_of_the_screen(hand: Reader) -> None:
    hand.open(phantoms.RODS)
    size = hand.page.viewport_size
    assert size is not None
    hand.page.wait_for_timeout(500)

    assert hand.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert hand.page.evaluate(CUT_OFF) == []
    box = hand.page.locator("[data-pane=current]").bounding_box()
    assert box is not None
    assert box["width"] > 0.95 * size["width"]
    assert box["height"] > 0.4 * size["height"]
