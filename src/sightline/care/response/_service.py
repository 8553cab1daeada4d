"""Use cases of response: open, keep, take back, and write out what a criterion says."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydicom.dataset import Dataset
from sqlalchemy.exc import IntegrityError

from sightline.care.response import _store as store
from sightline.care.response._course import Facts, StudyFacts, build_course
from sightline.care.response._evaluation import Evaluated, evaluate_plan
from sightline.care.response._model import (
    NoResponseYet,
    NothingToTakeBack,
    Plan,
    ResponseChangedMeanwhile,
    UnusablePlan,
)
from sightline.care.response._proposal import Proposal, propose_plan
from sightline.care.response._structured import Told, build_response_report
from sightline.kernel import clock
from sightline.kernel.dates import parse_date
from sightline.record import archive, findings, timeline
from sightline.runtime.db import Db
from sightline.science import response
from sightline.trust import access, audit

audit.declare("response.open", "A person looked at a patient's tumour response")
audit.declare("response.keep", "A person kept what a patient's tumour response is evaluated from")
audit.declare("response.undo", "A person took the last change of a patient's tumour response back")
audit.declare("response.export", "A patient's tumour response left as CSV, FHIR or DICOM SR")


@dataclass(frozen=True, slots=True)
class Opened:
    """A patient's response as it stands: what was kept, or what is proposed while nothing is.

    `proposal` is what could be added to a kept plan, None where there is nothing to add.
    """

    patient: str
    study: archive.Study
    version: int
    kept: bool
    can_undo: bool
    changed_by: str | None
    changed_at: datetime | None
    reasons: tuple[str, ...]
    proposal: Proposal | None
    facts: Facts
    evaluated: Evaluated


def open_response(db: Db, patient: str, *, by: access.Person, criterion: str | None = None) -> Opened:
    """Return the response of a patient by the criterion that was kept, or by another; writes nothing."""
    _require_read(by, patient)
    patient = archive.get_patient(db, patient).id
    audit.record_read(by, "response.open", on=patient)
    return _opened(db, patient, criterion)


def keep_plan(db: Db, patient: str, version: int, plan: Plan, *, by: access.Person) -> Opened:
    """Keep what a person chose; `version` is the one they saw, 0 where nothing was ever kept.

    Raises
    ------
    ResponseChangedMeanwhile
        If it is no longer the version that stands.
    UnusablePlan, UnusableCourse, UnknownCriterion
        If the plan cannot be evaluated.
    """
    access.require(by, "response.edit", on=patient)
    _require_read(by, patient)
    patient = archive.get_patient(db, patient).id
    standing = store.newest(db, patient)
    facts = _facts(db, patient, archive.studies_of_patient(db, patient))
    _require_usable(plan, facts)
    back = standing.version if standing and standing.plan else 0
    _add(db, patient, standing, version, back, plan, by)
    audit.record(db, "response.keep", by=by, on=patient, version=version + 1, **_audited(plan))
    return _opened(db, patient, None, facts)


def take_back(db: Db, patient: str, version: int, *, by: access.Person) -> Opened:
    """Take the last change back; the version that then stands is a new one with the words of the old."""
    access.require(by, "response.edit", on=patient)
    _require_read(by, patient)
    patient = archive.get_patient(db, patient).id
    standing = store.newest(db, patient)
    if standing is None or standing.plan is None:
        raise NothingToTakeBack("Nothing is kept for this patient, so there is nothing to take back.")
    earlier = store.get(db, patient, standing.back) if standing.back else None
    plan, back = (earlier.plan, earlier.back) if earlier else (None, 0)
    _add(db, patient, standing, version, back, plan, by)
    told = _audited(plan) if plan else {}
    audit.record(db, "response.undo", by=by, on=patient, version=version + 1, back=standing.back, **told)
    return _opened(db, patient, None)


def evaluated_of(
    db: Db, patient: str, kind: str, *, by: access.Person, criterion: str | None = None
) -> Opened:
    """Return a response that a person kept, to be given out as `kind`; the trail says that it was.

    Raises
    ------
    NoResponseYet
        If nobody kept one: what is only proposed does not leave the house.
    UnusablePlan
        If it cannot be evaluated as it stands.
    """
    _require_read(by, patient)
    patient = archive.get_patient(db, patient).id
    opened = _opened(db, patient, criterion)
    if not opened.kept:
        raise NoResponseYet("Nobody has kept a response of this patient yet; open it, check it and keep it.")
    if opened.evaluated.evaluation is None:
        raise UnusablePlan(opened.evaluated.problem or "The response cannot be evaluated.")
    audit.record_read(by, "response.export", on=f"{patient}/{kind}")
    return opened


def structured_response(held: archive.Store, db: Db, opened: Opened, study_uid: str | None = None) -> Dataset:
    """Return the response at a time point (the last, unless told otherwise) as a preliminary DICOM SR."""
    evaluation = opened.evaluated.evaluation
    assert evaluation is not None
    points = [point.time_point for point in evaluation.points]
    at = study_uid or points[-1]
    if at not in points:
        raise NoResponseYet("This study is no time point of the response; name one that is.")
    told = Told(opened.evaluated, points.index(at), clock.now())
    return build_response_report(_evidence(held, db, opened, at), told)


def _evidence(held: archive.Store, db: Db, opened: Opened, study_uid: str) -> list[Dataset]:
    """Return the headers of the images that were measured, else of one image of the study."""
    cells = opened.evaluated.built.cells
    found = {c.finding.sop_uid for (_, at), c in cells.items() if at == study_uid and c.finding}
    measured = [uid for uid in sorted(found) if _belongs(db, uid, study_uid)]
    if not measured:
        series = [s for s in archive.series_of_study(db, study_uid) if s.frame_count]
        if not series:
            raise NoResponseYet("The study of this time point has no images to refer to.")
        largest = max(series, key=lambda s: s.frame_count)
        measured = archive.sop_uids_of(db, largest.uid)[:1]
    return [archive.read_dataset(held, db, uid, pixels=False) for uid in measured]


def _belongs(db: Db, sop_uid: str, study_uid: str) -> bool:
    try:
        return archive.get_instance(db, sop_uid).study == study_uid
    except archive.InstanceNotHeld:
        return False


def _require_read(by: access.Person, patient: str) -> None:
    access.require(by, "patient.read", on=patient)
    access.require(by, "finding.read", on=patient)


def _require_usable(plan: Plan, facts: Facts) -> None:
    """Refuse what names a study that is not this patient's, or contradicts itself."""
    response.load_criterion(plan.criterion)
    astray = [uid for point in plan.points for uid in point.studies if uid not in facts.studies]
    if astray:
        raise UnusablePlan(
            f"{len(astray)} of the chosen studies are not held for this patient; leave them out."
        )
    points = {point.id for point in plan.points}
    if any(at not in points for lesion in plan.lesions for at in lesion.judgements):
        raise UnusablePlan("A lesion is judged at a study that is no time point; choose the study first.")
    if plan.points:
        response.evaluate(build_course(plan, facts).course, plan.criterion, plan.options)


