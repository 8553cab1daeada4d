"""Objects that disagree with what is held, side by side with it, for a person to decide.

What is decided is recorded and loses nothing: whichever of two objects does not stay goes out of sight, from
where it can be put back.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from uuid import NAMESPACE_OID, uuid5

from pydicom.datadict import keyword_for_tag

from sightline.kernel import clock
from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.record.archive import _store as store_
from sightline.record.archive._corrections import (
    APART,
    give_study,
    new_uid_of,
    record_fact,
)
from sightline.record.archive._editing import text_of
from sightline.record.archive._model import (
    Attributes,
    FrameNotHeld,
    Incoming,
    InstanceNotHeld,
    ObjectInConflict,
    ObjectRefused,
    Page,
    Source,
    Store,
)
from sightline.record.archive._overlay import INSTANCE, SERIES, STUDY, Overlay, apply_overlay
from sightline.record.archive._parse import Facts, Parsed, parse, patient_of
from sightline.record.archive._reading import get_frames, read_frames
from sightline.record.archive._recording import Placed, record
from sightline.record.archive._withheld import (
    DECIDED_AGAINST,
    REJECTED,
    REPLACED,
    TRASHED,
    Act,
    keep_decided_against,
    withhold,
)
from sightline.runtime.blobs import BlobNotHeld
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("archive.decide", "A person decided on an object that disagreed with what is held")

Decision: TypeAlias = Literal["keep-held", "replace", "store-apart", "adopt"]
DECISIONS: Final[tuple[Decision, ...]] = ("keep-held", "replace", "store-apart", "adopt")
_MOST_DIFFERENCES = 50
_LONGEST_SHOWN = 200
# Larger objects are not compared pixel by pixel each time that somebody looks.
_MOST_COMPARED = 16 << 20
# Of the patient, the study and the series: what a person tells objects apart by.
_SHOWN: Final = {
    "patient": ("00100010", "00100020", "00100021", "00100030", "00100040"),
    "series": ("0020000D", "00100020", "00080020", "00080050", "00081030"),
    "content": (),
}
_NOT_COMPARED = frozenset({"00083002", "7FE00010"})


class ConflictNotHeld(NotFound):
    """There is no such conflict."""


class ConflictDecided(Conflict):
    """The conflict was decided before."""


class DecisionImpossible(Invalid):
    """This kind of conflict cannot be decided so; the message says how it can."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An attribute that two objects have different; None where one has it not."""

    tag: str
    keyword: str
    held: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class ConflictView:
    """An object kept aside, what is held in its place, and in what they differ.

    `pixels_differ` is None where they cannot be compared: another transfer syntax, or too much.
    """

    id: int
    study_uid: str
    sop_uid: str
    kind: str
    reason: str
    source: str
    received_at: datetime
    held: dict[str, str | None]
    new: dict[str, str | None]
    differs: tuple[Difference, ...]
    pixels_differ: bool | None


def list_conflicts(
    store: Store, db: Db, *, by: access.Person, study_uid: str = "", limit: int = 50, after: int = 0
) -> Page[ConflictView]:
    """Return open conflicts, oldest first, each with what differs."""
    access.require(by, "archive.read")
    rows = store_.conflicts_page(db, limit=limit + 1, after=after, study=study_uid)
    items = tuple(_view(store, db, row) for row in rows[:limit])
    return Page(items, (str(items[-1].id), "") if len(rows) > limit else None)


def _view(store: Store, db: Db, row: Mapping[str, Any]) -> ConflictView:
    parsed = _parsed_or_none(store, row["blob"])
    new = _unpacked(parsed.instance["metadata_gz"]) if parsed is not None else {}
    held = _held_beside(db, row, new)
    tags = _SHOWN.get(row["kind"], ()) or sorted((held.keys() | new.keys()) - _NOT_COMPARED)
    differs = [
        Difference(tag, str(keyword_for_tag(int(tag, 16)) or ""), _text(held, tag), _text(new, tag))
        for tag in tags
        if held.get(tag) != new.get(tag)
    ]
    return ConflictView(
        **{name: row[name] for name in ("id", "study_uid", "sop_uid", "kind", "reason", "source")},
        received_at=row["received_at"],
        held=_shown(held),
        new=_shown(new),
        differs=tuple(differs[:_MOST_DIFFERENCES]),
        pixels_differ=_pixels_differ(store, row, parsed) if row["kind"] == "content" else None,
    )


def _pixels_differ(store: Store, row: Mapping[str, Any], parsed: Parsed | None) -> bool | None:
    """Compare the frames of the two as they are stored; None where that says nothing."""
    try:
        held = get_frames(store, row["sop_uid"])
    except InstanceNotHeld:
        return None
    if parsed is None or parsed.instance["transfer_syntax"] != held.transfer_syntax:
        return None
    table, frames = parsed.instance["frame_table"], parsed.instance["frames"]
    if (frames or 0) != (held.frames or 0):
        return True
    if held.size > _MOST_COMPARED or not held.frames:
        return None if held.frames else False
    new = replace(held, blob=row["blob"], size=parsed.instance["size"], table=table)
    if not (held.is_addressable and new.is_addressable):
        return None
    try:
        return any(
            read_frames(store, held, (n,)) != read_frames(store, new, (n,)) for n in range(1, held.frames + 1)
        )
    except (BlobNotHeld, FrameNotHeld):
        return None


