"""Labels, legal holds, receipts, expectations, what is stored, and what is to be purged."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sightline.record.archive._store.custody import (
    expectations,
    expected_instances,
    legal_holds,
    receipts,
    study_labels,
    withheld,
    withheld_studies,
)
from sightline.record.archive._store.rows import in_parts, insert_new
from sightline.record.archive._store.tables import (
    conflicts,
    instances,
    refusals,
    series,
    studies,
    study_modalities,
)
from sightline.runtime.db import Db


def is_on_hold(db: Db, study: str) -> bool:
    """Say whether a study is under legal hold."""
    return db.scalar(select(legal_holds.c.study).where(legal_holds.c.study == study)) is not None


def hold_of(db: Db, study: str) -> dict[str, Any] | None:
    """Return the legal hold of a study."""
    row = db.execute(select(legal_holds).where(legal_holds.c.study == study)).first()
    return dict(row._mapping) if row else None


def add_hold(db: Db, row: dict[str, Any]) -> None:
    """Put a study under legal hold; one that is there stays."""
    insert_new(db, legal_holds, [row])


def remove_hold(db: Db, study: str) -> bool:
    """Lift a legal hold; say whether there was one."""
    return bool(db.execute(delete(legal_holds).where(legal_holds.c.study == study)).rowcount)


def labels_of(db: Db, study_uids: Iterable[str]) -> dict[str, list[str]]:
    """Return the labels of each of the studies that has some."""
    c = study_labels.c
    found: dict[str, list[str]] = {}
    for part in in_parts(study_uids):
        for row in db.execute(select(c.study, c.label).where(c.study.in_(part)).order_by(c.label)):
            found.setdefault(row.study, []).append(row.label)
    return found


def add_label(db: Db, row: dict[str, Any]) -> None:
    """Label a study; what it bears already stays."""
    insert_new(db, study_labels, [row])


def remove_label(db: Db, study: str, label: str) -> bool:
    """Take a label off; say whether it was there."""
    c = study_labels.c
    return bool(db.execute(delete(study_labels).where(c.study == study, c.label == label)).rowcount)


def count_labels(db: Db, study: str) -> int:
    """Return how many labels a study bears."""
    wanted = select(func.count()).where(study_labels.c.study == study)
    return int(db.execute(wanted).scalar_one())


def add_receipts(db: Db, rows: Sequence[dict[str, Any]]) -> None:
    """Add to what came of each study from each source."""
    if not rows:
        return
    build = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    statement = build(receipts)
    grown = {
        "last_at": statement.excluded.last_at,
        "instances": receipts.c.instances + statement.excluded.instances,
    }
    keys = ["study", "source_kind", "source"]
    db.execute(statement.on_conflict_do_update(index_elements=keys, set_=grown), list(rows))


def receipts_of(db: Db, study: str) -> list[dict[str, Any]]:
    """Return what came of a study, by source."""
    wanted = select(receipts).where(receipts.c.study == study).order_by(receipts.c.first_at)
    return [dict(row._mapping) for row in db.execute(wanted)]


def put_expectation(db: Db, row: dict[str, Any], sop_uids: Sequence[str]) -> None:
    """Keep how many objects of a study somebody speaks of, in place of what they said before."""
    c = expectations.c
    same = (c.study == row["study"], c.origin == row["origin"], c.subject == row["subject"])
    db.execute(delete(expectations).where(*same))
    db.execute(insert(expectations).values(row))
    named = [{"study": row["study"], "sop_uid": uid} for uid in sorted(set(sop_uids))]
    insert_new(db, expected_instances, named)


def expectations_of(db: Db, study_uids: Iterable[str]) -> list[dict[str, Any]]:
    """Return what is expected of studies."""
    c = expectations.c
    return [
        dict(row._mapping)
        for part in in_parts(study_uids)
        for row in db.execute(select(expectations).where(c.study.in_(part)).order_by(c.at))
    ]


def count_absent(db: Db, study_uids: Iterable[str]) -> dict[str, int]:
    """Return for each study how many of the instances that were named for it have never come."""
    e = expected_instances.c
    came = select(instances.c.sop_uid).where(instances.c.sop_uid == e.sop_uid).exists()
    gone = select(withheld.c.id).where(withheld.c.sop_uid == e.sop_uid).exists()
    wanted = select(e.study, func.count()).where(~came, ~gone).group_by(e.study)
    return {
        row[0]: row[1] for part in in_parts(study_uids) for row in db.execute(wanted.where(e.study.in_(part)))
    }


def counts_received(db: Db, study_uids: Iterable[str]) -> dict[str, int]:
    """Return how many instances of each study came from outside and were not removed since."""
    s, r = studies.c, receipts.c
    ours = select(r.study, func.sum(r.instances).label("n")).where(r.source_kind == "internal")
    found: dict[str, int] = {}
    for part in in_parts(study_uids):
        own = {row[0]: int(row[1]) for row in db.execute(ours.where(r.study.in_(part)).group_by(r.study))}
        for row in db.execute(select(s.uid, s.instance_count).where(s.uid.in_(part))):
            found[row.uid] = max(row.instance_count - own.get(row.uid, 0), 0)
    return found


def refusals_of(db: Db, study: str, limit: int = 100) -> list[dict[str, Any]]:
    """Return what was refused of a study, the latest first."""
    wanted = select(refusals).where(refusals.c.study_uid == study).order_by(refusals.c.id.desc()).limit(limit)
    return [dict(row._mapping) for row in db.execute(wanted)]


def numbers_of(db: Db, study: str) -> dict[str, list[int]]:
    """Return the instance numbers of each series of a study, in order."""
    c = instances.c
    wanted = select(c.series, c.number).where(c.study == study, c.number.is_not(None)).distinct()
    found: dict[str, list[int]] = {}
    for row in db.execute(wanted.order_by(c.series, c.number)):
        found.setdefault(row.series, []).append(row.number)
    return found


def syntaxes_of(db: Db, study: str) -> dict[str, list[str]]:
    """Return the transfer syntaxes of each series of a study."""
    c = instances.c
    found: dict[str, list[str]] = {}
    for row in db.execute(select(c.series, c.transfer_syntax).where(c.study == study).distinct()):
        found.setdefault(row.series, []).append(row.transfer_syntax)
    return {uid: sorted(listed) for uid, listed in found.items()}


def count_conflicts(db: Db, study_uids: Iterable[str]) -> dict[str, int]:
    """Return how many conflicts of each study await a decision."""
    c = conflicts.c
    wanted = select(c.study_uid, func.count()).where(c.resolved_at.is_(None)).group_by(c.study_uid)
    return {
        row[0]: row[1]
        for part in in_parts(study_uids)
        for row in db.execute(wanted.where(c.study_uid.in_(part)))
    }


def holds_under(db: Db, study_uids: Iterable[str]) -> set[str]:
    """Return those of the studies that are under legal hold."""
    c = legal_holds.c
    return {u for part in in_parts(study_uids) for u in db.scalars(select(c.study).where(c.study.in_(part)))}


def used_bytes(db: Db) -> int:
    """Return how many bytes are kept, out of sight or not; bytes kept aside as conflicts do not count."""
    live = db.execute(select(func.coalesce(func.sum(studies.c.bytes), 0))).scalar_one()
    hidden = db.execute(select(func.coalesce(func.sum(withheld.c.size), 0))).scalar_one()
    return int(live) + int(hidden)


def totals(db: Db) -> dict[str, Any]:
    """Return what is stored: in all, by modality, by month of arrival, and out of sight."""
    s, r, w = studies.c, series.c, withheld.c
    month = (
        func.to_char(s.first_received, "YYYY-MM")
        if db.dialect.name == "postgresql"
        else func.strftime("%Y-%m", s.first_received)
    )
    whole = db.execute(
        select(func.count(), func.sum(s.series_count), func.sum(s.instance_count), func.sum(s.bytes))
    ).one()
    modalities = select(
        r.modality, func.count(func.distinct(r.study)), func.sum(r.instance_count), func.sum(r.bytes)
    ).group_by(r.modality).order_by(func.sum(r.bytes).desc())  # fmt: skip
    months = select(month, func.sum(s.instance_count), func.sum(s.bytes)).group_by(month).order_by(month)
    hidden = select(w.kind, func.count(func.distinct(w.study)), func.sum(w.size)).group_by(w.kind)
    out = {row[0]: {"studies": row[1], "bytes": int(row[2])} for row in db.execute(hidden)}
    nothing = {"studies": 0, "bytes": 0}
    return {
        "studies": whole[0],
        "series": int(whole[1] or 0),
        "instances": int(whole[2] or 0),
        "bytes": int(whole[3] or 0),
        "by_modality": [
            {"modality": row[0], "studies": row[1], "instances": int(row[2]), "bytes": int(row[3])}
            for row in db.execute(modalities)
        ],
        "by_month": [
            {"month": row[0], "instances": int(row[1]), "bytes": int(row[2])} for row in db.execute(months)
        ],
        "trash": out.get("trashed", nothing),
        "rejected": out.get("rejected", nothing),
    }


def due_to_purge(db: Db, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Return what is to be purged, that which was cut off included; nothing under legal hold."""
    c = withheld.c
    held = select(legal_holds.c.study).where(legal_holds.c.study == c.study).exists()
    due = or_(c.purging_at.is_not(None), c.purge_after <= now)
    wanted = select(c.id, c.blob, c.study, c.purging_at).where(due, ~held).order_by(c.id).limit(limit)
    return [dict(row._mapping) for row in db.execute(wanted.with_for_update())]


