"""What becomes of a comparison when the prior that it stands on is gone, or is its prior no more."""

from datetime import datetime
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
    """Forget the comparison of a study whose prior is gone or is none any more, with what it linked.

    Findings stay. Nothing is then said to have changed since images that nobody can look at, that are of
    somebody else, or that are not the earlier ones.
    """
    known = timeline.comparison_of(db, study_uid)
    if known is None or study_uid not in archive.get_studies(db, [study_uid]) or _stands(db, known):
        return
    timeline.forget_comparison(db, study_uid, by=access.SYSTEM)
    held = archive.get_studies(db, [known.study_uid, known.prior_uid])
    for patient in sorted({known.patient, *(study.patient for study in held.values())}):
        unify_again(db, patient)
    events.publish(db, "StudyCompared", study_uid, prior="")


def _stands(db: Db, known: timeline.Comparison) -> bool:
    held = archive.get_studies(db, [known.study_uid, known.prior_uid])
    if len(held) < 2:
        return False
    study, prior = held[known.study_uid], held[known.prior_uid]
    if study.patient != prior.patient or not _is_earlier(prior, study):
        return False
    return known.prior_series_uid in {series.uid for series in archive.series_of_study(db, prior.uid)}


def _is_earlier(prior: archive.Study, study: archive.Study) -> bool:
    then, now = (timeline.study_moment(one.date, one.time) for one in (prior, study))
    return datetime.min < then < now  # noqa: DTZ901  DICOM states no zone
