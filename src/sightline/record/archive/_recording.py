"""The rows of what was taken in: decided and written in the caller's transaction.

Whoever took the bytes in, one at a time or many, the same rules say what becomes of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from sightline.kernel import clock
from sightline.record.archive import _store as store_
from sightline.record.archive._completeness import note_receipts
from sightline.record.archive._following import adopt, follow
from sightline.record.archive._model import DERIVED_CLASSES, Outcome, Source, Status
from sightline.record.archive._notes import apply_notes
from sightline.record.archive._parse import Parsed
from sightline.record.archive._search_index import index_attributes
from sightline.runtime.db import Db
from sightline.trust import audit

audit.declare("archive.store", "Images or other DICOM objects were stored in a study")
audit.declare("archive.conflict", "An object that disagrees with what is held was kept aside")

RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Placed:
    """An object whose bytes are durable under `blob`."""

    parsed: Parsed
    blob: str
    source: Source
    at: datetime

    def without_content(self) -> "Placed":
        """Return it without the bytes in memory, which the row does not need."""
        return replace(self, parsed=replace(self.parsed, content=b""))


@dataclass(frozen=True, slots=True)
class State:
    """What is held under the UIDs of a batch: each study's patient, series' study, instance's hash."""

    owners: dict[str, tuple[str, str]]
    homes: dict[str, str]
    held: dict[str, str]
    rejected: frozenset[str] | set[str] = frozenset()

    def decide(self, p: Parsed) -> Outcome:
        """Say what becomes of an object, and remember it for the ones after it."""
        held = self.held.get(p.sop_uid)
        if held == p.hash:
            return outcome_of(p, "held")
        if held is not None:
            return _aside(p, "content", "Another object is held under this SOP Instance UID.")
        if p.sop_uid in self.rejected:
            return refuse_rejected(p)
        if self.homes.get(p.series_uid, p.study_uid) != p.study_uid:
            return _aside(p, "series", "Its series is held in another study.")
        owner = p.patient["issuer"], p.patient["patient_id"]
        if not _is_same_patient(self.owners.setdefault(p.study_uid, owner), owner):
            return _aside(p, "patient", "Its study is held for another patient.")
        self.held[p.sop_uid] = p.hash
        self.homes[p.series_uid] = p.study_uid
        return outcome_of(p, "stored")


def state_of(db: Db, parsed: Sequence[Parsed]) -> State:
    """Read what is held under the UIDs of the objects."""
    return State(
        owners=store_.owners_of_studies(db, [p.study_uid for p in parsed]),
        homes=store_.studies_of_series(db, [p.series_uid for p in parsed]),
        held={k: v[0] for k, v in store_.known_instances(db, [p.sop_uid for p in parsed]).items()},
        rejected=store_.rejected_instances(db, [p.sop_uid for p in parsed]),
    )


def record(db: Db, placed: Sequence[Placed]) -> list[Outcome]:
    """Return the outcome of each object, having written its row; what is not new writes none."""
    if not placed:
        return []
    store_.lock_series(db, [item.parsed.series_uid for item in placed])
    placed = follow_placed(db, placed)
    state = state_of(db, [item.parsed for item in placed])
    known = set(state.owners) | set(state.homes)
    outcomes = [state.decide(item.parsed) for item in placed]
    pairs = list(zip(placed, outcomes, strict=True))
    new = [item for item, outcome in pairs if outcome.status == "stored"]
    aside = [(item, outcome) for item, outcome in pairs if outcome.status == "conflict"]
    if new:
        _add_parents(db, new, known)
        _add_instances(db, new)
        _grow(db, new)
        index_attributes(db, [item.parsed for item in new])
        note_receipts(db, new)
        adopt(db, new, {i.parsed.study_uid for i in new} - known)
    _add_conflicts(db, aside)
    note_refusals(db, [(o, item.source, item.at) for item, o in pairs if o.status == "refused"])
    apply_notes(db, new)
    _audit(db, new, aside)
    return outcomes


def follow_placed(db: Db, placed: Sequence[Placed]) -> list[Placed]:
    """Return objects as what was corrected has them."""
    followed = follow(db, [item.parsed for item in placed])
    return [replace(item, parsed=p) for item, p in zip(placed, followed, strict=True)]


def note_refusals(db: Db, refused: Iterable[tuple[Outcome, Source, datetime]]) -> None:
    """Keep what was refused and why."""
    rows = [
        {
            "at": at,
            "source_kind": source.kind,
            "source": source.name,
            "code": o.code,
            "reason": o.reason,
            "study_uid": o.study_uid or None,
        }
        for o, source, at in refused
    ]
    if rows:
        db.execute(insert(store_.refusals), rows)


def outcome_of(parsed: Parsed, status: Status, reason: str = "", code: str = "") -> Outcome:
    """Return the outcome of an object that could be read."""
    return Outcome(
        status,
        parsed.name,
        parsed.sop_uid,
        parsed.instance["sop_class"],
        parsed.study_uid,
        parsed.series_uid,
        reason,
        code,
        coerced=bool(parsed.overlay),
    )


def refuse_rejected(parsed: Parsed) -> Outcome:
    """Refuse an object that was rejected here."""
    words = "It was rejected here and is not taken again. Restore it in the archive if that was wrong."
    return outcome_of(parsed, "refused", words, "rejected")


