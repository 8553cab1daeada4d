"""The table of chart entries; the only SQL of this domain."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Float, Row, String, Table, Text, func, insert, select, update

from sightline.kernel.codes import Code
from sightline.record.chart._model import Draft, Entry, EntryOrigin, Kind
from sightline.runtime.db import Db, Instant, metadata

entries = Table(
    "patient_events",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("patient", String(32), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("start", String(40), nullable=False),
    Column("stop", String(40)),
    Column("category", String(32), nullable=False),
    Column("status", String(32), nullable=False),
    Column("code_value", String(64)),
    Column("code_scheme", String(256)),
    Column("code_meaning", Text),
    Column("value", Float),
    Column("comparator", String(2), nullable=False),
    Column("unit", String(32), nullable=False),
    Column("low", Float),
    Column("high", Float),
    Column("origin", String(16), nullable=False),
    Column("reference", String(512), nullable=False),
    Column("source_sha256", String(64), nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("entered_by", String(64), nullable=False),
    Column("entered_by_name", String(128), nullable=False),
    Column("removed_at", Instant),
    Column("removed_by", String(64)),
)

_DRAFT = "name start stop category status value comparator unit low high".split()
_PLAIN = (
    "id patient reference source_sha256 entered_at entered_by entered_by_name removed_at removed_by".split()
)


def add(db: Db, new: Sequence[Entry]) -> None:
    """Write new entries."""
    if new:
        db.execute(insert(entries), [_to_row(entry) for entry in new])


def replace_entry(db: Db, entry: Entry) -> None:
    """Write an entry in place of the one of its id."""
    db.execute(update(entries).where(entries.c.id == entry.id).values(**_to_row(entry)))


def of_patients(db: Db, ids: Collection[str], *, removed: bool = False) -> list[Entry]:
    """Return the entries under some patient ids by date; `removed` returns those removed as well."""
    c = entries.c
    wanted = select(entries).where(c.patient.in_(ids))
    if not removed:
        wanted = wanted.where(c.removed_at.is_(None))
    return [_from_row(row) for row in db.execute(wanted.order_by(c.start, c.name, c.id))]


def get(db: Db, ids: Collection[str], entry_id: str) -> Entry | None:
    """Return an entry of a patient."""
    c = entries.c
    row = db.execute(select(entries).where(c.id == entry_id, c.patient.in_(ids))).one_or_none()
    return _from_row(row) if row else None


def count(db: Db, ids: Collection[str]) -> int:
    """Return how many entries there are under some patient ids, those removed as well."""
    c = entries.c
    return db.scalar(select(func.count()).select_from(entries).where(c.patient.in_(ids))) or 0


def set_removed(db: Db, entry_id: str, at: datetime | None, by: str | None) -> None:
    """Say that an entry is removed, by whom, or that it is not."""
    values: Mapping[str, Any] = {"removed_at": at, "removed_by": by}
    db.execute(update(entries).where(entries.c.id == entry_id).values(**values))


def _to_row(entry: Entry) -> dict[str, Any]:
    draft, code = entry.draft, entry.draft.code
    row = {name: getattr(entry, name) for name in _PLAIN} | {name: getattr(draft, name) for name in _DRAFT}
    return row | {
        "kind": draft.kind.value,
        "origin": entry.origin.value,
        "code_value": code.value if code else None,
        "code_scheme": code.scheme if code else None,
        "code_meaning": code.meaning if code else None,
    }


def _from_row(row: Row[Any]) -> Entry:
    draft = Draft(kind=Kind(row.kind), **{name: getattr(row, name) for name in _DRAFT})
    if row.code_value:
        draft = replace(draft, code=Code(row.code_value, row.code_scheme, row.code_meaning or ""))
    return Entry(draft=draft, origin=EntryOrigin(row.origin), **{name: getattr(row, name) for name in _PLAIN})
