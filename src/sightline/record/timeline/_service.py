"""Use cases of the timeline: rank a study's priors, keep its comparison."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sightline.kernel import clock
from sightline.record import archive, orders
from sightline.record.timeline import _store as store
from sightline.record.timeline._model import (
    Candidate,
    Choices,
    Comparison,
    ComparisonNotHeld,
    NotAPrior,
    RankedPrior,
    describe,
    is_before,
    kind_of,
    rank_priors,
    states_time,
    study_moment,
    with_seen,
)
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("prior.choose", "A reader put an earlier study beside another by hand")
audit.declare("comparison.record", "A study was compared with its prior")
audit.declare("comparison.forget", "The comparison of a study was forgotten, because its prior is gone")


def priors_of(db: Db, study_uid: str) -> tuple[RankedPrior, ...]:
    """Return the relevant earlier studies of the same patient, most relevant first."""
    current = archive.get_study(db, study_uid)
    others = [s for s in archive.studies_of_patient(db, current.patient) if s.uid != study_uid]
    here, *earlier = candidates_of(db, [current, *others])
    return rank(db, here, earlier)


def priors_among(
    db: Db, held: Sequence[archive.Study], of: Collection[str]
) -> dict[str, tuple[RankedPrior, ...]]:
    """Return what `priors_of` does, of several studies at once; `held` are all studies of their patient."""
    if not of:
        return {}
    every = candidates_of(db, held)
    asked = [one for one in every if one.study_uid in of]
    choices = _choices(db, held[0].patient, asked)
    return {one.study_uid: rank_priors(one, every, said) for one, said in zip(asked, choices, strict=True)}


def rank(db: Db, current: Candidate, earlier: Sequence[Candidate]) -> tuple[RankedPrior, ...]:
    """Return the earlier studies that bear on the current one, wherever held, most relevant first."""
    held = archive.get_studies(db, [current.study_uid]).get(current.study_uid)
    [said] = _choices(db, held.patient if held else "", [current])
    return rank_priors(current, earlier, said)


def _choices(db: Db, patient: str, studies: Sequence[Candidate]) -> list[Choices]:
    """Return for each study what readers chose beside others like it, and beside others of the patient."""
    uids, kinds = [study.study_uid for study in studies], [kind_of(study) for study in studies]
    alike = store.choices_like(db, set(kinds) - {""})
    rows = store.choices_beside(db, uids, patient)
    found = []
    for uid, kind in zip(uids, kinds, strict=True):
        many, by_prior = alike.get(kind, (0, {}))
        own = {row.prior_kind for row in rows if row.study_uid == uid and row.kind == kind}
        others = {prior_kind: count - (prior_kind in own) for prior_kind, count in by_prior.items()}
        before = {row.prior_uid for row in rows if row.patient == patient and row.study_uid != uid}
        found.append(Choices(many - bool(own), others, frozenset(before)))
    return found


def note_choice(db: Db, study_uid: str, prior_uid: str, *, by: access.Person) -> None:
    """Keep that a reader put an earlier study beside another by hand: such ones rank higher from then on.

    Raises
    ------
    NotAPrior
        If the two are not of one patient, or the second is not the earlier.
    """
    access.require(by, "archive.read", on=study_uid)
    study, prior = archive.get_study(db, study_uid), archive.get_study(db, prior_uid)
    now, then = candidates_of(db, [study, prior])
    if study.patient != prior.patient or not is_before(then, now):
        raise NotAPrior("This is no earlier study of the same patient; choose one of the list of priors.")
    row = {"patient": study.patient, "kind": kind_of(now)[:200], "prior_kind": kind_of(then)[:200]}
    if store.put_choice(db, study_uid=study_uid, prior_uid=prior_uid, person=by.id, at=clock.now(), **row):
        audit.record(db, "prior.choose", by=by, on=study_uid, prior=prior_uid)


def record_comparison(db: Db, comparison: Comparison, *, by: access.Person) -> None:
    """Keep a comparison in place of the one before."""
    access.require(by, "finding.propose", on=comparison.study_uid)
    store.replace_comparison(db, comparison)
    audit.record(
        db, "comparison.record", by=by, on=comparison.study_uid,
        prior=comparison.prior_uid, verdict=comparison.alignment.verdict, method=comparison.alignment.method,
        changes=[[c.current or "", c.prior or "", c.kind] for c in comparison.changes],
    )  # fmt: skip


def forget_comparison(db: Db, study_uid: str, *, by: access.Person) -> None:
    """Forget the comparison of a study, because what it stands on is gone."""
    access.require(by, "finding.propose", on=study_uid)
    store.remove(db, study_uid)
    audit.record(db, "comparison.forget", by=by, on=study_uid)


def compared_with(db: Db, prior_uid: str) -> list[str]:
    """Return the studies that are compared with an earlier one."""
    return [study for study, prior in store.pairs_with(db, prior_uid) if prior == prior_uid]


def comparison_of(db: Db, study_uid: str) -> Comparison | None:
    """Return the comparison of a study, or None while there is none."""
    return store.of_study(db, study_uid)


def get_comparison(db: Db, comparison_id: str) -> Comparison:
    """Return a comparison by its id or refuse."""
    comparison = store.get(db, comparison_id)
    if comparison is None:
        raise ComparisonNotHeld("This comparison is not held; open the study again.")
    return comparison


def comparisons_of_patient(db: Db, patient: str) -> Sequence[Comparison]:
    """Return every comparison of a patient."""
    return store.of_patient(db, patient)


def follow_patient(db: Db, study_uid: str, patient: str) -> None:
    """Give the comparison of a study to the patient whose it is now; choices made beside it are forgotten."""
    store.follow_patient(db, study_uid, patient)
    store.forget_choices(db, study_uid)


def candidates_of(db: Db, studies: Sequence[archive.Study]) -> list[Candidate]:
    """Return studies as the ranking sees them, in the order given."""
    uids = [study.uid for study in studies]
    reasons, seen = orders.indications_of(db, uids), store.seen_of(db, uids)
    return [with_seen(_stated(study, reasons.get(study.uid, "")), seen.get(study.uid)) for study in studies]


def is_earlier(study: archive.Study, other: archive.Study) -> bool:
    """Say whether a study is earlier than another, as a prior has to be."""
    return is_before(_stated(study), _stated(other))


def _stated(study: archive.Study, reason: str = "") -> Candidate:
    stated = describe(
        study.uid,
        study_moment(study.date, study.time),
        image_modality(study),
        study.description,
        study.image_count,
        study.body_part,
        reason,
    )
    return replace(stated, timed=states_time(study.time))


def exam_of(study: archive.Study) -> str:
    """Return what was done as a person says it: the description, else modality and body part."""
    modality = image_modality(study)
    if study.description:
        description = study.description
        return description if modality in description.upper().split() else f"{modality} {description}"
    return f"{modality} {study.body_part.lower()}".strip()


def image_modality(study: archive.Study) -> str:
    """Return the modality of the images, leaving out what was derived from them, or planned on them.

    Maps (OT, other) and the images of a treatment count only where a study holds nothing else.
    """
    images = [m for m in study.modalities if m not in DERIVED_MODALITIES]
    acquired = [m for m in images if m not in ("OT", RT_IMAGE)]
    return "/".join(acquired or images or study.modalities)


DERIVED_MODALITIES = frozenset("SR SEG PR KO DOC REG FID RWV PLAN RTSTRUCT RTPLAN RTDOSE RTRECORD".split())
RT_IMAGE = "RTIMAGE"
