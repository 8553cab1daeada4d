"""Durable jobs: part of the act that asks for them, run to the end once, whatever is killed meanwhile."""

import multiprocessing
import random
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import child_work
import counting
import pytest
from sqlalchemy import func, insert, select, text, update

from sightline.runtime import jobs
from sightline.runtime.db import metadata, open_database
from sightline.runtime.jobs import JobKindTaken, Worker, WorkerAlreadyRunning
from sightline.runtime.processes import run_in_child

COUNTING = Path(__file__).parent / "programs" / "counting.py"


@pytest.fixture
def counted(database):
    """A database in which the steps of jobs are counted."""
    counting.metadata.create_all(database.engine)
    return database


@pytest.fixture
def counted_sqlite(sqlite_url):
    opened = open_database(sqlite_url)
    metadata.create_all(opened.engine, tables=[jobs.workers])
    counting.metadata.create_all(opened.engine)
    jobs.open_queue(opened)
    yield opened
    jobs.close_queues()
    opened.dispose()


@pytest.fixture
def counted_postgresql(postgresql_url):
    opened = open_database(postgresql_url)
    metadata.create_all(opened.engine, tables=[jobs.workers])
    counting.metadata.create_all(opened.engine)
    jobs.open_queue(opened)
    yield opened
    jobs.close_queues()
    opened.dispose()


@pytest.fixture
def kinds(monkeypatch):
    """The kinds of job, to add to for one test."""
    monkeypatch.setattr(jobs, "_kinds", dict(jobs._kinds))


@contextmanager
def working(database, tmp_path, **extras):
    worker = Worker(database, lock=tmp_path / "worker.lock", **extras)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


@contextmanager
def worker_process(database, tmp_path, name="first"):
    """A worker in a process of its own, ready to be killed."""
    url = database.engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, COUNTING, url, tmp_path / "worker.lock", name], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def until(holds, *, wait_s=60):
    deadline = time.monotonic() + wait_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to this in time"
        time.sleep(0.05)


def count(database, table):
    with database.reading() as db:
        return db.scalar(select(func.count()).select_from(table))


def rows(database, *columns):
    with database.reading() as db:
        return sorted(tuple(row) for row in db.execute(select(*columns)))


def test_a_job_runs_with_its_arguments_and_resources(counted, tmp_path, kinds):
    heard = []
    jobs.job("listen")(lambda run, **said: heard.append((run.key, run.resource("store"), said)))
    with counted.transaction() as db:
        jobs.enqueue(db, "listen", key="k", subject="1.2.3", number=4)

    with working(counted, tmp_path, store="the store") as worker:
        worker.drain(timeout_s=30)

    assert heard == [("k", "the store", {"subject": "1.2.3", "number": 4})]
    assert jobs.open_queue(counted).counts() == {"waiting": 0, "running": 0, "failed": 0}


def test_a_job_is_rolled_back_with_the_act_that_asked_for_it(counted):
    with pytest.raises(LookupError), counted.transaction() as db:
        jobs.enqueue(db, "count-steps", key="never")
        raise LookupError

    assert jobs.open_queue(counted).counts()["waiting"] == 0


def test_the_same_key_is_one_job_before_and_after_it_ran(counted, tmp_path):
    for _ in range(2):
        with counted.transaction() as db:
            jobs.enqueue(db, "count-steps", key="once")
            jobs.enqueue(db, "count-steps", key="once")
    with working(counted, tmp_path, worker="w") as worker:
        worker.drain(timeout_s=30)
        with counted.transaction() as db:
            jobs.enqueue(db, "count-steps", key="once")
        worker.drain(timeout_s=30)

    assert count(counted, counting.starts) == counting.STEPS
    assert rows(counted, counting.ends.c.job) == [("once",)]


def test_a_doubled_key_leaves_the_rest_of_the_act_alone(counted):
    with counted.transaction() as db:
        jobs.enqueue(db, "count-steps", key="once")
    with counted.transaction() as db:
        jobs.enqueue(db, "count-steps", key="once")
        db.execute(insert(counting.ends).values(job="the act"))

    assert rows(counted, counting.ends.c.job) == [("the act",)]


