"""Every blob that a row speaks of, in order of its key, for those who look after the bytes."""

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import func, literal, select

from sightline.record.archive._store.custody import withheld
from sightline.record.archive._store.rows import known_blobs
from sightline.record.archive._store.tables import conflicts, instances
from sightline.runtime.db import Db

_TABLES = ((instances, "instance"), (conflicts, "conflict"), (withheld, "withheld"))


def bytes_after(db: Db, after: str, limit: int, study: str = "") -> list[tuple[Any, ...]]:
    """Return ``(blob, hash, size or None, sop_uid, study, kind)`` of what comes after a key."""
    rows = merge(*(_rows(db, table, kind, after, limit, study) for table, kind in _TABLES))
    return list(islice(rows, limit))


def _rows(db: Db, table: Any, kind: str, after: str, limit: int, study: str) -> Iterator[tuple[Any, ...]]:
    c = table.c
    of_study = c.study_uid if "study_uid" in c else c.study
    size = c.size if "size" in c else literal(None)
    wanted = select(c.blob, c.hash, size, c.sop_uid, of_study, literal(kind)).where(c.blob > after)
    if study:
        wanted = wanted.where(of_study == study)
    if table is conflicts:
        wanted = wanted.where(c.resolved_at.is_(None))
    if table is withheld:
        wanted = wanted.where(c.purging_at.is_(None))
    yield from (tuple(row) for row in db.execute(wanted.order_by(c.blob).limit(limit)))


def count_bytes(db: Db) -> int:
    """Return how many blobs rows speak of."""
    counted = select(func.count())
    open_ = conflicts.c.resolved_at.is_(None)
    statements = (
        counted.select_from(instances),
        counted.select_from(conflicts).where(open_),
        counted.select_from(withheld).where(withheld.c.purging_at.is_(None)),
    )
    return sum(int(db.execute(statement).scalar_one()) for statement in statements)


def without_row(db: Db, keys: Sequence[str]) -> list[str]:
    """Return those of the keys that no row speaks of."""
    known = known_blobs(db, keys)
    return [key for key in keys if key not in known]
