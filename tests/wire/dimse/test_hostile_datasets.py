"""Mutated messages are read, or refused with a reason; nothing else comes out of them."""

import random
from io import BytesIO

import pytest
from pynetdicom.dsutils import encode

from sightline.record.orders import UnusableStep, _performing, _worklist
from sightline.record.orders import _model as model
from sightline.record.orders._matching import matches, unsupported, wanted_of
from sightline.wire.dimse._availability import _announced
from sightline.wire.dimse._datasets import BadAttribute, NotReadable, build_dataset, charset_of, read_message
from sightline.wire.dimse._references import failures_at, references_at
from tests.wire.dimse.test_availability import notice
from tests.wire.dimse.test_commitment import wanted
from tests.wire.dimse.test_procedures import begun, ended
from tests.wire.dimse.test_worklist import query

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
SEED, CASES = 20260503, 400
ITEM = _worklist.build_item(
    model.Order(
        "1", "A1", "", model.Subject("4711", "Müller^Jörg=山田"), model.Procedure("RP1", "CT"), "1.2.3", ()
    ),
    model.Step("S1", "CT", "CT1", "20260503", "101500"),
)


def find(attributes):
    matches(attributes, ITEM)
    unsupported(attributes, ITEM)
    _worklist._narrow(attributes)
    build_dataset(wanted_of(attributes, ITEM), asked_in="ISO_IR 100")


def begin(attributes):
    _performing.check_begun(attributes)
    _performing.summary_of("1.2", attributes)


def end(attributes):
    _performing.check_changed(attributes)
    _performing.references_of(attributes)
    _performing.is_mistaken(attributes)


def commit(attributes):
    list(references_at(attributes, "00081199"))
    list(failures_at(attributes))


WORK = {
    "worklist": (query("ISO_IR 100", PatientName="M*", ScheduledProcedureStepStartDate="20260501-"), find),
    "begin": (begun(), begin),
    "end": (ended("COMPLETED", "1.2.3.1.1"), end),
    "commitment": (wanted(("1.2.840.10008.5.1.4.1.1.2", "1.2.3")), commit),
    "availability": (notice("1.2.3.1.1"), _announced),
}


def mutated(data, chance):
    """Change, drop, double or insert some bytes."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(out) or 1)
        match chance.randrange(4):
            case 0 if out:
                out[at % len(out)] = chance.choice([0, 1, 0x5C, 0x7F, 0xFE, 0xFF, chance.randrange(256)])
            case 1:
                del out[at : at + chance.randint(1, 12)]
            case 2:
                out[at:at] = out[at : at + chance.randint(1, 40)]
            case 3:
                out[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
    return bytes(out)


@pytest.mark.parametrize("name", WORK)
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.filterwarnings("ignore")
def test_a_mutated_message_is_read_or_refused(name, syntax):
    ds, work = WORK[name]
    data = encode(ds, syntax == IMPLICIT, True)
    chance = random.Random(f"{SEED}{name}{syntax}")
    for _ in range(CASES):
        broken = BytesIO(mutated(data, chance))
        charset_of(broken, syntax)
        try:
            work(read_message(broken, syntax))
        except (NotReadable, BadAttribute, UnusableStep):
            continue


@pytest.mark.parametrize("charset", [b"zip ", b"hex ", b"IS\0O", b"\\\\\\\\"])
def test_a_character_set_that_is_none_breaks_nothing(charset):
    name = bytes([0x10, 0, 0x10, 0]) + b"PN" + bytes([4, 0]) + b"a^b "
    stated = bytes([8, 0, 5, 0]) + b"CS" + bytes([len(charset), 0]) + charset

    attributes = read_message(BytesIO(stated + name), EXPLICIT)

    assert attributes["00100010"]["Value"] == [{"Alphabetic": "a^b"}]