def test_the_more_urgent_job_runs_first(counted_sqlite, tmp_path, kinds):
    ran = []
    jobs.job("note")(lambda run: ran.append(run.key))
    for key, priority in (("routine", 100), ("urgent", 1), ("soon", 50)):
        with counted_sqlite.transaction() as db:
            jobs.enqueue(db, "note", key=key, priority=priority)

    with working(counted_sqlite, tmp_path, concurrency=1) as worker:
        worker.drain(timeout_s=30)

    assert ran == ["urgent", "soon", "routine"]


def test_a_job_that_fails_is_counted_and_keeps_its_words_to_itself(
    counted_sqlite, tmp_path, kinds, capfd, log_as_served
):
    log_as_served()

    @jobs.job("break")
    def break_(run):
        raise ValueError("Müller^Jörg")

    with counted_sqlite.transaction() as db:
        jobs.enqueue(db, "break", key="k")
    with working(counted_sqlite, tmp_path) as worker:
        worker.drain(timeout_s=30)

    assert jobs.open_queue(counted_sqlite).counts()["failed"] == 1
    said = "".join(capfd.readouterr())
    assert "job failed" in said
    assert "ValueError at test_jobs.py" in said
    assert "Müller" not in said


def test_a_job_of_an_unknown_kind_fails_and_the_others_go_on(counted_sqlite, tmp_path):
    with counted_sqlite.transaction() as db:
        jobs.enqueue(db, "from-a-plug-in-that-is-gone", key="a")
        jobs.enqueue(db, "count-steps", key="b")
    with working(counted_sqlite, tmp_path, worker="w") as worker:
        worker.drain(timeout_s=30)

    assert jobs.open_queue(counted_sqlite).counts() == {"waiting": 0, "running": 0, "failed": 1}
    assert rows(counted_sqlite, counting.ends.c.job) == [("b",)]


def test_two_kinds_of_one_name_stop_the_start(kinds):
    with pytest.raises(JobKindTaken, match="Two kinds of job are called count-steps"):
        jobs.job("count-steps")(lambda run: None)


def test_without_an_open_queue_a_job_is_refused_and_not_lost(sqlite_url):
    database = open_database(sqlite_url)

    with pytest.raises(RuntimeError, match="No queue is open"), database.transaction() as db:
        jobs.enqueue(db, "count-steps", key="k")

    database.dispose()


def test_draining_ends_with_an_error_when_time_is_up(counted_sqlite, tmp_path):
    with counted_sqlite.transaction() as db:
        jobs.enqueue(db, "count-steps", key="k")

    worker = Worker(counted_sqlite, lock=tmp_path / "worker.lock")  # never started

    with pytest.raises(TimeoutError, match="1"):
        worker.drain(timeout_s=0.2)


def test_a_second_worker_is_refused_until_the_first_is_gone(counted_sqlite, tmp_path):
    with worker_process(counted_sqlite, tmp_path) as first:
        with pytest.raises(WorkerAlreadyRunning, match="Another process runs the jobs"):
            Worker(counted_sqlite, lock=tmp_path / "worker.lock").start()

        first.kill()
        first.wait()

        with working(counted_sqlite, tmp_path):
            pass


def test_whenever_the_worker_is_killed_each_job_ends_once(counted_sqlite, tmp_path):
    moments, jobs_, kills = random.Random(1), 24, 3
    counting.enqueue(counted_sqlite, jobs_, seconds=0.03)

    for _ in range(kills):
        with worker_process(counted_sqlite, tmp_path) as process:
            time.sleep(moments.uniform(0.05, 0.8))
            process.kill()
    with working(counted_sqlite, tmp_path, worker="last") as worker:
        worker.drain(timeout_s=60)

    keys = sorted(f"job-{n}" for n in range(jobs_))
    assert rows(counted_sqlite, counting.ends.c.job) == [(key,) for key in keys]
    assert rows(counted_sqlite, counting.effects) == [(k, n) for k in keys for n in range(counting.STEPS)]
    assert jobs.open_queue(counted_sqlite).counts() == {"waiting": 0, "running": 0, "failed": 0}
    # A step that was finished does not begin again: only those in flight at a kill do (four at a time).
    assert count(counted_sqlite, counting.starts) <= jobs_ * counting.STEPS + kills * 4


