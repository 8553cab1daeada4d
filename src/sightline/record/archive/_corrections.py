"""Corrections are facts: who said what is different, when and why; nothing that came in is changed by them.

What lists show of a study, and how its objects are given out, is worked out from its objects and the facts
that were not undone (`rebuild_study`): undoing a fact is marking it, and working out anew. A fact that later
ones rest on cannot be undone before them.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sightline.kernel import clock
from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.record.archive import _store as store_
from sightline.record.archive._editing import (
    IDENTITY,
    PATIENT,
    SERIES,
    STUDY,
    changes_of,
    element_of,
    tag_of,
)
from sightline.record.archive._model import (
    DERIVED_CLASSES,
    Attributes,
    PatientNotHeld,
    SeriesNotHeld,
    StudyNotHeld,
)
from sightline.record.archive._overlay import STUDY as STUDY_UID
from sightline.record.archive._overlay import Overlay, apply_overlay
from sightline.record.archive._parse import Facts, patient_of, series_of, study_of
from sightline.runtime import events
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("archive.correct", "What is held was corrected: edited, moved, split or merged")
audit.declare("archive.undo", "A correction of what is held was undone")

MERGE, MOVE, SPLIT, EDIT, COERCE, APART = "merge", "move", "split", "edit", "coerce", "apart"
# Which later facts rest on one of a kind, when they are about one of its studies.
_RESTING: Final = {
    MERGE: (MERGE, MOVE, SPLIT),
    MOVE: (MERGE, MOVE, SPLIT),
    SPLIT: (MERGE, MOVE, SPLIT, EDIT, APART),
    EDIT: (),
    COERCE: (),
}
_PATIENT_COLUMNS = ("patient_id", "name", "name_norm", "birth_date", "sex")
_LONGEST_REASON = 1000


class CorrectionNotHeld(NotFound):
    """There is no such correction."""


class AlreadyUndone(Conflict):
    """The correction was undone before."""


class CorrectionRested(Conflict):
    """Later corrections rest on this one; undo them first."""


class NothingToCorrect(Invalid):
    """The correction would change nothing."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A fact about what is held; `summary` says in a line what it does, without values."""

    id: int
    kind: str
    author: str
    author_name: str
    at: datetime
    reason: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    undone_at: datetime | None
    undone_by: str | None

    @property
    def summary(self) -> str:
        """Say what it does."""
        changed: list[str] = self.after.get("changed", [])
        return {
            MERGE: "Merged into another patient",
            MOVE: "Moved to another patient",
            SPLIT: f"{len(self.after.get('moved', ()))} series split off into a study of their own",
            EDIT: f"Changed {', '.join(changed)}",
            COERCE: f"Coerced when it came: {', '.join(changed)}",
            APART: "Kept apart under new UIDs",
        }[self.kind]


def merge_patients(db: Db, from_id: str, into_id: str, *, reason: str, by: access.Person) -> Correction:
    """Say that two patients (opaque ids) are one: all studies of the first become the second's.

    Whoever comes under the first one's identity later comes to the second.
    """
    access.require(by, "archive.correct", on=into_id)
    if from_id == into_id:
        raise NothingToCorrect("These are one and the same patient.")
    old, new = store_.patient_row(db, from_id), store_.patient_row(db, into_id)
    if old is None or new is None:
        raise PatientNotHeld("No such patient is held; it may have been merged already.")
    study_uids = store_.studies_of(db, from_id)
    number = _add(
        db,
        MERGE,
        into_id,
        reason,
        by,
        before={"patient": old, "former": store_.repoint_merged(db, from_id, into_id)},
        after={"patients": dict.fromkeys(study_uids, into_id)},
        study_uids=study_uids,
    )
    merged = {"identity": old["identity"], "id": from_id, "patient": into_id, "correction": number}
    store_.add_merged(db, merged)
    for uid in study_uids:
        rebuild_study(db, uid)
    store_.drop_patient_without_studies(db, from_id)
    events.publish(db, "PatientsMerged", into_id, former=from_id, studies=study_uids)
    return _done(db, number, study_uids, by)


@dataclass(frozen=True, slots=True)
class NewPatient:
    """A patient as a person gives them; what is empty is taken from the patient of this id, if held."""

    patient_id: str
    issuer: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""

    def attributes(self) -> Attributes:
        """Return what they are in DICOM JSON."""
        given = {
            "PatientID": self.patient_id,
            "IssuerOfPatientID": self.issuer,
            "PatientName": self.name,
            "PatientBirthDate": self.birth_date,
            "PatientSex": self.sex,
        }
        return {tag_of(k): element_of(k, v) for k, v in given.items() if v}


