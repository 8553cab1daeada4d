"""HTTP face of orders."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from sightline.kernel.codes import Code
from sightline.record import orders
from sightline.runtime.http import Snapshot, Tx
from sightline.trust.identity import Caller

router = APIRouter(prefix="/orders", tags=["orders"])

Text = Annotated[str, Field(max_length=1024)]
State = Literal["", "open", "scheduled", "arrived", "started", "completed", "discontinued", "cancelled"]


class CodeView(BaseModel):
    """A coded concept."""

    value: Text
    scheme: Text
    meaning: Text = ""


class OrderedPatient(BaseModel):
    """Whom the order is for; `name` is a DICOM person name (``Family^Given``), dates are YYYYMMDD."""

    patient_id: Text
    issuer: Text = ""
    name: Text
    birth_date: Text = ""
    sex: Text = ""


class ProcedureView(BaseModel):
    """The requested procedure; without an id it gets the accession number."""

    id: Text = ""
    description: Text = ""
    code: CodeView | None = None


class PrecautionsView(BaseModel):
    """What the people at the scanner must know beforehand."""

    weight_kg: float | None = Field(default=None, gt=0, le=1000)
    allergies: Text = ""
    alerts: Text = ""
    pregnancy: Literal["", "not pregnant", "possibly pregnant", "definitely pregnant", "unknown"] = ""
    special_needs: Text = ""


class StepEntry(BaseModel):
    """A step to schedule; `scheduled_at` is by the clock on the wall of the site."""

    id: Text = ""
    modality: Text
    station_ae: Text = ""
    station_name: Text = ""
    location: Text = ""
    description: Text = ""
    protocol: CodeView | None = None
    scheduled_at: datetime
    performer: Text = ""
    status: Literal["scheduled", "arrived"] = "scheduled"


class StepChange(BaseModel):
    """What to change of a step, by its id; without a known id a new step."""

    id: Text = ""
    modality: Text | None = None
    station_ae: Text | None = None
    station_name: Text | None = None
    location: Text | None = None
    description: Text | None = None
    protocol: CodeView | None = None
    scheduled_at: datetime | None = None
    performer: Text | None = None
    status: orders.Status | None = None


class StepView(BaseModel):
    """A scheduled step; `scheduled_at` is by the clock on the wall of the site."""

    id: str
    modality: str
    station_ae: str
    station_name: str
    location: str
    description: str
    protocol: CodeView | None
    scheduled_at: str
    performer: str
    status: orders.Status


class PerformedView(BaseModel):
    """What a modality said it did; moments are by its own clock."""

    uid: str
    status: orders.Progress
    started_at: str
    ended_at: str | None
    series: int
    images: int
    station_ae: str
    modality: str
    steps: list[str]


class OrderEntry(BaseModel):
    """An order to enter; accession number, study UID and ids are given where they are left out."""

    accession: Text = ""
    accession_issuer: Text = ""
    patient: OrderedPatient
    requested_procedure: ProcedureView
    study_uid: Text = ""
    referring: Text = ""
    requester: Text = ""
    priority: orders.Priority = orders.Priority.ROUTINE
    indication: Annotated[str, Field(max_length=10240)] = ""
    precautions: PrecautionsView = PrecautionsView()
    admission_id: Text = ""
    placer_number: Text = ""
    filler_number: Text = ""
    steps: list[StepEntry] = Field(min_length=1, max_length=50)


class OrderChange(BaseModel):
    """What to change of an order; what is left out stays."""

    patient: OrderedPatient | None = None
    requested_procedure: ProcedureView | None = None
    referring: Text | None = None
    requester: Text | None = None
    priority: orders.Priority | None = None
    indication: Annotated[str, Field(max_length=10240)] | None = None
    precautions: PrecautionsView | None = None
    admission_id: Text | None = None
    placer_number: Text | None = None
    filler_number: Text | None = None
    steps: list[StepChange] = Field(default=[], max_length=50)


class OrderView(BaseModel):
    """An order as it is shown."""

    id: str
    accession: str
    accession_issuer: str
    patient: OrderedPatient
    requested_procedure: ProcedureView
    study_uid: str
    referring: str
    requester: str
    priority: orders.Priority
    indication: str
    precautions: PrecautionsView
    admission_id: str
    placer_number: str
    filler_number: str
    origin: str
    status: orders.Status
    entered_at: datetime
    changed_at: datetime
    steps: list[StepView]
    performed: list[PerformedView]


class OrderList(BaseModel):
    """One page, newest first; `next` goes into `after`."""

    items: list[OrderView]
    next: str | None


class OrderSearch(BaseModel):
    """What to list: the beginning of a name, or a patient ID or accession number; days are YYYYMMDD."""

    text: Annotated[str, Field(max_length=100)] = ""
    status: State = ""
    modality: Annotated[str, Field(max_length=16)] = ""
    since: Annotated[str, Field(pattern=r"^(\d{8})?$")] = ""
    until: Annotated[str, Field(pattern=r"^(\d{8})?$")] = ""
    after: Annotated[str, Field(max_length=128)] = ""
    limit: Annotated[int, Field(gt=0, le=200)] = 50


@router.get("")
def list_orders(
    caller: Caller,
    db: Snapshot,
    status: State = "",
    after: Annotated[str, Query(max_length=128)] = "",
    limit: Annotated[int, Query(gt=0, le=200)] = 50,
) -> OrderList:
    """Return one page of orders, newest first."""
    query = orders.OrderQuery(status=status)
    return _page(orders.find_orders(db, query, limit=limit, after=after or None, by=caller))


@router.post("/search")
def search_orders(body: OrderSearch, caller: Caller, db: Snapshot) -> OrderList:
    """Return one page of orders; the words searched for travel in the body, never in an address."""
    query = orders.OrderQuery(
        text=body.text.strip(), status=body.status, modality=body.modality, since=body.since, until=body.until
    )
    return _page(orders.find_orders(db, query, limit=body.limit, after=body.after or None, by=caller))


@router.post("", status_code=201)
def enter(body: OrderEntry, caller: Caller, db: Tx) -> OrderView:
    """Enter an order: its steps are on the modalities' worklist from then on."""
    wanted = orders.Wanted(
        subject=_subject(body.patient),
        procedure=_procedure(body.requested_procedure),
        steps=[_step(step) for step in body.steps],
        precautions=orders.Precautions(**body.precautions.model_dump()),
        **body.model_dump(exclude={"patient", "requested_procedure", "precautions", "steps"}),
    )
    return view_of(orders.enter_order(db, wanted, origin="api", by=caller))


