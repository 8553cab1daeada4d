"""Images become a volume, or are refused with the reason."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from sightline.science import volumes

DATA = Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
FRAME = generate_uid()


def plain_slice(z_mm, value, *, shape=(8, 10), **changes):
    """Return one axial CT image; `changes` replace attributes, None removes them."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.Modality = "CT"
    ds.SOPInstanceUID = generate_uid()
    ds.FrameOfReferenceUID = FRAME
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Rows, ds.Columns = shape
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.PixelSpacing = [0.8, 0.7]
    ds.SliceThickness = 2.0
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.ImagePositionPatient = [-10.0, -20.0, float(z_mm)]
    ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
    pixels = (
        np.full(shape, value, dtype=np.int16) if np.isscalar(value) else np.asarray(value, dtype=np.int16)
    )
    ds.PixelData = pixels.tobytes()
    for name, changed in changes.items():
        if changed is None:
            delattr(ds, name)
        else:
            setattr(ds, name, changed)
    return ds


@pytest.fixture
def stack():
    return [plain_slice(2.0 * k, 1000 + k) for k in range(6)]


def test_slices_in_any_order_become_one_ascending_stack(stack):
    volume = volumes.assemble_volume([stack[k] for k in (3, 0, 5, 1, 4, 2)])

    assert volume.array[:, 0, 0].tolist() == [-24, -23, -22, -21, -20, -19]
    assert volume.sop_uids == tuple(ds.SOPInstanceUID for ds in stack)
    assert volume.grid.shape_zyx == (6, 8, 10)
    assert volume.grid.spacing_xyz_mm == (
        0.7,
        0.8,
        2.0,
    )  # Pixel Spacing is row distance, then column distance
    assert volume.grid.origin_lps_mm == (-10.0, -20.0, 0.0)
    assert (volume.unit, volume.array.dtype) == ("HU", np.int16)


def test_each_slice_is_rescaled_by_its_own_slope_and_intercept(stack):
    stack[2].RescaleSlope, stack[2].RescaleIntercept = 0.5, 10

    volume = volumes.assemble_volume(stack)

    assert volume.array[2, 0, 0] == 1002 * 0.5 + 10
    assert volume.array[3, 0, 0] == 1003 - 1024


def test_a_fractional_slope_keeps_fractions(stack):
    stack[1].RescaleSlope = 0.001

    assert volumes.assemble_volume(stack).array.dtype == np.float32


def test_slice_spacing_comes_from_positions_and_not_from_thickness_or_spacing_tags(stack):
    for ds in stack:
        ds.SliceThickness, ds.SpacingBetweenSlices = 5.0, 7.0

    assert volumes.assemble_volume(stack).grid.spacing_xyz_mm[2] == 2.0


def test_a_sagittal_stack_ascends_along_its_own_normal():
    images = [
        plain_slice(0, k, ImageOrientationPatient=[0, 1, 0, 0, 0, -1], ImagePositionPatient=[3.0 * k, 0, 0])
        for k in range(4)
    ]

    volume = volumes.assemble_volume(images)

    # Row x column = (0,1,0) x (0,0,-1) = (-1,0,0): the stack ascends to the patient's right.
    assert volume.grid.origin_lps_mm[0] == 9.0
    assert np.allclose(volume.grid.axes[:, 2], [-1, 0, 0])


def test_padding_becomes_air_and_is_not_rescaled_to_nonsense(stack):
    pixels = np.full((8, 10), 1000)
    pixels[0, 0] = -2000
    stack[0].PixelData = pixels.astype(np.int16).tobytes()
    for ds in stack:
        ds.PixelPaddingValue = -2000

    assert volumes.assemble_volume(stack).array[0, 0, 0] == -1024


def test_a_localizer_in_the_series_is_left_out_with_a_note(stack):
    scout = plain_slice(
        0, 1, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], ImageOrientationPatient=[0, 1, 0, 0, 0, -1]
    )

    volume = volumes.assemble_volume([scout, *stack])

    assert volume.grid.shape_zyx[0] == 6
    assert volume.notes == ("1 localizer images left out",)


