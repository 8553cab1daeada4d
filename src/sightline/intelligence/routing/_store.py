"""The table of analyses; the only SQL of this domain."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Row, String, Table, Text, delete, insert, select

from sightline.intelligence.routing._model import Analysis, AnalysisState
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
    """Write how an analysis stands."""
    a = analyses.c
    db.execute(delete(analyses).where(a.study_uid == analysis.study_uid, a.model == analysis.model))
    row = {
        name: getattr(analysis, name) for name in ("study_uid", "model", "text", "series_uid", "run", "at")
    }
    db.execute(insert(analyses).values(**row, state=analysis.state.value))


def of_studies(db: Db, study_uids: Sequence[str]) -> list[Analysis]:
    """Return the analyses of some studies."""
    return [
        _from_row(row) for row in db.execute(select(analyses).where(analyses.c.study_uid.in_(study_uids)))
    ]


def _from_row(row: Row[Any]) -> Analysis:
    values = dict(row._mapping)
    return Analysis(**{**values, "state": AnalysisState(values["state"])})
