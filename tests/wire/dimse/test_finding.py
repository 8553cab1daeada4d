"""C-FIND as peers ask it."""

import re
import struct
import time
import warnings

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
)

from sightline.wire import dimse
from sightline.wire.dimse import _calling, _finding

pytestmark = pytest.mark.filterwarnings("ignore")

PATIENT, STUDY = PatientRootQueryRetrieveInformationModelFind, StudyRootQueryRetrieveInformationModelFind


def keys(**values):
    ds = Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in values.items():
            setattr(ds, keyword, value)
    return ds


@pytest.fixture
def ask(archive_ae):
    """Ask for a level and return the answers."""

    def ask(level, model="study", **values):
        options = {
            name: values.pop(name) for name in ("fuzzy", "combined_datetime", "relational") if name in values
        }
        return list(dimse.find(archive_ae, model, level, keys(**values), **options))

    return ask


@pytest.fixture
def raw(archive_ae):
    """Ask with pynetdicom and return every status with its dataset."""

    def raw(identifier, sop_class=STUDY, extended=None):
        ae = AE("ASKER")
        ae.add_requested_context(sop_class)
        items = []
        if extended is not None:
            item = SOPClassExtendedNegotiation()
            item.sop_class_uid, item.service_class_application_information = sop_class, extended
            items = [item]
        association = ae.associate("127.0.0.1", archive_ae.port, ae_title="SIGHTLINE", ext_neg=items)
        assert association.is_established
        answers = list(association.send_c_find(identifier, sop_class))
        raw.agreed = {str(k): v for k, v in association.acceptor.sop_class_extended.items()}
        association.release()
        return answers

    return raw


def test_a_study_is_found_by_a_wildcard_and_has_what_was_asked_for_only(ask, take, make_slice):
    take(make_slice(1), make_slice(2))

    (found,) = ask("study", PatientName="m?ll*", StudyInstanceUID="", NumberOfStudyRelatedInstances="")

    assert {e.keyword for e in found} == {
        "SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle",
        "PatientName", "StudyInstanceUID", "NumberOfStudyRelatedInstances",
    }  # fmt: skip
    assert (found.PatientName, found.StudyInstanceUID) == ("Müller^Jörg", "1.2.3")
    assert (found.NumberOfStudyRelatedInstances, found.RetrieveAETitle) == (2, "SIGHTLINE")


@pytest.mark.parametrize(
    ("level", "model", "asked", "expected"),
    [
        ("patient", "patient", {"PatientID": "4711"}, 1),
        ("patient", "patient", {"PatientID": "4712"}, 0),
        ("study", "patient", {"PatientID": "4711", "StudyDate": "20240101-20241231"}, 2),
        ("study", "study", {"StudyDate": "-20231231"}, 0),
        ("study", "study", {"StudyInstanceUID": ["1.2.3", "1.2.4", "9"]}, 2),
        ("study", "study", {"ModalitiesInStudy": "MR"}, 0),
        ("series", "study", {"StudyInstanceUID": "1.2.3", "Modality": "CT"}, 1),
        ("series", "study", {"PatientID": "4711"}, 2),
        ("instance", "study", {"SeriesInstanceUID": "1.2.3.1", "InstanceNumber": "2"}, 1),
        ("instance", "study", {"SOPInstanceUID": "1.2.3.1.*"}, 0),
    ],
)
def test_every_level_of_both_models_is_matched(ask, take, make_slice, level, model, asked, expected):
    take(make_slice(1), make_slice(2), make_slice(1, study="1.2.4", series="1.2.4.1"))

    assert len(ask(level, model, **asked)) == expected


def test_extended_negotiation_gives_fuzzy_names_and_one_range_of_date_and_time(ask, take, make_slice):
    take(make_slice(1))

    assert len(ask("study", PatientName="Mueler^Jorg", fuzzy=False)) == 0
    assert len(ask("study", PatientName="Muler^Jorg", fuzzy=True)) == 1
    between = {"StudyDate": "20240130-20240201", "StudyTime": "120000-090000"}
    assert len(ask("study", **between, combined_datetime=True)) == 1


