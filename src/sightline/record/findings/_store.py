"""Tables of findings and their decisions; the only SQL of this domain."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
    update,
)

from sightline.kernel.quantities import Quantity
from sightline.record.findings._model import (
    Finding,
    Outline,
    Sighting,
    Source,
    SourceKind,
    State,
    quantity_to_json,
)
from sightline.runtime.db import Db, Instant, Json, metadata

findings = Table(
    "findings",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("study_uid", String(64), nullable=False, index=True),
    Column("patient", String(32), nullable=False, index=True),
    Column("kind", String(64), nullable=False),
    Column("label", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("lesion", String(64), nullable=False, index=True),
    Column("source_kind", String(16), nullable=False),
    Column("source_name", String(128), nullable=False),
    Column("source_version", String(64), nullable=False),
    Column("run", String(64), nullable=False),
    Column("run_index", Integer, nullable=False),
    Column("inputs_sha256", String(64), nullable=False),
    Column("parameters_sha256", String(64), nullable=False),
    Column("series_uid", String(64), nullable=False),
    Column("sop_uid", String(64), nullable=False),
    Column("frame_of_reference_uid", String(64), nullable=False),
    Column("centre_lps_mm", Json, nullable=False),
    Column("values", Json, nullable=False),
    Column("proposed", Json, nullable=False),
    Column("why", Text, nullable=False),
    Column("laterality", String(1)),
    Column("score", Float),
    Column("mask_key", String(256)),
    Column("note", Text),
    Column("created_at", Instant, nullable=False),
    Column("decided_by", String(64)),
    Column("decided_by_name", String(128)),
    Column("decided_at", Instant),
    UniqueConstraint("run", "run_index"),
)

outlines = Table(
    "finding_outlines",
    metadata,
    Column("finding", String(32), ForeignKey("findings.id"), primary_key=True),
    Column("outline", Json, nullable=False),
)

decisions = Table(
    "finding_decisions",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("finding", String(32), ForeignKey("findings.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("by", String(64), nullable=False),
    Column("by_name", String(128), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("before", Json, nullable=False),
    Column("after", Json, nullable=False),
    Column("reason", Text),
)


def add(db: Db, finding: Finding, run_index: int, outline: Outline) -> None:
    """Write a new finding and its outline."""
    db.execute(insert(findings).values(**_to_row(finding), run_index=run_index))
    db.execute(insert(outlines).values(finding=finding.id, outline=asdict(outline)))


def follow_patient(db: Db, study_uid: str, patient: str) -> None:
    """Give the findings of a study to the patient whose it is now."""
    db.execute(update(findings).where(findings.c.study_uid == study_uid).values(patient=patient))


def save(db: Db, finding: Finding) -> None:
    """Write what a decision can change."""
    row = _to_row(finding)
    changing = ("label", "state", "values", "note", "decided_by", "decided_by_name", "decided_at")
    db.execute(
        update(findings).where(findings.c.id == finding.id).values({name: row[name] for name in changing})
    )


def move(db: Db, finding: Finding, outline: Outline) -> None:
    """Write where a finding lies now."""
    row = _to_row(finding)
    place = ("series_uid", "sop_uid", "frame_of_reference_uid", "centre_lps_mm")
    db.execute(
        update(findings).where(findings.c.id == finding.id).values({name: row[name] for name in place})
    )
    db.execute(update(outlines).where(outlines.c.finding == finding.id).values(outline=asdict(outline)))


def add_decision(db: Db, **facts: Any) -> None:
    """Append one decision; rows are never changed."""
    db.execute(insert(decisions).values(**facts))


def decisions_of(db: Db, finding_id: str) -> list[dict[str, Any]]:
    """Return every decision on a finding, oldest first."""
    rows = db.execute(select(decisions).where(decisions.c.finding == finding_id).order_by(decisions.c.seq))
    return [dict(row._mapping) for row in rows]


def get(db: Db, finding_id: str, *, lock: bool = False) -> Finding | None:
    """Return a finding, or None; `lock` keeps other deciders out until the transaction ends."""
    wanted = select(findings).where(findings.c.id == finding_id)
    row = db.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return _from_row(row) if row else None


def get_outline(db: Db, finding_id: str) -> dict[str, Any] | None:
    """Return the stored outline of a finding."""
    found: dict[str, Any] | None = db.scalar(
        select(outlines.c.outline).where(outlines.c.finding == finding_id)
    )
    return found


def of_studies(db: Db, study_uids: Sequence[str]) -> list[Finding]:
    """Return the current findings of some studies, by study and number."""
    wanted = (
        select(findings)
        .where(findings.c.study_uid.in_(study_uids), findings.c.state != State.SUPERSEDED)
        .order_by(findings.c.study_uid, findings.c.number)
    )
    return [_from_row(row) for row in db.execute(wanted)]


def of_patient(db: Db, patient: str, *, lock: bool = False) -> list[Finding]:
    """Return the current findings of a patient; `lock` keeps other writers out until the transaction ends."""
    wanted = (
        select(findings)
        .where(findings.c.patient == patient, findings.c.state != State.SUPERSEDED)
        .order_by(findings.c.created_at, findings.c.number)
    )
    return [_from_row(row) for row in db.execute(wanted.with_for_update() if lock else wanted)]


def sightings_of(db: Db, patient: str) -> list[Sighting]:
    """Return what curves need of the current findings of a patient, rejected ones left out."""
    c = findings.c
    wanted = (
        select(
            c.id, c.study_uid, c.lesion, c.label, c.kind, c.state, c.source_kind, c.source_name,
            c.source_version, c["values"],
        )
        .where(c.patient == patient, c.state.not_in((State.SUPERSEDED.value, State.REJECTED.value)))
        .order_by(c.created_at, c.number)
    )  # fmt: skip
    return [
        Sighting(*row[:5], State(row[5]), SourceKind(row[6]), f"{row[7]} {row[8]}".strip(), row[9])
        for row in db.execute(wanted)
    ]


def of_run(db: Db, run: str) -> list[Finding]:
    """Return what a run wrote."""
    wanted = select(findings).where(findings.c.run == run).order_by(findings.c.run_index)
    return [_from_row(row) for row in db.execute(wanted)]


def supersede(db: Db, study_uid: str, source_name: str, *, except_run: str) -> list[str]:
    """Set aside what earlier runs of a model proposed and nobody decided; return their ids."""
    f = findings.c
    gone = (
        update(findings)
        .where(
            f.study_uid == study_uid,
            f.source_name == source_name,
            f.run != except_run,
            f.state == State.PROPOSED,
        )
        .values(state=State.SUPERSEDED)
        .returning(f.id)
    )
    return list(db.scalars(gone))


def last_number(db: Db, study_uid: str) -> int:
    """Return the highest number given to a current finding of a study, 0 for none."""
    f = findings.c
    wanted = select(f.number).where(f.study_uid == study_uid, f.state != State.SUPERSEDED)
    return max(db.scalars(wanted), default=0)


def set_lesion(db: Db, finding_id: str, lesion: str) -> None:
    """Say which lesion a finding is."""
    db.execute(update(findings).where(findings.c.id == finding_id).values(lesion=lesion))


def _to_row(finding: Finding) -> dict[str, Any]:
    row = {name: getattr(finding, name) for name in _PLAIN}
    row |= {
        "state": finding.state.value,
        "source_kind": finding.source.kind.value,
        "source_name": finding.source.name,
        "source_version": finding.source.version,
        "run": finding.source.run,
        "inputs_sha256": finding.source.inputs_sha256,
        "parameters_sha256": finding.source.parameters_sha256,
        "centre_lps_mm": list(finding.centre_lps_mm),
        "values": _quantities(finding.values),
        "proposed": _quantities(finding.proposed),
    }
    return row


_PLAIN = (
    "id number study_uid patient kind label lesion series_uid sop_uid frame_of_reference_uid why laterality "
    "score mask_key note created_at decided_by decided_by_name decided_at"
).split()


def _quantities(values: dict[str, Quantity]) -> dict[str, Any]:
    return {name: quantity_to_json(value) for name, value in values.items()}


def _from_row(row: Row[Any]) -> Finding:
    return Finding(
        **{name: getattr(row, name) for name in _PLAIN},
        state=State(row.state),
        source=Source(
            SourceKind(row.source_kind),
            row.source_name,
            row.source_version,
            row.run,
            row.inputs_sha256,
            row.parameters_sha256,
        ),
        centre_lps_mm=_point(row.centre_lps_mm),
        values={name: Quantity(**value) for name, value in row._mapping["values"].items()},
        proposed={name: Quantity(**value) for name, value in row.proposed.items()},
    )


def _point(values: Iterable[float]) -> tuple[float, float, float]:
    x, y, z = values
    return (x, y, z)
