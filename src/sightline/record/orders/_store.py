"""Tables of orders, their steps and what was performed; the only SQL of this domain.

What a modality asks for is a range of one index: the steps on offer by station, by modality, by date, or
those of one patient. A name is searched in each of its groups (alphabetic, ideographic, phonetic) apart.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from sightline.kernel.codes import Code
from sightline.record import archive
from sightline.record.orders._model import (
    OFFERED,
    Attributes,
    Order,
    OrderQuery,
    Performed,
    Precautions,
    Priority,
    Procedure,
    Progress,
    Status,
    Step,
    Subject,
)
from sightline.runtime.db import Db, Instant, Json, metadata

# Prefixes are found by a range, which on PostgreSQL needs byte order.
Searched = Text().with_variant(Text(collation="C"), "postgresql")

orders = Table(
    "orders",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("accession", String(16), nullable=False, index=True),
    Column("accession_issuer", String(64), nullable=False),
    Column("study_uid", String(64), nullable=False, unique=True),
    Column("patient_id", Text, nullable=False, index=True),
    Column("patient_issuer", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("birth_date", String(8), nullable=False),
    Column("sex", String(1), nullable=False),
    Column("procedure_id", String(16), nullable=False),
    Column("procedure", Text, nullable=False),
    Column("procedure_code", Json),
    Column("referring", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("priority", String(16), nullable=False),
    Column("indication", Text, nullable=False),
    Column("precautions", Json, nullable=False),
    Column("admission_id", Text, nullable=False),
    Column("placer_number", Text, nullable=False),
    Column("filler_number", Text, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("first_date", String(8), nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("entered_by", String(128), nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("accession_issuer", "accession"),
)
Index("ix_orders_newest", orders.c.entered_at.desc(), orders.c.id.desc())
Index("ix_orders_status_newest", orders.c.status, orders.c.entered_at.desc(), orders.c.id.desc())

names = Table(
    "order_names",
    metadata,
    Column("order", String(32), ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("norm", Searched, nullable=False, index=True),
)

steps = Table(
    "order_steps",
    metadata,
    Column("order", String(32), ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("id", String(16), nullable=False, index=True),
    Column("modality", String(16), nullable=False),
    Column("station_ae", String(16), nullable=False),
    Column("station_name", String(16), nullable=False),
    Column("location", String(16), nullable=False),
    Column("description", Text, nullable=False),
    Column("protocol", Json),
    Column("performer", Text, nullable=False),
    Column("date", String(8), nullable=False),
    Column("time", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    # Whether a modality may still be offered it: kept, so that the indices hold what is on offer together.
    Column("offered", Boolean, nullable=False),
    UniqueConstraint("order", "id"),
)
_IN_ORDER = (steps.c.date, steps.c.time, steps.c.order, steps.c.number)
Index("ix_order_steps_offered", steps.c.offered, *_IN_ORDER)
Index("ix_order_steps_station", steps.c.offered, steps.c.station_ae, *_IN_ORDER)
Index("ix_order_steps_modality", steps.c.offered, steps.c.modality, *_IN_ORDER)

performed = Table(
    "performed_steps",
    metadata,
    Column("uid", String(64), primary_key=True),
    Column("study_uid", String(64), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    # Ended because the wrong row of the worklist had been chosen: it counts for no step.
    Column("mistaken", Boolean, nullable=False),
    Column("station_ae", String(16), nullable=False),
    Column("modality", String(16), nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("ended_at", String(32), nullable=False),
    Column("series", Integer, nullable=False),
    Column("images", Integer, nullable=False),
    Column("source", String(64), nullable=False),
    Column("attributes_gz", LargeBinary, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

fulfils = Table(
    "performed_for",
    metadata,
    Column("performed", String(64), ForeignKey("performed_steps.uid"), primary_key=True),
    Column("order", String(32), ForeignKey("orders.id"), primary_key=True, index=True),
    Column("step", Integer, primary_key=True),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a modality asks for, as far as an index can answer it; empty fields ask nothing."""

    statuses: tuple[Status, ...] = OFFERED
    stations: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    patient_ids: tuple[str, ...] = ()
    accessions: tuple[str, ...] = ()
    study_uids: tuple[str, ...] = ()
    step_ids: tuple[str, ...] = ()
    name_prefix: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A performed step as it is kept: what is shown of it, whether it counts, and all that was said."""

    shown: Performed
    mistaken: bool
    attributes: Attributes


def add(db: Db, order: Order) -> None:
    """Write a new order with its steps; `IntegrityError` when another took its number or UID meanwhile."""
    db.execute(insert(orders).values(id=order.id, **_to_row(order)))
    _write_names(db, order)
    _write_steps(db, order)


def save(db: Db, order: Order) -> None:
    """Write what has changed of an order and its steps."""
    db.execute(update(orders).where(orders.c.id == order.id).values(**_to_row(order)))
    for table in (names, steps):
        db.execute(delete(table).where(table.c.order == order.id))
    _write_names(db, order)
    _write_steps(db, order)


def set_statuses(db: Db, order: Order, at: datetime) -> None:
    """Write how an order and its steps stand, and nothing else."""
    for number, step in enumerate(order.steps):
        which = (steps.c.order == order.id) & (steps.c.number == number)
        db.execute(
            update(steps).where(which).values(status=step.status.value, offered=step.status in OFFERED)
        )
    db.execute(update(orders).where(orders.c.id == order.id).values(status=order.status.value, changed_at=at))


def get(db: Db, order_id: str, *, lock: bool = False) -> Order | None:
    """Return an order, or None; `lock` keeps other writers out until the transaction ends."""
    wanted = select(orders).where(orders.c.id == order_id)
    row = db.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return _assemble(db, [row])[0] if row else None


def ids_where(db: Db, *, study_uid: str = "", accession: str = "", step_id: str = "") -> list[str]:
    """Return the orders of a study UID, an accession number or a step id."""
    if step_id:
        return list(db.scalars(select(steps.c.order).where(steps.c.id == step_id).limit(3)))
    column, value = (orders.c.study_uid, study_uid) if study_uid else (orders.c.accession, accession)
    return list(db.scalars(select(orders.c.id).where(column == value).limit(3))) if value else []


def is_taken(db: Db, *, issuer: str, accession: str) -> bool:
    """Say whether an order of the issuer has this accession number."""
    o = orders.c
    wanted = select(o.id).where(o.accession_issuer == issuer, o.accession == accession)
    return db.scalar(wanted.limit(1)) is not None


def find(
    db: Db, query: OrderQuery, *, limit: int, after: tuple[datetime, str] | None
) -> tuple[list[Order], bool]:
    """Return one page of orders, newest first, and whether more remain."""
    o = orders.c
    wanted = select(orders).where(*_conditions(query))
    if after:
        wanted = wanted.where(tuple_(o.entered_at, o.id) < tuple_(*after))
    rows = db.execute(wanted.order_by(o.entered_at.desc(), o.id.desc()).limit(limit + 1)).all()
    return _assemble(db, rows[:limit]), len(rows) > limit


def of_studies(db: Db, study_uids: Sequence[str]) -> list[Order]:
    """Return the orders of some studies: one query for all."""
    if not study_uids:
        return []
    return _assemble(db, db.execute(select(orders).where(orders.c.study_uid.in_(study_uids))).all())


def indications_of(db: Db, study_uids: Sequence[str]) -> dict[str, str]:
    """Return why each of some studies was ordered, where that was said."""
    o = orders.c
    wanted = select(o.study_uid, o.indication).where(o.study_uid.in_(study_uids), o.indication != "")
    return {row.study_uid: row.indication for row in db.execute(wanted)} if study_uids else {}


def offered(
    db: Db, wanted: Wanted, *, limit: int, after: tuple[str, str, str, int] | None
) -> tuple[list[tuple[Order, Step]], tuple[str, str, str, int] | None]:
    """Return a page of steps with their orders, in the order of their time, and where the next one begins."""
    s = steps.c
    found = select(s.date, s.time, s.order, s.number).where(*_step_conditions(wanted))
    if after:
        found = found.where(tuple_(*_IN_ORDER) > tuple_(*after))
    rows = db.execute(found.order_by(*_IN_ORDER).limit(limit)).all()
    by_id = {
        order.id: order
        for order in _assemble(
            db, db.execute(select(orders).where(orders.c.id.in_({row.order for row in rows}))).all()
        )
    }
    pairs = [(by_id[row.order], by_id[row.order].steps[row.number]) for row in rows]
    last = rows[-1] if len(rows) == limit else None
    return pairs, (last.date, last.time, last.order, last.number) if last else None


def add_performed(
    db: Db, record: Record, *, source: str, at: datetime, for_steps: Sequence[tuple[str, int]]
) -> None:
    """Write a performed step as it begins, and which scheduled steps it is for."""
    db.execute(
        insert(performed).values(
            uid=record.shown.uid, source=source, begun_at=at, changed_at=at, **_performed_row(record)
        )
    )
    for order_id, number in for_steps:
        db.execute(insert(fulfils).values(performed=record.shown.uid, order=order_id, step=number))


def save_performed(db: Db, record: Record, at: datetime) -> None:
    """Write what has changed of a performed step."""
    which = performed.c.uid == record.shown.uid
    db.execute(update(performed).where(which).values(changed_at=at, **_performed_row(record)))


def get_performed(db: Db, uid: str, *, lock: bool = False) -> Record | None:
    """Return a performed step, or None."""
    wanted = select(performed).where(performed.c.uid == uid)
    row = db.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return _record(row) if row else None


def performed_of_study(db: Db, study_uid: str) -> list[Record]:
    """Return everything that modalities said of a study."""
    return [_record(row) for row in db.execute(select(performed).where(performed.c.study_uid == study_uid))]


def fulfilled_by(db: Db, uid: str) -> list[tuple[str, int]]:
    """Return order and number of the steps that a performed step is for."""
    wanted = select(fulfils.c.order, fulfils.c.step).where(fulfils.c.performed == uid)
    return [(row.order, row.step) for row in db.execute(wanted.order_by(fulfils.c.order, fulfils.c.step))]


def progress_of(db: Db, order_id: str) -> dict[int, list[tuple[Progress, bool]]]:
    """Return, for each step of an order, how what was performed for it stands and whether it was mistaken."""
    found: dict[int, list[tuple[Progress, bool]]] = {}
    wanted = (
        select(fulfils.c.step, performed.c.status, performed.c.mistaken)
        .join(performed, performed.c.uid == fulfils.c.performed)
        .where(fulfils.c.order == order_id)
    )
    for row in db.execute(wanted):
        found.setdefault(row.step, []).append((Progress(row.status), row.mistaken))
    return found


def _conditions(query: OrderQuery) -> list[ColumnElement[bool]]:
    o = orders.c
    asked: list[ColumnElement[bool]] = []
    if query.status == "open":
        ended = (Status.COMPLETED, Status.DISCONTINUED, Status.CANCELLED)
        asked.append(o.status.not_in([status.value for status in ended]))
    elif query.status:
        asked.append(o.status == query.status)
    if query.study_uid:
        asked.append(o.study_uid == query.study_uid)
    if query.modality:
        asked.append(o.id.in_(select(steps.c.order).where(steps.c.modality == query.modality)))
    if query.since:
        asked.append(o.first_date >= query.since)
    if query.until:
        asked.append(o.first_date <= query.until)
    if query.text:
        named = select(names.c.order).where(*_starts_with(archive.normalise_name(query.text)))
        asked.append(or_(o.patient_id == query.text, o.accession == query.text, o.id.in_(named)))
    return asked


def _step_conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    s = steps.c
    asked: list[ColumnElement[bool]] = []
    if wanted.statuses == OFFERED:
        asked.append(s.offered.is_(True))
    else:
        asked.append(s.status.in_([status.value for status in wanted.statuses]))
    for column, values in (
        (s.station_ae, wanted.stations),
        (s.modality, wanted.modalities),
        (s.id, wanted.step_ids),
    ):
        if values:
            asked.append(column.in_(values))
    if wanted.since:
        asked.append(s.date >= wanted.since)
    if wanted.until:
        asked.append(s.date <= wanted.until)
    for column, values in (
        (orders.c.patient_id, wanted.patient_ids),
        (orders.c.accession, wanted.accessions),
        (orders.c.study_uid, wanted.study_uids),
    ):
        if values:
            asked.append(s.order.in_(select(orders.c.id).where(column.in_(values))))
    if wanted.name_prefix:
        asked.append(s.order.in_(select(names.c.order).where(*_starts_with(wanted.name_prefix))))
    return asked


def _starts_with(prefix: str) -> list[ColumnElement[bool]]:
    """Return the range of names that begin with `prefix`: an index answers it on both databases."""
    return [names.c.norm >= prefix, names.c.norm < prefix + "\U0010ffff"]


def _write_names(db: Db, order: Order) -> None:
    parts = [archive.normalise_name(part) for part in order.subject.name.split("=")[:3]]
    for part, norm in enumerate(parts):
        if norm:
            db.execute(insert(names).values(order=order.id, part=part, norm=norm))


def _write_steps(db: Db, order: Order) -> None:
    rows = []
    for number, step in enumerate(order.steps):
        row = {name: getattr(step, name) for name in _STEP}
        row |= {
            "order": order.id,
            "number": number,
            "protocol": asdict(step.protocol) if step.protocol else None,
            "status": step.status.value,
            "offered": step.status in OFFERED,
        }
        rows.append(row)
    db.execute(insert(steps), rows)


_STEP = (
    "id",
    "modality",
    "station_ae",
    "station_name",
    "location",
    "description",
    "performer",
    "date",
    "time",
)
_PLAIN = (
    "accession", "accession_issuer", "study_uid", "referring", "requester", "indication", "admission_id",
    "placer_number", "filler_number", "origin", "entered_at", "entered_by", "changed_at",
)  # fmt: skip


def _to_row(order: Order) -> dict[str, Any]:
    subject, procedure = order.subject, order.procedure
    return {name: getattr(order, name) for name in _PLAIN} | {
        "patient_id": subject.patient_id,
        "patient_issuer": subject.issuer,
        "name": subject.name,
        "birth_date": subject.birth_date,
        "sex": subject.sex,
        "procedure_id": procedure.id,
        "procedure": procedure.description,
        "procedure_code": asdict(procedure.code) if procedure.code else None,
        "priority": order.priority.value,
        "precautions": asdict(order.precautions),
        "status": order.status.value,
        "first_date": min(step.date for step in order.steps),
    }


def _assemble(db: Db, rows: Sequence[Row[Any]]) -> list[Order]:
    """Return whole orders: one query for all their steps, two for all that was performed."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    scheduled: dict[str, list[Step]] = {}
    for row in db.execute(
        select(steps).where(steps.c.order.in_(ids)).order_by(steps.c.order, steps.c.number)
    ):
        scheduled.setdefault(row.order, []).append(_step(row))
    done: dict[str, dict[str, tuple[Row[Any], list[int]]]] = {}
    wanted = (
        select(fulfils.c.order, fulfils.c.step, *_SHOWN)
        .join(performed, performed.c.uid == fulfils.c.performed)
        .where(fulfils.c.order.in_(ids))
        .order_by(performed.c.begun_at, performed.c.uid)
    )
    for row in db.execute(wanted):
        done.setdefault(row.order, {}).setdefault(row.uid, (row, []))[1].append(row.step)
    return [_order(row, tuple(scheduled[row.id]), done.get(row.id, {})) for row in rows]


