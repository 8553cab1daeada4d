"""Rejecting and trashing: what is out of sight answers as not held, and can be put back as it was."""

import io
from datetime import timedelta

import pydicom
import pytest
from sqlalchemy import func, select

from sightline.kernel import clock
from sightline.record import archive
from sightline.record.archive import _store
from sightline.trust import access, audit

ARCHIVIST = access.operator("archivist")


def reject(store, study="1.2.3", code="113001", **parts):
    return archive.reject(store, study, code, note="motion", by=ARCHIVIST, **parts)


def trash(store, study="1.2.3", **parts):
    with store.database.transaction() as db:
        return archive.trash_study(db, study, reason="twice", by=ARCHIVIST, trash_days=30, **parts)


def restore(store, study="1.2.3", kind="rejected"):
    with store.database.transaction() as db:
        return archive.restore(db, study, kind, by=ARCHIVIST)


def everything(store):
    with store.database.reading() as db:
        found = {}
        for table in (
            _store.patients,
            _store.studies,
            _store.series,
            _store.instances,
            _store.study_modalities,
        ):
            columns = [c for c in table.c if c.name not in {"generation", "searched"}]
            found[table.name] = sorted(map(repr, db.execute(select(*columns))))
        return found


def count(store, table):
    with store.database.reading() as db:
        return db.execute(select(func.count()).select_from(table)).scalar_one()


def note_of(store, uid):
    with store.database.reading() as db:
        return pydicom.dcmread(io.BytesIO(archive.open_instance(store, db, uid).read()))


def test_a_rejected_study_is_not_held_any_more_and_comes_back_as_it_was(store, take, make_slice):
    take(make_slice(1), make_slice(2))
    before = everything(store)

    reject(store)

    with store.database.reading() as db:
        for ask in (
            lambda: archive.get_study(db, "1.2.3"),
            lambda: archive.get_series(db, "1.2.3.1"),
            lambda: archive.open_instance(store, db, "1.2.3.1.1"),
            lambda: archive.attributes_of(db, "1.2.3.1.1"),
        ):
            with pytest.raises((archive.StudyNotHeld, archive.SeriesNotHeld, archive.InstanceNotHeld)):
                ask()
        shown = archive.find_withheld(db, "rejected", by=ARCHIVIST).items[0]
        assert archive.find_studies(db, archive.StudyQuery()).items == ()
    assert (shown.study_uid, shown.instances, shown.code, shown.note) == ("1.2.3", 2, "113001", "motion")
    assert shown.patient.name == "Müller^Jörg"
    assert count(store, _store.studies) == count(store, _store.series) == count(store, _store.patients) == 0

    assert restore(store) == 2
    assert everything(store) == before
    with store.database.reading() as db:
        assert archive.instance_bytes(store, db, "1.2.3.1.1") == make_slice(1)
        assert [e.act for e in audit.trail(db, on="1.2.3")][:2] == ["archive.restore", "archive.reject"]


def test_a_part_is_rejected_with_a_note_that_others_understand(store, take, make_slice):
    take(make_slice(1), make_slice(2), make_slice(1, series="1.2.3.2"))

    uid = reject(store, code="113037", sop_uids=["1.2.3.1.2"])

    note = note_of(store, uid)
    assert note.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.59"
    title = note.ConceptNameCodeSequence[0]
    assert (title.CodeValue, title.CodingSchemeDesignator) == ("113037", "DCM")
    evidence = note.CurrentRequestedProcedureEvidenceSequence[0]
    referenced = evidence.ReferencedSeriesSequence[0]
    assert (evidence.StudyInstanceUID, referenced.SeriesInstanceUID) == ("1.2.3", "1.2.3.1")
    assert [r.ReferencedSOPInstanceUID for r in referenced.ReferencedSOPSequence] == ["1.2.3.1.2"]
    assert (note.PatientID, note.ContentSequence[0].TextValue) == ("4711", "motion")
    with store.database.reading() as db:
        study = archive.get_study(db, "1.2.3")
    assert (study.instance_count, study.image_count, study.modalities) == (3, 2, ("CT", "KO"))


def test_the_note_of_a_whole_study_stands_alone_and_makes_no_empty_shell(store, take, make_slice):
    take(make_slice(1))

    uid = reject(store)

    assert note_of(store, uid).ConceptNameCodeSequence[0].CodeValue == "113001"
    assert count(store, _store.studies) == 0


