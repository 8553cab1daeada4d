"""Which of the earlier studies that sources told of are fetched, and what becomes of one that has come."""

from collections.abc import Sequence
from dataclasses import replace

from sightline.record import archive, timeline
from sightline.runtime.db import Db
from sightline.trust import access
from sightline.wire import transfers
from sightline.wire.priors import _store as store
from sightline.wire.priors._asking import candidate_of
from sightline.wire.priors._model import Find, Subject, Who, contradiction, difference
from sightline.wire.priors.settings import PriorSettings


def choose(db: Db, subject: Subject, settings: PriorSettings) -> None:
    """Rank what all sources told of together with what is held, and fetch what of the best is not here.

    What may be another patient's is neither ranked nor fetched: it waits for a person.
    """
    told = [
        replace(find, state="left") if is_lost(db, find) else find
        for find in store.finds_of(db, subject.study_uid)
    ]
    held = archive.get_studies(db, [find.prior_uid for find in told])
    open_ = [find for find in told if find.state in {"left", "doubtful"} and find.prior_uid not in held]
    for find in told:
        if find.prior_uid in held and find.state in {"left", "doubtful"}:
            settle(db, find, subject)
    ours, doubtful = _parted(open_, subject.who)
    for find, reason in doubtful:
        store.change_find(db, find, state="doubtful", reason=reason)
    ranked = _ranked(db, subject, told, ours)
    best = [prior.study_uid for prior in ranked[: settings.most]]
    whys = {prior.study_uid: prior.why for prior in ranked}
    under_way = {find.prior_uid for find in told if find.state == "coming"}
    room = settings.most - len(under_way)
    for find in sorted(ours, key=lambda find: _place(best, find.prior_uid)):
        why = whys.get(find.prior_uid, "")
        if find.prior_uid in under_way:
            _leave(db, find, why, "it comes from another source")
        elif find.prior_uid in best and room > 0:
            _fetch(db, find, why)
            under_way.add(find.prior_uid)
            room -= 1
        else:
            _leave(db, find, why, "not among the best" if why else _why_not(subject, find))


def is_lost(db: Db, find: Find) -> bool:
    """Say whether an earlier study was to come and did not: its transfer has ended without it."""
    if find.state != "coming":
        return False
    ended = transfers.get_transfer(db, find.transfer).state
    return ended in {"failed", "cancelled"} or (
        ended == "done" and not archive.get_studies(db, [find.prior_uid])
    )


def _parted(found: Sequence[Find], who: Who) -> tuple[list[Find], list[tuple[Find, str]]]:
    """Part what is the patient's from what may be another's, with the reason."""
    reasons = [(find, difference(who, find.who)) for find in found]
    return [find for find, reason in reasons if not reason], [pair for pair in reasons if pair[1]]


def _ranked(
    db: Db, subject: Subject, told: Sequence[Find], ours: Sequence[Find]
) -> Sequence[timeline.RankedPrior]:
    here = archive.studies_of_patient(db, subject.patient) if subject.patient else []
    candidates = {find.prior_uid: candidate_of(find) for find in told if find.state == "coming"}
    candidates |= {find.prior_uid: candidate_of(find) for find in ours}
    others = [study for study in here if study.uid != subject.study_uid]
    candidates |= {one.study_uid: one for one in timeline.candidates_of(db, others)}
    return timeline.rank(db, subject.current, list(candidates.values()))


def _place(best: Sequence[str], uid: str) -> int:
    return best.index(uid) if uid in best else len(best)


def _why_not(subject: Subject, find: Find) -> str:
    at = timeline.study_moment(find.date, find.time)
    return "it is not earlier" if at >= subject.current.at else "it does not bear on this study"


def _fetch(db: Db, find: Find, why: str) -> None:
    (transfer,) = transfers.start_transfers(
        db, "retrieve", find.source, [find.prior_uid], by=access.SYSTEM, rule="prior"
    )
    store.change_find(db, find, state="coming", why=why, reason="", transfer=transfer.id)


def _leave(db: Db, find: Find, why: str, reason: str) -> None:
    store.change_find(db, find, state="left", why=why, reason=reason)


def settle(db: Db, find: Find, subject: Subject | None, *, taken_by: access.Person | None = None) -> None:
    """Say what becomes of an earlier study that is held here now.

    It must be held as the patient's and not name another. By a person's word it is given to the patient by
    a correction of the archive; else it waits for a person where it lies.
    """
    study = archive.get_studies(db, [find.prior_uid]).get(find.prior_uid)
    if study is None or subject is None:
        return
    if taken_by is None and find.taken and find.transfer:
        taken_by = transfers.person_of(db, find.transfer)
    is_theirs = _is_theirs(db, study, subject)
    if taken_by is not None:
        if not is_theirs:
            to = archive.NewPatient(subject.who.patient_id, subject.who.issuer)
            archive.move_study(db, study.uid, to, reason=f"taken as a prior from {find.source}", by=taken_by)
        store.change_find(db, find, state="held", reason="")
        return
    reason = contradiction(subject.who, _who_of(db, study))
    if not is_theirs:
        reason = f"it is held here under another patient{': ' if reason else ''}{reason}"
    elif not find.transfer:
        reason = ""  # it was held before anybody asked
    store.change_find(db, find, state="doubtful" if reason else "held", reason=reason)


def _is_theirs(db: Db, study: archive.Study, subject: Subject) -> bool:
    if subject.patient:
        return study.patient == subject.patient
    return not contradiction(subject.who, _who_of(db, study))  # only ordered: nothing is held of them yet


def _who_of(db: Db, study: archive.Study) -> Who:
    issuer = archive.get_patient(db, study.patient).issuer
    return Who(study.patient_id, issuer, study.name, study.birth_date, study.sex)
