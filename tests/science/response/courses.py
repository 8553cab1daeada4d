"""Short ways to write courses in tests."""

from dataclasses import replace
from datetime import date, timedelta

from sightline.science import response

START = date(2024, 1, 1)


def points(*days, **facts):
    """Time points on these days; the facts hold at all after the baseline."""
    first, *later = (response.TimePoint(f"t{n}", START + timedelta(days=day)) for n, day in enumerate(days))
    return (first, *(replace(point, **facts) for point in later))


def lesion(uid, *observations, organ="lung", role="target", **facts):
    """A lesion seen at t0, t1 ...; None leaves a time point out."""
    seen = {f"t{n}": one for n, one in enumerate(observations) if one is not None}
    return response.Lesion(uid, uid, organ, role, seen, **facts)


def long(*sizes_mm):
    """Observations by long axis; None stays None."""
    return [None if size is None else response.measured(long_axis_mm=size) for size in sizes_mm]


def short(*sizes_mm):
    """Observations of a node by short axis."""
    return [response.measured(short_axis_mm=size) for size in sizes_mm]


def course(*lesions, days=None, facts=None, **more):
    """A course with time points eight weeks apart, or on these days."""
    number = max(int(name[1:]) for one in lesions for name in one.observations) + 1
    days = days or tuple(56 * n for n in range(number))
    return response.Course(points(*days, **(facts or {})), lesions, **more)


def of_sums(*sizes_mm, **facts):
    """One target whose long axis is the sum."""
    return course(lesion("T1", *long(*sizes_mm)), **facts)


def last(course, criterion, options=None):
    return response.evaluate(course, criterion, options).points[-1]
