"""Taking out of sight what is held, and putting it back: rejected with a reason, or in the trash.

Whatever is out of sight answers as not held everywhere. Its bytes stay where they are until the trash is
emptied, its rows are kept to be put back. A study that is left without objects goes out of sight with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sightline.kernel import clock
from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.record.archive import _store as store_
from sightline.record.archive._corrections import rebuild_study
from sightline.record.archive._model import DERIVED_CLASSES, Page, Patient, StudyNotHeld
from sightline.runtime import events
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("archive.reject", "Objects were rejected and answer as not held")
audit.declare("archive.trash", "Objects were put in the trash")
audit.declare("archive.restore", "Objects that were rejected or in the trash were put back")

REJECTED, TRASHED, NOTE = "rejected", "trashed", "note"
# DICOM CID 7011 and IHE RAD TF-3 4.66.4.1.3 (IOCM).
REJECTION_REASONS: Final = {
    "113001": "Rejected for Quality Reasons",
    "113037": "Rejected for Patient Safety Reasons",
    "113038": "Incorrect Modality Worklist Entry",
    "113039": "Data Retention Policy Expired",
}
EXPIRED = "113039"
# A held object in whose place a person chose another.
REPLACED = "replaced"
# A newcomer that disagreed with what is held, and was decided against.
DECIDED_AGAINST = "conflict"
_BLOBS = ("frame_table", "metadata_gz")
_LONGEST_NOTE = 1000


class UnknownReason(Invalid):
    """Objects are rejected with one of the reasons of DICOM CID 7011."""


class NothingToWithhold(NotFound):
    """The study holds none of the objects that are named."""


class NothingWithheld(NotFound):
    """Nothing of this study is rejected or in the trash."""


class PlaceTaken(Conflict):
    """Other objects of the same UIDs are held; reject or trash these first, then restore."""


class StudyOnHold(Conflict):
    """The study is under legal hold: it must not be removed; lift the hold first."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who takes something out of sight, and why."""

    kind: str
    by: access.Person
    code: str = ""
    note: str = ""
    note_uid: str | None = None
    purge_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """What of a study is rejected or in the trash."""

    study_uid: str
    kind: str
    patient: Patient
    date: str
    description: str
    modalities: tuple[str, ...]
    instances: int
    bytes: int
    code: str
    note: str
    author: str
    at: datetime
    purge_after: datetime | None


def withhold(
    db: Db,
    study_uid: str,
    act: Act,
    *,
    series_uids: Sequence[str] | None = None,
    sop_uids: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Take objects of a study out of sight, all of them when none are named; return the rows they had."""
    study = store_.lock_study(db, study_uid)
    if study is None:
        raise StudyNotHeld(f"No study {study_uid} is held.", study=study_uid)
    if act.kind == TRASHED and store_.is_on_hold(db, study_uid):
        raise StudyOnHold("The study is under legal hold and must not be removed; lift the hold first.")
    rows = store_.instance_rows(db, study_uid, series_uids=series_uids, sop_uids=sop_uids)
    if not rows:
        raise NothingToWithhold("The study holds none of the objects that are named.", study=study_uid)
    now = clock.now()
    if act.kind != NOTE:
        _keep_shell(db, study, rows, act.kind, now)
    store_.add_withheld(db, [_withheld_row(row, study["patient"], act, now) for row in rows])
    store_.remove_instances(db, [row["sop_uid"] for row in rows])
    series_held = sorted({row["series"] for row in rows})
    store_.touch_series(db, series_held)
    left = store_.recount(db, study_uid, not_images=DERIVED_CLASSES)
    if not left:
        store_.drop_patient_without_studies(db, study["patient"])
    facts: dict[str, Any] = {"kind": act.kind, "instances": len(rows), "note": act.note_uid}
    if left:
        events.publish(db, "InstancesWithheld", study_uid, **facts)
    else:
        events.publish(db, "StudyGone", study_uid, **facts)
    return rows


def _keep_shell(
    db: Db, study: dict[str, Any], rows: Sequence[dict[str, Any]], kind: str, now: datetime
) -> None:
    """Keep the rows above what goes out of sight, beside those of an earlier act."""
    kept = store_.shell_of(db, study["uid"], kind)
    patient = store_.patient_row(db, study["patient"])
    above = {row["uid"]: _plain(row) for row in store_.series_rows(db, study["uid"])}
    named = {row["series"] for row in rows}
    series = (kept["series"] if kept else {}) | {uid: row for uid, row in above.items() if uid in named}
    shell = {"study": study["uid"], "kind": kind, "at": now, "patient": patient, "row": _plain(study)}
    store_.put_shell(db, shell | {"series": series})


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as JSON."""
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items() if k not in _BLOBS}


