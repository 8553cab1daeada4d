"""Choi and modified Choi."""

import pytest

from sightline.science import response
from sightline.science.response import ABSENT, PRESENT
from tests.science.response.courses import course, last, lesion

BASE = {"long_axis_mm": 100, "density_hu": 80}


def target(size_mm, hu, *, new_nodule=False, base=BASE, uid="T1"):
    now = response.measured(long_axis_mm=size_mm, density_hu=hu, new_nodule=new_nodule)
    return lesion(uid, response.measured(**base), now, organ="stomach")


@pytest.mark.parametrize(
    ("size_mm", "hu", "choi", "modified"),
    [
        (92, 66, "PR", "SD"),
        (90, 80, "PR", "SD"),
        (108, 75, "SD", "SD"),
        (112, 60, "PR", "SD"),
        (111, 76, "PD", "PD"),
        (90, 68, "PR", "PR"),
        (95, 68.1, "SD", "SD"),
        (90, None, "PR", "NE"),
        (100, None, "NE", "SD"),
        (111, None, "NE", "NE"),
    ],
)
def test_size_and_density(size_mm, hu, choi, modified):
    measured = course(target(size_mm, hu))

    assert last(measured, "choi").category == choi
    assert last(measured, "choi-modified").category == modified


def test_a_nodule_inside_the_mass_is_progression():
    assert last(course(target(90, 60, new_nodule=True)), "choi").category == "PD"


def test_a_new_lesion_is_progression():
    new = lesion("X1", None, PRESENT, role="new")

    assert last(course(target(90, 60), new), "choi").category == "PD"


def test_density_is_the_mean_of_the_lesions_that_are_left():
    gone = lesion("T2", response.measured(long_axis_mm=20, density_hu=20), ABSENT)

    found = last(course(target(99, 68), gone), "choi")

    assert found.category == "PR"
    assert "density 68 HU vs baseline 80 HU: -15.0 %" in found.reasons[-2].text


def test_a_density_of_zero_at_baseline_allows_no_percentage():
    found = last(course(target(100, 0, base={"long_axis_mm": 100, "density_hu": 0})), "choi")

    assert found.category == "NE"


def test_complete_response_is_that_of_size():
    assert last(course(lesion("T1", response.measured(**BASE), ABSENT)), "choi").category == "CR"
