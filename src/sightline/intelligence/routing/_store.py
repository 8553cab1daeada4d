"""The table of analyses; the only SQL of this domain."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Row, String, Table, Text, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from sightline.intelligence.routing._model import NO_MODEL, Analysis, AnalysisState
from sightline.runtime.db import Db, Instant, metadata

analyses = Table(
    "analyses",
    metadata,
    Column("study_uid", String(64), primary_key=True),
    Column("model", String(128), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("series_uid", String(64)),
    Column("run", String(64)),
    Column("at", Instant, nullable=False),
)


def put(db: Db, analysis: Analysis) -> None:
    """Write how an analysis stands; one by a model takes the place of the note that there is none."""
    a = analyses.c
    db.execute(delete(analyses).where(a.study_uid == analysis.study_uid, a.model == NO_MODEL))
    row = asdict(analysis) | {"state": analysis.state.value}
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    db.execute(
        insert(analyses).values(row).on_conflict_do_update(index_elements=["study_uid", "model"], set_=row)
    )


def of_studies(db: Db, study_uids: Sequence[str]) -> list[Analysis]:
    """Return the analyses of some studies, by study and model."""
    wanted = select(analyses).where(analyses.c.study_uid.in_(study_uids))
    return [_from_row(row) for row in db.execute(wanted.order_by(analyses.c.study_uid, analyses.c.model))]


def _from_row(row: Row[Any]) -> Analysis:
    values = dict(row._mapping)
    return Analysis(**{**values, "state": AnalysisState(values["state"])})