def move_study(db: Db, study_uid: str, to: NewPatient, *, reason: str, by: access.Person) -> Correction:
    """Give a study to another patient, who need not be held yet."""
    access.require(by, "archive.correct", on=study_uid)
    study = _require_study(db, study_uid)
    if not to.patient_id.strip():
        raise Invalid("A patient needs an ID to have a study moved to; give the ID, and its issuer if known.")
    row = patient_of(Facts(to.attributes()), study_uid)
    return give_study(db, study, row, reason=reason, by=by)


def give_study(
    db: Db,
    study: Mapping[str, Any],
    row: dict[str, Any],
    *,
    reason: str,
    by: access.Person,
    same: bool = False,
) -> Correction:
    """Give a study to the patient of these columns; `same` says that they may have it already."""
    uid = study["uid"]
    patient = store_.add_patients(db, [row])[row["identity"]]
    patient = store_.merged_into(db, patient) or patient
    if patient == study["patient"] and not same:
        raise NothingToCorrect("The study is this patient's already.")
    number = _add(
        db,
        MOVE,
        uid,
        reason,
        by,
        before={"patient": store_.patient_row(db, study["patient"])},
        after={"patients": {uid: patient}},
        study_uids=[uid],
    )
    rebuild_study(db, uid)
    return _done(db, number, [uid], by)


def split_series(
    db: Db, study_uid: str, series_uids: Sequence[str], *, reason: str, by: access.Person
) -> Correction:
    """Split series off into a study of their own, of the same patient; what comes late follows them."""
    access.require(by, "archive.correct", on=study_uid)
    study = _require_study(db, study_uid)
    moved = _require_series(db, study_uid, series_uids)
    if not moved or len(moved) == study["series_count"]:
        raise NothingToCorrect("Name some of the series of the study, not none and not all.")
    new_uid = new_uid_of(uuid4().int)
    overlay = {**(study["overlay"] or {}), STUDY_UID: {"vr": "UI", "Value": [new_uid]}}
    number = _add(
        db,
        SPLIT,
        study_uid,
        reason,
        by,
        before={"sent_as": {row["uid"]: row["sent_as"] for row in moved}},
        after={
            "studies": {new_uid: overlay},
            "patients": {new_uid: study["patient"]},
            "moved": [row["uid"] for row in moved],
            "to": new_uid,
        },
        study_uids=[study_uid, new_uid],
    )
    times = {
        "first_received": min(row["first_received"] for row in moved),
        "last_received": max(row["last_received"] for row in moved),
    }
    store_.add_study(db, study | {"uid": new_uid, "overlay": overlay} | times)
    for row in moved:
        store_.move_series(db, row["uid"], new_uid, row["sent_as"] or study_uid)
    for uid in (study_uid, new_uid):
        rebuild_study(db, uid)
    return _done(db, number, [study_uid, new_uid], by)


def edit_study(
    db: Db, study_uid: str, changes: Mapping[str, str | None], *, reason: str, by: access.Person
) -> Correction:
    """Change attributes of a study by keyword; None removes. The patient's change in all their studies."""
    access.require(by, "archive.correct", on=study_uid)
    study = _require_study(db, study_uid)
    of_patient = {k: v for k, v in changes.items() if k in PATIENT}
    if of_patient and len(of_patient) < len(changes):
        raise Invalid("Change the attributes of the patient and those of the study one after the other.")
    if of_patient:
        return _edit_patient(db, study, of_patient, reason=reason, by=by)
    if set(changes) & set(IDENTITY):
        raise Invalid("To change whom a study is of, move it to the patient of the right ID.")
    overlay = changes_of(dict(changes), STUDY)
    shown = _shown(db, study_uid, study["overlay"])
    return _edit(db, study_uid, "studies", study_uid, overlay, shown, reason=reason, by=by)


def edit_series(
    db: Db, series_uid: str, changes: Mapping[str, str | None], *, reason: str, by: access.Person
) -> Correction:
    """Change attributes of a series by keyword; None removes one."""
    access.require(by, "archive.correct", on=series_uid)
    study_uid = store_.existing_series(db, [series_uid]).get(series_uid)
    if study_uid is None:
        raise SeriesNotHeld(f"No series {series_uid} is held.", series=series_uid)
    study = _require_study(db, study_uid)
    row = store_.series_rows(db, study_uid, [series_uid])[0]
    overlay = changes_of(dict(changes), SERIES)
    raw = _read(store_.oldest_metadata(db, series_uid=series_uid))
    shown = apply_overlay(apply_overlay(raw, study["overlay"]), row["overlay"])
    return _edit(db, study_uid, "series", series_uid, overlay, shown, reason=reason, by=by)


