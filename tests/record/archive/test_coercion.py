"""Coercion at the door: rules set right what a sender always gets wrong; the bytes stay as they came."""

import io

import pydicom
import pytest

from sightline.record import archive
from sightline.trust import access

ARCHIVIST = access.operator("archivist")


@pytest.fixture
def rules(store):
    def put(*coercions):
        with store.database.transaction() as db:
            archive.replace_rules(db, coercions=coercions, retentions=(), by=ARCHIVIST)

    yield put
    put()


def given(store, uid="1.2.3.1.1"):
    with store.database.reading() as db:
        return pydicom.dcmread(io.BytesIO(archive.open_instance(store, db, uid).read()))


def test_a_rule_sets_right_whom_an_object_is_of_and_says_so(store, take, make_slice, rules):
    rules(
        {"name": "scanner 3", "patient_id_prefix": "N-", "issuer": "NORTH", "fixed": {"StationName": "CT3"}}
    )

    outcomes = take(make_slice(1), make_slice(2))

    assert [(o.status, o.coerced) for o in outcomes] == [("stored", True)] * 2
    ds = given(store, "1.2.3.1.2")
    assert (ds.PatientID, ds.IssuerOfPatientID, ds.StationName) == ("N-4711", "NORTH", "CT3")
    with store.database.reading() as db:
        study = archive.get_study(db, "1.2.3")
        facts = archive.corrections_of(db, "1.2.3")
        held = archive.get_instance(db, "1.2.3.1.1")
        assert archive.get_patient(db, study.patient).issuer == "NORTH"
    assert study.patient_id == "N-4711"
    assert [f.kind for f in facts] == ["coerce"]
    assert store.blobs.get(held.blob) == make_slice(1)


def test_what_is_coerced_is_held_when_it_comes_again(take, make_slice, rules):
    rules({"name": "prefix", "patient_id_prefix": "N-"})
    take(make_slice(1))

    assert take(make_slice(1))[0].status == "held"
    assert take(make_slice(2))[0].status == "stored"


def test_rules_ask_for_source_and_modality(store, take, make_slice, rules):
    rules(
        {"name": "elsewhere", "source": "CT*", "patient_id_prefix": "A-"},
        {"name": "mr", "modality": "MR", "patient_id_prefix": "B-"},
        {"name": "off", "enabled": False, "patient_id_prefix": "C-"},
        {"name": "here", "kind": "import", "source": "te*", "modality": "CT", "patient_id_prefix": "D-"},
    )
    take(make_slice(1))

    assert given(store).PatientID == "D-4711"


def test_a_character_set_is_assumed_only_where_none_is_stated(store, take, make_slice, rules):
    rules({"name": "greek", "character_set": "ISO_IR 126"})
    bare = make_slice(1, SpecificCharacterSet=None, PatientName="Xy")
    raw = "Διονυσιος".encode("iso8859_7") + b" "
    place = bare.index(b"\x10\x00\x10\x00PN")
    bare = bare[: place + 6] + len(raw).to_bytes(2, "little") + raw + bare[place + 10 :]
    take(bare, make_slice(1, study="1.2.4", series="1.2.4.1"))

    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").name == "Διονυσιος"
    assert (given(store).PatientName, given(store).SpecificCharacterSet) == ("Διονυσιος", "ISO_IR 126")
    assert given(store, "1.2.4.1.1").SpecificCharacterSet == "ISO_IR 192"


def test_private_attributes_are_left_out(store, take, make_slice, rules):
    rules({"name": "private", "remove_private": True})
    ds = pydicom.dcmread(io.BytesIO(make_slice(1)))
    ds.private_block(0x11, "OURS", create=True).add_new(1, "LO", "secret")
    buffer = io.BytesIO()
    ds.save_as(buffer)
    take(buffer.getvalue())

    assert not any(e.tag.is_private for e in given(store))


def test_a_coercion_can_be_undone(store, take, make_slice, rules):
    rules({"name": "prefix", "patient_id_prefix": "N-"})
    take(make_slice(1))
    with store.database.transaction() as db:
        (fact,) = archive.corrections_of(db, "1.2.3")
        archive.undo(db, fact.id, by=ARCHIVIST)

    assert given(store) == pydicom.dcmread(io.BytesIO(make_slice(1)))


@pytest.mark.parametrize(
    "rule",
    [
        {"name": "", "issuer": "A"},
        {"name": "x", "character_set": "LATIN"},
        {"name": "x", "fixed": {"SOPInstanceUID": "1.2"}},
        {"name": "x", "fixed": {"StudyDate": "yesterday"}},
        {"name": "x", "nonsense": 1},
    ],
)
def test_a_rule_that_could_not_be_followed_is_refused(store, rules, rule):
    with pytest.raises((archive.BadRule, archive.NotEditable, archive.InvalidValue)):
        rules(rule)

    assert archive.coercion_rules(store.database) == ()


def test_the_spool_coerces_too(store, make_slice, rules, source):
    rules({"name": "prefix", "patient_id_prefix": "N-"})
    spool = archive.Spool(store)
    spool.start()
    try:
        outcome = spool.place(archive.Incoming("x", make_slice(1)), source)
        spool.flush()
    finally:
        spool.stop()

    assert (outcome.status, outcome.coerced) == ("stored", True)
    assert given(store).PatientID == "N-4711"
