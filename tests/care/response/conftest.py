"""A patient with lesions that people kept at three dates."""

import pytest

from sightline.record import findings
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND, THIRD

STUDIES = ("1.1", "1.2", "1.3")


@pytest.fixture
def received(receive):
    for study, date in zip(STUDIES, (FIRST, SECOND, THIRD), strict=True):
        receive(study, date)
    return STUDIES


@pytest.fixture
def followed(received, clinic, db, radiologist):
    """Return a function that keeps lesions by their long axes in mm at each study; None: not found there."""

    def follow(*lines: tuple[float | None, ...]) -> list[str]:
        found = {
            study: clinic.propose(study, *[line[k] for line in lines if line[k] is not None])
            for k, study in enumerate(STUDIES)
        }
        uids, lesions = [], {}
        for number, line in enumerate(lines):
            first = None
            for k, study in enumerate(STUDIES):
                if line[k] is None:
                    continue
                at = sum(other[k] is not None for other in lines[:number])
                finding = found[study][at]
                first = first or finding
                lesions[finding.id] = first.lesion
                findings.decide_finding(db, finding.id, findings.Decision.ACCEPT, by=radiologist)
            assert first is not None
            uids.append(first.lesion)
        findings.unify_lesions(db, clinic.patient_of(STUDIES[0]), lesions, by=access.SYSTEM)
        db.commit()
        return uids

    return follow


@pytest.fixture
def patient(received, clinic):
    return clinic.patient_of(STUDIES[0])
