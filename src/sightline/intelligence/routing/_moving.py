"""Studies that were moved or merged: findings of two patients are one lesion no longer."""

from sightline.intelligence.routing._comparing import unify_again
from sightline.record import archive, findings, timeline
from sightline.runtime.db import Db


def follow_correction(db: Db, study: archive.Study, number: int) -> None:
    """Have all that a correction moved be with the patient whose it is now, and tell lesions apart anew.

    What follows a study to its patient has jobs of its own, of which each moves one study; until the last has
    run, the lesions of either patient would be told from half of their findings.
    """
    told = [c for c in archive.corrections_of(db, study.uid) if c.id == number]
    before = {c.before.get("patient", {}).get("id") for c in told} - {None}
    after = {uid: patient for c in told for uid, patient in c.after.get("patients", {}).items()}
    patients = {study.patient, *before, *after.values()}
    if len(patients) == 1:
        return
    for moved in archive.get_studies(db, sorted({study.uid, *after})).values():
        findings.follow_patient(db, moved.uid, moved.patient)
        known = timeline.comparison_of(db, moved.uid)
        if known is not None and known.patient != moved.patient:
            timeline.follow_patient(db, moved.uid, moved.patient)
    for patient in sorted(patients):
        unify_again(db, patient)
