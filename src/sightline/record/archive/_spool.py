"""Taking objects in one at a time, as fast as the disk allows: bytes now, rows a moment later, many at once.

Invariants: when `place` returns, bytes and directory entry are durable, and what becomes of the object was
decided against the index and against everything that is still on its way; rows follow within `every_s` in one
transaction, or are written by `recover` at the next start; while rows cannot be written nothing new is taken.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sightline.kernel import clock
from sightline.record.archive import _store as store_
from sightline.record.archive._following import follow
from sightline.record.archive._intake import key_at, read_incoming, settled_hash
from sightline.record.archive._model import Incoming, ObjectRefused, Outcome, Source, Store
from sightline.record.archive._parse import Parsed
from sightline.record.archive._recording import Placed, State, note_refusals, record
from sightline.runtime import logs
from sightline.runtime.blobs import LocalBlobs, StoreFull, StoreUnavailable
from sightline.trust import access

log = structlog.get_logger(__name__)

# How many rows may wait before those who bring more are held up, and how many go into one transaction.
WAITING = 5000
BATCH = 1000
RETRY_S = 0.5
# How often an object is looked at again that seems to conflict with what is just being corrected.
CORRECTING = 5
FLUSH_S = 30.0
_AWAY = (OperationalError, InterfaceError, PoolTimeout)


@dataclass(slots=True)
class _Claim:
    """An object on its way: being placed, or placed and waiting for its row; `new` once that is decided."""

    parsed: Parsed
    blob: str = ""
    new: bool = False
    durable: bool = False


class Spool:
    """Takes objects in for many senders; one per serving process. It starts with the first object."""

    def __init__(self, store: Store, *, every_s: float = 0.25) -> None:
        self._store = store
        self._local = store.blobs if isinstance(store.blobs, LocalBlobs) else None
        self._every_s = every_s
        self._lookup = store_.Lookup(store.database)
        self._changed = threading.Condition()
        self._claims: dict[str, _Claim] = {}
        self._waiting: deque[Placed] = deque()
        self._refused: deque[tuple[Outcome, Source, datetime]] = deque()
        self._generation = 0
        self._accepted = 0
        self._written = 0
        self._trouble = ""
        self._work = threading.Event()
        self._hurry = threading.Event()
        self._stopping = False
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write rows."""
        self._stopping = False
        self._writer = threading.Thread(target=self._run, name="spool", daemon=True)
        self._writer.start()

    def stop(self) -> None:
        """Write the rows that wait, and end; what cannot be written is found again at the next start."""
        self._stopping = True
        self._work.set()
        self._hurry.set()
        if self._writer is not None:
            self._writer.join(timeout=FLUSH_S)
            self._writer = None
        self._lookup.close()

    @property
    def store(self) -> Store:
        """Return the archive's store."""
        return self._store

    def place(self, item: Incoming, source: Source, *, study_uid: str = "") -> Outcome:
        """Take one object in and say what became of it; its bytes are durable, its row follows.

        With `study_uid`, what belongs to another study is refused. Storing what is held changes nothing;
        another object under a held UID is kept aside. What cannot be kept, and everything while the disk or
        the database cannot be written, is refused.
        """
        access.require(source.person, "archive.store")
        outcome = self._place(item, source, study_uid)
        logs.instances_total.labels(source.kind, outcome.status).inc()
        return outcome

    def flush(self, timeout_s: float = FLUSH_S) -> None:
        """Return when every row that was acknowledged before the call is written.

        Raises
        ------
        StoreUnavailable
            If the database cannot be written; the objects are safe, and their rows are tried again.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            wanted = self._accepted
            while self._written < wanted:
                self._hurry.set()
                if self._trouble or time.monotonic() > deadline:
                    raise StoreUnavailable(
                        "The database cannot be written at present; what was sent is safe and will be listed "
                        "as soon as it can."
                    )
                self._changed.wait(0.1)

    def _place(self, item: Incoming, source: Source, study_uid: str) -> Outcome:
        if self._trouble:
            return Outcome("refused", item.name, reason=self._trouble, code="store-unavailable")
        early = None
        try:
            early = self._write_early(item)
            parsed = read_incoming(self._store, item, source, study_uid)
            if early is not None:
                parsed = replace(parsed, content=early, ours=True)
            outcome = self._claimed(parsed, source)
            if outcome.status in {"stored", "conflict"}:  # the file is in its place now
                early = None
            return outcome
        except ObjectRefused as error:
            outcome = Outcome("refused", item.name, reason=str(error), code=error.reason)
            self._note(outcome, source)
            return outcome
        except (StoreFull, StoreUnavailable) as error:
            return Outcome("refused", item.name, reason=str(error), code=error.code)
        except _AWAY:
            words = "The database cannot be read; nothing was stored. Send it again later."
            return Outcome("refused", item.name, reason=words, code="store-unavailable")
        finally:
            if early is not None and self._local is not None:
                self._local.give_up(early)
            if item.ours and isinstance(item.content, Path):
                item.content.unlink(missing_ok=True)

    def _write_early(self, item: Incoming) -> Path | None:
        """Hand bytes in memory to the disk before they are looked at, so that it works meanwhile."""
        if isinstance(item.content, Path) or self._local is None:
            return None
        return self._local.begin(item.content)

    def _note(self, refused: Outcome, source: Source) -> None:
        """Have a refusal written with the next rows."""
        with self._changed:
            if len(self._refused) < WAITING:
                self._refused.append((refused, source, clock.now()))
                self._accepted += 1
            self._call_writer()

    def _call_writer(self) -> None:
        if self._writer is None:
            self.start()
        self._work.set()

    def _claimed(self, parsed: Parsed, source: Source) -> Outcome:
        """Place an object while nobody else places one of its UID."""
        claim = _Claim(parsed)
        self._claim(claim)
        try:
            return self._decided(claim, source)
        finally:
            with self._changed:
                if not claim.durable and self._claims.get(parsed.sop_uid) is claim:
                    del self._claims[parsed.sop_uid]
                self._changed.notify_all()

    def _claim(self, claim: _Claim) -> None:
        """Take the UID, waiting for whoever is placing an object of it; what waits for its row keeps it."""
        uid = claim.parsed.sop_uid
        with self._changed:
            while len(self._waiting) > WAITING and not self._trouble:
                self._changed.wait(0.1)
            while (other := self._claims.get(uid)) is not None and not other.durable:
                self._changed.wait(1)
            if other is None:
                self._claims[uid] = claim

    def _decided(self, claim: _Claim, source: Source) -> Outcome:
        now, sent = clock.now(), claim.parsed
        held_blob, outcome = self._decide(claim)
        parsed = claim.parsed
        if outcome.status == "refused":
            self._note(outcome, source)
            return outcome
        if outcome.status == "held" and self._store.blobs.head(held_blob) is not None:
            return outcome
        if outcome.status == "held":
            key = held_blob
        else:
            key = self._key_of(parsed, now, aside=outcome.status == "conflict")
        self._store.blobs.put_if_absent(
            key, parsed.content, move=parsed.ours and isinstance(parsed.content, Path)
        )
        if outcome.status == "held":  # its bytes had gone, and are back
            return outcome
        # What is corrected until its row is written says where it belongs: the row is made as it was sent.
        claim.parsed = replace(parsed, content=b"", study_uid=sent.study_uid, patient=sent.patient)
        self._accept(claim, Placed(claim.parsed, key, source, now))
        return outcome

    def _decide(self, claim: _Claim) -> tuple[str, Outcome]:
        """Return the place of what is held under the object's UID, and what becomes of the object."""
        sent = claim.parsed
        tries = 0
        while True:
            generation = self._generation
            parsed = sent
            found = self._lookup.held_under(parsed.sop_uid, parsed.series_uid, parsed.study_uid)
            if corrected := found.corrected:
                parsed, found = self._follow(parsed)
            held_hash, held_blob = self._held(claim) or found.instance or ("", "")
            claim.parsed = parsed = settled_hash(self._store, parsed, held_hash, held_blob)
            with self._changed:
                if generation != self._generation:  # rows were written since we looked
                    continue
                held = {parsed.sop_uid: held_hash} if held_hash else {}
                state = State({}, {}, held, frozenset({parsed.sop_uid} if found.rejected else ()))
                self._fill(state, found, parsed)
                outcome = state.decide(parsed)
                if corrected and outcome.code in {"series", "patient"} and tries < CORRECTING:
                    tries += 1  # it may have been corrected again while we looked
                    continue
                claim.new = outcome.status == "stored"
                return held_blob, outcome

    def _follow(self, parsed: Parsed) -> tuple[Parsed, store_.HeldUnder]:
        """Return the object as what was corrected has it, and what is held under its UIDs then."""
        with self._store.database.reading() as db:
            (parsed,) = follow(db, [parsed])
        return parsed, self._lookup.held_under(parsed.sop_uid, parsed.series_uid, parsed.study_uid)

    def _held(self, claim: _Claim) -> tuple[str, str] | None:
        """Return hash and place of what waits for its row under the object's UID."""
        with self._changed:
            other = self._claims.get(claim.parsed.sop_uid)
            if other is None or other is claim or not other.durable:
                return None
            return other.parsed.hash, other.blob

    def _fill(self, state: State, found: store_.HeldUnder, parsed: Parsed) -> None:
        """Add what the index and what is on its way say of the object's series and study."""
        home, owner = found.home, found.owner
        if home is None or owner is None:
            for other in self._claims.values():
                if not other.new:
                    continue
                if home is None and other.parsed.series_uid == parsed.series_uid:
                    home = other.parsed.study_uid
                if owner is None and other.parsed.study_uid == parsed.study_uid:
                    owner = other.parsed.patient["issuer"], other.parsed.patient["patient_id"]
        if home is not None:
            state.homes[parsed.series_uid] = home
        if owner is not None:
            state.owners[parsed.study_uid] = owner

    def _key_of(self, parsed: Parsed, now: datetime, *, aside: bool) -> str:
        """Return the key of a new object; what was kept aside before keeps the place it has."""
        if aside:
            with self._store.database.reading() as db:
                if kept := store_.conflict_blob(db, parsed.sop_uid, parsed.hash):
                    return kept
        return key_at(now, parsed.hash)

    def _accept(self, claim: _Claim, placed: Placed) -> None:
        """Queue the row of what is durable now."""
        with self._changed:
            claim.blob, claim.durable = placed.blob, True
            self._waiting.append(placed)
            self._accepted += 1
            self._call_writer()

    def _run(self) -> None:
        """Write what waits, every so often while something comes, at once when somebody waits for it."""
        wait_s = self._every_s
        while True:
            self._work.wait()
            if not self._stopping:
                self._hurry.wait(wait_s)
            self._hurry.clear()
            self._work.clear()
            went_well = not self._is_due() or self._write_next()
            wait_s = self._every_s if went_well else RETRY_S
            if self._is_due():
                self._work.set()
                if self._stopping and not went_well:
                    return
            elif self._stopping:
                return

    def _is_due(self) -> bool:
        return bool(self._waiting or self._refused)

    def _write_next(self) -> bool:
        """Write the rows that wait; say whether it went well."""
        with self._changed:
            batch = [self._waiting[n] for n in range(min(len(self._waiting), BATCH))]
            refused = list(self._refused)
        try:
            stray = self._write(batch, refused)
        except Exception as error:  # noqa: BLE001  whatever breaks, what was acknowledged stays in the queue
            self._struggle(error)
            return False
        with self._changed:
            for placed in batch:
                self._waiting.popleft()
                claim = self._claims.get(placed.parsed.sop_uid)
                if claim is not None and claim.parsed is placed.parsed:
                    del self._claims[placed.parsed.sop_uid]
            for _ in refused:
                self._refused.popleft()
            self._written += len(batch) + len(refused)
            self._generation += 1
            self._trouble = ""
            self._changed.notify_all()
        for key in stray:
            self._store.blobs.delete(key)
        return True

    def _struggle(self, error: Exception) -> None:
        if not self._trouble:
            log.error("rows cannot be written, nothing is taken in", error=type(error).__name__)
        with self._changed:
            self._trouble = "The database cannot be written; nothing was stored. Free space; send it again."
            self._changed.notify_all()

    def _write(
        self, batch: Sequence[Placed], refused: Sequence[tuple[Outcome, Source, datetime]]
    ) -> list[str]:
        """Write rows in one transaction; return the places of bytes that turned out to be held twice."""
        for attempt in range(3):
            try:
                with self._store.database.transaction() as db:
                    note_refusals(db, refused)
                    outcomes = record(db, batch)
                return self._strays(batch, outcomes)
            except _AWAY:
                raise
            except Exception:  # another process wrote the same at this moment: decide again
                if not batch:
                    raise
                if attempt == 2 and len(batch) > 1:
                    return self._write_each(batch, refused)
        return self._give_up(batch)

    def _write_each(
        self, batch: Sequence[Placed], refused: Sequence[tuple[Outcome, Source, datetime]]
    ) -> list[str]:
        """Write rows one by one, so that one which the database refuses does not keep the others."""
        stray = self._write([], refused)
        for placed in batch:
            stray += self._write([placed], [])
        return stray

    def _give_up(self, batch: Sequence[Placed]) -> list[str]:
        """Leave an object without a row, for `recover` and a person to look at; its bytes are kept."""
        for placed in batch:
            log.error("an object's row cannot be written", sop_uid=placed.parsed.sop_uid, blob=placed.blob)
        return []

    def _strays(self, batch: Sequence[Placed], outcomes: Sequence[Outcome]) -> list[str]:
        doubtful = [p for p, o in zip(batch, outcomes, strict=True) if o.status in {"held", "refused"}]
        if not doubtful:
            return []
        with self._store.database.reading() as db:
            known = store_.known_blobs(db, [p.blob for p in doubtful])
        return [p.blob for p in doubtful if p.blob not in known]
