"""The clinic, and a signed report to be given out."""

import pytest

from sightline.care import reporting, worklist
from sightline.record import findings
from sightline.trust import access
from tests.care.clinic import (
    FIRST,
    SECOND,
    change,
    clinic,
    db,
    log_in,
    radiologist,
    reads,
    receive,
    store,
)
from tests.care.clinic import sqlite as database  # there is no statement of FHIR's own

__all__ = [
    "clinic",
    "database",
    "db",
    "log_in",
    "radiologist",
    "reads",
    "receive",
    "store",
]

STUDY, PRIOR = "1.2", "1.1"


@pytest.fixture
def accepted(receive, clinic, db, radiologist):
    """A study whose one accepted nodule has grown; another was rejected, a third is undecided."""
    receive(PRIOR, FIRST)
    receive(STUDY, SECOND)
    [then] = clinic.propose(PRIOR, 8.0)
    grown, wrong, _ = clinic.propose(STUDY, 12.0, 6.0, 5.0)
    clinic.compare(STUDY, PRIOR, change(grown, then, "grown", text="nodule grew 50 %"))
    lesions = {grown.id: then.lesion}
    findings.unify_lesions(db, clinic.patient_of(STUDY), lesions, by=access.SYSTEM)
    findings.decide_finding(db, grown.id, findings.Decision.ACCEPT, by=radiologist)
    findings.decide_finding(db, wrong.id, findings.Decision.REJECT, by=radiologist)
    worklist.refresh_entry(db, STUDY)
    db.commit()
    return findings.get_finding(db, grown.id)


@pytest.fixture
def signed(accepted, db, radiologist):
    """Its report, signed; the objects are not written yet."""
    report = reporting.sign_report(db, STUDY, 0, by=radiologist).report
    db.commit()
    return report
