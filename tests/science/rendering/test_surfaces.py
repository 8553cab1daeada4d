"""Surfaces of bodies whose volume and area are known."""

from math import pi

import numpy as np
import pytest

from sightline.science.geometry import Grid
from sightline.science.rendering import BadView, EmptySurface, find_surface

AXES = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
MIRRORED = (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0)
CENTRE = np.array([20.0, 22.0, 24.0])


def ball(radius_mm: float, spacing=(0.5, 0.6, 1.0), directions=AXES) -> tuple[np.ndarray, Grid]:
    """A ball whose values fall by 1 per mm, 0 on its surface."""
    shape = tuple(int(48 / mm) for mm in spacing[::-1])
    depth = (shape[0] - 1) * spacing[2]
    origin = (0.0, 0.0, depth if directions == MIRRORED else 0.0)
    grid = Grid(shape, spacing, origin, directions)
    places = grid.to_lps_mm(np.indices(shape).reshape(3, -1).T)
    distance = np.linalg.norm(places - CENTRE, axis=1).reshape(shape)
    return (radius_mm - distance).astype(np.float32), grid


def is_closed(triangles: np.ndarray) -> bool:
    """Each edge is gone along as often one way as the other."""
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).astype(np.int64)
    there, back = edges[:, 0] * 10**9 + edges[:, 1], edges[:, 1] * 10**9 + edges[:, 0]
    return np.array_equal(np.sort(there), np.sort(back))


@pytest.mark.parametrize("directions", [AXES, MIRRORED])
def test_a_ball_has_its_volume_its_area_and_normals_that_look_outward(directions):
    array, grid = ball(15.0, directions=directions)
    surface = find_surface(array, grid, 0.0)

    assert surface.volume_mm3 == pytest.approx(4 / 3 * pi * 15**3, rel=5e-3)
    assert surface.area_mm2 == pytest.approx(4 * pi * 15**2, rel=5e-3)
    assert is_closed(surface.triangles)
    outward = (surface.points - CENTRE) / np.linalg.norm(surface.points - CENTRE, axis=1, keepdims=True)
    assert np.abs(np.linalg.norm(surface.points - CENTRE, axis=1) - 15).max() < 0.1
    assert (surface.normals * outward).sum(axis=1).min() > 0.97


@pytest.mark.parametrize("most", [1000, 8000])
def test_fewer_triangles_still_lie_on_the_ball_and_close_it(most):
    array, grid = ball(15.0)
    surface = find_surface(array, grid, 0.0, max_triangles=most)

    assert most / 4 < len(surface.triangles) <= most < surface.full_triangles
    assert is_closed(surface.triangles)
    a, b, c = (surface.points[surface.triangles[:, n]].astype(float) - CENTRE for n in range(3))
    assert (a * np.cross(b, c)).sum() / 6 == pytest.approx(4 / 3 * pi * 15**3, rel=0.03)
    assert surface.volume_mm3 == pytest.approx(4 / 3 * pi * 15**3, rel=5e-3)


def test_a_mask_is_measured_at_its_half():
    array, grid = ball(15.0)
    surface = find_surface((array > 0).astype(np.uint8), grid, 0.5, smoothing_mm=1.0)

    assert surface.volume_mm3 == pytest.approx(4 / 3 * pi * 15**3, rel=0.02)
    assert surface.area_mm2 == pytest.approx(4 * pi * 15**2, rel=0.02)


def test_a_body_is_closed_where_the_volume_ends():
    array = np.full((10, 20, 30), 100, np.int16)
    surface = find_surface(array, Grid((10, 20, 30), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), AXES), 50)

    assert is_closed(surface.triangles)
    assert surface.volume_mm3 == pytest.approx(10 * 20 * 30, rel=0.05)


def test_a_large_volume_is_made_coarser_and_stays_in_its_place(monkeypatch):
    monkeypatch.setattr("sightline.science.rendering._surfaces.MOST_VOXELS", 30_000)
    array, grid = ball(15.0)
    surface = find_surface(array, grid, 0.0)

    assert surface.volume_mm3 == pytest.approx(4 / 3 * pi * 15**3, rel=0.03)
    assert np.abs(surface.points.mean(axis=0) - CENTRE).max() < 0.3


def test_what_has_no_surface_is_refused():
    array, grid = ball(5.0)

    with pytest.raises(EmptySurface, match="above"):
        find_surface(array, grid, 6.0)
    with pytest.raises(BadView):
        find_surface(array, grid, 0.0, max_triangles=10**7)
    with pytest.raises(BadView):
        find_surface(array, grid, float("nan"))
