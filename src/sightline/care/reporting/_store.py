"""The table of reports; the only SQL of this domain."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Integer, Row, String, Table, insert, select, update

from sightline.care.reporting._model import Basis, Report, ReportObject, ReportState, Section, Sentence
from sightline.kernel import clock
from sightline.runtime.db import Db, Instant, Json, metadata

reports = Table(
    "reports",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("study_uid", String(64), nullable=False, unique=True),
    Column("patient", String(32), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("sections", Json, nullable=False),
    Column("removed", Json, nullable=False),
    Column("signed_by", String(64)),
    Column("signed_by_name", String(128)),
    Column("signed_at", Instant),
    Column("objects", Json, nullable=False),
    Column("objects_state", String(16), nullable=False),
    Column("updated_at", Instant, nullable=False),
)

_PLAIN = "id study_uid patient version signed_by signed_by_name signed_at objects_state".split()


def of_study(db: Db, study_uid: str, *, lock: bool = False) -> Report | None:
    """Return the report of a study as last written."""
    wanted = select(reports).where(reports.c.study_uid == study_uid)
    row = db.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return _from_row(row) if row else None


def get(db: Db, report_id: str) -> Report | None:
    """Return a report by its id."""
    row = db.execute(select(reports).where(reports.c.id == report_id)).one_or_none()
    return _from_row(row) if row else None


def signed_of_patient(db: Db, patient: str, limit: int) -> list[Report]:
    """Return the signed reports of a patient, newest first."""
    wanted = select(reports).where(reports.c.patient == patient, reports.c.state == ReportState.SIGNED.value)
    return [_from_row(row) for row in db.execute(wanted.order_by(reports.c.signed_at.desc()).limit(limit))]


def follow_patient(db: Db, study_uid: str, patient: str) -> None:
    """Give the report of a study to the patient whose it is now."""
    db.execute(update(reports).where(reports.c.study_uid == study_uid).values(patient=patient))


def put(db: Db, report: Report) -> None:
    """Write a report."""
    row = {name: getattr(report, name) for name in _PLAIN}
    row |= {
        "state": report.state.value,
        "sections": [asdict(section) for section in report.sections],
        "removed": sorted(report.removed),
        "objects": [asdict(item) for item in report.objects],
        "updated_at": clock.now(),
    }
    known = db.execute(update(reports).where(reports.c.id == report.id).values(**row))
    if not known.rowcount:
        db.execute(insert(reports).values(**row))


def _from_row(row: Row[Any]) -> Report:
    return Report(
        **{name: getattr(row, name) for name in _PLAIN},
        state=ReportState(row.state),
        sections=tuple(_section(item) for item in row.sections),
        removed=frozenset(row.removed),
        objects=tuple(ReportObject(**item) for item in row.objects),
    )


def _section(item: dict[str, Any]) -> Section:
    sentences = tuple(
        Sentence(s["id"], s["text"], s["drafted"], tuple(Basis(**basis) for basis in s["sources"]))
        for s in item["sentences"]
    )
    return Section(item["name"], sentences)
