"""Taking objects in: bytes first, rows after, each batch in one transaction.

A batch is parsed while the one before it is being synced. Bytes that are on the disk without a row (the
process was killed in between) are found again by `recover`, for their key says when they came.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError, OperationalError

from sightline.kernel import clock
from sightline.record.archive import _store as store_
from sightline.record.archive._model import Incoming, ObjectRefused, Outcome, Source, Store
from sightline.record.archive._parse import Parsed, parse
from sightline.record.archive._sameness import is_same_object
from sightline.runtime import logs
from sightline.runtime.blobs import BlobNotHeld, StoreFull, StoreUnavailable
from sightline.runtime.db import Db
from sightline.trust import access, audit

BATCH_COUNT = 100
BATCH_BYTES = 64 << 20
# A row follows its bytes within seconds; an hour is generous, and what is looked at twice changes nothing.
RECOVERY_MARGIN = timedelta(hours=1)

audit.declare("archive.store", "Images or other DICOM objects were stored in a study")
audit.declare("archive.conflict", "An object that disagrees with what is held was kept aside")


@dataclass(frozen=True, slots=True)
class _Placed:
    """An object whose bytes are durable under `blob`."""

    parsed: Parsed
    blob: str


_Item = Parsed | Outcome

# Segmentation, label map, parametric map, dose: PS3.4 table B.5-1.
DERIVED_CLASSES = frozenset(f"1.2.840.10008.5.1.4.1.1.{part}" for part in ("66.4", "66.7", "30", "481.2"))


def take_in(store: Store, items: Iterable[Incoming], source: Source, *, study_uid: str = "") -> list[Outcome]:
    """Take objects in and return what became of each, in order.

    When this returns, every outcome that says stored, held or conflict is durable. Storing again what is held
    changes nothing; another object under a held UID is kept aside and never overwrites. With `study_uid`,
    what belongs to another study is refused.
    """
    return list(take_in_stream(store, items, source, study_uid=study_uid))


def take_in_stream(
    store: Store, items: Iterable[Incoming], source: Source, *, study_uid: str = ""
) -> Iterator[Outcome]:
    """Do as `take_in`, telling each outcome as soon as its batch is durable."""
    access.require(source.person, "archive.store")
    pending: Future[list[Outcome]] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="intake") as writer:
        for batch in _batches(_parse_all(store, items, study_uid)):
            if pending is not None:
                yield from pending.result()
            pending = writer.submit(_keep, store, batch, source)
        if pending is not None:
            yield from pending.result()


def take_in_one(store: Store, item: Incoming, source: Source) -> Outcome:
    """Take one object in, without the pipeline of many."""
    access.require(source.person, "archive.store")
    return _keep(store, list(_parse_all(store, [item])), source)[0]


def recover(store: Store, *, everything: bool = False) -> int:
    """Write the rows of bytes that a killed process had acknowledged or was about to; return how many.

    Only the hours since the newest row are looked at, unless `everything` is asked for (after the database
    was restored from an older copy). Call it at every start before anything is served.
    """
    source = Source("internal", "recovery", access.SYSTEM)
    recovered = 0
    for keys in _chunks(_unknown_keys(store, everything), BATCH_COUNT):
        outcomes = [_recover_one(store, key, source) for key in keys]
        recovered += sum(o.status in {"stored", "conflict"} for o in outcomes)
    return recovered


def _unknown_keys(store: Store, everything: bool) -> Iterator[str]:
    with store.database.reading() as db:
        newest = None if everything else store_.last_received(db)
    for keys in _chunks(_keys_since(store, newest), 1000):
        with store.database.reading() as db:
            known = store_.known_blobs(db, keys)
        yield from (key for key in keys if key not in known)


def _keys_since(store: Store, newest: datetime | None) -> Iterator[str]:
    if newest is None:
        yield from store.blobs.list("instances/")
        return
    hour, end = newest - RECOVERY_MARGIN, clock.now() + RECOVERY_MARGIN
    while hour < end:
        yield from store.blobs.list(_partition(hour))
        hour += timedelta(hours=1)


def _recover_one(store: Store, key: str, source: Source) -> Outcome:
    content: bytes | Path = store.blobs.open_local_path(key) or store.blobs.get(key)
    try:
        parsed = parse(Incoming(key, content), store.settings)
    except ObjectRefused as error:
        return Outcome("refused", key, reason=str(error), code=error.reason)
    with store.database.transaction() as db:
        outcome = _Batch(db, source, clock.now(), unsettle=True).record([_Placed(parsed, key)])[0]
    if outcome.status == "held":  # the same object came twice in two hours; its row names the other copy
        store.blobs.delete(key)
    return outcome


def _parse_all(store: Store, items: Iterable[Incoming], study_uid: str = "") -> Iterator[_Item]:
    for item in items:
        try:
            parsed = parse(_owned(store, item), store.settings)
            if study_uid and parsed.study_uid != study_uid:
                raise ObjectRefused("other-study", "It belongs to another study than it was sent to.")
            yield parsed
        except ObjectRefused as error:
            if item.ours and isinstance(item.content, Path):
                item.content.unlink(missing_ok=True)
            yield Outcome("refused", item.name, reason=str(error), code=error.reason)


def _owned(store: Store, item: Incoming) -> Incoming:
    """Return the item with bytes that nobody can change while we work: read, or copied when they are many."""
    if item.ours or not isinstance(item.content, Path):
        return item
    try:
        size = item.content.stat().st_size
        if size <= BATCH_BYTES:
            return Incoming(item.name, item.content.read_bytes(), ours=True)
        if size > store.settings.max_instance_mib << 20:
            return item  # is refused by its size alone
        copy = store.blobs.scratch() / f"copy-{uuid4().hex}"
        with item.content.open("rb") as read, copy.open("xb") as write:
            while piece := read.read(1 << 20):
                write.write(piece)
        return Incoming(item.name, copy, ours=True)
    except OSError as error:
        raise ObjectRefused(
            "unreadable", f"The file cannot be read ({error.strerror}). Check its rights."
        ) from None


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    batch: list[_Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += item.instance["size"] if isinstance(item, Parsed) else 0
        if len(batch) >= BATCH_COUNT or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _chunks(items: Iterable[str], size: int) -> Iterator[list[str]]:
    chunk: list[str] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _keep(store: Store, items: Sequence[_Item], source: Source) -> list[Outcome]:
    """Make the bytes durable, then their rows; return the outcome of each item in order."""
    now = clock.now()
    parsed = [item for item in items if isinstance(item, Parsed)]
    refused = [item for item in items if isinstance(item, Outcome)]
    try:
        placed = _place(store, parsed, now)
        done = iter(_write_rows(store, placed, refused, source, now))
    except (StoreFull, StoreUnavailable) as error:
        done = iter([_outcome(p, "refused", str(error), error.code) for p in parsed])
    finally:
        for item in parsed:
            if item.ours and isinstance(item.content, Path):
                item.content.unlink(missing_ok=True)
    outcomes = [item if isinstance(item, Outcome) else next(done) for item in items]
    for outcome in outcomes:
        logs.instances_total.labels(source.kind, outcome.status).inc()
    return outcomes


def _write_rows(
    store: Store, placed: Sequence[_Placed], refused: Sequence[Outcome], source: Source, now: datetime
) -> list[Outcome]:
    """Write the rows of a batch; when another process wrote the same at this moment, decide again."""
    for attempt in range(3):
        try:
            with store.database.transaction() as db:
                _note_refusals(db, refused, source, now)
                # What we write ourselves must not make a study look as if it were still arriving.
                return _Batch(db, source, now, unsettle=source.kind != "internal").record(placed)
        except IntegrityError:
            if attempt == 2:
                raise
        except OperationalError as error:
            raise StoreUnavailable(
                "The database cannot be written; nothing was stored. Free space; send again."
            ) from error
    raise AssertionError("unreachable")


def _place(store: Store, parsed: Sequence[Parsed], now: datetime) -> list[_Placed]:
    """Put the bytes of what is new; what is held already keeps the place it has."""
    with store.database.reading() as db:
        known = store_.known_instances(db, [p.sop_uid for p in parsed])
    placed, new = [], {}
    for given in parsed:
        held_hash, held_blob = known.get(given.sop_uid, ("", ""))
        item = _settled_hash(store, given, held_hash, held_blob)
        if held_hash == item.hash and _is_there(store, held_blob):
            placed.append(_Placed(item, held_blob))
            continue
        key = held_blob if held_hash == item.hash else f"{_partition(now)}{item.hash}.dcm"
        placed.append(_Placed(item, key))
        new[key] = item
    if len(new) == 1:
        (key, item), *_ = new.items()
        store.blobs.put_if_absent(key, item.content, move=item.ours and isinstance(item.content, Path))
        return placed
    files = [(key, item.content) for key, item in new.items() if isinstance(item.content, Path) and item.ours]
    store.blobs.put_many(files, move=True)
    store.blobs.put_many([(k, item.content) for k, item in new.items() if not isinstance(item.content, Path)])
    return placed


def _settled_hash(store: Store, item: Parsed, held_hash: str, held_blob: str) -> Parsed:
    """Return the item under the held hash when it is the held object in another transfer syntax."""
    if not held_hash or held_hash == item.hash or item.instance["size"] > BATCH_BYTES:
        return item
    content = item.content if isinstance(item.content, bytes) else item.content.read_bytes()
    try:
        same = is_same_object(content, store.blobs.get(held_blob))
    except BlobNotHeld:
        return item
    return replace(item, hash=held_hash) if same else item


def _is_there(store: Store, blob: str) -> bool:
    return store.blobs.head(blob) is not None


def _partition(moment: datetime) -> str:
    return moment.strftime("instances/%Y%m%d/%H/")


def _note_refusals(db: Db, refused: Sequence[Outcome], source: Source, now: datetime) -> None:
    rows = [
        {"at": now, "source_kind": source.kind, "source": source.name, "code": o.code, "reason": o.reason}
        for o in refused
    ]
    if rows:
        db.execute(insert(store_.refusals), rows)


def _outcome(parsed: Parsed, status: Any, reason: str = "", code: str = "") -> Outcome:
    return Outcome(
        status,
        parsed.name,
        parsed.sop_uid,
        parsed.instance["sop_class"],
        parsed.study_uid,
        parsed.series_uid,
        reason,
        code,
    )


class _Batch:
    """The rows of one batch, decided and written in the caller's transaction."""

    def __init__(self, db: Db, source: Source, now: datetime, *, unsettle: bool) -> None:
        self._db = db
        self._source = source
        self._now = now
        self._unsettle = unsettle

    def record(self, placed: Sequence[_Placed]) -> list[Outcome]:
        """Return the outcome of each object, having written its row; what is not new writes none."""
        if not placed:
            return []
        state = self._state(placed)
        outcomes = [state.decide(item.parsed) for item in placed]
        pairs = list(zip(placed, outcomes, strict=True))
        new = [item for item, outcome in pairs if outcome.status == "stored"]
        aside = [(item, outcome) for item, outcome in pairs if outcome.status == "conflict"]
        self._add_parents(new)
        self._add_instances(new)
        self._add_conflicts(aside)
        self._audit(new, aside)
        return outcomes

    def _state(self, placed: Sequence[_Placed]) -> "_State":
        parsed = [item.parsed for item in placed]
        return _State(
            owners=store_.owners_of_studies(self._db, [p.study_uid for p in parsed]),
            homes=store_.studies_of_series(self._db, [p.series_uid for p in parsed]),
            held={k: v[0] for k, v in store_.known_instances(self._db, [p.sop_uid for p in parsed]).items()},
        )

    def _add_parents(self, new: Sequence[_Placed]) -> None:
        parsed = [item.parsed for item in new]
        held = store_.owners_of_studies(self._db, [p.study_uid for p in parsed])
        of_study = {p.study_uid: p for p in reversed(parsed) if p.study_uid not in held}
        patients = store_.add_patients(self._db, [p.patient for p in of_study.values()])
        of_series = {p.series_uid: p for p in reversed(parsed)}
        rows = [self._study_row(of_study[uid], patients) for uid in sorted(of_study)]
        store_.insert_new(self._db, store_.studies, rows)
        store_.insert_new(
            self._db, store_.series, [self._series_row(of_series[uid]) for uid in sorted(of_series)]
        )

    def _series_row(self, p: Parsed) -> dict[str, Any]:
        zero = dict.fromkeys(("instance_count", "frame_count", "bytes", "generation"), 0)
        times = {"first_received": self._now, "last_received": self._now}
        return {"uid": p.series_uid, "study": p.study_uid, **p.series, **zero, **times}

    def _study_row(self, p: Parsed, patients: dict[str, str]) -> dict[str, Any]:
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
            "first_received": self._now,
            "last_received": self._now,
        }

    def _add_instances(self, new: Sequence[_Placed]) -> None:
        if not new:
            return
        rows = [
            {
                "sop_uid": i.parsed.sop_uid,
                "series": i.parsed.series_uid,
                "study": i.parsed.study_uid,
                "blob": i.blob,
                "received_at": self._now,
                **i.parsed.instance,
            }
            for i in new
        ]
        self._db.execute(insert(store_.instances), rows)
        self._grow(new)

    def _grow(self, new: Sequence[_Placed]) -> None:
        of_series: dict[str, list[Parsed]] = defaultdict(list)
        for item in new:
            of_series[item.parsed.series_uid].append(item.parsed)
        of_study: dict[str, list[Parsed]] = defaultdict(list)
        opened: dict[str, int] = defaultdict(int)
        for uid, members in sorted(of_series.items()):
            opened[members[0].study_uid] += store_.generation_of(self._db, uid) == 0
            frames = sum(m.instance["frames"] or 0 for m in members)
            size = sum(m.instance["size"] for m in members)
            store_.grow_series(self._db, uid, now=self._now, instances=len(members), frames=frames, size=size)
            of_study[members[0].study_uid] += members
        for uid, members in sorted(of_study.items()):
            store_.grow_study(
                self._db,
                uid,
                now=self._now,
                unsettle=self._unsettle,
                modalities={m.series["modality"] for m in members} - {""},
                series=opened[uid],
                instances=len(members),
                images=sum(_is_picture(m) for m in members),
                bytes=sum(m.instance["size"] for m in members),
                body_part=next((m.series["body_part"] for m in members if m.series["body_part"]), ""),
                simulated=any(m.simulated for m in members),
            )

    def _add_conflicts(self, aside: Sequence[tuple[_Placed, Outcome]]) -> None:
        rows = [
            {
                "sop_uid": item.parsed.sop_uid,
                "study_uid": item.parsed.study_uid,
                "kind": outcome.code,
                "reason": outcome.reason,
                "hash": item.parsed.hash,
                "blob": item.blob,
                "source": f"{self._source.kind}:{self._source.name}",
                "received_at": self._now,
            }
            for item, outcome in aside
        ]
        store_.insert_new(self._db, store_.conflicts, rows)

    def _audit(self, new: Sequence[_Placed], aside: Sequence[tuple[_Placed, Outcome]]) -> None:
        counts: dict[str, int] = defaultdict(int)
        for item in new:
            counts[item.parsed.study_uid] += 1
        for uid, count in sorted(counts.items()):
            self._record("archive.store", uid, instances=count)
        for item, outcome in aside:
            self._record(
                "archive.conflict", item.parsed.study_uid, sop_uid=item.parsed.sop_uid, kind=outcome.code
            )

    def _record(self, act: str, on: str, **facts: Any) -> None:
        audit.record(self._db, act, by=self._source.person, on=on, source=self._source.kind, **facts)


