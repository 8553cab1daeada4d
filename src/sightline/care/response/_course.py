"""From what a person chose and the findings they kept to the course that every criterion takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from sightline.care.response._model import Judgement, Plan, PlannedLesion, PlannedPoint
from sightline.kernel.quantities import Quantity
from sightline.record import findings
from sightline.science import response

Origin = Literal["finding", "person", "none"]

# Quantities of findings by the name that the criteria know them by.
QUANTITIES: Mapping[str, response.QuantityName] = {
    "long_axis": "long-axis",
    "short_axis": "short-axis",
    "volume": "volume",
    "mean_hu": "density",
}
# A person's own numbers: field, quantity, unit.
OWN: tuple[tuple[str, response.QuantityName, str], ...] = (
    ("long_axis_mm", "long-axis", "mm"),
    ("short_axis_mm", "short-axis", "mm"),
    ("viable_mm", "viable-long-axis", "mm"),
    ("volume_mm3", "volume", "mm3"),
    ("sul_peak", "sul-peak", "g/ml"),
    ("tlg_g", "tlg", "g"),
    ("density_hu", "density", "[hnsf'U]"),
)
UNITS = {quantity: unit for _, quantity, unit in OWN}

# One lesion, two readers: limits of agreement of the long axis (Yoon, EJC 2016, 10.1016/j.ejca.2015.10.014).
READERS_PERCENT = (-22.1, 25.4)
READERS_SOURCE = "limits of agreement between readers for one lesion, Yoon, Eur J Cancer 2016"


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """A held study as the plan needs it.

    `earlier` are the studies it can be compared with, told of later studies without kept findings only.
    """

    uid: str
    date: date
    exam: str
    modality: str
    simulated: bool
    earlier: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is held of a patient: dated studies, and of these alone the kept findings and vanished lesions.

    `vanished` holds study and tracking UID of the lesions that comparisons call so.
    """

    studies: Mapping[str, StudyFacts]
    kept: Sequence[findings.Finding]
    undecided: int
    vanished: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One lesion at one time point: what goes into the evaluation, where it comes from, which finding.

    `assumed` names the quantities whose interval is a published one and not of this measurement.
    """

    observation: response.Observation | None
    origin: Origin
    finding: findings.Finding | None = None
    assumed: tuple[str, ...] = ()
    methods: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """The course, its cells by lesion and time point, and what of the plan could not be used."""

    course: response.Course
    cells: Mapping[tuple[str, str], Cell]
    remarks: tuple[str, ...]


def build_course(plan: Plan, facts: Facts) -> Built:
    """Return the course of a plan with the measurements of now; what is not held any more is left out.

    Without its baseline there is no course: a later time point never takes its place.
    """
    points, remarks = _points(plan, facts)
    cells: dict[tuple[str, str], Cell] = {}
    lesions = []
    for lesion, code in zip(plan.lesions, codes_of(plan.lesions), strict=True):
        seen = {}
        for point in points:
            cell = _cell(lesion, point, facts)
            cells[lesion.tracking_uid, point.id] = cell
            if cell.observation is not None:
                seen[point.id] = cell.observation
        lesions.append(_lesion(lesion, code, seen))
    course = response.Course(
        tuple(_time_point(point, facts) for point in points), tuple(lesions), plan.radiotherapy_end
    )
    return Built(course, cells, remarks)


def codes_of(lesions: Sequence[PlannedLesion]) -> list[str]:
    """Return the short names of lesions in a table: T1, T2 for targets, N1 for non-targets, X1 for new."""
    count = {"target": 0, "non-target": 0, "new": 0}
    codes = []
    for lesion in lesions:
        count[lesion.role] += 1
        codes.append(f"{LETTERS[lesion.role]}{count[lesion.role]}")
    return codes


LETTERS = {"target": "T", "non-target": "N", "new": "X"}


def _points(plan: Plan, facts: Facts) -> tuple[list[PlannedPoint], tuple[str, ...]]:
    """Return the time points whose studies are still held: the baseline, then the others by date.

    None where the baseline is not.
    """
    kept, remarks = [], []
    for number, point in enumerate(plan.points, start=1):
        held = tuple(uid for uid in point.studies if uid in facts.studies)
        if len(held) < len(point.studies):
            remarks.append(f"A study of time point {number} is not held for this patient (any more).")
        if held:
            kept.append(point)
    if not plan.points or not is_held(plan.points[0], facts):
        return [], tuple(remarks)
    rest = sorted(kept[1:], key=lambda point: date_of(point, facts))
    return [kept[0], *rest], tuple(remarks)


def is_held(point: PlannedPoint, facts: Facts) -> bool:
    """Say whether any study of a time point is still held, with a date."""
    return any(uid in facts.studies for uid in point.studies)


def date_of(point: PlannedPoint, facts: Facts) -> date:
    """Return the date of a time point that is held: that of its earliest study."""
    return min(facts.studies[uid].date for uid in point.studies if uid in facts.studies)


def _time_point(point: PlannedPoint, facts: Facts) -> response.TimePoint:
    reference = response.ReferenceTissue(**point.reference.model_dump()) if point.reference else None
    return response.TimePoint(
        id=point.id,
        date=date_of(point, facts),
        study_uid=point.id,
        slice_mm=point.slice_mm,
        clinical=point.clinical,
        steroids=point.steroids,
        new_symptoms=point.new_symptoms,
        reference=reference,
        deauville=point.deauville,
        uptake=point.uptake,
        spleen_mm=point.spleen_mm,
    )


def _lesion(lesion: PlannedLesion, code: str, seen: Mapping[str, response.Observation]) -> response.Lesion:
    return response.Lesion(
        uid=lesion.tracking_uid,
        label=f"{code} {lesion.label}",
        organ=lesion.organ or "an organ not named",
        role=lesion.role,
        observations=seen,
        is_node=lesion.is_node,
        pattern=lesion.pattern,
        component=lesion.component,
        out_of_field=lesion.out_of_field,
    )


def _cell(lesion: PlannedLesion, point: PlannedPoint, facts: Facts) -> Cell:
    said = lesion.judgements.get(point.id)
    found = finding_at(lesion.tracking_uid, point, facts)
    values = _measured(found)
    methods: dict[str, str] = {}
    if found is not None:
        methods = {m.quantity: found.values[name].method for name, m in values.items()}
    numbers = {m.quantity: m for m in values.values()}
    if said is not None:
        own = _own(said)
        numbers |= {m.quantity: m for m in own}
        methods |= {m.quantity: "a person's own number" for m in own}
    state = said.state if said is not None and said.state else ("measured" if numbers else None)
    if found is not None and state is None:
        state = "present"  # a kept finding without a usable number is there all the same
    if state is None:
        return Cell(None, "none")
    measured, assumed = _with_intervals(numbers.values() if state in SIZED else ())
    observation = response.Observation(
        state,
        measured,
        into=said.into if said is not None else (),
        grew=said.grew if said is not None else None,
        new_nodule=said.new_nodule if said is not None else False,
    )
    by_person = said is not None and (said.state is not None or bool(_own(said)))
    return Cell(observation, "person" if by_person else "finding", found, assumed, methods)


SIZED = frozenset({"measured", "too-small", "present", "progressed", "equivocal"})
"""States in which a number says something; of a lesion that is gone or not seen it would contradict."""


def finding_at(tracking_uid: str, point: PlannedPoint, facts: Facts) -> findings.Finding | None:
    """Return the kept finding of a lesion at a time point; of several the one decided last."""
    here = [f for f in facts.kept if f.lesion == tracking_uid and f.study_uid in point.studies]
    return max(here, key=lambda f: (f.decided_at or f.created_at, f.id), default=None)


def _measured(found: findings.Finding | None) -> dict[str, response.Measurement]:
    """Return the numbers of a finding that the criteria know, in the units they know them in."""
    values: Mapping[str, Quantity] = found.values if found else {}
    return {
        name: response.Measurement(quantity, q.value, q.unit, *_interval(q))
        for name, quantity in QUANTITIES.items()
        if (q := values.get(name)) is not None and q.unit == UNITS[quantity]
    }


def _interval(quantity: Quantity) -> tuple[float | None, float | None]:
    """Return the 95 % interval, held to what is possible: a size is never below zero."""
    low, high = quantity.low, quantity.high
    if low is None or high is None or not low <= quantity.value <= high:
        return None, None
    return (low if quantity.unit == UNITS["density"] else max(low, 0.0)), high


def _own(said: Judgement) -> tuple[response.Measurement, ...]:
    given = ((quantity, getattr(said, field), unit) for field, quantity, unit in OWN)
    return tuple(
        response.Measurement(quantity, value, unit) for quantity, value, unit in given if value is not None
    )


def _with_intervals(
    values: Iterable[response.Measurement],
) -> tuple[tuple[response.Measurement, ...], tuple[str, ...]]:
    """Return the numbers, long axes without an interval with that of two readers, and which these are."""
    low, high = (1 + percent / 100 for percent in READERS_PERCENT)
    whole, assumed = [], []
    for value in values:
        if value.quantity == "long-axis" and value.low is None:
            assumed.append(value.quantity)
            whole.append(replace(value, low=value.value * low, high=value.value * high))
        else:
            whole.append(value)
    return tuple(whole), tuple(assumed)
