"""Nothing is shown turned, mirrored or bent without saying so, and what is no volume is not cut as one."""

import re

import numpy as np
import pytest

from tests.journeys.viewer import phantoms
from tests.journeys.viewer.seeing import Picture, Reader

pytestmark = pytest.mark.journey

# What the refusal says, by trap.
REASONS = {
    "gap": "Images are missing between 4 and 5",
    "duplicate": "lie at the same place",
    "varying": "spacing of the slices varies",
    "tilt": "gantry was tilted",
    "single": "one slice",
    "mixed": "turned against each other",
}
LETTERS = ("t", "r", "b", "l")
# The pixels that an overlay covers, counted row by row.
COVERED = """(() => {
  const canvas = document.querySelector('[data-pane=current] canvas.laid-over');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return [...Array(data.length / 4).keys()].filter(k => data[4 * k + 3] > 0);
})()"""


def letters(reader: Reader) -> dict[str, str]:
    """Return the letter at each side of the pane."""
    return {
        side: reader.page.locator(f"[data-pane=current] .letters .{side}").inner_text() for side in LETTERS
    }


def letter(direction: phantoms.Vector) -> str:
    """Return the letter towards which a direction goes (LPS)."""
    axis = int(np.argmax(np.abs(direction)))
    return ("LR", "PA", "HF")[axis][int(direction[axis] < 0)]


def where_the_ball_is(picture: Picture) -> set[str]:
    """Return the two sides of the middle of the body on which its bright ball is."""
    body = np.argwhere(picture.grey > 0.2 * picture.grey.max()).mean(axis=0)
    y, x = np.argwhere(picture.grey > 0.9 * picture.grey.max()).mean(axis=0) - body
    return {"r" if x > 0 else "l", "b" if y > 0 else "t"}


@pytest.mark.parametrize("number", range(1, 1 + len(phantoms.POSITIONS)), ids=list(phantoms.POSITIONS))
def test_letters_say_how_the_patient_lies_and_planes_are_always_seen_alike(
    reader: Reader, number: int
) -> None:
    row, column = list(phantoms.POSITIONS.values())[number - 1]
    reader.open(phantoms.PATIENT_POSITIONS, number)
    reader.page.keyboard.press("8")

    seen = letters(reader)
    assert (seen["r"], seen["b"]) == (letter(row), letter(column))
    ball = where_the_ball_is(reader.picture())
    assert {seen[side] for side in ball} == {"L", "A"}

    reader.show_as("Axial plane")
    reader.until_shown()
    reader.page.keyboard.press("8")
    assert letters(reader) == {"t": "A", "r": "L", "b": "P", "l": "R"}
    assert where_the_ball_is(reader.picture()) == {"r", "t"}


def test_what_is_turned_or_mirrored_says_so_and_its_letters_go_along(reader: Reader) -> None:
    reader.open(phantoms.PATIENT_POSITIONS, 1)
    reader.page.keyboard.press("8")
    for key, mark in (("X", "flipped left-right"), (".", "rotated 90°"), ("I", "inverted")):
        reader.page.keyboard.press(key)
        reader.until(f"document.querySelector('[data-pane=current]').innerText.includes({mark!r})")
        if key != "I":
            seen = letters(reader)
            assert {seen[s] for s in where_the_ball_is(reader.picture())} == {"L", "A"}, key
    reader.page.keyboard.press("R")
    reader.until("!/flipped|rotated|inverted/.test(document.querySelector('[data-pane=current]').innerText)")


@pytest.mark.parametrize("trap", list(REASONS))
def test_what_is_no_volume_is_shown_slice_by_slice_and_refused_as_a_plane(reader: Reader, trap: str) -> None:
    reader.open(phantoms.TRAPS, list(REASONS).index(trap) + 1)
    assert re.search(r"Im \d+/\d+", reader.words())
    reader.page.keyboard.press("8")
    assert reader.picture().grey.max() > 50
    if trap == "tilt":
        assert "gantry tilted" in reader.words()

    reader.run("Show as: Axial plane")
    reader.until(f"document.querySelector('[data-pane=current]').innerText.includes({REASONS[trap]!r})")

    reader.run("Show as: Slices as acquired")
    reader.until_shown()


def test_every_pane_says_whose_image_it_shows_and_that_it_is_simulated(reader: Reader) -> None:
    reader.open(phantoms.RODS)
    words = reader.words()

    for said in ("Phantom, Viewer", "PH-1", "SIMULATED", "5 Jan 2026", "Not for diagnosis on this display"):
        assert said in words
    assert reader.page.locator("[data-pane=current] .scale").inner_text().endswith(("mm", "cm"))


def test_an_overlay_in_unused_bits_of_the_pixels_is_drawn_and_is_no_part_of_them(reader: Reader) -> None:
    reader.open(phantoms.DRAWN_IN)
    reader.until("!!document.querySelector('[data-pane=current] canvas.laid-over')")
    reader.until(f"({COVERED}).length > 0")
    rows, columns = phantoms.DRAWN_SQUARE
    drawn = {(r, c) for r in range(48)[rows] for c in range(48)[columns]}
    assert {(k // 48, k % 48) for k in reader.page.evaluate(COVERED)} == drawn

    reader.page.keyboard.press("i")
    picture = reader.picture()
    reader.click(picture, (picture.grey.shape[1] / 2, picture.grey.shape[0] / 2))
    value = float(re.search(r"-?[\d.]+", reader.drawn())[0])
    assert 0 <= value < 4096
    reader.forget()
