"""A trail with a few entries, sealed on the way."""

import pytest
from sqlalchemy import text

from sightline.runtime.db import Database
from sightline.trust import access, audit

audit.declare("test.write", "A test wrote something")
audit.declare("test.read", "A test read something")

ADA = access.Person("p-ada", "Ada Lovelace", "ada", frozenset({"radiologist"}), "north")
BEN = access.Person("p-ben", "Ben Bova", "ben", frozenset({"radiologist"}), "north")


def write(database: Database, count: int, *, by: access.Person = ADA, on: str = "study-1") -> None:
    for number in range(count):
        with database.transaction() as db:
            audit.record(db, "test.write", by=by, on=on, number=number)


def tamper(database: Database, statement: str, **values: object) -> None:
    """Do what someone with the database password could do."""
    with database.transaction() as db:
        db.execute(text(statement), values)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def seal(database, folder):
    return audit.Seal(database, folder)


@pytest.fixture
def sealed(database, seal):
    """Twelve entries; signed at four, eight and twelve."""
    for _ in range(3):
        write(database, 4)
        seal.sign()
    return seal
