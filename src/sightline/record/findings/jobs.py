"""Jobs of findings: they follow their study to the patient whose it is."""

from typing import Any

from sightline.record.findings._service import follow_patient
from sightline.runtime import events, jobs


@jobs.job("findings-follow-patient")
def follow(run: jobs.Run, subject: str, patient: str, **_: Any) -> None:
    """Give the findings of a study that was moved or merged to its patient."""

    def work() -> None:
        with run.database.transaction() as db:
            follow_patient(db, subject, patient)

    run.step("follow", work)


events.listen("StudyCorrected", follow)
