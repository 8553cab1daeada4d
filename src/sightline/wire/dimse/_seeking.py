"""Storage commitment that we ask of others: is what we sent safe there (PS3.4 J, as its user).

The answer may come on the association of our request or on one that the peer opens to us; either way it is
kept with what was asked. What an answer does not name is kept as failed: silence is no commitment.
"""

import json
import uuid
from collections.abc import Sequence

import structlog

from sightline.kernel import clock
from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.runtime import events, jobs
from sightline.runtime.db import Database, Db
from sightline.trust import access, audit
from sightline.wire import peers
from sightline.wire.dimse import _requesting as requesting
from sightline.wire.dimse import _store as store
from sightline.wire.dimse._datasets import BadAttribute, uid_at
from sightline.wire.dimse._references import (
    PROCESSING_FAILURE,
    Reference,
    failures_at,
    find_held,
    references_at,
)
from sightline.wire.dimse._store import Commitment

log = structlog.get_logger(__name__)

audit.declare("commitment.ask", "A peer was asked to answer for objects that were sent to it")
audit.declare("commitment.receive", "A peer answered for objects that were sent to it")

STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
WELL_KNOWN = "1.2.840.10008.1.20.1.1"
TRANSACTION = "00081195"
_REFERENCES = "00081199"
RETRIES_S = (10, 60, 300, 1800, 7200, 21600, 43200, 86400)
# After so long without an answer the peer is asked anew, by a transaction of its own (PS3.4 J.3.2.1.1).
UNANSWERED_S = 86400
# For how long our request keeps its association open for the answer.
LISTEN_S = 3.0


def ask_commitment(
    db: Db, title: str, sop_uids: Sequence[str], *, study_uid: str | None = None, by: access.Person
) -> str:
    """Ask a peer, by a job, to answer for objects that were sent to it; return the UID of the transaction.

    Objects that are not held here are left out. `get_commitment` tells how it stands; when the answer is
    here, `CommitmentEnded` is published with the transaction as its subject.

    Raises
    ------
    PeerNotKnown
        If there is no such peer.
    """
    access.require(by, "archive.export", on=study_uid)
    peers.find_peer(db, title)
    held = find_held(db, list(sop_uids))
    references = [(held[uid].sop_class, uid) for uid in sop_uids if uid in held]
    return _begin(db, title, references, study_uid, attempt=0, by=by)


def _begin(
    db: Db,
    title: str,
    references: Sequence[Reference],
    study_uid: str | None,
    *,
    attempt: int,
    by: access.Person,
) -> str:
    key = store.Key("asked", f"2.25.{uuid.uuid4().int}", title)
    store.put(db, key, references, at=clock.now(), study_uid=study_uid)
    _enqueue(db, key, attempt=attempt)
    audit.record(db, "commitment.ask", by=by, on=key.transaction_uid, peer=title, objects=len(references))
    return key.transaction_uid


def get_commitment(db: Db, transaction_uid: str) -> Commitment | None:
    """Return how a transaction that we asked for stands."""
    return store.get(db, store.Key("asked", transaction_uid))


def commitments_of(db: Db, study_uid: str) -> list[Commitment]:
    """Return what was asked of others for a study, oldest first."""
    return store.of_study(db, study_uid, "asked")


def ask_peer(database: Database, key: store.Key, attempt: int) -> None:
    """Send our request and stay for the answer for a moment; try again later when that fails (a job).

    A request that was sent and never answered is given up here, and asked anew.
    """
    with database.transaction() as db:
        asked = store.get(db, key, lock=True)
        if asked is not None and asked.state == "sent":
            store.change(db, key, state="given-up", ended_at=clock.now())
            if attempt < len(RETRIES_S):
                _begin(db, key.peer, asked.references, asked.study_uid, attempt=attempt, by=access.SYSTEM)
    if asked is None or asked.state != "waiting":
        return
    try:
        with database.reading() as db:
            peer = peers.find_peer(db, key.peer)
        _ask(database, peer, asked, attempt)
    except PlatformError as error:
        log.warning("commitment not asked for", ae=key.peer, error=error.code, attempt=attempt)
        with database.transaction() as db:
            if attempt < len(RETRIES_S):
                _enqueue(db, key, attempt=attempt + 1, delay_s=RETRIES_S[attempt])
            else:
                store.change(db, key, state="given-up", ended_at=clock.now())


def _ask(database: Database, peer: peers.Peer, asked: Commitment, attempt: int) -> None:
    result = requesting.commit(
        peer, asked.references, transaction_uid=asked.key.transaction_uid, wait_s=LISTEN_S
    )
    with database.transaction() as db:
        held = store.get(db, asked.key, lock=True)
        if held is not None and held.state == "waiting":  # it may have answered on another association
            store.change(db, asked.key, state="sent")
            _enqueue(db, asked.key, attempt=attempt + 1, delay_s=UNANSWERED_S)
    if result.report is not None:
        answer: archive.Attributes = json.loads(result.report.to_json())
        take_answer(database, answer, by=peers.person_of(peer.title))


def take_answer(database: Database, answer: archive.Attributes, *, by: access.Person) -> None:
    """Keep the answer of a peer.

    Raises
    ------
    BadAttribute
        If it is not whole, or nobody asked for its transaction.
    """
    transaction_uid = uid_at(answer, TRANSACTION, "Transaction UID")
    safe = set(references_at(answer, _REFERENCES)) if answer.get(_REFERENCES, {}).get("Value") else set()
    reasons = dict(failures_at(answer))
    with database.transaction() as db:
        asked = store.get(db, store.Key("asked", transaction_uid), lock=True)
        if asked is None:
            raise BadAttribute("wrong", "No commitment of this Transaction UID was asked for.")
        safe -= reasons.keys()
        failed = [[*r, reasons.get(r, PROCESSING_FAILURE)] for r in asked.references if r not in safe]
        committed = len(asked.references) - len(failed)
        store.change(db, asked.key, state="ended", ended_at=clock.now(), committed=committed, failed=failed)
        facts = {"peer": asked.key.peer, "committed": committed, "failed": len(failed)}
        events.publish(db, "CommitmentEnded", transaction_uid, cause=None, study=asked.study_uid, **facts)
        audit.record(db, "commitment.receive", by=by, on=transaction_uid, **facts)


def _enqueue(db: Db, key: store.Key, *, attempt: int, delay_s: float = 0) -> None:
    jobs.enqueue(
        db, "commitment-request", key=f"commitment-{uuid.uuid4().hex}", delay_s=delay_s,
        transaction=key.transaction_uid, peer=key.peer, attempt=attempt,
    )  # fmt: skip
