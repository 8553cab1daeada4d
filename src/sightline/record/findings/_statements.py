"""The table of what persons said of lesions over time; the only SQL of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Row, String, Table, insert, select, update

from sightline.record.findings._identity import Identity, Statement
from sightline.runtime.db import Db, Instant, Json, metadata

statements = Table(
    "lesion_statements",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("patient", String(32), nullable=False, index=True),
    Column("identity", String(16), nullable=False),
    Column("earlier", Json, nullable=False),
    Column("later", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(64), nullable=False),
    Column("by_name", String(128), nullable=False),
    Column("replaced_by", String(32)),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", String(64)),
)


def add(db: Db, statement: Statement, replaced: Sequence[Statement]) -> None:
    """Write a statement, and which standing ones it takes the place of."""
    row = {name: getattr(statement, name) for name in ("id", "patient", "at", "by", "by_name")}
    sides = {"earlier": list(statement.earlier), "later": list(statement.later)}
    db.execute(insert(statements).values(**row, **sides, identity=statement.identity.value))
    gone = [s.id for s in replaced]
    db.execute(update(statements).where(statements.c.id.in_(gone)).values(replaced_by=statement.id))


def withdraw(db: Db, statement_id: str, *, by: str, at: datetime) -> None:
    """Take a statement back; those that it had taken the place of stand again."""
    s = statements.c
    db.execute(update(statements).where(s.id == statement_id).values(withdrawn_at=at, withdrawn_by=by))
    db.execute(update(statements).where(s.replaced_by == statement_id).values(replaced_by=None))


def standing(db: Db, patient: str) -> list[Statement]:
    """Return what stands of a patient's lesions, oldest first."""
    s = statements.c
    wanted = select(statements).where(s.patient == patient, s.withdrawn_at.is_(None), s.replaced_by.is_(None))
    return [_from_row(row) for row in db.execute(wanted.order_by(s.at, s.id))]


def get(db: Db, statement_id: str) -> Statement | None:
    """Return a statement that stands, or None."""
    s = statements.c
    wanted = select(statements).where(s.id == statement_id, s.withdrawn_at.is_(None), s.replaced_by.is_(None))
    row = db.execute(wanted).one_or_none()
    return _from_row(row) if row else None


def give_to(db: Db, statement_ids: Sequence[str], patient: str) -> None:
    """Give statements to the patient whose they are now."""
    db.execute(update(statements).where(statements.c.id.in_(statement_ids)).values(patient=patient))


def _from_row(row: Row[Any]) -> Statement:
    return Statement(
        id=row.id,
        patient=row.patient,
        identity=Identity(row.identity),
        earlier=tuple(row.earlier),
        later=tuple(row.later),
        at=row.at,
        by=row.by,
        by_name=row.by_name,
    )
