"""A plan evaluated by a criterion: what is said, how sure it is, and the same as a table."""

import csv
import io
from dataclasses import dataclass

from sightline.care.response._course import Built, Facts, build_course, is_held
from sightline.care.response._model import Plan
from sightline.science import response

BASELINE_GONE = (
    "The baseline is gone: its study is in the trash, was moved to another patient or has no date any more. "
    "Restore it, or choose another baseline; until then nothing is compared."
)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A plan evaluated by one criterion with the present findings.

    `plausible` are the categories that are possible within the intervals of the measurements, by time point.
    `problem` says, in words, why there is no evaluation.
    """

    plan: Plan
    criterion: response.Criterion
    built: Built
    evaluation: response.Evaluation | None
    plausible: dict[str, tuple[str, ...]]
    lines: tuple[response.LesionLine, ...]
    problem: str | None
    simulated: bool


def evaluate_plan(plan: Plan, facts: Facts, criterion: str) -> Evaluated:
    """Return a plan evaluated by a criterion.

    What makes it unusable (a finding or a date that was corrected since it was kept, a baseline that is gone)
    is told, not raised: the page has to be shown for a person to put it right.
    """
    chosen = response.load_criterion(criterion)
    built = build_course(plan, facts)
    used = {uid for point in plan.points for uid in point.studies}
    simulated = any(facts.studies[uid].simulated for uid in used & facts.studies.keys())
    if plan.points and not is_held(plan.points[0], facts):
        return Evaluated(plan, chosen, built, None, {}, (), BASELINE_GONE, simulated)
    if not built.course.time_points or (not plan.lesions and chosen.deauville is None):
        return Evaluated(plan, chosen, built, None, {}, (), None, simulated)
    try:
        evaluation = response.evaluate(built.course, chosen, plan.options)
    except response.UnusableCourse as refusal:
        return Evaluated(plan, chosen, built, None, {}, (), str(refusal), simulated)
    plausible = {
        point.time_point: response.plausible_categories(built.course, chosen, point.time_point, plan.options)
        for point in evaluation.points[1:]
    }
    lines = response.lesion_lines(built.course, chosen, evaluation)
    return Evaluated(plan, chosen, built, evaluation, plausible, lines, None, simulated)


def write_table(evaluated: Evaluated) -> str:
    """Return the evaluation as CSV: one row a time point with every number, rule and source."""
    assert evaluated.evaluation is not None
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for number, row in enumerate(response.csv_rows(evaluated.evaluation)):
        extra = ("status", "simulated") if number == 0 else ("draft", "yes" if evaluated.simulated else "no")
        writer.writerow([_harmless(cell) for cell in (*row, *extra)])
    return buffer.getvalue()


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    try:
        float(cell)
    except ValueError:
        return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
    return cell
