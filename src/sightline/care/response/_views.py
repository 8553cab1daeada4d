"""The response of a patient as the page and the command show it."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel

from sightline.care.response._course import READERS_SOURCE, Cell, codes_of
from sightline.care.response._evaluation import Evaluated
from sightline.care.response._model import Plan
from sightline.care.response._service import Opened
from sightline.kernel.dates import age_years, iso_date
from sightline.kernel.names import display_name
from sightline.science import response


class WhoseResponse(BaseModel):
    """Whose response it is; `id` is opaque."""

    id: str
    name: str
    patient_id: str
    sex: str
    age_years: int | None


class CriterionView(BaseModel):
    """A criterion; `unconfirmed` are its rules that nobody has checked against the publication yet.

    `asks_of_points` and `asks_of_lesions` are the fields of the plan that it reads; `values` the numbers.
    The limits of a response (from baseline) and of a progression are in percent of what it adds up.
    """

    name: str
    title: str
    version: str
    citation: str
    unconfirmed: list[str]
    asks_of_points: list[str]
    asks_of_lesions: list[str]
    values: list[str]
    response_percent: float | None
    progression_percent: float | None


class CriterionChoice(BaseModel):
    """A criterion to choose."""

    name: str
    title: str


class HeldStudy(BaseModel):
    """A study that can be a time point."""

    uid: str
    date: date
    exam: str
    modality: str


class RuleApplied(BaseModel):
    """One rule as it was applied; not `confirmed`: not checked against its original publication."""

    rule: str
    compared: str
    outcome: str
    source: str
    confirmed: bool


class NumberView(BaseModel):
    """One measured number with its 95 % interval; `assumed`: the interval is a published one."""

    quantity: str
    value: float
    unit: str
    low: float | None
    high: float | None
    method: str
    assumed: bool


class CellView(BaseModel):
    """One lesion at one time point; without a state nothing was said of it.

    `counted` is what it adds to the sum, `change_percent` that from baseline.
    """

    study_uid: str
    state: str | None
    origin: Literal["finding", "person", "none"]
    values: list[NumberView]
    counted: float | None
    change_percent: float | None
    finding_id: str | None


class LesionRow(BaseModel):
    """One lesion through the time points; `shown` are the quantities that the criterion goes by."""

    tracking_uid: str
    code: str
    label: str
    organ: str
    role: response.Role
    shown: list[str]
    cells: list[CellView]
    best_percent: float | None


class PointColumn(BaseModel):
    """One time point; categories are None where nothing can be evaluated.

    `plausible` are the categories within the intervals of the measurements.
    """

    study_uid: str
    date: date
    day: int
    exams: list[str]
    category: str | None
    target: str | None
    non_target: str | None
    new_lesion: str | None
    value: float | None
    unit: str
    nadir: float | None
    change: float | None
    change_percent: float | None
    nadir_change: float | None
    nadir_change_percent: float | None
    provisional: bool
    disregarded: bool
    plausible: list[str]
    reasons: list[RuleApplied]


class BestView(BaseModel):
    """The best response and why."""

    category: str
    study_uid: str | None
    reasons: list[RuleApplied]


class SpanView(BaseModel):
    """A stretch of one category, in days since baseline; no end: not known what came after."""

    start_day: int
    end_day: int | None
    category: str


class LeftOut(BaseModel):
    """A kept lesion or a study that is no part of the plan."""

    uid: str
    label: str


class ResponseView(BaseModel):
    """A patient's tumour response: a draft, from what a person kept or, until then, from what is proposed."""

    patient: WhoseResponse
    simulated: bool
    version: int
    kept: bool
    can_undo: bool
    changed_by: str | None
    changed_at: datetime | None
    plan: Plan
    reasons: list[str]
    proposal: Plan | None
    proposal_reasons: list[str]
    undecided: int
    criterion: CriterionView
    criteria: list[CriterionChoice]
    studies: list[HeldStudy]
    left_out: list[LeftOut]
    points: list[PointColumn]
    lesions: list[LesionRow]
    best: BestView | None
    warnings: list[RuleApplied]
    remarks: list[str]
    problem: str | None
    swimmer: list[SpanView]
    treatment_start_day: int | None
    treatment_end_day: int | None
    assumed_interval: str


