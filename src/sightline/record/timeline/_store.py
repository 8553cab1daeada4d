"""The table of comparisons; the only SQL of this domain."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Float,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    distinct,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from sightline.record.timeline._model import AlignmentSummary, Change, Comparison, Seen
from sightline.runtime.db import Db, Instant, Json, metadata
from sightline.science.ct import Span

comparisons = Table(
    "comparisons",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("study_uid", String(64), nullable=False, unique=True),
    Column("prior_uid", String(64), nullable=False, index=True),
    Column("patient", String(32), nullable=False, index=True),
    Column("study_series_uid", String(64), nullable=False),
    Column("prior_series_uid", String(64), nullable=False),
    Column("why", Text, nullable=False),
    Column("days", Integer, nullable=False),
    Column("alignment", Json, nullable=False),
    Column("changes", Json, nullable=False),
    Column("at", Instant, nullable=False),
)

# What readers put beside a study by hand, and what the two were when they did.
choices = Table(
    "prior_choices",
    metadata,
    Column("study_uid", String(64), primary_key=True),
    Column("prior_uid", String(64), primary_key=True, index=True),
    Column("person", String(128), primary_key=True),
    Column("patient", String(32), nullable=False, index=True),
    Column("kind", String(200), nullable=False, index=True),
    Column("prior_kind", String(200), nullable=False),
    Column("at", Instant, nullable=False),
)

# Which regions the images of a study show, by height.
seen_regions = Table(
    "seen_regions",
    metadata,
    Column("study_uid", String(64), primary_key=True),
    Column("series_uid", String(64), nullable=False),
    Column("frame_uid", String(64), nullable=False),
    Column("low_mm", Float, nullable=False),
    Column("high_mm", Float, nullable=False),
    Column("spans", Json, nullable=False),
    Column("method", String(32), nullable=False),
    Column("at", Instant, nullable=False),
)

_PLAIN = (
    "id",
    "study_uid",
    "prior_uid",
    "patient",
    "study_series_uid",
    "prior_series_uid",
    "why",
    "days",
    "at",
)


def replace_comparison(db: Db, comparison: Comparison) -> None:
    """Write the comparison of a study in place of the one before."""
    row = {name: getattr(comparison, name) for name in _PLAIN}
    row["alignment"] = asdict(comparison.alignment)
    row["changes"] = [asdict(change) for change in comparison.changes]
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    db.execute(insert(comparisons).values(row).on_conflict_do_update(index_elements=["study_uid"], set_=row))


def follow_patient(db: Db, study_uid: str, patient: str) -> None:
    """Give the comparison of a study to the patient whose it is now."""
    db.execute(update(comparisons).where(comparisons.c.study_uid == study_uid).values(patient=patient))


def put_seen(db: Db, seen: Seen, *, method: str, at: datetime) -> None:
    """Keep what the images of a study show, in place of what was seen before."""
    row = asdict(seen) | {"spans": [asdict(span) for span in seen.spans], "method": method, "at": at}
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    added = insert(seen_regions).values(row)
    db.execute(added.on_conflict_do_update(index_elements=["study_uid"], set_=row))


def seen_of(db: Db, study_uids: Sequence[str]) -> dict[str, Seen]:
    """Return what the images of studies show, by study, where they were looked at."""
    c = seen_regions.c
    wanted = select(c.study_uid, c.series_uid, c.frame_uid, c.low_mm, c.high_mm, c.spans)
    rows = db.execute(wanted.where(c.study_uid.in_(study_uids)))
    return {row.study_uid: Seen(*row[:5], tuple(Span(**span) for span in row.spans)) for row in rows}


def put_choice(db: Db, **row: Any) -> bool:
    """Keep that a person put a prior beside a study; say whether it was not known before."""
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    added = insert(choices).values(row).on_conflict_do_nothing().returning(choices.c.study_uid)
    return db.execute(added).first() is not None


def choices_like(db: Db, kinds: Collection[str]) -> dict[str, tuple[int, dict[str, int]]]:
    """Return by kind in how many studies a prior was chosen, and of them how many by the kind of prior."""
    c, number = choices.c, func.count(distinct(choices.c.study_uid))
    studies = select(c.kind, number).where(c.kind.in_(kinds)).group_by(c.kind)
    found: dict[str, tuple[int, dict[str, int]]] = {kind: (many, {}) for kind, many in db.execute(studies)}
    each = select(c.kind, c.prior_kind, number).where(c.kind.in_(kinds)).group_by(c.kind, c.prior_kind)
    for kind, prior_kind, many in db.execute(each):
        found.setdefault(kind, (0, {}))[1][prior_kind] = many
    return found


def choices_beside(
    db: Db, study_uids: Collection[str], patient: str
) -> Sequence[Row[str, str, str, str, str]]:
    """Return what was chosen beside some studies, and beside all of a patient."""
    c = choices.c
    wanted = select(c.study_uid, c.prior_uid, c.patient, c.kind, c.prior_kind)
    return list(db.execute(wanted.where(c.study_uid.in_(study_uids) | (c.patient == patient))))


def forget_choices(db: Db, study_uid: str) -> None:
    """Forget what was put beside a study, and beside what it was put: it was another patient's then."""
    c = choices.c
    db.execute(delete(choices).where((c.study_uid == study_uid) | (c.prior_uid == study_uid)))


def pairs_with(db: Db, study_uid: str) -> list[tuple[str, str]]:
    """Return study and prior of each comparison that a study is part of."""
    c = comparisons.c
    wanted = select(c.study_uid, c.prior_uid).where((c.study_uid == study_uid) | (c.prior_uid == study_uid))
    return [(row.study_uid, row.prior_uid) for row in db.execute(wanted)]


def remove(db: Db, study_uid: str) -> None:
    """Forget the comparison of a study."""
    db.execute(delete(comparisons).where(comparisons.c.study_uid == study_uid))


def get(db: Db, comparison_id: str) -> Comparison | None:
    """Return a comparison by its id."""
    row = db.execute(select(comparisons).where(comparisons.c.id == comparison_id)).one_or_none()
    return _from_row(row) if row else None


def of_study(db: Db, study_uid: str) -> Comparison | None:
    """Return the comparison of a study with its prior."""
    row = db.execute(select(comparisons).where(comparisons.c.study_uid == study_uid)).one_or_none()
    return _from_row(row) if row else None


def of_patient(db: Db, patient: str) -> Sequence[Comparison]:
    """Return every comparison of a patient."""
    wanted = select(comparisons).where(comparisons.c.patient == patient).order_by(comparisons.c.study_uid)
    return [_from_row(row) for row in db.execute(wanted)]


def _from_row(row: Row[Any]) -> Comparison:
    alignment = dict(row.alignment)
    alignment["tests"] = tuple(alignment["tests"])
    if alignment.get("images"):
        alignment["images"] = tuple(alignment["images"])
    return Comparison(
        **{name: getattr(row, name) for name in _PLAIN},
        alignment=AlignmentSummary(**alignment),
        changes=tuple(Change(**change) for change in row.changes),
    )
