"""A reader who takes objects in and asks for them."""

import pytest

from sightline.record import archive
from sightline.trust import access


@pytest.fixture
def database(sqlite):
    """What is read here does not depend on the kind of database."""
    return sqlite


@pytest.fixture
def reader(log_in):
    return log_in("radiologist")


@pytest.fixture
def put(store):
    """Take one object in."""

    def put(data: bytes) -> None:
        source = archive.Source("import", "test", access.operator("tester"))
        [outcome] = archive.take_in(store, [archive.Incoming("an object", data)], source)
        assert outcome.status == "stored", outcome.reason

    return put
