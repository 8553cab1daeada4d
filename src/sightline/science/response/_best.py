"""The best response over a course: the best category up to progression, confirmed where that is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sightline.science.response._criteria import Criterion
from sightline.science.response._model import BestResponse, Options, PointResponse, Reason

PROGRESSIONS = ("PD", "CPD")


@dataclass(frozen=True, slots=True)
class Step:
    """One time point as the best response needs it; `category` in the engine's words."""

    day: int
    category: str
    time_point: str | None = None
    provisional: bool = False


def steps_of(criterion: Criterion, points: Sequence[PointResponse]) -> tuple[Step, ...]:
    """Return the time points after the baseline that count."""
    return tuple(
        Step(point.day, engine_word(criterion, point.category), point.time_point, point.provisional)
        for point in points[1:]
        if not point.disregarded
    )


def engine_word(criterion: Criterion, category: str) -> str:
    """Return the engine's word for a criterion's category."""
    return next((word for word, name in criterion.names.items() if name == category), category)


def best_of(criterion: Criterion, steps: Sequence[Step], options: Options) -> BestResponse:
    """Return the best response; what comes after a definite progression counts no more."""
    steps = _until_progression(criterion, steps)
    steps, reasons = _confirmed(criterion, steps, options)
    steps, early = _lasting(criterion, steps, options)
    better = [step for step in steps if step.category not in (*PROGRESSIONS, "NE")]
    if better:
        chosen = min(better, key=lambda step: criterion.order.index(criterion.called(step.category)))
    else:
        progressed = [step for step in steps if step.category in PROGRESSIONS]
        chosen = progressed[-1] if progressed else Step(0, "NE")
    category = criterion.called(chosen.category)
    seen = ", ".join(criterion.called(step.category) for step in steps) or "no time point"
    reason = criterion.reason("best", seen, f"best response {category}")
    return BestResponse(category, chosen.time_point, (*reasons, *early, reason))


def _until_progression(criterion: Criterion, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the time points up to the first definite progression, that one included."""
    definite = "CPD" if criterion.immune else "PD"
    for number, step in enumerate(steps, start=1):
        if step.category == definite and not step.provisional:
            return tuple(steps[:number])
    return tuple(steps)


def _confirmed(
    criterion: Criterion, steps: tuple[Step, ...], options: Options
) -> tuple[tuple[Step, ...], tuple[Reason, ...]]:
    """Return the steps with responses that were not seen again turned into SD, and why."""
    asked = options.confirm_response
    if not (criterion.confirmation.required if asked is None else asked):
        return steps, ()
    kept, reasons = [], []
    for number, step in enumerate(steps):
        if step.category not in ("CR", "PR") or _seen_again(criterion, steps, number):
            kept.append(step)
            continue
        compared = f"{criterion.called(step.category)} on day {step.day} not seen again"
        days = criterion.confirmation.days
        outcome = f"counts as {criterion.called('SD')}; needs a second scan {days} days later"
        reasons.append(criterion.reason("confirmation", compared, outcome))
        kept.append(replace(step, category="SD"))
    return tuple(kept), tuple(reasons)


def _seen_again(criterion: Criterion, steps: tuple[Step, ...], number: int) -> bool:
    """Return whether a response holds: CR is confirmed by CR with nothing less between, PR by PR or CR."""
    first = steps[number]
    for later in steps[number + 1 :]:
        if later.category in PROGRESSIONS or (first.category == "CR" and later.category not in ("CR", "NE")):
            return False
        holds = later.category in ("CR", first.category)
        if holds and later.day - first.day >= criterion.confirmation.days:
            return True
    # A response between the first and the last of a confirmed run is part of it.
    return any(
        _same_run(steps[at:number], first) and first.day - steps[at].day >= criterion.confirmation.days
        for at in range(number)
        if steps[at].category == first.category
    )


def _same_run(run: Sequence[Step], first: Step) -> bool:
    allowed = ("CR", "NE") if first.category == "CR" else ("CR", "PR", "SD", "MR", "NE")
    return all(step.category in allowed for step in run)


def _lasting(
    criterion: Criterion, steps: tuple[Step, ...], options: Options
) -> tuple[tuple[Step, ...], tuple[Reason, ...]]:
    """Return the steps with SD before the least duration turned into NE, and why."""
    least = options.minimum_stable_days
    if least is None:
        return steps, ()
    short = [step for step in steps if step.category == "SD" and step.day < least]
    reasons = tuple(
        criterion.reason(
            "minimum-stable",
            f"{criterion.called('SD')} on day {step.day}, least {least} days",
            "does not count as best response",
        )
        for step in short
    )
    return tuple(replace(step, category="NE") if step in short else step for step in steps), reasons
