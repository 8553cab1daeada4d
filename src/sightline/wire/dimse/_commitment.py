"""Storage commitment that is asked of us: is what was sent safe (PS3.4 J).

Every reference is looked up in the index, and its bytes in the store, before we say yes. The answer goes out
on the association of the request when that stays open and quiet, else on one of our own to the address of the
peer, again and again for two days.
"""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import structlog
from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import N_EVENT_REPORT

from sightline.kernel import clock
from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.runtime import jobs
from sightline.runtime.db import Database, Db
from sightline.trust import access, audit
from sightline.wire import peers
from sightline.wire.dimse import _requesting as requesting
from sightline.wire.dimse import _store as store
from sightline.wire.dimse._datasets import (
    BadAttribute,
    NotReadable,
    encode_dataset,
    person_behind,
    read_message,
    status,
    uid_at,
)
from sightline.wire.dimse._model import Context, Service
from sightline.wire.dimse._procedures import answered
from sightline.wire.dimse._references import (
    PROCESSING_FAILURE,
    Reference,
    build_reference,
    find_held,
    references_at,
)
from sightline.wire.dimse._seeking import STORAGE_COMMITMENT, TRANSACTION, WELL_KNOWN, take_answer

log = structlog.get_logger(__name__)

audit.declare("commitment.request", "A peer asked whether what it sent is safe")
audit.declare("commitment.answer", "A peer was told which of its objects are safe here")

