"""What becomes of a comparison when the prior that it stands on is gone, or is back."""

from typing import Any

from sightline.intelligence.routing._comparing import unify_again
from sightline.record import archive, timeline
from sightline.runtime import events, jobs
from sightline.runtime.db import Db
from sightline.trust import access


@jobs.job("compare-without")
def compare_without(run: jobs.Run, subject: str, **_: Any) -> None:
    """After images of a study are gone, compare anew the later studies that were compared with it."""

    def work() -> None:
        with run.database.transaction() as db:
            for uid in timeline.compared_with(db, subject):
                jobs.enqueue(db, "compare-study", key=f"compare-{uid}-{run.key}", subject=uid)

    run.step("enqueue", work)


for happened in ("StudyGone", "InstancesWithheld"):
    events.listen(happened, compare_without)


def forget_if_gone(db: Db, study_uid: str) -> None:
    """Forget the comparison of a study whose prior is gone, with what it linked; findings stay.

    Nothing is then said to have changed since images that nobody can look at.
    """
    known = timeline.comparison_of(db, study_uid)
    if known is None or study_uid not in archive.get_studies(db, [study_uid]) or _is_there(db, known):
        return
    timeline.forget_comparison(db, study_uid, by=access.SYSTEM)
    unify_again(db, known.patient)
    events.publish(db, "StudyCompared", study_uid, prior="")


def _is_there(db: Db, known: timeline.Comparison) -> bool:
    if known.prior_uid not in archive.get_studies(db, [known.prior_uid]):
        return False
    held = archive.series_of_study(db, known.prior_uid)
    return known.prior_series_uid in {series.uid for series in held}
