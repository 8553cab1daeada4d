"""Modality worklist over real associations: pynetdicom and DCMTK ask."""

import shutil
import subprocess

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE

from sightline.kernel.codes import Code
from sightline.record import orders
from sightline.trust import access, audit
from sightline.wire.dimse import _worklist
from sightline.wire.dimse._datasets import build_dataset, choose_charset
from sightline.wire.dimse._worklist import MODALITY_WORKLIST, SERVICES
from tests.wire.dimse.services import serving

YAMADA = "Yamada^Tarou=山田^太郎=やまだ^たろう"


@pytest.fixture
def port(store):
    log = audit.ReadLog(store.database)
    audit.use(log)
    with serving(store, SERVICES) as port:
        yield port
    audit.use(None)


@pytest.fixture
def enter(store):
    """Enter an order with one CT step."""

    def enter(accession="A1", name="Müller^Jörg", **step):
        facts = {"id": "", "modality": "CT", "station_ae": "CT1", "date": "20260503", "time": "101500"}
        wanted = orders.Wanted(
            subject=orders.Subject("4711", name, "HOSPITAL", "19600102", "M"),
            procedure=orders.Procedure("RP1", "CT chest", Code("24627-2", "LN", "CT Chest")),
            steps=[orders.Step(**{**facts, **step})],
            accession=accession,
            indication="Cough",
        )
        with store.database.transaction() as db:
            return orders.enter_order(db, wanted, by=access.operator("tester"))

    return enter


def query(charset=None, **keys):
    """An identifier as scanners send it: step keys within the sequence."""
    ds, step = Dataset(), Dataset()
    if charset:
        ds.SpecificCharacterSet = charset
    for keyword in ("AccessionNumber", "PatientID", "PatientName", "StudyInstanceUID", "PatientBirthDate"):
        setattr(ds, keyword, keys.pop(keyword, ""))
    step.Modality = step.ScheduledStationAETitle = step.ScheduledProcedureStepID = ""
    step.ScheduledProcedureStepStartDate = step.ScheduledProcedureStepStartTime = ""
    for keyword, value in keys.items():
        setattr(step, keyword, value)
    ds.ScheduledProcedureStepSequence = [step]
    return ds


@pytest.fixture
def ask(port):
    """Send a C-FIND; return the statuses and the items."""

    def ask(identifier, cancel_after=None):
        ae = AE("CT1")
        ae.add_requested_context(MODALITY_WORKLIST)
        association = ae.associate("127.0.0.1", port)
        assert association.is_established
        statuses, items = [], []
        for status, item in association.send_c_find(identifier, MODALITY_WORKLIST, msg_id=7):
            statuses.append(status.Status)
            if item is not None:
                items.append(item)
            if cancel_after is not None and len(items) == cancel_after:
                association.send_c_cancel(7, query_model=MODALITY_WORKLIST)
        association.release()
        return statuses, items

    return ask


def test_a_scanner_finds_what_it_is_to_do(ask, enter):
    order = enter()

    statuses, items = ask(query(ScheduledStationAETitle="CT1", ScheduledProcedureStepStartDate="20260503"))

    assert statuses == [0xFF00, 0x0000]
    item = items[0]
    assert (item.AccessionNumber, item.PatientID, item.PatientName) == ("A1", "4711", "Müller^Jörg")
    assert item.StudyInstanceUID == order.study_uid
    step = item.ScheduledProcedureStepSequence[0]
    assert (step.Modality, step.ScheduledProcedureStepID) == ("CT", order.steps[0].id)
    assert (step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime) == (
        "20260503",
        "101500",
    )


def test_no_match_is_success_without_items(ask, enter):
    enter()

    assert ask(query(ScheduledStationAETitle="MR1")) == ([0x0000], [])


def test_a_key_that_is_not_supported_is_told_with_each_item(ask, enter):
    enter()
    identifier = query()
    identifier.add_new(0x00091001, "LO", "")

    assert ask(identifier)[0] == [0xFF01, 0x0000]