def _add_parents(db: Db, new: Sequence[Placed], known: set[str]) -> None:
    """Add the studies and series that are not `known`; those another process has just added stay."""
    of_study = {i.parsed.study_uid: i for i in reversed(new) if i.parsed.study_uid not in known}
    patients = store_.add_patients(db, [i.parsed.patient for i in of_study.values()]) if of_study else {}
    of_series = {i.parsed.series_uid: i for i in reversed(new) if i.parsed.series_uid not in known}
    rows = [_study_row(of_study[uid], patients) for uid in sorted(of_study)]
    store_.insert_new(db, store_.studies, rows)
    store_.insert_new(db, store_.series, [_series_row(of_series[uid]) for uid in sorted(of_series)])


def _series_row(item: Placed) -> dict[str, Any]:
    p = item.parsed
    zero = dict.fromkeys(("instance_count", "frame_count", "bytes", "generation"), 0)
    times = {"first_received": item.at, "last_received": item.at}
    return {"uid": p.series_uid, "study": p.study_uid, **p.series, **zero, **times}


def _study_row(item: Placed, patients: dict[str, str]) -> dict[str, Any]:
    p = item.parsed
    shown = ("patient_id", "name", "name_norm", "birth_date", "sex")
    return {
        "uid": p.study_uid,
        "patient": patients[p.patient["identity"]],
        **{name: p.patient[name] for name in shown},
        **p.study,
        "body_part": p.series["body_part"],
        "modalities": "",
        **dict.fromkeys(("series_count", "instance_count", "image_count", "bytes"), 0),
        "simulated": p.simulated,
        "first_received": item.at,
        "last_received": item.at,
    }


def _add_instances(db: Db, new: Sequence[Placed]) -> None:
    rows = [
        {
            "sop_uid": i.parsed.sop_uid,
            "series": i.parsed.series_uid,
            "study": i.parsed.study_uid,
            "blob": i.blob,
            "received_at": i.at,
            **i.parsed.instance,
        }
        for i in new
    ]
    db.execute(_ADD_INSTANCE, rows)


_ADD_INSTANCE = insert(store_.instances)


def _grow(db: Db, new: Sequence[Placed]) -> None:
    of_series: dict[str, list[Placed]] = defaultdict(list)
    of_study: dict[str, list[Placed]] = defaultdict(list)
    for item in new:
        of_series[item.parsed.series_uid].append(item)
        of_study[item.parsed.study_uid].append(item)
    opened = store_.grow_series(db, {uid: _growth(items) for uid, items in of_series.items()})
    store_.grow_studies(db, {uid: _growth(items) for uid, items in of_study.items()}, opened)


def _growth(items: Sequence[Placed]) -> store_.Growth:
    members = [i.parsed for i in items]
    return store_.Growth(
        now=max(i.at for i in items),
        instances=len(members),
        size=sum(m.instance["size"] for m in members),
        frames=sum(m.instance["frames"] or 0 for m in members),
        images=sum(_is_picture(m) for m in members),
        modalities=frozenset(m.series["modality"] for m in members) - {""},
        body_part=next((m.series["body_part"] for m in members if m.series["body_part"]), ""),
        simulated=any(m.simulated for m in members),
        # What we write ourselves must not make a study look as if it were still arriving.
        unsettle=any(i.source.kind != "internal" or i.source.name == RECOVERY for i in items),
    )


def _add_conflicts(db: Db, aside: Sequence[tuple[Placed, Outcome]]) -> None:
    rows = [
        {
            "sop_uid": item.parsed.sop_uid,
            "study_uid": item.parsed.study_uid,
            "kind": outcome.code,
            "reason": outcome.reason,
            "hash": item.parsed.hash,
            "blob": item.blob,
            "source": f"{item.source.kind}:{item.source.name}",
            "received_at": item.at,
        }
        for item, outcome in aside
    ]
    store_.insert_new(db, store_.conflicts, rows)


def _audit(db: Db, new: Sequence[Placed], aside: Sequence[tuple[Placed, Outcome]]) -> None:
    """Tell the trail, last of all: from here until the commit nobody else can write to it."""
    counts: dict[tuple[str, str, str], list[Placed]] = defaultdict(list)
    for item in new:
        counts[item.parsed.study_uid, item.source.kind, item.source.name].append(item)
    now = clock.now()
    audit.record_all(
        db,
        [
            audit.Deed(
                "archive.store", items[0].source.person, uid, now, {"source": kind, "instances": len(items)}
            )
            for (uid, kind, _), items in sorted(counts.items())
        ],
    )
    for item, outcome in aside:
        audit.record(
            db,
            "archive.conflict",
            by=item.source.person,
            on=item.parsed.study_uid,
            source=item.source.kind,
            sop_uid=item.parsed.sop_uid,
            kind=outcome.code,
        )


def _is_same_patient(owner: tuple[str, str], other: tuple[str, str]) -> bool:
    """Say whether an object may be of the study's patient: senders leave out the issuer, or even the id."""
    issuers = {owner[0], other[0]} - {""}
    return not other[1] or (owner[1] == other[1] and len(issuers) < 2)


def _is_picture(parsed: Parsed) -> bool:
    """Say whether an object has pixels of the patient; what was derived from them has pixels of its own."""
    return parsed.instance["frames"] is not None and parsed.instance["sop_class"] not in DERIVED_CLASSES


def _aside(p: Parsed, kind: str, what: str) -> Outcome:
    return outcome_of(
        p, "conflict", f"{what} It was kept aside for a person to decide; what is held is unchanged.", kind
    )
