"""A line of known length sets the scale of its image, and of no other; what rests on it says so."""

import pytest

from tests.journeys.viewer import phantoms
from tests.journeys.viewer.seeing import Picture, Point, Reader, numbers

pytestmark = pytest.mark.journey

KNOWN_MM = 50.0


def ends(picture: Picture) -> tuple[tuple[Point, Point], tuple[Point, Point]]:
    """Return the rods of the upper and of the lower row, left and right."""
    dots = sorted(map(tuple, picture.dots(4)), key=lambda d: d[1])
    upper, lower = sorted(dots[:2]), sorted(dots[2:])
    return (upper[0], upper[1]), (lower[0], lower[1])


def kept(reader: Reader, count: int) -> list[dict]:
    """Return the measurements of the working copy once it holds so many."""
    for _ in range(100):
        answer = reader.page.request.get(f"/api/studies/{phantoms.RADIOGRAPHS}/annotations").json()
        found = (answer["draft"] or answer)["measurements"]
        if len(found) == count:
            return list(found)
        reader.page.wait_for_timeout(100)
    pytest.fail(f"the working copy never held {count} measurements")


def test_a_known_length_sets_the_scale_of_its_image_only(reader: Reader) -> None:
    page = reader.page
    reader.open(phantoms.RADIOGRAPHS)
    page.keyboard.press("Home")
    reader.until("document.querySelector('[data-pane=current]').innerText.includes('not calibrated')")
    upper, lower = ends(picture := reader.picture())
    true_ratio = (35 - -35) / (20 - -35)  # of the rods, mm
    page.keyboard.press("l")
    reader.drag(picture, *upper)
    assert numbers(reader.drawn())[0] == pytest.approx(70 / phantoms.DETECTOR_MM, rel=0.02)
    assert "px" in reader.drawn()

    page.keyboard.press("A")
    reader.drag(picture, *lower)
    page.get_by_role("textbox", name="Length of this line in mm").fill("50")
    page.keyboard.press("Enter")
    reader.until("document.querySelector('[data-pane=current]').innerText.includes('by the reader: 50 mm')")
    reader.until("[...document.querySelectorAll('[data-pane=current] svg.svg-layer text')]"
                 ".some(t => /mm/.test(t.textContent) && !/given/.test(t.textContent))")  # fmt: skip
    assert max(numbers(reader.drawn())) == pytest.approx(KNOWN_MM * true_ratio, rel=0.02)
    length = next(m for m in kept(reader, 2) if m["kind"] == "length")
    assert length["calibration"].startswith("calibrated by the reader")
    assert length["values"][0]["value"] == pytest.approx(KNOWN_MM * true_ratio, rel=0.02)

    page.keyboard.press("End")
    reader.until("document.querySelector('[data-pane=current]').innerText.includes('plane of the detector')")
    page.keyboard.press("Control+s")
    page.get_by_text("are saved in the study").wait_for()

    reader.open(phantoms.RADIOGRAPHS)
    page.keyboard.press("Home")
    reader.until("document.querySelector('[data-pane=current]').innerText.includes('by the reader: 50 mm')")
    reader.until("/given by the reader/.test(document.querySelector('[data-pane=current]').innerText)")
    assert max(numbers(reader.drawn())) == pytest.approx(KNOWN_MM * true_ratio, rel=0.02)

    reader.run("Remove drawn measurements")
    reader.until("document.querySelector('[data-pane=current]').innerText.includes('not calibrated')")


def test_what_was_drawn_on_a_run_stays_where_it_was_when_the_run_is_calibrated(reader: Reader) -> None:
    page = reader.page
    reader.open(phantoms.FILM)
    reader.forget()
    upper, _ = ends(picture := reader.picture())
    page.keyboard.press("l")
    reader.drag(picture, *upper)
    before = lines(reader)
    page.keyboard.press("A")
    (left, top), (right, _) = upper
    reader.drag(picture, (left, top + 30), (right, top + 30))
    page.get_by_role("textbox", name="Length of this line in mm").fill("50")
    page.keyboard.press("Enter")
    reader.until("document.querySelector('[data-pane=current]').innerText.includes('by the reader: 50 mm')")
    reader.until("[...document.querySelectorAll('[data-pane=current] svg.svg-layer text')]"
                 ".some(t => /mm/.test(t.textContent) && !/given/.test(t.textContent))")  # fmt: skip
    assert numbers(reader.drawn()) == pytest.approx([KNOWN_MM, KNOWN_MM], rel=0.02)
    assert lines(reader)[0] == pytest.approx(before[0], abs=1.5)
    reader.run("Remove drawn measurements")


def lines(reader: Reader) -> list[list[float]]:
    """Return the ends of the long lines that are drawn, from the top; short ones lead to the words."""
    found = reader.page.locator("[data-pane=current] svg.svg-layer line").evaluate_all(
        "lines => lines.map(l => ['x1', 'y1', 'x2', 'y2'].map(n => Number(l.getAttribute(n))))"
    )
    long = {tuple(line) for line in found if abs(line[2] - line[0]) > 100}
    return sorted(map(list, long), key=lambda line: line[1])


def test_an_image_that_lies_in_the_patient_is_not_calibrated(reader: Reader) -> None:
    reader.open(phantoms.RODS)
    reader.forget()  # what other tests drew
    upper, _ = ends(picture := reader.picture())
    reader.page.keyboard.press("A")
    reader.drag(picture, *upper)

    reader.page.get_by_text("states its own scale").wait_for()
    assert "given" not in reader.drawn()
    reader.page.keyboard.press("Control+z")
    reader.page.keyboard.press("Control+Shift+z")
    reader.page.wait_for_timeout(500)
    assert not reader.page.locator("[data-pane=current] svg.svg-layer text").count()
