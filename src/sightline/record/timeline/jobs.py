"""Jobs of the timeline: comparisons follow their study to the patient whose it is."""

from typing import Any

from sightline.record.timeline._service import follow_patient
from sightline.runtime import events, jobs


@jobs.job("comparisons-follow-patient")
def follow(run: jobs.Run, subject: str, patient: str, **_: Any) -> None:
    """Give the comparison of a study that was moved or merged to its patient; drop those with another's."""

    def work() -> None:
        with run.database.transaction() as db:
            follow_patient(db, subject, patient)

    run.step("follow", work)


events.listen("StudyCorrected", follow)
