"""What indexing further attributes reads and writes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, delete, func, insert, or_, select, update

from sightline.record.archive._store.attributes import attribute_values, search_attributes
from sightline.record.archive._store.rows import insert_new
from sightline.record.archive._store.tables import instances, patients, series, studies
from sightline.runtime.db import Db


def further_rows(db: Db) -> dict[str, Mapping[str, Any]]:
    """Return the attributes that are indexed besides, ready or not, by tag."""
    return {row["tag"]: dict(row) for row in db.execute(select(search_attributes)).mappings()}


def add_further(db: Db, rows: Sequence[Mapping[str, Any]]) -> None:
    """Begin to index attributes; they are matched once they are ready."""
    if rows:
        db.execute(insert(search_attributes), list(rows))


def forget_further(db: Db, tags: Iterable[str]) -> None:
    """Stop to index attributes and remove their values."""
    for tag in sorted(tags):
        db.execute(delete(search_attributes).where(search_attributes.c.tag == tag))
        db.execute(delete(attribute_values).where(attribute_values.c.tag == tag))


def set_further_ready(db: Db) -> None:
    """Say that all that is held is indexed."""
    db.execute(update(search_attributes).where(search_attributes.c.ready.is_(False)).values(ready=True))


def _behind(mark: str) -> Any:
    # Ranges and not an inequality: an index finds them.
    c = series.c.searched
    return or_(c.is_(None), c < mark, c > mark)


def is_behind(db: Db, mark: str) -> bool:
    """Say whether a series is not indexed under the present setting, or a study is of an earlier release."""
    older = select(studies.c.uid).where(studies.c.referring_norm.is_(None))
    wanted = (select(series.c.uid).where(_behind(mark)), older)
    return any(db.execute(w.limit(1)).first() is not None for w in wanted)


def next_behind(db: Db, mark: str, limit: int) -> list[str]:
    """Return series that are not indexed under the present setting."""
    return list(db.scalars(select(series.c.uid).where(_behind(mark)).limit(limit).with_for_update()))


def newest_series(db: Db) -> str:
    """Return what tells one state of the archive from a later one."""
    newest = db.scalar(select(func.max(studies.c.last_received)))
    return newest.isoformat() if newest is not None else ""


def _states() -> Select[Any]:
    s, e = studies.c, series.c
    columns = (e.uid, e.study, e.overlay, s.date, s.overlay.label("study_overlay"))
    return select(*columns).join_from(series, studies, s.uid == e.study)


def series_behind(db: Db, uids: Iterable[str], mark: str) -> dict[str, Mapping[str, Any]]:
    """Return those of the series that are not indexed under the setting, with what they stand under."""
    wanted = _states().where(series.c.uid.in_(sorted(uids)), _behind(mark))
    return {row["uid"]: dict(row) for row in db.execute(wanted).mappings()}


def series_state(db: Db, uid: str) -> Mapping[str, Any] | None:
    """Return what a series stands under, or None when it is not held."""
    row = db.execute(_states().where(series.c.uid == uid)).mappings().first()
    return dict(row) if row else None


def mark_series(db: Db, uid: str, mark: str, requests: str | None) -> None:
    """Note under which setting a series is indexed, and what it was requested as."""
    db.execute(update(series).where(series.c.uid == uid).values(searched=mark, request_attributes=requests))


def series_uids_of(db: Db, study_uid: str) -> list[str]:
    """Return the series of a study."""
    return list(db.scalars(select(series.c.uid).where(series.c.study == study_uid).order_by(series.c.uid)))


def metadata_in_series(db: Db, uid: str, *, all_of_them: bool) -> Iterator[tuple[str, bytes]]:
    """Yield UID and compressed DICOM JSON of the instances of a series, or of one."""
    c = instances.c
    wanted = select(c.sop_uid, c.metadata_gz).where(c.series == uid)
    for row in db.execute(wanted if all_of_them else wanted.limit(1)):
        yield row.sop_uid, row.metadata_gz


def add_values(db: Db, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add values; those that are there stay."""
    insert_new(db, attribute_values, [dict(row) for row in rows])


def forget_values_of_series(db: Db, study: str, uid: str) -> None:
    """Remove the values of a series and its instances, and those of its study, which it gives anew."""
    v = attribute_values.c
    db.execute(delete(attribute_values).where(v.study == study, v.series == uid))


def normalise_older(
    db: Db, after: str, limit: int, name: Callable[[str], str], term: Callable[[str], str]
) -> str | None:
    """Bring studies that an earlier release recorded into the present form; return where to go on."""
    s, p = studies.c, patients.c
    behind = select(s.uid, s.patient, s.name, s.referring, s.description)
    behind = behind.where(s.referring_norm.is_(None), s.uid > after).order_by(s.uid).limit(limit)
    rows = db.execute(behind).all()
    for row in rows:
        norms = {"referring_norm": name(row.referring), "description_norm": term(row.description)}
        db.execute(update(studies).where(s.uid == row.uid).values(name_norm=name(row.name), **norms))
    of = {row.patient for row in rows}
    for id_, text, norm in db.execute(select(p.id, p.name, p.name_norm).where(p.id.in_(of))).all():
        if norm != name(text):
            db.execute(update(patients).where(p.id == id_).values(name_norm=name(text)))
    return rows[-1].uid if rows else None
