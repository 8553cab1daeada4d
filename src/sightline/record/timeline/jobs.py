"""Jobs of the timeline: comparisons follow their study's patient, and regions are read from images."""

from typing import Any

from sightline.record.timeline._seeing import see_study
from sightline.record.timeline._service import follow_patient
from sightline.runtime import events, jobs


@jobs.job("comparisons-follow-patient")
def follow(run: jobs.Run, subject: str, patient: str, **_: Any) -> None:
    """Give the comparison of a study that was moved or merged to its patient."""

    def work() -> None:
        with run.database.transaction() as db:
            follow_patient(db, subject, patient)

    run.step("follow", work)


@jobs.job("see-regions", heavy=True)
def see(run: jobs.Run, subject: str, history: str = "", **_: Any) -> None:
    """Read from the images of a CT that has arrived which regions of the body it shows.

    A migration brings an archive of years, whose regions are those that were stated.
    """
    if history != "migrated":
        run.step("see", lambda: see_study(run.resource("store"), subject) and None)


events.listen("StudyCorrected", follow)
events.listen("StudySettled", see)