def _add(
    db: Db,
    patient: str,
    standing: store.Version | None,
    seen: int,
    back: int,
    plan: Plan | None,
    by: access.Person,
) -> None:
    """Append a version after the one that was seen, unless someone else did so first."""
    if seen != (standing.version if standing else 0):
        raise ResponseChangedMeanwhile("The response has changed since you opened it; look at it again.")
    made = store.Version(seen + 1, back, plan, by.id, by.name, clock.now())
    try:
        store.add(db, patient, made)
    except IntegrityError as cause:  # another request was faster
        raise ResponseChangedMeanwhile(
            "The response has changed since you opened it; look at it again."
        ) from cause


def _audited(plan: Plan) -> dict[str, object]:
    """Return what the trail keeps: the choice itself by digest, never free text."""
    return {
        "criterion": plan.criterion,
        "points": [point.id for point in plan.points],
        "lesions": [[lesion.tracking_uid, lesion.role] for lesion in plan.lesions],
        "sha256": hashlib.sha256(plan.model_dump_json().encode()).hexdigest(),
    }


def _opened(db: Db, patient: str, criterion: str | None, facts: Facts | None = None) -> Opened:
    """Return a response by what is known of the patient, which is looked up unless it is given."""
    studies = archive.studies_of_patient(db, patient)
    facts = facts or _facts(db, patient, studies)
    standing = store.newest(db, patient)
    kept = standing.plan if standing else None
    proposal = propose_plan(facts, kept, criterion=criterion or "recist-1.1")
    plan = kept or proposal.plan
    return Opened(
        patient=patient,
        study=max(studies, key=lambda s: (s.date, s.time, s.uid)),
        version=standing.version if standing else 0,
        kept=kept is not None,
        can_undo=kept is not None,
        changed_by=standing.by_name if standing else None,
        changed_at=standing.at if standing else None,
        reasons=proposal.reasons if kept is None else (),
        proposal=proposal if kept is not None and proposal.plan != kept else None,
        facts=facts,
        evaluated=evaluate_plan(plan, facts, criterion or plan.criterion),
    )


def _facts(db: Db, patient: str, held: Sequence[archive.Study]) -> Facts:
    """Return what the plan is made from; `held` are all studies of the patient."""
    if not held:
        raise archive.PatientNotHeld("No study of this patient is held.")
    days = {s.uid: day for s in held if s.image_count and (day := parse_date(s.date)) is not None}
    every = findings.of_patient(db, patient)
    kept = [f for f in every if f.counts and f.study_uid in days]
    measured = {f.study_uid for f in kept}
    first = min((days[uid] for uid in measured), default=date.max)
    # What can be compared matters only of later studies in which nothing was found; ranking takes a while.
    unmeasured = {uid for uid, day in days.items() if day > first and uid not in measured}
    priors = timeline.priors_among(db, held, unmeasured)
    return Facts(
        studies={
            study.uid: StudyFacts(
                study.uid,
                days[study.uid],
                timeline.exam_of(study),
                timeline.image_modality(study),
                study.simulated,
                frozenset(prior.study_uid for prior in priors.get(study.uid, ())),
            )
            for study in held
            if study.uid in days
        },
        kept=kept,
        undecided=sum(f.state is findings.State.PROPOSED for f in every),
        vanished=_vanished(
            [c for c in timeline.comparisons_of_patient(db, patient) if c.study_uid in days], every
        ),
    )


def _vanished(
    comparisons: Sequence[timeline.Comparison], every: Sequence[findings.Finding]
) -> frozenset[tuple[str, str]]:
    lesion_of = {finding.id: finding.lesion for finding in every}
    return frozenset(
        (comparison.study_uid, lesion_of[change.prior])
        for comparison in comparisons
        for change in comparison.changes
        if change.kind == "vanished" and change.prior in lesion_of
    )
