"""Heads in different contrasts: aligned where they are one head, refused where they are not."""

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from sightline.science import alignment
from sightline.science.alignment._information import LEVELS, information
from sightline.science.alignment._likeness import local_information, shared_edges
from sightline.science.alignment._pairs import UnknownModel
from sightline.science.geometry import Grid
from sightline.science.volumes import Volume
from tests.science.alignment.heads import FIRST, SECOND, error_mm, head, motion


@pytest.fixture(scope="module")
def across():
    """Return the alignment of a moved head in one contrast with the same head in another."""
    return alignment.align(head(1, FIRST, motion()), head(1, SECOND))


def test_two_contrasts_of_one_head_align_to_half_a_voxel(across):
    """AAPM TG-132 asks of rigid alignment for half a voxel: 1.25 mm of 2.5 mm."""
    error = error_mm(across, motion())

    assert across.verdict == "good"
    assert error.max() < 1.25
    assert np.allclose(across.matrix[:3, :3] @ across.matrix[:3, :3].T, np.eye(3), atol=1e-9)


def test_every_test_of_the_verdict_is_shown(across):
    assert [test.unit for test in across.tests] == ["%", "%", "1", "mm", "%"]
    assert "mutual information" in across.method


def test_a_matrix_survives_being_stored(across):
    again = alignment.Alignment.from_bytes(across.to_bytes())

    assert np.array_equal(again.matrix, across.matrix)


def test_another_head_is_refused():
    found = alignment.align(head(1, FIRST, motion()), head(2, SECOND))

    assert found.verdict == "failed"


@pytest.mark.parametrize("axis", [0, 2])
def test_a_flipped_head_is_refused(axis):
    prior = head(1, SECOND)
    flipped = prior.with_array(np.ascontiguousarray(np.flip(prior.array, axis)))

    assert alignment.align(head(1, FIRST, motion()), flipped).verdict == "failed"


def test_an_affine_map_is_found_where_it_is_asked_for():
    stretched = motion(3.0, (2.0, -3.0, 1.0))
    stretched[:3, :3] = stretched[:3, :3] @ np.diag([1.06, 0.95, 1.04])

    found = alignment.align(head(1, FIRST, stretched), head(1, SECOND), model="affine")

    assert found.verdict == "good"
    assert error_mm(found, stretched).max() < 1.25
    assert alignment.jacobian_of(found)[0, 0, 0] == pytest.approx(np.linalg.det(stretched[:3, :3]), rel=0.02)


def test_an_unknown_model_is_refused():
    with pytest.raises(UnknownModel, match="say auto"):
        alignment.align(head(1), head(1), model="magic")


def test_information_is_two_for_any_renaming_and_one_for_chance():
    """Studholme 1999: NMI lies between 1 (independent) and 2 (one determines the other)."""
    levels = np.random.default_rng(0).integers(0, LEVELS, 200_000).astype(np.uint8)
    other = np.random.default_rng(1).integers(0, LEVELS, 200_000).astype(np.uint8)

    assert information(levels, (levels * 5 % LEVELS).astype(np.uint8)) == pytest.approx(2.0)
    assert information(levels, other) == pytest.approx(1.0, abs=1e-3)


def test_blocks_know_when_they_are_ten_millimetres_off():
    rng = np.random.default_rng(0)
    texture = ndimage.gaussian_filter(rng.standard_normal((45, 45, 45)), 1.5)
    ranks = np.digitize(texture, np.quantile(texture, np.linspace(0, 1, LEVELS + 1)[1:-1])).astype(np.uint8)
    renamed = (15 - ranks).astype(np.uint8)
    everywhere = np.ones(ranks.shape, dtype=bool)
    blocks = {"block_mm": 30.0, "shifts_mm": (5.0, 10.0)}

    assert local_information(ranks, renamed, everywhere, 2.0, **blocks).all()
    assert not local_information(ranks, np.roll(renamed, 5, axis=1), everywhere, 2.0, **blocks).any()


def test_edges_are_shared_by_any_contrast_and_not_by_chance():
    """Haber and Modersitzki 2006: the squared cosine is blind to the sign of contrast; its mean is 1/3."""
    rng = np.random.default_rng(3)
    one, two = (
        ndimage.gaussian_filter(rng.standard_normal((45, 45, 45)), 1.5).astype(np.float32) for _ in range(2)
    )
    everywhere = np.ones(one.shape, dtype=bool)

    assert shared_edges(one, -2 * one, everywhere, 2.0, block_mm=30.0) == pytest.approx(1.0, abs=1e-6)
    assert np.abs(shared_edges(one, two, everywhere, 2.0, block_mm=30.0).mean()) < 0.05


# --- Real heads -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sclerosis(data_folder):
    folder = data_folder / "longitudinal" / "ms-lesion-patient12" / "raw"
    if not folder.exists():
        pytest.skip("the MS patient is not in the shared test data")
    return folder


def from_nifti(path):
    """Return a NIfTI image (RAS, x y z) as a volume (LPS, z y x)."""
    image = nibabel.load(path)
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    flip = np.diag([-1.0, -1.0, 1.0])
    u, _, v = np.linalg.svd(flip @ image.affine[:3, :3] / spacing)
    array = np.ascontiguousarray(np.asarray(image.dataobj, np.float32).squeeze().transpose(2, 1, 0))
    origin = tuple((flip @ image.affine[:3, 3]).tolist())
    return Volume(
        array, Grid(array.shape, tuple(spacing.tolist()), origin, tuple((u @ v).ravel().tolist())), "1"
    )


def itk_affine(path):
    lines = dict(line.split(": ", 1) for line in path.read_text().splitlines() if ": " in line)
    values, centre = (np.array(lines[name].split(), float) for name in ("Parameters", "FixedParameters"))
    affine = np.eye(4)
    affine[:3, :3] = values[:9].reshape(3, 3)
    affine[:3, 3] = centre + values[9:] - affine[:3, :3] @ centre
    return affine


def test_two_visits_of_a_real_head_agree_with_the_data_sets_own_alignment(sclerosis):
    """Lesjak, Neuroinformatics 2016: FLAIR at two visits, registered by the authors; voxels of 3 mm."""
    current, prior = (from_nifti(sclerosis / f"study{k}_FLAIR.nii.gz") for k in (2, 1))
    to_prior, to_current = (itk_affine(sclerosis / f"study{k}_FLAIR_to_common_space.txt") for k in (1, 2))
    found = alignment.align(current, prior)
    points = current.grid.to_lps_mm(np.argwhere(current.array > np.percentile(current.array, 90))[::500])
    theirs = np.column_stack([points, np.ones(len(points))]) @ (to_prior @ np.linalg.inv(to_current)).T

    assert found.verdict == "good"
    assert np.linalg.norm(found.map_points(points) - theirs[:, :3], axis=1).mean() < 1.0
