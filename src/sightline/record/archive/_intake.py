"""Taking objects in: bytes first, rows after, each batch in one transaction.

A batch is parsed while the one before it is being synced. Bytes that are on the disk without a row (the
process was killed in between) are found again by `recover`, for their key says when they came.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy.exc import IntegrityError, OperationalError

from sightline.kernel import clock
from sightline.record.archive import _store as store_
from sightline.record.archive._coercion import coerced, coercion_rules
from sightline.record.archive._keeping import parsed_size, require_room
from sightline.record.archive._model import Incoming, ObjectRefused, Outcome, Source, Store
from sightline.record.archive._parse import Parsed, parse
from sightline.record.archive._recording import (
    RECOVERY,
    Placed,
    note_refusals,
    outcome_of,
    record,
    refuse_rejected,
)
from sightline.record.archive._sameness import is_same_object
from sightline.runtime import logs
from sightline.runtime.blobs import BlobNotHeld, StoreFull, StoreUnavailable
from sightline.trust import access

BATCH_COUNT = 100
BATCH_BYTES = 64 << 20
# A row follows its bytes within seconds; an hour is generous, and what is looked at twice changes nothing.
RECOVERY_MARGIN = timedelta(hours=1)

_Item = Parsed | Outcome


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
        for batch in _batches(_parse_all(store, items, source, study_uid)):
            if pending is not None:
                yield from pending.result()
            pending = writer.submit(_keep, store, batch, source)
        if pending is not None:
            yield from pending.result()


def take_in_one(store: Store, item: Incoming, source: Source) -> Outcome:
    """Take one object in, without the pipeline of many."""
    access.require(source.person, "archive.store")
    return _keep(store, list(_parse_all(store, [item], source)), source)[0]


def recover(store: Store, *, everything: bool = False) -> int:
    """Write the rows of bytes that a killed process had acknowledged or was about to; return how many.

    Only the hours since the newest row are looked at, unless `everything` is asked for (after the database
    was restored from an older copy). Call it at every start before anything is served.
    """
    source = Source("internal", RECOVERY, access.SYSTEM)
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
    if not key.endswith(f"{parsed.hash}.dcm") and isinstance(content, Path):
        return Outcome("refused", key, reason="The bytes are not those of the key.", code="damaged")
    with store.database.transaction() as db:
        outcome = record(db, [Placed(parsed, key, source, clock.now())])[0]
        known = store_.known_blobs(db, [key])
    if not known:  # the same object came twice in two hours; its row names the other copy
        store.blobs.delete(key)
    return outcome


def _parse_all(
    store: Store, items: Iterable[Incoming], source: Source, study_uid: str = ""
) -> Iterator[_Item]:
    for item in items:
        try:
            yield read_incoming(store, item, source, study_uid)
        except ObjectRefused as error:
            if item.ours and isinstance(item.content, Path):
                item.content.unlink(missing_ok=True)
            yield Outcome("refused", item.name, reason=str(error), code=error.reason)


def read_incoming(store: Store, item: Incoming, source: Source, study_uid: str = "") -> Parsed:
    """Read an object that is to be taken in, as the rules of the door have it.

    Raises
    ------
    ObjectRefused
        If it cannot be kept, or belongs to another study than `study_uid`.
    """
    require_room(store, parsed_size(item))
    parsed = parse(_owned(store, item), store.settings)
    if study_uid and parsed.study_uid != study_uid:
        raise ObjectRefused("other-study", "It belongs to another study than it was sent to.")
    return coerced(parsed, source, coercion_rules(store.database))


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
    items = _without_rejected(store, items)
    parsed = [item for item in items if isinstance(item, Parsed)]
    refused = [item for item in items if isinstance(item, Outcome)]
    try:
        placed = _place(store, parsed, source, now)
        done = iter(_write_rows(store, placed, refused, source, now))
    except (StoreFull, StoreUnavailable) as error:
        done = iter([outcome_of(p, "refused", str(error), error.code) for p in parsed])
    finally:
        for item in parsed:
            if item.ours and isinstance(item.content, Path):
                item.content.unlink(missing_ok=True)
    outcomes = [item if isinstance(item, Outcome) else next(done) for item in items]
    for outcome in outcomes:
        logs.instances_total.labels(source.kind, outcome.status).inc()
    return outcomes


def _without_rejected(store: Store, items: Sequence[_Item]) -> list[_Item]:
    """Return the items with those refused that were rejected here: their bytes are not to be kept again."""
    with store.database.reading() as db:
        rejected = store_.rejected_instances(db, [i.sop_uid for i in items if isinstance(i, Parsed)])
    for item in items:
        if isinstance(item, Parsed) and item.sop_uid in rejected and isinstance(item.content, Path):
            _drop(item.content, ours=item.ours)
    return [refuse_rejected(i) if isinstance(i, Parsed) and i.sop_uid in rejected else i for i in items]


def _drop(path: Path, *, ours: bool) -> None:
    if ours:
        path.unlink(missing_ok=True)


def _write_rows(
    store: Store, placed: Sequence[Placed], refused: Sequence[Outcome], source: Source, now: datetime
) -> list[Outcome]:
    """Write the rows of a batch; when another process wrote the same at this moment, decide again."""
    for attempt in range(3):
        try:
            with store.database.transaction() as db:
                note_refusals(db, ((outcome, source, now) for outcome in refused))
                return record(db, placed)
        except IntegrityError:
            if attempt == 2:
                raise
        except OperationalError as error:
            raise StoreUnavailable(
                "The database cannot be written; nothing was stored. Free space; send again."
            ) from error
    raise AssertionError("unreachable")


def _place(store: Store, parsed: Sequence[Parsed], source: Source, now: datetime) -> list[Placed]:
    """Put the bytes of what is new; what is held already keeps the place it has."""
    with store.database.reading() as db:
        known = store_.known_instances(db, [p.sop_uid for p in parsed])
    placed: list[Placed] = []
    new: dict[str, Parsed] = {}
    for given in parsed:
        held_hash, held_blob = known.get(given.sop_uid, ("", ""))
        item = settled_hash(store, given, held_hash, held_blob)
        if held_hash == item.hash and _is_there(store, held_blob):
            placed.append(Placed(item, held_blob, source, now))
            continue
        key = held_blob if held_hash == item.hash else _key_of(store, item, now, aside=bool(held_hash))
        placed.append(Placed(item, key, source, now))
        new[key] = item
    if len(new) == 1:
        (key, item), *_ = new.items()
        store.blobs.put_if_absent(key, item.content, move=item.ours and isinstance(item.content, Path))
        return placed
    files = [(key, item.content) for key, item in new.items() if isinstance(item.content, Path) and item.ours]
    store.blobs.put_many(files, move=True)
    store.blobs.put_many([(k, item.content) for k, item in new.items() if not isinstance(item.content, Path)])
    return placed


def _key_of(store: Store, item: Parsed, now: datetime, *, aside: bool) -> str:
    """Return the key of a new object; what was kept aside before keeps the place it has."""
    if aside:
        with store.database.reading() as db:
            if kept := store_.conflict_blob(db, item.sop_uid, item.hash):
                return kept
    return key_at(now, item.hash)


def settled_hash(store: Store, item: Parsed, held_hash: str, held_blob: str) -> Parsed:
    """Return the item under the held hash when it is the held object in another transfer syntax."""
    if not held_hash or held_hash == item.hash or item.instance["size"] > BATCH_BYTES:
        return item
    content = item.content.read_bytes() if isinstance(item.content, Path) else item.content
    try:
        same = is_same_object(content, store.blobs.get(held_blob))
    except BlobNotHeld:
        return item
    return replace(item, hash=held_hash) if same else item


def _is_there(store: Store, blob: str) -> bool:
    return store.blobs.head(blob) is not None


def key_at(moment: datetime, digest: str) -> str:
    """Return the key of an object that comes now; the hour in it is where recovery looks."""
    return f"{_partition(moment)}{digest}.dcm"


def _partition(moment: datetime) -> str:
    return moment.strftime("instances/%Y%m%d/%H/")
