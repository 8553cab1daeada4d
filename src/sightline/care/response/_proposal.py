"""What a machine proposes for a person to keep: baseline, time points, targets, and what has vanished."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sightline.care.response._course import Facts, StudyFacts, date_of, finding_at, is_held
from sightline.care.response._model import (
    MOST_LESIONS,
    MOST_POINTS,
    Judgement,
    Plan,
    PlannedLesion,
    PlannedPoint,
    organ_of,
)
from sightline.record import findings
from sightline.science import response


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan to keep as it is or to change, and why each thing in it was proposed, in words."""

    plan: Plan
    reasons: tuple[str, ...]


def propose_plan(facts: Facts, kept: Plan | None = None, *, criterion: str = "recist-1.1") -> Proposal:
    """Return a plan from the kept findings, or what is to be added to the plan that a person keeps.

    The baseline is the earliest study with a finding of measurable size that another follows, else the
    earliest with any; later studies follow that have findings or can be compared with one already taken. Of
    the lesions at baseline the largest measurable ones become targets, as many as the criterion allows; what
    appears later is new. What a comparison calls vanished is proposed as absent. Nothing that a person chose
    is changed, and nothing is added to a plan whose baseline is gone: a person chooses the next one.
    """
    plan, reasons = kept or Plan(criterion=criterion), list[str]()
    if plan.points and not is_held(plan.points[0], facts):
        return Proposal(plan, ())
    plan = _with_points(plan, facts, reasons)
    if not plan.points:
        return Proposal(plan, ())
    plan = _with_lesions(plan, facts, reasons)
    return Proposal(_with_vanished(plan, facts, reasons), tuple(reasons))


def _with_points(plan: Plan, facts: Facts, reasons: list[str]) -> Plan:
    points = list(plan.points)
    if not points:
        first = _baseline(plan, facts)
        if first is None:
            return plan
        points = [PlannedPoint(studies=(first.uid,))]
        reasons.append(f"Baseline {first.date.isoformat()}: {_why_baseline(plan, facts, first)}.")
    taken = {uid for point in points for uid in point.studies}
    start = date_of(points[0], facts)
    for study in sorted(facts.studies.values(), key=lambda s: (s.date, s.uid)):
        if study.date < start or study.uid in taken or study.uid in plan.left_out:
            continue
        measured = any(f.study_uid == study.uid for f in facts.kept)
        if not measured and not taken & study.earlier:
            continue
        same_day = next(
            (k for k, p in enumerate(points) if is_held(p, facts) and date_of(p, facts) == study.date), None
        )
        if same_day is not None:
            if not measured:
                continue
            joined = points[same_day]
            points[same_day] = joined.model_copy(update={"studies": (*joined.studies, study.uid)})
        elif len(points) < MOST_POINTS:
            points.append(PlannedPoint(studies=(study.uid,)))
        taken.add(study.uid)
        why = "kept findings" if measured else "comparable with an earlier time point"
        reasons.append(f"{study.exam}, {study.date.isoformat()}: {why}.")
    rest = sorted(points[1:], key=lambda p: date_of(p, facts) if is_held(p, facts) else date.max)
    return plan.model_copy(update={"points": (points[0], *rest)})


def _baseline(plan: Plan, facts: Facts) -> StudyFacts | None:
    """Return the earliest study with a finding large enough to be a target, else with any finding.

    The newest study is no baseline while there are earlier findings: nothing could be compared with it.
    """
    able = [f for f in facts.kept if f.study_uid not in plan.left_out]
    newest = max((facts.studies[f.study_uid].date for f in able), default=None)
    large = [f for f in able if _measurable(plan.criterion, f) and facts.studies[f.study_uid].date != newest]
    first = min(large or able, key=lambda f: facts.studies[f.study_uid].date, default=None)
    return facts.studies[first.study_uid] if first else None


def _why_baseline(plan: Plan, facts: Facts, study: StudyFacts) -> str:
    large = any(_measurable(plan.criterion, f) for f in facts.kept if f.study_uid == study.uid)
    return f"earliest study with a {'measurable ' if large else ''}lesion that a person kept"


def _measurable(criterion: str, finding: findings.Finding) -> bool:
    """Say whether a finding is large enough for a target; any measured one where no size is set."""
    limits = response.load_criterion(criterion).selection
    _, is_node = organ_of(finding.kind, finding.label)
    if is_node and limits.node_mm is not None:
        across = finding.values.get(limits.node_quantity.replace("-", "_"))
        return across is not None and across.value >= float(limits.node_mm)
    along = finding.values.get("long_axis")
    if limits.long_axis_mm is None:
        return along is not None or "volume" in finding.values
    return along is not None and along.value >= float(limits.long_axis_mm)


