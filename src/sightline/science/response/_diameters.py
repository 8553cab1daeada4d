"""Criteria that go by a sum and its nadir: RECIST 1.1, mRECIST, RANO-BM, volumes."""

from collections.abc import Sequence
from decimal import Decimal

from sightline.science.response._checks import of_role
from sightline.science.response._clinic import weigh_clinic
from sightline.science.response._criteria import Criterion, require_section
from sightline.science.response._model import Course, Options, PointResponse
from sightline.science.response._points import Series, baseline_point, combine, gather, point_response
from sightline.science.response._sums import Judged, Total, judge_sum, totals


def sum_points(course: Course, criterion: Criterion, options: Options) -> tuple[PointResponse, ...]:
    """Return the answer at each time point."""
    added = totals(course, criterion, of_role(course, "target"))
    series = sum_series(criterion, added)
    points = [baseline_point(course, series)]
    overall: list[str] = []
    for index in range(1, len(added)):
        target = judge_sum(criterion, require_section(criterion.limits), added[:index], added[index])
        target = stick(criterion, options, overall, target)
        evidence = gather(course, criterion, options, index, target)
        said = weigh_clinic(course, criterion, index, combine(criterion, evidence))
        overall.append(said.category)
        points.append(point_response(course, criterion, series, index, evidence, said))
    return tuple(points)


def sum_series(criterion: Criterion, added: Sequence[Total]) -> Series:
    """Return the sums of all time points."""
    return Series(require_section(criterion.measure).unit or "", tuple(_shown(total) for total in added))


def _shown(total: Total) -> Decimal | None:
    return total.complete if total.by_lesion else None


def stick(criterion: Criterion, options: Options, earlier: Sequence[str], judged: Judged) -> Judged:
    """Return PR in place of SD where a response was reached earlier and no progression since."""
    decisive = [category for category in earlier if category in ("CR", "PR", "PD")]
    lost = judged.category == "SD" and decisive and decisive[-1] != "PD"
    if not (options.sticky_response and lost):
        return judged
    reason = criterion.reason("sticky", "PR was reached before and no progression since", "targets stay PR")
    return Judged("PR", (*judged.reasons, reason))
