"""Colours of segments are those that others read from the same numbers."""

import highdicom as hd
import pytest

from sightline.care.display._colours import FALLBACK, colour_of, rgb_colour


@pytest.mark.parametrize("rgb", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (221, 130, 101), (12, 60, 200)])
def test_a_colour_survives_the_way_through_cielab(rgb):
    stored = hd.color.CIELabColor.from_rgb(*rgb).value
    shown = colour_of(stored, 1)

    assert [int(shown[n : n + 2], 16) for n in (1, 3, 5)] == pytest.approx(rgb, abs=3)


@pytest.mark.parametrize("wrong", [None, [1, 2], "red", ["a", "b", "c"]])
def test_what_is_no_colour_gets_one_of_ours(wrong):
    assert (colour_of(wrong, 1), rgb_colour(wrong, 9)) == (FALLBACK[0], FALLBACK[1])
