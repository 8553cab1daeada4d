"""Corrections: facts with an author that can be undone, in lists and in what is given out."""

import io
import json

import pydicom
import pytest
from sqlalchemy import func, select

from sightline.kernel import errors
from sightline.record import archive
from sightline.record.archive import _store
from sightline.runtime.events import events
from sightline.trust import access, audit

ARCHIVIST = access.operator("archivist")
READER = access.Person("r", "Reader", "r", frozenset({"referrer"}), "main")


@pytest.fixture
def two_patients(take, make_slice):
    """One study each of 4711 and of 4712, who are one person."""
    take(
        make_slice(1),
        make_slice(1, study="1.2.4", series="1.2.4.1", PatientID="4712", PatientName="Mueller^Joerg"),
    )


def patient_of(store, uid="1.2.3"):
    with store.database.reading() as db:
        return archive.get_patient(db, archive.get_study(db, uid).patient)


def given(store, sop="1.2.3.1.1"):
    with store.database.reading() as db:
        return pydicom.dcmread(io.BytesIO(archive.open_instance(store, db, sop).read()))


def do(store, act, *args, **kwargs):
    with store.database.transaction() as db:
        return act(db, *args, **({"by": ARCHIVIST, "reason": "wrong"} | kwargs))


def undo(store, correction):
    with store.database.transaction() as db:
        return archive.undo(db, correction.id, by=ARCHIVIST)


def snapshot(store):
    """All that lists show."""
    with store.database.reading() as db:
        tables = (_store.studies, _store.patients, _store.instances, _store.study_modalities)
        found = {t.name: sorted(map(repr, db.execute(select(t)))) for t in tables}
        series = select(*(c for c in _store.series.c if c.name not in {"generation", "searched"}))
        return found | {"series": sorted(map(repr, db.execute(series)))}


def test_an_edit_shows_everywhere_and_undoing_it_leaves_no_trace(store, take, make_slice):
    take(make_slice(1), make_slice(2))
    before = snapshot(store)

    edit = do(store, archive.edit_study, "1.2.3", {"StudyDescription": "CT abdomen", "AccessionNumber": None})

    with store.database.reading() as db:
        study = archive.get_study(db, "1.2.3")
        shown = json.loads(archive.metadata_json(db, archive.InstanceQuery(study="1.2.3")))
        facts = archive.corrections_of(db, "1.2.3")
        trail = [e.act for e in audit.trail(db, on="1.2.3")]
    assert (study.description, study.accession) == ("CT abdomen", "")
    assert [m["00081030"]["Value"] for m in shown] == [["CT abdomen"]] * 2
    assert given(store).StudyDescription == "CT abdomen"
    assert "AccessionNumber" not in given(store)
    assert [(f.kind, f.author, f.reason) for f in facts] == [("edit", ARCHIVIST.id, "wrong")]
    assert facts[0].summary == "Changed AccessionNumber, StudyDescription"
    assert trail[0] == "archive.correct"

    undone = undo(store, edit)

    assert undone.undone_by == ARCHIVIST.id
    assert snapshot(store) == before
    assert given(store) == pydicom.dcmread(io.BytesIO(make_slice(1)))


def test_edits_of_different_attributes_are_undone_in_any_order(store, take, make_slice):
    take(make_slice(1))
    first = do(store, archive.edit_study, "1.2.3", {"StudyDescription": "one"})
    second = do(store, archive.edit_study, "1.2.3", {"StudyDescription": "two", "StudyID": "7"})

    undo(store, first)
    assert (given(store).StudyDescription, given(store).StudyID) == ("two", "7")
    undo(store, second)
    assert given(store).StudyDescription == "CT chest"


def test_a_series_is_edited_without_touching_the_others(store, take, make_slice):
    take(make_slice(1), make_slice(1, series="1.2.3.2"))

    edit = do(store, archive.edit_series, "1.2.3.1", {"Modality": "MR", "SeriesNumber": "9"})

    with store.database.reading() as db:
        assert [s.modality for s in archive.series_of_study(db, "1.2.3")] == ["CT", "MR"]
        assert archive.get_study(db, "1.2.3").modalities == ("CT", "MR")
    assert (given(store).Modality, given(store, "1.2.3.2.1").Modality) == ("MR", "CT")
    undo(store, edit)
    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").modalities == ("CT",)


def test_the_metadata_of_a_series_are_made_anew_after_an_edit(store, take, make_slice):
    take(make_slice(1))
    with store.database.reading() as db:
        before = archive.series_metadata_gz(store, db, "1.2.3.1")
    do(store, archive.edit_study, "1.2.3", {"StudyDescription": "CT abdomen"})
    with store.database.reading() as db:
        after = archive.series_metadata_gz(store, db, "1.2.3.1")

    assert before[1] != after[1]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"SOPInstanceUID": "1.2"}, archive.NotEditable),
        ({"Rows": "1"}, archive.NotEditable),
        ({"NoSuchThing": "1"}, archive.NotEditable),
        ({"StudyDate": "31.1.2024"}, archive.InvalidValue),
        ({"AccessionNumber": "x" * 17}, archive.InvalidValue),
        ({"StudyDescription": "a\\b"}, archive.InvalidValue),
        ({"StudyDescription": "CT chest"}, archive.NothingToCorrect),
    ],
)
def test_what_may_not_be_is_refused_and_changes_nothing(store, take, make_slice, changes, error):
    take(make_slice(1))
    before = snapshot(store)

    with pytest.raises(error):
        do(store, archive.edit_study, "1.2.3", changes)

    assert snapshot(store) == before