def mark_purging(db: Db, ids: Iterable[int], now: datetime) -> None:
    """Say that the bytes of these are going: from here they cannot be put back."""
    for_ids = withheld.c.id.in_(list(ids))
    db.execute(update(withheld).where(for_ids, withheld.c.purging_at.is_(None)).values(purging_at=now))


def blobs_in_use(db: Db, keys: Iterable[str], besides: Iterable[int]) -> set[str]:
    """Return those of the keys that a live object, an open conflict or something else out of sight needs."""
    among = list(besides)
    used: set[str] = set()
    for part in in_parts(keys):
        used.update(db.scalars(select(instances.c.blob).where(instances.c.blob.in_(part))))
        kept = select(conflicts.c.blob).where(conflicts.c.blob.in_(part), conflicts.c.resolved_at.is_(None))
        used.update(db.scalars(kept))
        w = withheld.c
        used.update(db.scalars(select(w.blob).where(w.blob.in_(part), w.id.not_in(among))))
    return used


def forget_purged(db: Db, ids: Sequence[int], keys: Sequence[str], study_uids: Iterable[str]) -> None:
    """Remove the rows of what was purged, and what is left of studies of which nothing is left."""
    w, c = withheld.c, conflicts.c
    db.execute(delete(withheld).where(w.id.in_(list(ids))))
    for part in in_parts(keys):
        db.execute(delete(conflicts).where(c.blob.in_(part), c.resolved_at.is_not(None)))
    for uid in sorted(set(study_uids)):
        for kind in ("rejected", "trashed"):
            left = select(w.id).where(w.study == uid, w.kind == kind).exists()
            s = withheld_studies.c
            db.execute(delete(withheld_studies).where(s.study == uid, s.kind == kind, ~left))
        live = select(studies.c.uid).where(studies.c.uid == uid).exists()
        hidden = select(w.id).where(w.study == uid).exists()
        for table in (study_labels, receipts, expectations, expected_instances):
            db.execute(delete(table).where(table.c.study == uid, ~live, ~hidden))