def test_an_exact_double_is_left_out_with_a_note(stack):
    volume = volumes.assemble_volume([*stack, plain_slice(4.0, 1002)])

    assert volume.grid.shape_zyx[0] == 6
    assert volume.notes == ("1 doubled images left out",)


def test_two_different_images_at_one_place_are_never_averaged(stack):
    with pytest.raises(volumes.DuplicatePositions, match="phase, time or kernel"):
        volumes.assemble_volume([*stack, plain_slice(4.005, 1)])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda s: s[:2], volumes.TooFewSlices),
        (lambda s: s[:3] + s[4:], volumes.MissingSlices),
        (lambda s: [*s, plain_slice(10.5, 1)], volumes.VariableSpacing),
        (
            lambda s: [*s, plain_slice(12, 1, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])],
            volumes.MixedOrientations,
        ),
        (lambda s: [*s, plain_slice(12, 1, shape=(8, 12))], volumes.MixedShapes),
        (lambda s: [*s, plain_slice(12, 1, PixelSpacing=[0.7, 0.7])], volumes.MixedShapes),
        (lambda s: [*s, plain_slice(12, 1, FrameOfReferenceUID=generate_uid())], volumes.MixedFrames),
        (lambda s: [*s, plain_slice(12, 1, ImagePositionPatient=None)], volumes.MissingGeometry),
        (lambda s: [*s, plain_slice(12, 1, PixelSpacing=[0, 0])], volumes.MissingGeometry),
        (
            lambda s: [*s, plain_slice(12, 1, ImageOrientationPatient=[1, 0, 0, 1, 0, 0])],
            volumes.MissingGeometry,
        ),
        (lambda s: [*s, plain_slice(12, 1, PixelData=b"\0\0")], volumes.UnreadablePixels),
        (lambda s: [*s, plain_slice(12, 1, SamplesPerPixel=3)], volumes.NotGreyscale),
        (lambda s: [], volumes.TooFewSlices),
    ],
    ids=[
        "two slices",
        "a hole",
        "an odd step",
        "two orientations",
        "two sizes",
        "two pixel spacings",
        "two frames of reference",
        "no position",
        "zero spacing",
        "parallel rows and columns",
        "cut pixel data",
        "colour",
        "nothing",
    ],
)
def test_a_set_that_is_no_volume_is_refused_with_its_reason(stack, spoil, reason):
    with pytest.raises(reason):
        volumes.assemble_volume(spoil(stack))


def test_overlapping_slices_are_fine_and_true_gaps_are_told(stack):
    for ds in stack:
        ds.SliceThickness = 1.0

    assert volumes.assemble_volume(stack).notes == (
        "slices 1.00 mm thick stand 2.00 mm apart: tissue between is not imaged",
    )


def test_slightly_uneven_steps_are_taken_and_told():
    """A real PET scanner writes 3.19 and 3.29 mm in turn."""
    images = [plain_slice(z, 1000) for z in (0, 3.19, 6.48, 9.67, 12.96)]

    volume = volumes.assemble_volume(images)

    assert volume.grid.spacing_xyz_mm[2] == pytest.approx(3.24)
    assert "varies by up to 2 %" in volume.notes[0]


