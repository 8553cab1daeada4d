"""Gliomas: two parts, progression soon after radiotherapy, responses that must hold (RANO 2.0)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sightline.science.response._checks import of_role
from sightline.science.response._clinic import weigh_clinic
from sightline.science.response._criteria import Criterion, require_section
from sightline.science.response._diameters import stick, sum_series
from sightline.science.response._model import Component, Course, Options, PointResponse
from sightline.science.response._points import (
    Said,
    baseline_point,
    combine,
    gather,
    look_up,
    point_response,
)
from sightline.science.response._sums import Judged, judge_sum, totals


@dataclass(frozen=True, slots=True)
class Earlier:
    """An overall category that was said before, and on which day."""

    day: int
    category: str
    provisional: bool


def glioma_points(course: Course, criterion: Criterion, options: Options) -> tuple[PointResponse, ...]:
    """Return the answer at each time point; its numbers are of the enhancing part where there is one."""
    parts = _parts(course)
    judged = [_judge_part(course, criterion, options, part) for part in parts]
    shown = [one for one in of_role(course, "target") if one.component == parts[0]]
    series = sum_series(criterion, totals(course, criterion, shown))
    points = [baseline_point(course, series)]
    earlier: list[Earlier] = []
    for index in range(1, len(course.time_points)):
        target = _join(criterion, [part[index - 1] for part in judged])
        evidence = gather(course, criterion, options, index, target)
        said = weigh_clinic(course, criterion, index, combine(criterion, evidence))
        said = _weigh_time(course, criterion, index, said, earlier)
        point = point_response(course, criterion, series, index, evidence, said)
        earlier.append(Earlier(point.day, said.category, said.provisional))
        points.append(point)
    return tuple(points)


def _parts(course: Course) -> tuple[Component, ...]:
    present = {lesion.component for lesion in of_role(course, "target")}
    both: tuple[Component, ...] = ("enhancing", "non-enhancing")
    return tuple(part for part in both if part in present) or ("enhancing",)


def _judge_part(
    course: Course, criterion: Criterion, options: Options, component: Component
) -> Sequence[Judged]:
    targets = [one for one in of_role(course, "target") if one.component == component]
    added = totals(course, criterion, targets)
    limits = criterion.limits_of(component)
    found: list[Judged] = []
    for index in range(1, len(added)):
        judged = judge_sum(criterion, limits, added[:index], added[index])
        found.append(stick(criterion, options, [one.category for one in found], judged))
    return found


def _join(criterion: Criterion, judged: Sequence[Judged]) -> Judged:
    if len(judged) == 1:
        return judged[0]
    enhancing, other = judged
    category = look_up(require_section(criterion.mixed).table, enhancing.category, other.category)
    compared = f"enhancing part {enhancing.category}, non-enhancing part {other.category}"
    reason = criterion.reason("mixed", compared, f"targets {category}")
    return Judged(category, (*enhancing.reasons, *other.reasons, reason))


def _weigh_time(
    course: Course, criterion: Criterion, index: int, said: Said, earlier: Sequence[Earlier]
) -> Said:
    if said.category == "PD":
        return _after_radiotherapy(course, criterion, index, said, earlier)
    if said.category in ("CR", "PR"):
        return _held(course, criterion, index, said, earlier)
    return said


def _held(course: Course, criterion: Criterion, index: int, said: Said, earlier: Sequence[Earlier]) -> Said:
    """Return a response as provisional until it was there before, long enough ago."""
    days = criterion.confirmation.days
    day = (course.time_points[index].date - course.time_points[0].date).days
    since = None
    for one in reversed(earlier):
        if one.category not in ("CR", "NE", *(["PR"] if said.category == "PR" else [])):
            break
        since = since if one.category == "NE" else one.day
    if since is not None and day - since >= days:
        reason = criterion.reason("held", f"held for {day - since} days, least {days}", "response holds")
        return replace(said, reasons=(*said.reasons, reason))
    reason = criterion.reason("held", f"not yet held for {days} days", "provisional")
    return replace(said, provisional=True, reasons=(*said.reasons, reason))


def _after_radiotherapy(
    course: Course, criterion: Criterion, index: int, said: Said, earlier: Sequence[Earlier]
) -> Said:
    """Return progression as provisional when it may be an effect of radiotherapy."""
    limits, end = criterion.radiotherapy, course.radiotherapy_end
    if limits is None or end is None:
        return said
    point = course.time_points[index]
    since = (point.date - end).days
    day = (point.date - course.time_points[0].date).days
    first = _first_of_run(earlier)
    if first is not None and day - first >= limits.confirm_days:
        compared = f"progression again {day - first} days after day {first}, least {limits.confirm_days}"
        reason = criterion.reason("radiotherapy", compared, f"confirmed; progression is of day {first}")
        return replace(said, reasons=(*said.reasons, reason))
    if since > limits.days:
        return said
    compared = f"{since} days after radiotherapy, limit {limits.days}"
    if outside := _outside(course, point.id):
        reason = criterion.reason("radiotherapy", f"{compared}; {outside} outside the field", "progression")
        return replace(said, reasons=(*said.reasons, reason))
    outcome = f"provisional; needs another scan after at least {limits.confirm_days} days"
    reason = criterion.reason("radiotherapy", compared, outcome)
    return replace(said, provisional=True, reasons=(*said.reasons, reason))


def _first_of_run(earlier: Sequence[Earlier]) -> int | None:
    """Return the day on which the progression began that is still there, None where there is none."""
    first = None
    for one in reversed(earlier):
        if one.category not in ("PD", "NE"):
            break
        first = one.day if one.category == "PD" else first
    return first


def _outside(course: Course, point: str) -> str | None:
    """Return the label of a new lesion clearly outside the irradiated field."""
    for lesion in of_role(course, "new"):
        seen = lesion.observations.get(point)
        if lesion.out_of_field and seen is not None and seen.state == "measured":
            return lesion.label
    return None
