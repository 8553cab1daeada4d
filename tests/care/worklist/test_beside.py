"""A prior that comes or goes changes what the row of the study beside it says."""

from types import SimpleNamespace

import pytest

from sightline.care import worklist
from sightline.care.worklist import jobs
from sightline.record import archive
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND


@pytest.fixture
def place(database):
    """Return a function that does what the job does."""
    run = SimpleNamespace(database=database, step=lambda _name, work: work())
    return lambda study, **facts: jobs.place.work(run, study, **facts)


def row(database, study="1.2"):
    with database.reading() as db:
        return worklist.get_entry(db, study)


def test_a_prior_of_another_modality_that_was_fetched_stands_in_the_row_and_leaves_it_again(
    receive, database, place
):
    receive("1.2", SECOND)
    place("1.2")
    assert row(database).prior_count == 0

    receive("1.1", FIRST, Modality="MR")
    place("1.1", history="retrieved")

    assert (row(database).prior_count, row(database).prior_date) == (1, FIRST)
    with database.transaction() as db:
        archive.trash_study(db, "1.1", reason="a test", by=access.operator("tester"), trash_days=30)
    place("1.1", kind="trashed")
    assert (row(database).prior_count, row(database).prior_date) == (0, None)


def test_two_studies_that_are_both_to_be_read_leave_each_other_to_their_comparison(receive, database, place):
    for study, date in (("1.1", FIRST), ("1.2", SECOND)):
        receive(study, date)
        place(study)

    with database.reading() as db:
        assert worklist._store.open_beside(db, "1.1") == []
