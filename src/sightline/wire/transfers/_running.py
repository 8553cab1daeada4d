"""Running one attempt at a transfer, and what becomes of it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import structlog

from sightline.kernel import clock
from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.runtime.db import Db
from sightline.trust import access, audit
from sightline.wire.transfers import _store as store_
from sightline.wire.transfers._model import OPEN, Cancelled, OtherSideFailed, Transfer, wait_s
from sightline.wire.transfers._progress import Work
from sightline.wire.transfers._sending import send_study
from sightline.wire.transfers._service import dispatch, find_other, person_of
from sightline.wire.transfers._taking import migrate, retrieve_study
from sightline.wire.transfers.settings import TransferSettings

log = structlog.get_logger(__name__)


def run_transfer(
    store: archive.Store,
    id: str,  # noqa: A002
    settings: TransferSettings,
    *,
    stopping: Callable[[], None] = lambda: None,
) -> Transfer | None:
    """Make one attempt at a transfer; whatever comes of it is written to its row.

    What the other side does not take or give is tried again after a while, up to the number of attempts that
    the settings allow; what it has taken is not sent again.
    """
    transfer = _begin(store, id)
    if transfer is None:
        return None
    with store.database.reading() as db:
        person = person_of(db, id)
    work = Work(transfer, store, settings, person, stopping)
    error: PlatformError | None = None
    cancelled = False
    try:
        _do(work)
    except Cancelled:
        cancelled = True
    except PlatformError as failure:
        error = failure
    except OSError as failure:
        error = OtherSideFailed(f"The folder cannot be read ({failure.strerror}); check it and its rights.")
    with store.database.transaction() as db:
        _end(db, id, settings, error, cancelled)
        dispatch(db, at_once=settings.at_once)
        return store_.get_transfer(db, id)


def _begin(store: archive.Store, id: str) -> Transfer | None:  # noqa: A002
    with store.database.transaction() as db:
        transfer = store_.get_transfer(db, id, locked=True)
        if transfer is None or transfer.state not in OPEN:
            return None
        started = transfer.started_at or clock.now()
        number = max(store_.next_attempt(db, id), transfer.attempts + 1)
        store_.change_transfer(db, id, state="running", started_at=started, queued=number)
    return transfer


def _do(work: Work) -> None:
    transfer = work.transfer
    if transfer.kind == "import":
        migrate(work, Path(str(transfer.options["folder"])))
        return
    with work.database.reading() as db:
        there = find_other(db, transfer.peer)
    do = {"send": send_study, "retrieve": retrieve_study, "migrate": migrate}[transfer.kind]
    do(work, there)


def _end(
    db: Db,
    id: str,  # noqa: A002
    settings: TransferSettings,
    error: PlatformError | None,
    cancelled: bool,
) -> None:
    """Write what became of an attempt."""
    now = clock.now()
    transfer = store_.get_transfer(db, id, locked=True)
    if transfer is None:
        return
    attempts = store_.next_attempt(db, id)
    if cancelled or transfer.state == "cancelled":
        store_.change_transfer(db, id, attempts=attempts, state="cancelled", ended_at=now)
        return
    if error is None:
        store_.forget_items(db, id)
        store_.change_transfer(db, id, attempts=attempts, state="done", error="", ended_at=now)
        _record_end(db, transfer, "done")
        return
    tried = attempts - int(transfer.options.get("tried_before", 0))
    log.warning("transfer failed", transfer=id, kind=transfer.kind, attempt=tried, error=error.code)
    if tried < settings.attempts:
        due = now + timedelta(seconds=wait_s(tried, settings.retry_s))
        store_.change_transfer(db, id, attempts=attempts, state="waiting", due_at=due, error=str(error)[:500])
        return
    store_.change_transfer(db, id, attempts=attempts, state="failed", error=str(error)[:500], ended_at=now)
    _record_end(db, transfer, "failed")


def _record_end(db: Db, transfer: Transfer, state: str) -> None:
    facts = {"kind": transfer.kind, "peer": transfer.peer, "total": transfer.total, "done": transfer.done}
    audit.record(
        db, "transfer.end", by=access.SYSTEM, on=transfer.study_uid or transfer.id, state=state, **facts
    )
