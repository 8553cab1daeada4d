"""Response by volume, with the limits of spheres and of measurement error."""

import math

import pytest

from sightline.science import response
from sightline.science.response import TOO_SMALL
from tests.science.response.courses import course, last, lesion

SPHERES, ERROR = "volumetric-spheres", "volumetric-beaumont"


def volumes(*values):
    return [response.measured(volume_mm3=value) for value in values]


@pytest.mark.parametrize(
    ("values", "spheres", "error"),
    [
        ((10, 3.5), "PR", "PR"),
        ((10, 3.6), "SD", "PR"),
        ((20, 10, 17.3), "PD", "PD"),
        ((10, 10, 17.2), "SD", "PD"),
        ((10, 16), "SD", "PD"),
        ((10, 6.5), "SD", "PR"),
        ((10, 15.5), "SD", "PD"),
        ((10, 15.4), "SD", "SD"),
    ],
)
def test_vectors(values, spheres, error):
    measured = course(lesion("T1", *volumes(*values)))

    assert last(measured, SPHERES).category == spheres
    assert last(measured, ERROR).category == error


def test_the_limits_of_spheres_are_the_diameter_limits_cubed():
    limits = response.load_criterion(SPHERES).limits

    assert float(limits.partial_percent) == pytest.approx(100 * (1 - 0.7**3), abs=1)
    assert float(limits.progression_percent) == pytest.approx(100 * (math.pow(1.2, 3) - 1), abs=1)


def test_a_volume_too_small_to_measure_is_not_made_up():
    assert last(course(lesion("T1", *volumes(10), TOO_SMALL)), SPHERES).category == "NE"
