"""Jobs of the worklist: place a study when something about it has happened."""

from typing import Any

from sightline.care.worklist._service import refresh_entry
from sightline.runtime import events, jobs


@jobs.job("place-study")
def place(run: jobs.Run, subject: str, history: str = "", **_: Any) -> None:
    """Work out where a study stands on the list; one of the past that is new here is not to be read."""

    def work() -> None:
        with run.database.transaction() as db:
            refresh_entry(db, subject, of_the_past=bool(history))

    run.step("place", work)


HAPPENED = ("StudySettled", "StudyAnalysed", "StudyCompared", "StudyCorrected", "StudyGone", "StudyRestored")
for name in HAPPENED:
    events.listen(name, place)
