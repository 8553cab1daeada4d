"""Hands need not leave the keys: every action is listed, has its way by keys, and can be run by them."""

from typing import Any

import pytest
from playwright.sync_api import expect

from sightline.app.demo import simulated
from tests.journeys.viewer import phantoms
from tests.journeys.viewer.seeing import Reader, numbers
from tests.proofs import LONG

pytestmark = pytest.mark.journey

NEWEST = simulated.uid("study", simulated.VISITS[-1])
# These leave the page, write into the study, or ask for words first; other tests run them.
ELSEWHERE = (
    "Next study", "Previous study", "Open the patient", "Sign the report", "Write in the report", "Save ",
    "Keep ", "Analyse", "Log out", "Sign out", "Go to", "Open the", "Search",
    "Edit the finding", "Full screen", "Text",
)  # fmt: skip


def options(reader: Reader) -> list[str]:
    """Return the names of all actions in the palette."""
    reader.page.keyboard.press("Control+k")
    reader.page.get_by_role("listbox", name="Actions").wait_for()
    rows = reader.page.get_by_role("listbox", name="Actions").get_by_role("option")
    names: list[str] = rows.locator("span:first-child").all_text_contents()
    reader.page.keyboard.press("Escape")
    return names


def test_every_tool_and_pane_kind_stands_in_the_palette_and_every_key_in_the_list(reader: Reader) -> None:
    reader.open(phantoms.RODS)
    named = options(reader)
    reader.page.keyboard.press("?")
    keys = reader.page.get_by_role("dialog", name="Keys")
    keys.locator("dt").first.wait_for()
    listed: list[str] = keys.locator("dt").all_text_contents()
    reader.page.keyboard.press("Escape")

    assert set(listed) <= set(named)
    for words in ("Length", "Two axes", "Brush", "Show as: Volume", "Window: Lung", "Key image", "Invert"):
        assert any(words in each for each in named), words
    assert len(listed) > 70


@LONG
def test_every_action_is_run_by_keys_alone_and_none_fails(reader: Reader) -> None:
    reader.open(phantoms.TRAPS, 5)  # a single image: nothing is slow to draw
    before = "opened"
    for words in dict.fromkeys(options(reader)):
        if words.startswith(ELSEWHERE):
            continue
        reader.page.keyboard.press("Control+k")
        box = reader.page.get_by_role("combobox", name="Search actions")
        expect(box, f"the palette did not come after {before!r}").to_be_focused(timeout=10_000)
        before = words
        reader.page.keyboard.type(words)
        reader.page.keyboard.press("Enter")
        reader.page.wait_for_timeout(40)
        reader.page.keyboard.press("Escape")
        assert "/study/" in reader.page.url, words


def test_a_length_is_drawn_by_keys(reader: Reader) -> None:
    reader.open(phantoms.RODS)
    press = reader.page.keyboard.press
    reader.page.locator("[data-pane=current] .canvas").focus()
    for key in ("l", "Enter", "Enter", *["Shift+ArrowRight"] * 10, *["ArrowDown"] * 5, "Enter", "Escape"):
        press(key)
        reader.page.wait_for_timeout(40)

    drawn = reader.drawn()
    assert "mm" in drawn
    assert numbers(drawn)[0] > 5


def test_finding_preset_and_signing_are_reached_by_keys(reader: Reader) -> None:
    page: Any = reader.page
    page.goto("/worklist")
    page.get_by_role("grid").get_by_role("row").nth(1).wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/study/*")
    panel = page.get_by_role("complementary", name="Findings and report")
    panel.get_by_text("proposed").first.wait_for(timeout=30_000)

    reader.until_shown()
    page.keyboard.press("2")
    reader.until("document.querySelector('[data-pane=current]').innerText.includes('Mediastinum')")
    page.keyboard.press("a")
    panel.get_by_text("accepted").first.wait_for()
    page.keyboard.press("Control+z")
    page.keyboard.press("]")
    page.keyboard.press("s")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    before = page.url
    page.keyboard.press("n")
    reader.until(f"location.href !== {before!r}")
