"""Another archive to send to and to take over from."""

import pytest

from sightline.trust import access
from sightline.wire import transfers
from tests.orthanc import orthanc  # noqa: F401

OPERATOR = access.operator("tester")


@pytest.fixture
def settings():
    return transfers.TransferSettings(attempts=2, retry_s=0.01, timeout_s=10)


@pytest.fixture
def run(store, settings):
    """Ask for a transfer and make attempts at it until it has ended."""

    def run(kind, peer, studies=(), **options):
        with store.database.transaction() as db:
            started = transfers.start_transfers(db, kind, peer, studies, by=OPERATOR, **options)
        ended = [transfers.run_transfer(store, one.id, settings) for one in started]
        return ended[0] if len(ended) == 1 else ended

    return run