_LISTED: Final = {
    "name": "00100010",
    "patient_id": "00100020",
    "issuer": "00100021",
    "birth_date": "00100030",
    "sex": "00100040",
    "date": "00080020",
    "accession": "00080050",
    "description": "00081030",
    "study_uid": "0020000D",
    "series_uid": "0020000E",
    "series_description": "0008103E",
    "number": "00200013",
}


def _shown(attributes: Attributes) -> dict[str, str | None]:
    return {name: _text(attributes, tag) for name, tag in _LISTED.items()}


def _text(attributes: Attributes, tag: str) -> str | None:
    element = attributes.get(tag)
    if element is None:
        return None
    values = element.get("Value")
    if element.get("vr") == "SQ" or "InlineBinary" in element or "BulkDataURI" in element:
        return f"{len(values or ())} item(s)" if element.get("vr") == "SQ" else "binary"
    if values and len(values) > 1:
        return "\\".join("" if v is None else str(v) for v in values)[:_LONGEST_SHOWN]
    return (text_of(element) or "")[:_LONGEST_SHOWN]


def _parsed_or_none(store: Store, blob: str) -> Parsed | None:
    """Return an object that was kept aside; None when its bytes are gone."""
    try:
        return _parsed(store, blob)
    except (ObjectRefused, BlobNotHeld):
        return None


def _parsed(store: Store, blob: str) -> Parsed:
    content: bytes | Path = store.blobs.open_local_path(blob) or store.blobs.get(blob)
    return parse(Incoming(blob, content), store.settings)


def _unpacked(packed: bytes) -> Attributes:
    attributes: Attributes = json.loads(zlib.decompress(packed))
    return attributes


def _held_beside(db: Db, row: Mapping[str, Any], new: Attributes) -> Attributes:
    """Return the DICOM JSON of what is held in the place of the new object."""
    series = text_of(new.get(SERIES)) or ""
    packed, overlay = store_.metadata_beside(
        db, row["kind"], sop_uid=row["sop_uid"], series_uid=series, study=row["study_uid"]
    )
    return apply_overlay(_unpacked(packed), overlay) if packed else {}


def decide_conflict(
    store: Store, conflict_id: int, decision: Decision, *, reason: str, by: access.Person
) -> str:
    """Decide on an object that was kept aside; return the UID under which it is held now, empty if it is not.

    ``keep-held`` puts the new object in the trash. ``replace`` has it held: in place of the other, which then
    counts as rejected; or, where only the patient differs, by giving the held study to the new patient.
    ``store-apart`` has it held beside the other under UIDs of its own, ``adopt`` has it held as what the held
    study or series says that it is.
    """
    access.require(by, "archive.correct", on=str(conflict_id))
    if decision not in DECISIONS:
        raise DecisionImpossible(f"A conflict is decided with one of {', '.join(DECISIONS)}.")
    with store.database.reading() as db:
        blob = _open_conflict(db, conflict_id)["blob"]
    parsed = _parsed(store, blob)
    with store.database.transaction() as db:
        row = _open_conflict(db, conflict_id, lock=True)
        decided = {"decision": decision, "decided_by": by.id, "note": reason[:1000]}
        store_.resolve_conflict(db, conflict_id, decided | {"resolved_at": clock.now()})
        case = _Case(store, db, row, parsed, reason, by)
        uid = _DECIDE[decision](case)
        audit.record(
            db, "archive.decide", by=by, on=row["study_uid"],
            sop_uid=row["sop_uid"], kind=row["kind"], decision=decision,
        )  # fmt: skip
    return uid


def _open_conflict(db: Db, conflict_id: int, *, lock: bool = False) -> dict[str, Any]:
    row = store_.conflict_row(db, conflict_id, lock=lock)
    if row is None:
        raise ConflictNotHeld(f"There is no conflict {conflict_id}.")
    if row["resolved_at"] is not None:
        raise ConflictDecided(f"Conflict {conflict_id} was decided before ({row['decision']}).")
    return row


@dataclass(frozen=True, slots=True)
class _Case:
    """A conflict that is being decided."""

    store: Store
    db: Db
    row: Mapping[str, Any]
    parsed: Parsed
    reason: str
    by: access.Person

    def hold(self, parsed: Parsed) -> str:
        """Have the object held as `parsed` says."""
        source = Source("internal", "decision on a conflict", self.by)
        placed = Placed(replace(parsed, content=b""), self.row["blob"], source, self.row["received_at"])
        outcome = record(self.db, [placed])[0]
        if outcome.status != "stored":
            raise ObjectInConflict(
                f"It still disagrees with what is held ({outcome.code}); decide otherwise.",
                instance=parsed.sop_uid,
            )
        return parsed.sop_uid


