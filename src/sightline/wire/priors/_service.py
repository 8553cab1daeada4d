"""Use cases of priors held elsewhere: ask for them, choose, take them, say how it stands."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import uuid4

import structlog

from sightline.kernel import clock
from sightline.kernel.errors import Unavailable
from sightline.record import archive, orders, timeline
from sightline.runtime import jobs
from sightline.runtime.db import Database, Db
from sightline.trust import access, audit
from sightline.wire import transfers
from sightline.wire.priors import _asking as asking
from sightline.wire.priors import _store as store
from sightline.wire.priors._choosing import choose, is_lost, settle
from sightline.wire.priors._model import (
    Coming,
    Elsewhere,
    Find,
    PriorNotFound,
    PriorOnItsWay,
    Search,
    Standing,
    StudyNotKnown,
    Subject,
    Trigger,
    Who,
)
from sightline.wire.priors.settings import PriorSettings

ASK = "priors.ask"
# A question that was begun so long ago and has no end was lost with its process.
LOST_S = 900

log = structlog.get_logger(__name__)

audit.declare("priors.search", "Other archives were asked for earlier studies of a patient")
audit.declare("priors.take", "A person took an earlier study of another archive for the patient's")
audit.declare("priors.dismiss", "A person said that an earlier study of another archive is not the patient's")


def get_subject(db: Db, study_uid: str) -> Subject:
    """Return whose priors are wanted, from the study itself or, before its images come, from its order.

    Raises
    ------
    StudyNotKnown
        If it is neither held nor ordered.
    """
    study = archive.get_studies(db, [study_uid]).get(study_uid)
    if study is not None:
        p = archive.get_patient(db, study.patient)
        who = Who(p.patient_id, p.issuer, p.name, p.birth_date, p.sex)
        return Subject(study_uid, who, timeline.candidates_of(db, [study])[0], p.id)
    ordered = orders.orders_of(db, study_uid)
    if not ordered:
        raise StudyNotKnown("This study is neither held nor ordered; check its UID.")
    return _ordered(study_uid, ordered[0])


def _ordered(study_uid: str, order: orders.Order) -> Subject:
    s = order.subject
    steps = order.steps
    modality = "/".join(sorted({step.modality for step in steps}))
    exam = order.procedure.description or " ".join(step.description for step in steps)
    planned = min((timeline.study_moment(step.date, step.time) for step in steps), default=datetime.min)  # noqa: DTZ901
    at = planned if planned.date() > date.min else clock.now().replace(tzinfo=None)
    current = timeline.describe(study_uid, at, modality, exam, 0, reason=order.indication)
    return Subject(study_uid, Who(s.patient_id, s.issuer, s.name, s.birth_date, s.sex), current)


def request_search(
    db: Db, study_uid: str, trigger: Trigger, settings: PriorSettings, *, by: access.Person
) -> Elsewhere:
    """Have the sources asked for the earlier studies of a study's patient, and say how it stands.

    A source that is being asked, or has answered lately, is not asked again, except when a `person` wants it.

    Raises
    ------
    StudyNotKnown
        If the study is neither held nor ordered.
    """
    access.require(by, "archive.read", on=study_uid)
    subject = get_subject(db, study_uid)
    if asking.is_askable(subject.who.patient_id):
        asked = [name for name in _sources(db) if _ask(db, study_uid, name, trigger, settings)]
        if asked:
            audit.record(db, "priors.search", by=by, on=study_uid, sources=asked, trigger=trigger)
    return elsewhere_of(db, study_uid, by=by)


def _sources(db: Db) -> list[str]:
    return [transfers.name_of(there) for there in transfers.find_sources(db)]


def _ask(db: Db, study_uid: str, source: str, trigger: Trigger, settings: PriorSettings) -> bool:
    """Enqueue a question to a source in its turn; say whether it was not under way or answered already."""
    now = clock.now()
    known = store.get_search(db, study_uid, source)
    if known is not None and trigger != "person":
        age_s = (now - (known.ended_at or known.due_at)).total_seconds()
        if age_s < (settings.again_s if known.state == "answered" else LOST_S):
            return False
    due = now
    if trigger in {"order", "arrival"}:  # nobody waits in front of a screen: these keep their distance
        last = store.last_due(db, source)
        due = max(now, last + timedelta(seconds=60 / settings.per_minute)) if last else now
    store.put_search(db, Search(study_uid, source, "waiting", trigger, 0, "", 0, due))
    _enqueue(db, study_uid, source, 0, (due - now).total_seconds(), trigger)
    return True


def _enqueue(db: Db, study_uid: str, source: str, attempt: int, delay_s: float, trigger: Trigger) -> None:
    priority = 10 if trigger in {"opening", "person"} else 100
    jobs.enqueue(
        db, ASK, key=f"priors-{uuid4().hex}", priority=priority, delay_s=delay_s,
        study=study_uid, source=source, attempt=attempt,
    )  # fmt: skip


def ask_source(
    database: Database,
    study_uid: str,
    source: str,
    attempt: int,
    settings: PriorSettings,
    *,
    timeout_s: float,
) -> None:
    """Ask one source and begin to fetch what is best; one that is silent is asked again later (a job)."""
    with database.reading() as db:
        search = store.get_search(db, study_uid, source)
        if search is None or search.state != "waiting" or search.attempts != attempt:
            return
        there = {transfers.name_of(t): t for t in transfers.find_sources(db)}.get(source)
        try:
            subject = get_subject(db, study_uid)
        except StudyNotKnown:
            there = None
    if there is None:
        with database.transaction() as db:
            ended = replace(search, state="failed", error="It is no source any more.", ended_at=clock.now())
            store.put_search(db, ended)
        return
    try:
        told = asking.ask(there, subject, timeout_s)
    except Unavailable as error:
        with database.transaction() as db:
            _try_later(db, search, str(error), settings)
        return
    with database.transaction() as db:
        answered = replace(search, state="answered", found=len(told), error="", ended_at=clock.now())
        store.put_search(db, answered)
        store.replace_finds(db, study_uid, source, told)
        choose(db, subject, settings)


def _try_later(db: Db, search: Search, error: str, settings: PriorSettings) -> None:
    attempts, now = search.attempts + 1, clock.now()
    log.warning("source of priors does not answer", source=search.source, attempt=attempts)
    if attempts >= settings.attempts:
        failed = replace(search, state="failed", error=error[:500], attempts=attempts, ended_at=now)
        store.put_search(db, failed)
        return
    wait_s = settings.retry_s * 2 ** (attempts - 1)
    later = replace(search, error=error[:500], attempts=attempts, due_at=now + timedelta(seconds=wait_s))
    store.put_search(db, later)
    _enqueue(db, search.study_uid, search.source, attempts, wait_s, search.trigger)


def came(db: Db, study_uid: str) -> None:
    """See what the arrival of a study says of priors.

    It may have been fetched as one, and must be the right patient's; or it was ordered and its priors have
    come before it, and are looked at again now that it is known under which patient it is held.
    """
    for find in store.finds_named(db, study_uid):
        if find.state in {"coming", "left", "doubtful"}:
            settle(db, find, _subject_or_none(db, find.study_uid))
    before = [find for find in store.finds_of(db, study_uid) if find.state == "held" and find.transfer]
    subject = _subject_or_none(db, study_uid) if before else None
    for find in before:
        settle(db, find, subject)


def is_recent(db: Db, study_uid: str, settings: PriorSettings) -> bool:
    """Say whether a study that has arrived is of these days, or one of the past that somebody brought."""
    study = archive.get_studies(db, [study_uid]).get(study_uid)
    if study is None:
        return False
    at = timeline.study_moment(study.date, study.time)
    return at.date() >= (clock.now() - timedelta(days=settings.recent_days)).date()


def _subject_or_none(db: Db, study_uid: str) -> Subject | None:
    try:
        return get_subject(db, study_uid)
    except StudyNotKnown:
        return None


def forget_study(db: Db, study_uid: str) -> None:
    """Forget what was asked and told for a study that is gone."""
    store.forget(db, study_uid)


def elsewhere_of(db: Db, study_uid: str, *, by: access.Person) -> Elsewhere:
    """Return how it stands with a study's priors that are held elsewhere."""
    access.require(by, "archive.read", on=study_uid)
    return _elsewhere(db, study_uid)[study_uid]