def undo(db: Db, correction_id: int, *, by: access.Person) -> Correction:
    """Undo a correction.

    Raises
    ------
    CorrectionRested
        If later corrections rest on it; its message names the first of them.
    """
    access.require(by, "archive.correct", on=str(correction_id))
    row = store_.correction_row(db, correction_id)
    if row is None:
        raise CorrectionNotHeld(f"There is no correction {correction_id}.")
    if row["undone_at"] is not None:
        raise AlreadyUndone(f"Correction {correction_id} was undone before.")
    if row["kind"] not in _RESTING:
        raise Conflict("What was kept apart cannot be put back; reject it or put it in the trash instead.")
    _require_not_rested(db, row)
    study_uids = store_.studies_of_correction(db, correction_id)
    for uid in study_uids:
        store_.lock_study(db, uid)
    store_.change_correction(db, correction_id, {"undone_at": clock.now(), "undone_by": by.id})
    _UNDO.get(row["kind"], _undo_nothing)(db, row)
    for uid in study_uids:
        rebuild_study(db, uid)
    _tell(db, study_uids, correction_id)
    if row["kind"] == MERGE:
        former = row["before"]["patient"]["id"]
        events.publish(db, "PatientsUnmerged", former, other=row["subject"], studies=study_uids)
    audit.record(db, "archive.undo", by=by, on=row["subject"], correction=correction_id, kind=row["kind"])
    return get_correction(db, correction_id)


def get_correction(db: Db, correction_id: int) -> Correction:
    """Return a correction, or refuse."""
    row = store_.correction_row(db, correction_id)
    if row is None:
        raise CorrectionNotHeld(f"There is no correction {correction_id}.")
    return Correction(**row)


def corrections_of(db: Db, study_uid: str) -> list[Correction]:
    """Return the corrections of a study, oldest first, with those that were undone."""
    return [Correction(**row) for row in store_.corrections_of(db, study_uid)]


def new_uid_of(number: int) -> str:
    """Return the UID of a number that is unique in the world (PS3.5 B.2)."""
    return f"2.25.{number}"


def rebuild_study(db: Db, uid: str) -> None:
    """Work out anew what lists show of a study, and how its objects are given out, from objects and facts."""
    study = store_.lock_study(db, uid)
    if study is None or not store_.recount(db, uid, not_images=DERIVED_CLASSES):
        if study is not None:
            store_.drop_patient_without_studies(db, study["patient"])
        return
    facts = store_.corrections_of(db, uid, active=True)
    raw = _read(store_.oldest_metadata(db, study=uid))
    sent = patient_of(Facts(apply_overlay(raw, _fold(facts, "studies", uid, (COERCE,)))), uid)
    overlay = _fold(facts, "studies", uid)
    patient, row = _owner(db, facts, uid, apply_overlay(raw, overlay))
    if _is_given(facts, uid):
        overlay |= patient_overlay(row)
    first = _first_series(db, uid)
    shown = Facts(apply_overlay(apply_overlay(raw, _fold(facts, "series", first)), overlay))
    who = row if _is_given(facts, uid) else patient_of(shown, uid)
    values = {
        "patient": patient,
        **{name: who[name] for name in _PATIENT_COLUMNS},
        **study_of(shown),
        "overlay": overlay or None,
        "sent_as": sent["identity"] if sent["identity"] != row["identity"] else None,
    }
    store_.change_study(db, uid, values)
    for series_row in store_.series_rows(db, uid):
        _rebuild_series(db, series_row, facts, overlay)
    store_.recount(db, uid, not_images=DERIVED_CLASSES)
    if patient != study["patient"]:
        store_.drop_patient_without_studies(db, study["patient"])


def patient_overlay(row: Mapping[str, Any]) -> Overlay:
    """Return what an object given out says of a patient: all of it, what is not known as empty.

    >>> who = {"patient_id": "1", "issuer": "", "name": "A^B", "birth_date": "", "sex": "F"}
    >>> patient_overlay(who)["00100040"]
    {'vr': 'CS', 'Value': ['F']}
    """
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), row["name"].split("="), strict=False)
    name = {group: text for group, text in groups if text}
    return {
        "00100010": {"vr": "PN", "Value": [name]} if name else {"vr": "PN"},
        "00100020": _text("LO", row["patient_id"]),
        "00100021": _text("LO", row["issuer"]) if row["issuer"] else None,
        "00100024": None,
        "00100030": _text("DA", row["birth_date"]),
        "00100040": _text("CS", row["sex"]),
    }


