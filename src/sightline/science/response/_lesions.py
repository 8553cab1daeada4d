"""Lesions that are not summed: what the non-target ones say, and whether a new one counts."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from sightline.science.response._checks import SEEN, of_role
from sightline.science.response._criteria import Criterion, NewLesion
from sightline.science.response._model import Course, Lesion, Observation, Presence, Reason
from sightline.science.response._numbers import plain, signed
from sightline.science.response._sums import Judged, normal_node, number


def judge_non_targets(course: Course, criterion: Criterion, index: int) -> Judged:
    """Return CR, non-CR/non-PD, PD or NE for the non-target lesions, ``none`` where there are none."""
    lesions = of_role(course, "non-target")
    if not lesions:
        return Judged("none", ())
    point = course.time_points[index].id
    seen = [(lesion, lesion.observations.get(point)) for lesion in lesions]
    grown = [one.label for one, at in seen if at is not None and at.state == "progressed"]
    unknown = [one.label for one, at in seen if at is None or at.state == "not-assessable"]
    left = [one.label for one, at in seen if at is not None and not _gone(criterion, one, at)]
    if grown:
        category, compared = "PD", f"unequivocal progression of {', '.join(grown)}"
    elif unknown:
        category, compared = "NE", f"{', '.join(unknown)} not assessed"
    elif left:
        category, compared = "non-CR/non-PD", f"{', '.join(left)} still there, not unequivocally progressed"
    else:
        category, compared = "CR", "no non-target lesion is left"
    return Judged(category, (criterion.reason("non-target", compared, f"non-targets {category}"),))


def _gone(criterion: Criterion, lesion: Lesion, seen: Observation) -> bool:
    return seen.state == "absent" or normal_node(criterion, lesion, seen)


def judge_new(course: Course, criterion: Criterion, index: int, *, immunotherapy: bool = False) -> Judged:
    """Return whether a new lesion counts: ``yes``, ``no``, or ``unknown`` where that cannot be told."""
    lesions = [lesion for lesion in of_role(course, "new") if index > 0 and _noticed(course, lesion, index)]
    ignored = immunotherapy and criterion.ignores_new_under_immunotherapy
    answers = []
    reasons = []
    for lesion in lesions:
        answer, reason = _counts(course, criterion, lesion, index)
        if answer == "yes" and ignored:
            answer = "no"
            reason = criterion.reason(
                "new-lesion", reason.compared, "under immunotherapy no progression by itself"
            )
        answers.append(answer)
        reasons.append(reason)
    new: Presence = "yes" if "yes" in answers else "unknown" if "unknown" in answers else "no"
    return Judged(new, tuple(reasons))


def counting_new(course: Course, criterion: Criterion, index: int) -> tuple[Lesion, ...]:
    """Return the new lesions that count at a time point."""
    lesions = [lesion for lesion in of_role(course, "new") if index > 0 and _noticed(course, lesion, index)]
    return tuple(one for one in lesions if _counts(course, criterion, one, index)[0] == "yes")


def _noticed(course: Course, lesion: Lesion, index: int) -> bool:
    """Return whether the lesion is seen now or was seen before."""
    states = [_state(course, lesion, at) for at in range(index + 1)]
    return any(state in SEEN or state == "equivocal" for state in states)


def _state(course: Course, lesion: Lesion, index: int) -> str | None:
    seen = lesion.observations.get(course.time_points[index].id)
    return seen.state if seen else None


def _counts(course: Course, criterion: Criterion, lesion: Lesion, index: int) -> tuple[Presence, Reason]:
    row = next((row for row in criterion.new if _fits(row, lesion)), NewLesion())
    seen = lesion.observations.get(course.time_points[index].id)
    if seen is None or seen.state == "not-assessable":
        return "unknown", criterion.reason(row.rule, f"new {lesion.label} was not assessed", "cannot tell")
    if seen.state == "absent":
        return "no", criterion.reason(row.rule, f"new {lesion.label} is gone again", "no new lesion now")
    if seen.state == "equivocal":
        outcome = "does not count until a later scan shows it for certain"
        return "no", criterion.reason(row.rule, f"{lesion.label} is perhaps new", outcome)
    if row.typical_only and lesion.pattern is None:
        compared = f"whether new {lesion.label} looks typical is not told"
        return "unknown", criterion.reason(row.rule, compared, "cannot tell")
    if row.typical_only and lesion.pattern == "atypical":
        return _by_growth(course, criterion, row, lesion, index)
    answer, reason = _by_size(criterion, row, lesion, seen)
    if answer == "yes" and (first := _perhaps_since(course, lesion, index)):
        reason = replace(reason, outcome=f"{reason.outcome}, of {first} when it was first seen")
    return answer, reason


def _perhaps_since(course: Course, lesion: Lesion, index: int) -> str | None:
    """Return the date since when the lesion was perhaps there, None where it was not."""
    since = None
    for at in range(index - 1, -1, -1):
        if _state(course, lesion, at) != "equivocal":
            break
        since = course.time_points[at].date.isoformat()
    return since


def _fits(row: NewLesion, lesion: Lesion) -> bool:
    organ_fits = not row.organs or lesion.organ.strip().lower() in row.organs
    return organ_fits and row.nodes in (None, lesion.is_node)


def _by_size(
    criterion: Criterion, row: NewLesion, lesion: Lesion, seen: Observation
) -> tuple[Presence, Reason]:
    if row.least_mm is None:
        return "yes", criterion.reason(row.rule, f"new lesion {lesion.label}", "progression")
    wanted = [(row.quantity, row.least_mm)]
    if row.least_short_mm is not None:
        wanted.append(("short-axis", row.least_short_mm))
    sizes = [(number(seen, quantity), least) for quantity, least in wanted]
    limit = f"limit {'> ' if row.above else ''}{' x '.join(plain(least) for _, least in sizes)} mm"
    known = [(value, least) for value, least in sizes if value is not None]
    if len(known) == len(sizes) and all(_reaches(row, value, least) for value, least in known):
        found = " x ".join(plain(value) for value, _ in known)
        return "yes", criterion.reason(row.rule, f"new {lesion.label} {found} mm, {limit}", "progression")
    if row.smaller_if_typical and lesion.pattern == "typical":
        compared = f"new {lesion.label}, small but unequivocal"
        return "yes", criterion.reason(row.rule, compared, "progression")
    if seen.state == "too-small" or any(not _reaches(row, value, least) for value, least in known):
        compared = f"new {lesion.label} below the size that counts, {limit}"
        return "no", criterion.reason(row.rule, compared, "no progression by itself; observe")
    compared = f"new {lesion.label} has no {row.quantity}, {limit}"
    return "unknown", criterion.reason(row.rule, compared, "cannot tell")


def _reaches(row: NewLesion, value: Decimal, least: Decimal) -> bool:
    return value > least or (value == least and not row.above)


def _by_growth(
    course: Course, criterion: Criterion, row: NewLesion, lesion: Lesion, index: int
) -> tuple[Presence, Reason]:
    """Judge a new lesion of atypical look by how much it grew since it was first measured."""
    sizes = _axes(course, lesion, index)
    needed = row.atypical_growth_mm
    if not sizes or needed is None:
        return "unknown", criterion.reason(row.rule, f"new {lesion.label} has no long-axis", "cannot tell")
    grown = sizes[-1] - sizes[0]
    compared = f"new {lesion.label}, atypical, {signed(grown)} mm since first seen, limit +{plain(needed)} mm"
    if grown >= needed:
        return "yes", criterion.reason(row.rule, compared, "progression")
    return "no", criterion.reason(row.rule, compared, "no progression by itself; observe")


def _axes(course: Course, lesion: Lesion, index: int) -> Sequence[Decimal]:
    seen = [lesion.observations.get(point.id) for point in course.time_points[: index + 1]]
    axes = [number(one, "long-axis") for one in seen if one is not None]
    return [axis for axis in axes if axis is not None]
