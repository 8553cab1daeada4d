"""PERCIST: the hottest lesion of each scan, against the liver of the patient."""

from collections.abc import Mapping
from decimal import Decimal

from sightline.science.response._checks import of_role
from sightline.science.response._criteria import Criterion, UptakeLimits, require_section
from sightline.science.response._model import Course, Lesion, Options, PointResponse, Reason, ReferenceTissue
from sightline.science.response._numbers import (
    exact,
    plain,
    reaches_fall,
    reaches_rise,
    signed,
    signed_percent,
)
from sightline.science.response._points import Series, baseline_point, combine, gather, point_response
from sightline.science.response._sums import ZERO, Judged, number

UNIT = "g/ml"


def uptake_points(course: Course, criterion: Criterion, options: Options) -> tuple[PointResponse, ...]:
    """Return the answer at each time point."""
    values = tuple(_hottest(course, index)[0] for index in range(len(course.time_points)))
    series = Series(UNIT, values)
    points = [baseline_point(course, series)]
    for index in range(1, len(values)):
        evidence = gather(course, criterion, options, index, _judge(course, criterion, index))
        points.append(
            point_response(course, criterion, series, index, evidence, combine(criterion, evidence))
        )
    return tuple(points)


def _hottest(course: Course, index: int) -> tuple[Decimal | None, str, tuple[str, ...]]:
    """Return the highest SULpeak, of which lesion, and the lesions whose uptake is not known.

    The value is 0 where every lesion is at background.
    """
    point = course.time_points[index].id
    lesions = {lesion.uid: lesion for lesion in course.lesions}
    found: list[tuple[Decimal, str]] = []
    unknown = []
    for lesion in of_role(course, "target"):
        value = _peak(lesions, lesion, point)
        if value is None:
            unknown.append(lesion.label)
        else:
            found.append((value, lesion.label))
    if not found:
        return None, "", tuple(unknown)
    value, label = max(found)
    return value, label, tuple(unknown)


def _peak(lesions: Mapping[str, Lesion], lesion: Lesion, point: str) -> Decimal | None:
    """Return the SULpeak of a lesion; of its hottest part when it split, 0 when it is measured elsewhere."""
    seen = lesion.observations.get(point)
    if seen is None:
        return None
    if seen.state == "split":
        pieces = [_peak(lesions, lesions[uid], point) for uid in seen.into]
        known = [piece for piece in pieces if piece is not None]
        return max(known) if len(known) == len(pieces) else None
    return ZERO if seen.state in ("absent", "merged") else number(seen, "sul-peak")


def _judge(course: Course, criterion: Criterion, index: int) -> Judged:
    if not of_role(course, "target"):
        return Judged("none", ())
    limits = require_section(criterion.uptake)
    for refusal in (_not_measurable(course, criterion, limits), _not_comparable(course, criterion, index)):
        if refusal is not None:
            return Judged("NE", (refusal,))
    before, _, _ = _hottest(course, 0)
    now, label, unknown = _hottest(course, index)
    if now is None or before is None:
        reason = criterion.reason("missing", f"{', '.join(unknown)} has no SULpeak", "targets NE")
        return Judged("NE", (reason,))
    if now == 0 and not unknown:
        outcome = f"targets {criterion.called('CR')}"
        reason = criterion.reason("complete", "every lesion at background", outcome)
        return Judged("CR", (reason,))
    hottest = criterion.reason("hottest", f"hottest lesion {label}", f"SULpeak {plain(now)} {UNIT}")
    category, decided = _by_change(course, criterion, index, before, now)
    if unknown and category != "PD":
        reason = criterion.reason("missing", f"{', '.join(unknown)} has no SULpeak", "targets NE")
        return Judged("NE", (hottest, decided, reason))
    return Judged(category, (hottest, decided))


