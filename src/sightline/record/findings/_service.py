"""Use cases of findings: propose, decide, correct, mark, link."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

from sightline.kernel import clock
from sightline.record.findings import _store as store
from sightline.record.findings._model import (
    Correction,
    Decision,
    Finding,
    FindingNotHeld,
    Found,
    Source,
    SourceKind,
    State,
    quantity_to_json,
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
audit.declare("lesion.unify", "Findings of two dates were linked as one lesion")


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


def mark_finding(db: Db, study_uid: str, patient: str, found: Found, *, by: access.Person) -> Finding:
    """Write a lesion that a person marked; it counts at once, by that person's word."""
    access.require(by, "finding.mark", on=study_uid)
    source = Source(SourceKind.PERSON, by.name, "", run=f"person-{uuid.uuid4().hex}")
    number = store.last_number(db, study_uid) + 1
    new = _new(study_uid, patient, source, found, number=number, index=0)
    finding = new.decided(Decision.ACCEPT, by=by.id, by_name=by.name, at=clock.now())
    store.add(db, finding, 0, found.outline)
    audit.record(db, "finding.mark", by=by, on=finding.id, study=study_uid, finding=_audited(finding))
    return finding


def decide_finding(
    db: Db, finding_id: str, decision: Decision, *, by: access.Person, reason: str | None = None
) -> Finding:
    """Accept or reject a finding, or take the last word on it back."""
    access.require(by, "finding.decide", on=finding_id)
    before = _held(db, finding_id)
    after = before.decided(decision, by=by.id, by_name=by.name, at=clock.now())
    return _replace(db, before, after, decision.value, by, reason)


def correct_finding(db: Db, finding_id: str, correction: Correction, *, by: access.Person) -> Finding:
    """Put a person's label or values in place of the model's, and keep both."""
    access.require(by, "finding.edit", on=finding_id)
    before = _held(db, finding_id)
    after = before.corrected(correction, by=by.id, by_name=by.name, at=clock.now())
    return _replace(db, before, after, "edit", by, correction.note)


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


def trail_of(db: Db, finding_id: str) -> list[dict[str, Any]]:
    """Return every decision on a finding, oldest first."""
    return store.decisions_of(db, finding_id)


def unify_lesions(db: Db, patient: str, pairs: Sequence[tuple[str, str]], *, by: access.Person) -> None:
    """Make the lesion of each current finding the same as that of its prior finding, at all dates.

    Each pair is ``(current lesion, prior lesion)`` by tracking UID; the prior's identity wins.
    """
    changed = [(current, prior) for current, prior in pairs if current != prior]
    for current, prior in changed:
        store.rename_lesion(db, patient, current, prior)
    if changed:
        audit.record(db, "lesion.unify", by=by, on=patient, lesions=[list(pair) for pair in changed])


def _held(db: Db, finding_id: str, *, lock: bool = True) -> Finding:
    finding = store.get(db, finding_id, lock=lock)
    if finding is None:
        raise FindingNotHeld(f"Finding {finding_id} is not held.")
    return finding


def _replace(
    db: Db, before: Finding, after: Finding, decision: str, by: access.Person, reason: str | None
) -> Finding:
    store.save(db, after)
    facts = {"before": _audited(before), "after": _audited(after)}
    store.add_decision(
        db, finding=after.id, at=clock.now(), by=by.id, by_name=by.name,
        decision=decision, reason=reason, **facts,
    )  # fmt: skip
    # Free text may hold patient data and stays out of the audit trail; its presence does not.
    audit.record(
        db, f"finding.{decision}", by=by, on=after.id, study=after.study_uid, noted=bool(reason), **facts
    )
    return after


def _new(study_uid: str, patient: str, source: Source, found: Found, *, number: int, index: int) -> Finding:
    identity = hashlib.sha256(f"{source.run}/{index}".encode()).digest()
    return Finding(
        id=identity.hex()[:32],
        number=number,
        study_uid=study_uid,
        patient=patient,
        kind=found.kind,
        label=found.label,
        state=State.PROPOSED,
        lesion=f"2.25.{int.from_bytes(identity[:16])}",
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
