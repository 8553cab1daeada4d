"""An alignment that breaks on our side says nothing of the images: it is tried again, and never kept."""

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from sightline.intelligence import routing
from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing import _mapping as mapping
from sightline.intelligence.routing import jobs as chain
from sightline.intelligence.routing._following import find_pair
from sightline.intelligence.routing.commands import commands
from sightline.record import timeline
from sightline.runtime import jobs
from sightline.runtime.processes import ChildFailed
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND
from tests.intelligence.routing.test_chain import worker

__all__ = ["worker"]


@pytest.fixture
def database(sqlite):
    """What breaks does not depend on the kind of database."""
    return sqlite


@pytest.fixture
def killed(receive, store, database, monkeypatch):
    """Two analysed studies, whose alignment is killed; return how often it was begun."""
    for study, date in (("1.1", FIRST), ("1.2", SECOND)):
        receive(study, date)
        with database.transaction() as db:
            routing.request_analysis(db, study, by=access.SYSTEM)
    begun = []

    def kill(work, *_, **__):
        begun.append(work)
        raise ChildFailed("the process of align_folders ended without a result (crash or out of memory).")

    monkeypatch.setattr(comparing.processes, "run_capped", kill)
    return begun


def comparison(database):
    with database.reading() as db:
        return timeline.comparison_of(db, "1.2")


def test_a_comparison_that_breaks_is_put_off_and_keeps_no_verdict(killed, database, worker):
    worker.start()
    worker.drain(timeout_s=60)

    assert len(killed) == 2, "once after each of the two analyses"
    assert comparison(database) is None
    assert jobs.open_queue(database).counts() == {"waiting": 2, "running": 0, "failed": 0}


def test_it_is_tried_a_few_times_and_then_fails_for_an_operator_to_see(killed, database, worker, monkeypatch):
    monkeypatch.setattr(chain, "AGAIN_AFTER_S", (0, 0))
    worker.start()
    worker.drain(timeout_s=60)

    assert len(killed) == 2 * 3
    assert comparison(database) is None
    assert jobs.open_queue(database).counts() == {"waiting": 0, "running": 0, "failed": 2}


def test_the_command_says_what_broke_and_states_no_change(killed, store):
    here = SimpleNamespace(store=store, operator=access.operator("tester"))

    answer = CliRunner().invoke(commands, ["change", "1.2", "--json"], obj=here)

    assert isinstance(answer.exception, ChildFailed)  # one line on standard error and status 1
    assert answer.output == ""


def test_a_map_that_breaks_for_want_of_an_alignment_can_be_asked_for_again(
    killed, store, database, radiologist, clinic, db
):
    clinic.compare("1.2", "1.1")
    db.commit()
    mapping.request_map(store, "1.2", by=radiologist)
    mapping.make_map(store, "1.2", "2026-01-02T03:04:05+00:00")

    with database.reading() as reading:
        assert mapping.map_state(store, reading, "1.2", by=radiologist).status == "failed"
        assert find_pair(reading, "1.2").prior_uid == "1.1"
    assert mapping.request_map(store, "1.2", by=radiologist).status == "waiting"
