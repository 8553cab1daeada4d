"""Lugano 2014 on CT, and the Deauville score on PET."""

import pytest

from sightline.science import response
from sightline.science.response import ABSENT, NOT_ASSESSABLE, PRESENT, TOO_SMALL
from tests.science.response.courses import START, course, last, lesion, points

CT = "lugano-2014-ct"
PET = "lugano-2014-pet"


def axes(*pairs):
    return [response.measured(long_axis_mm=a, short_axis_mm=b) for a, b in pairs]


def node(*pairs, uid="T1"):
    return lesion(uid, *axes(*pairs), organ="neck", is_node=True)


@pytest.mark.parametrize(
    ("pairs", "category"),
    [
        (((20, 15), (25, 19)), "PD"),
        (((30, 20), (36, 26)), "SD"),
        (((30, 20), (40, 24)), "PD"),
        (((100, 60), (58, 50)), "PR"),
        (((100, 60), (62, 50)), "SD"),
        (((40, 30), (15, 15)), "CR"),
        (((40, 30), (15.1, 10)), "PR"),
        (((30, 20), (16, 10), (21, 12)), "PD"),
    ],
    ids=["+58 %, +5", "+56 %, +6", "+60 %, +10", "2900", "3100", "normal node", "just not", "own nadir"],
)
def test_vectors(pairs, category):
    assert last(course(node(*pairs)), CT).category == category


def test_one_lesion_alone_makes_progression():
    found = last(course(node((100, 60), (40, 30)), node((20, 15), (25, 19), uid="T2")), CT)

    assert found.category == "PD"
    assert "T2 25 x 19 vs its nadir 20 x 15 mm" in found.reasons[0].text


def test_an_extranodal_lesion_must_be_gone_for_a_complete_response():
    small = lesion("T1", *axes((30, 20)), TOO_SMALL, organ="liver")

    assert last(course(small), CT).category == "PR"
    assert last(course(lesion("T1", *axes((30, 20)), ABSENT, organ="liver")), CT).category == "CR"


def test_a_missing_lesion_is_not_evaluable_unless_another_progressed():
    missing = lesion("T2", *axes((30, 20)), NOT_ASSESSABLE, organ="liver")

    assert last(course(node((30, 20), (15, 10)), missing), CT).category == "NE"
    assert last(course(node((20, 15), (25, 19)), missing), CT).category == "PD"


def test_a_lesion_that_split_and_grew_may_have_progressed():
    whole = lesion("T1", *axes((20, 15)), response.Observation("split", into=("a", "b")), is_node=True)
    parts = [lesion(uid, None, *axes((18, 15)), is_node=True) for uid in "ab"]

    found = last(course(whole, *parts), CT)

    assert (found.category, found.value) == ("NE", 540)
    assert "may have progressed" in found.reasons[-2].outcome


@pytest.mark.parametrize(
    ("spleens_mm", "target", "category"),
    [
        ((150, 161), (30, 20), "PD"),
        ((150, 160), (30, 20), "SD"),
        ((120, 140), (30, 20), "PD"),
        ((120, 139), (30, 20), "SD"),
        ((150, 139), (10, 10), "PR"),
        ((150, 140), (10, 10), "SD"),
        ((150, 130), (10, 10), "CR"),
        ((150, None), (10, 10), "NE"),
    ],
)
def test_the_spleen(spleens_mm, target, category):
    timed = tuple(
        response.TimePoint(f"t{n}", START.replace(month=n + 1), spleen_mm=mm)
        for n, mm in enumerate(spleens_mm)
    )
    found = response.evaluate(response.Course(timed, (node((30, 20), target),)), CT)

    assert found.categories == (category,)


@pytest.mark.parametrize(
    ("new", "category"),
    [
        (lesion("X1", None, *axes((16, 8)), role="new", organ="neck", is_node=True), "PD"),
        (lesion("X1", None, *axes((15, 8)), role="new", organ="neck", is_node=True), "SD"),
        (lesion("X1", None, *axes((11, 8)), role="new", organ="liver"), "PD"),
        (lesion("X1", None, *axes((10, 8)), role="new", organ="liver"), "SD"),
        (lesion("X1", None, *axes((8, 8)), role="new", organ="liver", pattern="typical"), "PD"),
        (lesion("X1", None, PRESENT, role="new", organ="liver"), "NE"),
    ],
    ids=["node 16", "node 15", "liver 11", "liver 10", "small, unequivocal", "size not told"],
)
def test_when_a_new_lesion_counts(new, category):
    assert last(course(node((30, 20), (30, 20)), new), CT).category == category


def pet(score, uptake=None, *lesions):
    timed = points(0, 56, deauville=score, uptake=uptake)
    return response.evaluate(response.Course(timed, lesions), PET).points[-1]


@pytest.mark.parametrize(
    ("score", "uptake", "category"),
    [
        (1, None, "CMR"),
        (3, "more", "CMR"),
        (4, "less", "PMR"),
        (5, "same", "NMR"),
        (4, "more", "PMD"),
        (4, None, "NE"),
        (None, "less", "NE"),
    ],
)
def test_the_score_and_the_change_of_uptake_decide(score, uptake, category):
    assert pet(score, uptake).category == category


def test_a_residual_mass_does_not_stand_against_a_complete_metabolic_response():
    mass = lesion("N1", PRESENT, PRESENT, role="non-target")

    assert pet(2, None, mass).category == "CMR"


def test_a_new_focus_is_metabolic_progression():
    assert pet(5, "less", lesion("X1", None, PRESENT, role="new")).category == "PMD"
