"""The table of the worklist; the only SQL of this domain."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from sightline.care.worklist._model import Entry, ListPage, ListQuery, Urgency
from sightline.runtime.db import Db, Instant, Json, metadata

entries = Table(
    "worklist",
    metadata,
    Column("study_uid", String(64), primary_key=True),
    Column("patient", String(32), nullable=False),
    Column("search", Text, nullable=False),
    Column("exam", Text, nullable=False),
    Column("modality", String(16), nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("arrived_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reader", String(64)),
    Column("reader_name", String(128)),
    Column("deferred_until", Instant),
    Column("prior_count", Integer, nullable=False),
    Column("prior_date", String(10)),
    Column("changes", Json, nullable=False),
    Column("analysis_state", String(16), nullable=False),
    Column("analysis_text", Text, nullable=False),
    # Instance numbers that are not there between the first and the last of a series.
    Column("missing_numbers", Integer, nullable=False, server_default="0"),
    # Since when nothing of the study is held: rejected, thrown away, or merged into another.
    Column("left_at", Instant),
    Index("ix_worklist_order", "state", "due_at", "study_uid"),
)

OPEN = ("unread", "reading")
# Without images there is nothing to read: documents, structures, segmentations alone.
NO_IMAGES = "no-images"
# Brought from another archive: it was read there.
PAST = "past"
_PLAIN = (
    "study_uid patient due_at arrived_at reason state reader reader_name deferred_until prior_count "
    "prior_date "
    "analysis_state analysis_text missing_numbers exam modality"
).split()


def put(db: Db, row: dict[str, Any], *, images: bool, of_the_past: bool = False) -> None:
    """Write what was worked out for a study; reader, state and deferral stay as they are.

    One of the past is not to be read. Without images none is; once there are some it is.
    """
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    state = PAST if of_the_past else "unread" if images else NO_IMAGES
    new = insert(entries).values({**row, "state": state})
    db.execute(new.on_conflict_do_update(index_elements=["study_uid"], set_=row))
    if images:
        e = entries.c
        waiting = update(entries).where(e.study_uid == row["study_uid"], e.state == NO_IMAGES)
        db.execute(waiting.values(state="unread"))


def change(db: Db, study_uid: str, **values: Any) -> None:
    """Change who reads a study, or its state, or until when it is deferred."""
    db.execute(update(entries).where(entries.c.study_uid == study_uid).values(**values))


def get(db: Db, study_uid: str, *, lock: bool = False) -> Entry | None:
    """Return the row of a study; `lock` keeps other writers out until the transaction ends."""
    wanted = select(entries).where(entries.c.study_uid == study_uid)
    row = db.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return _from_row(row) if row else None


def open_beside(db: Db, study_uid: str) -> list[str]:
    """Return the open studies of the patient of one that is not open itself."""
    e, it = entries.c, entries.alias("it")
    closed = it.c.state.not_in(OPEN) | it.c.left_at.is_not(None)
    beside = e.patient.in_(select(it.c.patient).where(it.c.study_uid == study_uid, closed))
    wanted = select(e.study_uid).where(
        beside, e.study_uid != study_uid, e.state.in_(OPEN), e.left_at.is_(None)
    )
    return list(db.scalars(wanted.order_by(e.study_uid)))


def find(db: Db, query: ListQuery, *, at: datetime) -> ListPage:
    """Return one page, what is due first on top; deferred studies come back when their time has come."""
    e = entries.c
    wanted = _matching(query, at)
    if query.after:  # a key, not an offset: the last page costs what the first one costs
        wanted = wanted.where(tuple_(e.due_at, e.study_uid) > tuple_(*query.after))
    rows = db.execute(wanted.order_by(e.due_at, e.study_uid).limit(query.limit + 1)).all()
    page = tuple(_from_row(row) for row in rows[: query.limit])
    critical, open_count = _counts(db)
    return ListPage(page, len(rows) > query.limit, critical, open_count, _median_wait_min(db, open_count, at))


def _matching(query: ListQuery, at: datetime) -> Select[Any]:
    e = entries.c
    wanted = select(entries).where(e.left_at.is_(None))
    if query.state == "open":
        wanted = wanted.where(e.state.in_(OPEN), (e.deferred_until.is_(None)) | (e.deferred_until <= at))
    elif query.state == "reported":
        wanted = wanted.where(e.state == "reported")
    if query.modality:  # PET/CT is found under either
        joined = literal("/").concat(e.modality).concat("/")
        wanted = wanted.where(joined.contains(f"/{query.modality}/", autoescape=True))
    for word in query.text.casefold().split():
        wanted = wanted.where(e.search.contains(word, autoescape=True))
    return wanted


def neighbours(db: Db, entry: Entry, *, at: datetime) -> tuple[Entry | None, Entry | None]:
    """Return the open studies just before and just after one in the order of the list."""
    e = entries.c
    here = tuple_(entry.due_at, entry.study_uid)
    order = tuple_(e.due_at, e.study_uid)
    base = _matching(ListQuery(), at)
    after = db.execute(base.where(order > here).order_by(e.due_at, e.study_uid).limit(1)).one_or_none()
    before = db.execute(
        base.where(order < here).order_by(e.due_at.desc(), e.study_uid.desc()).limit(1)
    ).one_or_none()
    return (_from_row(before) if before else None, _from_row(after) if after else None)


def _counts(db: Db) -> tuple[int, int]:
    e = entries.c
    listed = select(e.urgency, func.count()).where(e.state.in_(OPEN), e.left_at.is_(None))
    rows = db.execute(listed.group_by(e.urgency)).all()
    by_urgency = {urgency: int(count) for urgency, count in rows}
    return by_urgency.get(Urgency.CRITICAL.value, 0), sum(by_urgency.values())


def _median_wait_min(db: Db, open_count: int, at: datetime) -> int | None:
    if not open_count:
        return None
    e = entries.c
    listed = select(e.arrived_at).where(e.state.in_(OPEN), e.left_at.is_(None))
    arrived = db.scalar(listed.order_by(e.arrived_at).offset(open_count // 2).limit(1))
    return None if arrived is None else max(0, int((at - arrived).total_seconds() // 60))


def _from_row(row: Row[Any]) -> Entry:
    return Entry(
        **{name: getattr(row, name) for name in _PLAIN},
        urgency=Urgency(row.urgency),
        reasons=tuple((text, weight) for text, weight in row.reasons),
        changes=tuple(row.changes),
    )