def standings_of(db: Db, study_uids: Sequence[str], *, by: access.Person) -> dict[str, Standing]:
    """Return how it stands with the priors of some studies, in a few queries for all of them.

    Studies of which there is nothing to tell are left out.
    """
    access.require(by, "archive.read")
    known = _elsewhere(db, *study_uids)
    return {uid: standing for uid, one in known.items() if (standing := one.standing)}


def _elsewhere(db: Db, *study_uids: str) -> dict[str, Elsewhere]:
    """Return what is known for some studies; as many queries for one as for all."""
    finds = store.finds_of(db, *study_uids)
    named = transfers.transfers_named(db, {find.transfer for find in finds if find.transfer})
    held = archive.get_studies(db, sorted({find.prior_uid for find in finds if find.state == "coming"}))
    searches: dict[str, list[Search]] = defaultdict(list)
    for search in store.searches_of(db, *study_uids):
        searches[search.study_uid].append(search)
    coming: dict[str, list[Coming]] = defaultdict(list)
    for find in finds:
        coming[find.study_uid].append(_coming(find, named, held))
    return {uid: Elsewhere(tuple(searches[uid]), tuple(coming[uid])) for uid in study_uids}


def _coming(find: Find, named: Mapping[str, transfers.Transfer], held: Mapping[str, archive.Study]) -> Coming:
    transfer = named.get(find.transfer)
    if transfer is None:
        return Coming(find)
    if find.state != "coming":
        return Coming(find, transfer.done, max(transfer.total or find.images, transfer.done))
    # What has just come is held before anybody has said whose it is.
    under_way = transfer.state in {"waiting", "running"} or (
        transfer.state == "done" and find.prior_uid in held
    )
    done = transfer.done
    if under_way:  # the images themselves tell, since a transfer counts them at its end
        done = held[find.prior_uid].instance_count if find.prior_uid in held else 0
    return Coming(find, done, max(transfer.total or find.images, done), under_way, transfer.error)


