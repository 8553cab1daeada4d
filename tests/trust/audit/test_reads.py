"""Reads, once a minute for each person and thing."""

import time
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from sightline.kernel import clock
from sightline.trust import audit
from sightline.trust.audit._reads import FLUSH_S

from .conftest import ADA, BEN


@pytest.fixture
def at(monkeypatch):
    """Sets the time."""

    def set_time(hour: int, minute: int, second: int = 0) -> None:
        moment = datetime(2026, 5, 4, hour, minute, second, tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_time(9, 0)
    return set_time


def read_by(database) -> list[tuple[str, str]]:
    with database.reading() as db:
        return [(entry.by, entry.on) for entry in reversed(audit.trail(db))]


def test_hundreds_of_reads_of_one_study_in_one_minute_are_one_entry(database, at):
    reads = audit.ReadLog(database)
    for second in range(60):
        at(9, 0, second)
        for _ in range(10):
            reads.note(ADA, "test.read", "study-1")
        if second == 30:
            assert reads.flush() == 1
    reads.flush()

    assert read_by(database) == [("p-ada", "study-1")]


def test_another_person_thing_or_minute_is_another_entry(database, at):
    reads = audit.ReadLog(database)
    reads.note(ADA, "test.read", "study-1")
    reads.note(BEN, "test.read", "study-1")
    reads.note(ADA, "test.read", "study-2")
    reads.flush()
    at(9, 1)
    reads.note(ADA, "test.read", "study-1")
    reads.flush()

    assert read_by(database) == [
        ("p-ada", "study-1"),
        ("p-ben", "study-1"),
        ("p-ada", "study-2"),
        ("p-ada", "study-1"),
    ]


def test_a_read_is_in_the_trail_within_a_second(database):
    reads = audit.ReadLog(database)
    reads.start()
    reads.note(ADA, "test.read", "study-1")
    assert FLUSH_S < 1
    deadline = time.monotonic() + 10  # a busy machine may be late to wake the writer
    while not read_by(database) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert read_by(database) == [("p-ada", "study-1")]
    reads.stop()


def test_stopping_writes_the_last_reads(database):
    reads = audit.ReadLog(database)
    reads.start()
    reads.note(ADA, "test.read", "study-1")
    reads.stop()

    assert read_by(database) == [("p-ada", "study-1")]


def test_reads_that_the_database_refuses_are_kept_and_written_later(sqlite, monkeypatch):
    reads = audit.ReadLog(sqlite)
    reads.note(ADA, "test.read", "study-1")
    with monkeypatch.context() as broken:
        broken.setattr("sightline.trust.audit._reads.append", _refuse)
        with pytest.raises(OperationalError):
            reads.flush()
    assert read_by(sqlite) == []

    reads.flush()

    assert read_by(sqlite) == [("p-ada", "study-1")]


def _refuse(*_: object) -> int:
    raise OperationalError("insert", {}, Exception("disk full"))


def test_the_face_writes_to_the_log_in_use(sqlite):
    reads = audit.ReadLog(sqlite)
    audit.use(reads)
    try:
        audit.record_read(ADA, "test.read", "study-1")
    finally:
        audit.use(None)

    assert reads.flush() == 1


def test_without_a_log_in_use_a_read_is_not_lost_in_silence():
    audit.use(None)
    with pytest.raises(RuntimeError, match=r"audit\.use"):
        audit.record_read(ADA, "test.read", "study-1")


def test_a_read_that_nobody_declared_is_refused(sqlite):
    with pytest.raises(audit.UnknownAct):
        audit.ReadLog(sqlite).note(ADA, "test.unheard", "study-1")