def make_due(db: Db, now: datetime) -> int:
    """Have everything in the trash purged as soon as can be; return how many objects."""
    c = withheld.c
    due = update(withheld).where(c.kind == "trashed", or_(c.purge_after.is_(None), c.purge_after > now))
    return int(db.execute(due.values(purge_after=now)).rowcount)


def retention_page(
    db: Db, *, modality: str, label: str, received_before: datetime | None, study_before: str, after: str,
    limit: int,
) -> list[tuple[str, datetime]]:  # fmt: skip
    """Return studies that a rule may be about, by UID: with when the last of each came."""
    s = studies.c
    wanted = select(s.uid, s.last_received).where(s.uid > after).order_by(s.uid).limit(limit)
    if modality:
        m = study_modalities.c
        wanted = wanted.where(select(m.study).where(m.study == s.uid, m.modality == modality).exists())
    if label:
        c = study_labels.c
        wanted = wanted.where(select(c.study).where(c.study == s.uid, c.label == label).exists())
    if received_before is not None:
        wanted = wanted.where(s.last_received <= received_before)
    if study_before:
        wanted = wanted.where(s.date <= study_before, s.date != "")
    held = select(legal_holds.c.study).where(legal_holds.c.study == s.uid).exists()
    return [(row.uid, row.last_received) for row in db.execute(wanted.where(~held))]