def test_who_may_not_correct_is_refused(store, take, make_slice):
    take(make_slice(1))

    with pytest.raises(access.NotAllowed):
        do(store, archive.edit_study, "1.2.3", {"StudyDescription": "x"}, by=READER)

    assert given(store).StudyDescription == "CT chest"


def test_a_patients_name_is_edited_in_all_their_studies(store, take, make_slice):
    take(make_slice(1), make_slice(1, study="1.2.5", series="1.2.5.1"))

    edit = do(store, archive.edit_study, "1.2.3", {"PatientName": "Maier^Jörg", "PatientSex": "O"})

    with store.database.reading() as db:
        names = {archive.get_study(db, uid).name for uid in ("1.2.3", "1.2.5")}
    assert names == {"Maier^Jörg"}
    assert (given(store, "1.2.5.1.1").PatientName, patient_of(store).sex) == ("Maier^Jörg", "O")
    undo(store, edit)
    assert (given(store, "1.2.5.1.1").PatientName, patient_of(store).name) == ("Müller^Jörg", "Müller^Jörg")


def test_merged_patients_are_one_and_unmerging_parts_them_as_they_were(store, two_patients):
    before = snapshot(store)
    old, new = patient_of(store, "1.2.4"), patient_of(store)

    merge = do(store, archive.merge_patients, old.id, new.id)

    with store.database.reading() as db:
        assert {s.uid for s in archive.studies_of_patient(db, new.id)} == {"1.2.3", "1.2.4"}
        assert archive.get_patient(db, old.id) == new
        assert archive.get_study(db, "1.2.4").name == "Müller^Jörg"
        names = list(db.scalars(select(events.c.name).order_by(events.c.seq)))
    assert given(store, "1.2.4.1.1").PatientID == "4711"
    assert {"PatientsMerged", "StudyCorrected"} <= set(names)

    undo(store, merge)

    assert snapshot(store) == before
    assert patient_of(store, "1.2.4") == old


def test_what_comes_under_a_merged_identity_comes_to_the_other_patient(store, take, make_slice, two_patients):
    old, new = patient_of(store, "1.2.4"), patient_of(store)
    merge = do(store, archive.merge_patients, old.id, new.id)

    late = make_slice(2, study="1.2.4", series="1.2.4.1", PatientID="4712", PatientName="Mueller^Joerg")
    fresh = make_slice(1, study="1.2.6", series="1.2.6.1", PatientID="4712", PatientName="Mueller^Joerg")
    assert [o.status for o in take(late, fresh)] == ["stored", "stored"]

    assert patient_of(store, "1.2.6").id == new.id
    assert given(store, "1.2.6.1.1").PatientID == given(store, "1.2.4.1.2").PatientID == "4711"
    with store.database.reading() as db:
        assert db.execute(select(func.count()).select_from(_store.patients)).scalar_one() == 1

    undo(store, merge)

    assert patient_of(store, "1.2.6").id == old.id
    assert given(store, "1.2.6.1.1").PatientID == "4712"


def test_a_chain_of_merges_is_undone_from_its_end(store, take, make_slice, two_patients):
    take(make_slice(1, study="1.2.5", series="1.2.5.1", PatientID="4713"))
    before = snapshot(store)
    a, b, c = (patient_of(store, uid).id for uid in ("1.2.3", "1.2.4", "1.2.5"))
    first = do(store, archive.merge_patients, a, b)
    second = do(store, archive.merge_patients, b, c)
    with store.database.reading() as db:
        assert archive.get_patient(db, a).id == archive.get_patient(db, b).id == c

    with pytest.raises(archive.CorrectionRested, match="undo it first"):
        undo(store, first)
    undo(store, second)
    undo(store, first)

    assert snapshot(store) == before


def test_a_study_moves_to_another_patient_and_what_comes_late_follows(store, take, make_slice):
    take(make_slice(1))
    before = snapshot(store)

    move = do(store, archive.move_study, "1.2.3", archive.NewPatient("0815", "NORTH", "Doe^Jane", "", "F"))

    assert (patient_of(store).patient_id, patient_of(store).issuer) == ("0815", "NORTH")
    assert take(make_slice(2))[0].status == "stored"
    ds = given(store, "1.2.3.1.2")
    assert (ds.PatientID, ds.PatientName, ds.PatientBirthDate) == ("0815", "Doe^Jane", "")
    with store.database.reading() as db:
        assert archive.patients_called(db, "4711") == []
        assert archive.find_conflicts(db) == []
    with store.database.transaction() as db:
        archive.trash_study(db, "1.2.3", sop_uids=["1.2.3.1.2"], reason="", by=ARCHIVIST, trash_days=1)

    undo(store, move)

    assert patient_of(store).patient_id == "4711"
    assert snapshot(store)["patients"] == before["patients"]


