"""The durable chain from a settled study to its place on the list, run by a real worker."""

import pytest

from sightline.care import worklist
from sightline.intelligence import routing
from sightline.intelligence.routing import AnalysisState
from sightline.intelligence.routing import jobs as chain
from sightline.record import archive, findings, timeline, upkeep
from sightline.runtime import jobs
from sightline.trust import access, audit
from sightline.wire import priors
from tests.care.clinic import FIRST, SECOND, THIRD


@pytest.fixture
def worker(store, database, tmp_path):
    """A worker in this process, not yet started."""
    lock = tmp_path / "worker.lock"
    settings = {"upkeep_settings": upkeep.UpkeepSettings(), "prior_settings": priors.PriorSettings()}
    worker = jobs.Worker(database, lock=lock, store=store, **settings)
    yield worker
    worker.stop()


def test_a_study_without_lungs_is_refused_with_the_models_words_and_placed(worker, receive, database):
    receive("1.1", FIRST, slices=3, Modality="MR")  # no rule, and nothing to compare a CT with
    receive("1.2", SECOND, slices=24)
    with database.transaction() as db:
        archive.settle_now(db, ["1.1", "1.2"])

    worker.start()
    worker.drain(timeout_s=120)

    with database.reading() as db:
        analysis = routing.analysis_of(db, "1.2")
        rows = {row.study_uid: row for row in worklist.find_entries(
            db, worklist.ListQuery(), by=access.operator("t")).entries}  # fmt: skip
        acts = [entry.act for entry in audit.trail(db, on="1.2")]
        comparison = timeline.comparison_of(db, "1.2")
    assert analysis.state is AnalysisState.REFUSED
    assert "lung" in analysis.text.casefold()
    assert rows["1.2"].reason == analysis.text
    assert rows["1.2"].prior_count == 1
    assert rows["1.1"].reason == "no model for this kind of study"
    assert comparison is None
    assert acts.count("analysis.request") == acts.count("analysis.end") == 1
    assert jobs.open_queue(database).counts() == {"waiting": 0, "running": 0, "failed": 0}


def request(database, study):
    with database.transaction() as db:
        return routing.request_analysis(db, study, by=access.SYSTEM)


def answering(clinic_model, monkeypatch, count=1):
    """Have the model answer with some lesions, without a child process."""
    monkeypatch.setattr(chain.models, "run_model", clinic_model(count))


@pytest.fixture
def model_of():
    """A model that finds so many nodules."""
    from sightline.intelligence.models import ModelOutput, ProposedLesion
    from sightline.kernel.quantities import Quantity

    def make(count):
        sizes = {name: Quantity(9.0, "mm", "x") for name in ("long_axis", "short_axis")}
        lesion = ProposedLesion("lung-nodule", "nodule", "1.2.1.1", (0.0, 0.0, 0.0), sizes, "round")
        return lambda *_: ModelOutput((lesion,) * count, (None,) * count, "1.9", ("thick slices",))

    return make


def test_an_analysis_ends_in_findings_bound_to_their_run(receive, store, database, model_of, monkeypatch):
    receive("1.2", slices=20)
    asked = request(database, "1.2")
    answering(model_of, monkeypatch, 2)

    chain._analyse(store, "1.2", asked.model, asked.series_uid)

    with database.reading() as db:
        held = findings.of_studies(db, "1.2")
        analysis = routing.analysis_of(db, "1.2")
    assert [f.source.run for f in held] == [asked.run, asked.run]
    assert (analysis.state, analysis.text) == (AnalysisState.DONE, "2 findings proposed · thick slices")


def test_a_job_that_is_repeated_after_a_crash_gives_its_result_once(
    receive, store, database, model_of, monkeypatch
):
    receive("1.2", slices=20)
    asked = request(database, "1.2")
    answering(model_of, monkeypatch, 2)
    chain._analyse(store, "1.2", asked.model, asked.series_uid)
    with database.reading() as db:
        before = findings.of_studies(db, "1.2"), audit.head(db).size

    chain._analyse(store, "1.2", asked.model, asked.series_uid)

    with database.reading() as db:
        assert (findings.of_studies(db, "1.2"), audit.head(db).size) == before


