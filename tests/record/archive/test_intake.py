"""Taking objects in: what is kept, what is held already, what is kept aside, what is refused."""

import io

import pydicom
import pytest
from sqlalchemy import func, select

from sightline.record import archive
from sightline.record.archive import _store
from sightline.runtime.blobs import StoreFull
from sightline.runtime.db import metadata
from sightline.trust import access, audit


def statuses(outcomes):
    return [o.status for o in outcomes]


def blobs_of(store):
    return list(store.blobs.list("instances/"))


def test_slices_become_one_study_of_one_patient(store, take, make_slice):
    outcomes = take(*(make_slice(n) for n in (1, 2, 3)))

    assert statuses(outcomes) == ["stored"] * 3
    with store.database.reading() as db:
        study = archive.get_study(db, "1.2.3")
        assert (study.instance_count, study.image_count, study.series_count) == (3, 3, 1)
        assert (study.modalities, study.body_part, study.date) == (("CT",), "CHEST", "20240131")
        assert archive.get_patient(db, study.patient).name == "Müller^Jörg"
        assert [i.number for i in archive.sorted_instances(db, "1.2.3.1")] == [3, 2, 1]


def test_the_bytes_are_kept_as_received(store, take, make_slice):
    content = make_slice(1)
    take(content)

    with store.database.reading() as db:
        assert archive.instance_bytes(store, db, "1.2.3.1.1") == content


def test_storing_again_changes_nothing(store, take, make_slice):
    take(make_slice(1))
    with store.database.reading() as db:
        before = archive.get_study(db, "1.2.3")

    assert statuses(take(make_slice(1), make_slice(1))) == ["held", "held"]

    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3") == before
    assert len(blobs_of(store)) == 1


def test_the_same_dataset_with_another_file_header_is_held_already(take, make_slice):
    content = make_slice(1)
    take(content)

    assert statuses(take(b"\x01" * 128 + content[128:])) == ["held"]


def test_another_object_under_a_held_uid_is_kept_aside_and_never_overwrites(store, take, make_slice):
    first = make_slice(1)
    take(first)

    outcome = take(make_slice(1, PatientComments="other"))[0]

    assert (outcome.status, outcome.code) == ("conflict", "content")
    assert "kept aside" in outcome.reason
    with store.database.reading() as db:
        assert archive.instance_bytes(store, db, "1.2.3.1.1") == first
        assert archive.get_study(db, "1.2.3").instance_count == 1
        conflict = archive.find_conflicts(db, "1.2.3")[0]
    assert store.blobs.get(conflict.blob) == make_slice(1, PatientComments="other")


def test_a_conflict_sent_again_is_one_conflict(store, take, make_slice):
    take(make_slice(1))
    take(make_slice(1, PatientComments="other"))
    take(make_slice(1, PatientComments="other"))

    with store.database.reading() as db:
        assert len(archive.find_conflicts(db)) == 1


def test_a_series_held_in_another_study_is_kept_aside_and_leaves_no_empty_study(store, take, make_slice):
    take(make_slice(1))

    outcome = take(make_slice(2, study="1.9.9"))[0]

    assert (outcome.status, outcome.code) == ("conflict", "series")
    with store.database.reading() as db, pytest.raises(archive.StudyNotHeld):
        archive.get_study(db, "1.9.9")


def test_images_of_another_patient_never_enter_a_study(store, take, make_slice):
    take(make_slice(1))

    outcome = take(make_slice(2, PatientID="0815"))[0]

    assert (outcome.status, outcome.code) == ("conflict", "patient")
    with store.database.reading() as db:
        assert archive.patients_called(db, "0815") == []


def test_studies_without_a_patient_id_are_never_taken_for_one_patient(store, take, make_slice):
    take(
        make_slice(1, study="1.1", series="1.1.1", PatientID=""),
        make_slice(1, study="1.2", series="1.2.1", PatientID=""),
    )

    with store.database.reading() as db:
        assert archive.get_study(db, "1.1").patient != archive.get_study(db, "1.2").patient


@pytest.mark.parametrize("left_out", [{"IssuerOfPatientID": None}, {"PatientID": ""}])
def test_an_object_that_leaves_out_issuer_or_id_joins_its_study(store, take, make_slice, left_out):
    whole = {"IssuerOfPatientID": "NORTH"}
    take(make_slice(1, **whole))

    assert statuses(take(make_slice(2, **(whole | left_out)))) == ["stored"]

    with store.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(_store.patients)) == 1


def test_the_same_id_of_another_issuer_is_another_patient(take, make_slice):
    take(make_slice(1, IssuerOfPatientID="NORTH"))

    assert take(make_slice(2, IssuerOfPatientID="SOUTH"))[0].code == "patient"


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (lambda b: b"", "empty", "0 bytes"),
        (lambda b: b"hello, this is a text", "not-dicom", "not a DICOM file"),
        (lambda b: b"\0" * 5000, "not-dicom", "not a DICOM file"),
        (lambda b: b[:-100], "truncated", "states 512 bytes, and 412 are there"),
        (lambda b: b[:300], "truncated", "cut off"),
        (lambda b: b[:135], "truncated", "cut off"),
        (lambda b: b[:600] + b"\xff" * 200 + b[800:], "damaged", "damaged"),
    ],
    ids=["empty", "text", "zeros", "pixels cut", "header cut", "no meta", "overwritten"],
)
def test_bad_bytes_are_refused_with_what_to_do_and_the_rest_goes_on(
    store, take, make_slice, spoil, code, words
):
    bad, good = take(spoil(make_slice(1)), make_slice(2))

    assert (bad.status, bad.code) == ("refused", code)
    assert words in bad.reason
    assert good.status == "stored"
    assert len(blobs_of(store)) == 1


