"""iRECIST: sequences, and the best response of Table 3."""

from dataclasses import replace

import pytest

from sightline.science import response
from sightline.science.response import ABSENT, PRESENT, PROGRESSED
from tests.science.response.courses import START, course, lesion, long, of_sums, short

WEEKS_5 = (0, 56, 91, 126)


def said(course):
    return response.evaluate(course, "irecist").categories


def stable(number, *others, days=None):
    return course(lesion("T1", *long(*[100] * number)), *others, days=days or WEEKS_5[:number])


def new(uid, *observations, organ="lung", **facts):
    return lesion(uid, None, *observations, role="new", organ=organ, **facts)


@pytest.mark.parametrize(
    ("sums_mm", "categories"),
    [
        ((100, 125, 131), ("iUPD", "iCPD")),
        ((100, 125, 129, 131), ("iUPD", "iUPD", "iCPD")),
        ((100, 125, 65, 80), ("iUPD", "iPR", "iUPD")),
        ((100, 125, 130), ("iUPD", "iCPD")),
        ((100, 125, 110, 121), ("iUPD", "iSD", "iUPD")),
    ],
    ids=lambda value: "-".join(map(str, value)),
)
def test_sequences_of_sums(sums_mm, categories):
    assert said(of_sums(*sums_mm, days=WEEKS_5[: len(sums_mm)])) == categories


def test_the_bar_is_reset_and_progression_is_measured_from_the_new_nadir():
    found = response.evaluate(of_sums(100, 125, 65, 80, days=WEEKS_5), "irecist").points[3]

    assert (found.nadir, found.nadir_change) == (65, 15)
    assert round(found.nadir_change_percent) == 23


@pytest.mark.parametrize(
    ("sizes_mm", "categories"),
    [((12, 17), ("iUPD", "iCPD")), ((12, 16, 18), ("iUPD", "iUPD", "iCPD")), ((12, 12), ("iUPD", "iUPD"))],
)
def test_a_measured_new_lesion_confirms_when_it_grew_by_5_mm_in_all(sizes_mm, categories):
    assert said(stable(len(sizes_mm) + 1, new("X1", *long(*sizes_mm)))) == categories


def test_a_second_new_lesion_confirms():
    first, second = new("X1", *long(12, 12, 12)), new("X2", None, None, *long(8))

    assert said(stable(4, first, second)) == ("iUPD", "iUPD", "iCPD")


def test_new_lesions_are_not_added_to_the_sum():
    found = response.evaluate(stable(2, new("X1", *long(40))), "irecist").points[1]

    assert (found.value, found.new_lesion) == (100, "yes")


@pytest.mark.parametrize(("grew", "category"), [(True, "iCPD"), (False, "iUPD"), (None, "iUPD")])
def test_a_new_lesion_that_is_not_measured_confirms_by_any_growth(grew, category):
    lesion_ = new("X1", PRESENT, replace(PRESENT, grew=grew))

    assert said(stable(3, lesion_)) == ("iUPD", category)


def test_a_small_new_lesion_confirms_by_any_growth_in_size():
    assert said(stable(3, new("X1", *long(6, 7)))) == ("iUPD", "iCPD")


@pytest.mark.parametrize(("grew", "category"), [(True, "iCPD"), (None, "iUPD")])
def test_further_growth_of_a_non_target_confirms(grew, category):
    other = lesion("N1", PRESENT, PROGRESSED, replace(PROGRESSED, grew=grew), role="non-target")

    assert said(stable(3, other)) == ("iUPD", category)


def test_progression_of_another_kind_confirms_and_the_rule_is_marked_unconfirmed():
    target = lesion("T1", *long(100, 125, 126))
    second = new("X1", None, *long(12))
    found = response.evaluate(course(target, second, days=WEEKS_5[:3]), "irecist")

    assert found.categories == ("iUPD", "iCPD")
    (rule,) = [reason for reason in found.points[2].reasons if reason.rule == "icpd-other"]
    assert not rule.confirmed


@pytest.mark.parametrize(
    ("day", "category", "disregarded"),
    [(14, "NE", True), (25, "NE", True), (26, "iCPD", False), (28, "iCPD", False)],
)
def test_a_scan_before_4_weeks_less_2_days_is_disregarded(day, category, disregarded):
    found = response.evaluate(of_sums(100, 125, 140, days=(0, 56, 56 + day)), "irecist").points[2]

    assert (found.category, found.disregarded) == (category, disregarded)
    assert ("disregard, rescan" in found.reasons[-1].outcome) is disregarded


def early(*, symptoms, second):
    lesions = [lesion("T1", *long(100, 125, 140))]
    if second:
        lesions.append(new("X1", None, *long(12)))
    points = (
        response.TimePoint("t0", START),
        response.TimePoint("t1", START.replace(month=3)),
        response.TimePoint("t2", START.replace(month=3, day=15), new_symptoms=symptoms),
    )
    return response.Course(points, tuple(lesions))


@pytest.mark.parametrize(
    ("symptoms", "second", "category"),
    [(True, True, "iCPD"), (True, False, "NE"), (False, True, "NE")],
)
def test_an_early_scan_confirms_only_for_symptoms_and_with_an_additional_new_lesion(
    symptoms, second, category
):
    assert said(early(symptoms=symptoms, second=second)) == ("iUPD", category)


def test_a_disregarded_scan_leaves_the_pending_progression_as_it_was():
    days = (0, 56, 70, 91)

    assert said(of_sums(100, 125, 140, 131, days=days)) == ("iUPD", "NE", "iCPD")


def test_a_confirmed_progression_stays():
    assert said(of_sums(100, 125, 131, 60, days=WEEKS_5)) == ("iUPD", "iCPD", "iCPD")


def test_a_new_node_of_normal_size_is_no_progression():
    assert said(stable(2, new("X1", *short(9), is_node=True))) == ("iSD",)


def test_complete_response_after_pseudoprogression():
    target = lesion("T1", *long(100, 125), ABSENT)

    assert said(course(target, days=WEEKS_5[:3])) == ("iUPD", "iCR")


@pytest.mark.parametrize(
    ("sequence", "best"),
    [
        ("iCR iUPD iCPD", "iCR"),
        ("iUPD iSD iCR", "iCR"),
        ("iUPD iPR iUPD iCPD", "iPR"),
        ("iUPD iSD iUPD", "iSD"),
        ("iUPD iCPD iCR", "iCPD"),
        ("iUPD iCPD iSD", "iCPD"),
        ("iUPD iUPD iCPD", "iCPD"),
        ("iUPD NE NE", "iUPD"),
        ("NE NE", "NE"),
    ],
)
def test_best_response_is_that_of_table_3(sequence, best):
    dated = [(56 * number, category) for number, category in enumerate(sequence.split(), start=1)]

    assert response.best_response(dated, "irecist").category == best
