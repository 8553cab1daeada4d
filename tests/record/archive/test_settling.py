"""A study that has been quiet is complete, and everybody who listens is told."""

from datetime import timedelta

from sqlalchemy import select

from sightline.kernel import clock
from sightline.record import archive
from sightline.record.archive import jobs as archive_jobs
from sightline.runtime import jobs
from sightline.runtime.events import events


def settled_events(store):
    with store.database.reading() as db:
        return [
            (row.subject, row.facts)
            for row in db.execute(select(events).where(events.c.name == "StudySettled"))
        ]


def settle_after(store, seconds):
    with store.database.transaction() as db:
        return archive.settle_due(db, clock.now() + timedelta(seconds=seconds), settle_s=60)


def test_a_quiet_study_settles_once_and_says_whose_it_is(store, take, make_slice):
    take(make_slice(1))

    assert settle_after(store, 59) == []
    assert settle_after(store, 61) == ["1.2.3"]
    assert settle_after(store, 200) == []

    with store.database.reading() as db:
        study = archive.get_study(db, "1.2.3")
    assert study.settled_at is not None
    assert settled_events(store) == [("1.2.3", {"patient": study.patient})]


def test_a_late_image_unsettles_and_is_told_again(store, take, make_slice):
    take(make_slice(1))
    settle_after(store, 61)

    take(make_slice(2))

    with store.database.reading() as db:
        assert archive.count_unsettled(db) == 1
    assert settle_after(store, 61) == ["1.2.3"]
    assert len(settled_events(store)) == 2


def test_an_image_that_is_held_already_does_not_unsettle(store, take, make_slice):
    take(make_slice(1))
    settle_after(store, 61)

    take(make_slice(1))

    assert settle_after(store, 61) == []


def test_a_sender_may_say_that_a_study_is_complete(store, take, make_slice):
    take(make_slice(1))

    with store.database.transaction() as db:
        assert archive.settle_now(db, ["1.2.3", "9.9"]) == ["1.2.3"]
    assert len(settled_events(store)) == 1


def test_an_event_that_is_rolled_back_leaves_the_study_unsettled(store, take, make_slice):
    take(make_slice(1))

    class Stop(Exception):
        pass

    try:
        with store.database.transaction() as db:
            archive.settle_now(db, ["1.2.3"])
            raise Stop
    except Stop:
        pass

    assert settled_events(store) == []
    assert settle_after(store, 61) == ["1.2.3"]


def test_the_settler_settles_by_itself(store, take, make_slice):
    import time

    take(make_slice(1))
    quick = archive.Store(store.database, store.blobs, archive.ArchiveSettings(settle_s=1))
    settler = archive.Settler(quick)
    settler.start()
    deadline = time.monotonic() + 10
    while not settled_events(store) and time.monotonic() < deadline:
        time.sleep(0.1)
    settler.stop()

    assert [uid for uid, _ in settled_events(store)] == ["1.2.3"]


def test_the_archive_is_kept_in_order_once_an_hour_however_many_servers_run(store):
    assert archive_jobs.keep_in_order.name == "archive-housekeeping"
    for settler in (archive.Settler(store), archive.Settler(store)):
        settler._keep_in_order()
        settler._keep_in_order()

    assert jobs.open_queue(store.database).counts()["waiting"] == 1