def view_of(opened: Opened) -> ResponseView:
    """Return what the page shows."""
    told = opened.evaluated
    evaluation, plan = told.evaluation, told.plan
    return ResponseView(
        patient=_whose(opened),
        simulated=told.simulated or opened.study.simulated,
        version=opened.version,
        kept=opened.kept,
        can_undo=opened.can_undo,
        changed_by=opened.changed_by,
        changed_at=opened.changed_at,
        plan=plan,
        reasons=list(opened.reasons),
        proposal=opened.proposal.plan if opened.proposal else None,
        proposal_reasons=list(opened.proposal.reasons) if opened.proposal else [],
        undecided=opened.facts.undecided,
        criterion=criterion_view(told.criterion),
        criteria=[
            CriterionChoice(name=n, title=response.load_criterion(n).title) for n in response.criteria()
        ],
        studies=_studies(opened),
        left_out=_left_out(opened),
        points=_points(opened),
        lesions=_lesions(told),
        best=_best(evaluation.best) if evaluation else None,
        warnings=[_reason(r) for r in evaluation.warnings] if evaluation else [],
        remarks=list(told.built.remarks),
        problem=told.problem,
        swimmer=_swimmer(evaluation),
        treatment_start_day=_day(told, plan.treatment_start),
        treatment_end_day=_day(told, plan.treatment_end),
        assumed_interval=READERS_SOURCE,
    )


def criterion_view(criterion: response.Criterion) -> CriterionView:
    """Return a criterion with what it asks for: each part of its description asks for its own."""
    measure, limits = criterion.measure, criterion.limits
    points = {
        "slice_mm": criterion.selection.max_slice_mm is not None,
        "clinical": criterion.clinical is not None,
        "steroids": criterion.clinical is not None,
        "new_symptoms": criterion.immune is not None,
        "deauville": criterion.deauville is not None,
        "uptake": criterion.deauville is not None,
        "spleen_mm": criterion.lymphoma is not None,
        "reference": criterion.uptake is not None,
    }
    lesions = {
        "pattern": any(row.typical_only or row.smaller_if_typical for row in criterion.new),
        "component": criterion.mixed is not None,
        "out_of_field": criterion.radiotherapy is not None,
        "grew": criterion.immune is not None,
        "new_nodule": criterion.density is not None,
    }
    quantity = measure.quantity if measure else ""
    values = {
        "long_axis_mm": quantity not in ("", "volume"),
        "short_axis_mm": quantity not in ("", "volume"),
        "viable_mm": quantity == "viable-long-axis",
        "volume_mm3": quantity == "volume",
        "density_hu": criterion.density is not None,
        "sul_peak": criterion.uptake is not None,
        "tlg_g": criterion.uptake is not None,
    }
    return CriterionView(
        name=criterion.name,
        title=criterion.title,
        version=criterion.version,
        citation=criterion.citation,
        unconfirmed=list(criterion.unconfirmed),
        asks_of_points=[name for name, asked in points.items() if asked],
        asks_of_lesions=[name for name, asked in lesions.items() if asked],
        values=[name for name, asked in values.items() if asked],
        response_percent=-float(limits.partial_percent) if limits else None,
        progression_percent=float(limits.progression_percent) if limits else None,
    )


def _whose(opened: Opened) -> WhoseResponse:
    study = opened.study
    return WhoseResponse(
        id=study.patient,
        name=display_name(study.name),
        patient_id=study.patient_id,
        sex=study.sex,
        age_years=age_years(study.birth_date, study.date) if iso_date(study.birth_date) else None,
    )


def _studies(opened: Opened) -> list[HeldStudy]:
    ordered = sorted(opened.facts.studies.values(), key=lambda s: (s.date, s.uid))
    return [HeldStudy(uid=s.uid, date=s.date, exam=s.exam, modality=s.modality) for s in ordered]


def _left_out(opened: Opened) -> list[LeftOut]:
    known = {lesion.tracking_uid for lesion in opened.evaluated.plan.lesions}
    aside = {f.lesion: f.label for f in opened.facts.kept if f.lesion not in known}
    return [LeftOut(uid=uid, label=label) for uid, label in aside.items()]


