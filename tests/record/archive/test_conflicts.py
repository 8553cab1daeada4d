"""Objects that disagree with what is held: side by side, decided by a person, nothing lost."""

import io

import pydicom
import pytest

from sightline.record import archive
from sightline.trust import access, audit

ARCHIVIST = access.operator("archivist")


@pytest.fixture
def open_conflict(store):
    def find():
        with store.database.reading() as db:
            return archive.list_conflicts(store, db, by=ARCHIVIST).items[0]

    return find


def decide(store, conflict, decision):
    return archive.decide_conflict(store, conflict.id, decision, reason="looked at both", by=ARCHIVIST)


def given(store, uid):
    with store.database.reading() as db:
        return pydicom.dcmread(io.BytesIO(archive.open_instance(store, db, uid).read()))


def study_of(store, uid="1.2.3"):
    with store.database.reading() as db:
        return archive.get_study(db, uid)


def test_a_conflict_shows_in_what_two_objects_differ(take, make_slice, open_conflict):
    take(make_slice(1))
    take(make_slice(1, SeriesDescription="bone", PatientComments="x"))

    conflict = open_conflict()

    assert (conflict.kind, conflict.sop_uid, conflict.source) == ("content", "1.2.3.1.1", "import:test")
    assert [(d.keyword, d.held, d.new) for d in conflict.differs] == [
        ("SeriesDescription", "lung", "bone"),
        ("PatientComments", None, "x"),
    ]
    assert conflict.held["name"] == conflict.new["name"] == "Müller^Jörg"


def test_keeping_what_is_held_puts_the_other_in_the_trash(store, take, make_slice, open_conflict):
    take(make_slice(1))
    take(make_slice(1, PatientComments="x"))

    assert decide(store, open_conflict(), "keep-held") == ""

    assert "PatientComments" not in given(store, "1.2.3.1.1")
    with store.database.reading() as db:
        assert archive.list_conflicts(store, db, by=ARCHIVIST).items == ()
        assert audit.trail(db, on="1.2.3")[0].act == "archive.decide"
    assert take(make_slice(1, PatientComments="x"))[0].status == "conflict"
    with store.database.reading() as db:
        assert archive.find_conflicts(db) == []


def test_what_was_decided_against_is_listed_in_the_trash_and_restored_as_a_conflict(
    store, take, make_slice, open_conflict
):
    take(make_slice(1))
    take(make_slice(1, PatientComments="x"))
    decide(store, open_conflict(), "keep-held")
    with store.database.reading() as db:
        (listed,) = archive.find_withheld(db, "trashed", by=ARCHIVIST).items
    assert (listed.study_uid, listed.patient.name, listed.instances) == ("1.2.3", "Müller^Jörg", 1)

    with store.database.transaction() as db:
        assert archive.restore(db, "1.2.3", "trashed", by=ARCHIVIST) == 1

    assert "PatientComments" not in given(store, "1.2.3.1.1")
    assert open_conflict().sop_uid == "1.2.3.1.1"
    with store.database.reading() as db:
        assert archive.find_withheld(db, "trashed", by=ARCHIVIST).items == ()


def test_what_was_replaced_is_not_restored_beside_what_replaced_it(store, take, make_slice, open_conflict):
    take(make_slice(1))
    take(make_slice(1, PatientComments="x"))
    decide(store, open_conflict(), "replace")

    with (
        pytest.raises(archive.PlaceTaken, match="reject or trash these first"),
        store.database.transaction() as db,
    ):
        archive.restore(db, "1.2.3", "rejected", by=ARCHIVIST)

    assert given(store, "1.2.3.1.1").PatientComments == "x"


@pytest.mark.parametrize(
    ("changed", "differ"),
    [
        ({"PatientComments": "x"}, False),
        ({"PixelData": b"\7" * 512}, True),
        ({"PixelData": b"\7" * 512, "PatientComments": "x"}, True),
    ],
)
def test_it_is_said_whether_the_pixels_differ(store, take, make_slice, open_conflict, changed, differ):
    take(make_slice(1))
    take(make_slice(1, **changed))

    assert open_conflict().pixels_differ is differ


