"""Lungs and nodules cut out and measured."""

import math

import numpy as np
import pytest

from sightline.science import segmentation, simulation
from sightline.science.geometry import Grid
from sightline.science.volumes import Volume

AXES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def as_volume(scan):
    return Volume(scan.array, scan.grid)


@pytest.fixture(scope="module")
def found_in(visits):
    return {visit: segmentation.find_nodules(as_volume(scan)) for visit, scan in visits.items()}


def empty_lung(spacing=(0.8, 0.8, 1.5), *, noise_hu=15.0, seed=0):
    shape = tuple(int(60 / mm) for mm in spacing[::-1])
    grid = Grid(shape, spacing, (0.0, 0.0, 0.0), AXES)
    values = np.random.default_rng(seed).normal(-860, noise_hu, shape)
    return Volume(values.astype(np.float32), grid)


def sphere_mm3(diameter):
    return math.pi * diameter**3 / 6


@pytest.mark.parametrize("diameter", [5.0, 6.0, 8.0, 10.0, 15.0, 20.0])
@pytest.mark.parametrize("spacing", [(0.7, 0.7, 1.0), (1.4, 1.4, 2.0)])
def test_a_sphere_in_lung_is_measured_within_five_percent(diameter, spacing):
    """Truth by formula; the sphere lies off the voxel centres."""
    place = (29.7, 30.4, 30.9)
    volume = simulation.insert_nodule(empty_lung(spacing), place, diameter, hu=45)

    lesion = segmentation.segment_lesion_at(volume, place, diameter_mm=diameter)

    assert lesion.volume.value == pytest.approx(sphere_mm3(diameter), rel=0.05)
    assert lesion.volume.low < sphere_mm3(diameter) < lesion.volume.high
    assert np.allclose(lesion.centre_lps_mm, place, atol=0.5 * max(spacing))
    assert lesion.volume.unit == "mm3"


@pytest.mark.parametrize("diameter", [8.0, 12.0, 20.0])
def test_both_axes_of_a_sphere_are_its_diameter_within_a_voxel(diameter):
    place = (30.2, 29.8, 30.0)
    volume = simulation.insert_nodule(empty_lung(), place, diameter, hu=45)

    lesion = segmentation.segment_lesion_at(volume, place, diameter_mm=diameter)

    assert lesion.long_axis.value == pytest.approx(diameter, abs=0.8)
    assert lesion.short_axis.value == pytest.approx(diameter, abs=1.1)
    assert lesion.short_axis.value <= lesion.long_axis.value + 1e-9
    ends = np.array(lesion.long_axis_lps_mm)
    assert np.linalg.norm(ends[0] - ends[1]) == pytest.approx(lesion.long_axis.value)
    across = np.array(lesion.short_axis_lps_mm)
    assert abs((ends[1] - ends[0]) @ (across[1] - across[0])) < 1e-6 * diameter**2
    assert volume.grid.to_index_zyx(ends)[:, 0] == pytest.approx(lesion.axis_slice)


def test_a_vessel_through_the_surroundings_adds_little_to_a_nodule():
    """A 10 mm nodule with a 3 mm vessel running into it."""
    place = np.array([30.0, 30.0, 30.0])
    volume = empty_lung()
    points = volume.grid.to_lps_mm(np.indices(volume.grid.shape_zyx).reshape(3, -1).T)
    away = np.hypot(points[:, 1] - 30, points[:, 2] - 30).reshape(volume.grid.shape_zyx)
    x = points[:, 0].reshape(volume.grid.shape_zyx)
    array = np.where((away < 1.5) & (x > 30), 40.0, volume.array).astype(np.float32)
    volume = simulation.insert_nodule(volume.with_array(array), place, 10.0, hu=45)

    lesion = segmentation.segment_lesion_at(volume, place, diameter_mm=10)

    assert lesion.volume.value == pytest.approx(sphere_mm3(10), rel=0.1)


def test_the_interval_covers_repeated_measurements():
    """Ten noisy scans of one 7 mm sphere at random sub-voxel places: at most two misses."""
    rng = np.random.default_rng(5)
    misses = 0
    for seed in range(10):
        place = 30 + rng.uniform(-1, 1, 3)
        volume = simulation.insert_nodule(empty_lung((1.0, 1.0, 1.5), noise_hu=25, seed=seed), place, 7.0)
        lesion = segmentation.segment_lesion_at(volume, place, diameter_mm=7)
        misses += not lesion.volume.low < sphere_mm3(7) < lesion.volume.high

    assert misses <= 2


