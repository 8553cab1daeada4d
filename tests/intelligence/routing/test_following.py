"""What may be compared with what, and which points are points."""

import pytest

from sightline.intelligence.routing._following import NoPrior, NotComparable, change_of, find_pair, map_points
from sightline.intelligence.routing.commands import UnusablePoints, read_points
from tests.care.clinic import FIRST, SECOND


@pytest.fixture
def two_studies(receive):
    receive("1.1", FIRST)
    receive("1.2", SECOND)


def test_the_best_prior_is_taken_unless_one_is_named(db, two_studies):
    pair = find_pair(db, "1.2")

    assert (pair.prior_uid, pair.days) == ("1.1", 182)
    assert "days earlier" in pair.why
    assert find_pair(db, "1.2", "1.1").prior_uid == "1.1"


def test_a_first_study_has_no_prior(db, two_studies):
    with pytest.raises(NoPrior):
        find_pair(db, "1.1")


@pytest.mark.parametrize(
    ("study", "prior", "why"), [("1.1", "1.2", "not before"), ("1.1", "1.1", "not its own prior")]
)
def test_time_does_not_go_backwards(db, two_studies, study, prior, why):
    with pytest.raises(NotComparable, match=why):
        find_pair(db, study, prior)


def test_of_one_day_without_a_time_neither_is_the_prior(db, receive):
    receive("1.1", FIRST, StudyTime="")
    receive("1.2", FIRST)

    with pytest.raises(NotComparable, match="of 2025-01-03, one without a time, so neither is the earlier"):
        find_pair(db, "1.2", "1.1")


def test_two_patients_are_not_compared(db, receive):
    receive("1.1", FIRST, PatientID="P1")
    receive("1.2", SECOND, PatientID="P2")

    with pytest.raises(NotComparable, match="different patients"):
        find_pair(db, "1.2", "1.1")


def test_what_cannot_be_compared_is_said_and_no_change_is_made_up(store, two_studies, radiologist):
    change = change_of(store, "1.1", by=radiologist)

    assert (change.prior, change.verdict, change.lesions) == (None, "failed", ())
    assert "No earlier CT study" in change.why
    with pytest.raises(NotComparable):
        map_points(store, "1.1", "1.2", [(0, 0, 0)], by=radiologist)


def test_points_are_read_from_a_table(tmp_path):
    file = tmp_path / "points.csv"
    file.write_text("x,y,z\n1,2.5,-3\n\n4,5,6\n")

    assert read_points(file) == [(1, 2.5, -3), (4, 5, 6)]


@pytest.mark.parametrize(
    "text", ["", "x,y\n1,2\n", "x,y,z\n", "x,y,z\n1,2\n", "x,y,z\n1,2,nan\n", "x,y,z\na,b,c\n", "1,2,3\n"]
)
def test_what_is_no_table_of_points_is_refused(tmp_path, text):
    file = tmp_path / "points.csv"
    file.write_text(text)

    with pytest.raises(UnusablePoints):
        read_points(file)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UnusablePoints, match=r"none\.csv"):
        read_points(tmp_path / "none.csv")
