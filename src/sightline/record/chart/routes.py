"""HTTP face of the chart."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from sightline.kernel.codes import Code
from sightline.record import chart
from sightline.runtime.http import Snapshot, Tx
from sightline.trust.identity import Caller

router = APIRouter(prefix="/patients/{patient_id}/events", tags=["chart"])

Text = Annotated[str, Field(max_length=256)]
Day = Annotated[str, Field(max_length=40, description="2024, 2024-03, 2024-03-05, or a moment with offset.")]


class EventCode(BaseModel):
    """A coded concept; `system` is a URI such as ``http://loinc.org``."""

    value: Annotated[str, Field(max_length=64)]
    system: Text
    meaning: Annotated[str, Field(max_length=500)] = ""


class EventBody(BaseModel):
    """A treatment (name, start, stop) or a laboratory value (name, date, value, unit, reference range)."""

    kind: chart.Kind
    name: Text
    start: Day
    stop: Day | None = None
    category: Text = ""
    status: Text = ""
    code: EventCode | None = None
    value: float | None = None
    comparator: Annotated[str, Field(max_length=2)] = ""
    unit: Text = ""
    low: float | None = None
    high: float | None = None


class EventView(EventBody):
    """An entry of the chart and where it is from."""

    id: str
    origin: chart.EntryOrigin
    reference: str
    entered_at: datetime
    entered_by: str


class EventList(BaseModel):
    """The chart of a patient, by date."""

    items: list[EventView]
    next: str | None = None


@router.get("")
def list_events(patient_id: str, caller: Caller, db: Snapshot) -> EventList:
    """Return treatments and laboratory values of a patient, by date."""
    return EventList(items=[_view(entry) for entry in chart.entries_of(db, patient_id, by=caller)])


@router.post("", status_code=201)
def add_event(patient_id: str, body: EventBody, caller: Caller, db: Tx) -> EventView:
    """Enter a treatment or a laboratory value by hand."""
    return _view(chart.add_entry(db, patient_id, _draft(body), by=caller))


@router.delete("/{event_id}", status_code=204)
def remove_event(patient_id: str, event_id: str, caller: Caller, db: Tx) -> None:
    """Remove an entry; it is kept and can be restored."""
    chart.remove_entry(db, patient_id, event_id, by=caller)


@router.post("/{event_id}/restoration")
def restore_event(patient_id: str, event_id: str, caller: Caller, db: Tx) -> EventView:
    """Restore an entry that was removed."""
    return _view(chart.restore_entry(db, patient_id, event_id, by=caller))


def _draft(body: EventBody) -> chart.Draft:
    code = Code(body.code.value, body.code.system, body.code.meaning) if body.code else None
    return chart.Draft(**{**body.model_dump(exclude={"code"}), "kind": body.kind, "code": code})


def _view(entry: chart.Entry) -> EventView:
    draft, code = entry.draft, entry.draft.code
    plain = EventBody.model_fields.keys() - {"code"}
    return EventView(
        **{name: getattr(draft, name) for name in plain},
        code=EventCode(value=code.value, system=code.scheme, meaning=code.meaning) if code else None,
        id=entry.id,
        origin=entry.origin,
        reference=entry.reference,
        entered_at=entry.entered_at,
        entered_by=entry.entered_by_name,
    )