def sops_of(db: Db, study: str, series_uids: Sequence[str], sop_uids: Sequence[str]) -> list[dict[str, Any]]:
    """Return UIDs and classes of a study's instances: all, or those named and those of series named."""
    c = instances.c
    wanted = select(c.sop_uid, c.series, c.sop_class, c.frames).where(c.study == study)
    if series_uids or sop_uids:
        wanted = wanted.where(or_(c.series.in_(list(series_uids)), c.sop_uid.in_(list(sop_uids))))
    return [dict(row._mapping) for row in db.execute(wanted.order_by(c.series, c.number, c.sop_uid))]


def homes_of(db: Db, sop_uids: Iterable[str]) -> list[dict[str, Any]]:
    """Return the study of each of the instances that is held."""
    c = instances.c
    return [
        dict(row._mapping)
        for part in in_parts(sop_uids)
        for row in db.execute(select(c.sop_uid, c.study).where(c.sop_uid.in_(part)))
    ]


def study_overlay(db: Db, study: str) -> dict[str, Any] | None:
    """Return what is different about all objects of a study."""
    found: dict[str, Any] | None = db.scalar(select(studies.c.overlay).where(studies.c.uid == study))
    return found


def holds_others(db: Db, study: str, sop_class: str) -> bool:
    """Say whether a study holds anything that is not of a class."""
    c = instances.c
    wanted = select(c.sop_uid).where(c.study == study, c.sop_class != sop_class).limit(1)
    return db.execute(wanted).first() is not None


def is_rejecting(db: Db, note_uid: str) -> bool:
    """Say whether something is rejected because of a note."""
    c = withheld.c
    wanted = select(c.id).where(c.note_uid == note_uid, c.kind == "rejected").limit(1)
    return db.execute(wanted).first() is not None


def conflict_row(db: Db, number: int, *, lock: bool = False) -> dict[str, Any] | None:
    """Return a conflict; `lock` keeps other deciders out until the transaction ends."""
    wanted = select(conflicts).where(conflicts.c.id == number)
    row = db.execute(wanted.with_for_update() if lock else wanted).first()
    return dict(row._mapping) if row else None


def conflicts_page(db: Db, *, limit: int, after: int, study: str = "") -> list[dict[str, Any]]:
    """Return open conflicts after one, oldest first."""
    c = conflicts.c
    wanted = select(conflicts).where(c.resolved_at.is_(None), c.id > after).order_by(c.id).limit(limit)
    if study:
        wanted = wanted.where(c.study_uid == study)
    return [dict(row._mapping) for row in db.execute(wanted)]


def resolve_conflict(db: Db, number: int, values: dict[str, Any]) -> None:
    """Say how a conflict was decided."""
    db.execute(update(conflicts).where(conflicts.c.id == number).values(values))


def reopen_conflict(db: Db, sop_uid: str, digest: str) -> None:
    """Have a conflict decided again."""
    c = conflicts.c
    undecided = dict.fromkeys(("resolved_at", "decision", "decided_by", "note"))
    db.execute(update(conflicts).where(c.sop_uid == sop_uid, c.hash == digest).values(undecided))


def study_facts(db: Db, study_uids: Iterable[str]) -> dict[str, tuple[list[str], str, list[str]]]:
    """Return modalities, date and labels of each of the studies."""
    listed = list(study_uids)
    labels = labels_of(db, listed)
    s = studies.c
    return {
        row.uid: ([m for m in row.modalities.split("\\") if m], row.date, labels.get(row.uid, []))
        for part in in_parts(listed)
        for row in db.execute(select(s.uid, s.modalities, s.date).where(s.uid.in_(part)))
    }


def metadata_beside(
    db: Db, kind: str, *, sop_uid: str, series_uid: str, study: str
) -> tuple[bytes | None, dict[str, Any] | None]:
    """Return the DICOM JSON, as it came, of what is held in the place of another object, and its overlay."""
    c = series.c
    i = instances.c
    where = {"content": i.sop_uid == sop_uid, "series": i.series == series_uid}.get(kind, i.study == study)
    wanted = select(i.metadata_gz, studies.c.overlay.label("a"), c.overlay.label("b"))
    wanted = wanted.join(studies, studies.c.uid == i.study).join(series, c.uid == i.series)
    row = db.execute(wanted.where(where).order_by(i.received_at, i.sop_uid).limit(1)).first()
    return (row[0], {**(row.a or {}), **(row.b or {})} or None) if row else (None, None)