def test_a_model_that_breaks_leaves_a_failure_that_is_shown(receive, store, database, monkeypatch):
    receive("1.2", slices=20)
    asked = request(database, "1.2")

    def broken(*_):
        raise RuntimeError("patient Ada Lovelace")

    monkeypatch.setattr(chain.models, "run_model", broken)
    with pytest.raises(RuntimeError):
        chain._analyse(store, "1.2", asked.model, asked.series_uid)

    with database.reading() as db:
        analysis = routing.analysis_of(db, "1.2")
    assert analysis.state is AnalysisState.FAILED
    assert "Lovelace" not in analysis.text


def test_a_comparison_waits_until_both_sides_are_analysed(receive, store, database, model_of, monkeypatch):
    for study, date in (("1.1", FIRST), ("1.2", SECOND)):
        receive(study, date, slices=20)
    asked = {study: request(database, study) for study in ("1.1", "1.2")}
    answering(model_of, monkeypatch)
    chain._analyse(store, "1.2", asked["1.2"].model, asked["1.2"].series_uid)
    with database.reading() as db:
        assert chain._pair(db, "1.2") is None

    chain._analyse(store, "1.1", asked["1.1"].model, asked["1.1"].series_uid)
    with database.reading() as db:
        pair = chain._pair(db, "1.2")

    assert pair is not None
    assert (pair.study_uid, pair.prior_uid, pair.days) == ("1.2", "1.1", 182)
    assert len(pair.images) == 20


def test_a_new_study_is_compared_with_a_prior_that_a_migration_brought(receive, database, worker, aligned):
    for study, date, history in (("1.1", FIRST, "migrated"), ("1.2", SECOND, None)):
        receive(study, date)
        with database.transaction() as db:
            archive.settle_now(db, [study], history=history)

    worker.start()
    worker.drain(timeout_s=60)

    with database.reading() as db:
        assert routing.analyses_of(db, "1.1") == []
        comparison = timeline.comparison_of(db, "1.2")
    assert comparison is not None
    assert comparison.prior_uid == "1.1"


def test_a_study_that_still_arrives_is_waited_for(receive, store, database):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    request(database, "1.2")

    chain._compare(store, "1.2")

    with database.reading() as db:
        assert timeline.comparison_of(db, "1.2") is None


def test_a_planning_scan_is_compared_with_an_earlier_ct(receive, store, database, aligned):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    receive("1.2", SECOND, series="1.2.2", slices=9, Modality="RTDOSE")
    receive("1.2", SECOND, series="1.2.3", slices=1, Modality="RTPLAN")
    for study in ("1.1", "1.2"):
        request(database, study)

    chain._compare(store, "1.2")

    with database.reading() as db:
        comparison = timeline.comparison_of(db, "1.2")
    assert comparison is not None
    assert comparison.study_series_uid == "1.2.1"


def test_after_a_study_it_and_the_later_ones_are_compared_anew(receive, db):
    for study, date in (("1.1", FIRST), ("1.2", SECOND), ("1.3", THIRD)):
        receive(study, date)
    receive("1.4", THIRD, PatientID="another")

    assert sorted(chain._this_and_later(db, "1.2")) == ["1.2", "1.3"]
    assert sorted(chain._this_and_later(db, "1.1")) == ["1.1", "1.2", "1.3"]


