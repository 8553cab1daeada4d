"""The database: moments, snapshots, and writers that queue."""

import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from sightline.kernel.errors import Unavailable
from sightline.runtime.db import DatabaseUnavailable, Instant, Json, open_database

metadata = MetaData()
moments = Table("moments", metadata, Column("id", Integer, primary_key=True), Column("at", Instant))
notes = Table("notes", metadata, Column("id", String(64), primary_key=True), Column("facts", Json))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    opened = open_database(request.getfixturevalue(f"{request.param}_url"))
    metadata.create_all(opened.engine)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite(sqlite_url):
    opened = open_database(sqlite_url)
    metadata.create_all(opened.engine)
    yield opened
    opened.dispose()


def note(db, id_, **facts):
    db.execute(insert(notes).values(id=id_, facts=facts))


def ids(db):
    return sorted(db.scalars(select(notes.c.id)))


def test_a_moment_comes_back_as_it_was_and_aware(database):
    tokyo = timezone(timedelta(hours=9))
    moment = datetime(2026, 3, 29, 9, 30, 15, 123456, tzinfo=tokyo)

    with database.transaction() as db:
        db.execute(insert(moments), [{"id": 1, "at": moment}, {"id": 2, "at": None}])
    with database.reading() as db:
        held = list(db.scalars(select(moments.c.at).order_by(moments.c.id)))

    assert held == [moment, None]
    assert held[0].tzinfo is UTC or held[0].utcoffset() == timedelta(0)


def test_moments_compare_in_the_database_whatever_zone_they_came_in(database):
    noon = datetime(2026, 3, 29, 12, tzinfo=UTC)
    with database.transaction() as db:
        db.execute(insert(moments).values(id=1, at=noon))

    west = timezone(timedelta(hours=-8))
    with database.reading() as db:
        after = (noon + timedelta(seconds=1)).astimezone(west)
        assert db.scalar(select(moments.c.id).where(moments.c.at < after)) == 1
        assert db.scalar(select(moments.c.id).where(moments.c.at >= after)) is None


def test_a_naive_moment_is_refused_and_not_stored(database):
    with pytest.raises(StatementError, match="without a time zone"), database.transaction() as db:
        db.execute(insert(moments).values(id=1, at=datetime(2026, 3, 29)))  # noqa: DTZ001

    with database.reading() as db:
        assert db.scalar(select(moments.c.id)) is None


def test_json_comes_back_as_it_was(database):
    facts = {"names": ["ö", None, 1.5], "deep": {"yes": True}}
    with database.transaction() as db:
        note(db, "a", **facts)
    with database.reading() as db:
        assert db.scalar(select(notes.c.facts)) == facts


def test_an_error_undoes_the_whole_transaction(database):
    with pytest.raises(LookupError), database.transaction() as db:
        note(db, "a")
        raise LookupError

    with database.reading() as db:
        assert ids(db) == []


def test_two_writers_queue_and_both_succeed_even_when_they_read_first(sqlite):
    def write(name):
        with sqlite.transaction() as db:
            before = len(ids(db))
            time.sleep(0.05)
            note(db, f"{before}-{name}")

    writers = [threading.Thread(target=write, args=(n,)) for n in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    with sqlite.reading() as db:
        assert [id_[0] for id_ in ids(db)] == ["0", "1", "2", "3", "4"]


def test_a_reader_neither_waits_for_a_writer_nor_sees_half_of_its_work(database):
    with database.transaction() as writing:
        note(writing, "a")
        started = time.monotonic()
        with database.reading() as db:
            assert ids(db) == []
        assert time.monotonic() - started < 1

    with database.reading() as db:
        assert ids(db) == ["a"]


def test_a_reader_keeps_its_snapshot_while_others_write(database):
    with database.reading() as db:
        assert ids(db) == []
        with database.transaction() as writing:
            note(writing, "a")
        assert ids(db) == []


def test_a_reader_cannot_write_and_the_next_writer_can(database):
    with pytest.raises(DBAPIError, match=r"(?i)read.?only"), database.reading() as db:
        note(db, "a")

    with database.transaction() as db:
        note(db, "b")
    with database.reading() as db:
        assert ids(db) == ["b"]


def test_what_is_committed_on_sqlite_is_synced_in_wal(sqlite):
    with sqlite.reading() as db:
        pragmas = {n: db.scalar(text(f"pragma {n}")) for n in ("journal_mode", "synchronous", "foreign_keys")}

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert sqlite.is_sqlite


def test_a_refused_statement_does_not_tell_its_values(database):
    with database.transaction() as db:
        note(db, "a", patient="Müller^Jörg")
    with pytest.raises(IntegrityError) as caught, database.transaction() as db:
        note(db, "a", patient="Müller^Jörg")

    assert "Müller" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://sightline:pass-w0rd@127.0.0.1:1/none?connect_timeout=2",
        "sqlite:////nowhere/at/all/sightline.db",
        "oracle://sightline:pass-w0rd@127.0.0.1/none",
        "pass-w0rd",
    ],
)
def test_a_database_that_cannot_be_opened_is_a_refusal_without_its_password(url):
    with pytest.raises(DatabaseUnavailable, match="is SIGHTLINE_DATABASE_URL right") as caught:
        open_database(url)

    assert "pass-w0rd" not in str(caught.value)
    assert isinstance(caught.value, Unavailable)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "sightline.db"
    file.write_bytes(b"not a database" * 100)

    with pytest.raises(DatabaseUnavailable, match="file is not a database"):
        open_database(f"sqlite:///{file}")

    assert file.read_bytes() == b"not a database" * 100
