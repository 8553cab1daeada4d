"""What becomes of a comparison when images that it stands on are gone, or its prior is none any more."""

from typing import Any

from sightline.intelligence.routing._comparing import unify_again
from sightline.intelligence.routing._pair import compared_pair
from sightline.record import archive, timeline
from sightline.runtime import events, jobs
from sightline.runtime.db import Db
from sightline.trust import access


@jobs.job("compare-without")
def compare_without(run: jobs.Run, subject: str, **_: Any) -> None:
    """After images of a study are gone, compare anew what was compared by them: later studies and itself."""

    def work() -> None:
        with run.database.transaction() as db:
            own = [subject] if _has_lost(db, subject) else []
            for uid in own + timeline.compared_with(db, subject):
                jobs.enqueue(db, "compare-study", key=f"compare-{uid}-{run.key}", subject=uid)

    run.step("enqueue", work)


for happened in ("StudyGone", "InstancesWithheld"):
    events.listen(happened, compare_without)


def _has_lost(db: Db, study_uid: str) -> bool:
    """Say whether images are gone on which the comparison of a study with its prior stands."""
    known = timeline.comparison_of(db, study_uid)
    if known is None:
        return False
    return not _stands(db, known) or known.alignment.key != f"{compared_pair(db, known).key}.npz"


def forget_if_gone(db: Db, study_uid: str) -> None:
    """Forget the comparison of a study of which one side is gone or the prior is none any more.

    What it linked is forgotten, findings stay. Nothing is then said to have changed since images that nobody
    can look at, that are of somebody else, or that are not the earlier ones.
    """
    known = timeline.comparison_of(db, study_uid)
    if known is None or study_uid not in archive.get_studies(db, [study_uid]) or _stands(db, known):
        return
    timeline.forget_comparison(db, study_uid, by=access.SYSTEM)
    unify_again(db, known.patient)
    events.publish(db, "StudyCompared", study_uid, prior="")


def _stands(db: Db, known: timeline.Comparison) -> bool:
    held = archive.get_studies(db, [known.study_uid, known.prior_uid])
    if len(held) < 2:
        return False
    study, prior = held[known.study_uid], held[known.prior_uid]
    if study.patient != prior.patient or not timeline.is_earlier(prior, study):
        return False
    return _holds(db, study, known.study_series_uid) and _holds(db, prior, known.prior_series_uid)


def _holds(db: Db, study: archive.Study, series_uid: str) -> bool:
    return series_uid in {series.uid for series in archive.series_of_study(db, study.uid)}
