"""The inverse of an alignment, its Jacobian, and images that ride along."""

import numpy as np
import pytest

from sightline.science import alignment
from sightline.science.alignment import Alignment, NotCarried
from sightline.science.geometry import Grid
from sightline.science.volumes import Volume

STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
GRID = Grid((20, 24, 28), (4.0, 4.0, 4.0), (-54.0, -46.0, -38.0), STRAIGHT)


def aligned(displacement, *, matrix=None, verdict="good"):
    error = np.ones(GRID.shape_zyx, np.float32)
    return Alignment(verdict, "as told", (), GRID, displacement.astype(np.float32), error, "a test", matrix)


def waves(amplitude_mm=4.0, length_mm=60.0):
    """Return displacements of a sine along each axis, at most amplitude 2 pi / length steep."""
    points = GRID.to_lps_mm(np.indices(GRID.shape_zyx).reshape(3, -1).T)
    return (amplitude_mm * np.sin(2 * np.pi * points / length_mm)).reshape(*GRID.shape_zyx, 3)


def affine():
    matrix = np.eye(4)
    matrix[:3, :3] = [[1.1, 0.1, 0], [-0.05, 0.95, 0], [0, 0, 1.02]]
    matrix[:3, 3] = (3, -2, 7)
    return matrix


def inner_points(count=200):
    return np.random.default_rng(1).uniform(-25, 25, (count, 3))


def test_there_and_back_by_the_inverse_is_no_way(tmp_path):
    found = aligned(waves())
    back = alignment.invert(found, GRID)
    residual = np.linalg.norm(back.map_points(found.map_points(inner_points())) - inner_points(), axis=1)

    assert back.verdict == "good"
    assert residual.max() < 0.5
    assert back.tests[-1].name == "residual of the inverse, 95th percentile"
    assert back.tests[-1].value < 0.05


def test_an_affine_map_is_inverted_exactly():
    back = alignment.invert(aligned(np.zeros((*GRID.shape_zyx, 3)), matrix=affine()), GRID)
    there = inner_points() @ affine()[:3, :3].T + affine()[:3, 3]

    assert np.allclose(back.map_points(there), inner_points(), atol=1e-9)


def test_a_field_that_folds_has_no_inverse_that_passes():
    back = alignment.invert(aligned(waves(amplitude_mm=30.0)), GRID)

    assert back.verdict == "failed"
    assert "residual of the inverse" in back.reason


def test_the_jacobian_of_a_sine_is_its_derivative():
    """Analytic: det J = prod(1 + A k cos(k x)); central differences see cos with sin(k h)/(k h)."""
    k = 2 * np.pi / 60.0
    points = GRID.to_lps_mm(np.indices(GRID.shape_zyx).reshape(3, -1).T)
    seen = np.sin(k * 4.0) / (k * 4.0)
    truth = np.prod(1 + 4.0 * k * seen * np.cos(k * points), axis=1).reshape(GRID.shape_zyx)
    inner = (slice(1, -1),) * 3

    assert np.allclose(alignment.jacobian_of(aligned(waves()))[inner], truth[inner], atol=1e-4)


def test_the_jacobian_of_an_affine_map_is_its_determinant():
    found = aligned(np.zeros((*GRID.shape_zyx, 3)), matrix=affine())

    assert np.allclose(alignment.jacobian_of(found), np.linalg.det(affine()[:3, :3]))


def volume(frame, *, shift=0.0):
    grid = Grid((20, 24, 28), (4.0, 4.0, 4.0), (-54.0 + shift, -46.0, -38.0), STRAIGHT)
    return Volume(np.zeros(grid.shape_zyx, np.float32), grid, frame_of_reference_uid=frame)


def test_pet_follows_its_ct_by_their_frames_of_reference():
    """A point of the current PET goes where the alignment of the CTs takes it."""
    found = aligned(waves())
    rides = alignment.carry(found, (volume("1.1"), volume("1.2")), (volume("1.1", shift=2.0), volume("1.2")))

    assert rides.verdict == "good"
    assert np.abs(rides.map_points(inner_points()) - found.map_points(inner_points())).max() < 0.3
    assert rides.grid.origin_lps_mm[0] == pytest.approx(-52.0)


def test_beyond_the_aligned_images_the_verdict_falls_and_the_error_grows():
    found = aligned(waves())
    rides = alignment.carry(found, (volume("1.1"), volume("1.2")), (volume("1.1", shift=60.0), volume("1.2")))

    assert rides.verdict == "care"
    assert "within the aligned one" in rides.reason
    assert rides.error_mm[0, 0, -1] > 50 > rides.error_mm[0, 0, 0]


@pytest.mark.parametrize("frames", [("1.1", "1.2", "1.3", "1.2"), ("", "1.2", "", "1.2")])
def test_images_of_unknown_relation_are_not_carried(frames):
    a, b, c, d = (volume(frame) for frame in frames)

    with pytest.raises(NotCarried, match="current images"):
        alignment.carry(aligned(waves()), (a, b), (c, d))


def test_a_failed_alignment_stays_failed_for_all_that_ride():
    found = aligned(waves(), verdict="failed")
    rides = alignment.carry(found, (volume("1.1"), volume("1.2")), (volume("1.1"), volume("1.2")))

    assert (rides.verdict, rides.reason) == ("failed", "as told")


def test_air_beyond_the_aligned_images_is_not_counted():
    found = aligned(waves())
    wide = volume("1.1", shift=60.0)
    body = np.zeros(wide.array.shape, np.float32)
    body[..., : body.shape[2] // 3] = 5.0
    rides = alignment.carry(found, (volume("1.1"), volume("1.2")), (wide.with_array(body), volume("1.2")))

    assert rides.verdict == "good"
