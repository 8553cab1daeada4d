"""iRECIST: a progression is unconfirmed until a later scan confirms it or takes it back."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sightline.science.response._checks import of_role
from sightline.science.response._criteria import Criterion, Immune, require_section
from sightline.science.response._diameters import stick, sum_series
from sightline.science.response._lesions import counting_new
from sightline.science.response._model import Course, Lesion, Options, PointResponse, Reason, TimePoint
from sightline.science.response._numbers import plain, signed
from sightline.science.response._points import (
    Evidence,
    Said,
    baseline_point,
    combine,
    gather,
    point_response,
)
from sightline.science.response._sums import ZERO, Total, judge_sum, number, size, totals


@dataclass(frozen=True, slots=True)
class Pending:
    """An unconfirmed progression: the time point it began at, and in which of the three parts."""

    index: int
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class State:
    """Where the course stands: nothing open, a progression pending, or one confirmed."""

    pending: Pending | None = None
    confirmed: bool = False


def immune_points(course: Course, criterion: Criterion, options: Options) -> tuple[PointResponse, ...]:
    """Return the answer at each time point; a disregarded one is no nadir for later ones."""
    added = totals(course, criterion, of_role(course, "target"))
    series = sum_series(criterion, added)
    points = [baseline_point(course, series)]
    history = [added[0]]
    state, overall = State(), list[str]()
    for index in range(1, len(added)):
        target = judge_sum(criterion, require_section(criterion.limits), history, added[index])
        target = stick(criterion, options, overall, target)
        evidence = gather(course, criterion, options, index, target)
        said, state = _step(course, criterion, added, index, evidence, state)
        points.append(point_response(course, criterion, series, index, evidence, said))
        if not said.disregarded:
            history.append(added[index])
            overall.append("PD" if said.category == "CPD" else said.category)
    return tuple(points)


def _step(
    course: Course,
    criterion: Criterion,
    added: Sequence[Total],
    index: int,
    evidence: Evidence,
    state: State,
) -> tuple[Said, State]:
    """Return what is said now and where the course stands after it."""
    said = combine(criterion, evidence)
    if state.confirmed:
        reason = criterion.reason("icpd-holds", "progression was confirmed before", "iCPD stays")
        return replace(said, category="CPD", reasons=(*said.reasons, reason)), state
    if said.category != "PD":
        return _no_progression(criterion, said, state)
    if state.pending is None:
        return _first(course, criterion, index, evidence, said)
    return _again(course, criterion, added, index, evidence, said, state)


def _no_progression(criterion: Criterion, said: Said, state: State) -> tuple[Said, State]:
    if state.pending is None or said.category == "NE":
        return said, state
    compared = f"iUPD before, now {criterion.called(said.category)}"
    reason = criterion.reason("reset", compared, "the unconfirmed progression is taken back")
    return replace(said, reasons=(*said.reasons, reason)), State()


def _first(
    course: Course, criterion: Criterion, index: int, evidence: Evidence, said: Said
) -> tuple[Said, State]:
    kinds = _kinds(evidence)
    immune = require_section(criterion.immune)
    outcome = f"iUPD; look again after {immune.least_days} to {immune.usual_most_days} days"
    reason = criterion.reason("iupd", f"progression of {', '.join(sorted(kinds))}", outcome)
    said = replace(said, provisional=True, reasons=(*said.reasons, reason))
    return said, State(Pending(index, kinds))


def _kinds(evidence: Evidence) -> frozenset[str]:
    found = {
        "targets": evidence.target.category == "PD",
        "non-targets": evidence.non_target.category == "PD",
        "new lesions": evidence.presence == "yes",
    }
    return frozenset(kind for kind, holds in found.items() if holds)


def _again(
    course: Course,
    criterion: Criterion,
    added: Sequence[Total],
    index: int,
    evidence: Evidence,
    said: Said,
    state: State,
) -> tuple[Said, State]:
    """Return iCPD, iUPD once more, or that a scan too early counts for nothing."""
    immune, pending = require_section(criterion.immune), require_section(state.pending)
    now = course.time_points[index]
    days = (now.date - course.time_points[pending.index].date).days
    early = days < immune.least_days - immune.tolerance_days
    more = tuple(_more_lesions(course, criterion, pending, index))
    if early and not (now.new_symptoms and more):
        return _disregarded(criterion, immune, now, days, said), state
    if early:
        compared = f"{days} days after iUPD, made for new symptoms, with an additional new lesion"
        found = (criterion.reason("early-scan", compared, "may confirm"), *more)
    else:
        found = tuple(_confirmations(course, criterion, added, pending, index, evidence))
    if found:
        return replace(said, category="CPD", reasons=(*said.reasons, *found)), State(pending, confirmed=True)
    late = "; later than usual" if days > immune.usual_most_days + immune.tolerance_days else ""
    compared = f"{days} days after iUPD{late}, nothing has grown enough to confirm it"
    reason = criterion.reason("iupd", compared, "stays iUPD")
    return replace(said, provisional=True, reasons=(*said.reasons, reason)), state


def _disregarded(criterion: Criterion, immune: Immune, now: TimePoint, days: int, said: Said) -> Said:
    why = "without an additional new lesion" if now.new_symptoms else "not made for new symptoms"
    compared = f"{days} days after iUPD, least {immune.least_days}, {why}"
    reason = criterion.reason("early-scan", compared, "disregard, rescan")
    return replace(said, category="NE", disregarded=True, reasons=(*said.reasons, reason))


def _confirmations(
    course: Course,
    criterion: Criterion,
    added: Sequence[Total],
    pending: Pending,
    index: int,
    evidence: Evidence,
) -> Iterator[Reason]:
    """Yield every reason that confirms the progression."""
    yield from _other_kinds(criterion, pending, evidence)
    if "targets" in pending.kinds:
        yield from _targets_grew(criterion, added, pending, index)
    if "non-targets" in pending.kinds:
        yield from _others_grew(course, criterion, of_role(course, "non-target"), pending, index)
    if "new lesions" in pending.kinds:
        yield from _new_grew(course, criterion, pending, index)
        yield from _more_lesions(course, criterion, pending, index)


def _other_kinds(criterion: Criterion, pending: Pending, evidence: Evidence) -> Iterator[Reason]:
    for kind in sorted(_kinds(evidence) - pending.kinds):
        compared = f"progression of {kind}, where iUPD had none"
        yield criterion.reason("icpd-other", compared, "iCPD")


def _targets_grew(
    criterion: Criterion, added: Sequence[Total], pending: Pending, index: int
) -> Iterator[Reason]:
    before, now = added[pending.index].by_lesion, added[index].by_lesion
    known = before.keys() & now.keys()
    rise = sum((now[uid] - before[uid] for uid in known), ZERO)
    limit = require_section(criterion.immune).confirm_mm
    if rise >= limit:
        compared = f"sum of targets {signed(rise)} mm since iUPD, limit +{plain(limit)} mm"
        yield criterion.reason("icpd-target", compared, "iCPD")


def _others_grew(
    course: Course, criterion: Criterion, lesions: Sequence[Lesion], pending: Pending, index: int
) -> Iterator[Reason]:
    """Yield a reason for each lesion outside the sums that the reader says grew, or whose long axis did."""
    for lesion in lesions:
        rule = "icpd-new" if lesion.role == "new" else "icpd-non-target"
        seen = lesion.observations.get(course.time_points[index].id)
        if seen is not None and seen.grew:
            yield criterion.reason(rule, f"{lesion.label} grew further, as the reader says", "iCPD")
            continue
        before, now = (_axis(course, lesion, at) for at in (pending.index, index))
        if before is not None and now is not None and now > before:
            compared = f"{lesion.label} {plain(before)} to {plain(now)} mm since iUPD"
            yield criterion.reason(rule, compared, "iCPD")


def _axis(course: Course, lesion: Lesion, index: int) -> Decimal | None:
    seen = lesion.observations.get(course.time_points[index].id)
    return None if seen is None else number(seen, "short-axis" if lesion.is_node else "long-axis")


def _new_grew(course: Course, criterion: Criterion, pending: Pending, index: int) -> Iterator[Reason]:
    """Yield what grew of the new lesions seen at the iUPD: by their sum, or any growth of unmeasured ones."""
    sizes = _new_targets(course, criterion, pending.index)
    now = {uid: _new_size(course, criterion, uid, index) for uid in sizes}
    rise = sum((after - sizes[uid] for uid, after in now.items() if after is not None), ZERO)
    limit = require_section(criterion.immune).confirm_mm
    if rise >= limit:
        compared = f"sum of new targets {signed(rise)} mm since iUPD, limit +{plain(limit)} mm"
        yield criterion.reason("icpd-new", compared, "iCPD")
    others = [one for one in counting_new(course, criterion, pending.index) if one.uid not in sizes]
    yield from _others_grew(course, criterion, others, pending, index)


def _new_size(course: Course, criterion: Criterion, uid: str, index: int) -> Decimal | None:
    lesion = next(one for one in course.lesions if one.uid == uid)
    seen = lesion.observations.get(course.time_points[index].id)
    if seen is None:
        return None
    return ZERO if seen.state == "absent" else size(criterion, lesion, seen)


def _new_targets(course: Course, criterion: Criterion, index: int) -> Mapping[str, Decimal]:
    """Return the sizes of the new lesions measured as targets: large enough, largest first, within limits."""
    limits = criterion.selection
    chosen: dict[str, Decimal] = {}
    organs: Counter[str] = Counter()
    sized = [
        (_new_size(course, criterion, one.uid, index), one) for one in counting_new(course, criterion, index)
    ]
    known = [(value, one) for value, one in sized if value is not None]
    for value, lesion in sorted(known, key=lambda pair: (-pair[0], pair[1].uid)):
        least = limits.node_mm if lesion.is_node else limits.long_axis_mm
        organ = "lymph nodes" if lesion.is_node else lesion.organ.strip().lower()
        full = len(chosen) == limits.total or organs[organ] == limits.per_organ
        if not full and (least is None or value >= least):
            chosen[lesion.uid] = value
            organs[organ] += 1
    return chosen


def _more_lesions(course: Course, criterion: Criterion, pending: Pending, index: int) -> Iterator[Reason]:
    """Yield a reason when new lesions are seen that were not there at the iUPD."""
    before = {one.uid for one in counting_new(course, criterion, pending.index)}
    more = [one.label for one in counting_new(course, criterion, index) if one.uid not in before]
    if more:
        yield criterion.reason("icpd-new", f"additional new lesion {', '.join(more)}", "iCPD")
