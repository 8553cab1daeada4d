"""Events: rows in the transaction of the act, and a job for each listener exactly when it committed."""

from collections import defaultdict

import pytest
from sqlalchemy import select

from sightline.runtime import events, jobs


@pytest.fixture
def heard(monkeypatch):
    """What listeners of ``Sneezed`` heard."""
    heard = []
    monkeypatch.setattr(jobs, "_kinds", dict(jobs._kinds))
    monkeypatch.setattr(events, "_listeners", defaultdict(list))
    for name in ("bless", "log-sneeze"):
        kind = jobs.job(name)(lambda run, _name=name, **said: heard.append((_name, said)))
        events.listen("Sneezed", kind)
        events.listen("Sneezed", kind)  # once is enough
    return heard


def waiting(database):
    return jobs.open_queue(database).counts()["waiting"]


def test_each_listener_hears_of_an_event_once_with_its_subject_and_facts(database, heard, tmp_path):
    with database.transaction() as db:
        events.publish(db, "Sneezed", "1.2.3", cause="job-1", loud=True)

    worker = jobs.Worker(database, lock=tmp_path / "worker.lock")
    worker.start()
    worker.drain(timeout_s=30)
    worker.stop()

    said = {"subject": "1.2.3", "loud": True}
    assert sorted(heard, key=str) == [("bless", said), ("log-sneeze", said)]


def test_an_event_that_was_rolled_back_never_was(database, heard):
    with pytest.raises(LookupError), database.transaction() as db:
        events.publish(db, "Sneezed", "1.2.3")
        raise LookupError

    assert waiting(database) == 0
    with database.reading() as db:
        assert db.scalars(select(events.events.c.seq)).all() == []


def test_events_keep_their_order_time_and_cause(database, heard):
    with database.transaction() as db:
        numbers = [events.publish(db, name, "1.2.3", cause="job-1", n=1) for name in ("Sneezed", "Slept")]

    assert numbers == sorted(set(numbers))
    assert waiting(database) == 2
    with database.reading() as db:
        rows = db.execute(select(events.events).order_by(events.events.c.seq)).all()
    assert [(r.name, r.subject, r.cause, r.facts) for r in rows] == [
        ("Sneezed", "1.2.3", "job-1", {"n": 1}),
        ("Slept", "1.2.3", "job-1", {"n": 1}),
    ]
    assert all(r.at.tzinfo is not None for r in rows)


def test_two_events_of_one_name_are_two_jobs_for_each_listener(database, heard):
    with database.transaction() as db:
        events.publish(db, "Sneezed", "1.2.3")
        events.publish(db, "Sneezed", "1.2.3")

    assert waiting(database) == 4


def test_listeners_are_listed_by_event(heard):
    assert events.listeners() == {"Sneezed": ("bless", "log-sneeze")}


def test_publishing_what_nobody_listens_to_adds_no_listener(database, heard):
    with database.transaction() as db:
        events.publish(db, "Yawned", "1.2.3")

    assert "Yawned" not in events.listeners()
