"""Taking over from another archive: one study, or all of it, going on where it stood.

A migration first lists the studies of the source in rows, then takes them over one by one and writes beside
each what the two sides do not have in common.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from uuid import uuid4

import httpx

from sightline.kernel.errors import Unavailable
from sightline.record import archive
from sightline.runtime.db import Db
from sightline.wire import media, peers
from sightline.wire.transfers import _dicom, _web
from sightline.wire.transfers import _store as store_
from sightline.wire.transfers._model import OtherSideFailed, Server
from sightline.wire.transfers._progress import Work

AT_ONCE = 4
LISTED_AT_ONCE = 500
NAMED = 100
ROWS_S = 20
# When it has nothing to do with one study that nothing can be stored, the rest is not tried.
STOPPING = frozenset({"store-full", "store-unavailable"})


@dataclass(slots=True)
class Taken:
    """What came of one study."""

    there: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    # Of what is there, what was rejected here: it is kept, and not taken again.
    rejected: set[str] = field(default_factory=set)
    conflicting: int = 0
    refused: int = 0
    reason: str = ""

    @property
    def lacking(self) -> set[str]:
        """The instances that the source has and we have not."""
        return self.there - self.held - self.rejected

    @property
    def missing(self) -> int:
        """How many instances the source has and we have not."""
        return len(self.lacking)

    @property
    def extra(self) -> int:
        """How many instances we have and the source has not."""
        return len(self.held - self.there)


def retrieve_study(work: Work, there: Server | peers.Peer) -> None:
    """Take one study over, and tell what the two sides do not have in common."""
    study = work.transfer.study_uid or ""
    taken = _take_study(work, there, study)
    differences = {
        "expected": len(taken.there),
        "held": len(taken.held),
        "missing": taken.missing,
        "extra": taken.extra,
        "conflicting": taken.conflicting,
    }
    with work.database.transaction() as db:
        done = len(taken.there & taken.held)
        numbers = {"total": len(taken.there), "done": done, "failed": taken.missing, "bytes": work.bytes}
        store_.change_transfer(db, work.transfer.id, differences=differences, **numbers)
    if not taken.there:
        raise OtherSideFailed("The other side does not have this study.")
    if taken.missing > taken.conflicting:
        raise OtherSideFailed(f"{taken.missing} of {len(taken.there)} instances did not come. {taken.reason}")


def migrate(work: Work, there: Server | peers.Peer | Path) -> None:
    """Take a whole archive over."""
    if isinstance(there, Path):
        _take_folder(work, there)
        return
    if not work.transfer.options.get("listed"):
        _list_source(work, there)
    with work.database.transaction() as db:
        store_.reopen_studies(db, work.transfer.id)
    while studies := _next(work):
        for study in studies:
            work.check()
            began = time.monotonic()
            _take_listed(work, there, study)
            _keep_pace(work, time.monotonic() - began)
    _conclude(work)


def _next(work: Work) -> list[str]:
    with work.database.reading() as db:
        return store_.next_studies(db, work.transfer.id, NAMED)


def _keep_pace(work: Work, took_s: float) -> None:
    """Rest, so that no more studies an hour are asked for than was allowed."""
    most = work.transfer.options.get("studies_per_hour")
    until = time.monotonic() + (3600 / most - took_s if most else 0)
    while (left := until - time.monotonic()) > 0:
        work.check()
        time.sleep(min(left, 1))


def _list_source(work: Work, there: Server | peers.Peer) -> None:
    listed = iter(_studies_of(work, there))
    while page := list(islice(listed, LISTED_AT_ONCE)):
        work.check()
        with work.database.transaction() as db:
            store_.add_studies(db, work.transfer.id, page)
            total = store_.sum_studies(db, work.transfer.id)["studies"]
            store_.change_transfer(db, work.transfer.id, total=total)
    with work.database.transaction() as db:
        store_.change_transfer(db, work.transfer.id, options=work.transfer.options | {"listed": True})


def _studies_of(work: Work, there: Server | peers.Peer) -> Iterator[tuple[str, int]]:
    if isinstance(there, peers.Peer):
        yield from _dicom.list_studies(there)
        return
    offset, seen = 0, set[str]()
    with _web.open_client(there, work.settings.timeout_s) as client:
        while page := _web.list_studies(client, offset):
            new = [(uid, count) for uid, count in page if uid not in seen]
            if not new:  # a server that knows no pages gives the same for ever
                return
            seen = {uid for uid, _ in page}
            yield from new
            offset += len(page)


def _take_listed(work: Work, there: Server | peers.Peer, study: str) -> None:
    """Take over one study of a migration; what is wrong with it stops none of the others."""
    try:
        taken = _take_study(work, there, study)
        same = not (taken.missing or taken.extra or taken.conflicting)
        values = {
            "state": "done" if same else "differs",
            "expected": len(taken.there),
            "held": len(taken.held),
            "missing": taken.missing,
            "extra": taken.extra,
            "conflicting": taken.conflicting,
            "reason": taken.reason,
        }
    except Unavailable as error:
        values = {"state": "differs", "reason": str(error)[:500]}
    with work.database.transaction() as db:
        store_.change_study(db, work.transfer.id, study, **values)
        sums = store_.sum_studies(db, work.transfer.id)
    work.tell(total=sums["studies"], done=sums["studies_done"], failed=sums["studies_differs"])


def _conclude(work: Work) -> None:
    with work.database.transaction() as db:
        sums = store_.sum_studies(db, work.transfer.id)
        differing = store_.studies_of(db, work.transfer.id, limit=NAMED, states=("differs",))
        named = [{"study_uid": s.study_uid, "missing": s.missing, "reason": s.reason} for s in differing]
        store_.change_transfer(db, work.transfer.id, differences=sums | {"differing": named})
    if sums["missing"] or any(s.reason and not s.conflicting for s in differing):
        raise OtherSideFailed(
            f"{sums['studies_differs']} of {sums['studies']} studies differ; see the report."
        )


def _take_study(work: Work, there: Server | peers.Peer, study: str) -> Taken:
    """Bring what we have not of a study, and compare."""
    if isinstance(there, peers.Peer):
        taken = _take_from_peer(work, there, study)
    else:
        taken = _take_from_server(work, there, study)
    with work.database.transaction() as db:
        how: archive.History = "migrated" if work.transfer.kind == "migrate" else "retrieved"
        archive.settle_now(db, [study], history=how)
        _look(db, study, taken)
        taken.conflicting = max(taken.conflicting, len(archive.find_conflicts(db, study)))
    if taken.rejected and not taken.missing:
        taken.reason = f"{len(taken.rejected)} are rejected here."
    return taken


def _look(db: Db, study: str, taken: Taken) -> None:
    """See what is held of a study: in it, or, of what the source has, moved to another or rejected."""
    taken.held = {i.sop_uid for i in archive.find_instances(db, archive.InstanceQuery(study=study))}
    elsewhere = sorted(taken.there - taken.held)
    for at in range(0, len(elsewhere), LISTED_AT_ONCE):
        some = elsewhere[at : at + LISTED_AT_ONCE]
        taken.held |= {i.sop_uid for i in archive.find_instances(db, archive.InstanceQuery(sop_uids=some))}
    taken.rejected |= archive.kept_out_of_sight(db, elsewhere).keys()


def _take_from_peer(work: Work, peer: peers.Peer, study: str) -> Taken:
    listed = _dicom.list_instances(peer, study)
    taken = Taken(there=set(listed))
    with work.database.reading() as db:
        _look(db, study, taken)
    missing = taken.lacking
    if missing or work.transfer.options.get("verify"):
        classes = sorted({sop_class for sop_class in listed.values() if sop_class})
        taken.reason = _dicom.fetch_study(work, peer, study, classes)
        if peer.retrieve_by == "move" and not taken.reason:
            _await_rows(work, study, missing)
        with work.database.reading() as db:
            found = archive.find_instances(db, archive.InstanceQuery(study=study))
            work.bytes += sum(i.size for i in found if i.sop_uid in missing)
    return taken


def _await_rows(work: Work, study: str, wanted: set[str]) -> None:
    """Wait a little for objects that came by our own port: their bytes are durable before their rows are."""
    for _ in range(ROWS_S * 10):
        with work.database.reading() as db:
            found = archive.find_instances(db, archive.InstanceQuery(study=study))
        if wanted <= {i.sop_uid for i in found}:
            return
        work.stopping()
        time.sleep(0.1)


def _take_from_server(work: Work, server: Server, study: str) -> Taken:
    taken = Taken()
    with _web.open_client(server, work.settings.timeout_s) as client:
        listed = _web.list_instances(client, study)
        taken.there = {one.sop_uid for one in listed}
        with work.database.reading() as db:
            _look(db, study, taken)
        held = taken.held | taken.rejected
        if work.transfer.options.get("verify"):  # what we hold under a UID may not be what they hold
            held = taken.rejected
        wanted = [one for one in listed if one.sop_uid not in held]
        incoming = _fetched(work, client, study, wanted, taken)
        for outcome in archive.take_in_stream(work.store, incoming, work.source, study_uid=study):
            _count(taken, outcome)
    return taken


def _count(taken: Taken, outcome: archive.Outcome) -> None:
    if outcome.status == "conflict":
        taken.conflicting += 1
    elif outcome.status == "refused":
        taken.refused += 1
        taken.reason = outcome.reason
        if outcome.code in STOPPING:
            raise OtherSideFailed(outcome.reason)


def _fetched(
    work: Work, client: httpx.Client, study: str, wanted: Sequence[_web.Listed], taken: Taken
) -> Iterator[archive.Incoming]:
    """Yield the files that the server gives, a few fetched ahead of being taken in."""
    limit = (work.store.settings.max_instance_mib << 20) + (1 << 20)

    def fetch(listed: _web.Listed) -> Path | OtherSideFailed:
        place = work.store.blobs.scratch() / f"fetched-{uuid4().hex}"
        try:
            _web.fetch_instance(client, study, listed, place, limit)
        except OtherSideFailed as error:
            place.unlink(missing_ok=True)
            return error
        return place

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch") as pool:
        for start in range(0, len(wanted), AT_ONCE * 4):
            work.check()
            for place in pool.map(fetch, wanted[start : start + AT_ONCE * 4]):
                if isinstance(place, OtherSideFailed):
                    taken.reason = str(place)
                    continue
                work.bytes += place.stat().st_size
                yield archive.Incoming("fetched", place, ours=True)


def _take_folder(work: Work, folder: Path) -> None:
    """Take a folder over, a part of its files at a time; `cursor` is the last one that was taken."""
    cursor = str(work.transfer.options.get("cursor", ""))
    counts: dict[str, int] = dict(work.transfer.options.get("counts", {}))
    refused: list[str] = list(work.transfer.options.get("refused", []))
    for names in _parts(folder, cursor):
        work.check()
        summary = media.import_paths(
            work.store, [folder / name for name in names], work.source, complete=False
        )
        if summary.stopped:
            raise OtherSideFailed(summary.stopped)
        numbers = {
            "stored": summary.stored,
            "held": summary.held,
            "conflicting": len(summary.conflicts),
            "refused": len(summary.refused),
            "skipped": len(summary.skipped),
        }
        counts = {name: counts.get(name, 0) + number for name, number in numbers.items()}
        refused = [*refused, *(reason for _, reason in summary.refused)][:NAMED]
        options = work.transfer.options | {"cursor": names[-1], "counts": counts, "refused": refused}
        done = counts["stored"] + counts["held"]
        bad = counts["conflicting"] + counts["refused"]
        with work.database.transaction() as db:
            store_.change_transfer(
                db, work.transfer.id, options=options, total=done + bad, done=done, failed=bad
            )
    with work.database.transaction() as db:
        differences = {**counts, "reasons": sorted(set(refused))}
        store_.change_transfer(db, work.transfer.id, differences=differences)


def _parts(folder: Path, cursor: str) -> Iterator[list[str]]:
    """Yield the files of a folder after `cursor`, in order of name, some hundred at a time."""
    part: list[str] = []
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if _order(name) <= _order(cursor):
            continue
        part.append(name)
        if len(part) == LISTED_AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _order(name: str) -> tuple[str, ...]:
    return tuple(name.split("/")) if name else ()


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path
