"""Use cases of orders: enter, change, cancel, offer to modalities, and keep what they say they did."""

import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from sightline.kernel import clock
from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.record.orders import _performing as performing
from sightline.record.orders import _store as store
from sightline.record.orders import _worklist as worklist
from sightline.record.orders._model import (
    BY_HAND,
    AccessionTaken,
    AlreadyBegun,
    AlreadyEnded,
    Attributes,
    Order,
    OrderEnded,
    OrderNotHeld,
    OrderPage,
    OrderQuery,
    Performed,
    PerformedNotHeld,
    Precautions,
    Priority,
    Procedure,
    Status,
    Step,
    StepNotHeld,
    StepUnderWay,
    StudyTaken,
    Subject,
    UnusableOrder,
    check_order,
    is_uid,
    status_of,
    step_status,
)
from sightline.runtime import events
from sightline.runtime.db import Database, Db
from sightline.trust import access, audit

audit.declare("order.enter", "An order was entered")
audit.declare("order.change", "An order was changed")
audit.declare("order.cancel", "An order was cancelled")
audit.declare("order.open", "A person looked at an order")
audit.declare("order.worklist", "A modality asked for its worklist")
audit.declare("procedure.begin", "A modality began a procedure step")
audit.declare("procedure.change", "A modality told more about a procedure step")
audit.declare("procedure.end", "A modality completed or discontinued a procedure step")

# Letters and digits that nobody mistakes for one another when reading them aloud.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class UnknownPlace(Invalid):
    """The place in the list is not one that this server gave out; start from the first page."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order as it is entered: what is left out (ids, UID, accession number) is given by us."""

    subject: Subject
    procedure: Procedure
    steps: Sequence[Step]
    accession: str = ""
    accession_issuer: str = ""
    study_uid: str = ""
    referring: str = ""
    requester: str = ""
    priority: Priority = Priority.ROUTINE
    indication: str = ""
    precautions: Precautions = field(default_factory=Precautions)
    admission_id: str = ""
    placer_number: str = ""
    filler_number: str = ""


def enter_order(db: Db, wanted: Wanted, *, origin: str = "api", by: access.Person) -> Order:
    """Enter an order; its steps are on the worklist of their modalities from then on.

    Raises
    ------
    UnusableOrder
        If a value cannot stand in an order.
    AccessionTaken, StudyTaken
        If another order has that number or UID.
    """
    access.require(by, "order.edit")
    order = _completed(wanted, origin, by)
    check_order(order)
    if store.is_taken(db, issuer=order.accession_issuer, accession=order.accession):
        raise AccessionTaken(
            "Another order of this issuer has that accession number; leave it out to be given a new one."
        )
    if store.ids_where(db, study_uid=order.study_uid):
        raise StudyTaken(
            f"Another order has the Study Instance UID {order.study_uid}; leave it out to be given a new one."
        )
    try:
        store.add(db, order)
    except IntegrityError:  # entered by another at this moment
        raise AccessionTaken("Another order took that accession number or study at this moment.") from None
    events.publish(db, "OrderEntered", order.id, study=order.study_uid, origin=origin)
    audit.record(
        db, "order.enter", by=by, on=order.id, study=order.study_uid, origin=origin, steps=len(order.steps)
    )
    return order


def change_order(db: Db, order_id: str, changes: Mapping[str, Any], *, by: access.Person) -> Order:
    """Change an order: plain fields are replaced; steps are changed by their id, or added.

    Parameters
    ----------
    changes : mapping
        Fields of `Order` with their new values. `steps` holds mappings of fields of `Step`; one whose `id` is
        known changes that step, any other is a new one. The accession number and the study stay.

    Raises
    ------
    OrderEnded
        If nothing of it is to be done any more.
    StepUnderWay
        If a step that was begun would be scheduled anew, or its state cannot become that.
    """
    access.require(by, "order.edit", on=order_id)
    order = _held(db, order_id, lock=True)
    if order.status.ended:
        raise OrderEnded(f"The order is {order.status.value}; enter a new one instead.")
    plain = {name: value for name, value in changes.items() if name in _CHANGEABLE}
    steps = _changed_steps(order.steps, changes.get("steps", ()))
    changed = replace(
        order, **plain, steps=steps, status=status_of(s.status for s in steps), changed_at=clock.now()
    )
    check_order(changed)
    store.save(db, changed)
    if changed.status is Status.CANCELLED:
        events.publish(db, "OrderCancelled", order_id, study=order.study_uid)
    # Free text may hold patient data and stays out of the trail; which fields were changed does not.
    audit.record(
        db, "order.change", by=by, on=order_id, study=order.study_uid, fields=sorted(changes),
        status=changed.status.value,
    )  # fmt: skip
    return changed


