"""What is measured by hand agrees with what the phantom is, to 0.1 %, wherever and however it is cut."""

import math
import re

import pytest

from tests.journeys.viewer import phantoms
from tests.journeys.viewer.seeing import Plane, Point, Reader, numbers, plane_of
from tests.proofs import LONG

pytestmark = pytest.mark.journey

AGREES = 0.001
TURNED_DEGREES = 20
VIEWS = {
    "stack": ("Slices as acquired", phantoms.ALONG_Z, False),
    "axial": ("Axial plane", phantoms.ALONG_Z, False),
    "sagittal": ("Sagittal plane", phantoms.ALONG_X, True),
    "coronal": ("Coronal plane", phantoms.ALONG_Y, True),
    "oblique": ("Oblique plane", phantoms.ALONG_Z, False),
}


def agrees(words: str, name: str, analytic: float) -> None:
    """Compare a value as it is written, of which three digits are shown, with what it should be."""
    found = re.search(name + r"\s*(-?[\d.]+)", words)
    assert found, f"no {name!r} in {words!r}"
    digits = len(found[1].partition(".")[2])
    assert float(found[1]) == pytest.approx(analytic, abs=0.5 * 10**-digits + AGREES * analytic), words


@LONG
@pytest.mark.parametrize("study", [phantoms.RODS, phantoms.RODS_ISOTROPIC], ids=["anisotropic", "isotropic"])
def test_lengths_areas_and_angles_are_those_of_the_phantom(reader: Reader, study: str) -> None:
    reader.open(study)
    for view, (words, rods, upwards) in VIEWS.items():
        reader.show_as(words)
        reader.until_shown()
        rise = 0.0
        if view == "oblique":
            for _ in range(TURNED_DEGREES // 5):
                reader.page.keyboard.press("Alt+ArrowUp")
            rise = math.tan(math.radians(TURNED_DEGREES))
        reader.page.keyboard.press("3")  # the bone window holds all values of the phantom
        picture = reader.picture()
        plane = plane_of(picture, rods, (0.0, rise), flip=upwards)
        _measure(reader, picture, plane, rods)


def _measure(reader: Reader, picture, plane: Plane, rods: tuple[Point, ...]) -> None:
    draw = reader.page.keyboard.press
    a, b = plane.pixel(*rods[0]), plane.pixel(*(0.9 * v for v in rods[-1]))
    middle = plane.pixel(0, 0)
    x, y = middle
    across, down = 120, 80  # inside the narrowest plane: what leaves it has no statistics
    corner, edge = (x + across, y + down), (x + across, y - 40)

    draw("l")
    reader.drag(picture, a, b)
    agrees(reader.drawn(), "", plane.length(a, b))
    reader.forget()

    draw("b")
    reader.drag(picture, a, b)
    agrees(reader.drawn(), "L:", plane.length(a, b))
    reader.forget()

    draw("O")
    reader.drag(picture, middle, corner)
    agrees(reader.drawn(), "Area:", plane.area([middle, (corner[0], y), corner, (x, corner[1])]))
    reader.forget()

    draw("o")
    reader.drag(picture, middle, corner)
    box = [(x + i * across, y + j * down) for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    agrees(reader.drawn(), "Area:", math.pi / 4 * plane.area(box))
    reader.forget()

    draw("d")
    reader.drag(picture, middle, edge, corner, (x - 20, y + down), middle)
    agrees(reader.drawn(), "Area:", plane.area(reader.outline()))
    reader.forget()

    draw("y")
    reader.drag(picture, a, middle)
    reader.click(picture, edge)
    agrees(reader.drawn(), "", plane.angle(a, middle, edge))
    reader.forget()


def test_what_is_measured_is_kept_to_the_last_digit_and_known_regions_have_their_values(
    reader: Reader,
) -> None:
    reader.open(phantoms.RODS)
    reader.forget()
    reader.page.keyboard.press("3")
    picture = reader.picture()
    plane = plane_of(picture, phantoms.ALONG_Z)
    a, b = plane.pixel(-35, -15), plane.pixel(18, 13)
    reader.page.keyboard.press("l")
    reader.drag(picture, a, b)
    reader.page.keyboard.press("b")
    c, d = (
        plane.pixel(-30, 12),
        plane.pixel(30, 6),
    )  # away from the ends of the first, which the mouse would grasp
    reader.drag(picture, c, d)
    for _ in range(round(phantoms.BLOCKS_Z / 1.7)):
        reader.page.keyboard.press("ArrowDown")
    reader.page.wait_for_timeout(500)
    for left, right in ((-28, -3), (3, 28)):
        reader.page.keyboard.press("O")
        reader.drag(picture, plane.pixel(left, -8), plane.pixel(right, 8))
    reader.page.keyboard.press("i")
    reader.click(picture, plane.pixel(-15, -12))  # beside the block
    reader.page.wait_for_timeout(2500)  # what is drawn is kept after a while

    kept = reader.page.request.get(f"/api/studies/{phantoms.RODS}/annotations").json()["draft"]
    length, axes, block, stripes, probed = (
        {v["name"]: v for v in m["values"]} for m in kept["measurements"][-5:]
    )
    assert length["length"]["value"] == pytest.approx(plane.length(a, b), rel=AGREES)
    assert length["length"]["unit"] == "mm"
    assert axes["long_axis"]["value"] == pytest.approx(plane.length(c, d), rel=AGREES)
    assert (block["mean"]["value"], block["sd"]["value"]) == (phantoms.BLOCK_HU, 0)
    assert block["mean"]["unit"] == "[hnsf'U]"
    assert (probed["value"]["value"], probed["value"]["unit"]) == (0, "[hnsf'U]")
    low, high = phantoms.STRIPES_HU
    assert stripes["mean"]["value"] == pytest.approx((low + high) / 2, abs=1)
    assert stripes["sd"]["value"] == pytest.approx((high - low) / 2, abs=0.5)
    assert numbers(reader.drawn()), "the values are not written beside what was drawn"


def test_contours_have_values_too_and_a_region_that_leaves_its_image_says_why_it_has_none(
    reader: Reader,
) -> None:
    reader.open(phantoms.RODS)
    reader.forget()
    reader.page.keyboard.press("3")
    picture = reader.picture()
    plane = plane_of(picture, phantoms.ALONG_Z)
    for _ in range(round(phantoms.BLOCKS_Z / 1.7)):
        reader.page.keyboard.press("ArrowDown")
    reader.page.wait_for_timeout(500)
    corners = [plane.pixel(x, y) for x, y in ((-26, -7), (-5, -7), (-5, 7), (-26, 7))]
    for key, least in (("D", phantoms.BLOCK_HU), ("L", 250)):  # a livewire runs along the edge of the block
        reader.page.keyboard.press(key)
        for corner in (*corners, corners[0]):
            reader.click(picture, corner)
        words = reader.drawn()
        mean = re.search(r"Mean: ([\d.]+) HU", words)
        assert mean, (key, words)
        assert least <= float(mean[1]) <= phantoms.BLOCK_HU, (key, words)
        assert re.search(rf"SD: [\d.]+ HU.*Max: {phantoms.BLOCK_HU} HU", words), (key, words)
        assert re.search(r"Area: [1-9][\d.]* mm²", words), (key, words)
        reader.forget()

    reader.page.keyboard.press("0")
    reader.page.keyboard.press("o")
    height = picture.grey.shape[0]
    middle = plane.pixel(0, 0)
    reader.drag(picture, middle, (middle[0] + 40, height + 20.0))
    assert "beyond the image" in reader.drawn()
    reader.forget()
