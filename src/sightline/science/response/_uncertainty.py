"""What the uncertainty of the measurements at one time point leaves open."""

from dataclasses import replace

from sightline.science.response._criteria import Criterion
from sightline.science.response._engine import evaluate
from sightline.science.response._model import Course, Lesion, Measurement, Options


def plausible_categories(
    course: Course, criterion: str | Criterion, time_point: str, options: Options | None = None
) -> tuple[str, ...]:
    """Return the categories at a time point with its measurements at low ends, as they are, at high ends.

    One category only means that no measurement error within the intervals changes it. That all lesions err
    in one direction at once is the extreme case, so several categories mean "may be", not "is likely".
    Measurements without an interval stay as they are.

    Examples
    --------
    >>> from datetime import date
    >>> from sightline.science.response import Course, Lesion, Measurement, Observation, TimePoint, measured
    >>> now = Observation("measured", (Measurement("long-axis", 36, "mm", low=34, high=38),))
    >>> points = TimePoint("a", date(2024, 1, 1)), TimePoint("b", date(2024, 3, 1))
    >>> lesion = Lesion("1", "T1", "lung", "target", {"a": measured(long_axis_mm=50), "b": now})
    >>> plausible_categories(Course(points, (lesion,)), "recist-1.1", "b")
    ('PR', 'SD')
    """
    courses = [_moved(course, time_point, end) for end in ("low", "value", "high")]
    found = [evaluate(one, criterion, options).at(time_point).category for one in courses]
    return tuple(dict.fromkeys(found))


def _moved(course: Course, time_point: str, end: str) -> Course:
    return replace(course, lesions=tuple(_lesion(lesion, time_point, end) for lesion in course.lesions))


def _lesion(lesion: Lesion, time_point: str, end: str) -> Lesion:
    seen = lesion.observations.get(time_point)
    if seen is None:
        return lesion
    moved = replace(seen, measurements=tuple(_measurement(m, end) for m in seen.measurements))
    return replace(lesion, observations={**lesion.observations, time_point: moved})


def _measurement(measurement: Measurement, end: str) -> Measurement:
    value = getattr(measurement, end)
    return measurement if value is None else replace(measurement, value=value)