@router.get("/{order_id}")
def get(order_id: str, caller: Caller, db: Snapshot) -> OrderView:
    """Return an order with its steps and what was performed."""
    return view_of(orders.get_order(db, order_id, by=caller))


@router.patch("/{order_id}")
def change(order_id: str, body: OrderChange, caller: Caller, db: Tx) -> OrderView:
    """Change an order; steps are changed by their id, or added."""
    given = body.model_fields_set
    changes: dict[str, Any] = {
        name: getattr(body, name)
        for name in given - {"patient", "requested_procedure", "precautions", "steps"}
        if getattr(body, name) is not None
    }
    if body.patient:
        changes["subject"] = _subject(body.patient)
    if body.requested_procedure:
        changes["procedure"] = _procedure(body.requested_procedure)
    if body.precautions:
        changes["precautions"] = orders.Precautions(**body.precautions.model_dump())
    if body.steps:
        changes["steps"] = [_step_change(step) for step in body.steps]
    return view_of(orders.change_order(db, order_id, changes, by=caller))


@router.post("/{order_id}/cancel")
def cancel(order_id: str, caller: Caller, db: Tx) -> OrderView:
    """Cancel what of an order has not begun."""
    return view_of(orders.cancel_order(db, order_id, by=caller))


def view_of(order: orders.Order) -> OrderView:
    """Return an order as the API shows it."""
    assert order.entered_at is not None
    assert order.changed_at is not None
    subject, procedure, care = order.subject, order.procedure, order.precautions
    return OrderView(
        id=order.id,
        accession=order.accession,
        accession_issuer=order.accession_issuer,
        patient=OrderedPatient(
            patient_id=subject.patient_id,
            issuer=subject.issuer,
            name=subject.name,
            birth_date=subject.birth_date,
            sex=subject.sex,
        ),
        requested_procedure=ProcedureView(
            id=procedure.id, description=procedure.description, code=_code_view(procedure.code)
        ),
        study_uid=order.study_uid,
        referring=order.referring,
        requester=order.requester,
        priority=order.priority,
        indication=order.indication,
        precautions=PrecautionsView.model_validate(care, from_attributes=True),
        admission_id=order.admission_id,
        placer_number=order.placer_number,
        filler_number=order.filler_number,
        origin=order.origin,
        status=order.status,
        entered_at=order.entered_at,
        changed_at=order.changed_at,
        steps=[_step_view(step) for step in order.steps],
        performed=[_performed_view(done) for done in order.performed],
    )