def test_extended_negotiation_answers_what_it_was_asked(raw, take, make_slice):
    raw(keys(QueryRetrieveLevel="STUDY"), extended=b"\1\0\1\1")

    assert raw.agreed[STUDY] == b"\1\0\1\0"


def test_a_sequence_is_matched_and_answered_with_the_asked_parts(ask, take, make_slice):
    item = keys(ScheduledProcedureStepID="S7", RequestedProcedureID="R7")
    take(make_slice(1, RequestAttributesSequence=[item]))

    def asked(step):
        return ask("series", RequestAttributesSequence=[keys(ScheduledProcedureStepID=step)])

    (found,) = asked("S7")
    assert [e.keyword for e in found.RequestAttributesSequence[0]] == ["ScheduledProcedureStepID"]
    assert asked("S8") == []


def test_what_cannot_be_matched_is_returned_and_told_by_its_status(raw, take, make_slice):
    take(make_slice(1))

    first, last = raw(keys(QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2.3", PatientComments="x*"))

    assert (first[0].Status, last[0].Status) == (0xFF01, 0x0000)


@pytest.mark.parametrize(
    "identifier",
    [
        keys(StudyInstanceUID="1.2.3"),
        keys(QueryRetrieveLevel="PATIENT", PatientID="4711"),
        keys(QueryRetrieveLevel="ROOM"),
        keys(QueryRetrieveLevel="STUDY", StudyDate="yesterday"),
    ],
    ids=["no level", "a level of the other model", "no such level", "no date"],
)
def test_an_identifier_that_does_not_fit_is_refused_with_a_reason(raw, identifier):
    ((status, answer),) = raw(identifier)

    assert (status.Status, answer) == (0xA900, None)
    assert status.ErrorComment


@pytest.mark.parametrize(
    ("charset", "name", "kept"),
    [
        ("ISO_IR 100", "Buc^Jérôme", "ISO_IR 100"),
        ("ISO_IR 192", "山田^太郎", "ISO_IR 192"),
        ("GB18030", "王^小东", "GB18030"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう", ["", "ISO 2022 IR 87"]),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동", ["", "ISO 2022 IR 149"]),
    ],
)
def test_names_are_read_and_answered_in_the_character_set_of_the_question(
    ask, take, make_slice, charset, name, kept
):
    take(make_slice(1, SpecificCharacterSet=charset, PatientName=name))

    (found,) = ask("study", SpecificCharacterSet=charset, PatientName=name, StudyInstanceUID="")

    assert (found.PatientName, found.SpecificCharacterSet) == (name, kept)


def test_a_name_that_the_asked_set_cannot_hold_comes_in_unicode(ask, take, make_slice):
    take(make_slice(1, PatientName="山田^太郎"))

    (found,) = ask("study", SpecificCharacterSet="ISO_IR 100", PatientName="")

    assert (found.PatientName, found.SpecificCharacterSet) == ("山田^太郎", "ISO_IR 192")


def test_a_query_that_is_cancelled_ends_with_cancel(archive_ae, take, make_slice, monkeypatch):
    take(*(make_slice(1, study=f"1.2.{n}", series=f"1.2.{n}.1") for n in range(1, 40)))
    quick = _finding.encode_attributes
    monkeypatch.setattr(_finding, "encode_attributes", lambda *a, **k: (time.sleep(0.02), quick(*a, **k))[1])
    ae = AE("ASKER")
    ae.add_requested_context(STUDY)
    association = ae.associate("127.0.0.1", archive_ae.port, ae_title="SIGHTLINE")
    statuses = []
    identifier = keys(QueryRetrieveLevel="STUDY", PatientName="")
    for status, _ in association.send_c_find(identifier, STUDY, msg_id=7):
        statuses.append(status.Status)
        if len(statuses) == 1:
            association.send_c_cancel(7, query_model=STUDY)
    association.release()

    assert statuses[-1] == 0xFE00
    assert len(statuses) < 39


def test_our_own_query_may_be_left_in_the_middle(archive_ae, take, make_slice):
    take(*(make_slice(1, study=f"1.2.{n}", series=f"1.2.{n}.1") for n in range(1, 30)))
    answers = dimse.find(archive_ae, "study", "study", keys(StudyInstanceUID=""))

    next(answers)
    answers.close()

    assert len(list(dimse.find(archive_ae, "study", "study", keys(StudyInstanceUID="")))) == 29


def test_many_matches_come_page_by_page(ask, take, make_slice, monkeypatch):
    monkeypatch.setattr(_finding, "FIRST_PAGE", 4)
    monkeypatch.setattr(_finding, "PAGE", 7)
    take(*(make_slice(1, study=f"1.2.{n}", series=f"1.2.{n}.1") for n in range(1, 31)))

    assert len({found.StudyInstanceUID for found in ask("study", StudyInstanceUID="")}) == 30


@pytest.mark.parametrize(
    "identifier",
    [
        b"",
        b"\x08\x00\x52\x00\xff\xff\xff\x7f",
        b"\xff" * 4096,
        b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY " + struct.pack("<HHI", 0x0040, 0x0275, 0xFFFFFFFF) * 1,
        b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY "
        + (struct.pack("<HHI", 0x0040, 0x0275, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF))
        * 10_000,
    ],
    ids=["empty", "a length beyond the end", "noise", "an open sequence", "10,000 deep"],
)
def test_a_hostile_identifier_is_answered_and_leaves_the_association_usable(archive_ae, identifier):
    caller = dimse.Caller("ASKER")
    proposals = [_calling.Proposal(str(STUDY), ("1.2.840.10008.1.2",))]
    with caller.call(archive_ae, proposals) as call:
        agreed = call.require(str(STUDY))
        fields = {"CommandField": 0x20, "AffectedSOPClassUID": str(STUDY), "Priority": 0}
        call.ask(agreed, fields, identifier)
        assert call.hear().status in (0xA900, 0x0000)
        call.ask(agreed, fields, b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY ")
        assert call.hear().status == 0x0000


def test_a_message_of_another_class_than_its_context_ends_the_association(archive_ae):
    proposals = [_calling.Proposal(str(STUDY), ("1.2.840.10008.1.2",))]
    call = dimse.Caller("ASKER").call(archive_ae, proposals)
    agreed = call.require(str(STUDY))
    began = time.monotonic()
    call.ask(agreed, {"CommandField": 0x20, "AffectedSOPClassUID": str(PATIENT), "Priority": 0}, b"\0" * 8)

    with pytest.raises(dimse.PeerBroke, match="ended the association"):
        call.hear()

    assert time.monotonic() - began < 3


def test_who_may_not_find_is_offered_no_query(archive_ae, make_known):
    make_known("ASKER", rights=frozenset({"echo"}))

    with pytest.raises(dimse.NotSupported):
        list(dimse.find(archive_ae, "study", "study", keys(), caller=dimse.Caller("ASKER")))


def test_dcmtk_finds_what_is_held(dcmtk, take, make_slice):
    take(make_slice(1))

    done = dcmtk(
        "findscu", "-S", "-k", "QueryRetrieveLevel=SERIES", "-k", "PatientID=4711", "-k", "SeriesInstanceUID"
    )

    assert done.returncode == 0
    assert re.search(rb"\(0020,000e\) UI \[1\.2\.3\.1", done.stdout + done.stderr)
    assert b"Success" in done.stdout + done.stderr


def test_every_object_of_the_character_set_collection_is_found_by_its_name(archive_ae, test_data, take):
    folder = test_data / "charset-and-nasty" / "fo-dicom" / "charset"
    files = sorted(folder.glob("*.dcm"))
    take(*(path.read_bytes() for path in files))
    for path in files:
        ds = dcmread(path, force=True, stop_before_pixels=True)
        charset = ds.get("SpecificCharacterSet") or ""
        name = str(ds.get("PatientName") or "")
        # pydicom leaves the escape sequences of ISO 2022 IR 58 in the text.
        if not name or not ds.get("StudyInstanceUID") or "\x1b" in name:
            continue
        asked = keys(SpecificCharacterSet=charset, StudyInstanceUID=ds.StudyInstanceUID, PatientName="")
        (found,) = dimse.find(archive_ae, "study", "study", asked)
        assert str(found.PatientName) == name, path.name
