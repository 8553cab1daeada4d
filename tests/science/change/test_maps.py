"""Maps of change: silent where only noise and technique differ, and lesions of known size found.

Truth by construction: a body of ellipsoids drawn from a formula, scanned twice with independent noise.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from sightline.science import change
from sightline.science.alignment import Alignment
from sightline.science.geometry import Grid
from sightline.science.volumes import Volume
from tests.proofs import LONG

AXES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SHAPE = (48, 80, 96)
SCAN = Grid(SHAPE, (1.5, 1.5, 1.5), (-71.25, -59.25, -35.25), AXES)
CT = change.Technique("CT", "none")


def aligned(*, shift=(0.0, 0.0, 0.0), verdict="good", error_mm=1.0):
    grid = SCAN.resampled((4.0, 4.0, 4.0))
    field = np.zeros((*grid.shape_zyx, 3), np.float32) + np.array(shift, np.float32)
    return Alignment(
        verdict, "by hand", (), grid, field, np.full(grid.shape_zyx, error_mm, np.float32), "by hand"
    )


def places(grid=SCAN):
    return grid.to_lps_mm(np.indices(grid.shape_zyx).reshape(3, -1).T).reshape(*grid.shape_zyx, 3)


def body(points, seed):
    """Return HU at points: soft tissue with two lungs, a bone, and twenty vessels, nodes and cysts."""
    rng = np.random.default_rng(seed)
    values = np.full(points.shape[:-1], -1000.0, np.float32)
    parts = [
        ((0, 0, 0), (60, 46, 200), 40), ((-25, 0, 0), (18, 30, 60), -850), ((25, 0, 0), (18, 30, 60), -850),
        ((0, 34, 0), (8, 8, 200), 400),
    ]  # fmt: skip
    for _ in range(20):
        r = rng.uniform(2, 7)
        parts.append(
            (rng.uniform((-45, -35, -30), (45, 30, 30)), (r, r, 3 * r), rng.choice([-90, 20, 90, 160]))
        )
    for centre, radii, hu in parts:
        away = np.linalg.norm((points - np.array(centre)) / np.array(radii), axis=-1)
        share = np.clip(0.5 - (away - 1) * min(radii) / 1.5, 0, 1)
        values += share * (hu - values)
    return values


def noise(rng, shape, sigma, width=0.6):
    """Return noise as correlated as a soft kernel leaves it."""
    field = ndimage.gaussian_filter(rng.normal(size=shape).astype(np.float32), width)
    return field / field.std() * np.float32(sigma)


@pytest.fixture(scope="module")
def still():
    return body(places(), 3)


def scan(values, *, unit="HU", grid=SCAN):
    return Volume(values.astype(np.float32), grid, unit=unit)


def repeat(rng, still):
    return scan(still + noise(rng, SHAPE, 15))


def at_lower_dose(rng, still):
    return scan(still + noise(rng, SHAPE, 40))


def by_a_softer_kernel(rng, still):
    return scan(ndimage.gaussian_filter(still, 0.6) + noise(rng, SHAPE, 8, 1.2))


def in_slices_of_six_mm(rng, still):
    thick = still.reshape(12, 4, *SHAPE[1:]).mean(1)
    grid = replace(
        SCAN, shape_zyx=thick.shape, spacing_xyz_mm=(1.5, 1.5, 6.0), origin_lps_mm=(-71.25, -59.25, -33.0)
    )
    return scan(thick + noise(rng, thick.shape, 10), grid=grid)


def half_a_millimetre_off(rng, still):
    """A bend that the alignment missed, as smooth as those it finds: why edges are never trusted fully."""
    bend = np.stack([ndimage.gaussian_filter(rng.standard_normal(SHAPE), 20 / 1.5) for _ in range(3)], -1)
    bend *= 0.5 / np.linalg.norm(bend, axis=-1).mean()
    return scan(body(places() + bend, 3) + noise(rng, SHAPE, 15))


PRIORS = [repeat, at_lower_dose, by_a_softer_kernel, in_slices_of_six_mm, half_a_millimetre_off]


@pytest.mark.parametrize("prior", PRIORS, ids=lambda taken: taken.__name__)
def test_noise_dose_kernel_and_thickness_light_nothing_up(prior, still):
    """Five maps in a hundred may; the bench counts them over many seeds."""
    rng = np.random.default_rng(1)
    found = change.change_map(repeat(rng, still), prior(rng, still), aligned(), techniques=(CT, CT))

    assert found.clusters == ()


def test_thick_slices_now_and_thin_then_light_nothing_up(still):
    rng = np.random.default_rng(5)
    thick = in_slices_of_six_mm(rng, still)

    assert change.change_map(thick, repeat(rng, still), aligned()).clusters == ()


@pytest.mark.parametrize("error", [0.0, 0.6], ids=["known", "unknown"])
def test_a_shift_within_a_voxel_lights_nothing_up(error, still):
    """0.6 mm that the alignment does not know of, and 0.6 mm that it does, off the grid."""
    rng = np.random.default_rng(2)
    moved = scan(body(places() - 0.6, 3) + noise(rng, SHAPE, 15))
    known = aligned(shift=(0.6 - error,) * 3)

    assert change.change_map(repeat(rng, still), moved, known).clusters == ()


def test_another_scale_and_gain_of_mr_light_nothing_up(still):
    rng = np.random.default_rng(7)
    now = (repeat(rng, still).array + 1000) * 0.7
    gain = 3.1 * np.exp(0.3 * places()[..., 0] / 60)
    then = (repeat(rng, still).array + 1000) * gain
    found = change.change_map(scan(now, unit="1"), scan(then, unit="1"), aligned())

    assert found.clusters == ()
    assert np.nanmedian(found.ratio) == pytest.approx(1.0, abs=0.02)


def with_lesion(still, centre, diameter, hu):
    """Return the body with a sphere whose edge is as soft as a voxel."""
    away = np.linalg.norm(places() - centre, axis=-1)
    return still + np.float32(hu) * np.clip(0.5 - (away - diameter / 2) / 1.5, 0, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("diameter", "hu", "sign"), [(6, 80, "increase"), (8, -60, "decrease"), (10, 40, "increase")]
)
def test_a_lesion_is_found_where_it_is_and_nothing_else(diameter, hu, sign, still):
    centre = np.array([2.0, -14.0, 3.0])
    rng = np.random.default_rng(11)
    now = scan(with_lesion(still, centre, diameter, hu) + noise(rng, SHAPE, 15))
    found = change.change_map(now, repeat(rng, still), aligned())

    assert [cluster.sign for cluster in found.clusters] == [sign]
    lesion = found.clusters[0]
    assert np.linalg.norm(np.subtract(lesion.centre_lps_mm, centre)) < 2.0
    assert lesion.q <= 0.05
    assert lesion.volume.unit == "mm3"
    assert lesion.volume.value == pytest.approx(np.pi / 6 * diameter**3, rel=0.8)
    assert lesion.difference.unit == "[hnsf'U]"
    assert lesion.difference.low < lesion.difference.value < lesion.difference.high
    assert found.mask_of(sign).sum() * SCAN.voxel_mm3 == pytest.approx(lesion.volume.value)


def test_swapping_the_two_scans_turns_every_sign(still):
    rng = np.random.default_rng(12)
    one = scan(with_lesion(still, np.array([2.0, -14.0, 3.0]), 8, 80) + noise(rng, SHAPE, 15))
    other = repeat(rng, still)
    forth, back = (change.change_map(a, b, aligned()) for a, b in ((one, other), (other, one)))

    assert [c.sign for c in forth.clusters] == ["increase"]
    assert [c.sign for c in back.clusters] == ["decrease"]
    assert np.nanmax(np.abs(forth.z + back.z)) < 1.0


def test_z_of_noise_is_a_standard_normal_at_most(still):
    rng = np.random.default_rng(13)
    flat = np.full(SHAPE, 40.0, np.float32)
    found = change.change_map(*(scan(flat + noise(rng, SHAPE, 12)) for _ in range(2)), aligned())
    z = found.z[np.isfinite(found.z)]

    assert 0.85 < z.std() < 1.05
    assert np.abs(z.mean()) < 0.05


def test_lung_that_is_inflated_less_is_not_denser_by_change():
    """Mass is kept: of (HU + 1000) times volume; a lung at 0.85^3 of its volume is 1.63 times as dense."""
    rng = np.random.default_rng(14)
    shrink = 0.85
    grid = SCAN.resampled((4.0, 4.0, 4.0))
    # What is at p now was at p / 0.85 then: the prior is inflated more.
    field = (places(grid) * (1 / shrink - 1)).astype(np.float32)
    known = Alignment("good", "", (), grid, field, np.ones(grid.shape_zyx, np.float32), "")
    then_hu = -850.0
    now_hu = (then_hu + 1000) / shrink**3 - 1000
    then = scan(np.full(SHAPE, then_hu, np.float32) + noise(rng, SHAPE, 10))
    now = scan(np.full(SHAPE, now_hu, np.float32) + noise(rng, SHAPE, 10))
    found = change.change_map(now, then, known)

    assert np.nanmedian(np.abs(found.difference)) < 5
    assert np.nanmedian(np.exp(found.log_jacobian)) == pytest.approx(shrink**3, rel=0.02)


def test_growth_is_read_from_the_map_alone():
    """What is twice as long now has 8 times its volume: ln 8."""
    grid = SCAN.resampled((4.0, 4.0, 4.0))
    field = (-0.2 * places(grid)).astype(np.float32)
    known = replace(aligned(), grid=grid, displacement_mm=field, error_mm=np.ones(grid.shape_zyx, np.float32))
    grown = change.log_jacobian(known, SCAN)

    assert grown[24, 40, 48] == pytest.approx(-3 * np.log(0.8), abs=1e-3)


def test_a_map_that_folds_says_nothing_of_growth():
    grid = SCAN.resampled((4.0, 4.0, 4.0))
    field = (-1.5 * places(grid)).astype(np.float32)
    known = replace(aligned(), grid=grid, displacement_mm=field, error_mm=np.ones(grid.shape_zyx, np.float32))

    assert np.isnan(change.log_jacobian(known, SCAN)).all()


# The real CT ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def warped(real_ct):
    """Return a real CT of half its pixels, itself warped by a known map, and that map."""
    array = real_ct.array[:, ::2, ::2].astype(np.float32)
    x, y, z = real_ct.grid.spacing_xyz_mm
    grid = replace(real_ct.grid, shape_zyx=array.shape, spacing_xyz_mm=(2 * x, 2 * y, z))
    coarse = grid.resampled((4.0, 4.0, 4.0))
    points = places(coarse)
    waves = [4.0 * np.sin(points[..., (k + 1) % 3] / 40.0 + k) for k in range(3)]
    error = np.ones(coarse.shape_zyx, np.float32)
    known = Alignment("good", "", (), coarse, np.stack(waves, -1).astype(np.float32), error, "known")
    # The prior holds at p + d(p) what the current scan holds at p.
    nodes = points.reshape(-1, 3)
    inverse = (known.inverse_points(nodes) - nodes).reshape(points.shape).astype(np.float32)
    sources = replace(known, displacement_mm=inverse).map_points(places(grid).reshape(-1, 3))
    index = grid.to_index_zyx(sources).T
    moved = ndimage.map_coordinates(array, index, order=3, mode="nearest").reshape(array.shape)
    return array, moved, grid, known


@LONG
def test_a_real_ct_warped_and_noisier_lights_nothing_up_and_a_lesion_in_it_is_found(warped):
    array, moved, grid, known = warped
    rng = np.random.default_rng(21)
    soft = ndimage.binary_erosion((array > 0) & (array < 120), iterations=5)
    centre = grid.to_lps_mm(np.argwhere(soft)[soft.sum() // 2])[0]
    then = scan(moved + noise(rng, array.shape, 12), grid=grid)
    still = array + noise(rng, array.shape, 12)
    away = np.linalg.norm(places(grid) - centre, axis=-1)
    lesion = still + 60 * np.clip(0.5 - (away - 7) / 2, 0, 1)
    silent, told = (change.change_map(scan(now, grid=grid), then, known) for now in (still, lesion))

    assert silent.clusters == ()
    assert [cluster.sign for cluster in told.clusters] == ["increase"]
    assert np.linalg.norm(np.subtract(told.clusters[0].centre_lps_mm, centre)) < 4


# What is refused ---------------------------------------------------------------------------------------


@pytest.fixture
def pair(still):
    rng = np.random.default_rng(1)
    return repeat(rng, still), repeat(rng, still)


def test_a_failed_alignment_makes_no_map(pair):
    with pytest.raises(change.AlignmentNotTrusted, match="could not be aligned"):
        change.change_map(*pair, aligned(verdict="failed"))


def test_another_modality_makes_no_map(pair):
    with pytest.raises(change.ModalityDiffers, match="same kind"):
        change.change_map(pair[0], replace(pair[1], unit="1"), aligned())


def test_activity_is_not_compared_before_it_is_uptake(pair):
    with pytest.raises(change.ModalityDiffers, match="SUV"):
        change.change_map(*(replace(one, unit="BQML") for one in pair), aligned())


@pytest.mark.parametrize(("now", "then"), [("none", "given"), ("arterial", "portal"), ("portal", "none")])
def test_another_phase_by_header_makes_no_map(now, then, pair):
    techniques = (change.Technique("CT", now), change.Technique("CT", then))

    with pytest.raises(change.ContrastDiffers, match=f"{now} now, {then} then"):
        change.change_map(*pair, aligned(), techniques=techniques)


def test_another_phase_is_seen_in_soft_tissue_where_headers_are_silent(pair):
    enhanced = pair[0].array + np.where((pair[0].array > -50) & (pair[0].array < 200), 35, 0)

    with pytest.raises(change.ContrastDiffers, match="Soft tissue differs"):
        change.change_map(scan(enhanced), pair[1], aligned())


def test_another_weighting_makes_no_map(pair):
    now, then = (replace(one, unit="1") for one in pair)
    techniques = (change.Technique("MR", "none", "T1"), change.Technique("MR", "none", "FLAIR"))

    with pytest.raises(change.WeightingDiffers, match="T1 now and FLAIR then"):
        change.change_map(now, then, aligned(), techniques=techniques)


def test_a_prior_of_another_place_makes_no_map(pair):
    with pytest.raises(change.TooLittleShared, match="choose a prior of the same region"):
        change.change_map(*pair, aligned(shift=(0.0, 0.0, 60.0)))


def test_a_region_on_another_grid_is_refused(pair):
    with pytest.raises(change.UnusableRegion, match="grid of the current scan"):
        change.change_map(*pair, aligned(), within=np.ones((2, 2, 2), bool))


def test_what_headers_do_not_say_is_told(pair):
    said = change.Technique("CT", "none")
    found = change.change_map(*pair, aligned(), techniques=(said, change.Technique("CT")))

    assert "Whether contrast was given is not known of both scans." in found.notes