def _page(page: orders.OrderPage) -> OrderList:
    return OrderList(items=[view_of(order) for order in page.items], next=page.next)


def _subject(patient: OrderedPatient) -> orders.Subject:
    return orders.Subject(**patient.model_dump())


def _procedure(procedure: ProcedureView) -> orders.Procedure:
    return orders.Procedure(procedure.id, procedure.description, _code(procedure.code))


def _step(step: StepEntry) -> orders.Step:
    date, time = wall_clock(step.scheduled_at)
    plain = step.model_dump(exclude={"scheduled_at", "protocol", "status"})
    return orders.Step(
        **plain, date=date, time=time, protocol=_code(step.protocol), status=orders.Status(step.status)
    )


def _step_change(step: StepChange) -> dict[str, Any]:
    change = step.model_dump(exclude={"scheduled_at", "protocol"}, exclude_none=True)
    if step.scheduled_at:
        change["date"], change["time"] = wall_clock(step.scheduled_at)
    if step.protocol:
        change["protocol"] = _code(step.protocol)
    return change


def wall_clock(moment: datetime) -> tuple[str, str]:
    """Return date and time by the site's clock; a moment with an offset is converted to it.

    >>> wall_clock(datetime(2026, 5, 3, 10, 15))
    ('20260503', '101500')
    """
    local = moment.astimezone().replace(tzinfo=None) if moment.tzinfo else moment
    return f"{local:%Y%m%d}", f"{local:%H%M%S}"


def _step_view(step: orders.Step) -> StepView:
    return StepView(
        id=step.id,
        modality=step.modality,
        station_ae=step.station_ae,
        station_name=step.station_name,
        location=step.location,
        description=step.description,
        protocol=_code_view(step.protocol),
        scheduled_at=iso_moment(f"{step.date} {step.time}"),
        performer=step.performer,
        status=step.status,
    )


def _performed_view(done: orders.Performed) -> PerformedView:
    return PerformedView(
        uid=done.uid,
        status=done.status,
        started_at=iso_moment(done.started_at),
        ended_at=iso_moment(done.ended_at) or None,
        series=done.series,
        images=done.images,
        station_ae=done.station_ae,
        modality=done.modality,
        steps=list(done.steps),
    )


def iso_moment(text: str) -> str:
    """Return a DICOM date and time as ISO 8601 without an offset, or an empty text.

    >>> iso_moment("20260503 1015"), iso_moment("")
    ('2026-05-03T10:15:00', '')
    """
    date, _, time = text.partition(" ")
    if not re.fullmatch(r"\d{8}", date):
        return ""
    digits = (time.partition(".")[0] + "000000")[:6]
    return f"{date[:4]}-{date[4:6]}-{date[6:]}T{digits[:2]}:{digits[2:4]}:{digits[4:]}"


def _code(code: CodeView | None) -> Code | None:
    return Code(code.value, code.scheme, code.meaning) if code else None


def _code_view(code: Code | None) -> CodeView | None:
    return CodeView(value=code.value, scheme=code.scheme, meaning=code.meaning) if code else None
