"""The simulated patient: what is claimed of it is true of its voxels."""

import math

import numpy as np
import pytest

from sightline.science import simulation
from sightline.science.geometry import Grid
from sightline.science.volumes import Volume

AXES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def test_the_same_seed_gives_the_same_voxels():
    small = {"spacing_xyz_mm": (7.0, 7.0, 10.0), "shape_zyx": (24, 52, 52)}

    first, again = (simulation.simulate_chest(2, **small) for _ in range(2))

    assert np.array_equal(first.array, again.array)


def test_the_growing_nodule_doubles_every_75_days():
    small = {"spacing_xyz_mm": (7.0, 7.0, 10.0), "shape_zyx": (24, 52, 52)}
    volumes = [simulation.simulate_chest(visit, **small).nodules[0].volume_mm3 for visit in (1, 2, 3)]

    for earlier, later, days in zip(volumes, volumes[1:], (92, 91), strict=False):
        assert days * math.log(2) / math.log(later / earlier) == pytest.approx(75.0)


def test_each_nodule_stands_at_its_stated_place(visits):
    for scan in visits.values():
        for nodule in scan.nodules:
            z, y, x = np.rint(scan.grid.to_index_zyx(nodule.centre_lps_mm)[0]).astype(int)
            assert scan.array[z, y, x] > -300


def test_the_new_nodule_is_absent_before(visits):
    new = visits[3].nodules[2]
    before = visits[1].from_reference_mm(visits[3].to_reference_mm(new.centre_lps_mm))
    z, y, x = np.rint(visits[1].grid.to_index_zyx(before)[0]).astype(int)

    assert new.name == "new"
    assert visits[1].array[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2].mean() < -750


@pytest.mark.parametrize("visit", [1, 2, 3])
def test_a_point_goes_to_the_reference_and_back(visit):
    scan = simulation.simulate_chest(visit, spacing_xyz_mm=(14.0, 14.0, 20.0), shape_zyx=(12, 26, 26))
    points = np.random.default_rng(0).uniform(-100, 100, (50, 3))

    assert np.allclose(scan.from_reference_mm(scan.to_reference_mm(points)), points, atol=1e-6)


def test_an_unknown_visit_is_refused():
    with pytest.raises(simulation.UnknownVisit, match="ask for 1, 2 or 3"):
        simulation.simulate_chest(4)


@pytest.mark.parametrize("diameter", [4.0, 6.0, 10.0, 20.0])
def test_an_inserted_sphere_adds_its_true_volume_and_nothing_elsewhere(diameter):
    grid = Grid((30, 60, 60), (0.8, 0.8, 2.5), (0.0, 0.0, 0.0), AXES)
    lung = Volume(np.full(grid.shape_zyx, -850.0, dtype=np.float32), grid)

    full = simulation.insert_nodule(lung, (24.13, 23.71, 36.4), diameter, hu=40)

    added = (full.array - lung.array).sum() / 890 * grid.voxel_mm3
    assert added == pytest.approx(math.pi * diameter**3 / 6, rel=0.005)
    assert full.array[:5].max() == -850


def test_a_nodule_outside_the_volume_is_refused():
    grid = Grid((10, 10, 10), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), AXES)

    with pytest.raises(Exception, match="outside the volume"):
        simulation.insert_nodule(Volume(np.zeros(grid.shape_zyx), grid), (90, 5, 5), 6)
