"""Registrations written as DICOM (PS3.3 C.20.2, C.20.3), judged by dciodvfy, and read back to map points."""

import io
from datetime import UTC, datetime

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from sightline.record import derived
from sightline.record.derived import IncompleteSource, UntrustedAlignment, UnusableRegistration
from sightline.science.alignment import Alignment
from sightline.science.geometry import Grid
from tests.dciodvfy import errors_of

MOMENT = datetime(2025, 7, 4, 12, 30, tzinfo=UTC)
STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
GRID = Grid((6, 8, 10), (4.0, 4.0, 4.0), (-20.0, -16.0, -12.0), STRAIGHT)
CURRENT, PRIOR = "1.2.3.4", "1.2.3.5"


def images(frame_uid, study_uid, count=3):
    made = []
    for z in range(count):
        ds = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
        ds.FrameOfReferenceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = (
            frame_uid,
            study_uid,
            study_uid + ".1",
        )
        ds.SOPInstanceUID = f"{study_uid}.1.{z + 1}"
        ds.PatientSex, ds.StudyID = "O", "1"
        made.append(ds)
    return made


@pytest.fixture
def current():
    return images(CURRENT, "1.2.840.99.1")


@pytest.fixture
def prior():
    return images(PRIOR, "1.2.840.99.2")


def alignment(displacement, *, grid=GRID, matrix=None, verdict="good"):
    error = np.ones(grid.shape_zyx, np.float32)
    return Alignment(
        verdict, "All tests passed.", (), grid, displacement.astype(np.float32), error, "a test", matrix
    )


def turned_and_shifted():
    """Return a rotation by 30 degrees about z and a shift, current to prior."""
    matrix = np.eye(4)
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    matrix[:2, :2] = [[c, -s], [s, c]]
    matrix[:3, 3] = (5.0, -7.0, 11.0)
    return matrix


def points_in(grid=GRID, count=50):
    rng = np.random.default_rng(3)
    return grid.to_lps_mm(rng.uniform(0, np.array(grid.shape_zyx) - 1, (count, 3)))


def sampled(matrix, grid=GRID):
    points = grid.to_lps_mm(np.indices(grid.shape_zyx).reshape(3, -1).T)
    return (points @ matrix[:3, :3].T + matrix[:3, 3] - points).reshape(*grid.shape_zyx, 3)


def again(ds):
    return pydicom.dcmread(io.BytesIO(derived.encode(ds)))


def build(found, current, prior, **more):
    return derived.build_registration(found, current, prior, moment=MOMENT, **more)


def there(ds, points):
    return derived.read_registration(again(ds)).map_points(points, source=CURRENT, target=PRIOR)


def back(ds, points):
    return derived.read_registration(again(ds)).map_points(points, source=PRIOR, target=CURRENT)


def test_a_matrix_takes_points_of_the_prior_into_the_current_study(current, prior):
    """C.20.2: from source to registered, so what is written is the inverse of our map."""
    map_ = turned_and_shifted()
    ds = again(build(alignment(sampled(map_), matrix=map_), current, prior))
    one = ds.RegistrationSequence[1].MatrixRegistrationSequence[0].MatrixSequence[0]
    written = np.array(one.FrameOfReferenceTransformationMatrix, float).reshape(4, 4)

    assert ds.SOPClassUID.name == "Spatial Registration Storage"
    assert (ds.FrameOfReferenceUID, ds.RegistrationSequence[1].FrameOfReferenceUID) == (CURRENT, PRIOR)
    assert one.FrameOfReferenceTransformationMatrixType == "RIGID"
    assert np.allclose(written @ map_, np.eye(4), atol=1e-9)


def test_a_known_rotation_and_shift_map_alike_as_matrix_and_as_field(current, prior):
    map_ = turned_and_shifted()
    points = points_in()
    goal = points @ map_[:3, :3].T + map_[:3, 3]

    for matrix in (map_, None):
        ds = build(alignment(sampled(map_), matrix=matrix), current, prior)
        assert np.abs(there(ds, points) - goal).max() < 0.01
        assert np.abs(back(ds, goal) - points).max() < 0.01


