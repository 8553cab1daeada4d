"""Asking for an analysis: once per model version and set of images."""

import pytest
from sqlalchemy import text

from sightline.intelligence import routing
from sightline.intelligence.routing import AnalysisState, _store
from sightline.runtime import jobs
from sightline.trust import access, audit


def waiting(database) -> int:
    return jobs.open_queue(database).counts()["waiting"]


def test_a_matching_study_waits_for_its_model_and_the_audit_binds_the_run(receive, database, radiologist):
    receive("1.2", slices=20)
    with database.transaction() as db:
        asked = routing.request_analysis(db, "1.2", by=radiologist)

    assert (asked.state, asked.model, asked.series_uid) == (
        AnalysisState.WAITING,
        "chest-ct-nodules",
        "1.2.1",
    )
    assert waiting(database) == 1
    with database.reading() as db:
        [entry] = audit.trail(db, on="1.2")[:1]
        assert routing.analysis_of(db, "1.2") == asked
    assert (entry.act, entry.by, entry.facts["run"]) == ("analysis.request", "p1", asked.run)
    assert len(entry.facts["inputs_sha256"]) == 64


def test_asking_again_while_it_waits_starts_nothing_more(receive, database, radiologist):
    receive("1.2", slices=20)
    for again in (False, False, True):
        with database.transaction() as db:
            routing.request_analysis(db, "1.2", by=radiologist, again=again)

    assert waiting(database) == 1
    with database.reading() as db:
        assert [e.act for e in audit.trail(db, on="1.2")].count("analysis.request") == 1


def ended(db, analysis, state=AnalysisState.FAILED):
    from dataclasses import replace

    _store.put(db, replace(analysis, state=state))


def test_what_has_ended_runs_again_only_when_a_person_says_so(receive, database, radiologist):
    receive("1.2", slices=20)
    with database.transaction() as db:
        ended(db, routing.request_analysis(db, "1.2", by=radiologist))
        held = routing.request_analysis(db, "1.2", by=access.SYSTEM)
    assert held.state is AnalysisState.FAILED
    assert waiting(database) == 1

    with database.transaction() as db:
        again = routing.request_analysis(db, "1.2", by=radiologist, again=True)
    assert again.state is AnalysisState.WAITING
    assert waiting(database) == 2


def test_images_that_came_later_make_another_run(receive, database):
    receive("1.2", slices=20)
    with database.transaction() as db:
        first = routing.request_analysis(db, "1.2", by=access.SYSTEM)
        ended(db, first, AnalysisState.DONE)
    receive("1.2", slices=22)
    with database.transaction() as db:
        second = routing.request_analysis(db, "1.2", by=access.SYSTEM)

    assert second.state is AnalysisState.WAITING
    assert second.run != first.run
    assert waiting(database) == 2


def test_a_run_whose_job_ended_long_ago_is_truly_started_anew(receive, database):
    """As after a model was rolled back: the row names another run, the old job's key is known."""
    from dataclasses import replace

    receive("1.2", slices=20)
    with database.transaction() as db:
        first = routing.request_analysis(db, "1.2", by=access.SYSTEM)
        _store.put(db, replace(first, state=AnalysisState.DONE, run="that of another version"))
        routing.request_analysis(db, "1.2", by=access.SYSTEM)

    assert waiting(database) == 2


def test_a_study_no_rule_matches_says_so_and_is_placed(receive, db):
    receive("1.2", slices=3)

    none = routing.request_analysis(db, "1.2", by=access.SYSTEM)

    assert (none.state, none.text) == (AnalysisState.NONE, "no model for this kind of study")
    assert routing.analysis_of(db, "1.2").text == none.text
    assert db.scalar(text("select count(*) from events where name = 'StudyAnalysed'")) == 1


def test_the_note_that_no_model_fits_gives_way_when_more_images_make_one_fit(receive, db):
    receive("1.2", slices=3)
    routing.request_analysis(db, "1.2", by=access.SYSTEM)
    db.commit()
    receive("1.2", slices=20)

    asked = routing.request_analysis(db, "1.2", by=access.SYSTEM)

    assert routing.analyses_of(db, "1.2") == [asked]


def test_before_anything_was_asked_the_images_are_still_arriving(receive, db):
    receive("1.2", slices=3)

    assert routing.analysis_of(db, "1.2").text == "not analysed yet"


def test_a_referrer_may_not_start_an_analysis_and_leaves_no_trace(receive, db):
    receive("1.2", slices=20)
    referrer = access.Person("r", "R", "r", frozenset({"referrer"}), "main")

    with pytest.raises(access.NotAllowed):
        routing.request_analysis(db, "1.2", by=referrer)

    assert routing.analyses_of(db, "1.2") == []
    assert [e.act for e in audit.trail(db, on="1.2")] == ["archive.store"]


def test_the_analysed_series_is_the_one_to_show_and_derived_objects_are_never_images(receive, db):
    receive("1.2", slices=20)
    receive("1.2", series="1.2.5", slices=25, SeriesDescription="derived MPR")
    receive("1.2", series="1.2.6", slices=30, Modality="SEG")

    assert [s.uid for s in routing.find_image_series(db, "1.2")] == ["1.2.1", "1.2.5"]
    assert routing.main_series(db, "1.2") == "1.2.1"
    routing.request_analysis(db, "1.2", by=access.SYSTEM)
    assert routing.main_series(db, "1.2") == "1.2.1"


def test_a_study_without_images_has_no_series_to_show(receive, db):
    receive("1.2", slices=1, Modality="SEG")

    assert routing.main_series(db, "1.2") is None


def test_a_planning_scan_is_its_ct_and_images_of_a_treatment_alone_are_shown(receive, db):
    receive("1.2", slices=3)
    receive("1.2", series="1.2.5", slices=5, Modality="RTDOSE")
    receive("1.2", series="1.2.6", slices=6, Modality="RTIMAGE")
    receive("1.3", slices=2, Modality="RTIMAGE")

    assert [s.uid for s in routing.find_image_series(db, "1.2")] == ["1.2.1"]
    assert routing.main_series(db, "1.3") == "1.3.1"
