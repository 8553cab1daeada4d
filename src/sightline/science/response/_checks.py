"""What a course must fulfil before any criterion sees it, and what is odd about the choice of targets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from sightline.science.response._criteria import Criterion
from sightline.science.response._errors import BrokenReference, MixedUnits, UnorderedTimePoints
from sightline.science.response._model import Course, Lesion, Reason
from sightline.science.response._numbers import exact, plain
from sightline.science.response._sums import quantity_of

SEEN = ("measured", "too-small", "present", "progressed", "split", "merged")


def require_usable(course: Course) -> None:
    """Refuse a course whose parts contradict each other; see the errors for what is refused."""
    _require_order(course)
    _require_names(course)
    _require_links(course)
    _require_ends(course)
    _require_one_unit(course)


def _require_order(course: Course) -> None:
    if not course.time_points:
        raise UnorderedTimePoints("There is no time point; the first one is the baseline.")
    for before, after in pairwise(course.time_points):
        if after.date == before.date:
            raise UnorderedTimePoints(f"Two time points share the date {after.date}; keep one of them.")
        if after.date < before.date:
            raise UnorderedTimePoints(f"{after.date} comes after {before.date}; put them in order of date.")


def _require_names(course: Course) -> None:
    for kind, names in (
        ("time points", [point.id for point in course.time_points]),
        ("lesions", [lesion.uid for lesion in course.lesions]),
    ):
        doubled = [name for name, times in Counter(names).items() if times > 1]
        if doubled:
            raise BrokenReference(f"Two {kind} are named {doubled[0]!r}; each needs a name of its own.")


def _require_links(course: Course) -> None:
    points = {point.id for point in course.time_points}
    uids = {lesion.uid for lesion in course.lesions}
    for lesion in course.lesions:
        for point, seen in lesion.observations.items():
            if point not in points:
                raise BrokenReference(f"{lesion.label} is observed at {point!r}, which is no time point.")
            if bool(seen.into) != (seen.state in ("split", "merged")):
                raise BrokenReference(
                    f"{lesion.label} at {point!r}: a split or merged lesion names into what."
                )
            if unknown := sorted(set(seen.into) - (uids - {lesion.uid})):
                raise BrokenReference(
                    f"{lesion.label} goes over into {unknown[0]!r}, which is no other lesion."
                )


def _require_ends(course: Course) -> None:
    """Refuse lesions that split or merge in a circle, or merge into what is not measured as a target."""
    lesions = {lesion.uid: lesion for lesion in course.lesions}
    links = {
        uid: {to for seen in lesion.observations.values() if seen.state == "split" for to in seen.into}
        for uid, lesion in lesions.items()
    }
    _require_no_circle(lesions, links)
    for point in course.time_points:
        now = {
            uid: one.observations[point.id] for uid, one in lesions.items() if point.id in one.observations
        }
        merged = {uid: set(seen.into) for uid, seen in now.items() if seen.state == "merged"}
        _require_no_circle(lesions, merged)
        for uid, host in ((uid, host) for uid, hosts in merged.items() for host in hosts):
            gone = host in now and now[host].state == "absent"
            if gone or (lesions[uid].role == "target" and lesions[host].role != "target"):
                raise BrokenReference(
                    f"{lesions[uid].label} merged into {lesions[host].label}, which must be there and, "
                    "for a target, be a target itself."
                )


def _require_no_circle(lesions: Mapping[str, Lesion], links: Mapping[str, set[str]]) -> None:
    for start in links:
        reached, ahead = set[str](), set(links[start])
        while ahead:
            uid = ahead.pop()
            if uid == start:
                raise BrokenReference(f"{lesions[start].label} leads back to itself in a circle of lesions.")
            if uid not in reached:
                reached.add(uid)
                ahead |= links.get(uid, set())


def _require_one_unit(course: Course) -> None:
    units: dict[str, str] = {}
    for lesion in course.lesions:
        for seen in lesion.observations.values():
            for m in seen.measurements:
                if units.setdefault(m.quantity, m.unit) != m.unit:
                    raise MixedUnits(
                        f"The {m.quantity} comes in {units[m.quantity]} and, of {lesion.label}, in {m.unit}; "
                        "convert one of them."
                    )


def parts(course: Course) -> frozenset[str]:
    """Return the uids of the parts of lesions that split: they count with those, not on their own."""
    return frozenset(
        uid
        for lesion in course.lesions
        for seen in lesion.observations.values()
        if seen.state == "split"
        for uid in seen.into
    )


def of_role(course: Course, role: str) -> tuple[Lesion, ...]:
    """Return the lesions of a role, without the parts of others."""
    aside = parts(course)
    return tuple(one for one in course.lesions if one.role == role and one.uid not in aside)


def selection_warnings(course: Course, criterion: Criterion) -> tuple[Reason, ...]:
    """Return what the criterion would not have had chosen as target; nothing is left out because of it."""
    targets = of_role(course, "target")
    if criterion.measure is None:
        return ()
    chosen = (*_numbers(targets, criterion), *_sizes(course, targets, criterion))
    return (*chosen, *_early_new(course, criterion))


def _numbers(targets: Iterable[Lesion], criterion: Criterion) -> Iterator[Reason]:
    limits = criterion.selection
    organs = Counter(
        "lymph nodes" if one.is_node and limits.nodes_are_one_organ else one.organ.strip().lower()
        for one in targets
    )
    if limits.total is not None and organs.total() > limits.total:
        yield criterion.reason(
            "selection", f"{organs.total()} targets, limit {limits.total}", "more targets than allowed"
        )
    for organ, number in organs.items():
        if limits.per_organ is not None and number > limits.per_organ:
            yield criterion.reason(
                "selection",
                f"{number} targets in {organ}, limit {limits.per_organ}",
                "more targets in one organ than allowed",
            )


def _sizes(course: Course, targets: Iterable[Lesion], criterion: Criterion) -> Iterator[Reason]:
    baseline = course.time_points[0]
    limits = criterion.selection
    thick = exact(baseline.slice_mm) if baseline.slice_mm else None
    too_thick = thick is not None and limits.max_slice_mm is not None and thick > limits.max_slice_mm
    for lesion in targets:
        seen = lesion.observations.get(baseline.id)
        wanted = (
            ((limits.node_quantity, limits.node_mm),)
            if lesion.is_node and limits.node_mm is not None
            else ((_length_of(criterion, lesion), limits.long_axis_mm), ("short-axis", limits.short_axis_mm))
        )
        for quantity, least in wanted:
            found = seen.measurement(quantity) if seen else None
            if least is None or found is None:
                continue
            if too_thick and thick is not None and limits.slices is not None and quantity != "short-axis":
                least = max(least, thick * limits.slices)  # noqa: PLW2901
            size = exact(found.value)
            if size < least or (limits.above and size == least):
                needs = f"{'more than' if limits.above else 'at least'} {plain(least)} mm"
                slices = f" with slices of {plain(thick)} mm" if too_thick and thick is not None else ""
                yield criterion.reason(
                    "measurable",
                    f"{lesion.label} {quantity} {plain(size)} mm, needs {needs}{slices}",
                    "too small to be a target",
                )


def _length_of(criterion: Criterion, lesion: Lesion) -> str:
    """Return which length decides whether the lesion is large enough."""
    found = quantity_of(criterion, lesion)
    return found if found == "viable-long-axis" else "long-axis"


def _early_new(course: Course, criterion: Criterion) -> Iterator[Reason]:
    baseline = course.time_points[0].id
    for lesion in of_role(course, "new"):
        seen = lesion.observations.get(baseline)
        if seen is not None and seen.state in SEEN:
            yield criterion.reason(
                "new-lesion", f"{lesion.label} is called new", "it was seen at baseline already"
            )