def test_an_affine_map_says_so(current, prior):
    map_ = turned_and_shifted()
    map_[:3, :3] *= 1.05
    ds = build(alignment(sampled(map_), matrix=map_), current, prior)
    one = ds.RegistrationSequence[1].MatrixRegistrationSequence[0].MatrixSequence[0]

    assert one.FrameOfReferenceTransformationMatrixType == "AFFINE"
    assert (
        np.abs(there(ds, points_in()) - alignment(sampled(map_), matrix=map_).map_points(points_in())).max()
        < 0.01
    )


def test_one_vector_stands_at_its_place_in_the_bytes(current, prior):
    """C.20.3.1.3: x runs fastest, then rows, then planes; triples of 32-bit floats."""
    field = np.zeros((*GRID.shape_zyx, 3))
    field[2, 3, 4] = (1.5, -2.5, 3.5)
    ds = again(build(alignment(field), current, prior))
    (vectors,) = ds.DeformableRegistrationSequence[0].DeformableRegistrationGridSequence
    floats = np.frombuffer(vectors.VectorGridData, "<f4")
    place = 3 * (4 + 10 * (3 + 8 * 2))

    assert list(vectors.GridDimensions) == [10, 8, 6]
    assert len(vectors.VectorGridData) == 10 * 8 * 6 * 12
    assert floats[place : place + 3].tolist() == [1.5, -2.5, 3.5]
    assert np.count_nonzero(floats) == 3
    at = GRID.to_lps_mm([[2, 3, 4], [2, 3, 6]])
    assert np.allclose(there(ds, at) - at, [[1.5, -2.5, 3.5], [0, 0, 0]])


def test_the_field_runs_from_the_current_to_the_prior_study(current, prior):
    """C.20.3.1.1: the registered space is the start, against the direction of C.20.2."""
    field = np.zeros((*GRID.shape_zyx, 3))
    field[..., 0] = 8.0
    ds = again(build(alignment(field), current, prior))

    assert ds.FrameOfReferenceUID == CURRENT
    assert ds.DeformableRegistrationSequence[0].SourceFrameOfReferenceUID == PRIOR
    assert "PreDeformationMatrixRegistrationSequence" not in ds.DeformableRegistrationSequence[0]
    assert there(ds, [[0, 0, 0]])[0].tolist() == [8.0, 0.0, 0.0]


def test_where_the_prior_has_nothing_the_map_is_undefined(current, prior):
    field = np.zeros((*GRID.shape_zyx, 3))
    half = GRID.cropped((0, 0, 0), (6, 8, 5))
    ds = build(alignment(field), current, prior, prior_grid=half)

    mapped = there(ds, GRID.to_lps_mm([[2, 2, 2], [2, 2, 8]]))
    assert np.isfinite(mapped[0]).all()
    assert np.isnan(mapped[1]).all()
    outside = there(ds, [[500.0, 0, 0]])
    assert np.isnan(outside).all()


def test_a_left_handed_grid_is_written_right_handed_with_the_same_map(current, prior):
    left = Grid((6, 8, 10), (4.0, 4.0, 4.0), (-20.0, -16.0, 12.0), (1, 0, 0, 0, 1, 0, 0, 0, -1))
    map_ = turned_and_shifted()
    found = alignment(sampled(map_, left), grid=left)

    assert (
        np.abs(there(build(found, current, prior), points_in(left)) - found.map_points(points_in(left))).max()
        < 0.01
    )


@pytest.mark.parametrize("linear", [True, False])
def test_a_validator_finds_no_error(current, prior, linear, tmp_path):
    map_ = turned_and_shifted()
    ds = build(alignment(sampled(map_), matrix=map_ if linear else None), current, prior)

    assert errors_of(derived.encode(ds), tmp_path) == []


def test_the_same_alignment_has_the_same_uids_and_another_has_others(current, prior):
    field = np.zeros((*GRID.shape_zyx, 3))
    first, second = (build(alignment(field), current, prior) for _ in range(2))
    third = build(alignment(field + 1), current, prior)

    assert first.SOPInstanceUID == second.SOPInstanceUID != third.SOPInstanceUID
    assert first.StudyInstanceUID == current[0].StudyInstanceUID


