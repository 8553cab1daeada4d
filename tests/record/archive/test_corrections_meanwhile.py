"""Corrections while objects come: nothing is lost, nothing stands in two places."""

import threading

from sqlalchemy import func, select

from sightline.record import archive
from sightline.record.archive import _store
from sightline.trust import access

ARCHIVIST = access.operator("archivist")


def test_a_study_that_is_corrected_while_it_arrives_is_whole_afterwards(store, take, make_slice, source):
    take(make_slice(1), make_slice(1, series="1.2.3.2"))
    spool = archive.Spool(store, every_s=0.002)
    spool.start()
    outcomes = []

    def send(series):
        contents = (make_slice(n, series=series) for n in range(2, 42))
        outcomes.extend(spool.place(archive.Incoming("x", content), source) for content in contents)

    senders = [threading.Thread(target=send, args=(series,)) for series in ("1.2.3.1", "1.2.3.2")]
    for sender in senders:
        sender.start()
    made = []
    while any(sender.is_alive() for sender in senders) and len(made) < 12:
        with store.database.transaction() as db:
            act = archive.split_series(db, "1.2.3", ["1.2.3.2"], reason="", by=ARCHIVIST)
        made.append(act)
        with store.database.transaction() as db:
            archive.undo(db, act.id, by=ARCHIVIST)
    for sender in senders:
        sender.join()
    spool.flush()
    spool.stop()

    assert {o.status for o in outcomes} == {"stored"}
    assert len(made) > 0
    i, s = _store.instances.c, _store.series.c
    with store.database.reading() as db:
        assert db.execute(select(func.count()).select_from(_store.instances)).scalar_one() == 82
        elsewhere = select(func.count()).join(_store.series, s.uid == i.series).where(i.study != s.study)
        assert db.execute(elsewhere).scalar_one() == 0
        study = archive.get_study(db, "1.2.3")
        assert (study.series_count, study.instance_count) == (2, 82)
        assert [x.instance_count for x in archive.series_of_study(db, "1.2.3")] == [41, 41]
        assert archive.find_conflicts(db) == []
