"""Planes through volumes whose values are known everywhere."""

import numpy as np
import pytest

from sightline.science.geometry import Grid
from sightline.science.rendering import BadPlane, Plane, Projection, Slab, cut_plane, sample_plane

AXES = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
SLOPE = np.array([2.0, -3.0, 5.0])


def tilted() -> Grid:
    """A grid that lies askew in the patient."""
    turn, rise = np.radians([25, 35])
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(rise), -np.sin(rise)], [0, np.sin(rise), np.cos(rise)]])
    return Grid(
        (20, 30, 40), (0.8, 1.1, 2.5), (-12.0, 7.0, 30.0), tuple((about_z @ about_x).ravel().tolist())
    )


def ramp(grid: Grid) -> np.ndarray:
    index = np.indices(grid.shape_zyx).reshape(3, -1).T
    return (grid.to_lps_mm(index) @ SLOPE).reshape(grid.shape_zyx)


def positions(plane: Plane) -> np.ndarray:
    rows, columns = np.mgrid[: plane.rows, : plane.columns][..., np.newaxis]
    return np.array(plane.origin_lps_mm) + columns * np.array(plane.right_mm) + rows * np.array(plane.down_mm)


def middle(grid: Grid) -> tuple[float, float, float]:
    x, y, z = grid.to_lps_mm((np.array(grid.shape_zyx) - 1) / 2)[0]
    return x, y, z


def plane_through(grid: Grid, *, right=(1, 2, 0.5), down=(-2, 1, 0), mm=0.7, columns=13, rows=9) -> Plane:
    return Plane.through(middle(grid), right, down, mm_per_pixel=mm, columns=columns, rows=rows)


def test_a_tilted_plane_through_a_ramp_has_the_ramps_values():
    grid = tilted()
    plane = plane_through(grid)
    values = cut_plane(ramp(grid), grid, plane, background=-1)

    assert np.abs(values - positions(plane) @ SLOPE).max() < 1e-3


def test_the_average_of_a_slab_of_a_ramp_is_the_plane_in_its_middle():
    grid = tilted()
    plane = plane_through(grid)
    values = cut_plane(ramp(grid), grid, plane, Slab(6.0), background=-1)

    assert np.abs(values - positions(plane) @ SLOPE).max() < 1e-3


def test_a_bright_voxel_is_seen_through_a_slab_by_its_highest_value_only():
    grid = Grid((11, 11, 11), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), AXES)
    array = np.zeros(grid.shape_zyx, np.int16)
    array[2, 4, 6] = 1000
    plane = Plane.through((5, 5, 5), (1, 0, 0), (0, 1, 0), mm_per_pixel=1, columns=11, rows=11)

    highest = cut_plane(array, grid, plane, Slab(10, Projection.MAX), background=-1)
    lowest = cut_plane(array, grid, plane, Slab(10, Projection.MIN), background=-1)
    mean = cut_plane(array, grid, plane, Slab(10), background=-1)

    assert (highest[4, 6], highest.sum()) == (1000, 1000)
    assert not lowest.any()
    assert mean[4, 6] == pytest.approx(1000 / 11)
    assert not cut_plane(array, grid, plane, background=-1).any()


def test_outside_of_the_volume_is_background_and_counts_in_no_slab():
    grid = Grid((4, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), AXES)
    array = np.full(grid.shape_zyx, 7, np.int16)
    plane = Plane.through((1.5, 1.5, 1.5), (1, 0, 0), (0, 1, 0), mm_per_pixel=1, columns=8, rows=8)

    for slab in (Slab(), Slab(500), Slab(500, Projection.MIN)):
        values = cut_plane(array, grid, plane, slab, background=-1024)
        assert (values[2:6, 2:6] == 7).all()
        assert (values[[0, 1, 6, 7]] == -1024).all()

    beside = plane.moved(50)
    assert (cut_plane(array, grid, beside, background=-1024) == -1024).all()


def test_the_outermost_slice_itself_is_not_outside():
    grid = Grid((3, 4, 5), (0.7, 0.7, 3.1), (0.1, 0.2, 0.3), AXES)
    array = np.arange(60).reshape(3, 4, 5)
    for z in range(3):
        x, y, z_mm = grid.to_lps_mm((z, 0, 0))[0]
        plane = Plane((x, y, z_mm), (0.7, 0, 0), (0, 0.7, 0), 4, 5)
        assert np.allclose(cut_plane(array, grid, plane, background=-1), array[z])


@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_labels_are_never_mixed_along_the_axes_or_askew(turn):
    grid = Grid((6, 20, 20), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), AXES)
    array = np.zeros(grid.shape_zyx, np.uint8)
    array[:, :, 10:] = 9
    right = (float(np.cos(turn)), float(np.sin(turn)), 0.0)
    plane = Plane.through(
        (9.5, 9.5, 4), right, (-right[1], right[0], 0), mm_per_pixel=0.4, columns=30, rows=30
    )
    values, inside = sample_plane(array, grid, plane, nearest=True)

    assert values.dtype == np.uint8
    assert set(np.unique(values)) == {0, 9}
    assert inside.all()
    expected = np.where(positions(plane)[..., 0] > 9.5, 9, 0)
    assert (values == expected).mean() > 0.98


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"right": (0, 0, 0)}, "not zero"),
        ({"down": (1, 2, 0.5)}, "perpendicular"),
        ({"right": (float("nan"), 0, 0)}, "finite"),
        ({"mm": 0}, "0.001"),
        ({"columns": 2049}, "2048"),
        ({"rows": 0}, "2048"),
    ],
)
def test_what_is_no_plane_is_refused(changed, why):
    with pytest.raises(BadPlane, match=why):
        plane_through(tilted(), **changed)


def test_a_slab_that_would_take_minutes_is_refused():
    grid = Grid((2000, 4, 4), (1.0, 1.0, 0.5), (0.0, 0.0, 0.0), AXES)
    array = np.broadcast_to(np.int16(0), grid.shape_zyx)
    plane = Plane.through((0, 0, 500), (1, 0, 0), (0, 1, 0), mm_per_pixel=1, columns=2048, rows=2048)

    with pytest.raises(BadPlane, match="thinner"):
        cut_plane(array, grid, plane, Slab(1000), background=0)