def _text(vr: str, value: str) -> Attributes:
    return {"vr": vr, "Value": [value]} if value else {"vr": vr}


def _rebuild_series(db: Db, row: dict[str, Any], facts: list[dict[str, Any]], of_study: Overlay) -> None:
    overlay = _fold(facts, "series", row["uid"])
    raw = _read(store_.oldest_metadata(db, series_uid=row["uid"]))
    shown = Facts(apply_overlay(apply_overlay(raw, of_study), overlay))
    store_.change_series(db, row["uid"], {**series_of(shown), "overlay": overlay or None})


def _first_series(db: Db, uid: str) -> str:
    rows = store_.series_rows(db, uid)
    return min(rows, key=lambda row: (row["first_received"], row["uid"]))["uid"] if rows else ""


def _fold(facts: Sequence[Mapping[str, Any]], level: str, uid: str, kinds: Sequence[str] = ()) -> Overlay:
    """Return what facts say is different about a study or series, later ones over earlier."""
    overlay: Overlay = {}
    for fact in facts:
        if not kinds or fact["kind"] in kinds:
            overlay |= fact["after"].get(level, {}).get(uid, {})
    return overlay


def _is_given(facts: Sequence[Mapping[str, Any]], uid: str) -> bool:
    """Say whether a fact says whose a study is."""
    return any(uid in fact["after"].get("patients", {}) for fact in facts)


def _owner(
    db: Db, facts: Sequence[Mapping[str, Any]], uid: str, shown: Attributes
) -> tuple[str, dict[str, Any]]:
    """Return id and row of the patient whose study it is: as the last fact says, else as its objects say."""
    for fact in reversed(facts):
        patient = fact["after"].get("patients", {}).get(uid)
        if patient is not None:
            patient = store_.merged_into(db, patient) or patient
            row = store_.patient_row(db, patient)
            if row is not None:
                return patient, row
    said = patient_of(Facts(shown), uid)
    patient = store_.add_patients(db, [said])[said["identity"]]
    row = store_.patient_row(db, patient)
    assert row is not None
    return patient, row


def _edit(
    db: Db, study_uid: str, level: str, uid: str, overlay: Overlay, shown: Attributes, *, reason: str,
    by: access.Person,
) -> Correction:  # fmt: skip
    changed = {tag: element for tag, element in overlay.items() if shown.get(tag) != element}
    if not changed:
        raise NothingToCorrect("The values are already as given.")
    number = _add(
        db,
        EDIT,
        uid,
        reason,
        by,
        before={"values": {tag: shown.get(tag) for tag in changed}},
        after={level: {uid: changed}, "changed": [_keyword(tag) for tag in sorted(changed)]},
        study_uids=[study_uid],
    )
    rebuild_study(db, study_uid)
    return _done(db, number, [study_uid], by)


def _edit_patient(
    db: Db, study: Mapping[str, Any], changes: dict[str, str | None], *, reason: str, by: access.Person
) -> Correction:
    patient = study["patient"]
    before = store_.patient_row(db, patient)
    assert before is not None
    overlay = changes_of(changes, PATIENT)
    columns = _patient_columns(apply_overlay(patient_overlay(before), overlay))
    after = {name: value for name, value in columns.items() if before[name] != value}
    if not after:
        raise NothingToCorrect("The values are already as given.")
    study_uids = store_.studies_of(db, patient)
    number = _add(
        db,
        EDIT,
        patient,
        reason,
        by,
        before={"patient": {name: before[name] for name in after}},
        after={
            "patient": after,
            "patients": dict.fromkeys(study_uids, patient),
            "changed": sorted(changes),
        },
        study_uids=study_uids,
    )
    store_.change_patient(db, patient, after)
    for uid in study_uids:
        rebuild_study(db, uid)
    return _done(db, number, study_uids, by)


def _patient_columns(attributes: Attributes) -> dict[str, Any]:
    row = patient_of(Facts({t: e for t, e in attributes.items() if e is not None}), "")
    return {name: row[name] for name in ("name", "name_norm", "birth_date", "sex")}


def _require_study(db: Db, uid: str) -> dict[str, Any]:
    study = store_.lock_study(db, uid)
    if study is None:
        raise StudyNotHeld(f"No study {uid} is held.", study=uid)
    return study