@pytest.mark.parametrize(
    ("name", "asked_in", "answered_in"),
    [
        ("Doe^Jane", None, None),
        ("Müller^Jörg", None, "ISO_IR 100"),
        ("Müller^Jörg", "ISO_IR 192", "ISO_IR 192"),
        (YAMADA, None, "ISO_IR 192"),
        (YAMADA, "ISO_IR 100", "ISO_IR 192"),
        (YAMADA, ["", "ISO 2022 IR 87"], ["", "ISO 2022 IR 87"]),
        ("Müller^Jörg", "ISO_IR 999", "ISO_IR 100"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_names_come_whole_in_a_character_set_the_scanner_knows(ask, enter, name, asked_in, answered_in):
    enter(name=name)

    (item,) = ask(query(charset=asked_in))[1]

    assert item.get("SpecificCharacterSet") == answered_in
    assert str(item.PatientName) == name


def test_a_name_is_asked_for_in_the_character_set_of_the_query(ask, enter):
    enter()
    enter(accession="A2", name="Mueller^Jo")

    assert len(ask(query(charset="ISO_IR 100", PatientName="MÜLLER*"))[1]) == 1


def test_a_scanner_may_stop_the_answers(ask, enter, monkeypatch):
    import time

    real = _worklist.encode_attributes

    def slowly(*args, **options):
        time.sleep(0.05)
        return real(*args, **options)

    monkeypatch.setattr(_worklist, "encode_attributes", slowly)
    for n in range(20):
        enter(accession=f"A{n}")

    statuses, items = ask(query(), cancel_after=2)

    assert statuses[-1] == 0xFE00
    assert len(items) < 20


@pytest.mark.parametrize(
    "identifier",
    [
        b"\x08\x00\x50\x00\xff\xff\xff\x7f",
        b"\x10\x00\x20\x00" + b"\x00" * 3,
        bytes(1 << 21),
        # A sequence within a sequence within a sequence …
        b"\x40\x00\x00\x01\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 20_000,
    ],
    ids=["length beyond the end", "cut off", "too long", "nested 20,000 deep"],
)
def test_what_is_no_identifier_is_refused_and_the_port_stays_open(port, ask, enter, identifier):
    from io import BytesIO

    from pynetdicom.dimse_primitives import C_FIND

    enter()
    ae = AE("CT1")
    ae.add_requested_context(MODALITY_WORKLIST)
    association = ae.associate("127.0.0.1", port)
    request = C_FIND()
    request.MessageID, request.AffectedSOPClassUID, request.Priority = 1, MODALITY_WORKLIST, 2
    request.Identifier = BytesIO(identifier)
    association._reactor_checkpoint.clear()
    association.dimse.send_msg(request, association.accepted_contexts[0].context_id)
    _, answer = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    association.abort()

    assert answer.Status == 0xA900
    assert ask(query())[0] == [0xFF00, 0x0000]


def test_who_may_not_read_orders_is_told(ask, enter, monkeypatch):
    enter()
    nobody = access.Person("ae:CT1", "CT1", "CT1", frozenset({"researcher"}), "main")
    monkeypatch.setattr(_worklist, "person_behind", lambda event: nobody)

    assert ask(query())[0] == [0x0124]


def test_what_breaks_here_is_answered(ask, monkeypatch):
    def breaks(*args, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(orders, "find_worklist", breaks)

    assert ask(query())[0] == [0xC000]


@pytest.mark.skipif(shutil.which("findscu") is None, reason="DCMTK is not installed")
def test_dcmtk_asks_and_understands(port, enter, tmp_path):
    order = enter(name=YAMADA)
    keys = (
        "PatientName=yamada*", "PatientID", "StudyInstanceUID", "AccessionNumber",
        "ScheduledProcedureStepSequence[0].ScheduledStationAETitle=CT1",
        "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate=20260501-20260531",
        "ScheduledProcedureStepSequence[0].Modality=CT",
        "ScheduledProcedureStepSequence[0].ScheduledProcedureStepID",
    )  # fmt: skip
    arguments = [part for key in keys for part in ("-k", key)]

    done = subprocess.run(
        ["findscu", "-W", "-X", "-od", tmp_path, "127.0.0.1", str(port), *arguments],
        timeout=30, check=False, capture_output=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("rsp*.dcm")
    item = dcmread(path, force=True)
    assert item.StudyInstanceUID == order.study_uid
    assert item.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID == order.steps[0].id
    assert str(item.PatientName) == YAMADA


def test_a_character_set_is_chosen_that_holds_every_text():
    sets = (
        "",
        "ISO_IR 100",
        "ISO_IR 144",
        "ISO_IR 192",
        "GB18030",
        "\\ISO 2022 IR 87",
        "no such set",
        "\\" * 50,
    )
    for asked_in in sets:
        for text in ("", "Doe", "Müller", "Иванов", "山田", "🙂"):
            build_dataset({"00100010": {"vr": "PN", "Value": [{"Alphabetic": text}]}}, asked_in=asked_in)
            assert choose_charset([text], asked_in) in {*sets, "ISO_IR 192"}
