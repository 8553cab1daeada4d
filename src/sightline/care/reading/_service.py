"""Use cases of reading: open a study, decide on a finding, correct it, mark one."""

from typing import Any

from sightline.care import reporting, worklist
from sightline.care.reading._model import LUNG_WINDOW, NoAlignment, Opened, Shown
from sightline.intelligence import routing
from sightline.record import annotations, archive, findings, orders, timeline
from sightline.runtime import events
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("study.open", "A person opened a study to read it")
audit.declare("study.prefetch", "The worklist fetched a study ahead for a person who looked at its row")


def note_opening(study_uid: str, *, by: access.Person) -> None:
    """Note in the audit trail that a study that was fetched ahead is now in front of a reader."""
    access.require(by, "archive.read", on=study_uid)
    audit.record_read(by, "study.open", on=study_uid)


def open_study(db: Db, study_uid: str, *, by: access.Person, ahead: bool = False) -> Opened:
    """Return a study with everything that belongs beside it; `ahead` when it is only made ready."""
    access.require(by, "archive.read", on=study_uid)
    audit.record_read(by, "study.prefetch" if ahead else "study.open", on=study_uid)
    study = archive.get_study(db, study_uid)
    history = archive.studies_of_patient(db, study.patient)
    by_uid = {other.uid: other for other in history}
    priors = [(by_uid[prior.study_uid], prior) for prior in timeline.priors_of(db, study_uid)]
    comparison = timeline.comparison_of(db, study_uid)
    prior = _chosen(priors, comparison)
    everything = findings.of_patient(db, study.patient)
    entry = worklist.get_entry(db, study_uid)
    before, after = worklist.neighbours_of(db, entry) if entry else (None, None)
    lines: dict[str, list[findings.Finding]] = {}
    for finding in everything:
        if finding.state is not findings.State.REJECTED:
            lines.setdefault(finding.lesion, []).append(finding)
    return Opened(
        study=study,
        series=_series_of(db, study_uid),
        shown=_shown(db, study),
        priors=priors,
        prior=prior,
        prior_series=_series_of(db, prior[0].uid) if prior else (),
        prior_shown=_shown(db, prior[0]) if prior else None,
        comparison=comparison,
        analysis=routing.analysis_of(db, study_uid),
        found=[f for f in everything if f.study_uid == study_uid],
        earlier={f.id: f for f in everything if prior and f.study_uid == prior[0].uid},
        lines=lines,
        dates={other.uid: other.date for other in history},
        history=history,
        indication=orders.indications_of(db, [study_uid]).get(study_uid),
        entry=entry,
        before=before,
        after=after,
    )


def _chosen(
    priors: list[tuple[archive.Study, timeline.RankedPrior]], comparison: timeline.Comparison | None
) -> tuple[archive.Study, timeline.RankedPrior] | None:
    for study, ranked in priors:
        if comparison is None or study.uid == comparison.prior_uid:
            return study, ranked
    return None


def _series_of(db: Db, study_uid: str) -> list[archive.Series]:
    """Return the series that can be shown or read; a registration is applied, and shows nothing itself."""
    return [one for one in archive.series_of_study(db, study_uid) if one.modality != "REG"]


def _shown(db: Db, study: archive.Study) -> Shown | None:
    series = routing.main_series(db, study.uid)
    if series is None:
        return None
    is_chest = "chest" in timeline.regions_of(study.description, study.body_part)
    window = LUNG_WINDOW if is_chest and timeline.image_modality(study) == "CT" else None
    return Shown(series, window, "the series with most images")


def decide(
    db: Db, finding_id: str, decision: findings.Decision, *, by: access.Person, reason: str | None = None
) -> findings.Finding:
    """Accept or reject a finding, or take that back, and place its study anew."""
    access.require(by, "finding.decide", on=finding_id)
    _require_unsigned(db, findings.get_finding(db, finding_id).study_uid, by)
    finding = findings.decide_finding(db, finding_id, decision, by=by, reason=reason)
    if decision is not findings.Decision.ACCEPT:  # who is left out, or back in, can change what is linked
        events.publish(db, "FindingsChanged", finding.study_uid)
    worklist.refresh_entry(db, finding.study_uid)
    return finding


def correct(
    db: Db, finding_id: str, correction: findings.Correction, *, by: access.Person
) -> findings.Finding:
    """Put a person's values in place of the model's; what has changed is worked out anew."""
    access.require(by, "finding.edit", on=finding_id)
    _require_unsigned(db, findings.get_finding(db, finding_id).study_uid, by)
    finding = findings.correct_finding(db, finding_id, correction, by=by)
    events.publish(db, "FindingsChanged", finding.study_uid)
    worklist.refresh_entry(db, finding.study_uid)
    return finding


def save_annotations(
    held: archive.Store, study_uid: str, content: annotations.Content, *, by: access.Person, version: str = ""
) -> tuple[annotations.Saved, list[str]]:
    """Write what a person drew as DICOM objects; what was measured in the patient is a finding as well.

    Once the report is signed its findings stay as they are, whatever is measured later.
    """
    access.require(by, "archive.store", on=study_uid)
    saved = annotations.write_objects(held, study_uid, content, by=by, version=version)
    with held.database.transaction() as db:
        worklist.hold_entry(db, study_uid)
        signed = access.allowed(by, "report.read") and reporting.is_signed(db, study_uid, by=by)
        changed = annotations.conclude(db, saved, by=by, with_findings=not signed)
        if changed:
            events.publish(db, "FindingsChanged", study_uid)
            worklist.refresh_entry(db, study_uid)
    return saved, changed


def field_of(held: archive.Store, db: Db, comparison_id: str, *, by: access.Person) -> bytes:
    """Return the displacement field of a comparison for the browser: float32, little endian, mm."""
    comparison = timeline.get_comparison(db, comparison_id)
    access.require(by, "archive.read", on=comparison.study_uid)
    if comparison.alignment.grid is None:
        raise NoAlignment("The two studies could not be aligned, so there is no displacement to give.")
    return routing.browser_field(held.blobs, comparison.alignment)


def _require_unsigned(db: Db, study_uid: str, by: access.Person) -> None:
    """Refuse once the report is signed; whoever signs meanwhile waits until the transaction ends."""
    worklist.hold_entry(db, study_uid)
    _refuse_signed(reporting.is_signed(db, study_uid, by=by))


def _refuse_signed(signed: bool) -> None:
    if signed:
        raise reporting.ReportAlreadySigned("The report is signed, so its findings cannot change.")


def outline_of(db: Db, finding_id: str, *, by: access.Person) -> tuple[findings.Finding, dict[str, Any]]:
    """Return a finding with its stored outline."""
    finding = findings.get_finding(db, finding_id)
    access.require(by, "finding.read", on=finding.study_uid)
    return finding, findings.get_outline(db, finding_id)