REQUEST, ALL_SAFE, SOME_FAILED = 1, 1, 2
SUCCESS = 0x0000
NO_SUCH_OBJECT, CLASS_CONFLICT = 0x0112, 0x0119
INVALID_ARGUMENT, NO_SUCH_ACTION = 0x0115, 0x0123
REFERENCES = "00081199"
# For how long the association of the request must be quiet before the answer goes out on it, at most how long
# that pause is waited for, and how long the peer may take to answer there.
QUIET_S, PATIENCE_S, ANSWER_S = 0.5, 10.0, 15.0
# Longer than telling a peer takes; whoever died while telling holds nobody up for longer.
CLAIM_S = 120.0
# When the process that took the request has died, a job tells the peer all the same.
SAFETY_S = 30.0
RETRIES_S = (10, 60, 300, 1800, 7200, 21600, 43200, 86400)
_TOLD_AT_ONCE = threading.BoundedSemaphore(8)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which of the objects of a transaction are safe here, and of the others why not."""

    committed: tuple[Reference, ...]
    failed: tuple[tuple[Reference, int], ...]


@answered
def _request(context: Context, event: Any) -> tuple[int | Dataset, Dataset | None]:
    """Take a request (N-ACTION); its answer follows as an event (PS3.4 J.3.2, J.3.3)."""
    request = event.request
    if request.ActionTypeID != REQUEST:
        return status(NO_SUCH_ACTION, "The only action is 1, Request Storage Commitment."), None
    if request.RequestedSOPInstanceUID != WELL_KNOWN:
        return status(NO_SUCH_OBJECT, f"The instance of this service is {WELL_KNOWN}."), None
    try:
        asked = read_message(request.ActionInformation, event.context.transfer_syntax)
        key = store.Key("given", uid_at(asked, TRANSACTION, "Transaction UID"), event.assoc.admission.title)
        references = list(references_at(asked, REFERENCES))
    except (BadAttribute, NotReadable) as error:
        return status(INVALID_ARGUMENT, str(error)), None
    person = person_behind(event)
    access.require(person, "archive.read", on=key.transaction_uid)
    context.spool.flush()
    with context.store.database.transaction() as db:
        store.put(db, key, references, at=clock.now())
        _enqueue(db, key, attempt=0, delay_s=SAFETY_S)
        audit.record(db, "commitment.request", by=person, on=key.transaction_uid, objects=len(references))
    _answer_soon(context.store, event.assoc, key)
    return SUCCESS, None


@answered
def _answer(context: Context, event: Any) -> tuple[int | Dataset, Dataset | None]:
    """Take the answer to a request of ours, on an association that the peer opened (N-EVENT-REPORT)."""
    request = event.request
    if request.EventTypeID not in (ALL_SAFE, SOME_FAILED):
        return status(0x0113, "The events of this service are 1 and 2."), None
    try:
        answer = read_message(request.EventInformation, event.context.transfer_syntax)
        take_answer(context.store.database, answer, by=person_behind(event))
    except (BadAttribute, NotReadable) as error:
        return status(INVALID_ARGUMENT, str(error)), None
    return SUCCESS, None


def check_references(held: archive.Store, db: Db, references: Sequence[Reference]) -> Verdict:
    """Return which objects are in the index under that class, with their bytes in the store.

    What was rejected is out of sight, but kept: whoever sent it may forget it.
    """
    uids = [uid for _, uid in references]
    found = {uid: (i.sop_class, i.blob) for uid, i in find_held(db, uids).items()}
    found = archive.kept_out_of_sight(db, [uid for uid in uids if uid not in found]) | found
    committed: list[Reference] = []
    failed: list[tuple[Reference, int]] = []
    for reference in references:
        sop_class, blob = found.get(reference[1], ("", ""))
        if not blob:
            failed.append((reference, NO_SUCH_OBJECT))
        elif sop_class != reference[0]:
            failed.append((reference, CLASS_CONFLICT))
        elif held.blobs.head(blob) is None:
            log.error("the bytes of an object are not in the store", instance=reference[1])
            failed.append((reference, PROCESSING_FAILURE))
        else:
            committed.append(reference)
    return Verdict(tuple(committed), tuple(failed))


def build_answer(transaction_uid: str, verdict: Verdict) -> Dataset:
    """Return the information of an answer (PS3.4 table J.3-2)."""
    information = Dataset()
    information.TransactionUID = transaction_uid
    if verdict.committed:
        information.ReferencedSOPSequence = [build_reference(r) for r in verdict.committed]
    if verdict.failed:
        information.FailedSOPSequence = [build_reference(r, reason) for r, reason in verdict.failed]
    return information


def tell_peer(held: archive.Store, key: store.Key, attempt: int) -> None:
    """Tell a peer the answer on an association of our own; try again later when that fails (a job)."""

    def call(verdict: Verdict) -> bool:
        with held.database.reading() as db:
            peer = peers.find_peer(db, key.peer)
        answer = build_answer(key.transaction_uid, verdict)
        requesting.report_commitment(peer, answer, failures=bool(verdict.failed))
        return True

    try:
        told = _tell(held, key, call)
    except PlatformError as error:  # not known, not reached, or it refuses
        told = False
        log.warning("commitment not told", ae=key.peer, error=error.code, attempt=attempt)
    if not told:
        _try_again(held.database, key, attempt)


def _answer_soon(held: archive.Store, association: Any, key: store.Key) -> None:
    """Answer from a thread of its own, once the response to the request has gone out."""
    if _TOLD_AT_ONCE.acquire(blocking=False):
        work = (held, association, key)
        threading.Thread(target=_answer_here, args=work, name="commitment", daemon=True).start()
        return
    with held.database.transaction() as db:
        _enqueue(db, key, attempt=1)


def _answer_here(held: archive.Store, association: Any, key: store.Key) -> None:
    """Answer on the association of the request if it stays open; if not, have a job call the peer."""
    try:
        told = _is_quiet(association) and _tell(
            held, key, lambda verdict: _send_here(association, key.transaction_uid, verdict)
        )
        if not told:
            with held.database.transaction() as db:
                _enqueue(db, key, attempt=1)
    except Exception as error:  # noqa: BLE001  the job that waits tells the peer then
        log.warning("commitment not told at once", ae=key.peer, error=type(error).__name__)
    finally:
        _TOLD_AT_ONCE.release()


def _is_quiet(association: Any) -> bool:
    """Say whether the peer keeps the association open and sends nothing on it, waiting for us.

    An answer must not get between the parts of another message, so it waits for a pause.
    """
    heard = [time.monotonic()]

    def hear(_event: Any) -> None:
        heard[0] = time.monotonic()

    association.bind(evt.EVT_DIMSE_RECV, hear)
    latest = time.monotonic() + PATIENCE_S
    while association.is_established and time.monotonic() < latest:
        if time.monotonic() - heard[0] >= QUIET_S:
            return True
        time.sleep(0.02)
    return False


def _send_here(association: Any, transaction_uid: str, verdict: Verdict) -> bool:
    """Send the answer on an association that others serve, and listen for what the peer says to it.

    The response comes by among the messages that are served there; whoever serves passes over it.
    """
    contexts = [c for c in association.accepted_contexts if c.abstract_syntax == STORAGE_COMMITMENT]
    if not contexts or not association.is_established:
        return False
    answered_ = threading.Event()
    statuses: list[int] = []

    def hear(event: Any) -> None:
        if type(event.message).__name__ == "N_EVENT_REPORT_RSP":
            statuses.append(int(event.message.command_set.get("Status", PROCESSING_FAILURE)))
            answered_.set()

    report = N_EVENT_REPORT()
    report.MessageID = 1
    report.AffectedSOPClassUID, report.AffectedSOPInstanceUID = STORAGE_COMMITMENT, WELL_KNOWN
    report.EventTypeID = SOME_FAILED if verdict.failed else ALL_SAFE
    answer = build_answer(transaction_uid, verdict)
    report.EventInformation = BytesIO(encode_dataset(answer, contexts[0].transfer_syntax[0]))
    association.bind(evt.EVT_DIMSE_RECV, hear)
    association.dimse.send_msg(report, contexts[0].context_id)
    until = time.monotonic() + ANSWER_S
    while association.is_established and time.monotonic() < until and not answered_.wait(0.05):
        pass
    return statuses[:1] == [SUCCESS]


def _tell(held: archive.Store, key: store.Key, send: Callable[[Verdict], bool]) -> bool:
    """Look up what was asked for and send the answer; say whether the peer has it.

    It also has it when somebody else told it before; not yet when somebody else is about to.
    """
    with held.database.transaction() as db:
        asked = store.get(db, key)
        if asked is None or asked.state != "waiting":
            return True
        if not store.claim(db, key, at=clock.now(), for_s=CLAIM_S):
            return False
    try:
        with held.database.reading() as db:
            verdict = check_references(held, db, asked.references)
        told = send(verdict)
        if told:
            _keep(held.database, asked, verdict)
        return told
    finally:
        with held.database.transaction() as db:
            store.change(db, key, busy_until=None)


def _keep(database: Database, asked: store.Commitment, verdict: Verdict) -> None:
    with database.transaction() as db:
        store.change(
            db, asked.key, state="ended", ended_at=clock.now(), committed=len(verdict.committed),
            failed=[[*reference, reason] for reference, reason in verdict.failed],
        )  # fmt: skip
        _expect(db, asked)
        audit.record(
            db, "commitment.answer", by=access.SYSTEM, on=asked.key.transaction_uid, peer=asked.key.peer,
            committed=len(verdict.committed), failed=len(verdict.failed),
        )  # fmt: skip


def _expect(db: Db, asked: store.Commitment) -> None:
    """Expect what peers say they sent of a study, where all that is held of a request is of one study."""
    studies = {i.study for i in find_held(db, [uid for _, uid in asked.references]).values()}
    if len(studies) != 1:
        return
    (study_uid,) = studies
    store.change(db, asked.key, study_uid=study_uid)
    asked_for = store.of_study(db, study_uid, "given")
    uids = sorted({uid for request in asked_for for _, uid in request.references})
    by = peers.person_of(asked.key.peer)
    archive.expect(db, study_uid, origin="commitment", count=len(uids), sop_uids=uids, by=by)


def _try_again(database: Database, key: store.Key, attempt: int) -> None:
    with database.transaction() as db:
        asked = store.get(db, key)
        if asked is None or asked.state != "waiting":
            return
        if attempt < len(RETRIES_S):
            _enqueue(db, key, attempt=attempt + 1, delay_s=RETRIES_S[attempt])
        else:
            store.change(db, key, state="given-up", ended_at=clock.now())


def _enqueue(db: Db, key: store.Key, *, attempt: int, delay_s: float = 0) -> None:
    jobs.enqueue(
        db, "commitment-answer", key=f"commitment-{uuid.uuid4().hex}", delay_s=delay_s,
        transaction=key.transaction_uid, peer=key.peer, attempt=attempt,
    )  # fmt: skip


SERVICES: tuple[Service, ...] = (
    Service(
        name="Storage Commitment Push Model",
        sop_classes=(STORAGE_COMMITMENT,),
        role="scp",
        right="commit",
        handlers={evt.EVT_N_ACTION: _request},
    ),
    Service(
        name="Storage Commitment Push Model",
        sop_classes=(STORAGE_COMMITMENT,),
        role="scu",
        right="commit",
        handlers={evt.EVT_N_EVENT_REPORT: _answer},
    ),
)
