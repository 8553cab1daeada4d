"""The table of plans, one row a version; the only SQL of this domain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, Row, String, Table, insert, select, update

from sightline.care.response._model import Plan
from sightline.runtime.db import Db, Instant, Json, metadata

plans = Table(
    "response_plans",
    metadata,
    # Rows are never changed: a version is the one before it changed, `back` the one that undo leads to.
    Column("patient", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("back", Integer, nullable=False),
    Column("baseline", String(64), index=True),
    Column("plan", Json),
    Column("changed_by", String(64), nullable=False),
    Column("changed_by_name", String(128), nullable=False),
    Column("changed_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Version:
    """A plan as kept: no plan where everything was taken back; `back` is 0 where there is nothing before."""

    version: int
    back: int
    plan: Plan | None
    by: str
    by_name: str
    at: datetime


def newest(db: Db, patient: str) -> Version | None:
    """Return the version that stands, None where nothing was ever kept."""
    p = plans.c
    wanted = select(plans).where(p.patient == patient).order_by(p.version.desc()).limit(1)
    row = db.execute(wanted).one_or_none()
    return _version(row) if row else None


def get(db: Db, patient: str, version: int) -> Version | None:
    """Return one version."""
    p = plans.c
    row = db.execute(select(plans).where(p.patient == patient, p.version == version)).one_or_none()
    return _version(row) if row else None


def add(db: Db, patient: str, version: Version) -> None:
    """Append a version; another of the same number is refused by the database."""
    plan = version.plan
    db.execute(
        insert(plans).values(
            patient=patient,
            version=version.version,
            back=version.back,
            baseline=plan.points[0].id if plan and plan.points else None,
            plan=plan.model_dump(mode="json") if plan else None,
            changed_by=version.by,
            changed_by_name=version.by_name,
            changed_at=version.at,
        )
    )


def follow_patient(db: Db, study_uid: str, patient: str) -> list[str]:
    """Give plans whose baseline is a study to the patient whose it is now; return whose they were.

    A patient who has a plan keeps it, and the other stays where it is.
    """
    p = plans.c
    owners = list(
        db.scalars(select(p.patient).where(p.baseline == study_uid, p.patient != patient).distinct())
    )
    moved = []
    for owner in owners:
        standing = newest(db, owner)
        points = standing.plan.points if standing and standing.plan else ()
        if points and points[0].id == study_uid and newest(db, patient) is None:
            db.execute(update(plans).where(p.patient == owner).values(patient=patient))
            moved.append(owner)
    return moved


def _version(row: Row[Any]) -> Version:
    plan = Plan.model_validate(row.plan) if row.plan is not None else None
    return Version(row.version, row.back, plan, row.changed_by, row.changed_by_name, row.changed_at)
