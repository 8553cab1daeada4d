"""Plots, codes and rows."""

import csv
import io
from dataclasses import replace
from datetime import date

import pytest

from sightline.science import response
from sightline.science.response import ABSENT, PRESENT, PROGRESSED
from tests.science.response.courses import course, lesion, long, of_sums

RECIST = "recist-1.1"


def said(*sums_mm, criterion=RECIST, **more):
    return response.evaluate(of_sums(*sums_mm, **more), criterion)


def test_the_waterfall_runs_from_growth_to_shrinkage():
    trial = {"A": said(100, 60, 72), "B": said(100, 110), "C": said(100, 100, 90), "D": said(100)}

    bars = response.waterfall(trial)

    assert [(bar.patient, bar.best_change_percent, bar.best_response) for bar in bars] == [
        ("B", 10, "SD"),
        ("C", -10, "SD"),
        ("A", -40, "PR"),
    ]


def test_what_comes_after_progression_is_not_drawn():
    assert [(p.day, p.change_percent) for p in response.spider(said(100, 130, 50))] == [(56, 30)]


def test_an_unconfirmed_progression_does_not_end_the_line():
    line = response.spider(said(100, 125, 65, criterion="irecist"))

    assert [(point.day, point.change_percent, point.category) for point in line] == [
        (56, 25, "iUPD"),
        (112, -35, "iPR"),
    ]


def test_a_disregarded_scan_is_in_no_plot():
    found = said(100, 125, 140, criterion="irecist", days=(0, 56, 70))

    assert [point.day for point in response.spider(found)] == [56]
    assert [(span.start_day, span.end_day) for span in response.swimmer(found)] == [(56, None)]


def test_a_lane_has_one_span_for_each_stretch_of_one_category():
    lane = response.swimmer(said(100, 70, 70, 90, 90))

    assert [(span.start_day, span.end_day, span.category) for span in lane] == [
        (56, 168, "PR"),
        (168, None, "PD"),
    ]


def test_rows_can_be_written_as_csv():
    rows = response.csv_rows(said(100, 60, 72))
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    first, *others = csv.DictReader(io.StringIO(text.getvalue()))

    assert (first["category"], first["value"], first["nadir"]) == ("baseline", "100", "100")
    assert others[-1]["category"] == "PD"
    assert others[-1]["nadir_change_percent"] == "20"
    assert others[-1]["best_response"] == "PR"
    assert "vs nadir 60 mm" in others[-1]["reasons"]


def test_rows_name_the_rules_that_are_unconfirmed():
    header, _, row = response.csv_rows(said(100, 60, criterion="choi"))

    named = dict(zip(header, row, strict=True))["unconfirmed_rules"]
    assert named == "combination; density; partial; progression"


@pytest.mark.parametrize(
    ("sums_mm", "criterion", "status"),
    [
        ((100, 60), RECIST, "268910001"),
        ((100, 100), RECIST, "359746009"),
        ((100, 130), RECIST, "271299001"),
        ((100, 125), "irecist", "709137006"),
        ((100, 125, 131), "irecist", "271299001"),
    ],
)
def test_the_disease_status_is_a_draft(sums_mm, criterion, status):
    draft = response.draft_status(said(*sums_mm, criterion=criterion).points[-1])

    assert (draft.code.value, draft.code.scheme) == (status, "SCT")
    assert "clinician" in draft.note


@pytest.mark.parametrize("name", response.criteria())
def test_every_category_of_every_criterion_has_a_status(name):
    point = said(100, 100).points[1]
    for category in response.load_criterion(name).order:
        changed = replace(point, category=category)
        assert response.draft_status(changed).code in response.STATUS_CODES.values()


def test_complete_response_is_not_detected():
    found = response.evaluate(course(lesion("T1", *long(20), ABSENT)), RECIST).points[1]

    assert response.draft_status(found).code.value == "260415000"


@pytest.mark.parametrize(("seen", "code"), [(ABSENT, "112045"), (PRESENT, "112046"), (PROGRESSED, "112047")])
def test_targets_and_non_targets_have_sr_codes(seen, code):
    other = lesion("N1", PRESENT, seen, role="non-target")
    found = response.evaluate(course(lesion("T1", *long(50, 30)), other), RECIST).points[1]

    assert response.target_code(found).value == "112042"
    assert response.non_target_code(found).value == code


def test_a_category_without_a_code_gets_none():
    found = said(100, 125, criterion="irecist").points[1]

    assert response.target_code(found) is None
    assert response.non_target_code(found) is None


@pytest.mark.parametrize(("low", "high", "found"), [(34.9, 37, ("PR", "SD")), (35.5, 37, ("SD",))])
def test_an_uncertain_measurement_may_leave_two_categories_open(low, high, found):
    now = response.Observation("measured", (response.Measurement("long-axis", 36, "mm", low, high),))
    measured = course(lesion("T1", *long(50), now))

    assert response.plausible_categories(measured, RECIST, "t1") == found


def test_lesion_lines_end_at_progression_and_tell_what_each_target_counts():
    points = tuple(response.TimePoint(f"t{n}", date(2024, 1 + 2 * n, 1)) for n in range(4))
    sizes = {"1": (20, 15, 30, 5), "2": (30, 30, 40, 5)}
    lesions = tuple(
        response.Lesion(
            uid,
            f"T{uid}",
            "lung",
            "target",
            {f"t{n}": response.measured(long_axis_mm=mm) for n, mm in enumerate(row)},
        )
        for uid, row in sizes.items()
    )
    followed = response.Course(points, lesions)
    found = response.evaluate(followed, "recist-1.1")

    one, two = response.lesion_lines(followed, "recist-1.1", found)

    assert found.categories == ("SD", "PD", "PR")
    assert one.sizes == (20.0, 15.0, 30.0, 5.0)
    assert one.changes_percent == (0.0, -25.0, 50.0, -75.0)
    assert (one.best_percent, two.best_percent) == (-25.0, 0.0), "what comes after progression counts no more"
    assert response.lesion_lines(followed, "percist-1.0", response.evaluate(followed, "percist-1.0")) == ()