@pytest.fixture
def aligned(monkeypatch):
    """Two scans of someone who lay exactly the same; aligning real ones is tested in science."""
    import numpy as np

    from sightline.intelligence.routing import _comparing as comparing
    from sightline.science.alignment import Alignment
    from sightline.science.geometry import Grid

    grid = Grid((40, 40, 40), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    field = np.zeros((*grid.shape_zyx, 3), np.float32)
    found = Alignment("good", "made up", (), grid, field, np.ones(grid.shape_zyx, np.float32), "made up")
    geometry = comparing.Geometry(grid, grid, thickness_mm=1.0, modality="CT", differs=())
    monkeypatch.setattr(comparing, "made_alignment", lambda *_: (found, geometry))


def test_a_comparison_links_the_lesions_and_is_the_same_however_often_it_is_made(
    receive, clinic, store, database, db, aligned
):
    for study, date in (("1.1", FIRST), ("1.2", SECOND)):
        receive(study, date)
    [then], [now] = (clinic.propose(study, 9.0, mask=True) for study in ("1.1", "1.2"))
    for study in ("1.1", "1.2"):
        routing.request_analysis(db, study, by=access.SYSTEM)
    db.commit()

    for _ in range(2):
        chain._compare(store, "1.2")
        chain._compare(store, "1.1")  # it has no prior, so nothing is to be done

    with database.reading() as reading:
        comparison = timeline.comparison_of(reading, "1.2")
        lesions = {f.lesion for f in findings.of_patient(reading, now.patient)}
        acts = [e.act for e in audit.trail(reading, on=now.patient)]
        assert timeline.comparison_of(reading, "1.1") is None
    assert comparison is not None
    [change] = comparison.changes
    assert (change.current, change.prior, change.linked) == (now.id, then.id, True)
    assert lesions == {then.lesion}
    assert acts.count("lesion.unify") == 1


OPERATOR = access.operator("tester")


@pytest.fixture
def awaited(receive, clinic, store, db):
    """Two studies with a nodule each, analysed; return the pair as it is read before it is aligned."""
    for study, date in (("1.1", FIRST), ("1.2", SECOND)):
        receive(study, date)
        clinic.propose(study, 9.0, mask=True)
        routing.request_analysis(db, study, by=access.SYSTEM)
        db.commit()
    with store.database.reading() as reading:
        return chain._pair(reading, "1.2")


def move_prior(db):
    archive.move_study(db, "1.1", archive.NewPatient("0815"), reason="", by=OPERATOR)


def trash_prior(db):
    archive.trash_study(db, "1.1", reason="a test", by=OPERATOR, trash_days=30)


def trash_a_slice(db):
    archive.trash_study(db, "1.2", reason="a test", by=OPERATOR, trash_days=30, sop_uids=["1.2.1.4"])


@pytest.mark.parametrize("meanwhile", [move_prior, trash_prior, trash_a_slice])
def test_what_was_aligned_is_not_kept_once_the_pair_is_another(
    awaited, meanwhile, store, database, aligned, clinic
):
    alignment, geometry = chain.comparing.align_pair(store, awaited)
    with database.transaction() as db:
        meanwhile(db)

    with database.transaction() as db:
        assert not chain._keep(db, store.blobs, awaited, alignment, geometry)
        assert timeline.comparison_of(db, "1.2") is None
        assert "lesion.unify" not in [e.act for e in audit.trail(db, on=awaited.patient)]


def test_a_study_that_moved_while_it_was_aligned_is_compared_within_its_new_patient(
    awaited, receive, store, database, aligned, monkeypatch
):
    receive("1.3", FIRST, PatientID="0815")
    request(database, "1.3")
    align = chain.comparing.made_alignment
    seen = []

    def slow(held, pair):
        if not seen:
            with database.transaction() as db:
                archive.move_study(db, "1.2", archive.NewPatient("0815"), reason="", by=OPERATOR)
        seen.append(pair.prior_uid)
        return align(held, pair)

    monkeypatch.setattr(chain.comparing, "made_alignment", slow)
    chain._compare(store, "1.2")

    with database.reading() as db:
        comparison = timeline.comparison_of(db, "1.2")
        assert comparison.patient == archive.get_study(db, "1.3").patient
    assert (seen, comparison.prior_uid) == (["1.1", "1.3"], "1.3")


def test_a_date_that_was_corrected_meanwhile_is_the_one_that_is_kept(awaited, store, database, aligned):
    alignment, geometry = chain.comparing.align_pair(store, awaited)
    with database.transaction() as db:
        archive.edit_study(db, "1.1", {"StudyDate": "20250603"}, reason="", by=OPERATOR)

    with database.transaction() as db:
        assert chain._keep(db, store.blobs, awaited, alignment, geometry)
        assert timeline.comparison_of(db, "1.2").days == 31