_CHANGEABLE = frozenset({
    "subject", "procedure", "referring", "requester", "priority", "indication", "precautions", "admission_id",
    "placer_number", "filler_number",
})  # fmt: skip


def cancel_order(db: Db, order_id: str, *, by: access.Person) -> Order:
    """Cancel what of an order has not begun; modalities are not offered it any more."""
    access.require(by, "order.edit", on=order_id)
    order = _held(db, order_id, lock=True)
    if order.status.ended:
        raise OrderEnded(f"The order is {order.status.value}; there is nothing to cancel.")
    if any(step.status is Status.STARTED for step in order.steps):
        raise StepUnderWay("A step of the order is being performed; it has to end at the modality first.")
    steps = tuple(s if s.status.ended else replace(s, status=Status.CANCELLED) for s in order.steps)
    cancelled = replace(order, steps=steps, status=status_of(s.status for s in steps), changed_at=clock.now())
    store.set_statuses(db, cancelled, clock.now())
    events.publish(db, "OrderCancelled", order_id, study=order.study_uid)
    audit.record(db, "order.cancel", by=by, on=order_id, study=order.study_uid, status=cancelled.status.value)
    return cancelled


def get_order(db: Db, order_id: str, *, by: access.Person) -> Order:
    """Return an order or refuse."""
    access.require(by, "order.read", on=order_id)
    order = _held(db, order_id)
    audit.record_read(by, "order.open", on=order_id)
    return order


def find_orders(
    db: Db, query: OrderQuery, *, limit: int = 50, after: str | None = None, by: access.Person
) -> OrderPage:
    """Return one page of orders, newest first; `after` is the `next` of the page before."""
    access.require(by, "order.read")
    found, more = store.find(db, query, limit=limit, after=_place(after) if after else None)
    last = found[-1] if found and more else None
    key = f"{last.entered_at.isoformat()}|{last.id}" if last and last.entered_at else None
    return OrderPage(tuple(found), key)


def orders_of(db: Db, *study_uids: str) -> list[Order]:
    """Return the orders of some studies."""
    return store.of_studies(db, study_uids)


def indications_of(db: Db, study_uids: Sequence[str]) -> dict[str, str]:
    """Return why each of some studies was ordered, by study UID, where an order says so."""
    return store.indications_of(db, study_uids)


def find_worklist(
    database: Database, keys: Attributes, *, by: access.Person
) -> Iterator[tuple[Attributes, bool]]:
    """Yield the worklist items that match, each with whether all that was asked for is supported.

    Parameters
    ----------
    keys : DICOM JSON
        The identifier of the query: matching keys with values, return keys without (PS3.4 K.6.1.2).
    """
    access.require(by, "order.read")
    audit.record_read(by, "order.worklist", on="worklist")
    return worklist.find_items(database, keys)


def begin_step(db: Db, uid: str, attributes: Attributes, *, source: str, by: access.Person) -> Performed:
    """Keep what a modality says as it begins a procedure step, and mark the scheduled steps as started.

    Raises
    ------
    AlreadyBegun
        If the UID is known.
    UnusableStep
        If an attribute is missing, empty or wrong; nothing is kept.
    """
    access.require(by, "order.edit", on=uid)
    if not is_uid(uid):
        raise UnusableOrder("The SOP Instance UID of the performed procedure step is no UID.")
    performing.check_begun(attributes)
    if store.get_performed(db, uid) is not None:
        raise AlreadyBegun(f"A performed procedure step {uid} is known already.", performed=uid)
    begun = performing.summary_of(uid, attributes)
    linked = _linked(db, performing.links_of(attributes), begun.modality)
    record = store.Record(begun, mistaken=False, attributes=attributes)
    try:
        store.add_performed(db, record, source=source, at=clock.now(), for_steps=linked)
    except IntegrityError:  # sent twice at this moment
        raise AlreadyBegun(f"A performed procedure step {uid} is known already.", performed=uid) from None
    _follow(db, linked)
    orders = sorted({order_id for order_id, _ in linked})
    events.publish(db, "StepStarted", begun.study_uid, performed=uid, orders=orders)
    audit.record(db, "procedure.begin", by=by, on=uid, study=begun.study_uid, orders=orders)
    return begun


