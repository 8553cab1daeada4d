"""Colours of segments and regions as the browser takes them."""

from typing import Any

import highdicom as hd

# For what has no colour of its own: told apart by people with any colour vision (Okabe and Ito).
FALLBACK = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")


def colour_of(cielab: Any, number: int) -> str:
    """Return ``#rrggbb`` of a Recommended Display CIELab Value, or one of our own for none.

    Under D65, as those who write segmentations (DCMTK, highdicom) have it, and not under D50 (PS3.3
    C.10.7.1.1), by which their blue would be purple.

    Examples
    --------
    >>> colour_of([21170, 53250, 5175], 1)
    '#0000ff'
    >>> colour_of(None, 1)
    '#e69f00'
    """
    try:
        light, a, b = (min(max(int(part), 0), 65535) for part in cielab)
        rgb = hd.color.CIELabColor.from_dicom_value((light, a, b)).to_rgb()
    except (TypeError, ValueError):
        return FALLBACK[(number - 1) % len(FALLBACK)]
    return rgb_colour(rgb, number)


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
