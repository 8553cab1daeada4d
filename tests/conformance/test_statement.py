"""Each line of the conformance statement is true of a running listener, or of the code that answers."""

import re
from pathlib import Path

import pytest
from pynetdicom import AE, build_context

from sightline.record import archive
from sightline.runtime.settings import ServerSettings
from sightline.wire import dimse
from tests.wire.conftest import database
from tools.conformance import STATUSES

__all__ = ["database"]

SOURCES = Path(dimse.__file__).parent
# Storage has its 167 lines tested where they are printed: a listener accepted each of them.
ASKED = [
    (service.name, uid)
    for service in dimse.SERVICES
    if service.role == "scp" and service.right != "store"
    for uid in service.sop_classes
]


@pytest.fixture
def listener(store: archive.Store):
    settings = ServerSettings(host="127.0.0.1", dicom_port=0)
    listening = dimse.Listener(store, settings)
    listening.start()
    yield listening
    listening.stop()


def test_every_service_of_the_statement_is_accepted(listener):
    contexts = [build_context(uid) for _, uid in ASKED]

    association = AE().associate("127.0.0.1", listener.port, contexts=contexts)
    accepted = {str(context.abstract_syntax) for context in association.accepted_contexts}
    association.release()

    assert {uid for _, uid in ASKED} - accepted == set()


def test_every_right_of_a_service_has_its_statuses():
    assert {service.right for service in dimse.SERVICES} == set(STATUSES)


def test_every_status_of_the_statement_is_one_that_the_code_can_answer():
    written = {
        int(code, 16)
        for path in SOURCES.glob("*.py")
        for code in re.findall(r"0x([0-9A-F]{4})\b", path.read_text())
    }

    assert {code for codes in STATUSES.values() for code, _ in codes} - written == set()
