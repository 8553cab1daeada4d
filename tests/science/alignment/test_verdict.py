"""The tests behind a verdict, on fields and images whose truth is plain."""

import numpy as np
import pytest
from scipy import ndimage

from sightline.science.alignment._verdict import COVERAGE, FOLDS, jacobian, judge, local_fit, sum_up
from sightline.science.geometry import Grid

BOX = Grid((8, 8, 8), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


@pytest.fixture
def texture():
    rng = np.random.default_rng(0)
    return ndimage.gaussian_filter(rng.random((40, 40, 40)), 0.8).astype(np.float32) * 3


def test_an_image_fits_itself_best_where_it_is(texture):
    correlations, best, _ = local_fit(texture, texture, np.ones(texture.shape, bool), 3.0)

    assert best.all()
    assert correlations.min() > 0.999


def test_an_image_moved_by_ten_millimetres_fits_better_elsewhere(texture):
    _, best, _ = local_fit(texture, np.roll(texture, 3, axis=1), np.ones(texture.shape, bool), 3.0)

    assert best.mean() < 0.05


def test_two_unrelated_images_do_not_correlate(texture):
    other = texture[::-1, ::-1].transpose(2, 0, 1).copy()

    correlations, _, _ = local_fit(texture, other, np.ones(texture.shape, bool), 3.0)

    assert np.percentile(correlations, 90) < 0.3


def test_a_rotation_keeps_volume_and_a_folded_field_is_seen():
    index = np.stack(np.meshgrid(*[np.arange(8.0)] * 3, indexing="ij"), axis=-1)
    xyz = index[..., ::-1]
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])

    assert np.allclose(jacobian((xyz @ turn.T - xyz).astype(np.float32), BOX), 1.0, atol=1e-5)

    fold = np.zeros((8, 8, 8, 3), dtype=np.float32)
    fold[..., 0] = -1.5 * xyz[..., 0]
    assert (jacobian(fold, BOX) < 0).all()


@pytest.mark.parametrize(
    ("limits", "value", "verdict"),
    [
        (COVERAGE, 90.0, "good"),
        (COVERAGE, 55.0, "care"),
        (COVERAGE, 20.0, "failed"),
        (COVERAGE, float("nan"), "failed"),
        (FOLDS, 0.1, "good"),
        (FOLDS, 0.5, "care"),
        (FOLDS, 5.0, "failed"),
    ],
)
def test_each_value_is_judged_against_its_limits(limits, value, verdict):
    assert judge(limits, value)[1] == verdict


def test_the_worst_test_decides_and_is_named():
    verdict, reason = sum_up([judge(COVERAGE, 90.0), judge(FOLDS, 5.0)])

    assert verdict == "failed"
    assert reason == "Not to be used: folded voxels is 5.0 % (limit 0.2 %)."