def _require_series(db: Db, study_uid: str, series_uids: Sequence[str]) -> list[dict[str, Any]]:
    rows = store_.series_rows(db, study_uid, list(series_uids))
    absent = set(series_uids) - {row["uid"] for row in rows}
    if absent:
        uid = min(absent)
        raise SeriesNotHeld(f"The study holds no series {uid}.", series=uid)
    return rows


def _require_not_rested(db: Db, row: Mapping[str, Any]) -> None:
    later = store_.later_corrections(db, row["id"], _RESTING[row["kind"]])
    if row["kind"] == EDIT and "patient" in row["after"]:
        mine = row["after"]["patient"]
        facts = store_.later_corrections(db, row["id"], (EDIT,))
        later = [f for f in facts if mine.keys() & f["after"].get("patient", {}).keys()]
    if row["kind"] == SPLIT:  # what came later about the study that was split only does not rest on it
        later = [f for f in later if row["after"]["to"] in store_.studies_of_correction(db, f["id"])]
    if later:
        raise CorrectionRested(
            f"Correction {later[0]['id']} ({later[0]['kind']}) came later and rests on this; undo it first."
        )


def _undo_merge(db: Db, row: Mapping[str, Any]) -> None:
    old = row["before"]["patient"]
    store_.unmerge(db, row["id"])
    store_.put_patient(db, old)
    store_.point_back(db, row["before"]["former"], old["id"])


def _undo_move(db: Db, row: Mapping[str, Any]) -> None:
    store_.put_patient(db, row["before"]["patient"])


def _undo_split(db: Db, row: Mapping[str, Any]) -> None:
    held = store_.existing_series(db, row["after"]["moved"])
    if held and store_.lock_study(db, row["subject"]) is None:
        study = store_.lock_study(db, row["after"]["to"])
        assert study is not None
        store_.add_study(db, study | {"uid": row["subject"], "overlay": None})
    for uid, study_uid in held.items():
        if study_uid == row["after"]["to"]:
            store_.move_series(db, uid, row["subject"], row["before"]["sent_as"][uid])


def _undo_edit(db: Db, row: Mapping[str, Any]) -> None:
    if "patient" in row["after"]:
        store_.change_patient(db, row["subject"], row["before"]["patient"])


def _undo_nothing(db: Db, row: Mapping[str, Any]) -> None:
    """Nothing but the studies is to be worked out anew."""


_UNDO = {MERGE: _undo_merge, MOVE: _undo_move, SPLIT: _undo_split, EDIT: _undo_edit}


def _add(
    db: Db, kind: str, subject: str, reason: str, by: access.Person, *, before: Any, after: Any,
    study_uids: Sequence[str],
) -> int:  # fmt: skip
    row = {
        "kind": kind,
        "subject": subject,
        "author": by.id,
        "author_name": by.name,
        "at": clock.now(),
        "reason": reason.strip()[:_LONGEST_REASON],
        "before": before,
        "after": after,
    }
    return store_.add_correction(db, row, study_uids)


def record_fact(
    db: Db, kind: str, subject: str, *, after: dict[str, Any], study_uids: Sequence[str], reason: str,
    by: access.Person,
) -> Correction:  # fmt: skip
    """Write a fact that others have worked out, and rebuild what it is about."""
    number = _add(db, kind, subject, reason, by, before={}, after=after, study_uids=study_uids)
    for uid in study_uids:
        rebuild_study(db, uid)
    return _done(db, number, study_uids, by)


def _done(db: Db, number: int, study_uids: Sequence[str], by: access.Person) -> Correction:
    correction = get_correction(db, number)
    _tell(db, study_uids, number)
    audit.record(
        db, "archive.correct", by=by, on=correction.subject,
        correction=number, kind=correction.kind, studies=list(study_uids),
    )  # fmt: skip
    return correction


def _tell(db: Db, study_uids: Sequence[str], number: int) -> None:
    """Tell whoever keeps things by study and patient where each study stands now."""
    for uid in study_uids:
        study = store_.lock_study(db, uid)
        if study is not None:
            events.publish(db, "StudyCorrected", uid, patient=study["patient"], correction=number)
        else:
            events.publish(db, "StudyGone", uid, correction=number)


def _read(packed: bytes | None) -> Attributes:
    attributes: Attributes = json.loads(zlib.decompress(packed)) if packed else {}
    return attributes


def _shown(db: Db, study_uid: str, overlay: Overlay | None) -> Attributes:
    return apply_overlay(_read(store_.oldest_metadata(db, study=study_uid)), overlay)


def _keyword(tag: str) -> str:
    from pydicom.datadict import keyword_for_tag

    return str(keyword_for_tag(int(tag, 16)) or tag)