def change_step(db: Db, uid: str, changes: Attributes, *, by: access.Person) -> Performed:
    """Keep what a modality adds to a performed step; when it ends, expect the objects that it names.

    Once every object that was named is held, the study counts as complete at once.

    Raises
    ------
    PerformedNotHeld
        If the UID is not known.
    AlreadyEnded
        If it was completed or discontinued before.
    UnusableStep
        If an attribute is missing, empty or wrong; nothing is changed.
    """
    access.require(by, "order.edit", on=uid)
    before = store.get_performed(db, uid, lock=True)
    if before is None:
        raise PerformedNotHeld(f"No performed procedure step {uid} is known.", performed=uid)
    if before.shown.status.final:
        raise AlreadyEnded(
            f"The performed procedure step {uid} is {before.shown.status.value} and may no longer be changed."
        )
    attributes = performing.merged(before.attributes, changes)
    performing.check_changed(attributes)
    after = store.Record(
        performing.summary_of(uid, attributes), performing.is_mistaken(attributes), attributes
    )
    store.save_performed(db, after, clock.now())
    if not after.shown.status.final:
        audit.record(db, "procedure.change", by=by, on=uid, study=after.shown.study_uid)
        return after.shown
    linked = store.fulfilled_by(db, uid)
    _follow(db, linked)
    _expect(db, after, by)
    orders = sorted({order_id for order_id, _ in linked})
    status = after.shown.status.value
    events.publish(db, "StepEnded", after.shown.study_uid, performed=uid, orders=orders, status=status)
    audit.record(
        db, "procedure.end", by=by, on=uid, study=after.shown.study_uid, orders=orders,
        status=status, images=after.shown.images,
    )  # fmt: skip
    return after.shown


def performed_of(db: Db, study_uid: str) -> list[Performed]:
    """Return everything that modalities said of a study."""
    return [record.shown for record in store.performed_of_study(db, study_uid)]


def performed_attributes(db: Db, uid: str, *, by: access.Person) -> Attributes:
    """Return all that a modality said of a performed step, as DICOM JSON."""
    access.require(by, "order.read", on=uid)
    record = store.get_performed(db, uid)
    if record is None:
        raise PerformedNotHeld(f"No performed procedure step {uid} is known.", performed=uid)
    return record.attributes


def _completed(wanted: Wanted, origin: str, by: access.Person) -> Order:
    now = clock.now()
    accession = wanted.accession.strip() or f"{now:%y%m%d}{_token(8)}"
    procedure = wanted.procedure
    if not procedure.id.strip():
        procedure = replace(procedure, id=accession[:16])
    return Order(
        id=uuid.uuid4().hex,
        accession=accession,
        accession_issuer=wanted.accession_issuer,
        subject=wanted.subject,
        procedure=procedure,
        study_uid=wanted.study_uid or f"2.25.{uuid.uuid4().int}",
        steps=tuple(step if step.id.strip() else replace(step, id=_step_id()) for step in wanted.steps),
        referring=wanted.referring,
        requester=wanted.requester,
        priority=wanted.priority,
        indication=wanted.indication,
        precautions=wanted.precautions,
        admission_id=wanted.admission_id,
        placer_number=wanted.placer_number,
        filler_number=wanted.filler_number,
        origin=origin,
        status=status_of(step.status for step in wanted.steps),
        entered_at=now,
        entered_by=by.id,
        changed_at=now,
    )


def _step_id() -> str:
    """Return an id of its own for a step: modalities send it back alone, without its order."""
    return f"P{_token(12)}"


