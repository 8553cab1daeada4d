"""A plane filled from another volume through a map."""

import numpy as np

from sightline.science.geometry import Grid
from sightline.science.rendering import Plane, sample_moved, sample_plane

AXIAL = (1, 0, 0, 0, 1, 0, 0, 0, 1)


def ramp(grid: Grid) -> np.ndarray:
    """A volume whose value is 2x + 3y + 5z (mm): linear interpolation is exact on it."""
    points = grid.to_lps_mm(np.indices(grid.shape_zyx).reshape(3, -1).T)
    return (points @ np.array([2.0, 3.0, 5.0])).reshape(grid.shape_zyx)


def test_through_a_rotation_and_shift_the_values_are_those_of_the_formula():
    grid = Grid((20, 40, 50), (0.8, 0.9, 2.5), (-10.0, 5.0, 3.0), AXIAL)
    plane = Plane((0.0, 12.0, 20.0), (0.7, 0.0, 0.0), (0.0, 0.7, 0.0), 21, 30)
    turn = np.array([[np.cos(0.1), -np.sin(0.1), 0], [np.sin(0.1), np.cos(0.1), 0], [0, 0, 1]])
    shift = np.array([1.5, -2.0, 3.0])

    values, inside = sample_moved(ramp(grid), grid, plane, lambda points: points @ turn.T + shift)

    rows, columns = np.indices((21, 30))
    at = np.stack([0.7 * columns, 12 + 0.7 * rows, np.full(rows.shape, 20.0)], -1) @ turn.T + shift
    assert inside.mean() > 0.9
    centre = inside & (np.abs(grid.to_index_zyx(at.reshape(-1, 3)).reshape(21, 30, 3) % 1) > 0).all(-1)
    np.testing.assert_allclose(values[centre], (at @ np.array([2.0, 3.0, 5.0]))[centre], atol=0.7)
    np.testing.assert_allclose(values[5:15, 5:20], (at @ np.array([2.0, 3.0, 5.0]))[5:15, 5:20], atol=1e-3)


def test_a_map_that_moves_nothing_gives_the_plane_itself():
    grid = Grid((12, 30, 33), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), AXIAL)
    array = np.random.default_rng(1).normal(size=grid.shape_zyx).astype(np.float32)
    plane = Plane((2.2, 3.1, 7.7), (0.9, 0.1, 0.0), (-0.1, 0.9, 0.1), 18, 17)

    moved, inside = sample_moved(array, grid, plane, lambda points: points)
    plain, also_inside = sample_plane(array, grid, plane)

    np.testing.assert_array_equal(inside, also_inside)
    np.testing.assert_allclose(moved[inside], plain[inside], atol=1e-5)


def test_what_the_volume_does_not_show_is_outside():
    grid = Grid((5, 5, 5), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), AXIAL)
    plane = Plane((0.0, 0.0, 2.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), 5, 5)

    _, inside = sample_moved(np.ones((5, 5, 5)), grid, plane, lambda points: points + np.array([0, 0, 10]))

    assert not inside.any()
