"""Jobs of the timeline: comparisons follow their study, and never join two patients."""

from typing import Any

from sightline.record import archive
from sightline.record.timeline import _store as store
from sightline.runtime import events, jobs
from sightline.runtime.db import Db


@jobs.job("comparisons-follow-patient")
def follow(run: jobs.Run, subject: str, patient: str, **_: Any) -> None:
    """Give the comparison of a study that was moved or merged to its patient; drop those with another's."""

    def work() -> None:
        with run.database.transaction() as db:
            store.follow_patient(db, subject, patient)
            _drop_foreign(db, subject)

    run.step("follow", work)


def _drop_foreign(db: Db, study_uid: str) -> None:
    pairs = store.pairs_with(db, study_uid)
    held = archive.get_studies(db, sorted({uid for pair in pairs for uid in pair}))
    for study, prior in pairs:
        if study in held and prior in held and held[study].patient != held[prior].patient:
            store.remove(db, study)


events.listen("StudyCorrected", follow)
