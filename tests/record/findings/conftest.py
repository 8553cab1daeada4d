"""People, and findings as a model or a person would give them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sightline.kernel.quantities import Quantity
from sightline.record import findings
from sightline.runtime.db import Database, Db
from sightline.trust import access
from tests.care.clinic import database, shared_postgresql

__all__ = ["database", "shared_postgresql"]

STUDY = "1.2.3"
PATIENT = "ada1"


@pytest.fixture
def db(database: Database) -> Iterator[Db]:
    """One transaction: what a use case does within it is seen at once."""
    with database.transaction() as db:
        yield db


@pytest.fixture
def radiologist() -> access.Person:
    return access.Person("p1", "Dr Ada Adams", "adams", frozenset({"radiologist"}), "main")


@pytest.fixture
def technologist() -> access.Person:
    return access.Person("p2", "Tom Technologist", "tom", frozenset({"technologist"}), "main")


@pytest.fixture
def nodule() -> Callable[..., findings.Found]:
    """A nodule as it is found: 10 by 8 mm, 400 mm3, unless told otherwise."""

    def make(**overrides: Any) -> findings.Found:
        point = (-40.0, 10.0, -120.0)
        method = "made up for a test"
        facts: dict[str, Any] = {
            "kind": "lung-nodule",
            "label": "right lung, upper third, nodule",
            "series_uid": "1.2.3.1",
            "sop_uid": "1.2.3.1.7",
            "frame_of_reference_uid": "1.2.3.9",
            "centre_lps_mm": point,
            "values": {
                "volume": Quantity(400.0, "mm3", method, 350.0, 460.0),
                "long_axis": Quantity(10.0, "mm", method),
                "short_axis": Quantity(8.0, "mm", method),
                "mean_hu": Quantity(-20.0, "[hnsf'U]", method),
            },
            "outline": findings.Outline((("1.2.3.1.7", -120.0, ((point, point, point),)),), (point, point)),
            "why": "round and denser than lung",
            "laterality": "R",
            "score": 0.9,
        }
        return findings.Found(**{**facts, **overrides})

    return make


@pytest.fixture
def model() -> Callable[..., findings.Source]:
    """The nodule model; each run has its name."""

    def run(name: str = "run-1", version: str = "1.0.0") -> findings.Source:
        return findings.Source(findings.SourceKind.MODEL, "chest-ct-nodules", version, name, "aa", "bb")

    return run


@pytest.fixture
def propose(db: Db, nodule: Any, model: Any) -> Callable[..., list[findings.Finding]]:
    """Have a run of the model propose some nodules in a study."""

    def propose(
        count: int = 1, *, run: str = "run-1", study: str = STUDY, patient: str = PATIENT
    ) -> list[findings.Finding]:
        found = [nodule() for _ in range(count)]
        return findings.propose_findings(db, study, patient, model(run), found, by=access.SYSTEM)

    return propose


@pytest.fixture
def proposed(propose: Any) -> findings.Finding:
    """One finding on which nobody has decided yet."""
    return propose()[0]