def _with_lesions(plan: Plan, facts: Facts, reasons: list[str]) -> Plan:
    known = {lesion.tracking_uid for lesion in plan.lesions} | set(plan.left_out)
    lines: dict[str, list[findings.Finding]] = {}
    taken = {uid for point in plan.points for uid in point.studies}
    for finding in facts.kept:
        if finding.lesion not in known and finding.study_uid in taken:
            lines.setdefault(finding.lesion, []).append(finding)
    baseline = plan.points[0]
    at_baseline = {uid: f for uid in lines if (f := finding_at(uid, baseline, facts)) is not None}
    # Who keeps a plan has chosen the targets; what turns up of the baseline later is not one of them.
    targets = _targets(plan.criterion, at_baseline) if not plan.lesions else ()
    added = [
        _lesion(uid, line, targets, at_baseline, facts)
        for uid, line in sorted(lines.items(), key=lambda item: -_length(at_baseline.get(item[0])))
    ][: MOST_LESIONS - len(plan.lesions)]
    if targets:
        reasons.append(f"{len(targets)} of {len(at_baseline)} lesions at baseline as targets: {_rule(plan)}.")
    late = sum(lesion.role == "new" for lesion in added)
    if late:
        reasons.append(f"{late} first seen after the baseline: proposed as new.")
    if plan.lesions and len(added) > late:
        reasons.append(f"{len(added) - late} more of the baseline, kept since: proposed as non-target.")
    return plan.model_copy(update={"lesions": (*plan.lesions, *added)})


def _targets(criterion: str, at_baseline: Mapping[str, findings.Finding]) -> tuple[str, ...]:
    """Return the largest measurable lesions, as many as the criterion allows in all and in one organ."""
    limits = response.load_criterion(criterion).selection
    chosen: list[str] = []
    organs: Counter[str] = Counter()
    for uid, finding in sorted(at_baseline.items(), key=lambda item: (-_length(item[1]), item[0])):
        organ, _ = organ_of(finding.kind, finding.label)
        full = limits.per_organ is not None and organ and organs[organ] >= limits.per_organ
        if full or not _measurable(criterion, finding):
            continue
        if limits.total is not None and len(chosen) >= limits.total:
            break
        chosen.append(uid)
        organs[organ] += 1
    return tuple(chosen)


def _rule(plan: Plan) -> str:
    limits = response.load_criterion(plan.criterion).selection
    words = ["the largest measurable"]
    if limits.total is not None:
        words.append(f"at most {limits.total}")
    if limits.per_organ is not None:
        words.append(f"{limits.per_organ} in one organ")
    return ", ".join(words)


def _length(finding: findings.Finding | None) -> float:
    along = finding.values.get("long_axis") if finding else None
    return along.value if along else 0.0


def _lesion(
    uid: str,
    line: Sequence[findings.Finding],
    targets: Iterable[str],
    at_baseline: Mapping[str, findings.Finding],
    facts: Facts,
) -> PlannedLesion:
    named = min(line, key=lambda f: facts.studies[f.study_uid].date)
    organ, is_node = organ_of(named.kind, named.label)
    role: response.Role = "new"
    if uid in at_baseline:
        role = "target" if uid in targets else "non-target"
    label = named.label[:120] or "lesion"
    return PlannedLesion(tracking_uid=uid, label=label, organ=organ, role=role, is_node=is_node)


def _with_vanished(plan: Plan, facts: Facts, reasons: list[str]) -> Plan:
    """Say absent of what a comparison calls vanished, where a person said nothing."""
    lesions, gone = [], Counter[date]()
    for lesion in plan.lesions:
        said = dict(lesion.judgements)
        for point in plan.points:
            if point.id in said or finding_at(lesion.tracking_uid, point, facts) is not None:
                continue
            if any((uid, lesion.tracking_uid) in facts.vanished for uid in point.studies):
                said[point.id] = Judgement(state="absent")
                gone[date_of(point, facts)] += 1
        lesions.append(lesion.model_copy(update={"judgements": said}))
    reasons += [
        f"{number} not seen any more on {day.isoformat()}, where the comparison looked: proposed as absent."
        for day, number in sorted(gone.items())
    ]
    return plan.model_copy(update={"lesions": tuple(lesions)})