_SHOWN = [
    performed.c[name]
    for name in (
        "uid",
        "study_uid",
        "status",
        "station_ae",
        "modality",
        "started_at",
        "ended_at",
        "series",
        "images",
    )
]


def _order(row: Row[Any], planned: tuple[Step, ...], done: dict[str, tuple[Row[Any], list[int]]]) -> Order:
    return Order(
        id=row.id,
        subject=Subject(row.patient_id, row.name, row.patient_issuer, row.birth_date, row.sex),
        procedure=Procedure(row.procedure_id, row.procedure, _code(row.procedure_code)),
        steps=planned,
        priority=Priority(row.priority),
        precautions=Precautions(**row.precautions),
        status=Status(row.status),
        performed=tuple(
            _performed(said, row.id, tuple(planned[n].id for n in numbers)) for said, numbers in done.values()
        ),
        **{name: getattr(row, name) for name in _PLAIN},
    )


def _step(row: Row[Any]) -> Step:
    return Step(
        **{name: getattr(row, name) for name in _STEP},
        protocol=_code(row.protocol),
        status=Status(row.status),
    )


def _code(value: dict[str, str] | None) -> Code | None:
    return Code(**value) if value else None


def _performed(row: Row[Any], order_id: str | None = None, step_ids: tuple[str, ...] = ()) -> Performed:
    return Performed(
        uid=row.uid,
        study_uid=row.study_uid,
        status=Progress(row.status),
        station_ae=row.station_ae,
        modality=row.modality,
        started_at=row.started_at,
        ended_at=row.ended_at,
        series=row.series,
        images=row.images,
        order=order_id,
        steps=step_ids,
    )


def _performed_row(record: Record) -> dict[str, Any]:
    shown = record.shown
    names_ = ("study_uid", "station_ae", "modality", "started_at", "ended_at", "series", "images")
    return {name: getattr(shown, name) for name in names_} | {
        "status": shown.status.value,
        "mistaken": record.mistaken,
        "attributes_gz": zlib.compress(json.dumps(record.attributes, separators=(",", ":")).encode(), 6),
    }


def _record(row: Row[Any]) -> Record:
    return Record(_performed(row), row.mistaken, json.loads(zlib.decompress(row.attributes_gz)))
