"""Criteria that go by a sum and its nadir: RECIST 1.1, mRECIST, RANO-BM, volumes."""

from collections.abc import Sequence
from decimal import Decimal

from sightline.science.response._checks import of_role
from sightline.science.response._criteria import Criterion, held
from sightline.science.response._glioma import weigh_clinic
from sightline.science.response._model import Course, Options, PointResponse, Reason
from sightline.science.response._points import (
    Evidence,
    Series,
    baseline_point,
    combine,
    gather,
    point_response,
)
from sightline.science.response._sums import Judged, Total, judge_sum, totals


def sum_points(course: Course, criterion: Criterion, options: Options) -> tuple[PointResponse, ...]:
    """Return the answer at each time point."""
    added = totals(course, criterion, of_role(course, "target"))
    series = sum_series(criterion, added)
    points = [baseline_point(course, series)]
    for index, evidence in enumerate(sum_evidence(course, criterion, options, added), start=1):
        said = weigh_clinic(course, criterion, index, combine(criterion, evidence))
        points.append(point_response(course, criterion, series, index, evidence, said))
    return tuple(points)


def sum_series(criterion: Criterion, added: Sequence[Total]) -> Series:
    """Return the sums of all time points."""
    return Series(held(criterion.measure).unit, tuple(_shown(total) for total in added))


def _shown(total: Total) -> Decimal | None:
    return total.complete if total.by_lesion else None


def sum_evidence(
    course: Course, criterion: Criterion, options: Options, added: Sequence[Total]
) -> tuple[Evidence, ...]:
    """Return the evidence of each time point after the baseline."""
    found = []
    responded = False
    for index in range(1, len(added)):
        target = judge_sum(criterion, held(criterion.limits), added[:index], added[index])
        if options.sticky_response and responded and target.category == "SD":
            target = Judged("PR", (*target.reasons, _sticks(criterion)))
        evidence = gather(course, criterion, options, index, target)
        found.append(evidence)
        if combine(criterion, evidence).category == "PD":
            responded = False
        elif target.category in ("CR", "PR"):
            responded = True
    return tuple(found)


def _sticks(criterion: Criterion) -> Reason:
    return criterion.reason("sticky", "PR was reached before and no progression since", "targets stay PR")
