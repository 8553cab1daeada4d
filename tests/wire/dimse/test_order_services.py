"""Worklist, performed steps and commitment through the port itself, as one scanner uses them in a row."""

import threading
import time

import pytest
from pydicom import Dataset
from pynetdicom import AE, evt

from sightline.record import orders
from sightline.runtime.settings import ServerSettings
from sightline.trust import access, audit
from sightline.wire import dimse
from sightline.wire.dimse import _store as table
from sightline.wire.dimse._seeking import STORAGE_COMMITMENT, WELL_KNOWN
from tests.wire.dimse.test_procedures import begun, ended
from tests.wire.dimse.test_worklist import query

WORKLIST = "1.2.840.10008.5.1.4.31"
PERFORMED = "1.2.840.10008.3.1.2.3.3"
CT = "1.2.840.10008.5.1.4.1.1.2"


def is_ended(store):
    with store.database.reading() as db:
        found = table.get(db, table.Key("given", "1.2.840.5", "CT1"))
    return found is not None and found.state == "ended"


@pytest.fixture
def port(store):
    audit.use(audit.ReadLog(store.database))
    listener = dimse.Listener(store, ServerSettings(dicom_port=0))
    listener.start()
    yield listener.port
    listener.stop()
    audit.use(None)


def test_a_scanner_goes_from_its_worklist_to_safe_images_on_one_association(port, store, take, make_slice):
    wanted = orders.Wanted(
        subject=orders.Subject("4711", "Müller^Jörg"),
        procedure=orders.Procedure("RP1", "CT chest"),
        steps=[orders.Step("S1", "CT", "CT1", "20260503", "101500")],
        study_uid="1.2.3",
    )
    with store.database.transaction() as db:
        order = orders.enter_order(db, wanted, by=access.operator("tester"))
    told, came = [], threading.Event()

    def take_answer(event):
        told.append((event.request.EventTypeID, event.event_information))
        came.set()
        return 0x0000, None

    ae = AE("CT1")
    for sop_class in (WORKLIST, PERFORMED, STORAGE_COMMITMENT):
        ae.add_requested_context(sop_class)
    association = ae.associate("127.0.0.1", port, evt_handlers=[(evt.EVT_N_EVENT_REPORT, take_answer)])
    assert association.is_established

    items = [item for _, item in association.send_c_find(query(), WORKLIST) if item]
    assert [item.StudyInstanceUID for item in items] == ["1.2.3"]
    assert association.send_n_create(begun(), PERFORMED, "1.2.840.4")[0].Status == 0x0000
    assert [s.Status for s, _ in association.send_c_find(query(), WORKLIST)] == [0x0000]
    take(make_slice(1))
    assert association.send_n_set(ended("COMPLETED", "1.2.3.1.1"), PERFORMED, "1.2.840.4")[0].Status == 0x0000
    request, item = Dataset(), Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, "1.2.3.1.1"
    request.TransactionUID, request.ReferencedSOPSequence = "1.2.840.5", [item]
    assert association.send_n_action(request, 1, STORAGE_COMMITMENT, WELL_KNOWN)[0].Status == 0x0000
    assert came.wait(10)
    until = time.monotonic() + 5
    while not is_ended(store) and time.monotonic() < until:  # our answer must go out before we hang up
        time.sleep(0.02)
    association.release()

    assert [kind for kind, _ in told] == [1]
    with store.database.reading() as db:
        held = orders.get_order(db, order.id, by=access.operator("tester"))
    assert (held.status, held.performed[0].images) == (orders.Status.COMPLETED, 1)
