"""Performed procedure steps over real associations."""

from contextlib import contextmanager

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE

from sightline.record import archive, orders
from sightline.trust import access, audit
from sightline.wire.dimse import _procedures
from sightline.wire.dimse._procedures import PERFORMED_STEP, PERFORMED_STEP_RETRIEVE, SERVICES
from tests.wire.dimse.services import serving

UID = "1.2.840.77.1"
CT = "1.2.840.10008.5.1.4.1.1.2"


@pytest.fixture
def port(store):
    log = audit.ReadLog(store.database)
    audit.use(log)
    with serving(store, SERVICES) as port:
        yield port
    audit.use(None)


@pytest.fixture
def scanner(port):
    """An association as a scanner has it."""

    @contextmanager
    def connect():
        ae = AE("CT1")
        ae.dimse_timeout = 10
        ae.add_requested_context(PERFORMED_STEP)
        ae.add_requested_context(PERFORMED_STEP_RETRIEVE)
        association = ae.associate("127.0.0.1", port)
        assert association.is_established
        yield association
        association.release()

    with connect() as association:
        yield association


@pytest.fixture
def order(store):
    wanted = orders.Wanted(
        subject=orders.Subject("4711", "Müller^Jörg"),
        procedure=orders.Procedure("RP1", "CT chest"),
        steps=[orders.Step("S1", "CT", "CT1", "20260503", "101500")],
        accession="A1",
        study_uid="1.2.3",
    )
    with store.database.transaction() as db:
        return orders.enter_order(db, wanted, by=access.operator("tester"))


@pytest.fixture
def status_of_order(store, order):
    def look():
        with store.database.reading() as db:
            return orders.get_order(db, order.id, by=access.operator("tester")).status.value

    return look


def begun(**overrides):
    ds, link = Dataset(), Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    link.StudyInstanceUID, link.AccessionNumber, link.ScheduledProcedureStepID = "1.2.3", "A1", "S1"
    ds.ScheduledStepAttributesSequence = [link]
    ds.PatientName, ds.PatientID = "Müller^Jörg", "4711"
    ds.PerformedProcedureStepID, ds.PerformedStationAETitle, ds.Modality = "P1", "CT1", "CT"
    ds.PerformedProcedureStepStartDate, ds.PerformedProcedureStepStartTime = "20260503", "101700"
    ds.PerformedProcedureStepStatus, ds.PerformedSeriesSequence = "IN PROGRESS", []
    return changed(ds, overrides)


def ended(status, *sop_uids, **overrides):
    ds, series = Dataset(), Dataset()
    series.SeriesInstanceUID, series.ProtocolName = "1.2.3.1", "lung"
    series.ReferencedImageSequence = Sequence()
    for uid in sop_uids:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, uid
        series.ReferencedImageSequence.append(item)
    ds.PerformedProcedureStepStatus = status
    ds.PerformedProcedureStepEndDate, ds.PerformedProcedureStepEndTime = "20260503", "102500"
    ds.PerformedSeriesSequence = [series]
    return changed(ds, overrides)


def changed(ds, overrides):
    for keyword, value in overrides.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def create(scanner, ds, uid=UID):
    return scanner.send_n_create(ds, PERFORMED_STEP, uid)


def set_(scanner, ds, uid=UID):
    return scanner.send_n_set(ds, PERFORMED_STEP, uid)[0]


def test_a_scanner_begins_and_completes(scanner, status_of_order):
    assert create(scanner, begun())[0].Status == 0x0000
    assert status_of_order() == "started"

    assert set_(scanner, ended("IN PROGRESS")).Status == 0x0000
    assert set_(scanner, ended("COMPLETED", "1.2.3.1.1")).Status == 0x0000
    assert status_of_order() == "completed"


def test_a_scanner_that_names_no_uid_is_told_one(scanner, store, order):
    assert scanner.send_n_create(begun(), PERFORMED_STEP)[0].Status == 0x0000

    with store.database.reading() as db:
        (done,) = orders.performed_of(db, "1.2.3")
    assert orders.is_uid(done.uid)