@dataclass(frozen=True, slots=True)
class _State:
    """What is held under the UIDs of a batch: each study's patient, series' study, instance's hash."""

    owners: dict[str, tuple[str, str]]
    homes: dict[str, str]
    held: dict[str, str]

    def decide(self, p: Parsed) -> Outcome:
        """Say what becomes of an object, and remember it for the ones after it."""
        held = self.held.get(p.sop_uid)
        if held == p.hash:
            return _outcome(p, "held")
        if held is not None:
            return _aside(p, "content", "Another object is held under this SOP Instance UID.")
        if self.homes.get(p.series_uid, p.study_uid) != p.study_uid:
            return _aside(p, "series", "Its series is held in another study.")
        owner = p.patient["issuer"], p.patient["patient_id"]
        if not _is_same_patient(self.owners.setdefault(p.study_uid, owner), owner):
            return _aside(p, "patient", "Its study is held for another patient.")
        self.held[p.sop_uid] = p.hash
        self.homes[p.series_uid] = p.study_uid
        return _outcome(p, "stored")


def _is_same_patient(owner: tuple[str, str], other: tuple[str, str]) -> bool:
    """Say whether an object may be of the study's patient: senders leave out the issuer, or even the id."""
    issuers = {owner[0], other[0]} - {""}
    return not other[1] or (owner[1] == other[1] and len(issuers) < 2)


def _is_picture(parsed: Parsed) -> bool:
    """Say whether an object has pixels of the patient; what was derived from them has pixels of its own."""
    return parsed.instance["frames"] is not None and parsed.instance["sop_class"] not in DERIVED_CLASSES


def _aside(p: Parsed, kind: str, what: str) -> Outcome:
    return _outcome(
        p, "conflict", f"{what} It was kept aside for a person to decide; what is held is unchanged.", kind
    )
