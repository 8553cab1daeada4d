"""A study with its prior, two findings and what became of them, ready to be reported."""

import pytest

from sightline.care import worklist
from sightline.intelligence import routing
from sightline.record import findings
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND, change

STUDY, PRIOR = "1.2", "1.1"


@pytest.fixture
def received(receive):
    """The bytes of both studies; before the first statement of a test's own transaction."""
    receive(PRIOR, FIRST)
    receive(STUDY, SECOND)


@pytest.fixture
def found(received, clinic, db):
    """Two nodules of the study, one of which has grown since the prior; nobody has decided on them."""
    [then] = clinic.propose(PRIOR, 8.0)
    grown, other = clinic.propose(STUDY, 12.0, 6.0, mask=True)
    clinic.compare(STUDY, PRIOR, change(grown, then, "grown"), change(other, None, "new"))
    routing.request_analysis(db, STUDY, by=access.SYSTEM)  # there is no model for so few images
    worklist.refresh_entry(db, STUDY)
    return grown, other


@pytest.fixture
def accepted(found, db, radiologist):
    """The same, both accepted."""
    return tuple(findings.decide_finding(db, f.id, findings.Decision.ACCEPT, by=radiologist) for f in found)