@pytest.mark.parametrize("last", ["COMPLETED", "DISCONTINUED"])
def test_after_the_end_nothing_changes_any_more(scanner, status_of_order, last):
    create(scanner, begun())
    set_(scanner, ended(last))

    refused = set_(scanner, ended("COMPLETED", "1.2.3.1.9"))

    assert (refused.Status, refused.ErrorID) == (0x0110, 0xA506)
    assert "may no longer be updated" in refused.ErrorComment
    assert status_of_order() == last.lower()


@pytest.mark.parametrize(
    ("overrides", "status"),
    [
        ({"PerformedProcedureStepID": None}, 0x0120),
        ({"ScheduledStepAttributesSequence": None}, 0x0120),
        ({"PerformedStationAETitle": ""}, 0x0121),
        ({"PerformedProcedureStepStatus": "COMPLETED"}, 0x0106),
        ({"PerformedProcedureStepStatus": "DONE"}, 0x0106),
        ({"ScheduledStepAttributesSequence": []}, 0x0121),
    ],
)
def test_a_beginning_that_is_not_whole_is_refused(scanner, status_of_order, overrides, status):
    assert create(scanner, begun(**overrides))[0].Status == status
    assert status_of_order() == "scheduled"


@pytest.mark.parametrize(
    ("overrides", "status"),
    [
        ({"PerformedProcedureStepEndDate": None}, 0x0120),
        ({"PerformedProcedureStepEndTime": ""}, 0x0121),
        ({"PerformedSeriesSequence": []}, 0x0121),
        ({"PerformedProcedureStepStatus": "DONE"}, 0x0106),
    ],
)
def test_an_end_that_is_not_whole_is_refused(scanner, status_of_order, overrides, status):
    create(scanner, begun())

    assert set_(scanner, ended("COMPLETED", **overrides)).Status == status
    assert status_of_order() == "started"


def test_the_same_step_twice_and_a_step_that_nobody_began(scanner, order):
    create(scanner, begun())

    assert create(scanner, begun())[0].Status == 0x0111
    assert set_(scanner, ended("COMPLETED"), uid="1.2.99").Status == 0x0112


def test_what_was_said_can_be_asked_for(scanner, order):
    create(scanner, begun())

    status, said = scanner.send_n_get([0x00100010, 0x00400252], PERFORMED_STEP_RETRIEVE, UID)

    assert status.Status == 0x0000
    assert str(said.PatientName) == "Müller^Jörg"
    assert said.PerformedProcedureStepStatus == "IN PROGRESS"
    assert "PatientID" not in said
    assert scanner.send_n_get([0x00100010], PERFORMED_STEP_RETRIEVE, "1.2.99")[0].Status == 0x0112


def test_when_all_images_are_here_the_study_is_complete_at_once(scanner, store, take, make_slice, order):
    take(make_slice(1), make_slice(2))
    create(scanner, begun())

    set_(scanner, ended("COMPLETED", "1.2.3.1.1", "1.2.3.1.2"))

    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").settled_at is not None


def test_a_study_with_images_missing_goes_on_arriving(scanner, store, take, make_slice, order):
    take(make_slice(1))
    create(scanner, begun())

    set_(scanner, ended("COMPLETED", "1.2.3.1.1", "1.2.3.1.2"))

    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").settled_at is None


@pytest.mark.parametrize(
    "noise",
    [
        b"\x08\x00\x50\x00\xff\xff\xff\x7f",
        b"\x40\x00\x70\x02\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 9999,
    ],
    ids=["a length beyond the end", "nested 9,999 deep"],
)
def test_what_is_no_dataset_is_refused(scanner, order, noise, monkeypatch):
    from pynetdicom import association

    monkeypatch.setattr(association, "encode", lambda *_: noise)

    assert create(scanner, begun())[0].Status == 0x0106


def test_who_may_not_is_told(scanner, status_of_order, monkeypatch):
    nobody = access.Person("ae:CT1", "CT1", "CT1", frozenset({"researcher"}), "main")
    monkeypatch.setattr(_procedures, "person_behind", lambda event: nobody)

    assert create(scanner, begun())[0].Status == 0x0124
    assert status_of_order() == "scheduled"


def test_what_breaks_here_is_answered(scanner, monkeypatch):
    def breaks(*args, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(orders, "begin_step", breaks)

    assert create(scanner, begun())[0].Status == 0x0110
