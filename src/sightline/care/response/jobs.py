"""Jobs of response: what was kept follows its baseline to the patient whose it is."""

from typing import Any

from sightline.care.response import _store as store
from sightline.runtime import events, jobs


@jobs.job("response-follows-patient")
def follow(run: jobs.Run, subject: str, patient: str, **_: Any) -> None:
    """Give the response whose baseline is a study that was moved or merged to the patient of that study."""

    def work() -> None:
        with run.database.transaction() as db:
            store.follow_patient(db, subject, patient)

    run.step("follow", work)


events.listen("StudyCorrected", follow)