def test_putting_back_withdraws_the_note(store, take, make_slice):
    take(make_slice(1), make_slice(2))
    reject(store, sop_uids=["1.2.3.1.1"])
    restore(store)

    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").modalities == ("CT",)


def test_what_was_rejected_is_refused_when_it_is_sent_again(store, take, make_slice):
    take(make_slice(1), make_slice(2))
    reject(store, sop_uids=["1.2.3.1.1"])

    outcome = take(make_slice(1))[0]

    assert (outcome.status, outcome.code) == ("refused", "rejected")
    assert len(list(store.blobs.list("instances/"))) == 3


def test_what_had_expired_may_come_again(store, take, make_slice):
    take(make_slice(1))
    reject(store, code="113039")

    assert take(make_slice(1))[0].status == "stored"
    later = clock.now() + timedelta(days=31)
    assert archive.purge(store, later, by=access.SYSTEM) == 1


def test_what_was_rejected_for_its_quality_is_kept(store, take, make_slice):
    take(make_slice(1))
    reject(store)

    assert archive.purge(store, clock.now() + timedelta(days=9999), by=access.SYSTEM) == 0


def test_a_note_whose_row_was_lost_in_a_crash_is_applied_when_it_is_found_again(store, take, make_slice):
    take(make_slice(1), make_slice(2))
    content = _note_from_elsewhere(["1.2.3.1.1"], "113001")
    from sightline.record.archive._intake import key_at
    from sightline.record.archive._parse import parse

    parsed = parse(archive.Incoming("note", content), store.settings)
    store.blobs.put_if_absent(key_at(clock.now(), parsed.hash), content)

    assert archive.recover(store) == 1
    assert count(store, _store.withheld) == 1


def test_an_unknown_reason_rejects_nothing(store, take, make_slice):
    take(make_slice(1))

    with pytest.raises(archive.UnknownReason, match="113001"):
        reject(store, code="1")

    assert count(store, _store.instances) == 1
    assert count(store, _store.withheld) == 0


def test_a_note_that_comes_rejects_what_it_references(store, take, make_slice, source):
    take(make_slice(1), make_slice(2))
    content = _note_from_elsewhere(["1.2.3.1.1"], "113001")

    assert take(content)[0].status == "stored"

    with store.database.reading() as db:
        assert [i.sop_uid for i in archive.find_instances(db, archive.InstanceQuery(series="1.2.3.1"))] == [
            "1.2.3.1.2"
        ]
        shown = archive.find_withheld(db, "rejected", by=ARCHIVIST).items[0]
    assert (shown.code, shown.note, shown.instances) == ("113001", "from elsewhere", 1)


def test_key_objects_with_another_title_reject_nothing(store, take, make_slice):
    take(make_slice(1))
    take(_note_from_elsewhere(["1.2.3.1.1"], "113000"))

    assert count(store, _store.withheld) == 0


def test_a_note_of_somebody_who_may_not_reject_is_only_kept(store, take, make_slice):
    take(make_slice(1))
    person = access.Person("p", "P", "p", frozenset({"service"}), "*", scopes=frozenset({"archive.store"}))
    content = _note_from_elsewhere(["1.2.3.1.1"], "113001")
    archive.take_in_one(store, archive.Incoming("note", content), archive.Source("stow", "x", person))

    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").modalities == ("CT", "KO")


def _note_from_elsewhere(sop_uids, code):
    from sightline.record.archive import _rejecting

    rows = [
        {"sop_uid": uid, "series": "1.2.3.1", "sop_class": "1.2.840.10008.5.1.4.1.1.2", "frames": 1}
        for uid in sop_uids
    ]
    wanted = {
        "study": "1.2.3",
        "instances": rows,
        "attributes": {
            "00100020": {"vr": "LO", "Value": ["4711"]},
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Müller^Jörg"}]},
        },
    }
    content = _rejecting.build_note(wanted, "113001", "from elsewhere")
    return content.replace(b"113001", code.encode())