def test_a_tilted_gantry_is_straightened_so_that_a_line_along_z_stays_a_line():
    """A rod along patient z, seen by slices that stack along z but look 20 degrees up."""
    tilt = math.radians(20)
    column = [0.0, math.cos(tilt), -math.sin(tilt)]
    normal = np.cross([1, 0, 0], column)
    images = []
    for k in range(12):
        position = np.array([-10.0, -20.0, 3.0 * k])
        rows = np.arange(60)[:, None] * 0.8 * np.array(column) + position
        pixels = np.zeros((60, 40)) + 24
        rod = np.exp(-(((rows[:, 1] + 2.0) / 2.0) ** 2))  # centred at y = -2 mm
        pixels += 1000 * rod[:, None]
        images.append(
            plain_slice(
                0,
                pixels,
                shape=(60, 40),
                ImageOrientationPatient=[1, 0, 0, *column],
                ImagePositionPatient=position.tolist(),
            )
        )

    volume = volumes.assemble_volume(images)

    assert volume.resampled
    assert any("20.0 degrees" in note for note in volume.notes)
    assert np.allclose(volume.grid.axes[:, 2], normal)
    for z in range(12):
        profile = volume.array[z, :, 20].astype(float) + 1000
        profile[profile < 50] = 0
        row = (profile * np.arange(len(profile))).sum() / profile.sum()
        assert volume.grid.to_lps_mm([z, row, 20])[0, 1] == pytest.approx(-2.0, abs=0.15)


def test_positions_that_wander_sideways_are_refused(stack):
    stack[3].ImagePositionPatient = [-4.0, -20.0, 6.0]

    with pytest.raises(volumes.WanderingPositions):
        volumes.assemble_volume(stack)


def enhanced(count=5, *, positions=None):
    """Return an enhanced multi-frame CT with per-frame positions and rescale."""
    ds = plain_slice(0, 0, ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None)
    ds.NumberOfFrames = count
    pixels = np.stack([np.full((8, 10), 100 * k, dtype=np.int16) for k in range(count)])
    ds.PixelData = pixels.tobytes()
    shared, orientation, measures = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing, measures.SliceThickness = [0.8, 0.7], 2.0
    shared.PlaneOrientationSequence = Sequence([orientation])
    shared.PixelMeasuresSequence = Sequence([measures])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for k in range(count):
        frame, position, transform = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [0, 0, (positions or [2.0 * n for n in range(count)])[k]]
        transform.RescaleSlope, transform.RescaleIntercept = 1, -1000 - k
        frame.PlanePositionSequence = Sequence([position])
        frame.PixelValueTransformationSequence = Sequence([transform])
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return ds


def test_an_enhanced_image_is_sorted_by_frame_position_and_rescaled_per_frame():
    volume = volumes.assemble_volume([enhanced(positions=[8.0, 6.0, 4.0, 2.0, 0.0])])

    assert volume.frame_numbers == (5, 4, 3, 2, 1)
    assert volume.array[:, 0, 0].tolist() == [-604, -703, -802, -901, -1000]


def test_an_enhanced_image_with_two_frames_at_one_place_is_refused():
    with pytest.raises(volumes.DuplicatePositions):
        volumes.assemble_volume([enhanced(positions=[0.0, 2.0, 4.0, 4.0, 6.0])])


def test_a_multi_frame_image_without_positions_is_refused():
    ds = plain_slice(0, 0, NumberOfFrames=5)

    with pytest.raises(volumes.MissingGeometry):
        volumes.assemble_volume([ds])


def test_a_file_that_is_not_dicom_is_refused_without_naming_the_file(tmp_path):
    path = tmp_path / "DOE_JOHN.dcm"
    path.write_bytes(b"not DICOM at all")

    with pytest.raises(volumes.UnreadablePixels) as refusal:
        volumes.read_volume([path])

    assert "DOE" not in str(refusal.value)


def test_a_real_ct_series_is_read_with_its_geometry():
    folder = DATA / "ct" / "crlm-ct-1004-abdomen" / "image"
    if not folder.exists():
        pytest.skip("the shared test data is not here; set SIGHTLINE_TEST_DATA")

    volume = volumes.read_volume(sorted(folder.glob("*.dcm"))[::-1])

    assert volume.grid.shape_zyx == (41, 512, 512)
    assert volume.grid.spacing_xyz_mm == pytest.approx((0.796875, 0.796875, 5.0))
    assert volume.array.min() == -1024
