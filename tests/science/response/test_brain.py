"""RANO 2.0 for gliomas and RANO-BM for brain metastases."""

from datetime import timedelta

import pytest

from sightline.science import response
from sightline.science.response import ABSENT, PRESENT, PROGRESSED, TOO_SMALL, Options
from tests.science.response.courses import START, course, last, lesion, long

FLAT, VOLUME, METASTASES = "rano-2.0-2d", "rano-2.0-3d", "rano-bm"
WELL = {"clinical": "stable", "steroids": "same"}
PRODUCTS = {1000: (40, 25), 510: (30, 17), 500: (25, 20), 400: (20, 20), 750: (30, 25), 760: (40, 19)}


def flat(*products_mm2, **facts):
    axes = [PRODUCTS[product] for product in products_mm2]
    seen = [response.measured(long_axis_mm=a, short_axis_mm=b) for a, b in axes]
    return lesion(facts.pop("uid", "T1"), *seen, organ="brain", **facts)


def volume(*volumes_ml):
    seen = [response.Observation("measured", (response.Measurement("volume", v, "mL"),)) for v in volumes_ml]
    return lesion("T1", *seen, organ="brain")


@pytest.mark.parametrize(
    ("products_mm2", "category"), [((1000, 500), "PR"), ((1000, 510), "SD"), ((1000, 400, 500), "PD")]
)
def test_two_diameters(products_mm2, category):
    assert last(course(flat(*products_mm2), facts=WELL), FLAT).category == category


@pytest.mark.parametrize(
    ("volumes_ml", "category"), [((20, 7), "PR"), ((20, 10, 14), "PD"), ((20, 10, 13.9), "SD")]
)
def test_volumes(volumes_ml, category):
    found = last(course(volume(*volumes_ml), facts=WELL), VOLUME)

    assert (found.category, found.unit) == (category, "mL")
    assert all(not reason.confirmed for reason in found.reasons)


def test_a_response_is_provisional_until_held_for_4_weeks():
    found = response.evaluate(course(flat(1000, 500, 500), facts=WELL), FLAT)

    assert [point.provisional for point in found.points[1:]] == [True, False]
    assert found.best.category == "PR"


def test_a_response_seen_once_is_not_the_best_response():
    found = response.evaluate(course(flat(1000, 500, 760), facts=WELL), FLAT)

    assert (found.categories, found.best.category) == (("PR", "PD"), "SD")


@pytest.mark.parametrize(("days_after", "provisional"), [(56, True), (84, True), (85, False)])
def test_progression_soon_after_radiotherapy_is_provisional(days_after, provisional):
    """+30 % eight weeks after radiotherapy."""
    timed = course(volume(10, 14), days=(0, 90), facts=WELL)
    ended = START + timedelta(days=90 - days_after)
    found = last(response.Course(timed.time_points, timed.lesions, ended), VOLUME)

    assert (found.category, found.provisional) == ("PD", provisional)


def test_progression_of_30_percent_in_products_8_weeks_after_radiotherapy_is_provisional():
    grown = lesion(
        "T1",
        response.measured(long_axis_mm=40, short_axis_mm=25),
        response.measured(long_axis_mm=50, short_axis_mm=26),
    )
    timed = course(grown, days=(0, 56))
    found = response.evaluate(response.Course(timed.time_points, timed.lesions, START), FLAT)

    assert (found.points[1].category, found.points[1].provisional) == ("PD", True)


def test_a_later_scan_confirms_the_provisional_progression():
    timed = course(volume(10, 14, 15), days=(0, 56, 90))
    found = response.evaluate(response.Course(timed.time_points, timed.lesions, START), VOLUME)

    assert [point.provisional for point in found.points[1:]] == [True, False]
    assert "progression is of day 56" in found.points[2].reasons[-1].outcome


def test_pseudoprogression_does_not_end_the_course():
    timed = course(volume(10, 14, 3, 3), days=(0, 56, 90, 130), facts=WELL)
    found = response.evaluate(response.Course(timed.time_points, timed.lesions, START), VOLUME)

    assert (found.categories, found.best.category) == (("PD", "PR", "PR"), "PR")


def test_a_new_lesion_clearly_outside_the_field_is_definite():
    sized = response.measured(long_axis_mm=12, short_axis_mm=11)
    new = lesion("X1", None, sized, role="new", organ="brain", out_of_field=True)
    timed = course(flat(1000, 1000), new, days=(0, 56))
    found = last(response.Course(timed.time_points, timed.lesions, START), FLAT)

    assert (found.category, found.provisional) == ("PD", False)


