"""Alignments on demand: of a study with any earlier one that a reader puts beside it.

What was asked and what became of it are blobs beside the alignment: it follows from the two sets of images,
and is made once. The comparison of the study with its best prior, its changes and lesions stay as they are.
"""

import json
from dataclasses import dataclass
from typing import Literal

from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing._comparing import Pair
from sightline.intelligence.routing._following import find_pair
from sightline.kernel import clock
from sightline.kernel.errors import Invalid, NotFound, PlatformError
from sightline.record import archive, timeline
from sightline.runtime import jobs
from sightline.runtime.blobs import Blobs
from sightline.runtime.db import Db
from sightline.science import alignment as aligning
from sightline.trust import access, audit

audit.declare("alignment.request", "The alignment of a study with an earlier one was asked for")
audit.declare("alignment.keep", "A study was aligned with an earlier one that a reader put beside it")

PairStatus = Literal["none", "waiting", "done", "failed"]

SOON = 10
"""Its place in the queue: a reader waits for it, which nobody does for a study that has just arrived."""


class NoField(NotFound):
    """The two studies are not aligned, or not yet; ask for their alignment first."""


@dataclass(frozen=True, slots=True)
class PairAlignment:
    """How the alignment of a study with one earlier study stands, in words.

    `alignment` is there when it is done; where nothing could be aligned its verdict is ``failed``. With
    status ``failed`` it broke on our side, and can be asked for again.
    """

    status: PairStatus
    text: str
    study_uid: str
    prior_uid: str
    study_series_uid: str
    prior_series_uid: str
    alignment: timeline.AlignmentSummary | None = None


def request_alignment(
    held: archive.Store, study_uid: str, prior_uid: str, *, by: access.Person
) -> PairAlignment:
    """Have a study aligned with an earlier one, unless it is; what failed on our side is made again.

    Raises
    ------
    NotComparable
        If the second is no earlier study of the same patient, or one of the two has no images.
    """
    _require_reader(by, study_uid, prior_uid)
    with held.database.transaction() as db:
        pair = find_pair(db, study_uid, prior_uid)
        known = _state(held.blobs, pair)
        if known.status == "done":
            return known
        if known.status == "failed":
            held.blobs.delete(_outcome_key(pair))
            held.blobs.delete(_asked_key(pair))
        # Kept first: whoever asks again while it is being made waits for the same job.
        if held.blobs.put_if_absent(_asked_key(pair), clock.now().isoformat().encode()):
            audit.record(db, "alignment.request", by=by, on=study_uid, prior=prior_uid)
        asked = held.blobs.get(_asked_key(pair)).decode()
        key = f"align-{pair.key.rsplit('/', 1)[-1]}-{asked}"
        jobs.enqueue(db, "align-prior", key=key, priority=SOON, subject=study_uid, prior=prior_uid)
    return _state(held.blobs, pair)


def alignment_state(
    held: archive.Store, db: Db, study_uid: str, prior_uid: str, *, by: access.Person
) -> PairAlignment:
    """Return how the alignment of a study with an earlier one stands.

    Raises
    ------
    NotComparable
        As `request_alignment`.
    """
    _require_reader(by, study_uid, prior_uid)
    return _state(held.blobs, find_pair(db, study_uid, prior_uid))


def field_of(held: archive.Store, db: Db, study_uid: str, prior_uid: str, *, by: access.Person) -> bytes:
    """Return the displacement of an alignment for the browser, as `comparing.browser_field`.

    Raises
    ------
    NoField
        If the two are not aligned, or not yet.
    """
    state = alignment_state(held, db, study_uid, prior_uid, by=by)
    if state.alignment is None or state.alignment.grid is None:
        raise NoField(f"There is no alignment of these two studies to give: {state.text}")
    return comparing.browser_field(held.blobs, state.alignment)


def keep_alignment(held: archive.Store, study_uid: str, prior_uid: str) -> None:
    """Align a study with an earlier one, and keep the field or the reason why there is none."""
    with held.database.reading() as db:
        pair = find_pair(db, study_uid, prior_uid)
    if _state(held.blobs, pair).status == "done":
        return
    try:
        found = _found(held, pair)
    except PlatformError as failure:
        _end(held, pair, "failed", str(failure))
        return
    except Exception:
        _end(held, pair, "failed", "the alignment broke on our side; it has been logged")
        raise
    told = comparing.summary_of(found, pair)
    with held.database.transaction() as db:
        audit.record(
            db, "alignment.keep", by=access.SYSTEM, on=study_uid,
            prior=prior_uid, verdict=told.verdict, method=told.method,
        )  # fmt: skip


def _found(held: archive.Store, pair: Pair) -> aligning.Alignment | str:
    """Return the alignment or, kept as well, the reason why these images cannot be aligned."""
    try:
        return comparing.made_alignment(held, pair)[0]
    except Invalid as refusal:
        _end(held, pair, "refused", str(refusal))
        return str(refusal)


def _require_reader(by: access.Person, *study_uids: str) -> None:
    for uid in study_uids:
        access.require(by, "archive.read", on=uid)


def _asked_key(pair: Pair) -> str:
    return f"{pair.key}.asked"


def _outcome_key(pair: Pair) -> str:
    return f"{pair.key}.outcome"


def _end(held: archive.Store, pair: Pair, outcome: str, text: str) -> None:
    held.blobs.put_if_absent(_outcome_key(pair), json.dumps([outcome, text]).encode())


def _state(blobs: Blobs, pair: Pair) -> PairAlignment:
    status, text, found = _known(blobs, pair)
    alignment = comparing.summary_of(found, pair) if found is not None else None
    return PairAlignment(
        status, text, pair.study_uid, pair.prior_uid, pair.series_uid, pair.prior_series_uid, alignment
    )


def _known(blobs: Blobs, pair: Pair) -> tuple[PairStatus, str, aligning.Alignment | str | None]:
    if blobs.head(f"{pair.key}.npz") is not None:
        found = aligning.Alignment.from_bytes(blobs.get(f"{pair.key}.npz"))
        return "done", found.reason, found
    if blobs.head(_outcome_key(pair)) is not None:
        outcome, text = json.loads(blobs.get(_outcome_key(pair)))
        return ("done", text, text) if outcome == "refused" else ("failed", text, None)
    if blobs.head(_asked_key(pair)) is not None:
        return "waiting", "being aligned, about a minute", None
    return "none", "not asked for", None