def _token(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _changed_steps(held: Sequence[Step], changes: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    steps = {step.id: step for step in held}
    for change in changes:
        known = steps.get(change.get("id") or "")
        if known is None:
            new = Step(**{**change, "id": change.get("id") or _step_id()})
            if new.status not in (Status.SCHEDULED, Status.ARRIVED):
                raise UnusableOrder("A new step can only be scheduled or arrived.")
            steps[new.id] = new
        else:
            steps[known.id] = _changed_step(known, change)
    return tuple(steps.values())


def _changed_step(step: Step, change: Mapping[str, Any]) -> Step:
    status = Status(change.get("status", step.status))
    if status is not step.status and status not in BY_HAND[step.status]:
        raise StepUnderWay(f"Step {step.id} is {step.status.value}; it cannot become {status.value}.")
    changed = replace(step, **{**change, "id": step.id, "status": status})
    if replace(changed, status=step.status) != step and step.status not in (Status.SCHEDULED, Status.ARRIVED):
        raise StepUnderWay(f"Step {step.id} is {step.status.value}; it cannot be scheduled anew.")
    return changed


def _linked(db: Db, links: Sequence[performing.Link], modality: str) -> list[tuple[str, int]]:
    """Return the scheduled steps that a modality names, by order and number.

    The study names the order, else the accession number, else the step id alone, each only where it names
    one. Within the order the step id tells the step; without one, the only step of that modality.
    """
    found: list[tuple[str, int]] = []
    for link in links:
        ids = (
            store.ids_where(db, study_uid=link.study_uid)
            or [*_only(store.ids_where(db, accession=_clean(link.accession)))]
            or [*_only(store.ids_where(db, step_id=_clean(link.step_id)))]
        )
        order = store.get(db, ids[0], lock=True) if ids else None
        if order is None:
            continue
        named = [n for n, s in enumerate(order.steps) if s.id == link.step_id]
        alike = [n for n, s in enumerate(order.steps) if s.modality == modality and not s.status.ended]
        chosen = named or ([] if link.step_id else _only(alike))
        found += [(order.id, number) for number in chosen if (order.id, number) not in found]
    return found


def _only(found: list[Any]) -> list[Any]:
    return found if len(found) == 1 else []


def _clean(text: str) -> str:
    return text if text.isprintable() else ""


def _follow(db: Db, linked: Sequence[tuple[str, int]]) -> None:
    """Let the scheduled steps stand as what was performed for them tells."""
    for order_id in sorted({order_id for order_id, _ in linked}):
        order = _held(db, order_id, lock=True)
        told = store.progress_of(db, order_id)
        steps = tuple(
            replace(step, status=step_status(step.status, told.get(number, ())))
            for number, step in enumerate(order.steps)
        )
        followed = replace(order, steps=steps, status=status_of(step.status for step in steps))
        store.set_statuses(db, followed, clock.now())


def _expect(db: Db, record: store.Record, by: access.Person) -> None:
    """Expect the objects that modalities made for a study; settle it when all of them are held.

    Where one performed step is for several studies, nobody can say which object belongs to which.
    """
    links = performing.links_of(record.attributes)
    if len({link.study_uid for link in links}) != 1:
        return
    study_uid, uid = record.shown.study_uid, record.shown.uid
    made = performing.references_of(record.attributes)
    if not made:
        return
    archive.expect(db, study_uid, origin="mpps", subject=uid, count=len(made), sop_uids=sorted(made), by=by)
    told = store.performed_of_study(db, study_uid)
    for other in told:
        made |= performing.references_of(other.attributes)
    if all(other.shown.status.final for other in told) and _all_held(db, made):
        archive.settle_now(db, [study_uid])


def _all_held(db: Db, named: Mapping[str, str]) -> bool:
    wanted = sorted(named)
    for at in range(0, len(wanted), 500):
        some = wanted[at : at + 500]
        if len(archive.find_instances(db, archive.InstanceQuery(sop_uids=some)).items) < len(some):
            return False
    return True


def _held(db: Db, order_id: str, *, lock: bool = False) -> Order:
    order = store.get(db, order_id, lock=lock)
    if order is None:
        raise OrderNotHeld(f"No order {order_id} is held.", order=order_id)
    return order


def get_step(order: Order, step_id: str) -> Step:
    """Return a step of an order or refuse."""
    for step in order.steps:
        if step.id == step_id:
            return step
    raise StepNotHeld(f"The order has no step {step_id}.", order=order.id)


def _place(after: str) -> tuple[datetime, str]:
    at, _, order_id = after.partition("|")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not order_id:
        raise UnknownPlace("The place in the list is not one that this server gave out.")
    return moment, order_id