@pytest.mark.parametrize("name", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID"])
def test_a_missing_uid_is_refused_by_name(store, take, make_slice, name):
    outcome = take(make_slice(1, **{name: None}))[0]

    assert (outcome.status, outcome.code) == ("refused", "missing-uid")
    assert name in outcome.reason
    assert blobs_of(store) == []


@pytest.mark.parametrize("uid", [b"../../etc/pw", b"1.2.x.4.5.67", b"no uid at al", b".12.34.56.78"])
def test_an_invalid_uid_is_refused(store, take, make_slice, uid):
    content = make_slice(1, study="1.2.34567.12").replace(b"1.2.34567.12", uid)

    assert take(content)[0].code == "invalid-uid"
    assert blobs_of(store) == []


def test_pixels_shorter_than_the_header_states_are_refused(take, make_slice):
    outcome = take(make_slice(1, PixelData=b"\0" * 500))[0]

    assert (outcome.status, outcome.code) == ("refused", "truncated")
    assert "need 512 bytes, and 500 are there" in outcome.reason


def test_a_file_larger_than_allowed_is_refused_unread(store, source, tmp_path):
    huge = tmp_path / "huge.dcm"
    with huge.open("wb") as file:
        file.truncate(3 << 20)  # sparse: no byte of it is there
    small = archive.Store(store.database, store.blobs, archive.ArchiveSettings(max_instance_mib=2))

    outcome = archive.take_in(small, [archive.Incoming("huge.dcm", huge)], source)[0]

    assert (outcome.status, outcome.code) == ("refused", "too-large")
    assert "3 MiB, more than the 2 MiB" in outcome.reason


def test_a_full_disk_refuses_says_so_and_loses_nothing(store, source, take, make_slice, monkeypatch):
    take(make_slice(1))

    def full(*_args, **_kwargs):
        raise StoreFull("The disk is full; nothing was stored. Free space and send again.")

    with monkeypatch.context() as patch:
        patch.setattr(store.blobs, "_write", full)
        outcome = take(make_slice(2))[0]

    assert (outcome.status, outcome.code) == ("refused", "store-full")
    assert statuses(take(make_slice(1), make_slice(2))) == ["held", "stored"]


def test_who_may_not_store_stores_nothing(store, make_slice):
    stranger = archive.Source("stow", "test", access.NOBODY)

    with pytest.raises(access.NotAllowed):
        archive.take_in(store, [archive.Incoming("a", make_slice(1))], stranger)

    assert blobs_of(store) == []


def test_each_batch_is_in_the_audit_trail_once_a_study(store, take, make_slice):
    take(*(make_slice(n) for n in range(1, 6)))

    with store.database.reading() as db:
        entries = audit.trail(db, on="1.2.3")
    assert [(e.act, e.facts["instances"]) for e in entries] == [("archive.store", 5)]


def test_what_declares_itself_simulated_is_shown_as_such(store, take, make_slice):
    take(
        make_slice(1, study="1.1", series="1.1.1"),
        make_slice(1, study="1.2", series="1.2.1", ImageComments="SIMULATED nodule"),
        make_slice(1, study="1.3", series="1.3.1", ImageType=["DERIVED", "SECONDARY", "SIMULATED"]),
    )

    with store.database.reading() as db:
        found = archive.get_studies(db, ["1.1", "1.2", "1.3"])
    assert [found[u].simulated for u in ("1.1", "1.2", "1.3")] == [False, True, True]


def test_refusals_are_counted_without_patient_data(store, take):
    take(b"not an image")

    with store.database.reading() as db:
        assert db.execute(select(_store.refusals.c.code, _store.refusals.c.source)).one() == (
            "not-dicom",
            "test",
        )
        assert db.scalar(select(func.count()).select_from(_store.instances)) == 0


def test_bytes_without_a_row_are_found_again_after_a_crash(store, take, make_slice, source):
    take(make_slice(1))
    with store.database.transaction() as db:
        for table in ("instances", "study_modalities", "series", "studies"):
            db.execute(metadata.tables[table].delete())

    assert archive.recover(store) == 1

    assert archive.recover(store) == 0
    assert statuses(take(make_slice(1))) == ["held"]


def test_a_lost_file_is_healed_when_it_is_sent_again(store, take, make_slice):
    take(make_slice(1))
    store.blobs.delete(blobs_of(store)[0])

    assert statuses(take(make_slice(1))) == ["held"]

    with store.database.reading() as db:
        assert archive.instance_bytes(store, db, "1.2.3.1.1") == make_slice(1)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"])
def test_the_same_object_in_another_transfer_syntax_is_held_already(store, take, make_slice, syntax):
    take(make_slice(1))

    assert statuses(take(rewritten(make_slice(1), syntax))) == ["held"]

    assert len(blobs_of(store)) == 1


def test_another_object_in_another_transfer_syntax_is_a_conflict(take, make_slice):
    take(make_slice(1))

    assert statuses(take(rewritten(make_slice(1, PatientComments="x"), "1.2.840.10008.1.2"))) == ["conflict"]


def rewritten(content, syntax):
    ds = pydicom.dcmread(io.BytesIO(content))
    ds.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    ds.save_as(buffer, implicit_vr=syntax == "1.2.840.10008.1.2", little_endian=True, overwrite=True)
    return buffer.getvalue()
