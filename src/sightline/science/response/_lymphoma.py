"""Lugano 2014: products of diameters, progression of single lesions, spleen; and the Deauville score."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sightline.science.response._checks import of_role
from sightline.science.response._criteria import Criterion, Lymphoma, require_section
from sightline.science.response._diameters import sum_series
from sightline.science.response._model import Course, Lesion, Options, PointResponse, Reason
from sightline.science.response._numbers import (
    exact,
    plain,
    reaches_fall,
    reaches_rise,
    signed,
    signed_percent,
)
from sightline.science.response._points import Series, baseline_point, combine, gather, point_response
from sightline.science.response._sums import ZERO, Judged, Total, number, totals


@dataclass(frozen=True, slots=True)
class Axes:
    """Longest diameter and the one across it, mm; their product is what Lugano adds up."""

    long: Decimal
    short: Decimal

    @property
    def product(self) -> Decimal:
        """Return the product of the diameters, mm2."""
        return self.long * self.short


def lymphoma_points(course: Course, criterion: Criterion, options: Options) -> tuple[PointResponse, ...]:
    """Return the answer at each time point by CT."""
    added = totals(course, criterion, of_role(course, "target"))
    series = sum_series(criterion, added)
    points = [baseline_point(course, series)]
    for index in range(1, len(added)):
        target = _judge(course, criterion, added[0], added[index], index)
        target = _with_spleen(course, criterion, index, target)
        evidence = gather(course, criterion, options, index, target)
        points.append(
            point_response(course, criterion, series, index, evidence, combine(criterion, evidence))
        )
    return tuple(points)


def _judge(course: Course, criterion: Criterion, first: Total, now: Total, index: int) -> Judged:
    if not of_role(course, "target"):
        return Judged("none", ())
    progressed = tuple(
        reason
        for lesion in of_role(course, "target")
        for reason in _lesion_progressed(course, criterion, lesion, index)
    )
    if progressed:
        return Judged("PD", (*now.reasons, *progressed))
    if unclear := tuple(_split_grew(course, criterion, now, index)):
        return Judged("NE", (*now.reasons, *unclear))
    if first.missing:
        why = f"{', '.join(first.missing)} not measured at baseline"
        return Judged("NE", (criterion.reason("baseline", why, "targets cannot be compared"),))
    if now.missing:
        why = f"{', '.join(now.missing)} missing and no other lesion progressed"
        return Judged("NE", (*now.reasons, criterion.reason("missing", why, "targets NE")))
    if now.gone:
        reason = criterion.reason("complete", "every target gone or a normal node", "targets CR")
        return Judged("CR", (*now.reasons, reason))
    return _by_products(criterion, first, now)


def _by_products(criterion: Criterion, first: Total, now: Total) -> Judged:
    percent = require_section(criterion.lymphoma).response_percent
    if first.value == 0:
        return Judged("NE", (criterion.reason("baseline", "baseline sum 0", "no change can be computed"),))
    category = "PR" if reaches_fall(now.value, first.value, percent) else "SD"
    compared = (
        f"sum of products {plain(now.value)} vs baseline {plain(first.value)} mm2: "
        f"{signed_percent(now.value, first.value)}, limit -{plain(percent)} %, no lesion progressed"
    )
    return Judged(category, (*now.reasons, criterion.reason("partial", compared, f"targets {category}")))


def _lesion_progressed(course: Course, criterion: Criterion, lesion: Lesion, index: int) -> Iterator[Reason]:
    """Yield a reason where one lesion alone makes progression: abnormal, and larger than at its own nadir."""
    limits = require_section(criterion.lymphoma)
    seen = [_axes(limits, course, lesion, at) for at in range(index + 1)]
    now, earlier = seen[-1], [one for one in seen[:-1] if one is not None]
    if now is None or not earlier:
        return
    low = min(earlier, key=lambda one: one.product)
    step = limits.small_rise_mm if low.long <= limits.small_up_to_mm else limits.large_rise_mm
    rise = max(now.long - low.long, now.short - low.short)
    abnormal = now.long > limits.above_mm
    grown = now.product > low.product and reaches_rise(now.product, low.product, limits.lesion_percent)
    if abnormal and grown and rise >= step:
        yield criterion.reason(
            "progression",
            f"{lesion.label} {_text(now)} vs its nadir {_text(low)} mm: product "
            f"{signed_percent(now.product, low.product)}, diameter {signed(rise)} mm, limits "
            f"+{plain(limits.lesion_percent)} % and +{plain(step)} mm, longer than {plain(limits.above_mm)}",
            "targets PD",
        )


def _split_grew(course: Course, criterion: Criterion, now: Total, index: int) -> Iterator[Reason]:
    """Yield a reason for each lesion that split and grew: it may have progressed, its own axes are gone."""
    limits = require_section(criterion.lymphoma)
    for lesion in of_role(course, "target"):
        seen = lesion.observations.get(course.time_points[index].id)
        earlier = [_axes(limits, course, lesion, at) for at in range(index)]
        products = [one.product for one in earlier if one is not None]
        product = now.by_lesion.get(lesion.uid)
        if seen is None or seen.state != "split" or product is None or not products:
            continue
        if product > min(products) and reaches_rise(product, min(products), limits.lesion_percent):
            compared = (
                f"{lesion.label} split, products {signed_percent(product, min(products))} over its nadir"
            )
            yield criterion.reason("split", compared, "may have progressed; cannot tell")


def _text(axes: Axes) -> str:
    return f"{plain(axes.long)} x {plain(axes.short)}"


def _axes(limits: Lymphoma, course: Course, lesion: Lesion, index: int) -> Axes | None:
    seen = lesion.observations.get(course.time_points[index].id)
    if seen is None:
        return None
    if seen.state == "absent":
        return Axes(ZERO, ZERO)
    long, short = number(seen, "long-axis"), number(seen, "short-axis")
    if long is not None and short is not None:
        return Axes(long, short)
    return Axes(limits.too_small_mm, limits.too_small_mm) if seen.state == "too-small" else None


def _with_spleen(course: Course, criterion: Criterion, index: int, target: Judged) -> Judged:
    """Return the category of the targets with the length of the spleen taken in, where it was measured."""
    lengths = [point.spleen_mm for point in course.time_points[: index + 1]]
    if lengths[0] is None:
        return target
    limits = require_section(criterion.lymphoma)
    first, normal = exact(lengths[0]), limits.spleen_normal_mm
    if lengths[-1] is None:
        if first <= normal or target.category not in ("CR", "PR"):
            return target
        reason = criterion.reason(
            "spleen", f"spleen {plain(first)} mm at baseline, not measured now", "cannot tell"
        )
        return Judged("NE", (*target.reasons, reason))
    now = exact(lengths[-1])
    low = min(exact(length) for length in lengths[:-1] if length is not None)
    if grown := _spleen_grew(criterion, limits, low, now):
        return Judged("PD", (*target.reasons, grown))
    return _spleen_fell(criterion, limits, first, now, target)


def _spleen_grew(criterion: Criterion, limits: Lymphoma, low: Decimal, now: Decimal) -> Reason | None:
    """Return why the spleen makes progression: half of its excess again, or 2 cm where it had none."""
    excess = low - limits.spleen_normal_mm
    if excess > 0:
        limit = excess * limits.spleen_excess_percent / 100
        progressed = now - low > limit
        wanted = f"more than +{plain(limit)} mm ({plain(limits.spleen_excess_percent)} % of the excess)"
    else:
        progressed = now - low >= limits.spleen_rise_mm
        wanted = f"+{plain(limits.spleen_rise_mm)} mm"
    if not progressed:
        return None
    return criterion.reason("spleen", f"spleen {plain(now)} vs {plain(low)} mm, limit {wanted}", "targets PD")


def _spleen_fell(
    criterion: Criterion, limits: Lymphoma, first: Decimal, now: Decimal, target: Judged
) -> Judged:
    """Return a response only as far as an enlarged spleen responded too."""
    excess = first - limits.spleen_normal_mm
    if excess <= 0 or target.category not in ("CR", "PR"):
        return target
    fell = (first - now) * 100 > excess * limits.spleen_excess_percent
    allowed = "CR" if now <= limits.spleen_normal_mm else "PR" if fell else "SD"
    category = max(target.category, allowed, key=("CR", "PR", "SD").index)
    compared = (
        f"spleen {plain(now)} vs {plain(first)} mm at baseline, normal {plain(limits.spleen_normal_mm)} mm"
    )
    return Judged(category, (*target.reasons, criterion.reason("spleen", compared, f"targets {category}")))


def deauville_points(course: Course, criterion: Criterion, options: Options) -> tuple[PointResponse, ...]:
    """Return the answer at each time point by PET: the score, then how uptake changed."""
    scores = tuple(None if p.deauville is None else Decimal(p.deauville) for p in course.time_points)
    series = Series("score", scores)
    points = [baseline_point(course, series)]
    for index in range(1, len(scores)):
        evidence = gather(course, criterion, options, index, _by_score(course, criterion, index))
        points.append(
            point_response(course, criterion, series, index, evidence, combine(criterion, evidence))
        )
    return tuple(points)


def _by_score(course: Course, criterion: Criterion, index: int) -> Judged:
    point, limits = course.time_points[index], require_section(criterion.deauville)
    if point.deauville is None:
        return Judged("NE", (criterion.reason("missing", "no Deauville score", "cannot tell"),))
    score = criterion.reason(
        "score",
        f"Deauville {point.deauville}, complete up to {limits.complete_up_to}",
        "complete metabolic response" if point.deauville <= limits.complete_up_to else "uptake decides",
    )
    if point.deauville <= limits.complete_up_to:
        return Judged("CR", (score,))
    if point.uptake is None:
        compared = "change of uptake from baseline is not told"
        return Judged("NE", (score, criterion.reason("change", compared, "cannot tell")))
    category = limits.by_uptake[point.uptake]
    outcome = criterion.called(category)
    return Judged(
        category,
        (score, criterion.reason("change", f"uptake {point.uptake} compared with baseline", outcome)),
    )
