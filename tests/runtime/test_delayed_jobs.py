"""Jobs whose hour has not come."""

import time

import pytest

from sightline.runtime import jobs

DONE: list[tuple[str, float]] = []


@jobs.job("test-delayed")
def note(run, *, name):
    DONE.append((name, time.monotonic()))


@pytest.fixture
def worker(database, tmp_path):
    DONE.clear()
    running = jobs.Worker(database, lock=tmp_path / "worker.lock")
    yield running
    running.stop()


def test_a_job_waits_for_its_hour(database, worker):
    with database.transaction() as db:
        jobs.enqueue(db, "test-delayed", key="late", delay_s=2, name="late")
    asked = time.monotonic()
    worker.start()
    while not DONE and time.monotonic() < asked + 15:
        time.sleep(0.02)

    [(name, at)] = DONE
    assert name == "late"
    assert at - asked >= 1.9


def test_draining_leaves_alone_what_is_due_in_an_hour(database, worker):
    with database.transaction() as db:
        jobs.enqueue(db, "test-delayed", key="in an hour", delay_s=3600, name="in an hour")
    worker.start()

    worker.drain(timeout_s=5)

    assert DONE == []
    assert jobs.open_queue(database).counts()["waiting"] == 1
