"""Colours of segments and regions as the browser takes them."""

from typing import Any

import numpy as np

# For what has no colour of its own: told apart by people with any colour vision (Okabe and Ito).
FALLBACK = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
_WHITE_D50 = np.array([0.9642, 1.0, 0.8249])
# From XYZ under D50 to linear sRGB, with Bradford adaptation.
_TO_RGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)


def colour_of(cielab: Any, number: int) -> str:
    """Return ``#rrggbb`` of a Recommended Display CIELab Value, or one of our own for none.

    The profile connection space of DICOM is CIELab under D50 (PS3.3 C.10.7.1.1).

    Examples
    --------
    >>> colour_of([65535, 32896, 32896], 1)
    '#ffffff'
    >>> colour_of(None, 1)
    '#e69f00'
    """
    try:
        light, a, b = (int(part) for part in cielab)
    except (TypeError, ValueError):
        return FALLBACK[(number - 1) % len(FALLBACK)]
    middle = (light * 100 / 65535 + 16) / 116
    scaled = np.array([(a / 257 - 128) / 500 + middle, middle, middle - (b / 257 - 128) / 200])
    xyz = np.where(scaled > 6 / 29, scaled**3, 3 * (6 / 29) ** 2 * (scaled - 4 / 29)) * _WHITE_D50
    linear = np.clip(_TO_RGB @ xyz, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb_colour(np.rint(encoded * 255).astype(int).tolist(), number)


def rgb_colour(rgb: Any, number: int) -> str:
    """Return ``#rrggbb`` of three numbers from 0 to 255, or one of our own for none.

    >>> rgb_colour([255, 0, 16], 1)
    '#ff0010'
    """
    try:
        red, green, blue = (min(max(int(part), 0), 255) for part in rgb)
    except (TypeError, ValueError):
        return FALLBACK[(number - 1) % len(FALLBACK)]
    return f"#{red:02x}{green:02x}{blue:02x}"
