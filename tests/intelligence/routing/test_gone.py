"""A prior that is thrown away takes with it what was said to have changed since, and nothing else."""

from dataclasses import replace

import pytest

from sightline.care import worklist
from sightline.intelligence import routing
from sightline.intelligence.routing import _store as routing_store
from sightline.record import archive, findings, timeline, upkeep
from sightline.runtime import jobs
from sightline.trust import access, audit
from sightline.wire import priors
from tests.care.clinic import FIRST, SECOND, THIRD
from tests.intelligence.routing.test_chain import aligned

__all__ = ["aligned"]

OPERATOR = access.operator("tester")


@pytest.fixture
def worker(store, database, tmp_path):
    """What runs the jobs of a server, in this process."""
    settings = {"upkeep_settings": upkeep.UpkeepSettings(), "prior_settings": priors.PriorSettings()}
    worker = jobs.Worker(database, lock=tmp_path / "worker.lock", store=store, **settings)
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture
def compared(receive, clinic, database, db, worker, aligned):
    """Two studies of a patient with the same nodule, settled and compared."""
    for study, date in (("1.1", FIRST), ("1.2", SECOND)):
        receive(study, date)
        clinic.propose(study, 9.0, mask=True)
        db.commit()
    with database.transaction() as writing:
        archive.settle_now(writing, ["1.1", "1.2"])
    worker.drain(timeout_s=60)


def trash(database, study):
    with database.transaction() as db:
        archive.trash_study(db, study, reason="a test", by=OPERATOR, trash_days=30)


def comparison(database, study="1.2"):
    with database.reading() as db:
        return timeline.comparison_of(db, study)


def test_a_trashed_prior_takes_the_comparison_along_and_a_restored_one_brings_it_back(
    compared, database, worker
):
    before = comparison(database)
    assert [change.linked for change in before.changes] == [True]

    trash(database, "1.1")
    worker.drain(timeout_s=60)

    assert comparison(database) is None
    with database.reading() as db:
        row = worklist.get_entry(db, "1.2")
        (now,) = findings.of_studies(db, "1.2")
        assert "comparison.forget" in [entry.act for entry in audit.trail(db, on="1.2")]
    assert (row.prior_count, row.changes) == (0, ())
    assert "without a prior" in row.reason
    assert now.state is findings.State.PROPOSED

    with database.transaction() as db:
        archive.restore(db, "1.1", "trashed", by=OPERATOR)
    worker.drain(timeout_s=60)

    assert comparison(database).changes == before.changes
    assert jobs.open_queue(database).counts() == {"waiting": 0, "running": 0, "failed": 0}


def test_the_next_best_prior_takes_the_place_of_a_trashed_one(compared, receive, database, worker):
    receive("1.3", THIRD)
    with database.transaction() as db:
        archive.settle_now(db, ["1.3"])
    worker.drain(timeout_s=60)
    assert comparison(database, "1.3").prior_uid == "1.2"

    trash(database, "1.2")
    worker.drain(timeout_s=60)

    assert comparison(database, "1.3").prior_uid == "1.1"
    assert jobs.open_queue(database).counts()["failed"] == 0


def test_a_study_that_is_gone_before_its_turn_fails_no_job(compared, database, worker):
    with database.transaction() as db:
        jobs.enqueue(db, "compare-study", key="late", subject="9.9")
        jobs.enqueue(db, "compare-patient", key="late-too", subject="9.9")
    worker.drain(timeout_s=60)

    assert jobs.open_queue(database).counts()["failed"] == 0
    assert comparison(database) is not None


def test_a_prior_whose_series_is_gone_is_compared_no_more(compared, receive, database, worker):
    receive("1.1", FIRST, series="1.1.5", slices=1, Modality="SR")
    with database.transaction() as db:
        archive.trash_study(db, "1.1", reason="a test", by=OPERATOR, trash_days=30, series_uids=["1.1.1"])
    worker.drain(timeout_s=60)

    assert comparison(database) is None


def trash_series(database, study, series):
    with database.transaction() as db:
        archive.trash_study(db, study, reason="a test", by=OPERATOR, trash_days=30, series_uids=[series])


def test_a_study_whose_own_series_is_gone_is_compared_no_more(compared, receive, database, worker):
    receive("1.2", SECOND, series="1.2.5", slices=1, Modality="SR")
    trash_series(database, "1.2", "1.2.1")
    worker.drain(timeout_s=60)

    assert comparison(database) is None
    with database.reading() as db:
        assert "comparison.forget" in [entry.act for entry in audit.trail(db, on="1.2")]


def test_another_series_takes_the_place_of_an_analysed_one_that_is_gone(compared, receive, database, worker):
    receive("1.2", SECOND, series="1.2.2", slices=3)
    with database.transaction() as db:
        [none] = routing.analyses_of(db, "1.2")
        routing_store.put(db, replace(none, model="a-model", series_uid="1.2.1"))
        assert routing.main_series(db, "1.2") == "1.2.1"

    trash_series(database, "1.2", "1.2.1")
    worker.drain(timeout_s=60)

    assert comparison(database).study_series_uid == "1.2.2"
    with database.reading() as db:
        assert routing.main_series(db, "1.2") == "1.2.2"


def test_a_comparison_whose_images_stay_is_left_as_it_is(compared, receive, database, worker):
    receive("1.2", SECOND, series="1.2.2", slices=2, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    before = comparison(database)

    trash_series(database, "1.2", "1.2.2")
    worker.drain(timeout_s=60)

    assert comparison(database) == before
