"""What comes follows what was corrected: moved series, merged and corrected patients, rejected objects."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sightline.record.archive import _store as store_
from sightline.record.archive._corrections import COERCE, rebuild_study
from sightline.record.archive._editing import changed_attributes, split_levels
from sightline.record.archive._parse import Parsed
from sightline.runtime import events
from sightline.runtime.db import Db

KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"


def follow(db: Db, parsed: Sequence[Parsed]) -> list[Parsed]:
    """Return objects as what was corrected has them: under the study of a moved series, of a merged patient.

    What nothing was corrected of stays the same.
    """
    moved = store_.moved_series(db, {p.series_uid for p in parsed})
    placed = [_in_study(p, moved) for p in parsed]
    known = store_.senders_patients(db, {p.study_uid for p in placed})
    return [_of_patient(p, known) for p in placed]


def _in_study(p: Parsed, moved: dict[str, tuple[str, str]]) -> Parsed:
    sent_as, study = moved.get(p.series_uid, ("", ""))
    return replace(p, study_uid=study) if study and p.study_uid == sent_as else p


def _of_patient(p: Parsed, known: dict[str, tuple[str, dict[str, Any]]]) -> Parsed:
    identity, patient = known.get(p.study_uid, ("", {}))
    if not patient or p.patient["identity"] == patient["identity"]:
        return p
    # Without an ID, a patient's identity is their study: that by which the sender calls it.
    same = identity == p.patient["identity"] or not p.patient["patient_id"]
    return replace(p, patient=patient) if same else p


def adopt(db: Db, new: Sequence[Any], fresh_studies: set[str]) -> None:
    """Have studies that have just come be what was said before: of a merged patient, corrected, coerced."""
    _note_coercions(db, new)
    if not fresh_studies:
        return
    identities = {
        i.parsed.study_uid: i.parsed.patient["identity"] for i in new if i.parsed.study_uid in fresh_studies
    }
    merged = store_.merges_under(db, identities.values())
    changed = store_.corrected(db, fresh_studies)
    for uid, identity in sorted(identities.items()):
        merge = merged.get(identity)
        if merge is not None:
            _join_merge(db, uid, merge)
        if merge is not None or uid in changed:
            rebuild_study(db, uid)


def _join_merge(db: Db, uid: str, merge: dict[str, Any]) -> None:
    """Say that a merge is about a study that came after it, too."""
    fact = store_.correction_row(db, merge["correction"])
    if fact is None or fact["undone_at"] is not None:
        return
    after = fact["after"]
    after["patients"] = {**after["patients"], uid: fact["subject"]}
    store_.change_correction(db, fact["id"], {"after": after})
    store_.link_studies(db, fact["id"], [uid])
    events.publish(db, "StudyCorrected", uid, patient=merge["patient"], correction=fact["id"])


def _note_coercions(db: Db, new: Sequence[Any]) -> None:
    """Write one fact a study of what rules changed at the door, with the part of each series."""
    by_study: dict[str, list[Any]] = defaultdict(list)
    for item in new:
        if item.parsed.overlay:
            by_study[item.parsed.study_uid].append(item)
    for uid, items in sorted(by_study.items()):
        if _add_coercion(db, uid, items):
            rebuild_study(db, uid)


def _add_coercion(db: Db, uid: str, items: Sequence[Any]) -> bool:
    """Add to the fact of a study, or make it; say whether that said anything new."""
    of_study: dict[str, Any] = {}
    of_series: dict[str, Any] = {}
    for item in reversed(items):  # the first of a study counts
        study, series = split_levels(item.parsed.overlay)
        of_study |= study
        of_series.setdefault(item.parsed.series_uid, {}).update(series)
    fact = next((f for f in store_.corrections_of(db, uid) if f["kind"] == COERCE), None)
    before = fact["after"] if fact else {}
    if fact is not None and fact["undone_at"] is not None:
        return False
    after: dict[str, Any] = {
        "studies": {uid: {**of_study, **before.get("studies", {}).get(uid, {})}},
        "series": {**of_series, **before.get("series", {})},
    }
    tags = {
        t
        for part in (*after["studies"].values(), *after["series"].values())
        for t in changed_attributes(part)
    }
    after["changed"] = sorted(tags)
    if after == before:
        return False
    if fact is not None:
        store_.change_correction(db, fact["id"], {"after": after})
        return True
    by, at = items[0].source.person, items[0].at
    row = {
        "kind": COERCE, "subject": uid, "author": by.id, "author_name": by.name, "at": at,
        "reason": f"rules for what {items[0].source.name} sends", "before": {}, "after": after,
    }  # fmt: skip
    store_.add_correction(db, row, [uid])
    return True
