"""Use cases of reporting: open (drafting as needed), edit, sign, keep the objects."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sightline.care import worklist
from sightline.care.reporting import _store as store
from sightline.care.reporting._model import (
    Check,
    Facts,
    Report,
    ReportNotHeld,
    ReportNotReady,
    ReportObject,
    ReportState,
    Section,
    Sentence,
    UnknownSection,
    check_report,
    compose_draft,
    merge_draft,
)
from sightline.intelligence import routing
from sightline.kernel import clock
from sightline.kernel.texts import one_line
from sightline.record import archive, findings, timeline
from sightline.runtime import events
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("report.open", "A person opened a report")
audit.declare("report.edit", "A person changed a report")
audit.declare("report.sign", "A person signed a report")
audit.declare("report.store", "A signed report became DICOM objects")


@dataclass(frozen=True, slots=True)
class Written:
    """One sentence as a person sends it back; no id means that it is new."""

    text: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A report with what its checks say and how many findings stand behind it."""

    report: Report
    checks: tuple[Check, ...]
    passed: int
    accepted: int
    proposed: int
    rejected: int


def open_report(db: Db, study_uid: str, *, by: access.Person) -> Draft:
    """Return the report of a study, drafted from what is accepted by now; writes nothing."""
    access.require(by, "report.read", on=study_uid)
    return _draft(db, study_uid, store.of_study(db, study_uid))


def edit_report(
    db: Db,
    study_uid: str,
    version: int,
    sections: Sequence[tuple[str, Sequence[Written]]],
    *,
    by: access.Person,
    digest: str | None = None,
) -> Draft:
    """Keep what a person wrote; `version` and, where given, `digest` are of the report that they saw."""
    access.require(by, "report.edit", on=study_uid)
    seen = _draft(db, study_uid, _held(db, study_uid)).report
    seen.require_open(version, digest)
    _require_sections(seen, [name for name, _ in sections])
    edited = _edited(seen, dict(sections))
    store.put(db, edited)
    changed = [s.id for s in edited.sentences if s.edited]
    audit.record(
        db, "report.edit", by=by, on=edited.id, study=study_uid,
        version=edited.version, edited=changed, removed=sorted(edited.removed), sha256=edited.digest,
    )  # fmt: skip
    return _draft(db, study_uid, edited)


def sign_report(
    db: Db, study_uid: str, version: int, *, by: access.Person, digest: str | None = None
) -> Draft:
    """Put a name to a report: it is frozen, and a job makes its standard objects.

    Nobody signs what they have not seen: a draft follows its findings without a new version, so `digest`
    says which words were on the screen.

    Raises
    ------
    ReportAlreadySigned, ReportChangedMeanwhile
        If it is no longer the open report that was seen.
    ReportNotReady
        If a check found an error.
    """
    access.require(by, "report.sign", on=study_uid)
    draft = _draft(db, study_uid, _held(db, study_uid))
    draft.report.require_open(version, digest)
    errors = [check for check in draft.checks if check.severity == "error"]
    if errors:
        raise ReportNotReady(f"{errors[0].message} Correct it, then sign.")
    signed = replace(
        draft.report,
        state=ReportState.SIGNED,
        version=version + 1,
        signed_by=by.id,
        signed_by_name=by.name,
        signed_at=clock.now(),
        objects_state="writing",
    )
    store.put(db, signed)
    audit.record(
        db, "report.sign", by=by, on=signed.id, study=study_uid,
        version=signed.version, sha256=signed.digest,
        checks=[[check.id, check.severity] for check in draft.checks],
        findings=sorted({b.id for s in signed.sentences for b in s.sources if b.kind == "finding"}),
    )  # fmt: skip
    events.publish(db, "ReportSigned", study_uid, report=signed.id)
    worklist.refresh_entry(db, study_uid, state="reported")
    return replace(draft, report=signed)


def is_signed(db: Db, study_uid: str, *, by: access.Person) -> bool:
    """Say whether the report of a study is signed."""
    access.require(by, "report.read", on=study_uid)
    held = store.of_study(db, study_uid)
    return held is not None and held.state is ReportState.SIGNED


def find_report(db: Db, report_id: str, *, by: access.Person) -> Report:
    """Return a report by its id or refuse."""
    access.require(by, "report.read", on=report_id)
    report = store.get(db, report_id)
    if report is None:
        raise ReportNotHeld("There is no such report.")
    return report


