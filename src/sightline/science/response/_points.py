"""From the three things a category is made of to what is said at a time point."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sightline.science.response._criteria import Combination, Criterion
from sightline.science.response._lesions import judge_new, judge_non_targets
from sightline.science.response._model import Course, Options, PointResponse, Presence, Reason
from sightline.science.response._numbers import percent_change
from sightline.science.response._sums import Judged


@dataclass(frozen=True, slots=True)
class Evidence:
    """Targets, non-targets and new lesions at one time point, each judged alone."""

    target: Judged
    non_target: Judged
    new: Judged

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Return the reasons of all three."""
        return (*self.target.reasons, *self.non_target.reasons, *self.new.reasons)

    @property
    def presence(self) -> Presence:
        """Return whether there is a new lesion that counts."""
        return "yes" if self.new.category == "yes" else "no" if self.new.category == "no" else "unknown"


@dataclass(frozen=True, slots=True)
class Said:
    """The overall category of a time point, in the engine's words (CR, PR, MR, SD, PD, NE)."""

    category: str
    reasons: tuple[Reason, ...]
    provisional: bool = False
    disregarded: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """The one number a criterion goes by, at each time point, None where it is not complete."""

    unit: str
    values: tuple[Decimal | None, ...]


def gather(course: Course, criterion: Criterion, options: Options, index: int, target: Judged) -> Evidence:
    """Return the evidence of one time point, the targets being judged already."""
    return Evidence(
        target,
        judge_non_targets(course, criterion, index),
        judge_new(course, criterion, index, immunotherapy=options.immunotherapy),
    )


def combine(criterion: Criterion, evidence: Evidence) -> Said:
    """Return the overall category by the criterion's table."""
    target, non_target, new = evidence.target.category, evidence.non_target.category, evidence.presence
    overall = look_up(criterion.combination, target, non_target, new)
    named = criterion.called(target), criterion.called(non_target)
    compared = f"targets {named[0]}, non-targets {named[1]}, new lesion {new}"
    reason = criterion.reason("combination", compared, f"overall {criterion.called(overall)}")
    return Said(overall, (*evidence.reasons, reason))


def look_up(table: Sequence[Combination], target: str, non_target: str = "*", new: str = "*") -> str:
    """Return the overall category of the first row that fits."""
    for row in table:
        cells = ((row.target, target), (row.non_target, non_target), (row.new, new))
        if all("*" in allowed or value in allowed for allowed, value in cells):
            return row.overall
    return "NE"


def baseline_point(course: Course, series: Series) -> PointResponse:
    """Return what is said at baseline: no category, only the sum to compare with."""
    first = course.time_points[0]
    value = _float(series.values[0])
    return PointResponse(
        first.id, first.date, 0, "baseline", None, None, "no", series.unit, value, value, value
    )


def point_response(
    course: Course, criterion: Criterion, series: Series, index: int, evidence: Evidence, said: Said
) -> PointResponse:
    """Return the finished answer for one time point with the numbers it stands on."""
    point = course.time_points[index]
    now, first = series.values[index], series.values[0]
    earlier = [value for value in series.values[:index] if value is not None]
    low = min(earlier, default=None)
    return PointResponse(
        time_point=point.id,
        date=point.date,
        day=(point.date - course.time_points[0].date).days,
        category=criterion.called(said.category),
        target=None if evidence.target.category == "none" else criterion.called(evidence.target.category),
        non_target=None if evidence.non_target.category == "none" else evidence.non_target.category,
        new_lesion=evidence.presence,
        unit=series.unit,
        value=_float(now),
        baseline=_float(first),
        nadir=_float(low),
        change=_difference(now, first),
        change_percent=_percent(now, first),
        nadir_change=_difference(now, low),
        nadir_change_percent=_percent(now, low),
        provisional=said.provisional,
        disregarded=said.disregarded,
        reasons=said.reasons,
    )


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _difference(now: Decimal | None, before: Decimal | None) -> float | None:
    return None if now is None or before is None else float(now - before)


def _percent(now: Decimal | None, before: Decimal | None) -> float | None:
    return None if now is None or before is None else percent_change(now, before)