def _keep_held(case: _Case) -> str:
    p = case.parsed
    row = {
        "sop_uid": p.sop_uid, "study": p.study_uid, "series": p.series_uid, "blob": case.row["blob"],
        "received_at": case.row["received_at"].isoformat(),
        **{k: v for k, v in p.instance.items() if k not in {"metadata_gz", "frame_table"}},
    }  # fmt: skip
    now = clock.now()
    keep_decided_against(
        case.db,
        {
            **{name: row[name] for name in ("sop_uid", "study", "series", "blob", "hash", "size")},
            "metadata_gz": p.instance["metadata_gz"],
            "frame_table": p.instance["frame_table"],
            "patient": "",
            "kind": TRASHED,
            "code": DECIDED_AGAINST,
            "note": case.reason[:1000],
            "author": case.by.id,
            "author_name": case.by.name,
            "at": now,
            "purge_after": now + timedelta(days=case.store.settings.trash_days),
            "row": row,
        },
        {
            "patient": {"id": "", **p.patient},
            "study": {"modalities": p.series.get("modality", ""), **p.study},
        },
    )
    return ""


def _replace(case: _Case) -> str:
    if case.row["kind"] == "content":
        home = store_.homes_of(case.db, [case.parsed.sop_uid])
        if home:
            act = Act(REJECTED, case.by, code=REPLACED, note=case.reason)
            withhold(case.db, home[0]["study"], act, sop_uids=[case.parsed.sop_uid])
        return case.hold(case.parsed)
    if case.row["kind"] == "patient":
        study = store_.lock_study(case.db, case.parsed.study_uid)
        if study is not None:
            give_study(case.db, study, case.parsed.patient, reason=case.reason, by=case.by)
        return case.hold(case.parsed)
    raise DecisionImpossible(
        "A series is held in another study: adopt the object into it, store it apart, or keep what is held."
    )


def _adopt(case: _Case) -> str:
    """Have the object held as the study or series has it that it belongs to."""
    p = case.parsed
    if case.row["kind"] == "patient":
        study = store_.lock_study(case.db, p.study_uid)
        if study is None:
            return case.hold(p)
        patient = store_.patient_row(case.db, study["patient"])
        assert patient is not None
        columns = {k: v for k, v in patient.items() if k != "id"}
        # From now on all objects of the study are given out as this patient's.
        give_study(case.db, study, columns, reason=case.reason, by=case.by, same=True)
        return case.hold(replace(p, patient=columns))
    if case.row["kind"] == "series":
        home = store_.existing_series(case.db, [p.series_uid]).get(p.series_uid)
        if home is None:
            return case.hold(p)
        uid = case.hold(replace(p, study_uid=home))
        _say(case, {"series": {p.series_uid: {STUDY: _uid(home)}}}, home)
        return uid
    raise DecisionImpossible("Two objects of one UID cannot both be it: store it apart, or choose one.")


def _store_apart(case: _Case) -> str:
    """Have the object held beside the other: under a new UID of its own, its series' or its study's."""
    p, kind = case.parsed, case.row["kind"]
    after: dict[str, Any] = {"series": {}, "studies": {}}
    overlay: Overlay = {}
    if kind == "content":
        sop_uid = _derived(p.sop_uid, p.hash)
        overlay[INSTANCE] = _uid(sop_uid)
        series = _derived(p.series_uid, p.hash)
        study = store_.existing_series(case.db, [p.series_uid]).get(p.series_uid, p.study_uid)
    else:
        sop_uid, apart_from = p.sop_uid, p.patient["identity"] if kind == "patient" else p.study_uid
        series = _derived(p.series_uid, apart_from)
        study = _derived(p.study_uid, apart_from) if kind == "patient" else p.study_uid
    overlay[SERIES] = _uid(series)
    if study != p.study_uid:
        overlay[STUDY] = _uid(study)
        if kind == "patient":
            after["studies"] = {study: {STUDY: _uid(study)}}
    after["series"] = {series: overlay}
    apart = replace(p, sop_uid=sop_uid, series_uid=series, study_uid=study)
    if kind == "patient" and not p.patient["patient_id"]:
        apart = replace(apart, patient=patient_of(Facts(_unpacked(p.instance["metadata_gz"])), study))
    uid = case.hold(apart)
    _say(case, after, study)
    return uid


def _say(case: _Case, after: dict[str, Any], study_uid: str) -> None:
    record_fact(
        case.db, APART, case.row["sop_uid"],
        after=after, study_uids=[study_uid], reason=case.reason, by=case.by,
    )  # fmt: skip


def _uid(value: str) -> Attributes:
    return {"vr": "UI", "Value": [value]}


def _derived(uid: str, apart_from: str) -> str:
    """Return a UID that is always the same for the same: the objects of one series stay together."""
    return new_uid_of(uuid5(NAMESPACE_OID, f"sightline apart {uid} {apart_from}").int)


_DECIDE = {"keep-held": _keep_held, "replace": _replace, "store-apart": _store_apart, "adopt": _adopt}
