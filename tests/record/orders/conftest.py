"""People, and orders as they are entered."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sightline.kernel.codes import Code
from sightline.record import archive, orders
from sightline.runtime.db import Database, Db
from sightline.trust import access, audit


@pytest.fixture
def db(database: Database, reads: audit.ReadLog) -> Iterator[Db]:
    """One transaction: what a use case does within it is seen at once."""
    with database.transaction() as db:
        yield db


@pytest.fixture
def reads(database: Database) -> Iterator[audit.ReadLog]:
    log = audit.ReadLog(database)
    audit.use(log)
    yield log
    audit.use(None)


@pytest.fixture
def technologist() -> access.Person:
    return access.Person("p2", "Tom Technologist", "tom", frozenset({"technologist"}), "main")


@pytest.fixture
def referrer() -> access.Person:
    return access.Person("p4", "Rita Referrer", "rita", frozenset({"referrer"}), "main")


@pytest.fixture
def modality() -> access.Person:
    """The scanner, as the wire admits it."""
    return access.Person("ae:CT1", "CT1", "CT1", frozenset({"service"}), access.EVERY_SITE, "operations")


def step(**overrides: Any) -> orders.Step:
    facts: dict[str, Any] = {
        "id": "",
        "modality": "CT",
        "station_ae": "CT1",
        "date": "20260503",
        "time": "101500",
        "description": "CT chest without contrast",
        "protocol": Code("CTCHEST", "99LOCAL", "CT chest"),
    }
    return orders.Step(**{**facts, **overrides})


def wanted(*steps: orders.Step, **overrides: Any) -> orders.Wanted:
    facts: dict[str, Any] = {
        "subject": orders.Subject("4711", "Müller^Jörg", "HOSPITAL", "19600102", "M"),
        "procedure": orders.Procedure("RP1", "CT chest", Code("24627-2", "LN", "CT Chest")),
        "steps": steps or (step(),),
        "accession": "A1",
        "referring": "Byron^George",
        "indication": "Cough for six weeks; nodule on radiograph",
    }
    return orders.Wanted(**{**facts, **overrides})


@pytest.fixture
def enter(database: Database, technologist: access.Person) -> Callable[..., orders.Order]:
    """Enter an order in a transaction of its own."""

    def enter(*steps: orders.Step, **overrides: Any) -> orders.Order:
        with database.transaction() as db:
            return orders.enter_order(db, wanted(*steps, **overrides), by=technologist)

    return enter


@pytest.fixture
def expected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What the archive was told to expect."""
    told: list[tuple[str, dict[str, Any]]] = []
    real = archive.expect

    def expect(db: Db, study_uid: str, **facts: Any) -> Any:
        told.append((study_uid, facts))
        return real(db, study_uid, **facts)

    monkeypatch.setattr(archive, "expect", expect)
    return told
