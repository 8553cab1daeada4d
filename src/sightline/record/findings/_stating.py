"""Use cases of a lesion's identity: a person says which findings are one lesion, and takes it back."""

import uuid
from collections.abc import Sequence

from sightline.kernel import clock
from sightline.record.findings import _statements as kept
from sightline.record.findings import _store as store
from sightline.record.findings._identity import (
    ContradictsEarlierWord,
    Identity,
    LinkNotHeld,
    Statement,
    contradicts,
    require_pair_of_studies,
)
from sightline.record.findings._model import FindingNotHeld
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("lesion.same", "A person said that findings of two dates are one lesion")
audit.declare("lesion.different", "A person said that findings of two dates are two lesions")
audit.declare("lesion.merged", "A person said that several lesions became one")
audit.declare("lesion.split", "A person said that one lesion became several")
audit.declare("lesion.undo", "A person took back what was said of a lesion's identity")


def state_identity(
    db: Db, identity: Identity, earlier: Sequence[str], later: Sequence[str], *, by: access.Person
) -> Statement:
    """Write what a person says of findings of two studies, in place of what was said of them before.

    Raises
    ------
    FindingNotHeld
        If one of the findings is not held.
    UnusableLink
        If they are not findings of two studies of one patient, or of the wrong number.
    ContradictsEarlierWord
        If it cannot hold together with what else was said.
    """
    found = []
    for finding_id in (*earlier, *later):
        access.require(by, "finding.decide", on=finding_id)
        finding = store.get(db, finding_id)
        if finding is None:
            raise FindingNotHeld(f"Finding {finding_id} is not held.")
        finding.require_current()
        found.append(finding)
    require_pair_of_studies(found[: len(earlier)], found[len(earlier) :])
    patient = found[0].patient
    held = store.of_patient(db, patient, lock=True)
    said = Statement(
        uuid.uuid4().hex, patient, identity, tuple(earlier), tuple(later), clock.now(), by.id, by.name
    )
    before = kept.standing(db, patient)
    study = {f.id: f.study_uid for f in held}
    between = (study.get(earlier[0]), study.get(later[0]))
    replaced = [
        other
        for other in before
        if said.replaces(other) and (study.get(other.earlier[0]), study.get(other.later[0])) == between
    ]
    if contradicts(held, [*(s for s in before if s not in replaced), said]):
        raise ContradictsEarlierWord(
            "Together with what was said of these lesions before, two findings of one study would be one "
            "lesion. Take the earlier link back first."
        )
    kept.add(db, said, replaced)
    _audit(db, f"lesion.{identity.value}", said, by, replaced=[s.id for s in replaced])
    return said


def withdraw_identity(db: Db, statement_id: str, *, by: access.Person) -> Statement:
    """Take a statement back; what it had replaced stands again."""
    said = kept.get(db, statement_id)
    if said is None:
        raise LinkNotHeld("Nothing was said under this name, or it was taken back already.")
    access.require(by, "finding.decide", on=said.later[0])
    store.of_patient(db, said.patient, lock=True)
    kept.withdraw(db, statement_id, by=by.id, at=clock.now())
    _audit(db, "lesion.undo", said, by)
    return said


def statements_of(db: Db, patient: str) -> list[Statement]:
    """Return what persons said of a patient's lesions and did not take back, oldest first."""
    return kept.standing(db, patient)


def _audit(db: Db, act: str, said: Statement, by: access.Person, **more: list[str]) -> None:
    audit.record(
        db, act, by=by, on=said.later[0],
        statement=said.id, earlier=list(said.earlier), later=list(said.later), **more,
    )  # fmt: skip
