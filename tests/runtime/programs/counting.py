"""A kind of job whose every step can be counted: the tables, the job, and a worker to be killed.

As a program: ``counting.py DATABASE_URL LOCK`` runs a worker until it is killed, and says when it is ready.
"""

import sys
import time
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

from sightline.runtime import jobs
from sightline.runtime.db import Database, Db, open_database

STEPS = 3

metadata = MetaData()
# Each time that a step began; a step that was cut off begins again.
starts = Table(
    "starts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job", String(64)),
    Column("step", Integer),
    Column("worker", String(64)),
)
# What the steps did; idempotent, as every step must be.
effects = Table(
    "effects",
    metadata,
    Column("job", String(64), primary_key=True),
    Column("step", Integer, primary_key=True),
)
# Each time that a job came to its end.
ends = Table("ends", metadata, Column("id", Integer, primary_key=True), Column("job", String(64)))


@jobs.job("count-steps")
def count_steps(run: jobs.Run, seconds: float = 0.0) -> None:
    results = [run.step(f"step-{n}", lambda n=n: _step(run, n, seconds)) for n in range(STEPS)]
    assert results == list(range(STEPS))
    run.step("end", lambda: _end(run))


def _step(run: jobs.Run, number: int, seconds: float) -> int:
    with run.database.transaction() as db:
        db.execute(insert(starts).values(job=run.key, step=number, worker=run.resource("worker")))
    time.sleep(seconds)
    with run.database.transaction() as db:
        add_once(db, run.key, number)
    return number


def add_once(db: Db, job: str, step: int) -> None:
    known = select(func.count()).where(effects.c.job == job, effects.c.step == step)
    if not db.scalar(known):
        db.execute(insert(effects).values(job=job, step=step))


def _end(run: jobs.Run) -> None:
    with run.database.transaction() as db:
        if not db.scalar(select(func.count()).where(ends.c.job == run.key)):
            db.execute(insert(ends).values(job=run.key))


def enqueue(database: Database, count: int, *, seconds: float) -> None:
    for number in range(count):
        with database.transaction() as db:
            jobs.enqueue(db, "count-steps", key=f"job-{number}", seconds=seconds)


def main(url: str, lock: str, name: str) -> None:
    database = open_database(url)
    worker = jobs.Worker(database, lock=Path(lock), concurrency=4, heartbeat_s=0.3, silent_s=2, worker=name)
    worker.start()
    print("ready", flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
