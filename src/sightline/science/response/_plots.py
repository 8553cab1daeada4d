"""Numbers for the three usual plots of a trial (waterfall, spider, swimmer), and for those of one patient."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from sightline.science.response._checks import of_role
from sightline.science.response._criteria import Criterion, load_criterion
from sightline.science.response._model import Course, Evaluation
from sightline.science.response._numbers import percent_change
from sightline.science.response._sums import totals


@dataclass(frozen=True, slots=True)
class Bar:
    """One patient in a waterfall: the best change from baseline, and the best response."""

    patient: str
    best_change_percent: float
    best_response: str


@dataclass(frozen=True, slots=True)
class SpiderPoint:
    """One time point of a spider line; `change_percent` from baseline."""

    day: int
    change_percent: float
    category: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one lane of a swimmer plot, from the scan that showed the category to the next other one.

    `end_day` is None for the last: what came after the last scan is not known.
    """

    start_day: int
    end_day: int | None
    category: str


def waterfall(evaluations: Mapping[str, Evaluation]) -> tuple[Bar, ...]:
    """Return one bar for each patient, from the largest growth to the largest shrinkage.

    Only time points up to the first definite progression count, that one included. A patient without a
    computable change has no bar.

    Parameters
    ----------
    evaluations
        By the patient's name in the plot.
    """
    bars = []
    for patient, evaluation in evaluations.items():
        changes = [point.change_percent for point in spider(evaluation)]
        if changes:
            bars.append(Bar(patient, min(changes), evaluation.best.category))
    return tuple(sorted(bars, key=lambda bar: (-bar.best_change_percent, bar.patient)))


def spider(evaluation: Evaluation) -> tuple[SpiderPoint, ...]:
    """Return the change from baseline in percent by day, up to the first definite progression."""
    found = []
    for point in evaluation.points[1:]:
        if point.change_percent is not None and not point.disregarded:
            found.append(SpiderPoint(point.day, point.change_percent, point.category))
        if point.category in DEFINITE and not point.provisional:
            break
    return tuple(found)


DEFINITE = ("PD", "PMD", "iCPD")
"""The words of all criteria for a progression that ends a course, provisional ones apart."""


def swimmer(evaluation: Evaluation) -> tuple[Span, ...]:
    """Return the stretches of equal category, in days since baseline.

    Examples
    --------
    >>> from datetime import date
    >>> from sightline.science.response import Course, Lesion, TimePoint, evaluate, measured, swimmer
    >>> points = tuple(TimePoint(f"t{n}", date(2024, 1 + 2 * n, 1)) for n in range(4))
    >>> seen = {f"t{n}": measured(long_axis_mm=mm) for n, mm in enumerate([50, 30, 31, 50])}
    >>> lane = swimmer(evaluate(Course(points, (Lesion("1", "T1", "lung", "target", seen),)), "recist-1.1"))
    >>> [(span.start_day, span.end_day, span.category) for span in lane]
    [(60, 182, 'PR'), (182, None, 'PD')]
    """
    points = [point for point in evaluation.points[1:] if not point.disregarded]
    starts = [points[0]] if points else []
    starts += [after for before, after in pairwise(points) if after.category != before.category]
    ends = [start.day for start in starts[1:]]
    return tuple(
        Span(start.day, end, start.category) for start, end in zip(starts, [*ends, None], strict=False)
    )


@dataclass(frozen=True, slots=True)
class LesionLine:
    """What one target counts at each time point, in the unit of the sum; None where that cannot be told.

    `changes_percent` are from baseline. `best_percent` is the lowest of them up to the first definite
    progression of the patient, that time point included.
    """

    uid: str
    label: str
    sizes: tuple[float | None, ...]
    changes_percent: tuple[float | None, ...]
    best_percent: float | None


def lesion_lines(
    course: Course, criterion: str | Criterion, evaluation: Evaluation
) -> tuple[LesionLine, ...]:
    """Return each target over time as the criterion counts it; nothing where it adds nothing up (PET).

    Examples
    --------
    >>> from datetime import date
    >>> from sightline.science.response import (
    ...     ABSENT, Course, Lesion, TimePoint, evaluate, lesion_lines, measured)
    >>> points = tuple(TimePoint(f"t{n}", date(2024, 1 + n, 1)) for n in range(3))
    >>> one = {"t0": measured(long_axis_mm=20), "t1": measured(long_axis_mm=10), "t2": ABSENT}
    >>> course = Course(points, (Lesion("1", "T1", "lung", "target", one),))
    >>> lesion_lines(course, "recist-1.1", evaluate(course, "recist-1.1"))[0].changes_percent
    (0.0, -50.0, -100.0)
    """
    chosen = load_criterion(criterion) if isinstance(criterion, str) else criterion
    if chosen.measure is None:
        return ()
    targets = of_role(course, "target")
    counted = totals(course, chosen, targets)
    last = max((point.day for point in spider(evaluation)), default=0)
    within = [point.day <= last for point in evaluation.points]
    lines = []
    for lesion in targets:
        values = [total.by_lesion.get(lesion.uid) for total in counted]
        first = values[0]
        changes = [None if v is None or first is None else percent_change(v, first) for v in values]
        later = [c for c, counts in zip(changes[1:], within[1:], strict=True) if counts and c is not None]
        sizes = tuple(None if v is None else float(v) for v in values)
        lines.append(LesionLine(lesion.uid, lesion.label, sizes, tuple(changes), min(later, default=None)))
    return tuple(lines)
