"""Rejection notes: key objects that reject what they reference, once they have come (IHE RAD TF-2 4.66)."""

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sightline.record.archive import _store as store_
from sightline.record.archive._model import Attributes
from sightline.record.archive._withheld import NOTE, REJECTED, REJECTION_REASONS, Act, withhold
from sightline.runtime.db import Db
from sightline.trust import access, audit

KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
# The source of notes that are written with the rejection itself; all others are applied, recovered ones too.
OWN = "rejection"
KEY_OBJECT_DESCRIPTION = ("113012", "DCM", "Key Object Description")


def reject_instances(
    db: Db,
    study_uid: str,
    sop_uids: Sequence[str],
    code: str,
    note: str,
    note_uid: str,
    by: access.Person,
    purge_after: datetime | None = None,
) -> int:
    """Take instances of a study out of sight because of a note; return how many."""
    act = Act(REJECTED, by, code=code, note=note, note_uid=note_uid, purge_after=purge_after)
    return len(withhold(db, study_uid, act, sop_uids=sop_uids))


def set_note_aside(db: Db, study_uid: str, note_uid: str, by: access.Person) -> None:
    """Take a note out of the lists where it would be all that is left of its study."""
    if not store_.holds_others(db, study_uid, KEY_OBJECTS):
        withhold(db, study_uid, Act(NOTE, by, code="alone"), sop_uids=[note_uid])


def apply_notes(db: Db, arrived: Iterable[Any]) -> None:
    """Reject what rejection notes that have just come reference; other key objects mean nothing here.

    Peers are trusted to reject what they may store; a person needs the permission.
    """
    for item in arrived:
        if item.parsed.instance["sop_class"] != KEY_OBJECTS or item.source.name == OWN:
            continue
        attributes = json.loads(zlib.decompress(item.parsed.instance["metadata_gz"]))
        code = _code(attributes.get("0040A043"))
        by = item.source.person
        if code not in REJECTION_REASONS or not (
            item.source.kind == "dimse" or access.allowed(by, "archive.reject")
        ):
            continue
        rejected = _apply(db, attributes, code, item.parsed.sop_uid, by)
        set_note_aside(db, item.parsed.study_uid, item.parsed.sop_uid, by)
        audit.record(
            db, "archive.reject", by=by, on=item.parsed.study_uid,
            code=code, instances=rejected, note=item.parsed.sop_uid,
        )  # fmt: skip


def _apply(db: Db, attributes: Attributes, code: str, note_uid: str, by: access.Person) -> int:
    by_study: dict[str, list[str]] = defaultdict(list)
    for row in store_.homes_of(db, _references(attributes)):
        by_study[row["study"]].append(row["sop_uid"])
    note = _description(attributes)
    return sum(
        reject_instances(db, uid, sops, code, note, note_uid, by) for uid, sops in sorted(by_study.items())
    )


def _references(attributes: Attributes) -> list[str]:
    """Return the instances that the evidence of a key object selection names (PS3.3 C.17.2)."""
    found = []
    for study in _items(attributes, "0040A375"):
        for series in _items(study, "00081115"):
            for instance in _items(series, "00081199"):
                found += [str(v) for v in instance.get("00081155", {}).get("Value") or () if v]
    return found


def _items(attributes: Mapping[str, Any], tag: str) -> list[Attributes]:
    return [item for item in attributes.get(tag, {}).get("Value") or () if isinstance(item, dict)]


def _code(sequence: Attributes | None) -> str:
    items = (sequence or {}).get("Value") or [{}]
    scheme = (items[0].get("00080102", {}).get("Value") or [""])[0]
    value = (items[0].get("00080100", {}).get("Value") or [""])[0]
    return str(value) if scheme == "DCM" else ""


def _description(attributes: Attributes) -> str:
    for item in _items(attributes, "0040A730"):
        if _code(item.get("0040A043")) == KEY_OBJECT_DESCRIPTION[0]:
            return str((item.get("0040A160", {}).get("Value") or [""])[0])
    return ""
