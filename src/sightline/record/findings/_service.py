"""Use cases of findings: propose, decide, correct, mark, link."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sightline.kernel import clock
from sightline.kernel.texts import one_line
from sightline.record.findings import _statements as statements
from sightline.record.findings import _store as store
from sightline.record.findings._model import (
    Correction,
    Decision,
    Finding,
    FindingNotHeld,
    Found,
    NothingToUndo,
    Sighting,
    Source,
    SourceKind,
    State,
    Word,
    own_lesion,
    quantity_to_json,
    standing_words,
)
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("finding.propose", "A model's run proposed findings")
audit.declare("finding.supersede", "A newer run of a model replaced findings that nobody had decided")
audit.declare("finding.accept", "A person accepted a finding")
audit.declare("finding.reject", "A person rejected a finding")
audit.declare("finding.undo", "A person took a decision on a finding back")
audit.declare("finding.edit", "A person corrected a finding")
audit.declare("finding.mark", "A person marked a finding")
audit.declare("lesion.unify", "Findings of several dates were linked as one lesion, or told apart")


def propose_findings(
    db: Db, study_uid: str, patient: str, source: Source, found: Sequence[Found], *, by: access.Person
) -> list[Finding]:
    """Write what a run of a model found; the same run again changes nothing.

    Findings of earlier runs of the same model that nobody decided are superseded; decided ones stay.
    """
    access.require(by, "finding.propose", on=study_uid)
    already = store.of_run(db, source.run)
    if already:
        return already
    gone = store.supersede(db, study_uid, source.name, except_run=source.run)
    if gone:
        audit.record(db, "finding.supersede", by=by, on=study_uid, findings=gone)
    first = store.last_number(db, study_uid) + 1
    proposed = [
        _new(study_uid, patient, source, item, number=first + i, index=i) for i, item in enumerate(found)
    ]
    for index, (finding, item) in enumerate(zip(proposed, found, strict=True)):
        store.add(db, finding, index, item.outline)
    audit.record(
        db, "finding.propose", by=by, on=study_uid,
        run=source.run, model=source.name, version=source.version,
        inputs_sha256=source.inputs_sha256, parameters_sha256=source.parameters_sha256,
        findings=[_audited(finding) for finding in proposed],
    )  # fmt: skip
    return proposed


def mark_finding(
    db: Db, study_uid: str, patient: str, found: Found, *, by: access.Person, run: str = ""
) -> Finding:
    """Write a lesion that a person marked; it counts at once, by that person's word.

    `run` names what it was marked by, so that `of_run` finds it again.
    """
    access.require(by, "finding.mark", on=study_uid)
    source = Source(SourceKind.PERSON, by.name, "", run=run or f"person-{uuid.uuid4().hex}")
    number = store.last_number(db, study_uid) + 1
    new = _new(study_uid, patient, source, found, number=number, index=0)
    finding = new.decided(Decision.ACCEPT, by=by.id, by_name=by.name, at=clock.now())
    store.add(db, finding, 0, found.outline)
    withdrawn = replace(new, state=State.REJECTED)  # what an undo leads back to
    _remember(db, withdrawn, finding, "mark", by, None)
    audit.record(db, "finding.mark", by=by, on=finding.id, study=study_uid, finding=_audited(finding))
    return finding


def decide_finding(
    db: Db, finding_id: str, decision: Decision, *, by: access.Person, reason: str | None = None
) -> Finding:
    """Accept or reject a finding, or take the last word on it back."""
    access.require(by, "finding.decide", on=finding_id)
    before = _held(db, finding_id)
    if decision is Decision.UNDO:
        after = _undone(db, before)
    else:
        after = before.decided(decision, by=by.id, by_name=by.name, at=clock.now())
    return _replace(db, before, after, decision.value, by, one_line(reason or "") or None)


def _undone(db: Db, finding: Finding) -> Finding:
    rows = store.decisions_of(db, finding.id)
    words = standing_words([Word(r["decision"], r["by"], r["by_name"], r["at"], r["before"]) for r in rows])
    if not words:
        raise NothingToUndo("Nobody has decided on this finding, so there is nothing to take back.")
    return finding.undone(words[-1], words[-2] if len(words) > 1 else None)


def correct_finding(db: Db, finding_id: str, correction: Correction, *, by: access.Person) -> Finding:
    """Put a person's label or values in place of the model's, and keep both."""
    access.require(by, "finding.edit", on=finding_id)
    before = _held(db, finding_id)
    after = before.corrected(correction, by=by.id, by_name=by.name, at=clock.now())
    return _replace(db, before, after, "edit", by, correction.note)


def measure_again(db: Db, finding_id: str, found: Found, *, by: access.Person) -> Finding:
    """Put place, label and values of a new measurement in place of those that a person marked before."""
    access.require(by, "finding.edit", on=finding_id)
    before = _held(db, finding_id)
    before.require_current()
    after = replace(
        before,
        label=found.label,
        series_uid=found.series_uid,
        sop_uid=found.sop_uid,
        frame_of_reference_uid=found.frame_of_reference_uid,
        centre_lps_mm=found.centre_lps_mm,
        values=found.values,
        state=State.EDITED,
        decided_by=by.id,
        decided_by_name=by.name,
        decided_at=clock.now(),
    )
    store.move(db, after, found.outline)
    return _replace(db, before, after, "edit", by, None)


def of_run(db: Db, run: str) -> list[Finding]:
    """Return what was proposed or marked under a name."""
    return store.of_run(db, run)


def get_finding(db: Db, finding_id: str) -> Finding:
    """Return a finding or refuse."""
    return _held(db, finding_id, lock=False)


def get_outline(db: Db, finding_id: str) -> dict[str, Any]:
    """Return the outline of a finding as stored: slices with contours and axes, LPS, mm."""
    outline = store.get_outline(db, finding_id)
    if outline is None:
        raise FindingNotHeld(f"Finding {finding_id} is not held.")
    return outline


def of_studies(db: Db, *study_uids: str) -> list[Finding]:
    """Return the current findings of some studies."""
    return store.of_studies(db, study_uids)


def of_patient(db: Db, patient: str) -> list[Finding]:
    """Return the current findings of a patient at all dates."""
    return store.of_patient(db, patient)


def sightings_of(db: Db, patient: str) -> list[Sighting]:
    """Return what curves need of the current findings of a patient at all dates, rejected ones left out."""
    return store.sightings_of(db, patient)


def trail_of(db: Db, finding_id: str) -> list[dict[str, Any]]:
    """Return every decision on a finding, oldest first."""
    return store.decisions_of(db, finding_id)


def unify_lesions(db: Db, patient: str, lesions: Mapping[str, str], *, by: access.Person) -> None:
    """Say which lesion each finding of a patient is: tracking UID by finding id; others stay as they are."""
    access.require(by, "finding.propose", on=patient)
    changed = [
        (finding.id, finding.lesion, lesions[finding.id])
        for finding in store.of_patient(db, patient)
        if lesions.get(finding.id, finding.lesion) != finding.lesion
    ]
    for finding_id, _, lesion in changed:
        store.set_lesion(db, finding_id, lesion)
    if changed:
        audit.record(db, "lesion.unify", by=by, on=patient, lesions=[list(change) for change in changed])


def hold_patient(db: Db, patient: str) -> list[Finding]:
    """Return the current findings of a patient, which nobody else may change until the transaction ends."""
    return store.of_patient(db, patient, lock=True)


def _held(db: Db, finding_id: str, *, lock: bool = True) -> Finding:
    finding = store.get(db, finding_id, lock=lock)
    if finding is None:
        raise FindingNotHeld(f"Finding {finding_id} is not held.")
    return finding


def _replace(
    db: Db, before: Finding, after: Finding, decision: str, by: access.Person, reason: str | None
) -> Finding:
    store.save(db, after)
    _remember(db, before, after, decision, by, reason)
    # Free text may hold patient data and stays out of the audit trail; its presence does not.
    audit.record(
        db, f"finding.{decision}", by=by, on=after.id, study=after.study_uid, noted=bool(reason),
        before=_audited(before), after=_audited(after),
    )  # fmt: skip
    return after


def _remember(
    db: Db, before: Finding, after: Finding, decision: str, by: access.Person, reason: str | None
) -> None:
    """Append the decision with all that it changed, so that it can be taken back."""
    store.add_decision(
        db, finding=after.id, at=clock.now(), by=by.id, by_name=by.name, decision=decision, reason=reason,
        before=_kept(before), after=_kept(after),
    )  # fmt: skip


def _kept(finding: Finding) -> dict[str, Any]:
    return {**_audited(finding), "label": finding.label, "note": finding.note}


def _new(study_uid: str, patient: str, source: Source, found: Found, *, number: int, index: int) -> Finding:
    identity = hashlib.sha256(f"{source.run}/{index}".encode()).hexdigest()[:32]
    return Finding(
        id=identity,
        number=number,
        study_uid=study_uid,
        patient=patient,
        kind=found.kind,
        label=found.label,
        state=State.PROPOSED,
        lesion=own_lesion(identity),
        source=source,
        series_uid=found.series_uid,
        sop_uid=found.sop_uid,
        frame_of_reference_uid=found.frame_of_reference_uid,
        centre_lps_mm=found.centre_lps_mm,
        values=found.values,
        proposed=found.values,
        why=found.why,
        laterality=found.laterality,
        score=found.score,
        mask_key=found.mask_key,
        note=None,
        created_at=clock.now(),
        decided_by=None,
        decided_by_name=None,
        decided_at=None,
    )


def _audited(finding: Finding) -> dict[str, Any]:
    values = {name: quantity_to_json(value) for name, value in finding.values.items()}
    return {"id": finding.id, "state": finding.state.value, "lesion": finding.lesion, "values": values}


def follow_patient(db: Db, study_uid: str, patient: str) -> None:
    """Give the findings of a study to the patient whose it is now, and what was said of them alone."""
    before = {f.patient for f in store.of_studies(db, [study_uid])}
    store.follow_patient(db, study_uid, patient)
    now = {f.id for f in store.of_patient(db, patient)}
    moved = [
        statement.id
        for old in before - {patient}
        for statement in statements.standing(db, old)
        if now.issuperset((*statement.earlier, *statement.later))
    ]
    statements.give_to(db, moved, patient)
