"""The use case of the patient's page: everything through time, at once."""

from sightline.care import reporting
from sightline.care.timeline._model import Course
from sightline.record import archive, findings, timeline
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("patient.open", "A person looked at a patient through time")

MOST_REPORTS = 10_000


def course_of(db: Db, patient: str, *, by: access.Person) -> Course:
    """Return the studies, findings, comparisons and signed reports of a patient.

    `patient` is the opaque id, also the former one of a patient who was merged into another.

    Raises
    ------
    PatientNotHeld
        If no study of this patient is held.
    """
    access.require(by, "patient.read", on=patient)
    held = archive.get_patient(db, patient)
    audit.record_read(by, "patient.open", on=held.id)
    studies = archive.studies_of_patient(db, held.id)
    if not studies:
        raise archive.PatientNotHeld("No study of this patient is held.")
    return Course(
        patient=held,
        studies=sorted(studies, key=lambda s: (s.date, s.time, s.uid)),
        sightings=findings.sightings_of(db, held.id),
        comparisons=timeline.comparisons_of_patient(db, held.id),
        reports=_reports(db, held.id, by),
    )


def _reports(db: Db, patient: str, by: access.Person) -> dict[str, reporting.Report] | None:
    if not access.allowed(by, "report.read"):
        return None
    return {r.study_uid: r for r in reporting.find_signed(db, patient, by=by, limit=MOST_REPORTS)}
