"""mRECIST for hepatocellular carcinoma."""

import pytest

from sightline.science import response
from sightline.science.response import ABSENT, PRESENT
from tests.science.response.courses import course, last, lesion, long, short

MRECIST = "mrecist"


def viable(*sizes_mm, whole_mm=60):
    return [response.measured(viable_mm=size, long_axis_mm=whole_mm) for size in sizes_mm]


def tumour(*sizes_mm):
    return lesion("T1", *viable(*sizes_mm), organ="liver")


@pytest.mark.parametrize(
    ("sizes_mm", "category"),
    [
        ((50, 0), "CR"),
        ((50, 35), "PR"),
        ((50, 36), "SD"),
        ((40, 30, 36), "PD"),
        ((4, 4, 5), "PD"),
        ((50, 20), "PR"),
    ],
    ids=["none enhancing", "30 %", "28 %", "20 % over nadir", "no 5 mm clause", "same whole, less viable"],
)
def test_vectors(sizes_mm, category):
    found = last(course(tumour(*sizes_mm)), MRECIST)

    assert found.category == category
    assert all(not reason.confirmed for reason in found.reasons)


def test_an_absent_lesion_is_a_complete_response():
    assert last(course(lesion("T1", *viable(50), ABSENT, organ="liver")), MRECIST).category == "CR"


def test_the_whole_tumour_does_not_stand_in_for_its_viable_part():
    found = last(course(lesion("T1", *viable(50), *long(40), organ="liver")), MRECIST)

    assert found.category == "NE"
    assert "T1 has no viable-long-axis" in found.reasons[0].text


def test_lesions_outside_the_liver_are_measured_as_ever():
    assert last(course(lesion("T1", *long(50, 35), organ="lung")), MRECIST).category == "PR"


@pytest.mark.parametrize(
    ("new", "category"),
    [
        (lesion("X1", None, *short(18), role="new", organ="liver hilum", is_node=True), "SD"),
        (lesion("X1", None, *short(20), role="new", organ="liver hilum", is_node=True), "PD"),
        (lesion("X1", None, *long(12), role="new", organ="liver", pattern="typical"), "PD"),
        (lesion("X1", None, *long(9), role="new", organ="liver", pattern="typical"), "SD"),
        (lesion("X1", None, *long(12), role="new", organ="liver", pattern="atypical"), "SD"),
        (lesion("X1", None, *long(12), role="new", organ="liver"), "NE"),
        (lesion("X1", None, PRESENT, role="new", organ="liver", pattern="typical"), "NE"),
        (lesion("X1", None, PRESENT, role="new", organ="bone"), "PD"),
    ],
    ids=[
        "hilar node 18 mm",
        "hilar node 20 mm",
        "typical nodule 12 mm",
        "typical nodule 9 mm",
        "atypical nodule",
        "look not told",
        "size not told",
        "bone",
    ],
)
def test_when_a_new_lesion_counts(new, category):
    assert last(course(tumour(50, 50), new), MRECIST).category == category


@pytest.mark.parametrize(("later_mm", "category"), [(21, "SD"), (22, "PD")])
def test_an_atypical_nodule_counts_when_it_has_grown_by_10_mm(later_mm, category):
    new = lesion("X1", None, *long(12, later_mm), role="new", organ="liver", pattern="atypical")

    assert last(course(tumour(50, 50, 50), new), MRECIST).category == category