def test_trash_is_put_back_or_goes_for_good(store, take, make_slice):
    take(make_slice(1), make_slice(2, series="1.2.3.2"))
    before = everything(store)
    trash(store)
    assert restore(store, kind="trashed") == 2
    assert everything(store) == before

    trash(store)
    later = clock.now() + timedelta(days=31)
    assert archive.purge(store, clock.now() + timedelta(days=29), by=access.SYSTEM) == 0
    assert archive.purge(store, later, by=access.SYSTEM) == 2
    assert list(store.blobs.list("")) == []
    assert count(store, _store.withheld) == count(store, _store.withheld_studies) == 0
    with pytest.raises(archive.NothingWithheld):
        restore(store, kind="trashed")
    assert archive.recover(store, everything=True) == 0


def test_a_purge_that_was_cut_off_is_finished_by_the_next(store, take, make_slice, monkeypatch):
    take(make_slice(1), make_slice(2))
    trash(store)
    later = clock.now() + timedelta(days=31)
    real, gone = store.blobs.delete, []

    def dies(key):
        if gone:
            raise KeyboardInterrupt
        gone.append(key)
        real(key)

    monkeypatch.setattr(store.blobs, "delete", dies)
    with pytest.raises(KeyboardInterrupt):
        archive.purge(store, later, by=access.SYSTEM)
    monkeypatch.setattr(store.blobs, "delete", real)
    with pytest.raises(archive.NothingWithheld):  # half of it is gone: it cannot be put back
        restore(store, kind="trashed")

    assert archive.recover(store, everything=True) == 0
    assert archive.purge(store, later, by=access.SYSTEM) == 2
    assert list(store.blobs.list("")) == []


def test_an_object_that_came_again_keeps_its_bytes_when_its_trash_is_purged(store, take, make_slice):
    take(make_slice(1))
    trash(store)
    assert take(make_slice(1))[0].status == "stored"

    archive.purge(store, clock.now() + timedelta(days=31), by=access.SYSTEM)

    with store.database.reading() as db:
        assert archive.instance_bytes(store, db, "1.2.3.1.1") == make_slice(1)


def test_the_emptied_trash_goes_at_once_but_for_what_is_young(store, take, make_slice):
    take(make_slice(1))
    trash(store)
    with store.database.transaction() as db:
        assert archive.empty_trash(db, by=ARCHIVIST) == 1

    assert archive.purge(store, clock.now(), by=access.SYSTEM) == 0
    assert archive.purge(store, clock.now() + timedelta(hours=4), by=access.SYSTEM) == 1


def test_a_hold_beats_the_trash(store, take, make_slice):
    take(make_slice(1))
    with store.database.transaction() as db:
        archive.hold_study(db, "1.2.3", reason="case 7", by=ARCHIVIST)

    with pytest.raises(archive.StudyOnHold, match="legal hold"):
        trash(store)
    assert count(store, _store.instances) == 1

    with store.database.transaction() as db:
        archive.release_study(db, "1.2.3", by=ARCHIVIST)
    assert trash(store) == 1


def test_a_hold_keeps_the_bytes_of_what_was_rejected_and_expired(store, take, make_slice):
    take(make_slice(1), make_slice(2))
    trash(store, sop_uids=["1.2.3.1.1"])
    with store.database.transaction() as db:
        archive.hold_study(db, "1.2.3", reason="case 7", by=ARCHIVIST)

    assert archive.purge(store, clock.now() + timedelta(days=31), by=access.SYSTEM) == 0
    assert count(store, _store.withheld) == 1


def test_one_who_may_not_delete_leaves_everything_as_it_was(store, take, make_slice):
    take(make_slice(1))
    nurse = access.Person("n", "N", "n", frozenset({"referrer"}), "main")

    with store.database.transaction() as db, pytest.raises(access.NotAllowed):
        archive.trash_study(db, "1.2.3", reason="", by=nurse, trash_days=1)
    with pytest.raises(access.NotAllowed):
        archive.reject(store, "1.2.3", "113001", note="", by=nurse)

    assert count(store, _store.instances) == 1
    assert len(list(store.blobs.list("instances/"))) == 1


def test_a_corrected_study_is_still_corrected_when_it_comes_back(store, take, make_slice):
    take(make_slice(1), make_slice(1, series="1.2.3.2"))
    with store.database.transaction() as db:
        archive.edit_study(db, "1.2.3", {"StudyDescription": "CT abdomen"}, reason="", by=ARCHIVIST)
        split = archive.split_series(db, "1.2.3", ["1.2.3.2"], reason="", by=ARCHIVIST)
    before = everything(store)

    trash(store, split.after["to"])
    assert restore(store, split.after["to"], "trashed") == 1

    assert everything(store) == before
