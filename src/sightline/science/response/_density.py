"""Size and density: Choi, and modified Choi which asks for both."""

from decimal import Decimal

from sightline.science.response._checks import of_role
from sightline.science.response._criteria import Criterion, require_section
from sightline.science.response._diameters import sum_series
from sightline.science.response._model import Course, Options, PointResponse
from sightline.science.response._numbers import plain, reaches_fall, signed_percent
from sightline.science.response._points import baseline_point, combine, gather, point_response
from sightline.science.response._sums import ZERO, Judged, judge_sum, number, totals


def density_points(course: Course, criterion: Criterion, options: Options) -> tuple[PointResponse, ...]:
    """Return the answer at each time point."""
    added = totals(course, criterion, of_role(course, "target"))
    series = sum_series(criterion, added)
    points = [baseline_point(course, series)]
    for index in range(1, len(added)):
        size = judge_sum(criterion, require_section(criterion.limits), added[:index], added[index])
        target = _with_density(course, criterion, index, size)
        evidence = gather(course, criterion, options, index, target)
        points.append(
            point_response(course, criterion, series, index, evidence, combine(criterion, evidence))
        )
    return tuple(points)


def _with_density(course: Course, criterion: Criterion, index: int, size: Judged) -> Judged:
    if nodules := _new_nodules(course, index):
        reason = criterion.reason("nodule", f"new or growing nodule in {nodules}", "targets PD")
        return Judged("PD", (*size.reasons, reason))
    if size.category in ("CR", "NE", "none"):
        return size
    fell, compared = _fall(course, criterion, index)
    category = _decide(size.category, fell, needs_both=require_section(criterion.density).needs_both)
    reason = criterion.reason("density", f"size {size.category}; {compared}", f"targets {category}")
    return Judged(category, (*size.reasons, reason))


def _new_nodules(course: Course, index: int) -> str:
    point = course.time_points[index].id
    seen = ((one.label, one.observations.get(point)) for one in of_role(course, "target"))
    return ", ".join(label for label, at in seen if at is not None and at.new_nodule)


def _decide(size: str, fell: bool | None, *, needs_both: bool) -> str:
    """Return the category of size and density; `fell` is None where density is not known.

    A density that fell holds off progression by size in both versions.
    """
    if needs_both:
        table = {"PR": ("PR", "SD", "NE"), "SD": ("SD", "SD", "SD"), "PD": ("SD", "PD", "NE")}
    else:
        table = {"PR": ("PR", "PR", "PR"), "SD": ("PR", "SD", "NE"), "PD": ("PR", "PD", "NE")}
    with_fall, without, unknown = table[size]
    return unknown if fell is None else with_fall if fell else without


def _fall(course: Course, criterion: Criterion, index: int) -> tuple[bool | None, str]:
    """Return whether mean density fell enough since baseline, and what was compared."""
    before, now = _means(course, index)
    percent = require_section(criterion.density).response_percent
    if before is None or now is None:
        return None, "density not measured in every target that is left"
    if before <= 0:
        return None, f"density {plain(before)} HU at baseline allows no percentage"
    compared = f"density {plain(now)} HU vs baseline {plain(before)} HU: {signed_percent(now, before)}"
    return reaches_fall(now, before, percent), f"{compared}, limit -{plain(percent)} %"


def _means(course: Course, index: int) -> tuple[Decimal | None, Decimal | None]:
    """Return the mean density, at baseline and now, of the targets that are still there."""
    first, point = course.time_points[0].id, course.time_points[index].id
    pairs = []
    for lesion in of_role(course, "target"):
        before, now = lesion.observations.get(first), lesion.observations.get(point)
        if now is not None and now.state in ("absent", "merged"):
            continue
        pair = [None if seen is None else number(seen, "density") for seen in (before, now)]
        if pair[0] is None or pair[1] is None:
            return None, None
        pairs.append((pair[0], pair[1]))
    if not pairs:
        return None, None
    count = Decimal(len(pairs))
    return sum((b for b, _ in pairs), ZERO) / count, sum((n for _, n in pairs), ZERO) / count