def take_prior(db: Db, study_uid: str, prior_uid: str, *, by: access.Person) -> Elsewhere:
    """Take an earlier study for the patient's, by a person's word: it is fetched, and given to the patient.

    Where it comes, or has come, under another patient, it is moved by a correction of the archive, which is
    audited and can be undone; patients are never merged.

    Raises
    ------
    PriorNotFound
        If no source has told of it.
    PriorOnItsWay
        If there is nothing to take.
    """
    access.require(by, "archive.correct", on=study_uid)
    find = _found(db, study_uid, prior_uid)
    audit.record(db, "priors.take", by=by, on=study_uid, prior=prior_uid, source=find.source)
    # Only of what was shown as doubtful has the person judged whose it is.
    judged = find.state in {"doubtful", "dismissed"}
    if archive.get_studies(db, [prior_uid]):
        settle(db, find, get_subject(db, study_uid), taken_by=by if judged else None)
    else:
        (transfer,) = transfers.start_transfers(db, "retrieve", find.source, [prior_uid], by=by, rule="prior")
        store.change_find(db, find, state="coming", transfer=transfer.id, taken=judged)
    return elsewhere_of(db, study_uid, by=by)


def dismiss_prior(db: Db, study_uid: str, prior_uid: str, *, by: access.Person) -> Elsewhere:
    """Say that an earlier study is not the patient's; it is not offered again."""
    access.require(by, "archive.correct", on=study_uid)
    find = _found(db, study_uid, prior_uid)
    store.change_find(db, find, state="dismissed")
    audit.record(db, "priors.dismiss", by=by, on=study_uid, prior=prior_uid, source=find.source)
    return elsewhere_of(db, study_uid, by=by)


def _found(db: Db, study_uid: str, prior_uid: str) -> Find:
    """Return what was told of an earlier study that a person may still decide on."""
    told = [find for find in store.finds_of(db, study_uid) if find.prior_uid == prior_uid]
    if not told:
        raise PriorNotFound("No source has told of this earlier study; ask the sources again.")
    for find in told:
        if find.state in {"left", "doubtful", "dismissed"} or is_lost(db, find):
            return find
    raise PriorOnItsWay("This earlier study is held or on its way already.")
