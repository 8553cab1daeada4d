"""What a pane shows, found from its picture alone, and what a hand on the mouse does to it."""

import base64
import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page
from scipy import ndimage

Array = NDArray[np.float64]
Point = tuple[float, float]

# The canvas is read in one go with its place on the page.
READ = """(pane) => {
  const canvas = document.querySelector(`[data-pane="${pane}"] .stack canvas`);
  if (!canvas || !canvas.width) return null;
  const copy = document.createElement('canvas');
  copy.width = canvas.width; copy.height = canvas.height;
  copy.getContext('2d').drawImage(canvas, 0, 0);
  const box = canvas.getBoundingClientRect();
  return { png: copy.toDataURL('image/png').split(',')[1], box: [box.left, box.top, box.width, box.height] };
}"""
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Picture:
    """The grey values of a pane, and where its top left corner lies on the page."""

    grey: Array
    left: float
    top: float

    def dots(self, count: int) -> Array:
        """Return the centres of the brightest dots, (x, y) in pixels from the corner of the picture."""
        above = np.maximum(self.grey - np.median(self.grey[self.grey > 0]), 0)
        labels, found = ndimage.label(above > 0.5 * above.max())
        if found < count:
            pytest.fail(f"{found} dots are seen where there should be {count}")
        regions = range(1, found + 1)
        largest = sorted(regions, key=lambda k: -ndimage.sum(above, labels, k))[:count]
        return np.array([_centre(above, labels == k) for k in largest])


def _centre(above: Array, region: NDArray[np.bool_]) -> Point:
    # The whole dot with its soft edge counts: a threshold would shift its centre.
    around = ndimage.binary_dilation(region, iterations=max(3, int(np.sqrt(region.sum()))))
    y, x = ndimage.center_of_mass(np.where(around, above, 0.0))
    return x + 0.5, y + 0.5


@dataclass(frozen=True)
class Plane:
    """Where a picture lies: pixels (x, y) to mm along two axes, and the rise of the third with them."""

    affine: Array
    rise: tuple[float, float] = (0.0, 0.0)

    def place(self, at: Point) -> Array:
        """Return the point under a pixel in mm, the third coordinate counted from the plane's middle."""
        u, v = self.affine @ [*at, 1.0]
        return np.array([u, v, self.rise[0] * u + self.rise[1] * v])

    def pixel(self, u: float, v: float) -> Point:
        """Return the whole pixel nearest to a place, as a mouse can reach it."""
        x, y = np.linalg.solve(self.affine[:, :2], np.array([u, v]) - self.affine[:, 2])
        return float(round(x)), float(round(y))

    def length(self, a: Point, b: Point) -> float:
        """Return the distance between two pixels in mm."""
        return float(np.linalg.norm(self.place(a) - self.place(b)))

    def area(self, corners: list[Point]) -> float:
        """Return the area of a polygon of pixels in mm²."""
        points = np.array([self.place(c) for c in corners])
        return float(np.linalg.norm(sum(np.cross(points[k - 1], points[k]) for k in range(len(points))))) / 2

    def angle(self, a: Point, vertex: Point, b: Point) -> float:
        """Return the angle at a pixel in degrees."""
        one, other = self.place(a) - self.place(vertex), self.place(b) - self.place(vertex)
        cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
        return float(np.degrees(np.arccos(cosine)))


