"""Sizes of plane figures; points are rows (n, 2) or (n, 3), all in one unit of length."""

import math

import numpy as np
import numpy.typing as npt

from sightline.kernel.errors import Invalid

Floats = npt.NDArray[np.float64]

# How far the axes of an ellipse may miss each other's middle and the right angle: a part of the long axis.
_ASKEW = 0.02


class NotAnEllipse(Invalid):
    """The two axes do not cross at right angles in their middles; draw the ellipse again."""


def length(points: npt.ArrayLike) -> float:
    """Return the distance of two points (2, d).

    >>> length([[0, 0], [3, 4]])
    5.0
    """
    start, end = np.asarray(points, dtype=float)
    return float(np.linalg.norm(end - start))


def angle_deg(points: npt.ArrayLike) -> float:
    """Return the angle at the second of three points (3, d), 0 to 180 degrees.

    >>> round(angle_deg([[1, 0], [0, 0], [0, 2]]), 9)
    90.0
    """
    first, vertex, last = np.asarray(points, dtype=float)
    return _between_deg(first - vertex, last - vertex)


def lines_angle_deg(points: npt.ArrayLike) -> float:
    """Return the acute angle between two lines (4, d), however their ends are ordered: the Cobb angle.

    >>> round(lines_angle_deg([[0, 0], [1, 0], [5, 5], [4, 4]]), 9)
    45.0
    """
    a, b, c, d = np.asarray(points, dtype=float)
    angle = _between_deg(b - a, d - c)
    return min(angle, 180.0 - angle)


def _between_deg(u: Floats, v: Floats) -> float:
    """By half-angles (Kahan): exact near 0 and 180 degrees, where the arc cosine is not."""
    nu, nv = float(np.linalg.norm(u)), float(np.linalg.norm(v))
    if nu == 0 or nv == 0:
        return 0.0
    p, q = u * nv, v * nu
    return math.degrees(2 * math.atan2(float(np.linalg.norm(p - q)), float(np.linalg.norm(p + q))))


def polygon_area(points: npt.ArrayLike) -> float:
    """Return the area inside a closed outline (n, d) that does not cross itself.

    >>> polygon_area([[0, 0], [4, 0], [4, 3], [0, 3]])
    12.0
    """
    p = _in_space(points)
    p = p - p[0]
    return float(np.linalg.norm(np.cross(p, np.roll(p, -1, axis=0)).sum(axis=0)) / 2)


def polygon_perimeter(points: npt.ArrayLike) -> float:
    """Return the way round a closed outline (n, d).

    >>> polygon_perimeter([[0, 0], [4, 0], [4, 3], [0, 3]])
    14.0
    """
    p = np.asarray(points, dtype=float)
    return float(np.linalg.norm(np.roll(p, -1, axis=0) - p, axis=1).sum())


def ellipse_area(points: npt.ArrayLike) -> float:
    """Return the area of an ellipse by the ends of its two axes (4, d).

    >>> round(ellipse_area([[-2, 0], [2, 0], [0, -1], [0, 1]]) / math.pi, 9)
    2.0
    """
    a, b = _half_axes(points)
    return math.pi * a * b


def ellipse_perimeter(points: npt.ArrayLike) -> float:
    """Return the way round an ellipse by the ends of its two axes (4, d).

    Ramanujan's second formula: better than 1e-4 up to an axis ratio of 1:10 (Ramanujan 1914).

    >>> round(ellipse_perimeter([[-1, 0], [1, 0], [0, -1], [0, 1]]) / math.pi, 9)
    2.0
    """
    a, b = _half_axes(points)
    if a + b == 0:
        return 0.0
    h = ((a - b) / (a + b)) ** 2
    return math.pi * (a + b) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))


def require_ellipse(points: npt.ArrayLike) -> None:
    """Refuse four points that are not the ends of two axes of an ellipse."""
    a, b, c, d = np.asarray(points, dtype=float)
    scale = max(float(np.linalg.norm(b - a)), float(np.linalg.norm(d - c)))
    apart = float(np.linalg.norm((a + b) / 2 - (c + d) / 2))
    leaning = abs(float((b - a) @ (d - c)))
    if apart > _ASKEW * scale or leaning > _ASKEW * scale * scale:
        raise NotAnEllipse("The axes of the ellipse do not halve each other at right angles; draw it again.")


def extent(points: npt.ArrayLike) -> tuple[Floats, float]:
    """Return the two points of an outline (n, d) that are farthest apart (2, d), and their distance."""
    p = np.asarray(points, dtype=float)
    squared = ((p[:, None, :] - p[None, :, :]) ** 2).sum(axis=2)
    i, j = np.unravel_index(int(squared.argmax()), squared.shape)
    return p[[i, j]], float(np.sqrt(squared[i, j]))


def across(points: npt.ArrayLike, line: npt.ArrayLike) -> tuple[Floats, float]:
    """Return the ends (2, d) of how wide a flat outline (n, d) is at right angles to a line, and the width.

    >>> across([[0, 0], [6, 0], [6, 2], [0, 2]], [[0, 0], [6, 0]])[1]
    2.0
    """
    p, (start, end) = np.asarray(points, dtype=float), np.asarray(line, dtype=float)
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-12)
    aside = (p - start) - ((p - start) @ along)[:, None] * along
    farthest = aside[int((aside**2).sum(axis=1).argmax())]
    direction = farthest / max(float(np.linalg.norm(farthest)), 1e-12)
    reach = aside @ direction
    middle = (start + end) / 2
    ends = middle + np.array([[reach.min()], [reach.max()]]) * direction
    return ends, float(reach.max() - reach.min())


def _half_axes(points: npt.ArrayLike) -> tuple[float, float]:
    p = np.asarray(points, dtype=float)
    return length(p[:2]) / 2, length(p[2:]) / 2


def _in_space(points: npt.ArrayLike) -> Floats:
    p = np.asarray(points, dtype=float)
    return p if p.shape[1] == 3 else np.column_stack([p, np.zeros(len(p))])
