"""What correcting and taking out of sight reads and writes."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import and_, delete, func, insert, null, or_, select, update

from sightline.record.archive._store.custody import (
    archive_rules,
    corrected_studies,
    corrections,
    merged_patients,
    withheld,
    withheld_studies,
)
from sightline.record.archive._store.rows import in_parts, insert_new
from sightline.record.archive._store.tables import instances, patients, series, studies, study_modalities
from sightline.runtime.db import Db


def lock_series(db: Db, uids: Iterable[str]) -> None:
    """Keep series where they are until the transaction ends: whoever corrects waits for those who add.

    On SQLite there is one writer anyhow. All lock series in order of their UID, and studies after them.
    """
    if db.dialect.name == "sqlite":
        return
    c = series.c
    for part in in_parts(uids):
        db.execute(select(c.uid).where(c.uid.in_(part)).order_by(c.uid).with_for_update())


def lock_study(db: Db, uid: str) -> dict[str, Any] | None:
    """Return the row of a study, which nobody else changes or adds to until the transaction ends."""
    if db.dialect.name != "sqlite":
        c = series.c
        db.execute(select(c.uid).where(c.study == uid).order_by(c.uid).with_for_update())
    row = db.execute(select(studies).where(studies.c.uid == uid).with_for_update()).first()
    return dict(row._mapping) if row else None


def patient_row(db: Db, id: str) -> dict[str, Any] | None:  # noqa: A002
    """Return the row of a patient."""
    row = db.execute(select(patients).where(patients.c.id == id)).first()
    return dict(row._mapping) if row else None


def put_patient(db: Db, row: dict[str, Any]) -> str:
    """Put a patient back; return the id of who bears the identity, who may be there already."""
    insert_new(db, patients, [row])
    c = patients.c
    return str(db.execute(select(c.id).where(c.identity == row["identity"])).scalar_one())


def change_patient(db: Db, id: str, values: dict[str, Any]) -> None:  # noqa: A002
    """Change what is known of a patient."""
    db.execute(update(patients).where(patients.c.id == id).values(values))


def drop_patient_without_studies(db: Db, id: str) -> None:  # noqa: A002
    """Remove a patient of whom nothing is held any more."""
    among = select(studies.c.uid).where(studies.c.patient == id)
    db.execute(delete(patients).where(patients.c.id == id, ~among.exists()))


def studies_of(db: Db, patient: str) -> list[str]:
    """Return the UIDs of a patient's studies, each locked until the transaction ends."""
    c = studies.c
    return list(db.scalars(select(c.uid).where(c.patient == patient).order_by(c.uid).with_for_update()))


