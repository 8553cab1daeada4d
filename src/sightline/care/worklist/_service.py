"""Use cases of the worklist: look, place, claim, defer."""

from datetime import datetime, timedelta

from sightline.care.worklist import _store as store
from sightline.care.worklist._model import ALLOWED, Entry, ListPage, ListQuery, NotOnTheList, place_study
from sightline.intelligence import routing
from sightline.kernel import clock
from sightline.kernel.errors import Conflict
from sightline.kernel.names import display_name
from sightline.record import archive, findings, timeline
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("worklist.claim", "A reader took a study")
audit.declare("worklist.release", "A reader gave a study back")
audit.declare("worklist.defer", "A reader put a study off until later")
audit.declare("worklist.undefer", "A reader took a deferral back")


class ClaimedByAnother(Conflict):
    """Another reader has taken the study; ask them, or choose the next one."""


def find_entries(db: Db, query: ListQuery, *, by: access.Person) -> ListPage:
    """Return one page of the worklist."""
    access.require(by, "worklist.read")
    return store.find(db, query, at=clock.now())


def get_entry(db: Db, study_uid: str) -> Entry | None:
    """Return the row of a study, or None when it is not on the list yet."""
    return store.get(db, study_uid)


def neighbours_of(db: Db, entry: Entry) -> tuple[Entry | None, Entry | None]:
    """Return the open studies before and after one."""
    return store.neighbours(db, entry, at=clock.now())


def hold_entry(db: Db, study_uid: str) -> Entry | None:
    """Return the row of a study, which nobody else may change until the transaction ends.

    Whoever changes what a study's row follows from takes it first: then they wait for each other here,
    in one order, and not at different places.
    """
    return store.get(db, study_uid, lock=True)


def refresh_entry(db: Db, study_uid: str, *, state: str | None = None, of_the_past: bool = False) -> None:
    """Work out anew where a study stands and why; called whenever something about it has changed.

    A study that is new on the list is to be read, unless it has no images or is `of_the_past`.

    The rows of later studies of the same patient are not touched: their own comparison does that, and
    `waiting_beside` names those that have none to make.
    """
    hold_entry(db, study_uid)
    study = archive.get_studies(db, [study_uid]).get(study_uid)
    if study is None:  # rejected, thrown away or merged into another meanwhile: it leaves the list
        store.change(db, study_uid, left_at=clock.now())
        return
    comparison = timeline.comparison_of(db, study_uid)
    compared = comparison is not None and comparison.alignment.verdict != "failed"
    analysis = routing.analysis_of(db, study_uid)
    held = [f for f in findings.of_studies(db, study_uid) if f.state is not findings.State.REJECTED]
    ids = {f.id for f in held}
    changes = [c for c in comparison.changes if c.current is None or c.current in ids] if comparison else []
    known = {c.current for c in changes if c.kind != "cannot-tell"}
    # What a reader draws while reading makes no study more urgent; a lesion that is marked does.
    sizes = [
        f.values["long_axis"].value
        for f in held
        if f.kind != "measurement" and "long_axis" in f.values and f.id not in known
    ]
    priors = timeline.priors_of(db, study_uid)
    place = place_study(
        changes, max(sizes, default=None), analysis.text, compared=compared, has_prior=bool(priors)
    )
    row = {
        "study_uid": study_uid,
        "patient": study.patient,
        "search": f"{study.name} {display_name(study.name)} {study.patient_id} {study.accession}".casefold(),
        "exam": timeline.exam_of(study),
        "modality": timeline.image_modality(study)[:16],
        "urgency": place.urgency.value,
        "due_at": study.first_received + ALLOWED[place.urgency],
        "arrived_at": study.first_received,
        "reason": place.reason,
        "reasons": [list(reason) for reason in place.reasons],
        "prior_count": len(priors),
        "prior_date": archive.get_study(db, priors[0].study_uid).date if priors else None,
        "changes": [{"kind": c.kind, "text": c.text} for c in changes],
        "analysis_state": analysis.state.value,
        "analysis_text": analysis.text,
        "missing_numbers": archive.missing_numbers(db, study_uid),
        "left_at": None,
    }
    store.put(db, row, images=study.image_count > 0, of_the_past=of_the_past)
    if state:
        store.change(db, study_uid, state=state)


def waiting_beside(db: Db, study_uid: str) -> list[str]:
    """Return the studies to be read that a study of the same patient stands beside as a prior, come or gone.

    None where it is to be read itself.
    """
    return store.open_beside(db, study_uid)


def claim_study(db: Db, study_uid: str, *, by: access.Person) -> Entry:
    """Take a study to read it."""
    access.require(by, "worklist.claim", on=study_uid)
    entry = _held(db, study_uid)
    if entry.reader not in (None, by.id):
        raise ClaimedByAnother(f"{entry.reader_name} has taken this study; choose the next one.")
    state = "reading" if entry.state == "unread" else entry.state
    store.change(db, study_uid, reader=by.id, reader_name=by.name, state=state)
    audit.record(db, "worklist.claim", by=by, on=study_uid)
    return _held(db, study_uid)


def release_study(db: Db, study_uid: str, *, by: access.Person) -> Entry:
    """Give a study back."""
    access.require(by, "worklist.claim", on=study_uid)
    entry = _held(db, study_uid)
    if entry.reader not in (None, by.id):
        raise ClaimedByAnother(f"{entry.reader_name} has taken this study; only they can give it back.")
    state = "unread" if entry.state == "reading" else entry.state
    store.change(db, study_uid, reader=None, reader_name=None, state=state)
    audit.record(db, "worklist.release", by=by, on=study_uid)
    return _held(db, study_uid)


def defer_study(db: Db, study_uid: str, minutes: int, *, by: access.Person) -> Entry:
    """Put a study off; it comes back at its place when the time has come."""
    access.require(by, "worklist.claim", on=study_uid)
    entry = _held(db, study_uid)
    if entry.reader not in (None, by.id):
        raise ClaimedByAnother(f"{entry.reader_name} has taken this study; only they can put it off.")
    until: datetime = clock.now() + timedelta(minutes=minutes)
    store.change(db, study_uid, deferred_until=until)
    audit.record(db, "worklist.defer", by=by, on=study_uid, minutes=minutes)
    return _held(db, study_uid)


def undefer_study(db: Db, study_uid: str, *, by: access.Person) -> Entry:
    """Take a deferral back."""
    access.require(by, "worklist.claim", on=study_uid)
    _held(db, study_uid)
    store.change(db, study_uid, deferred_until=None)
    audit.record(db, "worklist.undefer", by=by, on=study_uid)
    return _held(db, study_uid)


def _held(db: Db, study_uid: str) -> Entry:
    entry = hold_entry(db, study_uid)
    if entry is None:
        raise NotOnTheList("This study is not on the worklist; it may still be arriving.")
    return entry
