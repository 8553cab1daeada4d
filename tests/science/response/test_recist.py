"""RECIST 1.1: every vector of the reference, and the edges."""

import pytest

from sightline.science import response
from sightline.science.response import ABSENT, NOT_ASSESSABLE, PRESENT, PROGRESSED, TOO_SMALL, Options
from tests.science.response.courses import course, last, lesion, long, of_sums, short

RECIST = "recist-1.1"


@pytest.mark.parametrize(
    ("sums_mm", "sticky", "category"),
    [
        pytest.param((100, 70), False, "PR", id="exactly 30 % less"),
        pytest.param((100, 71), False, "SD", id="29 % less"),
        pytest.param((100, 60, 72), False, "PD", id="20 % and 12 mm over nadir"),
        pytest.param((100, 60, 71), False, "SD", id="response lost, sticky off"),
        pytest.param((100, 60, 71), True, "PR", id="response lost, sticky on"),
        pytest.param((50, 20, 24.9), False, "PR", id="24.5 % but 4.9 mm over nadir"),
        pytest.param((50, 20, 25.0), False, "PD", id="exactly 5 mm over nadir"),
        pytest.param((24, 24, 28.8), False, "SD", id="20 % but 4.8 mm over nadir"),
        pytest.param((100, 79.9, 0.1 + 0.2), False, "PR", id="sums a machine cannot hold"),
        pytest.param((8.0, 5.6), False, "PR", id="(5.6 - 8) / 8 is 30 %"),
        pytest.param((41, 41, 49.2), False, "PD", id="49.2 is 20 % over 41"),
        pytest.param((0.1 + 0.2 + 24.7, 25, 30), False, "PD", id="20 % and 5 mm at once"),
    ],
)
def test_target_response_by_the_sum(sums_mm, sticky, category):
    found = last(of_sums(*sums_mm), RECIST, Options(sticky_response=sticky))

    assert (found.category, found.target) == (category, category)


@pytest.mark.parametrize(
    ("node_mm", "category", "total_mm"), [(9, "CR", 9), (10, "PR", 10), (9.9, "CR", 9.9)]
)
def test_complete_response_needs_every_node_below_10_mm_and_the_sum_need_not_be_zero(
    node_mm, category, total_mm
):
    liver = lesion("T1", *long(30), ABSENT, organ="liver")
    node = lesion("T2", *short(22, node_mm), organ="axilla", is_node=True)
    rest = lesion("N1", PRESENT, ABSENT, role="non-target")

    found = last(course(liver, node, rest), RECIST)

    assert (found.category, found.value) == (category, total_mm)


def with_others(target, *others):
    return course(lesion("T1", *long(50), *target), *others)


NON_TARGET = {
    "CR": ABSENT,
    "non-CR/non-PD": PRESENT,
    "PD": PROGRESSED,
    "NE": NOT_ASSESSABLE,
}
TARGET = {
    "CR": [ABSENT],
    "PR": long(30),
    "SD": long(50),
    "PD": long(70),
    "NE": [NOT_ASSESSABLE],
}


@pytest.mark.parametrize(
    ("target", "non_target", "new", "overall"),
    [
        ("CR", "CR", False, "CR"),
        ("CR", None, False, "CR"),
        ("CR", "non-CR/non-PD", False, "PR"),
        ("CR", "NE", False, "PR"),
        ("PR", "non-CR/non-PD", False, "PR"),
        ("PR", "NE", False, "PR"),
        ("SD", "non-CR/non-PD", False, "SD"),
        ("SD", "NE", False, "SD"),
        ("NE", "non-CR/non-PD", False, "NE"),
        ("PD", "CR", False, "PD"),
        ("SD", "PD", False, "PD"),
        ("SD", "CR", True, "PD"),
        ("NE", "CR", True, "PD"),
        (None, "CR", False, "CR"),
        (None, "non-CR/non-PD", False, "non-CR/non-PD"),
        (None, "NE", False, "NE"),
        (None, "PD", False, "PD"),
        (None, "CR", True, "PD"),
    ],
)
def test_overall_response_is_that_of_the_table(target, non_target, new, overall):
    lesions = []
    if target:
        lesions.append(lesion("T1", *long(50), *TARGET[target]))
    if non_target:
        lesions.append(lesion("N1", PRESENT, NON_TARGET[non_target], role="non-target"))
    if new:
        lesions.append(lesion("X1", None, PRESENT, role="new"))

    found = last(course(*lesions), RECIST)

    assert found.category == overall
    assert (found.target, found.non_target) == (target, non_target)


@pytest.mark.parametrize(
    ("first_mm", "category"),
    [
        pytest.param(60, "NE", id="60 of 84: nothing can be told"),
        pytest.param(90, "PD", id="90 of 84: progression whatever the missing one is"),
        pytest.param(84, "PD", id="84 of 84, +14 mm"),
    ],
)
def test_a_missing_target_is_not_evaluable_unless_progression_holds_without_it(first_mm, category):
    found = last(course(lesion("T1", *long(40, first_mm)), lesion("T2", *long(30), NOT_ASSESSABLE)), RECIST)

    assert (found.category, found.value) == (category, None)
    assert "T2" in " ".join(reason.compared for reason in found.reasons)