def test_the_outline_runs_round_the_mask_in_patient_space():
    volume = simulation.insert_nodule(empty_lung(), (30, 30, 30), 12.0)
    lesion = segmentation.segment_lesion_at(volume, (30, 30, 30), diameter_mm=12)

    contours = segmentation.outline(lesion.mask, lesion.offset_zyx, volume.grid)

    assert [z for z, _ in contours] == [
        z + lesion.offset_zyx[0] for z in np.flatnonzero(lesion.mask.any(axis=(1, 2)))
    ]
    middle = dict(contours)[lesion.axis_slice][0]
    radius = np.linalg.norm(middle[:, :2] - 30, axis=1)
    assert radius.min() > 4.5
    assert radius.max() < 7.5


@pytest.mark.parametrize("point", [(10, 10, 10), (-50, 0, 0)], ids=["plain lung", "outside the scan"])
def test_a_click_on_nothing_is_refused(point):
    with pytest.raises(segmentation.NoLesionHere):
        segmentation.segment_lesion_at(empty_lung(), point)


def test_every_simulated_nodule_is_found_and_measured_within_five_percent(visits, found_in):
    for visit, scan in visits.items():
        found = found_in[visit]
        for nodule in scan.nodules:
            near = [
                lesion
                for lesion in found
                if np.linalg.norm(np.subtract(lesion.centre_lps_mm, nodule.centre_lps_mm)) < 2
            ]
            assert len(near) == 1
            assert near[0].volume.value == pytest.approx(nodule.volume_mm3, rel=0.05)
            assert near[0].side == ("L" if nodule.centre_lps_mm[0] > 0 else "R")
        assert len(found) <= len(scan.nodules) + 3


def test_the_location_is_said_in_plain_words(found_in):
    surest = {lesion.location for lesion in found_in[1][:2]}

    assert surest == {"left lung, middle third", "right lung, upper third"}


def test_a_scan_turned_upside_down_keeps_the_patients_side(visits):
    """The array is flipped, the geometry with it: right must stay right."""
    scan = visits[1]
    x, y, z = scan.grid.to_lps_mm([scan.grid.shape_zyx[0] - 1, 0, scan.grid.shape_zyx[2] - 1])[0]
    turned = Grid(
        scan.grid.shape_zyx, scan.grid.spacing_xyz_mm, (x, y, z), (-1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0)
    )
    volume = Volume(scan.array[::-1, :, ::-1].copy(), turned)
    nodule = scan.nodules[0]

    found = segmentation.find_nodules(volume)

    near = [n for n in found if np.linalg.norm(np.subtract(n.centre_lps_mm, nodule.centre_lps_mm)) < 2]
    assert [n.side for n in near] == ["R"]


def test_lungs_have_a_human_volume_and_leave_out_the_trachea_and_the_outside(visits):
    scan = visits[1]

    lungs = segmentation.segment_lungs(as_volume(scan))

    assert 3000 < lungs.sum() * scan.grid.voxel_mm3 / 1000 < 6000
    assert not lungs[:, 0].any()
    trachea = np.rint(scan.grid.to_index_zyx(scan.from_reference_mm([-1.0, 8.0, 85.0]))[0]).astype(int)
    assert not lungs[tuple(trachea)]


def test_a_volume_without_lungs_is_refused():
    grid = Grid((20, 60, 60), (5.0, 5.0, 5.0), (0.0, 0.0, 0.0), AXES)
    array = np.full(grid.shape_zyx, -1000, dtype=np.int16)
    array[:, 10:50, 10:50] = 40

    with pytest.raises(segmentation.LungsNotFound, match="chest CT"):
        segmentation.segment_lungs(Volume(array, grid))


def test_a_volume_that_is_not_ct_is_refused():
    grid = Grid((5, 5, 5), (5.0, 5.0, 5.0), (0.0, 0.0, 0.0), AXES)
    volume = Volume(np.zeros(grid.shape_zyx), grid, unit="1")

    with pytest.raises(segmentation.NotHounsfield):
        segmentation.segment_lungs(volume)
    with pytest.raises(segmentation.NotHounsfield):
        segmentation.segment_lesion_at(volume, (10, 10, 10))


def test_real_lungs_are_found_without_the_gas_in_the_bowel(real_ct):
    lungs = segmentation.segment_lungs(real_ct)

    assert 1000 < lungs.sum() * real_ct.grid.voxel_mm3 / 1000 < 1600
    assert not lungs[:18].any()  # the abdomen


def test_an_eight_millimetre_nodule_put_into_the_real_lung_is_found(real_ct):
    place = (-95.0, 20.0, -200.0)
    scan = simulation.insert_nodule(real_ct, place, 8.0)

    found = segmentation.find_nodules(scan)

    near = [n for n in found if np.linalg.norm(np.subtract(n.centre_lps_mm, place)) < 4]
    assert len(near) == 1
    assert near[0].volume.value == pytest.approx(sphere_mm3(8), rel=0.2)
    assert len(found) <= 4