class Reader:
    """A person in front of the reading page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, study: str, series: int | None = None) -> None:
        """Open a study and wait for its first image and the tools; show one of its series, counted from 1."""
        self.page.goto(f"/study/{study}?test")
        self.until_shown()
        self.until("performance.getEntriesByName('first-image').length > 0")
        self.page.locator('[role=toolbar][aria-busy="false"]').wait_for()  # the tools of the hand are here
        if series is not None:
            self.page.locator(".series-thumb").nth(series - 1).click()
            self.until(f"document.querySelector('[data-pane=current]').innerText.includes('Se {series} ')")
            self.until_shown()

    def until(self, expression: str, seconds: float = 20) -> None:
        """Wait for an expression; our policy forbids the `eval` that Playwright's own wait is."""
        for _ in range(int(seconds * 20)):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"never came true: {expression}; the pane says: {self.words()!r}")

    def until_shown(self, pane: str = "current") -> None:
        """Wait until a pane shows an image and has all of it."""
        self.until(
            f"(() => {{ const v = document.querySelector('[data-pane=\"{pane}\"]'); return !!v"
            " && / image \\d|: volume|: image/.test(v.getAttribute('aria-label') ?? '')"
            " && !/loading/.test(v.innerText); })()"
        )

    def words(self, pane: str = "current") -> str:
        """Return everything that is written over a pane."""
        found = self.page.locator(f"[data-pane={pane}]")
        return found.inner_text() if found.count() else ""

    def show_as(self, words: str) -> None:
        """Choose how the pane is shown, through the palette."""
        self.run(f"Show as: {words}")
        said = words.removeprefix("Slices as acquired").lower()
        self.until(f"document.querySelector('[data-pane=current]').innerText.includes({said!r})")

    def run(self, action: str) -> None:
        """Run an action by its name in the palette."""
        self.page.keyboard.press("Control+k")
        self.page.get_by_role("combobox", name="Search actions").fill(action)
        self.page.keyboard.press("Enter")

    def picture(self, pane: str = "current") -> Picture:
        """Return what a pane shows once it has come to rest."""
        earlier: Any = None
        alike = 0
        for _ in range(40):
            self.page.wait_for_timeout(200)
            read = self.page.evaluate(READ, pane)
            alike = alike + 1 if read and read == earlier else 0
            if alike == 2:
                break
            earlier = read
        if not earlier:
            pytest.fail("the pane has no canvas")
        grey = np.asarray(Image.open(io.BytesIO(base64.b64decode(earlier["png"]))).convert("L"), float)
        left, top, width, height = earlier["box"]
        assert grey.shape == pytest.approx((height, width), abs=1), "the canvas is not drawn pixel by pixel"
        return Picture(grey, left, top)

    def drag(self, picture: Picture, *points: Point, steps: int = 8) -> None:
        """Press at the first point, go through the others, let go at the last."""
        mouse = self.page.mouse
        (x, y), *others = [(picture.left + x, picture.top + y) for x, y in points]
        mouse.move(x, y)
        mouse.down()
        for x, y in others:
            mouse.move(x, y, steps=steps)
            self.page.wait_for_timeout(30)
        mouse.up()
        self.page.wait_for_timeout(250)

    def click(self, picture: Picture, point: Point) -> None:
        """Go to a point and click."""
        self.page.mouse.move(picture.left + point[0], picture.top + point[1], steps=4)
        self.page.wait_for_timeout(60)
        self.page.mouse.click(picture.left + point[0], picture.top + point[1])
        self.page.wait_for_timeout(250)

    def drawn(self, pane: str = "current") -> str:
        """Return the words beside what was drawn in a pane, once there are some and they stay as they are."""
        before = ""
        for _ in range(20):
            texts = self.page.locator(f"[data-pane={pane}] svg.svg-layer text").all_text_contents()
            words = " | ".join(texts)
            if words and words == before:
                break
            before = words
            self.page.wait_for_timeout(150)
        return before

    def outline(self, pane: str = "current") -> list[Point]:
        """Return the corners of the line that was drawn in a pane."""
        paths = self.page.locator(f"[data-pane={pane}] svg.svg-layer path").evaluate_all(
            "paths => paths.map(p => p.getAttribute('d'))"
        )
        found = numbers(max(paths, key=len))
        return list(zip(found[::2], found[1::2], strict=True))

    def forget(self) -> None:
        """Remove everything that was drawn."""
        self.run("Remove drawn measurements")
        self.until("!document.querySelector('[data-pane] svg.svg-layer text')")


def plane_of(
    picture: Picture, rods: tuple[Point, ...], rise: Point = (0.0, 0.0), *, flip: bool = False
) -> Plane:
    """Return where a picture lies, from the dots that rods make in it.

    Parameters
    ----------
    rods : the two coordinates of each rod across the plane, mm
    rise : how much the third coordinate grows with each of the two, 1
    flip : whether the second coordinate grows upwards in the picture (towards the head)
    """
    dots = picture.dots(len(rods))
    sign = -1 if flip else 1
    wanted = np.array(sorted(rods, key=lambda r: (sign * round(r[1]) > 0, r[0])))
    middle = dots[:, 1].mean()
    seen = np.array(sorted(dots, key=lambda d: (d[1] > middle, d[0])))
    basis = np.column_stack([seen, np.ones(len(seen))])
    affine, *_ = np.linalg.lstsq(basis, wanted, rcond=None)
    off = np.abs(basis @ affine - wanted).max()
    assert off < 0.1, f"the picture does not show the phantom as it lies: {off:.2f} mm off"
    return Plane(affine.T, rise)


def numbers(text: str) -> list[float]:
    """Return every number of a text."""
    return [float(n) for n in NUMBER.findall(text.replace("−", "-"))]
