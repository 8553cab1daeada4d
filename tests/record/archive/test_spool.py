"""Objects taken in one at a time: durable when it is said, listed a moment later, never half."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from sightline.record import archive
from sightline.record.archive import _coercion, _corrections, _intake, _recording, _rejecting, _spool, _store
from sightline.runtime.blobs import ObjectBlobs, StoreFull, StoreUnavailable
from sightline.trust import access, audit


@pytest.fixture
def spool(store):
    opened = archive.Spool(store)
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def place(spool, source):
    """Place bytes in order; return what became of each."""

    def place(*contents):
        return [spool.place(archive.Incoming("object", content), source) for content in contents]

    return place


@pytest.fixture
def operator():
    return access.operator("tester")


def statuses(outcomes):
    return [o.status for o in outcomes]


def count(store, table):
    with store.database.reading() as db:
        return db.scalar(select(func.count()).select_from(table))


def blobs_of(store):
    return list(store.blobs.list("instances/"))


def broken(*_args, **_options):
    raise OperationalError("insert", {}, Exception("disk is full"))


def test_the_bytes_are_there_at_once_and_the_row_after_the_flush(store, spool, place, make_slice):
    (outcome,) = place(make_slice(1))

    assert outcome.status == "stored"
    (key,) = blobs_of(store)
    assert store.blobs.get(key) == make_slice(1)
    spool.flush()
    with store.database.reading() as db:
        assert archive.get_instance(db, outcome.sop_uid).blob == key


def test_rows_follow_without_a_flush(store, place, make_slice):
    place(make_slice(1))
    waited = threading.Event()
    for _ in range(100):
        if count(store, _store.instances):
            break
        waited.wait(0.05)

    assert count(store, _store.instances) == 1


def test_what_is_on_its_way_counts_as_held(store, spool, place, make_slice, monkeypatch):
    monkeypatch.setattr(spool, "_write_next", lambda: False)

    assert statuses(place(make_slice(1), make_slice(1))) == ["stored", "held"]
    assert statuses(place(make_slice(1, PatientComments="other"))) == ["conflict"]

    monkeypatch.undo()
    spool.flush()
    assert (count(store, _store.instances), count(store, _store.conflicts)) == (1, 1)
    assert len(blobs_of(store)) == 2


def test_what_is_on_its_way_decides_on_series_and_patient(store, spool, place, make_slice, monkeypatch):
    monkeypatch.setattr(spool, "_write_next", lambda: False)
    place(make_slice(1))

    moved = place(make_slice(2, study="1.2.4"))
    other = place(make_slice(3, PatientID="another"))

    assert [(o.status, o.code) for o in (*moved, *other)] == [("conflict", "series"), ("conflict", "patient")]


def test_the_index_decides_on_what_came_before(store, spool, take, place, make_slice):
    take(make_slice(1))

    assert statuses(place(make_slice(1))) == ["held"]
    assert [o.code for o in place(make_slice(1, PatientComments="x"), make_slice(2, study="1.2.4"))] == [
        "content",
        "series",
    ]


def test_a_conflict_that_is_sent_again_keeps_its_place(store, spool, place, make_slice):
    other = make_slice(1, PatientComments="other")
    place(make_slice(1), other)
    spool.flush()

    assert statuses(place(other)) == ["conflict"]
    spool.flush()
    assert (count(store, _store.conflicts), len(blobs_of(store))) == (1, 2)


def test_a_batch_is_one_entry_in_the_trail_for_each_study(store, spool, place, make_slice, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(spool, "_write_next", lambda: False)
        place(*(make_slice(n) for n in range(1, 6)), make_slice(1, study="1.2.4", series="1.2.4.1"))
    spool.flush()

    with store.database.reading() as db:
        entries = [e for uid in ("1.2.3", "1.2.4") for e in audit.trail(db, on=uid)]
    assert [(e.on, e.facts["instances"]) for e in entries] == [("1.2.3", 5), ("1.2.4", 1)]


def test_what_is_refused_is_kept_in_mind(store, spool, place, make_slice):
    (outcome,) = place(make_slice(1)[:-100])
    spool.place(archive.Incoming("object", make_slice(2)), archive.Source("dimse", "X", access.SYSTEM))
    spool.flush()

    assert (outcome.status, outcome.code) == ("refused", "truncated")
    assert count(store, _store.refusals) == 1
    assert list(store.blobs.scratch().iterdir()) == []


def test_who_may_not_store_stores_nothing(store, spool, make_slice):
    stranger = archive.Source("dimse", "X", access.NOBODY)

    with pytest.raises(access.NotAllowed):
        spool.place(archive.Incoming("object", make_slice(1)), stranger)
    assert blobs_of(store) == []


def test_while_rows_cannot_be_written_nothing_is_taken_and_nothing_is_lost(
    store, spool, place, make_slice, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(_spool, "record", broken)
        assert statuses(place(make_slice(1))) == ["stored"]
        with pytest.raises(StoreUnavailable, match="safe"):
            spool.flush()
        assert [(o.status, o.code) for o in place(make_slice(2))] == [("refused", "store-unavailable")]
    for _ in range(100):
        if not spool._trouble:
            break
        threading.Event().wait(0.05)

    assert statuses(place(make_slice(2))) == ["stored"]
    spool.flush()
    assert count(store, _store.instances) == 2 == len(blobs_of(store))


def test_a_row_that_cannot_be_written_does_not_keep_the_others(store, spool, place, make_slice, monkeypatch):
    whole = _recording.record

    def poisoned(db, placed):
        if any(p.parsed.sop_uid.endswith(".2") for p in placed):
            raise ValueError("a row that no database takes")
        return whole(db, placed)

    monkeypatch.setattr(_spool, "record", poisoned)
    place(*(make_slice(n) for n in (1, 2, 3)))
    spool.flush()

    assert count(store, _store.instances) == 2
    assert len(blobs_of(store)) == 3


def test_a_full_disk_refuses_and_later_takes(store, spool, place, make_slice, monkeypatch):
    def full(*_args, **_options):
        raise StoreFull("The disk is full; nothing was stored. Free space and send again.")

    with monkeypatch.context() as patch:
        patch.setattr(store.blobs, "_write", full)
        assert [o.code for o in place(make_slice(1))] == ["store-full"]
    assert statuses(place(make_slice(1))) == ["stored"]
    spool.flush()
    assert count(store, _store.instances) == 1
    assert list(store.blobs.scratch().iterdir()) == []


def test_stopped_before_its_rows_are_written_all_is_found_again(store, source, make_slice, monkeypatch):
    spool = archive.Spool(store)
    spool.start()
    monkeypatch.setattr(_spool, "record", broken)
    for n in (1, 2, 3):
        spool.place(archive.Incoming("object", make_slice(n)), source)
    spool.stop()
    assert count(store, _store.instances) == 0

    assert archive.recover(store) == 3
    assert count(store, _store.instances) == 3 == len(blobs_of(store))


def test_many_at_once_agree_on_one(store, spool, source, make_slice):
    def send(n):
        return spool.place(
            archive.Incoming("object", make_slice(1, PatientComments=str(n % 2))), source
        ).status

    with ThreadPoolExecutor(8) as pool:
        found = sorted(pool.map(send, range(16)))
    spool.flush()

    assert found == ["conflict"] * 8 + ["held"] * 7 + ["stored"]
    assert (count(store, _store.instances), count(store, _store.conflicts)) == (1, 1)
    assert len(blobs_of(store)) == 2


def test_two_patients_in_one_new_study_are_told_apart(store, spool, source, make_slice):
    def send(n):
        content = make_slice(n, PatientID=f"P{n % 2}")
        return spool.place(archive.Incoming("object", content), source).status

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(send, range(1, 17)))
    spool.flush()

    assert sorted(found) == ["conflict"] * 8 + ["stored"] * 8
    assert (count(store, _store.instances), count(store, _store.conflicts)) == (8, 8)


def test_an_object_store_takes_them_as_well(store, source, make_slice):
    objects = archive.Store(store.database, ObjectBlobs("memory:///"), store.settings)
    spool = archive.Spool(objects)
    spool.start()
    try:
        content = memoryview(bytearray(make_slice(1)))
        assert spool.place(archive.Incoming("object", content), source).status == "stored"
    finally:
        spool.stop()
    (key,) = objects.blobs.list("instances/")

    assert objects.blobs.get(key) == make_slice(1)
    assert count(store, _store.instances) == 1
    objects.blobs.close()


def test_what_was_rejected_is_not_taken_again(store, spool, place, make_slice, operator):
    place(make_slice(1), make_slice(2))
    spool.flush()
    _rejecting.reject(store, "1.2.3", "113001", note="blurred", by=operator, sop_uids=["1.2.3.1.1"])
    bytes_held = blobs_of(store)

    assert [(o.status, o.code) for o in place(make_slice(1), make_slice(2))] == [
        ("refused", "rejected"),
        ("held", ""),
    ]
    spool.flush()
    assert blobs_of(store) == bytes_held
    assert count(store, _store.refusals) == 1
    assert archive.recover(store) == 0


def test_a_late_slice_follows_its_series_to_where_it_was_moved(store, spool, place, make_slice, operator):
    place(make_slice(1), make_slice(1, series="1.2.3.2"))
    spool.flush()
    with store.database.transaction() as db:
        _corrections.split_series(db, "1.2.3", ["1.2.3.2"], reason="another examination", by=operator)
        (moved,) = archive.find_series(db, archive.SeriesQuery(series_uids=["1.2.3.2"]))

    (late,) = place(make_slice(2, series="1.2.3.2"))
    spool.flush()

    assert (late.status, late.study_uid) == ("stored", moved.study)
    with store.database.reading() as db:
        assert archive.get_study(db, moved.study).instance_count == 2
        assert archive.get_study(db, "1.2.3").instance_count == 1


def test_a_rule_at_the_door_is_told_as_coercion(store, spool, place, make_slice, monkeypatch):
    rule = _coercion.CoercionRule("site prefix", patient_id_prefix="NORTH-")
    monkeypatch.setattr(_intake, "coercion_rules", lambda _: (rule,))

    (outcome,) = place(make_slice(1))
    spool.flush()

    assert (outcome.status, outcome.coerced) == ("stored", True)
    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").patient_id == "NORTH-4711"
    (key,) = blobs_of(store)
    assert store.blobs.get(key) == make_slice(1)
