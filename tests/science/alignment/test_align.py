"""Two scans aligned, and never an untrustworthy alignment shown as good."""

import numpy as np
import pytest

from sightline.science import alignment, simulation
from sightline.science.volumes import Volume
from tests.proofs import LONG


def as_volume(scan):
    return Volume(scan.array, scan.grid)


@pytest.fixture(scope="module")
def between(coarse_visits):
    """Return the alignment of visit 2 (current) with visit 1 (prior)."""
    return alignment.align(as_volume(coarse_visits[2]), as_volume(coarse_visits[1]))


def true_places(visits, points):
    """Return where points of visit 2 lie in visit 1, by formula."""
    return visits[1].from_reference_mm(visits[2].to_reference_mm(points))


def inside_the_chest(count=400):
    rng = np.random.default_rng(2)
    return rng.uniform((-100, -60, -70), (100, 60, 80), (count, 3))


def test_two_visits_of_one_person_align_to_two_millimetres(between, coarse_visits):
    """Known motion and breath of about 13 mm; AAPM TG-132 asks for 2 mm mean and 5 mm at most."""
    points = inside_the_chest()
    error = np.linalg.norm(between.map_points(points) - true_places(coarse_visits, points), axis=1)

    assert np.linalg.norm(points - true_places(coarse_visits, points), axis=1).mean() > 10
    assert error.mean() < 2.0
    assert np.percentile(error, 95) < 5.0


@LONG
def test_a_prior_that_shows_only_the_upper_half_is_aligned_there(coarse_visits):
    prior = as_volume(coarse_visits[1])
    count, rows, columns = prior.grid.shape_zyx
    upper = Volume(
        prior.array[count // 2 :], prior.grid.cropped((count // 2, 0, 0), (count - count // 2, rows, columns))
    )
    found = alignment.align(as_volume(coarse_visits[2]), upper)
    points = inside_the_chest()
    shown = upper.grid.contains(true_places(coarse_visits, points), margin_mm=10)
    error = np.linalg.norm(found.map_points(points) - true_places(coarse_visits, points), axis=1)

    assert found.verdict == "good"
    assert error[shown].mean() < 2.5


def test_the_alignment_of_one_person_is_good_and_every_test_is_shown(between):
    assert between.verdict == "good"
    assert between.reason == "All 6 tests passed."
    assert all(test.passed for test in between.tests)
    assert len({test.name for test in between.tests}) == 6


def test_the_map_and_its_inverse_undo_each_other(between):
    points = inside_the_chest()

    assert np.allclose(between.inverse_points(between.map_points(points)), points, atol=0.05)


def test_the_estimated_error_bounds_the_true_one(between, coarse_visits):
    points = inside_the_chest()
    error = np.linalg.norm(between.map_points(points) - true_places(coarse_visits, points), axis=1)

    assert (error < 3 * between.local_error_mm(points)).mean() > 0.95


def test_a_coarser_alignment_for_the_browser_maps_alike(between):
    coarse = between.resampled(8.0)
    points = inside_the_chest()

    assert coarse.displacement_mm.size < between.displacement_mm.size / 6
    assert np.abs(coarse.map_points(points) - between.map_points(points)).max() < 1.0
    assert coarse.verdict == between.verdict


def test_an_alignment_is_stored_and_read_back_unchanged(between):
    again = alignment.Alignment.from_bytes(between.to_bytes())

    assert again.grid == between.grid
    assert again.tests == between.tests
    assert (again.verdict, again.reason, again.method) == (between.verdict, between.reason, between.method)
    assert np.array_equal(again.displacement_mm, between.displacement_mm)
    assert np.array_equal(again.error_mm, between.error_mm)


@pytest.mark.parametrize("data", [b"", b"not an alignment", b"PK\x03\x04" + b"\0" * 40])
def test_bytes_that_are_no_alignment_are_refused(data):
    with pytest.raises(alignment.UnreadableAlignment, match="align again"):
        alignment.Alignment.from_bytes(data)


def test_another_person_is_never_shown_as_good(coarse_visits):
    stranger = simulation.simulate_chest(1, seed=9, spacing_xyz_mm=(2.8, 2.8, 4.0), shape_zyx=(60, 128, 128))

    found = alignment.align(as_volume(coarse_visits[2]), as_volume(stranger))

    assert found.verdict == "failed"
    assert found.reason.startswith("Not to be used")


def test_scans_of_different_levels_are_refused(coarse_visits):
    def part(scan, start, stop):
        size = (stop - start, *scan.grid.shape_zyx[1:])
        return Volume(scan.array[start:stop], scan.grid.cropped((start, 0, 0), size))

    found = alignment.align(part(coarse_visits[2], 40, 60), part(coarse_visits[1], 0, 18))

    assert found.verdict == "failed"