def test_all_images_of_both_series_can_be_found(current, prior):
    map_ = turned_and_shifted()
    ds = build(alignment(sampled(map_), matrix=map_), current, prior)
    (elsewhere,) = ds.StudiesContainingOtherReferencedInstancesSequence

    assert len(ds.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == 3
    assert elsewhere.StudyInstanceUID == prior[0].StudyInstanceUID
    assert ds.ContentDescription == "good: All tests passed."


def test_a_failed_alignment_is_never_written(current, prior):
    with pytest.raises(UntrustedAlignment):
        build(alignment(np.zeros((*GRID.shape_zyx, 3)), verdict="failed"), current, prior)


def test_images_without_a_frame_of_reference_or_of_two_people_are_refused(current, prior):
    found = alignment(np.zeros((*GRID.shape_zyx, 3)))
    del prior[0].FrameOfReferenceUID
    with pytest.raises(IncompleteSource, match="prior images"):
        build(found, current, prior)
    prior[0].FrameOfReferenceUID = PRIOR
    for ds in prior:
        ds.PatientID = "another"
    with pytest.raises(IncompleteSource, match="different patients"):
        build(found, current, prior)


def foreign(**grid):
    """Return a deformable registration as another maker might write it: matrices before and after."""
    item, vectors, before, after, ds = Dataset(), Dataset(), Dataset(), Dataset(), Dataset()
    vectors.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    vectors.ImagePositionPatient = [0, 0, 0]
    vectors.GridDimensions = grid.get("dimensions", [2, 2, 2])
    vectors.GridResolution = grid.get("resolution", [10.0, 10.0, 10.0])
    vectors.VectorGridData = grid.get("data", np.tile(np.array([1, 2, 3], "<f4"), 8).tobytes())
    for part, numbers in ((before, [1, 0, 0, 10]), (after, [2, 0, 0, 0])):
        part.FrameOfReferenceTransformationMatrix = [*numbers, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
        part.FrameOfReferenceTransformationMatrixType = "AFFINE"
    item.SourceFrameOfReferenceUID = PRIOR
    item.PreDeformationMatrixRegistrationSequence = [before]
    item.PostDeformationMatrixRegistrationSequence = [after]
    item.DeformableRegistrationGridSequence = [vectors]
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.66.3", generate_uid()
    ds.FrameOfReferenceUID = CURRENT
    ds.DeformableRegistrationSequence = [item]
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    return ds


def test_anothers_registration_with_matrices_before_and_after_is_read():
    """By hand, C.20.3.1.1: x: 2 (3 + 10 + 1) = 28; y: 4 + 2 = 6; z: 5 + 3 = 8."""
    space = derived.read_registration(again(foreign()))

    there = space.map_points([[3, 4, 5]], source=CURRENT, target=PRIOR)
    assert there.tolist() == [[28.0, 6.0, 8.0]]
    assert np.allclose(space.map_points(there, source=PRIOR, target=CURRENT), [[3, 4, 5]], atol=0.01)


@pytest.mark.parametrize(
    ("grid", "why"),
    [
        ({"data": b"\0" * 12}, "one vector for each"),
        ({"dimensions": [0, 2, 2]}, "no vectors"),
        ({"dimensions": [100_000, 100_000, 100_000]}, "too many"),
        ({"resolution": [0.0, 1.0, 1.0]}, "axes or resolution"),
        ({"resolution": [1.0, 1.0]}, "3 finite numbers"),
    ],
)
def test_a_hostile_grid_is_refused(grid, why):
    with pytest.raises(UnusableRegistration, match=why):
        derived.read_registration(again(foreign(**grid)))


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        ([0] * 15 + [1], "inverted"),
        ([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1], "not affine"),
        ([2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], "rigid and is not"),
        ([-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], "rigid and is not"),
        ([1, 0, 0, 0], "16 finite"),
    ],
)
def test_a_hostile_matrix_is_refused(current, prior, matrix, why):
    map_ = turned_and_shifted()
    ds = build(alignment(sampled(map_), matrix=map_), current, prior)
    one = ds.RegistrationSequence[1].MatrixRegistrationSequence[0].MatrixSequence[0]
    one.FrameOfReferenceTransformationMatrix = matrix

    with pytest.raises(UnusableRegistration, match=why):
        derived.read_registration(ds)


def test_what_is_no_registration_or_speaks_of_other_spaces_is_refused(current, prior):
    with pytest.raises(UnusableRegistration, match="no spatial registration"):
        derived.read_registration(current[0])
    space = derived.read_registration(again(foreign()))
    with pytest.raises(UnusableRegistration, match="does not speak"):
        space.map_points([[0, 0, 0]], source=CURRENT, target="1.2.999")
