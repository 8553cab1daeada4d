"""Where a voxel lies in the patient."""

import math

import numpy as np
import pytest

from sightline.science.geometry import BadGrid, Grid

TURNED = tuple(
    np.array(
        [
            [math.cos(0.3), -math.sin(0.3), 0],
            [math.sin(0.3), math.cos(0.3), 0],
            [0, 0, 1],
        ]
    ).ravel()
)


@pytest.fixture
def oblique():
    return Grid((12, 20, 30), (0.7, 0.8, 2.5), (-101.0, 33.0, 12.5), TURNED)


def test_an_index_goes_to_the_patient_and_back_unchanged(oblique):
    index = np.array([[0, 0, 0], [11, 19, 29], [3.25, 7.5, 0.125]])

    assert np.allclose(oblique.to_index_zyx(oblique.to_lps_mm(index)), index, atol=1e-9)


def test_the_columns_of_directions_are_the_index_axes(oblique):
    origin, along_x = oblique.to_lps_mm([[0, 0, 0], [0, 0, 1]])

    assert np.allclose(along_x - origin, 0.7 * np.array([math.cos(0.3), math.sin(0.3), 0]))


def test_a_point_on_the_outer_face_is_inside_and_one_beyond_is_not():
    grid = Grid((10, 10, 10), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))

    assert grid.contains([[-0.5, 0, 0], [-0.51, 0, 0]]).tolist() == [True, False]
    assert grid.contains([[3, 5, 5], [1, 5, 5]], margin_mm=2.5).tolist() == [True, False]


def test_resampling_keeps_the_centre_and_covers_the_box(oblique):
    coarse = oblique.resampled((4.0, 4.0, 4.0))

    middle = oblique.to_lps_mm((np.array(oblique.shape_zyx) - 1) / 2)
    assert np.allclose(coarse.to_lps_mm((np.array(coarse.shape_zyx) - 1) / 2), middle)
    assert (coarse.size_xyz_mm >= oblique.size_xyz_mm - 1e-6).all()


def test_a_cropped_grid_begins_at_its_voxel(oblique):
    part = oblique.cropped((2, 3, 4), (5, 5, 5))

    assert np.allclose(part.to_lps_mm([0, 0, 0]), oblique.to_lps_mm([2, 3, 4]))


@pytest.mark.parametrize(
    ("spacing", "directions"),
    [
        ((1.0, 0.0, 1.0), (1, 0, 0, 0, 1, 0, 0, 0, 1)),
        ((1.0, math.nan, 1.0), (1, 0, 0, 0, 1, 0, 0, 0, 1)),
        ((1.0, 1.0, 1.0), (1, 0, 0.3, 0, 1, 0, 0, 0, 0.95)),
        ((1.0, 1.0, 1.0), (1, 0, 0)),
    ],
    ids=["flat", "not a number", "sheared", "too few directions"],
)
def test_numbers_that_are_no_grid_are_refused(spacing, directions):
    with pytest.raises(BadGrid):
        Grid((4, 4, 4), spacing, (0.0, 0.0, 0.0), directions)