def series_rows(db: Db, study: str, uids: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a study's series, of all or of those named."""
    wanted = select(series).where(series.c.study == study).order_by(series.c.number, series.c.uid)
    if uids is not None:
        wanted = wanted.where(series.c.uid.in_(uids))
    return [dict(row._mapping) for row in db.execute(wanted)]


def oldest_metadata(db: Db, *, study: str = "", series_uid: str = "") -> bytes | None:
    """Return the DICOM JSON, as it came, of the first object of a study or series."""
    c = instances.c
    where = c.series == series_uid if series_uid else c.study == study
    ordered = select(c.metadata_gz).where(where).order_by(c.received_at, c.number, c.sop_uid)
    found: bytes | None = db.scalar(ordered.limit(1))
    return found


def change_study(db: Db, uid: str, values: dict[str, Any]) -> None:
    """Change the row of a study."""
    db.execute(update(studies).where(studies.c.uid == uid).values(_with_nulls(values)))


def change_series(db: Db, uid: str, values: dict[str, Any]) -> None:
    """Change the row of a series; its metadata are made anew, and what else is searched is read again."""
    changed = {**_with_nulls(values), "generation": series.c.generation + 1, "searched": None}
    db.execute(update(series).where(series.c.uid == uid).values(changed))


def _with_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """Return values with a missing overlay as NULL, not as the JSON of it."""
    return values | {"overlay": null()} if values.get("overlay", True) is None else values


def add_study(db: Db, row: dict[str, Any]) -> None:
    """Add the row of a study."""
    db.execute(insert(studies).values(_with_nulls(row)))


def add_series(db: Db, row: dict[str, Any]) -> None:
    """Add the row of a series."""
    db.execute(insert(series).values(_with_nulls(row)))


def move_series(db: Db, uid: str, study: str, sent_as: str | None) -> None:
    """Put a series and its instances under another study."""
    db.execute(update(series).where(series.c.uid == uid).values(study=study, sent_as=sent_as))
    db.execute(update(instances).where(instances.c.series == uid).values(study=study))


def recount(db: Db, study: str, *, not_images: Iterable[str]) -> bool:
    """Count anew what a study holds, removing what is empty; say whether anything is left."""
    i = instances.c
    counted = select(
        i.series, func.count(), func.coalesce(func.sum(i.frames), 0), func.coalesce(func.sum(i.size), 0),
        func.count().filter(i.frames.is_not(None), i.sop_class.not_in(list(not_images))),
    ).where(i.study == study).group_by(i.series)  # fmt: skip
    found = {row[0]: row[1:] for row in db.execute(counted)}
    empty = [row["uid"] for row in series_rows(db, study) if row["uid"] not in found]
    for part in in_parts(empty):
        db.execute(delete(series).where(series.c.uid.in_(part)))
    for uid, (number, frames, size, _) in found.items():
        values = {"instance_count": number, "frame_count": frames, "bytes": size}
        db.execute(update(series).where(series.c.uid == uid).values(values))
    db.execute(delete(study_modalities).where(study_modalities.c.study == study))
    if not found:
        db.execute(delete(studies).where(studies.c.uid == study))
        return False
    rows = series_rows(db, study)
    modalities = sorted({row["modality"] for row in rows} - {""})
    values = {
        "modalities": "\\".join(modalities),
        "series_count": len(rows),
        "instance_count": sum(counts[0] for counts in found.values()),
        "bytes": sum(counts[2] for counts in found.values()),
        "image_count": sum(counts[3] for counts in found.values()),
    }
    db.execute(update(studies).where(studies.c.uid == study).values(values))
    date = db.execute(select(studies.c.date).where(studies.c.uid == study)).scalar_one()
    insert_new(db, study_modalities, [{"modality": m, "date": date, "study": study} for m in modalities])
    return True


def touch_series(db: Db, uids: Iterable[str]) -> None:
    """Have the metadata of series made anew."""
    for part in in_parts(uids):
        changed = {"generation": series.c.generation + 1}
        db.execute(update(series).where(series.c.uid.in_(part)).values(changed))


def add_correction(db: Db, row: dict[str, Any], study_uids: Iterable[str]) -> int:
    """Write a fact and which studies it is about; return its number."""
    number = int(db.execute(insert(corrections).values(row).returning(corrections.c.id)).scalar_one())
    link_studies(db, number, study_uids)
    return number


def link_studies(db: Db, correction: int, study_uids: Iterable[str]) -> None:
    """Say that a fact is about these studies too."""
    insert_new(
        db, corrected_studies, [{"study": u, "correction": correction} for u in sorted(set(study_uids))]
    )


def correction_row(db: Db, number: int) -> dict[str, Any] | None:
    """Return a fact, locked until the transaction ends."""
    c = corrections.c
    row = db.execute(select(corrections).where(c.id == number).with_for_update()).first()
    return dict(row._mapping) if row else None


def corrections_of(db: Db, study: str, *, active: bool = False) -> list[dict[str, Any]]:
    """Return the facts about a study, oldest first; only those that were not undone with `active`."""
    c = corrections.c
    wanted = select(corrections).join(corrected_studies, corrected_studies.c.correction == c.id)
    wanted = wanted.where(corrected_studies.c.study == study).order_by(c.id)
    if active:
        wanted = wanted.where(c.undone_at.is_(None))
    return [dict(row._mapping) for row in db.execute(wanted)]


def studies_of_correction(db: Db, number: int) -> list[str]:
    """Return the studies that a fact is about."""
    c = corrected_studies.c
    return list(db.scalars(select(c.study).where(c.correction == number).order_by(c.study)))


def later_corrections(db: Db, number: int, kinds: Iterable[str]) -> list[dict[str, Any]]:
    """Return the facts, not undone, of these kinds that came later and are about one of its studies."""
    c, s = corrections.c, corrected_studies
    mine = select(s.c.study).where(s.c.correction == number)
    wanted = select(corrections)
    wanted = wanted.where(
        c.id > number, c.undone_at.is_(None), c.kind.in_(list(kinds)),
        c.id.in_(select(s.c.correction).where(s.c.study.in_(mine))),
    )  # fmt: skip
    return [dict(row._mapping) for row in db.execute(wanted.order_by(c.id))]


def change_correction(db: Db, number: int, values: dict[str, Any]) -> None:
    """Say of a fact that it was undone, or what else it is about."""
    db.execute(update(corrections).where(corrections.c.id == number).values(values))


def corrected(db: Db, study_uids: Iterable[str]) -> set[str]:
    """Return those of the studies that facts, not undone, are about."""
    c, s = corrections.c, corrected_studies.c
    wanted = select(s.study).join(corrections, c.id == s.correction).where(c.undone_at.is_(None))
    return {u for part in in_parts(study_uids) for u in db.scalars(wanted.where(s.study.in_(part)))}


def add_merged(db: Db, row: dict[str, Any]) -> None:
    """Say that whoever comes under an identity is another patient now."""
    insert_new(db, merged_patients, [row])


def merges_under(db: Db, identities: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return by identity who was merged into whom, by which fact."""
    c = merged_patients.c
    return {
        row.identity: dict(row._mapping)
        for part in in_parts(identities)
        for row in db.execute(select(merged_patients).where(c.identity.in_(part)))
    }


def merged_into(db: Db, id: str) -> str | None:  # noqa: A002
    """Return the patient that a former patient's id stands for now."""
    found: str | None = db.scalar(select(merged_patients.c.patient).where(merged_patients.c.id == id))
    return found


def former_ids(db: Db, patient: str) -> list[str]:
    """Return the ids of those who were merged into a patient."""
    c = merged_patients.c
    return list(db.scalars(select(c.id).where(c.patient == patient).order_by(c.id)))


def repoint_merged(db: Db, patient: str, to: str) -> list[str]:
    """Have who was merged into a patient stand for another; return their former ids."""
    c = merged_patients.c
    found = list(db.scalars(select(c.id).where(c.patient == patient)))
    db.execute(update(merged_patients).where(c.patient == patient).values(patient=to))
    return found


def unmerge(db: Db, correction: int) -> None:
    """Forget what a fact said of who is whom."""
    db.execute(delete(merged_patients).where(merged_patients.c.correction == correction))


def point_back(db: Db, ids: Iterable[str], to: str) -> None:
    """Have former ids stand for a patient again."""
    c = merged_patients.c
    db.execute(update(merged_patients).where(c.id.in_(list(ids))).values(patient=to))


def moved_series(db: Db, uids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return for each series that was moved the study its senders name, and the one it is in."""
    c = series.c
    wanted = select(c.uid, c.sent_as, c.study).where(c.sent_as.is_not(None))
    return {
        row.uid: (row.sent_as, row.study)
        for part in in_parts(uids)
        for row in db.execute(wanted.where(c.uid.in_(part)))
    }


def senders_patients(db: Db, study_uids: Iterable[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return for each study that was given to another patient whom its senders name, and who it is."""
    wanted = select(studies.c.uid, studies.c.sent_as, *(c.label(f"p_{c.name}") for c in patients.c))
    wanted = wanted.join(patients, patients.c.id == studies.c.patient).where(studies.c.sent_as.is_not(None))
    return {
        row.uid: (row.sent_as, {c.name: getattr(row, f"p_{c.name}") for c in patients.c if c.name != "id"})
        for part in in_parts(study_uids)
        for row in db.execute(wanted.where(studies.c.uid.in_(part)))
    }


# What had expired may come again, and what was replaced says nothing of what came in its place.
NO_BAN = ("113039", "replaced")
REJECTED, TRASHED = "rejected", "trashed"


def rejected_instances(db: Db, sop_uids: Iterable[str]) -> set[str]:
    """Return those of the instances that were rejected, and are not to come back on their own."""
    c = withheld.c
    live = select(instances.c.sop_uid).where(instances.c.sop_uid == c.sop_uid).exists()
    wanted = select(c.sop_uid).where(c.kind == REJECTED, c.code.not_in(NO_BAN), ~live)
    return {u for part in in_parts(sop_uids) for u in db.scalars(wanted.where(c.sop_uid.in_(part)))}


def instance_rows(
    db: Db, study: str, *, series_uids: Sequence[str] | None = None, sop_uids: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Return the rows of a study's instances: all, those of series, or those named, locked."""
    c = instances.c
    named = []
    if series_uids:
        named.append(c.series.in_(series_uids))
    if sop_uids:
        named.append(c.sop_uid.in_(sop_uids))
    wanted = select(instances).where(c.study == study)
    if named:
        wanted = wanted.where(or_(*named))
    return [dict(row._mapping) for row in db.execute(wanted.order_by(c.sop_uid).with_for_update())]


def add_withheld(db: Db, rows: Sequence[dict[str, Any]]) -> None:
    """Add what is out of sight."""
    for at in range(0, len(rows), 500):
        db.execute(insert(withheld), list(rows[at : at + 500]))


def remove_instances(db: Db, sop_uids: Iterable[str]) -> None:
    """Remove the rows of instances."""
    for part in in_parts(sop_uids):
        db.execute(delete(instances).where(instances.c.sop_uid.in_(part)))


def add_instances(db: Db, rows: Sequence[dict[str, Any]]) -> None:
    """Add the rows of instances."""
    for at in range(0, len(rows), 500):
        db.execute(insert(instances), list(rows[at : at + 500]))


def shell_of(db: Db, study: str, kind: str) -> dict[str, Any] | None:
    """Return the rows that stood above what is out of sight."""
    c = withheld_studies.c
    row = db.execute(select(withheld_studies).where(c.study == study, c.kind == kind)).first()
    return dict(row._mapping) if row else None


def put_shell(db: Db, row: dict[str, Any]) -> None:
    """Keep the rows that stand above what goes out of sight."""
    c = withheld_studies.c
    db.execute(delete(withheld_studies).where(c.study == row["study"], c.kind == row["kind"]))
    db.execute(insert(withheld_studies).values(row))


def remove_shell(db: Db, study: str, kind: str) -> None:
    """Forget the rows that stood above what is no longer out of sight."""
    c = withheld_studies.c
    left = select(withheld.c.id).where(withheld.c.study == study, withheld.c.kind == kind)
    db.execute(delete(withheld_studies).where(c.study == study, c.kind == kind, ~left.exists()))


def withheld_rows(db: Db, study: str, kind: str) -> list[dict[str, Any]]:
    """Return what is out of sight of a study and is not being purged, locked."""
    c = withheld.c
    wanted = select(withheld).where(c.study == study, c.kind == kind, c.purging_at.is_(None))
    return [dict(row._mapping) for row in db.execute(wanted.order_by(c.id).with_for_update())]


def kept_withheld(db: Db, sop_uids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return SOP class and place of what is out of sight and not in the trash, by instance."""
    c = withheld.c
    wanted = select(c.sop_uid, c.row, c.blob).where(c.kind != "trashed", c.purging_at.is_(None))
    return {
        row.sop_uid: (str(row.row["sop_class"]), row.blob)
        for part in in_parts(sop_uids)
        for row in db.execute(wanted.where(c.sop_uid.in_(part)))
    }


def remove_withheld(db: Db, ids: Iterable[int]) -> None:
    """Remove rows of what was out of sight."""
    listed = sorted(set(ids))
    for at in range(0, len(listed), 5000):
        db.execute(delete(withheld).where(withheld.c.id.in_(listed[at : at + 5000])))


def live_sops(db: Db, sop_uids: Iterable[str]) -> set[str]:
    """Return those of the instances that are held."""
    c = instances.c
    return {
        u for part in in_parts(sop_uids) for u in db.scalars(select(c.sop_uid).where(c.sop_uid.in_(part)))
    }


def existing_series(db: Db, uids: Iterable[str]) -> dict[str, str]:
    """Return the study of each of the series that is held."""
    c = series.c
    return {
        row.uid: row.study
        for part in in_parts(uids)
        for row in db.execute(select(c.uid, c.study).where(c.uid.in_(part)))
    }


def withheld_page(
    db: Db, kind: str, *, limit: int, after: tuple[str, str] | None
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return what is out of sight by study, newest first: shell, and sums of what it holds."""
    s, c = withheld_studies.c, withheld.c
    wanted = select(withheld_studies).where(s.kind == kind).order_by(s.at.desc(), s.study.desc())
    if after:
        from datetime import datetime

        at = datetime.fromisoformat(after[0])
        wanted = wanted.where(or_(s.at < at, and_(s.at == at, s.study < after[1])))
    shells = [dict(row._mapping) for row in db.execute(wanted.limit(limit))]
    uids = [shell["study"] for shell in shells]
    sums = select(
        c.study, func.count().label("instances"), func.sum(c.size).label("bytes"),
        func.min(c.code).label("code"), func.min(c.note).label("note"),
        func.min(c.author_name).label("author"), func.max(c.at).label("at"),
        func.max(c.purge_after).label("purge_after"),
    ).where(c.kind == kind, c.study.in_(uids)).group_by(c.study)  # fmt: skip
    found = {row.study: dict(row._mapping) for row in db.execute(sums)} if uids else {}
    return [(shell, found[shell["study"]]) for shell in shells if shell["study"] in found]


def rules_of(db: Db, kind: str) -> list[dict[str, Any]]:
    """Return the rules of a kind, in order."""
    c = archive_rules.c
    wanted = select(archive_rules).where(c.kind == kind).order_by(c.position, c.name)
    return [dict(row._mapping) for row in db.execute(wanted)]


def replace_rules(db: Db, kind: str, rows: Sequence[dict[str, Any]]) -> None:
    """Put rules in place of those of a kind."""
    db.execute(delete(archive_rules).where(archive_rules.c.kind == kind))
    if rows:
        db.execute(insert(archive_rules), [{"kind": kind, "position": n, **r} for n, r in enumerate(rows)])