def find_signed(db: Db, patient: str, *, by: access.Person, limit: int = 50) -> list[Report]:
    """Return the signed reports of a patient, newest first."""
    access.require(by, "report.read", on=patient)
    return store.signed_of_patient(db, patient, limit)


def record_objects(
    db: Db, study_uid: str, objects: Sequence[ReportObject], state: str, *, by: access.Person
) -> None:
    """Note which objects a signed report became."""
    access.require(by, "report.edit", on=study_uid)
    report = store.of_study(db, study_uid, lock=True)
    if report is None:
        raise ReportNotHeld("There is no such report.")
    store.put(db, replace(report, objects=tuple(objects), objects_state=state))
    audit.record(
        db, "report.store", by=by, on=report.id, study=study_uid, state=state,
        objects=[[item.kind, item.uid] for item in objects],
    )  # fmt: skip


def _held(db: Db, study_uid: str) -> Report | None:
    """Return the report as last written; whoever decides on findings, edits or signs meanwhile waits."""
    worklist.hold_entry(db, study_uid)
    return store.of_study(db, study_uid, lock=True)


def _draft(db: Db, study_uid: str, held: Report | None) -> Draft:
    facts = _facts(db, study_uid)
    states = [f.state for f in facts.findings]
    report = held or _untouched(db, study_uid)
    if report.state is ReportState.DRAFT:
        report = replace(report, sections=merge_draft(compose_draft(facts), report))
    checks, passed = check_report(report.sections, facts)
    return Draft(
        report,
        checks,
        passed,
        accepted=sum(f.counts for f in facts.findings),
        proposed=states.count(findings.State.PROPOSED),
        rejected=states.count(findings.State.REJECTED),
    )


def _untouched(db: Db, study_uid: str) -> Report:
    study = archive.get_study(db, study_uid)
    identity = hashlib.sha256(f"report/{study_uid}".encode()).hexdigest()[:32]
    return Report(identity, study_uid, study.patient, ReportState.DRAFT, 0, ())


def _facts(db: Db, study_uid: str) -> Facts:
    study = archive.get_study(db, study_uid)
    comparison = timeline.comparison_of(db, study_uid)
    prior = archive.get_study(db, comparison.prior_uid) if comparison else None
    analysis = routing.analysis_of(db, study_uid)
    return Facts(
        study_uid=study_uid,
        exam=timeline.exam_of(study),
        images=study.image_count,
        slice_mm=None,
        findings=findings.of_studies(db, study_uid),
        comparison=comparison,
        priors=len(timeline.priors_of(db, study_uid)),
        prior_exam=timeline.exam_of(prior) if prior else "",
        prior_date=prior.date if prior else "",
        analysis_text=analysis.text,
        analysis_ended=_analysed(routing.analyses_of(db, study_uid)),
        frames=max((s.frame_count for s in archive.series_of_study(db, study_uid)), default=0),
    )


def _analysed(asked: Sequence[routing.Analysis]) -> bool:
    """Say whether no model has anything more to say; a study that no model fits has heard them all."""
    under_way = (routing.AnalysisState.WAITING, routing.AnalysisState.RUNNING)
    return bool(asked) and not any(analysis.state in under_way for analysis in asked)


def _require_sections(report: Report, names: Sequence[str]) -> None:
    known = {section.name for section in report.sections}
    if len(set(names)) < len(names) or not known.issuperset(names):
        raise UnknownSection(f"A report has these headings, each once: {', '.join(sorted(known))}.")


def _edited(seen: Report, written: Mapping[str, Sequence[Written]]) -> Report:
    known = {sentence.id: sentence for sentence in seen.sentences}
    # Each sentence is there once; a second one of the same id is a new one.
    open_ones = known | {}
    sections = []
    for section in seen.sections:
        sentences = section.sentences
        if section.name in written:
            sentences = tuple(
                sentence for item in written[section.name] if (sentence := _sentence(item, open_ones))
            )
        sections.append(Section(section.name, sentences))
    kept = {sentence.id for section in sections for sentence in section.sentences}
    removed = (seen.removed | (known.keys() - kept)) - kept
    return replace(seen, version=seen.version + 1, sections=tuple(sections), removed=frozenset(removed))


def _sentence(item: Written, open_ones: dict[str, Sentence]) -> Sentence | None:
    text = one_line(item.text)
    if not text:
        return None
    if item.id in open_ones:
        return replace(open_ones.pop(item.id), text=text)
    return Sentence(f"own-{uuid.uuid4().hex[:12]}", text, None, ())