def _by_change(
    course: Course, criterion: Criterion, index: int, before: Decimal, now: Decimal
) -> tuple[str, Reason]:
    limits = require_section(criterion.uptake)
    percent, absolute = limits.change_percent, limits.change_absolute
    compared = (
        f"SULpeak {plain(now)} vs baseline {plain(before)} {UNIT}: {signed_percent(now, before)}, "
        f"{signed(now - before)}, limits {plain(percent)} % and {plain(absolute)}"
    )
    if reaches_rise(now, before, percent) and now - before >= absolute:
        return "PD", criterion.reason("progression", compared, f"targets {criterion.called('PD')}")
    glycolysis = _glycolysis_rose(course, limits, index)
    if glycolysis and now >= before:
        return "PD", criterion.reason("tlg", glycolysis, f"targets {criterion.called('PD')}")
    fell = reaches_fall(now, before, percent) and before - now >= absolute
    category = "PR" if fell else "SD"
    return category, criterion.reason("partial", compared, f"targets {criterion.called(category)}")


def _glycolysis_rose(course: Course, limits: UptakeLimits, index: int) -> str | None:
    """Return what was compared where total lesion glycolysis rose to the limit, else None."""
    sums = []
    for at in (0, index):
        seen = [one.observations.get(course.time_points[at].id) for one in of_role(course, "target")]
        values = [None if one is None else _glycolysis(one.state, number(one, "tlg")) for one in seen]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        sums.append(sum(known, ZERO))
    before, now = sums
    if before == 0 or not reaches_rise(now, before, limits.tlg_percent):
        return None
    change = signed_percent(now, before)
    return f"TLG {plain(now)} vs {plain(before)} g: {change}, limit +{plain(limits.tlg_percent)} %"


def _glycolysis(state: str, value: Decimal | None) -> Decimal | None:
    return ZERO if state == "absent" else value


def _not_measurable(course: Course, criterion: Criterion, limits: UptakeLimits) -> Reason | None:
    """Return why the baseline cannot be measured, None where it can."""
    threshold, tissue = _threshold(course.time_points[0].reference, limits)
    value, label, unknown = _hottest(course, 0)
    if threshold is None:
        return criterion.reason("measurable", f"no uptake of {tissue} at baseline", "cannot tell")
    if value is None or unknown:
        return criterion.reason(
            "measurable", f"{', '.join(unknown)} has no SULpeak at baseline", "cannot tell"
        )
    if value < threshold:
        compared = f"{label} SULpeak {plain(value)}, least {plain(threshold)} {UNIT} by {tissue}"
        return criterion.reason("measurable", compared, "not measurable")
    return None


def _threshold(reference: ReferenceTissue | None, limits: UptakeLimits) -> tuple[Decimal | None, str]:
    """Return the least SULpeak of a measurable lesion, and the tissue it comes from."""
    if reference is not None and reference.liver_is_diseased:
        return _of_tissue(
            reference.aorta_mean, reference.aorta_sd, limits.aorta_factor, limits.aorta_sds
        ), "aorta"
    mean, sd = (reference.liver_mean, reference.liver_sd) if reference else (None, None)
    return _of_tissue(mean, sd, limits.liver_factor, limits.liver_sds), "liver"


def _of_tissue(mean: float | None, sd: float | None, factor: Decimal, sds: Decimal) -> Decimal | None:
    return None if mean is None or sd is None else exact(mean) * factor + exact(sd) * sds


def _not_comparable(course: Course, criterion: Criterion, index: int) -> Reason | None:
    """Return why this scan cannot be compared with the baseline, None where it can."""
    limits = require_section(criterion.uptake)
    first, now = course.time_points[0].reference, course.time_points[index].reference
    diseased = first is not None and first.liver_is_diseased
    tissue = "aorta" if diseased else "liver"
    means = [_mean(reference, diseased=diseased) for reference in (first, now)]
    if means[0] is None or means[1] is None:
        return criterion.reason("comparable", f"no uptake of {tissue} at both scans", "cannot tell")
    difference = abs(means[1] - means[0])
    percent, absolute = limits.comparable_percent, limits.comparable_absolute
    if difference * 100 < means[0] * percent and difference < absolute:
        return None
    compared = (
        f"{tissue} {plain(means[1])} vs {plain(means[0])} {UNIT}, "
        f"must differ by less than {plain(percent)} % and {plain(absolute)}"
    )
    return criterion.reason("comparable", compared, "scans not comparable")


def _mean(reference: ReferenceTissue | None, *, diseased: bool) -> Decimal | None:
    if reference is None:
        return None
    value = reference.aorta_mean if diseased else reference.liver_mean
    return None if value is None else exact(value)
