"""Jobs of the worklist: place a study when something about it has happened."""

from typing import Any

from sightline.care.worklist._service import refresh_entry, waiting_beside
from sightline.runtime import events, jobs


@jobs.job("place-study")
def place(run: jobs.Run, subject: str, history: str = "", **_: Any) -> None:
    """Work out where a study stands on the list; one of the past that is new here is not to be read.

    A prior that has come or is gone changes what is said of the studies that wait to be read beside it.
    """

    def work() -> None:
        with run.database.transaction() as db:
            refresh_entry(db, subject, of_the_past=bool(history))
            others = waiting_beside(db, subject)
        for uid in others:  # each by itself, so that two of a patient never hold each other's row
            with run.database.transaction() as db:
                refresh_entry(db, uid)

    run.step("place", work)


HAPPENED = ("StudySettled", "StudyAnalysed", "StudyCompared", "StudyCorrected", "StudyGone", "StudyRestored")
for name in HAPPENED:
    events.listen(name, place)
