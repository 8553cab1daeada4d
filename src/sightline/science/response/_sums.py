"""What each target counts at a time point, and what they add up to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sightline.science.response._criteria import Criterion, Limits, require_section
from sightline.science.response._model import Course, Lesion, Observation, Reason
from sightline.science.response._numbers import (
    exact,
    plain,
    reaches_fall,
    reaches_rise,
    signed,
    signed_percent,
)

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Counted:
    """One lesion at one time point: what it counts (None where that cannot be told), and why if not plain."""

    value: Decimal | None
    gone: bool
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """All targets at one time point. `value` adds up what is known, whether or not a target is missing."""

    by_lesion: Mapping[str, Decimal]
    missing: tuple[str, ...]
    gone: bool
    reasons: tuple[Reason, ...]

    @property
    def value(self) -> Decimal:
        """Return the sum of what is known."""
        return sum(self.by_lesion.values(), ZERO)

    @property
    def complete(self) -> Decimal | None:
        """Return the sum, None where a target is missing."""
        return None if self.missing else self.value


@dataclass(frozen=True, slots=True)
class Judged:
    """A category of the targets, with the reasons that led to it."""

    category: str
    reasons: tuple[Reason, ...]


def totals(course: Course, criterion: Criterion, targets: Sequence[Lesion]) -> tuple[Total, ...]:
    """Return the total of the targets at every time point."""
    lesions = {lesion.uid: lesion for lesion in course.lesions}
    return tuple(_total(lesions, criterion, targets, point.id) for point in course.time_points)


def _total(
    lesions: Mapping[str, Lesion], criterion: Criterion, targets: Sequence[Lesion], point: str
) -> Total:
    counted = {lesion.uid: count(lesions, criterion, lesion, point) for lesion in targets}
    return Total(
        {uid: one.value for uid, one in counted.items() if one.value is not None},
        tuple(lesions[uid].label for uid, one in counted.items() if one.value is None),
        all(one.gone for one in counted.values()),
        tuple(reason for one in counted.values() for reason in one.reasons),
    )


def count(lesions: Mapping[str, Lesion], criterion: Criterion, lesion: Lesion, point: str) -> Counted:
    """Return what one lesion counts; each state has one rule."""
    seen = lesion.observations.get(point)
    if seen is None or seen.state == "not-assessable":
        return _unknown(criterion, f"{lesion.label} was not assessed")
    if seen.state == "absent":
        return Counted(ZERO, gone=True)
    if seen.state == "split":
        return _split(lesions, criterion, lesion, seen, point)
    if seen.state == "merged":
        return _merged(lesions, criterion, lesion, seen)
    return _measured(criterion, lesion, seen)


def _unknown(criterion: Criterion, why: str) -> Counted:
    return Counted(None, gone=False, reasons=(criterion.reason("missing", why, "its size is unknown"),))


def _split(
    lesions: Mapping[str, Lesion], criterion: Criterion, lesion: Lesion, seen: Observation, point: str
) -> Counted:
    pieces = [count(lesions, criterion, lesions[uid], point) for uid in seen.into]
    inner = tuple(reason for piece in pieces for reason in piece.reasons)
    values = [piece.value for piece in pieces if piece.value is not None]
    if len(values) < len(pieces):
        return Counted(None, gone=False, reasons=inner)
    added = sum(values, ZERO)
    compared = f"{lesion.label} split into {' + '.join(plain(v) for v in values)}"
    reason = criterion.reason("split", compared, f"counts {plain(added)}")
    return Counted(added, all(piece.gone for piece in pieces), (reason, *inner))


def _merged(
    lesions: Mapping[str, Lesion], criterion: Criterion, lesion: Lesion, seen: Observation
) -> Counted:
    host = ", ".join(lesions[uid].label for uid in seen.into)
    reason = criterion.reason(
        "merge", f"{lesion.label} merged into {host}", "is measured there, counts 0 itself"
    )
    # What it merged into decides whether anything is left.
    return Counted(ZERO, gone=True, reasons=(reason,))


def _measured(criterion: Criterion, lesion: Lesion, seen: Observation) -> Counted:
    measure = require_section(criterion.measure)
    value = size(criterion, lesion, seen)
    if value is None and seen.state == "too-small" and measure.too_small is not None:
        reason = criterion.reason(
            "too-small",
            f"{lesion.label} is there but too small to measure",
            f"counts {plain(measure.too_small)}",
        )
        return Counted(measure.too_small, normal_node(criterion, lesion, seen), (reason,))
    if value is None:
        return _unknown(criterion, f"{lesion.label} has no {quantity_of(criterion, lesion)}")
    if normal_node(criterion, lesion, seen):
        reason = criterion.reason("node", f"node {lesion.label} measures {plain(value)}", "is a normal node")
        return Counted(value, gone=True, reasons=(reason,))
    return Counted(value, gone=value == 0)


def quantity_of(criterion: Criterion, lesion: Lesion) -> str:
    """Return what the criterion measures of this lesion."""
    measure = require_section(criterion.measure)
    if lesion.is_node:
        return measure.node_quantity
    if measure.organs and lesion.organ.strip().lower() not in measure.organs:
        return "long-axis"
    return measure.quantity


def size(criterion: Criterion, lesion: Lesion, seen: Observation) -> Decimal | None:
    """Return the size of a lesion as the criterion measures it, None where that was not measured."""
    quantity = quantity_of(criterion, lesion)
    if quantity != "product":
        return number(seen, quantity)
    axes = number(seen, "long-axis"), number(seen, "short-axis")
    return None if axes[0] is None or axes[1] is None else axes[0] * axes[1]


def number(seen: Observation, quantity: str) -> Decimal | None:
    """Return one measured number, None where there is none."""
    found = seen.measurement(quantity)
    return None if found is None else exact(found.value)


def normal_node(criterion: Criterion, lesion: Lesion, seen: Observation) -> bool:
    """Return whether the lesion is a node of normal size."""
    measure = criterion.measure
    if not lesion.is_node or measure is None or measure.node_normal_mm is None:
        return False
    across = number(seen, measure.node_normal_by)
    if across is None:
        return seen.state == "too-small"
    at_limit = measure.node_normal_inclusive and across == measure.node_normal_mm
    return across < measure.node_normal_mm or at_limit


def lowest(history: Sequence[Total]) -> int | None:
    """Return which of the earlier time points has the smallest complete sum, None where none is complete."""
    complete = [(total.value, index) for index, total in enumerate(history) if not total.missing]
    return min(complete)[1] if complete else None


def judge_sum(criterion: Criterion, limits: Limits, history: Sequence[Total], now: Total) -> Judged:
    """Return the category of the targets by their sum; `history` starts with the baseline.

    Progression is looked for before response, and also in a sum that is not complete: a missing target can
    only add to it.
    """
    first = history[0].complete
    if not history[0].by_lesion and not history[0].missing:
        return Judged("none", ())
    if first is None:
        why = f"{', '.join(history[0].missing)} not measured at baseline"
        return Judged("NE", (criterion.reason("baseline", why, "targets cannot be compared"),))
    if first == 0:
        return Judged("NE", (criterion.reason("baseline", "baseline sum 0", "no change can be computed"),))
    if now.gone and not now.missing:
        compared = f"{_sum(criterion, now.value)}, every target absent or a normal node"
        return Judged("CR", (criterion.reason("complete", compared, f"targets {criterion.called('CR')}"),))
    return _by_limits(criterion, limits, history, now, first)


def _by_limits(
    criterion: Criterion, limits: Limits, history: Sequence[Total], now: Total, first: Decimal
) -> Judged:
    reference = 0 if criterion.progression_from == "baseline" else lowest(history)
    low = history[reference or 0]
    has_risen, rise = _rise(criterion, limits, low, now)
    if has_risen:
        again = tuple(_reappeared(criterion, history, now))
        return Judged(
            "PD",
            (
                *now.reasons,
                *again,
                criterion.reason("progression", rise, f"targets {criterion.called('PD')}"),
            ),
        )
    not_risen = criterion.reason("progression", rise, "no progression of targets")
    if now.missing:
        why = f"{', '.join(now.missing)} missing and no progression without it"
        return Judged("NE", (*now.reasons, not_risen, criterion.reason("missing", why, "targets NE")))
    category, fall = _fall(criterion, limits, first, now)
    outcome = f"targets {criterion.called(category)}"
    return Judged(category, (*now.reasons, not_risen, criterion.reason("partial", fall, outcome)))


def _rise(criterion: Criterion, limits: Limits, low: Total, now: Total) -> tuple[bool, str]:
    """Return whether the sum rose to progression, and what was compared."""
    rise = now.value - low.value
    absolute, one = limits.progression_absolute, limits.progression_one_lesion
    unit = require_section(criterion.measure).unit
    wanted = [f"+{plain(limits.progression_percent)} %"]
    holds = rise > 0 and reaches_rise(now.value, low.value, limits.progression_percent)
    if absolute is not None:
        holds = holds and rise >= absolute
        wanted.append(f"+{plain(absolute)} {unit}")
    if one is not None:
        most = max((v - low.by_lesion.get(uid, ZERO) for uid, v in now.by_lesion.items()), default=ZERO)
        holds = holds and most >= one
        wanted.append(f"+{plain(one)} {unit} in one lesion (here {signed(most)})")
    known = "known part of the " if now.missing else ""
    compared = (
        f"{known}{_sum(criterion, now.value)} vs {criterion.progression_from} {plain(low.value)} {unit}: "
        f"{signed_percent(now.value, low.value)}, {signed(rise)} {unit}, limits {' and '.join(wanted)}"
    )
    return holds, compared


def _fall(criterion: Criterion, limits: Limits, first: Decimal, now: Total) -> tuple[str, str]:
    """Return the category by the fall from baseline, and what was compared."""
    wanted = f"limit -{plain(limits.partial_percent)} %"
    category = "PR" if reaches_fall(now.value, first, limits.partial_percent) else "SD"
    if limits.minor_percent is not None:
        wanted += f", minor response -{plain(limits.minor_percent)} %"
        if category == "SD" and reaches_fall(now.value, first, limits.minor_percent):
            category = "MR"
    unit = require_section(criterion.measure).unit
    compared = (
        f"{_sum(criterion, now.value)} vs baseline {plain(first)} {unit}: "
        f"{signed_percent(now.value, first)}, {signed(now.value - first)} {unit}, {wanted}"
    )
    return category, compared


def _sum(criterion: Criterion, value: Decimal) -> str:
    measure = require_section(criterion.measure)
    return f"{measure.name} {plain(value)} {measure.unit}"


def _reappeared(criterion: Criterion, history: Sequence[Total], now: Total) -> Iterator[Reason]:
    """Yield a word of care for each target that had gone and is there again."""
    before = history[-1].by_lesion
    for uid, value in now.by_lesion.items():
        if value > 0 and before.get(uid) == 0:
            yield criterion.reason(
                "reappearance",
                f"a target absent before measures {plain(value)} again",
                "counts in the sum; look at the earlier scan once more",
            )
