"""What was found at one date only is sought in the images of the other before it is called new or gone."""

from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest

from sightline.app.demo import simulated
from sightline.intelligence.routing import _again as again
from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing._following import find_pair
from sightline.kernel.quantities import Quantity
from sightline.record import archive, findings
from sightline.science import simulation
from sightline.science.volumes import Volume
from sightline.trust import access
from tests.intelligence.routing.test_comparing import GEOMETRY, GRID, unmoved

NOW, PRIOR = simulated.uid("study", 2), simulated.uid("study", 1)
OURS = archive.Source("import", "test", access.operator("tester"))
HERE, ELSEWHERE = (20.0, 30.0, 30.0), (42.0, 30.0, 30.0)


@pytest.fixture
def database(sqlite):
    """What is said does not depend on the kind of database."""
    return sqlite


@pytest.fixture
def compared(store, monkeypatch):
    """Return a function that sends lungs with nodules of 10 mm at two dates, of which some were found."""
    monkeypatch.setattr(again.processes, "run_capped", lambda work, args, **_: work(*args))

    def send(visit, places):
        noise = np.random.default_rng(visit).normal(-850, 15, GRID.shape_zyx)
        lung = Volume(noise.astype(np.int16), GRID)
        for place in places:
            lung = simulation.insert_nodule(lung, place, 10.0)
        scan = SimpleNamespace(array=lung.array, grid=GRID, day=simulation.VISIT_DAYS[visit - 1])
        for ds in simulated.build_series(scan, visit):
            file = BytesIO()
            ds.save_as(file, enforce_file_format=True)
            archive.take_in(store, [archive.Incoming("a slice", file.getvalue())], OURS)

    def find(study, places):
        source = findings.Source(findings.SourceKind.MODEL, "chest-ct-nodules", "1", f"run-{study}")
        with store.database.transaction() as db:
            patient = archive.get_study(db, study).patient
            found = [nodule(store.blobs, db, study, n, place) for n, place in enumerate(places)]
            findings.propose_findings(db, study, patient, source, found, by=access.SYSTEM)

    def compare(now, then, found_now, found_then):
        send(1, then)
        send(2, now)
        find(PRIOR, found_then)
        find(NOW, found_now)
        with store.database.reading() as db:
            pair = find_pair(db, NOW, PRIOR)
        again.look_again(store, pair, unmoved(), GEOMETRY)
        with store.database.transaction() as db:
            comparison, _ = comparing.build_comparison(db, store.blobs, pair, unmoved(), GEOMETRY)
        return [(change.kind, change.link, change.reason) for change in comparison.changes]

    return compare


def nodule(blobs, db, study, number, place):
    """Return a ball of 10 mm as a model finds it."""
    z, y, x = np.ogrid[-6:7, -6:7, -6:7]
    file = BytesIO()
    offset = [round(value) - 6 for value in reversed(place)]
    np.savez_compressed(file, mask=x**2 + y**2 + z**2 <= 25, offset_zyx=np.array(offset))
    key = f"masks/{study}/{number}.npz"
    blobs.put_if_absent(key, file.getvalue())
    [series] = archive.series_of_study(db, study)
    axis = Quantity(10.0, "mm", "formula")
    values = {
        "volume": Quantity(np.pi / 6 * 1000, "mm3", "formula of the sphere"),
        "long_axis": axis, "short_axis": axis, "mean_hu": Quantity(-100.0, "[hnsf'U]", "formula"),
    }  # fmt: skip
    return findings.Found(
        kind="lung-nodule", label="nodule", series_uid=series.uid,
        sop_uid=archive.sop_uids_of(db, series.uid)[0], frame_of_reference_uid="1.2",
        centre_lps_mm=place, values=values, outline=findings.Outline(()), why="a test", mask_key=key,
    )  # fmt: skip


def test_a_nodule_that_was_missed_in_the_prior_is_not_called_new(compared):
    [(kind, link, reason)] = compared([HERE], [HERE], found_now=[HERE], found_then=[])

    assert (kind, link) == ("cannot-tell", "ambiguous")
    assert "prior study, though nothing was found there" in reason


def test_a_nodule_that_was_missed_now_is_not_said_to_have_vanished(compared):
    [(kind, link, reason)] = compared([HERE], [HERE], found_now=[], found_then=[HERE])

    assert (kind, link) == ("cannot-tell", "ambiguous")
    assert "current study" in reason


def test_what_is_new_and_what_is_gone_stay_so(compared):
    told = compared([HERE], [ELSEWHERE], found_now=[HERE], found_then=[ELSEWHERE])

    assert {kind for kind, _, _ in told} == {"new", "vanished"}


def test_a_known_lesion_beside_a_new_one_is_not_taken_for_it(compared):
    beside = (36.0, 30.0, 30.0)

    told = compared([HERE, beside], [beside], found_now=[HERE, beside], found_then=[beside])

    assert sorted(kind for kind, _, _ in told) == ["new", "stable"]


def test_each_is_sought_once(compared, store, monkeypatch):
    compared([HERE], [HERE], found_now=[HERE], found_then=[])
    monkeypatch.setattr(again.processes, "run_capped", lambda *_, **__: pytest.fail("sought again"))
    with store.database.reading() as db:
        pair = find_pair(db, NOW, PRIOR)

    again.look_again(store, pair, unmoved(), GEOMETRY)