def _points(opened: Opened) -> list[PointColumn]:
    told = opened.evaluated
    said = {p.time_point: p for p in told.evaluation.points} if told.evaluation else {}
    studies_of = {point.id: point.studies for point in told.plan.points}
    held = opened.facts.studies
    first = told.built.course.time_points[0].date if told.built.course.time_points else None
    columns = []
    for point in told.built.course.time_points:
        at = said.get(point.id)
        exams = [f"{held[u].exam}" for u in studies_of[point.id] if u in held]
        columns.append(
            PointColumn(
                study_uid=point.id,
                date=point.date,
                day=(point.date - first).days if first else 0,
                exams=exams,
                category=at.category if at else None,
                target=at.target if at else None,
                non_target=at.non_target if at else None,
                new_lesion=at.new_lesion if at else None,
                value=at.value if at else None,
                unit=at.unit if at else "",
                nadir=at.nadir if at else None,
                change=at.change if at else None,
                change_percent=at.change_percent if at else None,
                nadir_change=at.nadir_change if at else None,
                nadir_change_percent=at.nadir_change_percent if at else None,
                provisional=at.provisional if at else False,
                disregarded=at.disregarded if at else False,
                plausible=list(told.plausible.get(point.id, ())),
                reasons=[_reason(r) for r in at.reasons] if at else [],
            )
        )
    return columns


def _lesions(told: Evaluated) -> list[LesionRow]:
    lines = {line.uid: line for line in told.lines}
    codes = codes_of(told.plan.lesions)
    rows = []
    for code, lesion, planned in zip(codes, told.built.course.lesions, told.plan.lesions, strict=True):
        line = lines.get(lesion.uid)
        cells = [
            _cell(
                point.id,
                told.built.cells[lesion.uid, point.id],
                line.sizes[k] if line else None,
                line.changes_percent[k] if line else None,
            )
            for k, point in enumerate(told.built.course.time_points)
        ]
        rows.append(
            LesionRow(
                tracking_uid=lesion.uid,
                code=code,
                label=planned.label,
                organ=planned.organ,
                role=lesion.role,
                shown=_shown(told.criterion, lesion),
                cells=cells,
                best_percent=line.best_percent if line else None,
            )
        )
    return rows


def _shown(criterion: response.Criterion, lesion: response.Lesion) -> list[str]:
    """Return the quantities that the criterion goes by for a lesion."""
    if criterion.uptake is not None:
        return ["sul-peak"]
    if criterion.measure is None:
        return ["long-axis"]
    quantity = response.quantity_of(criterion, lesion)
    shown = ["long-axis", "short-axis"] if quantity == "product" else [quantity]
    return [*shown, "density"] if criterion.density is not None else shown


def _cell(study_uid: str, cell: Cell, counted: float | None, change: float | None) -> CellView:
    seen, methods = cell.observation, cell.methods or {}
    return CellView(
        study_uid=study_uid,
        state=seen.state if seen else None,
        origin=cell.origin,
        values=[
            NumberView(
                quantity=m.quantity,
                value=m.value,
                unit=m.unit,
                low=m.low,
                high=m.high,
                method=methods.get(m.quantity, ""),
                assumed=m.quantity in cell.assumed,
            )
            for m in (seen.measurements if seen else ())
        ],
        counted=counted,
        change_percent=change,
        finding_id=cell.finding.id if cell.finding else None,
    )


def _reason(reason: response.Reason) -> RuleApplied:
    return RuleApplied(
        rule=reason.rule,
        compared=reason.compared,
        outcome=reason.outcome,
        source=reason.source,
        confirmed=reason.confirmed,
    )


def _best(best: response.BestResponse) -> BestView:
    return BestView(
        category=best.category, study_uid=best.time_point, reasons=[_reason(r) for r in best.reasons]
    )


def _swimmer(evaluation: response.Evaluation | None) -> list[SpanView]:
    if evaluation is None:
        return []
    return [
        SpanView(start_day=s.start_day, end_day=s.end_day, category=s.category)
        for s in response.swimmer(evaluation)
    ]


def _day(told: Evaluated, at: date | None) -> int | None:
    points = told.built.course.time_points
    return (at - points[0].date).days if at and points else None
