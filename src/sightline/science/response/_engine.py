"""One call for every criterion: check the course, ask the family, add best response and warnings."""

from collections.abc import Callable, Mapping, Sequence

from sightline.science.response._best import Step, best_of, engine_word, steps_of
from sightline.science.response._checks import require_usable, selection_warnings
from sightline.science.response._criteria import Criterion, Family, load_criterion
from sightline.science.response._density import density_points
from sightline.science.response._diameters import sum_points
from sightline.science.response._glioma import glioma_points
from sightline.science.response._immune import immune_points
from sightline.science.response._lymphoma import deauville_points, lymphoma_points
from sightline.science.response._model import BestResponse, Course, Evaluation, Options, PointResponse
from sightline.science.response._uptake import uptake_points

FAMILIES: Mapping[Family, Callable[[Course, Criterion, Options], tuple[PointResponse, ...]]] = {
    "sum": sum_points,
    "immune": immune_points,
    "glioma": glioma_points,
    "density": density_points,
    "uptake": uptake_points,
    "lymphoma": lymphoma_points,
    "deauville": deauville_points,
}


def evaluate(course: Course, criterion: str | Criterion, options: Options | None = None) -> Evaluation:
    """Return what a criterion says of a course at each time point, with every rule that was applied.

    The result is a draft for a reader. What the criterion needs and the course does not hold is said as a
    reason, with category NE; nothing is guessed. The same course may be evaluated by any other criterion.

    Parameters
    ----------
    course
        Time points in order of date, the first being the baseline, and the lesions seen at them.
    criterion
        A name of `criteria()`, or a criterion read by `parse_criterion`.
    options
        What the protocol chooses; by default what the criterion itself says.

    Raises
    ------
    UnusableCourse
        If the course contradicts itself: dates out of order, mixed units, names used twice.
    UnknownCriterion
        If there is no criterion of this name.

    Examples
    --------
    >>> from datetime import date
    >>> from sightline.science.response import Course, Lesion, TimePoint, measured
    >>> before, after = TimePoint("before", date(2024, 1, 8)), TimePoint("after", date(2024, 3, 4))
    >>> seen = {"before": measured(long_axis_mm=50), "after": measured(long_axis_mm=33)}
    >>> course = Course((before, after), (Lesion("1", "T1", "lung", "target", seen),))
    >>> point = evaluate(course, "recist-1.1").at("after")
    >>> point.category, point.value, round(point.change_percent)
    ('PR', 33.0, -34)
    >>> print(point.reasons[1].text)
    sum of diameters 33 mm vs baseline 50 mm: -34.0 %, -17 mm, limit -30 %: targets PR [RECIST 1.1]
    """
    require_usable(course)
    chosen = load_criterion(criterion) if isinstance(criterion, str) else criterion
    chosen = chosen.in_unit(_unit_of_volumes(course))
    options = options or Options()
    points = FAMILIES[chosen.family](course, chosen, options)
    return Evaluation(
        criterion=chosen.name,
        title=chosen.title,
        version=chosen.version,
        citation=chosen.citation,
        points=points,
        best=best_of(chosen, steps_of(chosen, points), options),
        warnings=selection_warnings(course, chosen),
    )


def best_response(
    categories: Sequence[tuple[int, str]], criterion: str | Criterion, options: Options | None = None
) -> BestResponse:
    """Return the best response of categories that are known already, each with its day since baseline.

    Examples
    --------
    >>> best_response([(56, "SD"), (112, "PR"), (168, "PD")], "recist-1.1").category
    'PR'
    """
    chosen = load_criterion(criterion) if isinstance(criterion, str) else criterion
    steps = [Step(day, engine_word(chosen, category)) for day, category in categories]
    return best_of(chosen, steps, options or Options())


def _unit_of_volumes(course: Course) -> str:
    seen = (at for lesion in course.lesions for at in lesion.observations.values())
    volumes = (at.measurement("volume") for at in seen)
    return next((volume.unit for volume in volumes if volume is not None), "mm3")
