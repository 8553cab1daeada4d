"""Use cases of a lesion over time: a person says which findings are one, and the change follows at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from sightline.care import reporting, worklist
from sightline.intelligence import routing
from sightline.record import archive, findings, timeline
from sightline.runtime import events
from sightline.runtime.db import Db
from sightline.trust import access


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finding of the prior that another could be, `away_mm` from its aligned place where aligned."""

    finding: findings.Finding
    away_mm: float | None


def link(
    held: archive.Store,
    db: Db,
    identity: findings.Identity,
    earlier: Sequence[str],
    later: Sequence[str],
    *,
    by: access.Person,
) -> findings.Statement:
    """Say what findings of two studies are to each other; tracking UIDs, change and curve follow at once.

    Raises
    ------
    UnusableLink, ContradictsEarlierWord
        If that cannot be.
    ReportAlreadySigned
        If the report of the later study is signed.
    """
    access.require(by, "finding.decide", on=later[0] if later else "")
    study = _require_open(db, later, by)
    said = findings.state_identity(db, identity, earlier, later, by=by)
    _follow(held, db, study, said)
    return said


def unlink(held: archive.Store, db: Db, statement_id: str, *, by: access.Person) -> None:
    """Take back what a person said; what was said before, or what alignment says, stands again."""
    said = findings.withdraw_identity(db, statement_id, by=by)
    study = _require_open(db, said.later, by)
    _follow(held, db, study, said)


def _require_open(db: Db, later: Sequence[str], by: access.Person) -> str:
    """Return the later study, or refuse once its report is signed."""
    if not later:
        raise findings.UnusableLink("Name the finding of the later study.")
    study = findings.get_finding(db, later[0]).study_uid
    worklist.hold_entry(db, study)
    if reporting.is_signed(db, study, by=by):
        raise reporting.ReportAlreadySigned("The report is signed, so its findings cannot change.")
    return study


def _follow(held: archive.Store, db: Db, study_uid: str, said: findings.Statement) -> None:
    """Make the comparison anew that the statement bears on, and let the others follow."""
    prior = findings.get_finding(db, said.earlier[0]).study_uid
    comparisons = timeline.comparisons_of_patient(db, said.patient)
    told = next((c for c in comparisons if (c.study_uid, c.prior_uid) == (study_uid, prior)), None)
    if told is not None:
        routing.compare_again(db, held, told)
    else:
        routing.unify_again(db, said.patient)
    events.publish(db, "FindingsChanged", study_uid)
    worklist.refresh_entry(db, study_uid)


def find_candidates(held: archive.Store, db: Db, finding_id: str, *, by: access.Person) -> list[Candidate]:
    """Return the findings of the prior that a finding could be, the nearest after alignment first."""
    finding = findings.get_finding(db, finding_id)
    access.require(by, "finding.read", on=finding.study_uid)
    comparison = timeline.comparison_of(db, finding.study_uid)
    if comparison is None:
        return []
    then = [
        f for f in findings.of_studies(db, comparison.prior_uid) if f.state is not findings.State.REJECTED
    ]
    away = routing.distances_to(held.blobs, comparison, finding, then)
    candidates = [Candidate(f, mm) for f, mm in zip(then, away, strict=True)]
    return sorted(candidates, key=lambda c: (c.away_mm is None, c.away_mm or 0.0, c.finding.number))