@pytest.mark.parametrize(
    ("seen", "category"),
    [
        (response.measured(long_axis_mm=10, short_axis_mm=10), "PD"),
        (response.measured(long_axis_mm=14, short_axis_mm=9), "SD"),
        (TOO_SMALL, "SD"),
        (response.measured(long_axis_mm=14), "NE"),
    ],
    ids=["measurable", "too narrow", "too small", "one diameter only"],
)
def test_only_a_measurable_new_lesion_counts(seen, category):
    new = lesion("X1", None, seen, role="new", organ="brain")

    assert last(course(flat(1000, 1000), new, facts=WELL), FLAT).category == category


@pytest.mark.parametrize(
    ("clinical", "steroids", "category"),
    [
        ("worse", "same", "PD"),
        ("stable", "more", "NE"),
        ("stable", None, "NE"),
        (None, "same", "NE"),
        ("improved", "less", "PR"),
    ],
)
def test_clinical_state_and_steroids_decide_on_a_response(clinical, steroids, category):
    facts = {"clinical": clinical, "steroids": steroids}

    assert last(course(flat(1000, 500), facts=facts), FLAT).category == category


@pytest.mark.parametrize(("steroids", "category"), [("none", "CR"), ("same", "PR")])
def test_a_complete_response_needs_no_steroids(steroids, category):
    target = lesion("T1", response.measured(long_axis_mm=40, short_axis_mm=25), ABSENT)

    facts = {"clinical": "stable", "steroids": steroids}
    assert last(course(target, facts=facts), FLAT).category == category


def test_more_steroids_alone_are_neither_stable_nor_progression():
    found = last(course(flat(1000, 1000), facts={"clinical": "stable", "steroids": "more"}), FLAT)

    assert found.category == "NE"
    assert "observe" in found.reasons[-1].outcome


def test_a_worse_non_target_lesion_is_progression():
    other = lesion("N1", PRESENT, PROGRESSED, role="non-target")

    assert last(course(flat(1000, 1000), other, facts=WELL), FLAT).category == "PD"


@pytest.mark.parametrize(
    ("enhancing", "other", "category"),
    [
        ((1000, 1000), (400, 500), "PD"),
        ((400, 500), (1000, 500), "PD"),
        ((1000, 1000), (1000, 750), "MR"),
        ((1000, 1000), (1000, 500), "PR"),
        ((1000, 500), (1000, 1000), "PR"),
        ((1000, 1000), (1000, 1000), "SD"),
    ],
)
def test_both_parts_of_a_mixed_tumour_count(enhancing, other, category):
    parts = flat(*enhancing), flat(*other, uid="T2", component="non-enhancing")

    assert last(course(*parts, facts=WELL), FLAT).category == category


@pytest.mark.parametrize(("after", "category"), [(750, "MR"), (760, "SD"), (500, "PR")])
def test_a_complete_response_of_the_enhancing_part_leaves_the_word_to_the_other(after, category):
    enhancing = lesion("T1", response.measured(long_axis_mm=20, short_axis_mm=20), ABSENT)
    other = flat(1000, after, uid="T2", component="non-enhancing")

    facts = {"clinical": "stable", "steroids": "none"}
    assert last(course(enhancing, other, facts=facts), FLAT).category == category


def metastases(*sums, **facts):
    lesions = [lesion(f"T{n}", *long(*sizes), organ="brain") for n, sizes in enumerate(sums)]
    return course(*lesions, facts=facts)


@pytest.mark.parametrize(
    ("course_", "category"),
    [
        (metastases((40, 28), **WELL), "PR"),
        (metastases((40, 28), clinical="stable", steroids="more"), "SD"),
        (metastases((20, 15, 21), (20, 15, 15)), "PD"),
        (metastases((12, 10, 12), (12, 10, 12), (12, 10, 12)), "SD"),
        (metastases((40, 28), clinical="worse", steroids="same"), "PD"),
        (metastases((40, 40), clinical="stable", steroids="more"), "SD"),
        (metastases((40, 28)), "NE"),
    ],
    ids=[
        "30 %",
        "steroids up",
        "30 to 36, one lesion +6",
        "30 to 36, three lesions +2",
        "clinically worse",
        "steroids up, no response",
        "clinical state not told",
    ],
)
def test_brain_metastases(course_, category):
    assert last(course_, METASTASES).category == category


@pytest.mark.parametrize(("immunotherapy", "category"), [(False, "PD"), (True, "SD")])
def test_a_new_metastasis_is_progression_except_under_immunotherapy(immunotherapy, category):
    new = lesion("X1", None, PRESENT, role="new", organ="brain")
    found = last(course(lesion("T1", *long(40, 40)), new), METASTASES, Options(immunotherapy=immunotherapy))

    assert found.category == category
