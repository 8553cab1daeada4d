"""What giving an object out needs: where its bytes are, and what is different about it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import select

from sightline.record.archive._store.custody import withheld
from sightline.record.archive._store.rows import in_parts
from sightline.record.archive._store.tables import instances, series, studies
from sightline.runtime.db import Db

NOTE = "note"


class Place(NamedTuple):
    """An instance, where its bytes are, and its overlay."""

    sop_uid: str
    sop_class: str
    study: str
    series: str
    blob: str
    size: int
    transfer_syntax: str
    overlay: dict[str, Any] | None


_i = instances.c
_PLACES = (
    select(
        _i.sop_uid, _i.sop_class, _i.study, _i.series, _i.blob, _i.size, _i.transfer_syntax,
        studies.c.overlay.label("of_study"), series.c.overlay.label("of_series"),
    )
    .join(series, series.c.uid == _i.series)
    .join(studies, studies.c.uid == series.c.study)
)  # fmt: skip


def place_of(db: Db, sop_uid: str) -> Place | None:
    """Return where an instance is; a rejection note that stands alone is not listed, but given out."""
    row = db.execute(_PLACES.where(_i.sop_uid == sop_uid)).first()
    if row is not None:
        return _place(row)
    w = withheld.c
    wanted = select(w.row, w.study, w.series, w.blob, w.size).where(w.sop_uid == sop_uid, w.kind == NOTE)
    note = db.execute(wanted.limit(1)).first()
    if note is None:
        return None
    kept = note.row
    return Place(
        sop_uid,
        kept["sop_class"],
        note.study,
        note.series,
        note.blob,
        note.size,
        kept["transfer_syntax"],
        None,
    )


def places_of(db: Db, sop_uids: Iterable[str]) -> dict[str, Place]:
    """Return where those of the instances are that are held."""
    return {
        row.sop_uid: _place(row)
        for part in in_parts(sop_uids)
        for row in db.execute(_PLACES.where(_i.sop_uid.in_(part)))
    }


def _place(row: Any) -> Place:
    overlay = {**(row.of_study or {}), **(row.of_series or {})} or None
    return Place._make([*row[:7], overlay])


def overlays_of(db: Db, series_uids: Iterable[str] = (), *, study: str = "") -> dict[str, dict[str, Any]]:
    """Return the overlay of each of the series, or of the series of a study, that has one."""
    wanted = select(series.c.uid, studies.c.overlay.label("of_study"), series.c.overlay.label("of_series"))
    wanted = wanted.join(studies, studies.c.uid == series.c.study)
    wanted = wanted.where((studies.c.overlay.is_not(None)) | (series.c.overlay.is_not(None)))
    if study:
        rows = list(db.execute(wanted.where(series.c.study == study)))
    else:
        rows = [
            row for part in in_parts(series_uids) for row in db.execute(wanted.where(series.c.uid.in_(part)))
        ]
    merged = {row.uid: {**(row.of_study or {}), **(row.of_series or {})} for row in rows}
    return {uid: overlay for uid, overlay in merged.items() if overlay}