def test_a_worker_that_is_stopped_leaves_its_heavy_job_to_the_next(counted_sqlite, tmp_path, kinds):
    hung, failed = [], []

    @jobs.job("hang")
    def hang(run):
        def work():
            hung.append(run.key)
            try:
                return run_in_child(child_work.hang, 60 if len(hung) == 1 else 0)
            except Exception as error:
                failed.append(error)

        run.step("hang", work)

    with counted_sqlite.transaction() as db:
        jobs.enqueue(db, "hang", key="k")
    with working(counted_sqlite, tmp_path):
        until(lambda: multiprocessing.active_children())
    until(lambda: not multiprocessing.active_children(), wait_s=10)
    assert jobs.open_queue(counted_sqlite).counts() == {"waiting": 0, "running": 1, "failed": 0}

    with working(counted_sqlite, tmp_path) as worker:
        worker.drain(timeout_s=60)
    assert (hung, failed) == (["k", "k"], [])
    assert jobs.open_queue(counted_sqlite).counts() == {"waiting": 0, "running": 0, "failed": 0}


def test_the_jobs_of_a_worker_that_is_gone_for_ever_go_to_the_living(counted_postgresql, tmp_path):
    counting.enqueue(counted_postgresql, 16, seconds=0.4)

    with worker_process(counted_postgresql, tmp_path, "doomed") as doomed:
        until(lambda: count(counted_postgresql, counting.starts) >= 2)
        with worker_process(counted_postgresql, tmp_path, "living"):
            doomed.kill()
            until(lambda: count(counted_postgresql, counting.ends) == 16)
            until(lambda: jobs.open_queue(counted_postgresql).counts()["running"] == 0)

    assert rows(counted_postgresql, counting.ends.c.job) == sorted((f"job-{n}",) for n in range(16))
    assert {name for (name,) in rows(counted_postgresql, counting.starts.c.worker)} == {"doomed", "living"}
    assert count(counted_postgresql, counting.effects) == 16 * counting.STEPS
    assert count(counted_postgresql, jobs.workers) == 1


def test_a_worker_is_watched_before_it_takes_its_first_job(counted_postgresql, tmp_path, monkeypatch):
    seen = []
    launch = jobs.DBOS.launch
    monkeypatch.setattr(
        jobs.DBOS, "launch", lambda: (seen.append(count(counted_postgresql, jobs.workers)), launch())
    )

    with working(counted_postgresql, tmp_path):
        pass

    assert seen == [1]


def test_only_silent_workers_are_taken_for_dead(counted_postgresql):
    jobs.beat(counted_postgresql, "here")
    jobs.beat(counted_postgresql, "gone")
    with counted_postgresql.transaction() as db:
        long_ago = func.now() - text("interval '1 hour'")
        db.execute(update(jobs.workers).where(jobs.workers.c.id == "gone").values(seen_at=long_ago))

    jobs.watch(counted_postgresql)

    assert rows(counted_postgresql, jobs.workers.c.id) == [("here",)]
    assert jobs.has_living_worker(counted_postgresql)


def test_nobody_lives_where_nobody_was_heard_of(counted_postgresql):
    assert not jobs.has_living_worker(counted_postgresql)


def test_a_worker_that_waits_for_the_lock_takes_over_when_it_is_free(counted_sqlite, tmp_path):
    with counted_sqlite.transaction() as db:
        jobs.enqueue(db, "count-steps", key="k")
    held = jobs.take_lock(tmp_path / "worker.lock")
    worker = Worker(counted_sqlite, lock=tmp_path / "worker.lock", worker="w", retry_s=0.05)
    worker.start_when_free()
    try:
        assert jobs.open_queue(counted_sqlite).counts()["waiting"] == 1
        held.close()
        until(lambda: count(counted_sqlite, counting.ends) == 1)
    finally:
        worker.stop()


def test_a_worker_that_never_got_the_lock_stops_quietly(counted_sqlite, tmp_path):
    with jobs.take_lock(tmp_path / "worker.lock"):
        worker = Worker(counted_sqlite, lock=tmp_path / "worker.lock", retry_s=0.05)
        worker.start_when_free()
        worker.stop()

    assert not [t for t in threading.enumerate() if t.name == "job-standby"]
