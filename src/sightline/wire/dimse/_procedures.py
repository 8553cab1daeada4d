"""Performed procedure steps (MPPS): a scanner says what it does (N-CREATE, N-SET) and asks for it (N-GET)."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import structlog
from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import evt

from sightline.kernel.errors import Forbidden, Unavailable
from sightline.record import orders
from sightline.wire.dimse._datasets import (
    BadAttribute,
    NotReadable,
    build_dataset,
    person_behind,
    read_message,
    status,
)
from sightline.wire.dimse._model import Context, Service

log = structlog.get_logger(__name__)

PERFORMED_STEP = "1.2.840.10008.3.1.2.3.3"
PERFORMED_STEP_RETRIEVE = "1.2.840.10008.3.1.2.3.4"
SUCCESS = 0x0000
INVALID_VALUE, MISSING, EMPTY = 0x0106, 0x0120, 0x0121
PROCESSING_FAILURE, DUPLICATE, NO_SUCH_INSTANCE = 0x0110, 0x0111, 0x0112
INVALID_INSTANCE, NOT_AUTHORISED, RESOURCE_LIMITATION = 0x0117, 0x0124, 0x0213
# "Performed Procedure Step Object may no longer be updated" (PS3.4 table F.7.2-2).
NO_LONGER = 0xA506
_FAULTS = {"missing": MISSING, "empty": EMPTY, "wrong": INVALID_VALUE}
Answer = tuple[int | Dataset, Dataset | None]


def answered(work: Callable[[Context, Any], Answer]) -> Callable[[Context, Any], Answer]:
    """Turn the refusals of a handler into the statuses of PS3.7 C and PS3.4 F.7.2."""

    def handle(context: Context, event: Any) -> Answer:
        try:
            return work(context, event)
        except Exception as error:  # noqa: BLE001  the peer must get an answer, whatever broke here
            return status_of(error), None

    return handle


def status_of(error: Exception) -> Dataset:
    """Return the status of a refusal."""
    match error:
        case orders.UnusableStep() | BadAttribute():
            return status(_FAULTS[error.fault], str(error))
        case orders.AlreadyEnded():
            comment = "Performed Procedure Step Object may no longer be updated"
            return status(PROCESSING_FAILURE, comment, error_id=NO_LONGER)
        case orders.AlreadyBegun():
            return status(DUPLICATE, "The performed procedure step is known already.")
        case orders.PerformedNotHeld():
            return status(NO_SUCH_INSTANCE, "No such performed procedure step is known.")
        case orders.UnusableOrder():
            return status(INVALID_INSTANCE, "The SOP Instance UID is no UID.")
        case NotReadable():
            return status(INVALID_VALUE, str(error))
        case Forbidden():
            return status(NOT_AUTHORISED, "Not permitted; an administrator must grant it.")
        case Unavailable():
            return status(RESOURCE_LIMITATION, str(error))
    log.error("message not handled", error=type(error).__name__)
    return status(PROCESSING_FAILURE, "Something broke on our side; it has been logged.")


@answered
def _create(context: Context, event: Any) -> Answer:
    """Begin a performed procedure step (PS3.4 F.7.2.1)."""
    request = event.request
    given = request.AffectedSOPInstanceUID
    uid = str(given or _new_uid())
    attributes = read_message(request.AttributeList, event.context.transfer_syntax)
    person = person_behind(event)
    with context.store.database.transaction() as db:
        orders.begin_step(db, uid, attributes, source=person.name, by=person)
    reply = Dataset()
    if not given:
        reply.AffectedSOPInstanceUID = uid
    return SUCCESS, reply


@answered
def _set(context: Context, event: Any) -> Answer:
    """Change or end a performed procedure step (PS3.4 F.7.2.2)."""
    request = event.request
    changes = read_message(request.ModificationList, event.context.transfer_syntax)
    context.spool.flush()  # whether all that was made is held is asked of the index
    with context.store.database.transaction() as db:
        orders.change_step(db, str(request.RequestedSOPInstanceUID), changes, by=person_behind(event))
    return SUCCESS, None


@answered
def _get(context: Context, event: Any) -> Answer:
    """Give back what was said of a performed procedure step (PS3.4 F.8.2.1)."""
    request = event.request
    uid = str(request.RequestedSOPInstanceUID)
    with context.store.database.reading() as db:
        held = orders.performed_attributes(db, uid, by=person_behind(event))
    asked = request.AttributeIdentifierList
    if asked is not None:
        tags = {f"{int(tag):08X}" for tag in (asked if isinstance(asked, list) else [asked])}
        held = {tag: element for tag, element in held.items() if tag in tags}
    return SUCCESS, build_dataset(held)


def _new_uid() -> UID:
    return UID(f"2.25.{uuid4().int}")


SERVICES: tuple[Service, ...] = (
    Service(
        name="Modality Performed Procedure Step",
        sop_classes=(PERFORMED_STEP,),
        role="scp",
        right="mpps",
        handlers={evt.EVT_N_CREATE: _create, evt.EVT_N_SET: _set},
    ),
    Service(
        name="Modality Performed Procedure Step Retrieve",
        sop_classes=(PERFORMED_STEP_RETRIEVE,),
        role="scp",
        right="mpps",
        handlers={evt.EVT_N_GET: _get},
    ),
)
