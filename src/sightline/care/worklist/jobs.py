"""Jobs of the worklist: place a study when something about it has happened."""

from typing import Any

from sightline.care.worklist._service import refresh_entry
from sightline.runtime import events, jobs


@jobs.job("place-study")
def place(run: jobs.Run, subject: str, **_: Any) -> None:
    """Work out where a study stands on the list."""

    def work() -> None:
        with run.database.transaction() as db:
            refresh_entry(db, subject)

    run.step("place", work)


HAPPENED = ("StudySettled", "StudyAnalysed", "StudyCompared", "StudyCorrected", "StudyGone", "StudyRestored")
for name in HAPPENED:
    events.listen(name, place)