def test_an_incomplete_sum_is_no_nadir():
    first = lesion("T1", *long(40, 10, 40))
    second = lesion("T2", *long(30), NOT_ASSESSABLE, *long(30))

    found = last(course(first, second), RECIST)

    assert (found.category, found.nadir) == ("SD", 70)


def test_the_parts_of_a_split_lesion_are_added():
    whole = lesion("T1", *long(30), response.Observation("split", into=("T1a", "T1b")))
    parts = [lesion(f"T1{name}", None, *long(size)) for name, size in (("a", 12), ("b", 10))]

    found = last(course(whole, *parts), RECIST)

    assert (found.value, found.category) == (22, "SD")
    assert any("T1 split into 12 + 10" in reason.text for reason in found.reasons)


def test_merged_lesions_count_once_and_the_rule_is_marked_unconfirmed():
    first = lesion("T1", *long(20, 35))
    second = lesion("T2", *long(15), response.Observation("merged", into=("T1",)))

    found = last(course(first, second), RECIST)

    assert (found.value, found.category) == (35, "SD")
    (merge,) = [reason for reason in found.reasons if reason.rule == "merge"]
    assert not merge.confirmed
    assert "unconfirmed" in merge.text


@pytest.mark.parametrize(
    ("seen", "total_mm"),
    [(TOO_SMALL, 5), (response.Observation("too-small", tuple(long(4)[0].measurements)), 4), (ABSENT, 0)],
    ids=["not measurable", "measured all the same", "gone"],
)
def test_a_lesion_too_small_to_measure_counts_5_mm(seen, total_mm):
    assert last(course(lesion("T1", *long(20), seen)), RECIST).value == total_mm


def test_a_response_stays_until_progression_where_the_protocol_says_so():
    """Sums 100, 70, 70, 80, 80, 80."""
    sums = of_sums(100, 70, 70, 80, 80, 80)

    assert response.evaluate(sums, RECIST, Options(sticky_response=True)).categories == ("PR",) * 5
    assert response.evaluate(sums, RECIST).categories == ("PR", "PR", "SD", "SD", "SD")


def test_a_target_seen_again_is_counted_and_calls_for_a_second_look():
    first = lesion("T1", *long(60, 40, 40))
    second = lesion("T2", *long(20), ABSENT, *long(9))

    found = last(course(first, second), RECIST)

    assert found.category == "PD"
    assert "reappearance" in [reason.rule for reason in found.reasons]


def test_the_reasons_say_what_was_compared_and_where_the_rule_stands():
    found = last(of_sums(100, 60, 72), RECIST)

    assert found.reasons[0].text == (
        "sum of diameters 72 mm vs nadir 60 mm: +20.0 %, +12 mm, limits +20 % and +5 mm: "
        "targets PD [RECIST 1.1]"
    )
    assert found.reasons[-1].outcome == "overall PD"
    assert (found.baseline, found.nadir, found.change_percent) == (100, 60, -28)
    assert (found.nadir_change, found.nadir_change_percent) == (12, 20)
    assert found.day == 112


def test_without_a_size_that_the_criterion_needs_nothing_is_told():
    node = lesion("T1", *long(30, 10), is_node=True)

    found = response.evaluate(course(node), RECIST)

    assert found.categories == ("NE",)
    assert "T1 not measured at baseline" in found.points[1].reasons[0].text


def test_a_target_without_baseline_makes_the_targets_not_evaluable():
    found = last(course(lesion("T1", *long(30, 10)), lesion("T2", None, *long(10))), RECIST)

    assert found.category == "NE"
    assert "T2 not measured at baseline" in found.reasons[0].text


def test_a_baseline_sum_of_zero_cannot_be_compared_with():
    found = last(course(lesion("T1", ABSENT, *long(40))), RECIST)

    assert (found.category, found.change_percent) == ("NE", None)


@pytest.mark.parametrize(("short_mm", "category"), [(9.9, "SD"), (10, "PD")])
def test_a_new_node_of_normal_size_is_no_new_lesion(short_mm, category):
    node = lesion("X1", None, *short(short_mm), role="new", is_node=True)

    assert last(with_others(long(50), node), RECIST).category == category


def test_a_lesion_that_is_only_perhaps_new_does_not_count_yet():
    perhaps = lesion("X1", None, response.Observation("equivocal"), PRESENT, role="new")
    target = lesion("T1", *long(50, 50, 50))

    found = response.evaluate(course(target, perhaps), RECIST)

    assert found.categories == ("SD", "PD")
    assert "of 2024-02-26 when it was first seen" in found.points[2].reasons[-2].outcome
