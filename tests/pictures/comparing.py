"""A canvas against the picture that the standard wants, whatever the zoom.

Each pixel of the canvas is taken back to its place in the image; there the modality values, or the colours,
are interpolated between their four neighbours and only then shaded, as a graphics card does it. So nothing
has to be known of the viewer but where two corners of the image lie.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.pictures.reference import Mask, Picture, Values

Corners = NDArray[np.float64]
SHIFTS = (0.0, -0.5, 0.5)
SMALL = 8  # pixels; a smaller image is judged up to its edge
SPARSE = 3  # every third pixel of the canvas decides which way of drawing comes closest
NEAR = 0.5  # levels; no other way of drawing comes closer


@dataclass(frozen=True)
class Canvas:
    """What a pane shows: red, green and blue (row, column, 3), and where the image lies in it.

    `corners` are the canvas coordinates x, y of the centres of the image's first pixel, of the last of its
    first row, and of the last of its first column, in pixels of the canvas, whose own first is centred at 0.
    """

    pixels: NDArray[np.uint8]
    corners: Corners


@dataclass(frozen=True)
class Difference:
    """How far canvas and picture are apart, in levels of 255."""

    mean: float
    p99: float
    judged: int
    shown: Values
    wanted: Values

    def save(self, path: Path) -> None:
        """Write what is shown, what is wanted, and four times the difference side by side."""
        apart = np.clip(np.abs(self.shown - self.wanted) * 4, 0, 255)
        beside = np.concatenate([self.shown, self.wanted, apart], axis=1)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.nan_to_num(beside).astype(np.uint8)).save(path)


def compare(canvas: Canvas, picture: Picture) -> Difference:
    """Return the least difference over the ways in which viewers rightly differ.

    These are where the half pixel lies (the canvas shifted by up to half a pixel of its own), and whether
    pixels are interpolated or drawn as squares. One pixel of the image at its edge is not judged.
    """
    straight = _difference(canvas, picture, (0.0, 0.0), smooth=True)
    if straight.mean < NEAR:
        return straight
    ways = [((x, y), smooth) for smooth in (True, False) for x in SHIFTS for y in SHIFTS]
    coarse = Canvas(canvas.pixels[::SPARSE, ::SPARSE], canvas.corners / SPARSE)
    tried = {way: _difference(coarse, picture, _less(way[0]), smooth=way[1]).mean for way in ways}
    shift, smooth = min(tried, key=lambda way: tried[way])
    return min(straight, _difference(canvas, picture, shift, smooth=smooth), key=lambda d: d.mean)


def _less(shift: tuple[float, float]) -> tuple[float, float]:
    return shift[0] / SPARSE, shift[1] / SPARSE


def _difference(canvas: Canvas, picture: Picture, shift: tuple[float, float], *, smooth: bool) -> Difference:
    columns, rows = _places(canvas, picture, shift)
    height, width = picture.values.shape[:2]
    edge = 1 if min(height, width) > SMALL else 0
    inside = (columns >= edge) & (columns <= width - 1 - edge)
    inside &= (rows >= edge) & (rows <= height - 1 - edge)
    at = (np.clip(rows, 0, height - 1.001), np.clip(columns, 0, width - 1.001))
    wanted = picture.shade(_interpolated(picture.values, *at) if smooth else _nearest(picture.values, *at))
    if wanted.ndim == 2:
        wanted = np.repeat(wanted[..., None], 3, axis=2)
    wanted = np.clip(np.nan_to_num(wanted), 0, 255)
    judged = inside & ~_near(picture.unjudged, *at)
    shown = canvas.pixels.astype(np.float64)
    apart = np.abs(shown - wanted).max(axis=2)[judged]
    if apart.size == 0:
        return Difference(255.0, 255.0, 0, shown, wanted)
    wanted[~inside] = 0
    return Difference(float(apart.mean()), float(np.percentile(apart, 99)), apart.size, shown, wanted)


def _places(canvas: Canvas, picture: Picture, shift: tuple[float, float]) -> tuple[Values, Values]:
    """Return the column and row of the image under the centre of each pixel of the canvas."""
    first, along_row, along_column = canvas.corners
    height, width = picture.values.shape[:2]
    across = (along_row - first) / max(width - 1, 1)
    down = (along_column - first) / max(height - 1, 1)
    back = np.linalg.inv(np.stack([across, down], axis=1))
    y, x = np.indices(canvas.pixels.shape[:2]).astype(np.float64)
    x, y = x + shift[0] - first[0], y + shift[1] - first[1]
    return back[0, 0] * x + back[0, 1] * y, back[1, 0] * x + back[1, 1] * y


def _interpolated(values: Values, rows: Values, columns: Values) -> Values:
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = rows - top, columns - left
    if values.ndim == 3:
        down, right = down[..., None], right[..., None]
    low, side = np.minimum(top + 1, len(values) - 1), np.minimum(left + 1, values.shape[1] - 1)
    upper = values[top, left] * (1 - right) + values[top, side] * right
    lower = values[low, left] * (1 - right) + values[low, side] * right
    return upper * (1 - down) + lower * down


def _nearest(values: Values, rows: Values, columns: Values) -> Values:
    return values[np.rint(rows).astype(int), np.rint(columns).astype(int)]


def _near(mask: Mask, rows: Values, columns: Values) -> Mask:
    """Say where one of the four neighbours is masked."""
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    low, side = np.minimum(top + 1, len(mask) - 1), np.minimum(left + 1, mask.shape[1] - 1)
    found: Mask = mask[top, left] | mask[top, side] | mask[low, left] | mask[low, side]
    return found