def test_replacing_has_the_new_one_held_and_the_old_one_out_of_sight(store, take, make_slice, open_conflict):
    take(make_slice(1), make_slice(2))
    take(make_slice(1, PatientComments="x"))

    assert decide(store, open_conflict(), "replace") == "1.2.3.1.1"

    assert given(store, "1.2.3.1.1").PatientComments == "x"
    assert study_of(store).instance_count == 2
    with store.database.reading() as db:
        shown = archive.find_withheld(db, "rejected", by=ARCHIVIST).items
    assert [(w.code, w.instances) for w in shown] == [("replaced", 1)]


def test_stored_apart_it_has_uids_of_its_own(store, take, make_slice, open_conflict):
    take(make_slice(1))
    take(make_slice(1, PatientComments="x"))

    uid = decide(store, open_conflict(), "store-apart")

    ds = given(store, uid)
    assert (ds.SOPInstanceUID, ds.PatientComments, ds.StudyInstanceUID) == (uid, "x", "1.2.3")
    assert ds.SeriesInstanceUID.startswith("2.25.")
    assert "PatientComments" not in given(store, "1.2.3.1.1")
    assert (study_of(store).series_count, study_of(store).instance_count) == (2, 2)
    with store.database.reading() as db:
        assert [c.kind for c in archive.corrections_of(db, "1.2.3")] == ["apart"]


def test_a_patient_conflict_is_adopted_as_the_patient_of_the_study(store, take, make_slice, open_conflict):
    take(make_slice(1))
    take(make_slice(2, PatientID="4717", PatientName="Mueler^Joerg"))
    conflict = open_conflict()
    assert [d.keyword for d in conflict.differs] == ["PatientName", "PatientID"]

    decide(store, conflict, "adopt")

    assert study_of(store).instance_count == 2
    assert (given(store, "1.2.3.1.2").PatientID, given(store, "1.2.3.1.2").PatientName) == (
        "4711",
        "Müller^Jörg",
    )


def test_a_patient_conflict_may_give_the_study_to_the_new_patient(store, take, make_slice, open_conflict):
    take(make_slice(1))
    take(make_slice(2, PatientID="0815", PatientName="Doe^Jane"))

    decide(store, open_conflict(), "replace")

    assert (study_of(store).patient_id, study_of(store).instance_count) == ("0815", 2)
    assert given(store, "1.2.3.1.1").PatientName == "Doe^Jane"


def test_a_patient_conflict_stored_apart_is_a_study_of_the_other_patient(
    store, take, make_slice, open_conflict
):
    take(make_slice(1))
    take(make_slice(2, PatientID="0815"), make_slice(3, PatientID="0815"))

    decide(store, open_conflict(), "store-apart")
    decide(store, open_conflict(), "store-apart")

    ds = given(store, "1.2.3.1.2")
    assert ds.StudyInstanceUID == given(store, "1.2.3.1.3").StudyInstanceUID != "1.2.3"
    apart = study_of(store, ds.StudyInstanceUID)
    assert (apart.patient_id, apart.series_count, apart.instance_count) == ("0815", 1, 2)
    assert study_of(store).instance_count == 1


@pytest.mark.parametrize(
    ("decision", "study"), [("adopt", "1.2.3"), ("store-apart", "1.2.9")], ids=["adopted", "apart"]
)
def test_an_object_whose_series_is_held_elsewhere(store, take, make_slice, open_conflict, decision, study):
    take(make_slice(1))
    take(make_slice(2, study="1.2.9"))

    decide(store, open_conflict(), decision)

    ds = given(store, "1.2.3.1.2")
    assert ds.StudyInstanceUID == study
    assert (ds.SeriesInstanceUID == "1.2.3.1") == (decision == "adopt")


def test_what_cannot_be_decided_so_leaves_the_conflict_open(store, take, make_slice, open_conflict):
    take(make_slice(1))
    take(make_slice(1, PatientComments="x"))
    conflict = open_conflict()

    with pytest.raises(archive.DecisionImpossible):
        decide(store, conflict, "adopt")
    assert open_conflict() == conflict
    decide(store, conflict, "keep-held")
    with pytest.raises(archive.ConflictDecided):
        decide(store, conflict, "replace")
    with pytest.raises(archive.ConflictNotHeld):
        archive.decide_conflict(store, 999, "replace", reason="", by=ARCHIVIST)
