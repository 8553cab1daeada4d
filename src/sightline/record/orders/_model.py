"""An order, its scheduled steps and what was performed: frozen values and the rules of their states."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from sightline.kernel.codes import Code
from sightline.kernel.dates import parse_date
from sightline.kernel.errors import Conflict, Invalid, NotFound


class OrderNotHeld(NotFound):
    """There is no order of this id."""


class StepNotHeld(NotFound):
    """The order has no scheduled step of this id."""


class PerformedNotHeld(NotFound):
    """There is no performed procedure step of this UID."""


class AccessionTaken(Conflict):
    """Another order of the same issuer has this accession number; leave it out to be given a new one."""


class StudyTaken(Conflict):
    """Another order has this Study Instance UID; leave it out to be given a new one."""


class OrderEnded(Conflict):
    """The order is completed, discontinued or cancelled; enter a new one instead."""


class StepUnderWay(Conflict):
    """A step of the order was begun at the modality; it ends there."""


class AlreadyBegun(Conflict):
    """A performed procedure step of this UID is known already."""


class AlreadyEnded(Conflict):
    """The performed procedure step is completed or discontinued and may no longer be changed."""


class UnusableOrder(Invalid):
    """A value cannot stand in an order; the message names it and says what it may be."""


class UnusableStep(Invalid):
    """An attribute of a performed procedure step is missing, empty or wrong.

    `fault` says which: missing, empty or wrong; `tag` names the attribute.
    """

    def __init__(self, fault: str, tag: str, message: str) -> None:
        super().__init__(message, tag=tag)
        self.fault, self.tag = fault, tag


class Status(StrEnum):
    """How an order or one of its steps stands."""

    SCHEDULED = "scheduled"
    ARRIVED = "arrived"
    STARTED = "started"
    COMPLETED = "completed"
    DISCONTINUED = "discontinued"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Say whether nothing more will happen."""
        return self in ENDED


ENDED = frozenset({Status.COMPLETED, Status.DISCONTINUED, Status.CANCELLED})
# What a modality is offered: nothing that was begun, ended or cancelled.
OFFERED = (Status.SCHEDULED, Status.ARRIVED)

# What a person may make of a step; the modality's own word is `Performed`.
BY_HAND: Mapping[Status, frozenset[Status]] = {
    Status.SCHEDULED: frozenset({Status.ARRIVED, Status.STARTED, Status.CANCELLED}),
    Status.ARRIVED: frozenset({Status.SCHEDULED, Status.STARTED, Status.CANCELLED}),
    Status.STARTED: frozenset({Status.COMPLETED, Status.DISCONTINUED}),
    Status.COMPLETED: frozenset(),
    Status.DISCONTINUED: frozenset(),
    Status.CANCELLED: frozenset(),
}


class Progress(StrEnum):
    """How a performed procedure step stands: the words of (0040,0252)."""

    UNDER_WAY = "in progress"
    COMPLETED = "completed"
    DISCONTINUED = "discontinued"

    @property
    def final(self) -> bool:
        """Say whether it may no longer be changed."""
        return self is not Progress.UNDER_WAY


class Priority(StrEnum):
    """How soon it is wanted: the words of (0040,1003)."""

    STAT = "stat"
    HIGH = "high"
    ROUTINE = "routine"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the order is for, as whoever ordered names them; `name` is a DICOM person name."""

    patient_id: str
    name: str
    issuer: str = ""
    birth_date: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True)
class Precautions:
    """What the people at the scanner must know of the patient beforehand."""

    weight_kg: float | None = None
    allergies: str = ""
    alerts: str = ""
    pregnancy: str = ""
    special_needs: str = ""


@dataclass(frozen=True, slots=True)
class Procedure:
    """The requested procedure."""

    id: str
    description: str
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One scheduled procedure step; `id` is what the modality sends back (0040,0009).

    `date` and `time` are YYYYMMDD and HHMMSS by the clock on the wall of the site, as the modality has it.
    """

    id: str
    modality: str
    station_ae: str
    date: str
    time: str
    station_name: str = ""
    location: str = ""
    description: str = ""
    protocol: Code | None = None
    performer: str = ""
    status: Status = Status.SCHEDULED


