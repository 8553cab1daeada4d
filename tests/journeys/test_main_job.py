"""From scan to signed report, as a radiologist does it in the browser."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sightline.app.demo import simulated

pytestmark = pytest.mark.journey

NEWEST = simulated.uid("study", simulated.VISITS[-1])


def open_newest(page: Page) -> None:
    page.goto(f"/study/{NEWEST}")
    wait_for_mark(page, "prior-aligned")


def wait_for_mark(page: Page, name: str) -> None:
    for _ in range(300):
        if page.evaluate("name => performance.getEntriesByName(name).length", name):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"the page never set the mark {name}")


def test_the_worklist_shows_the_most_urgent_first_and_says_why(page: Page) -> None:
    rows = page.get_by_role("grid").get_by_role("row")
    expect(rows).to_have_count(4)  # three studies and the head

    first = rows.nth(1)
    expect(first).to_contain_text("nodule grew")
    expect(first).to_contain_text("SIMULATED")


def test_enter_opens_the_study_beside_its_aligned_prior(page: Page) -> None:
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(4)
    page.keyboard.press("Enter")
    page.wait_for_url("**/study/*")
    wait_for_mark(page, "prior-aligned")

    expect(page.locator("body")).to_contain_text("alignment good")
    for words in ("CURRENT", "PRIOR", "days earlier"):
        expect(page.get_by_role("main")).to_contain_text(words)


def test_scrolling_moves_both_panes_together(page: Page) -> None:
    open_newest(page)
    panes = page.get_by_role("main")
    before = re.findall(r"Im (\d+)/", panes.inner_text())

    page.locator("canvas").first.hover()
    for _ in range(6):
        page.mouse.wheel(0, 100)
        page.wait_for_timeout(80)
    page.wait_for_timeout(500)

    after = re.findall(r"Im (\d+)/", panes.inner_text())
    moved = [int(b) - int(a) for a, b in zip(before, after, strict=True)]
    assert len(moved) == 2
    assert moved[0] != 0
    assert abs(moved[0] - moved[1]) <= 2


@pytest.mark.parametrize(
    ("key", "value"),
    [("l", r"\d mm"), ("b", r"L: [\d.]+ mm"), ("o", r"Mean: -?[\d.]+ HU"), ("O", r"Area: [\d.]+ mm²")],
)
def test_what_is_measured_by_hand_shows_its_value_and_unit(page: Page, key: str, value: str) -> None:
    open_newest(page)
    box = page.locator("canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    page.keyboard.press(key)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=6)
    page.mouse.up()

    expect(page.locator("svg.svg-layer").first).to_contain_text(re.compile(value))


def test_change_is_told_with_size_percent_and_interval(page: Page) -> None:
    open_newest(page)
    panel = page.get_by_role("complementary", name="Findings and report")

    expect(panel).to_contain_text(re.compile(r"\d+\.\d\s*→\s*\d+\.\d\s*mm"))
    expect(panel).to_contain_text(re.compile(r"\+\d+\s*%"))
    expect(panel).to_contain_text("doubling time")
    expect(panel).to_contain_text("new")


def test_from_findings_to_signed_report_and_whole_audit_trail(page: Page, running) -> None:
    open_newest(page)
    panel = page.get_by_role("complementary", name="Findings and report")
    page.keyboard.press("a")
    expect(panel).to_contain_text("accepted")
    report = page.locator(".report")
    expect(report).to_contain_text("doubling time", timeout=10_000)

    for _ in range(8):  # reject the rest, one after the other
        if not panel.get_by_text("proposed").count():
            break
        page.keyboard.press("]")
        page.keyboard.press("r")
        page.wait_for_timeout(700)

    impression = report.locator("[data-section=Impression] [role=textbox]").first
    impression.click()
    page.keyboard.press("End")
    page.keyboard.type(" Seen in the browser.")
    page.keyboard.press("Escape")
    page.locator("canvas").first.click()
    expect(report).to_contain_text("saved", timeout=10_000)

    page.keyboard.press("s")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Enter")
    expect(report).to_contain_text("signed by", timeout=10_000)
    expect(report).to_contain_text("Stored in the archive", timeout=60_000)
    for kind in ("SR", "SEG", "PDF", "FHIR"):
        expect(report).to_contain_text(kind)

    assert "Seen in the browser." in report.inner_text()
    assert verify(running.folder).returncode == 0


def verify(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sightline", "audit", "verify", "--data", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)
