"""How each viewer is opened, and when its first image stands: what `against_ohif.py` drives.

Times are the browser's own. Sightline's first image is its User Timing mark `first-image`; OHIF's is the
first `CORNERSTONE_IMAGE_RENDERED` at or after the first `CORNERSTONE_STACK_NEW_IMAGE`, captured on the
document.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from bench.viewer.studies import study_uid

WINDOW = {"width": 1400, "height": 900}
PATIENCE_MS = 60_000
LOOKS_MS = 2000
NOTCH = 40  # of the wheel: one image in either viewer

WATCH = """
localStorage.setItem('shownTours', '["basicViewerTour"]');  // OHIF's, which would lie over its page
performance.setResourceTimingBufferSize(10000);
window.bench = { stacked: [], rendered: [], acted: 0 };
for (const [name, times] of [['STACK_NEW_IMAGE', bench.stacked], ['IMAGE_RENDERED', bench.rendered]])
  document.addEventListener('CORNERSTONE_' + name, () => times.push(performance.now()), true);
for (const name of ['keydown', 'click'])
  document.addEventListener(name, event => { bench.acted = event.timeStamp; }, true);
"""
FORGET = """() => {
  performance.clearMarks('first-image'); performance.clearResourceTimings();
  bench.stacked.length = bench.rendered.length = 0;
}"""
MARK = "() => performance.getEntriesByName('first-image').at(-1)?.startTime ?? null"
RENDERED = "() => bench.rendered.find(at => at >= bench.stacked[0]) ?? null"
COST = """until => {
  const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  const before = all.filter(e => e.startTime < until);
  const fetched = before.filter(e => e.transferSize > 0 && e.responseEnd <= until);
  return { requests: fetched.length, bytes: fetched.reduce((sum, e) => sum + e.transferSize, 0),
           scripts: before.map(e => new URL(e.name).pathname).filter(name => /\\.m?js$/.test(name)) };
}"""
# To the first image; then step by step of the wheel to the last and back, each time until the picture: ms.
SCROLL = """async ([selector, images, passes, turn]) => {
  const target = document.querySelector(selector), box = target.getBoundingClientRect();
  const place = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
  const wheel = deltaY => target.dispatchEvent(
    new WheelEvent('wheel', { deltaY, bubbles: true, cancelable: true, ...place }));
  const drawn = () => new Promise(requestAnimationFrame);
  for (let step = 0; step < images; step++) { wheel(-turn); await drawn(); await drawn(); }
  await new Promise(resolve => setTimeout(resolve, 1000));
  const times = [];
  for (let pass = 0; pass < passes; pass++) {
    for (let step = 1; step < images; step++) {
      const shown = new Promise((resolve, reject) => {
        const missed = setTimeout(() => reject(new Error(`no picture after step ${step} of ${pass}`)), 10000);
        const note = () => { clearTimeout(missed); resolve(performance.now()); };
        document.addEventListener('CORNERSTONE_IMAGE_RENDERED', note, { capture: true, once: true });
      });
      const turned = performance.now();
      wheel(pass % 2 ? -turn : turn);
      times.push(await shown - turned);
      await drawn();
    }
  }
  return times;
}"""


@dataclass(frozen=True)
class Opened:
    """One opening: ms to the first image, and what had come over the network by then."""

    ms: float
    requests: int
    kilobytes: float
    scripts: frozenset[str]


@dataclass(frozen=True)
class Viewer:
    """A viewer at an address, with the cookies of a person who has logged in."""

    name: str
    address: str
    cookies: Sequence[dict[str, str]]
    study: str  # path of a study's page
    first_image: str
    launch: Callable[[Page, int], None]  # pick a study in the list, look at it for a while, and open it
    canvas: str

    def context(self, browser: Browser) -> BrowserContext:
        """Return an empty browser that is logged in."""
        context = browser.new_context(viewport=WINDOW)  # type: ignore[arg-type]
        context.add_cookies([{**cookie, "url": self.address} for cookie in self.cookies])  # type: ignore[list-item]
        context.add_init_script(WATCH)
        return context

    def open_address(self, context: BrowserContext, number: int) -> tuple[Opened, Page]:
        """Open the address of a study in a new page."""
        page = context.new_page()
        page.goto(
            self.address + self.study.format(study_uid(number)), wait_until="commit", timeout=PATIENCE_MS
        )
        return self._opened(page, 0), page

    def open_list(self, context: BrowserContext) -> Page:
        """Open the list of studies and wait for it."""
        page = context.new_page()
        page.goto(self.address + "/", timeout=PATIENCE_MS)
        page.get_by_text(patient(1)).first.wait_for(timeout=PATIENCE_MS)
        return page

    def open_from_list(self, page: Page, number: int) -> Opened:
        """Open a study from the list; the time runs from the last key or click."""
        page.evaluate(FORGET)
        self.launch(page, number)
        return self._opened(page, page.evaluate("() => bench.acted"))

    def _opened(self, page: Page, since: float) -> Opened:
        at = wait_for(page, self.first_image)
        cost = page.evaluate(COST, at)
        return Opened(at - since, cost["requests"], cost["bytes"] / 1000, frozenset(cost["scripts"]))

    def scroll(self, page: Page, images: int, passes: int) -> list[float]:
        """Turn the wheel step by step through the whole stack; ms from each step to its picture."""
        return list(page.evaluate(SCROLL, [self.canvas, images, passes, NOTCH]))


def sightline(address: str, cookies: Sequence[dict[str, str]]) -> Viewer:
    """Return Sightline's own viewer: Enter on the row of the worklist."""

    def launch(page: Page, number: int) -> None:
        page.get_by_role("row").filter(has_text=patient(number)).first.click()
        page.wait_for_timeout(LOOKS_MS)
        page.keyboard.press("Enter")

    return Viewer("Sightline", address, cookies, "/study/{}", MARK, launch, ".pane canvas")


def ohif(name: str, address: str, cookies: Sequence[dict[str, str]]) -> Viewer:
    """Return OHIF: a click on the row, and one on its basic viewer."""

    def launch(page: Page, number: int) -> None:
        page.get_by_text(patient(number)).first.click()
        button = page.get_by_text("Basic Viewer").first
        button.wait_for(timeout=PATIENCE_MS)
        page.wait_for_timeout(LOOKS_MS)
        button.click()

    study = "/viewer?StudyInstanceUIDs={}"
    return Viewer(name, address, cookies, study, RENDERED, launch, ".cornerstone-canvas")


def patient(number: int) -> str:
    """Return a patient's name as both lists write it."""
    return f"BENCH, {number:02d}"


def wait_for(page: Page, script: str) -> float:
    """Ask until the page has an answer; a strict content policy forbids to wait inside the page."""
    for _ in range(PATIENCE_MS // 50):
        found = page.evaluate(script)
        if found is not None:
            return float(found)
        page.wait_for_timeout(50)
    page.screenshot(path="first-image-missing.png")
    sys.exit(f"No first image after {PATIENCE_MS / 1000:.0f} s; see first-image-missing.png")


def memory(session: CDPSession) -> dict[str, float]:
    """Return MB of live objects, and of the arrays behind them (decoded pixels), after collection."""
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    used: dict[str, Any] = session.send("Runtime.getHeapUsage")
    return {"heap": used["usedSize"] / 1e6, "arrays": used.get("backingStorageSize", 0) / 1e6}