@dataclass(frozen=True, slots=True)
class Performed:
    """What a modality said it did (MPPS); moments are DICOM date and time as it wrote them."""

    uid: str
    study_uid: str
    status: Progress
    station_ae: str
    modality: str
    started_at: str
    ended_at: str
    series: int
    images: int
    order: str | None = None
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """One request for imaging."""

    id: str
    accession: str
    accession_issuer: str
    subject: Subject
    procedure: Procedure
    study_uid: str
    steps: tuple[Step, ...]
    referring: str = ""
    requester: str = ""
    priority: Priority = Priority.ROUTINE
    indication: str = ""
    precautions: Precautions = field(default_factory=Precautions)
    admission_id: str = ""
    placer_number: str = ""
    filler_number: str = ""
    origin: str = "api"
    status: Status = Status.SCHEDULED
    entered_at: datetime | None = None
    entered_by: str = ""
    changed_at: datetime | None = None
    performed: tuple[Performed, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """What is asked of orders; empty fields ask nothing."""

    text: str = ""
    status: str = ""
    modality: str = ""
    study_uid: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of orders, newest first; `next` goes into `after`."""

    items: tuple[Order, ...]
    next: str | None = None


Attributes: TypeAlias = dict[str, Any]
"""A dataset in DICOM JSON (PS3.18 F)."""


def status_of(steps: Iterable[Status]) -> Status:
    """Return how an order stands, which follows from its steps.

    >>> status_of([Status.COMPLETED, Status.SCHEDULED])
    <Status.STARTED: 'started'>
    >>> status_of([Status.COMPLETED, Status.CANCELLED])
    <Status.COMPLETED: 'completed'>
    """
    held = set(steps)
    alive = held - {Status.CANCELLED}
    if not alive:
        return Status.CANCELLED
    if alive <= ENDED:
        return Status.COMPLETED if Status.COMPLETED in alive else Status.DISCONTINUED
    if alive & {Status.STARTED, Status.COMPLETED, Status.DISCONTINUED}:
        return Status.STARTED
    return Status.ARRIVED if Status.ARRIVED in alive else Status.SCHEDULED


def step_status(before: Status, performed: Sequence[tuple[Progress, bool]]) -> Status:
    """Return how a step stands after what modalities said about it.

    `performed` holds the state of each performed step for it and whether that one was ended as a wrong choice
    from the worklist: such a one counts for nothing, and the step is offered again.

    >>> step_status(Status.STARTED, [(Progress.DISCONTINUED, True)])
    <Status.SCHEDULED: 'scheduled'>
    """
    states = {state for state, mistaken in performed if not mistaken}
    if Progress.UNDER_WAY in states:
        return Status.STARTED
    if Progress.COMPLETED in states:
        return Status.COMPLETED
    if Progress.DISCONTINUED in states:
        return Status.DISCONTINUED
    return Status.SCHEDULED if performed and before is Status.STARTED else before


_MODALITY = re.compile(r"[A-Z0-9_]{1,16}")
_UID = re.compile(r"(?=.{1,64}$)(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)?([0-5]\d)?(\.\d{1,6})?")
# Most characters of each text, by its value representation (PS3.5 6.2).
_LONGEST = {
    "accession": 16,
    "patient ID": 64,
    "issuer": 64,
    "requested procedure ID": 16,
    "requested procedure": 64,
    "step ID": 16,
    "station AE title": 16,
    "station name": 16,
    "location": 16,
    "step description": 64,
    "referring physician": 324,
    "requesting physician": 324,
    "performing physician": 324,
    "patient name": 324,
    "indication": 10240,
    "allergies": 64,
    "alerts": 64,
    "special needs": 64,
    "admission ID": 64,
    "placer order number": 64,
    "filler order number": 64,
}
MOST_STEPS = 50


def is_uid(text: str) -> bool:
    """Say whether a text is a DICOM UID (PS3.5 9.1)."""
    return _UID.fullmatch(text) is not None


def is_time(text: str) -> bool:
    """Say whether a text is a time of day (TM)."""
    return _TIME.fullmatch(text) is not None


def check_order(order: Order) -> None:
    """Refuse an order that could not be offered to a modality.

    Raises
    ------
    UnusableOrder
        Names the field and what it may hold, never the value.
    """
    subject, procedure = order.subject, order.procedure
    _require("patient ID", subject.patient_id)
    _require("patient name", subject.name)
    _require("accession", order.accession)
    texts = {
        "issuer": subject.issuer,
        "requested procedure ID": procedure.id,
        "requested procedure": procedure.description,
        "referring physician": order.referring,
        "requesting physician": order.requester,
        "allergies": order.precautions.allergies,
        "alerts": order.precautions.alerts,
        "special needs": order.precautions.special_needs,
        "admission ID": order.admission_id,
        "placer order number": order.placer_number,
        "filler order number": order.filler_number,
    }
    for name, text in texts.items():
        _check_text(name, text)
    _check_text("indication", order.indication, lines=True)
    if subject.birth_date and not _is_date(subject.birth_date):
        raise UnusableOrder("The birth date must be YYYYMMDD, or empty.")
    if subject.sex not in ("", "M", "F", "O"):
        raise UnusableOrder("The sex must be M, F or O, or empty.")
    if not is_uid(order.study_uid):
        raise UnusableOrder("The Study Instance UID is no UID; leave it out to be given one.")
    if not 1 <= len(order.steps) <= MOST_STEPS:
        raise UnusableOrder(f"An order needs 1 to {MOST_STEPS} steps.")
    if len({step.id for step in order.steps}) != len(order.steps):
        raise UnusableOrder("Two steps have the same id; each needs its own.")
    for code in (procedure.code, *(step.protocol for step in order.steps)):
        _check_code(code)
    for step in order.steps:
        check_step(step)


def check_step(step: Step) -> None:
    """Refuse a step that could not be offered to a modality."""
    _require("step ID", step.id)
    if not _MODALITY.fullmatch(step.modality):
        raise UnusableOrder("The modality of a step must be a defined term such as CT or MR.")
    for name, text in (
        ("station AE title", step.station_ae),
        ("station name", step.station_name),
        ("location", step.location),
        ("step description", step.description),
        ("performing physician", step.performer),
    ):
        _check_text(name, text)
    if not _is_date(step.date) or not is_time(step.time):
        raise UnusableOrder("A step needs a date and a time at which it is to begin.")


def _is_date(text: str) -> bool:
    return len(text) == 8 and text.isdigit() and parse_date(text) is not None


def _require(name: str, text: str) -> None:
    if not text.strip():
        raise UnusableOrder(f"The {name} is missing.")
    _check_text(name, text)


def _check_text(name: str, text: str, *, lines: bool = False) -> None:
    """Refuse what a DICOM text of this kind cannot hold: too long, a backslash, a control character."""
    most = _LONGEST[name]
    allowed = "\n\r\t" if lines else ""
    if len(text) > most:
        raise UnusableOrder(f"The {name} may have {most} characters at most.")
    if "\\" in text or any(not c.isprintable() and c not in allowed for c in text):
        raise UnusableOrder(f"The {name} holds a backslash or a control character; leave it out.")


def _check_code(code: Code | None) -> None:
    if code is None:
        return
    if not code.value or len(code.value) > 16 or not code.scheme or len(code.scheme) > 16:
        raise UnusableOrder("A code needs a value and a scheme of 1 to 16 characters each.")
    if len(code.meaning) > 64 or any(
        "\\" in t or not t.isprintable() for t in (code.value, code.scheme, code.meaning)
    ):
        raise UnusableOrder(
            "The meaning of a code may have 64 characters, no backslash, no control character."
        )