def test_a_study_of_somebody_else_still_conflicts_after_a_move(store, take, make_slice):
    take(make_slice(1))
    do(store, archive.move_study, "1.2.3", archive.NewPatient("0815"))

    assert take(make_slice(2, PatientID="9999"))[0].code == "patient"


def test_series_are_split_off_and_late_instances_follow_them(store, take, make_slice):
    take(make_slice(1), make_slice(1, series="1.2.3.2", Modality="MR"))
    before = snapshot(store)

    split = do(store, archive.split_series, "1.2.3", ["1.2.3.2"])

    new_uid = split.after["to"]
    assert take(make_slice(2, series="1.2.3.2", Modality="MR"))[0].study_uid == new_uid
    with store.database.reading() as db:
        old, new = archive.get_study(db, "1.2.3"), archive.get_study(db, new_uid)
    assert (old.modalities, old.instance_count) == (("CT",), 1)
    assert (new.modalities, new.instance_count, new.patient) == (("MR",), 2, old.patient)
    assert given(store, "1.2.3.2.2").StudyInstanceUID == new_uid
    with store.database.transaction() as db:
        archive.trash_study(db, new_uid, sop_uids=["1.2.3.2.2"], reason="", by=ARCHIVIST, trash_days=1)

    undo(store, split)

    assert snapshot(store)["study_modalities"] == before["study_modalities"]
    assert given(store, "1.2.3.2.1").StudyInstanceUID == "1.2.3"
    with store.database.reading() as db, pytest.raises(archive.StudyNotHeld):
        archive.get_study(db, new_uid)


def test_a_split_that_a_later_correction_rests_on_is_not_undone(store, take, make_slice):
    take(make_slice(1), make_slice(1, series="1.2.3.2"))
    split = do(store, archive.split_series, "1.2.3", ["1.2.3.2"])
    edit = do(store, archive.edit_study, split.after["to"], {"StudyDescription": "other"})

    with pytest.raises(archive.CorrectionRested):
        undo(store, split)
    undo(store, edit)
    undo(store, split)

    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").series_count == 2


def test_a_moved_study_that_is_split_keeps_its_patient_in_both_parts(store, take, make_slice):
    take(make_slice(1), make_slice(1, series="1.2.3.2"))
    do(store, archive.move_study, "1.2.3", archive.NewPatient("0815", name="Doe^Jane"))
    split = do(store, archive.split_series, "1.2.3", ["1.2.3.2"])

    assert patient_of(store, split.after["to"]).patient_id == "0815"
    assert given(store, "1.2.3.2.1").PatientName == "Doe^Jane"


@pytest.mark.parametrize("series", [[], ["1.2.3.1"], ["9.9"]])
def test_not_none_not_all_and_nothing_foreign_is_split_off(store, take, make_slice, series):
    take(make_slice(1))

    with pytest.raises((archive.NothingToCorrect, archive.SeriesNotHeld)):
        do(store, archive.split_series, "1.2.3", series)


def test_a_correction_is_undone_once(store, take, make_slice):
    take(make_slice(1))
    edit = do(store, archive.edit_study, "1.2.3", {"StudyDescription": "x"})
    undo(store, edit)

    with pytest.raises(errors.Conflict, match="undone before"):
        undo(store, edit)


def test_a_corrected_study_that_was_purged_is_corrected_when_it_comes_again(store, take, make_slice):
    take(make_slice(1))
    do(store, archive.edit_study, "1.2.3", {"StudyDescription": "CT abdomen"})
    with store.database.transaction() as db:
        archive.trash_study(db, "1.2.3", reason="", by=ARCHIVIST, trash_days=0)

    assert take(make_slice(1))[0].status == "stored"

    assert given(store).StudyDescription == "CT abdomen"


def test_the_spool_follows_corrections_too(store, take, make_slice, source):
    take(make_slice(1), make_slice(1, series="1.2.3.2"))
    split = do(store, archive.split_series, "1.2.3", ["1.2.3.2"])
    do(store, archive.move_study, "1.2.3", archive.NewPatient("0815"))
    spool = archive.Spool(store)
    spool.start()
    try:
        late = [make_slice(2, series="1.2.3.2"), make_slice(2)]
        outcomes = [spool.place(archive.Incoming("late", content), source) for content in late]
        spool.flush()
    finally:
        spool.stop()

    assert [(o.status, o.study_uid) for o in outcomes] == [("stored", split.after["to"]), ("stored", "1.2.3")]
    assert given(store, "1.2.3.1.2").PatientID == "0815"