_MOMENTS = frozenset({"first_received", "last_received", "settled_at", "received_at"})


def _row(plain: dict[str, Any]) -> dict[str, Any]:
    """Return a row that was kept as JSON."""
    return {k: datetime.fromisoformat(v) if k in _MOMENTS and v else v for k, v in plain.items()}


def _withheld_row(row: dict[str, Any], patient: str, act: Act, now: datetime) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("sop_uid", "study", "series", "blob", "hash", "size", *_BLOBS)},
        "patient": patient,
        "kind": act.kind,
        "code": act.code,
        "note": act.note.strip()[:_LONGEST_NOTE],
        "note_uid": act.note_uid,
        "author": act.by.id,
        "author_name": act.by.name,
        "at": now,
        "purge_after": act.purge_after,
        "row": _plain(row),
    }


def kept_out_of_sight(db: Db, sop_uids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return SOP class and place of what is rejected, or a note that rejects: out of sight, and kept."""
    return store_.kept_withheld(db, sop_uids)


def trash_study(
    db: Db,
    study_uid: str,
    *,
    reason: str,
    by: access.Person,
    trash_days: int,
    series_uids: Sequence[str] = (),
    sop_uids: Sequence[str] = (),
) -> int:
    """Put a study, or parts of it, in the trash; return how many objects. The bytes go after `trash_days`."""
    access.require(by, "archive.delete", on=study_uid)
    act = Act(TRASHED, by, note=reason, purge_after=clock.now() + timedelta(days=trash_days))
    rows = withhold(db, study_uid, act, series_uids=series_uids or None, sop_uids=sop_uids or None)
    audit.record(db, "archive.trash", by=by, on=study_uid, instances=len(rows))
    return len(rows)


def restore(db: Db, study_uid: str, kind: str, *, by: access.Person) -> int:
    """Put back what of a study was rejected or in the trash; return how many objects.

    What has come again meanwhile stays as it is. The notes that rejected it are withdrawn. What a person
    decided against is a conflict again.

    Raises
    ------
    NothingWithheld
        If there is nothing to put back.
    PlaceTaken
        If for each of them another is held.
    """
    access.require(by, "archive.reject" if kind == REJECTED else "archive.delete", on=study_uid)
    rows = store_.withheld_rows(db, study_uid, kind)
    if kind not in {REJECTED, TRASHED} or not rows:
        raise NothingWithheld("Nothing of this study is rejected or in the trash.", study=study_uid)
    again = [row for row in rows if row["code"] == DECIDED_AGAINST]
    rows = [row for row in rows if row["code"] != DECIDED_AGAINST]
    for row in again:
        store_.reopen_conflict(db, row["sop_uid"], row["hash"])
    store_.remove_withheld(db, [row["id"] for row in again])
    store_.remove_shell(db, study_uid, kind)
    restored = len(again) + (put_back(db, study_uid, kind, rows) if rows else 0)
    if not restored:
        raise PlaceTaken(
            "Other objects of the same UIDs are held; reject or trash these first, then restore.",
            study=study_uid,
        )
    notes = {row["note_uid"] for row in rows} - {None}
    for note in notes:
        _withdraw(db, study_uid, str(note), by)
    events.publish(db, "StudyRestored", study_uid, instances=restored)
    audit.record(db, "archive.restore", by=by, on=study_uid, kind=kind, instances=restored)
    return restored


def keep_decided_against(db: Db, row: dict[str, Any], above: dict[str, dict[str, Any]]) -> None:
    """Put an object in the trash that was never held; `above` are patient and study as it states them."""
    store_.add_withheld(db, [row])
    if store_.shell_of(db, row["study"], TRASHED) is None:
        shell = {"study": row["study"], "kind": TRASHED, "at": row["at"], "series": {}}
        store_.put_shell(db, shell | {"patient": _plain(above["patient"]), "row": _plain(above["study"])})


def put_back(db: Db, study_uid: str, kind: str, rows: Sequence[dict[str, Any]]) -> int:
    """Put rows back that were taken out of sight; return how many: what is held again stays as it is."""
    live = store_.live_sops(db, [row["sop_uid"] for row in rows])
    back: dict[str, dict[str, Any]] = {}
    for row in rows:  # the latest of several that went under one UID
        if row["sop_uid"] not in live:
            back[row["sop_uid"]] = row
    shell = store_.shell_of(db, study_uid, kind)
    if back and shell is not None:
        _put_parents(db, study_uid, shell, {row["series"] for row in back.values()})
        kept = [_row(row["row"]) | {name: row[name] for name in _BLOBS} for row in back.values()]
        store_.add_instances(db, kept)
    store_.remove_withheld(db, [row["id"] for row in back.values()])
    store_.remove_shell(db, study_uid, kind)
    store_.touch_series(db, {row["series"] for row in back.values()})
    if store_.corrected(db, [study_uid]):
        rebuild_study(db, study_uid)
    else:
        store_.recount(db, study_uid, not_images=DERIVED_CLASSES)
    return len(back)


def _put_parents(db: Db, study_uid: str, shell: dict[str, Any], series_uids: set[str]) -> None:
    if store_.lock_study(db, study_uid) is None:
        patient = store_.put_patient(db, shell["patient"])
        store_.add_study(db, _row(shell["row"]) | {"patient": patient})
    held = store_.existing_series(db, series_uids)
    for uid in sorted(series_uids):
        home = held.get(uid)
        if home is None:
            store_.add_series(db, _row(shell["series"][uid]) | {"study": study_uid})
        elif home != study_uid:
            raise Conflict(f"Series {uid} is held in another study now; correct that first.", series=uid)


def _withdraw(db: Db, study_uid: str, note_uid: str, by: access.Person) -> None:
    """Take a rejection note out of sight, where nothing that it rejected is rejected any more."""
    if not store_.is_rejecting(db, note_uid) and note_uid in store_.live_sops(db, [note_uid]):
        withhold(db, study_uid, Act(NOTE, by, code="revoked"), sop_uids=[note_uid])


def find_withheld(
    db: Db, kind: str, *, by: access.Person, limit: int = 50, after: tuple[str, str] | None = None
) -> Page[Withheld]:
    """Return what is rejected or in the trash, by study, the latest first."""
    access.require(by, "archive.read")
    if kind not in {REJECTED, TRASHED}:
        raise Invalid("Ask for what is rejected or what is trashed.")
    found = store_.withheld_page(db, kind, limit=limit + 1, after=after)
    items = tuple(_shown(shell, sums) for shell, sums in found[:limit])
    last = found[limit - 1][0] if len(found) > limit else None
    return Page(items, (last["at"].isoformat(), last["study"]) if last else None)


def _shown(shell: dict[str, Any], sums: dict[str, Any]) -> Withheld:
    row, patient = shell["row"], shell["patient"]
    return Withheld(
        study_uid=shell["study"],
        kind=shell["kind"],
        patient=Patient(**{name: patient[name] for name in Patient.__slots__}),
        date=row["date"],
        description=row["description"],
        modalities=tuple(m for m in row["modalities"].split("\\") if m),
        instances=sums["instances"],
        bytes=int(sums["bytes"]),
        code=sums["code"],
        note=sums["note"],
        author=sums["author"],
        at=sums["at"],
        purge_after=sums["purge_after"],
    )
