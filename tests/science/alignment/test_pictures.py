"""Two pictures: aligned where they show one person, refused where not."""

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from scipy import ndimage

from sightline.science import alignment
from sightline.science.alignment import NotAPicture, Picture

SIDE, MM = 200, 1.5


def drawn(seed, matrix=None):
    """Return a picture of soft shapes with edges; `matrix` takes its points (mm) to those as drawn."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal((SIDE, SIDE)), 6)
    values = np.digitize(field, np.quantile(field, (0.2, 0.4, 0.6, 0.8))).astype(float)
    if matrix is not None:
        y, x = np.indices(values.shape)
        places = np.stack([x, y], -1) * MM @ matrix[:2, :2].T + matrix[:2, 2]
        index = places[..., ::-1].reshape(-1, 2).T / MM
        values = ndimage.map_coordinates(values, index, order=1, mode="nearest").reshape(values.shape)
    return Picture(values + rng.normal(0, 0.05, values.shape), (MM, MM))


def similar(degrees=5.0, scale=1.02):
    """Return a turn and magnification about the middle, with a shift, as a 3x3 matrix."""
    angle = np.radians(degrees)
    matrix = np.eye(3)
    matrix[:2, :2] = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.full(2, SIDE * MM / 2)
    matrix[:2, 2] = centre - matrix[:2, :2] @ centre + (9.0, -6.0)
    return matrix


@pytest.mark.parametrize(("kind", "scale"), [("slice", 1.02), ("radiograph", 1.12)])
def test_a_turned_and_magnified_picture_is_found_to_a_pixel(kind, scale):
    matrix = similar(scale=scale)
    found = alignment.align_images(drawn(1, matrix), drawn(1), kind=kind)
    points = np.random.default_rng(2).uniform(60, 240, (200, 2))
    error = np.linalg.norm(found.map_points(points) - points @ matrix[:2, :2].T - matrix[:2, 2], axis=1)

    assert found.verdict == "good"
    assert error.mean() < MM
    assert np.median(found.jacobian()) == pytest.approx(scale**2, rel=0.02)


@pytest.mark.parametrize("kind", ["slice", "radiograph"])
def test_another_picture_is_refused(kind):
    assert alignment.align_images(drawn(1), drawn(2), kind=kind).verdict == "failed"


@pytest.mark.parametrize("kind", ["slice", "radiograph"])
def test_a_mirrored_picture_is_refused(kind):
    mirrored = Picture(drawn(1).array[:, ::-1].copy(), (MM, MM))

    assert alignment.align_images(drawn(1), mirrored, kind=kind).verdict == "failed"


def test_a_slice_of_another_size_is_refused_though_it_looks_alike():
    found = alignment.align_images(drawn(1, similar(0.0, 1.12)), drawn(1), kind="slice")

    assert found.verdict == "failed"
    assert "difference in size" in found.reason


def test_what_failed_is_not_bent():
    found = alignment.align_images(drawn(1), drawn(2), kind="slice")

    assert len(found.tests) == 4


@pytest.mark.parametrize(
    ("array", "spacing"),
    [
        (np.zeros((8, 8)), (1.0, 1.0)),
        (np.zeros((64, 64, 3)), (1.0, 1.0)),
        (np.zeros((64, 64)), (0.0, 1.0)),
        (np.zeros((64, 64)), (1.0, float("nan"))),
        (np.full((64, 64), np.nan), (1.0, 1.0)),
    ],
)
def test_what_is_no_picture_is_refused(array, spacing):
    with pytest.raises(NotAPicture):
        Picture(array, spacing)


def test_an_empty_picture_fails_in_words():
    blank = Picture(np.zeros((64, 64)), (1.0, 1.0))

    assert alignment.align_images(blank, blank, kind="radiograph").verdict == "failed"


def image(**values):
    ds = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def test_a_ct_slice_becomes_a_picture_in_hounsfield_units():
    picture = alignment.read_picture(image())
    ds = image()

    assert picture.spacing_yx_mm == pytest.approx([float(mm) for mm in ds.PixelSpacing])
    assert picture.array[0, 0] == ds.pixel_array[0, 0] + float(ds.RescaleIntercept)
    assert picture.array.min() >= -1000


def test_a_radiograph_has_its_detectors_spacing_and_its_dense_parts_bright():
    ds = image(Modality="CR", PhotometricInterpretation="MONOCHROME1", ImagerPixelSpacing=[0.2, 0.1])
    del ds.PixelSpacing
    picture = alignment.read_picture(ds)

    assert picture.spacing_yx_mm == (0.2, 0.1)
    assert np.argmin(picture.array) == np.argmax(ds.pixel_array)


@pytest.mark.parametrize(
    "values", [{"SamplesPerPixel": 3}, {"NumberOfFrames": 2}, {"PixelSpacing": None}, {"PixelData": b""}]
)
def test_an_image_that_cannot_be_a_picture_is_refused(values):
    with pytest.raises(NotAPicture):
        alignment.read_picture(image(**values))


# --- Real pictures ----------------------------------------------------------------------------------------


def real_slice(folder, name):
    path = folder / "longitudinal" / "ct-pairs-ny-sbu" / name
    if not path.exists():
        pytest.skip("the single CT slices are not in the shared test data")
    return alignment.read_picture(pydicom.dcmread(path))


def test_real_slices_of_one_patient_align_and_of_two_do_not(data_folder):
    current, prior, stranger = (
        real_slice(data_folder, name)
        for name in (
            "A048383/axial/19010410-30.dcm",
            "A048383/axial/19001231-30.dcm",
            "A058062/axial/19010108-078.dcm",
        )
    )

    assert alignment.align_images(current, prior, kind="slice").verdict == "good"
    assert alignment.align_images(current, stranger, kind="slice").verdict == "failed"


def test_real_radiographs_of_one_patient_align_and_of_two_do_not(data_folder):
    folder = data_folder / "longitudinal" / "cxr-followup-nih"
    if not folder.exists():
        pytest.skip("the chest radiographs are not in the shared test data")
    current, prior, stranger = (
        Picture(np.array(Image.open(folder / name)), (0.4, 0.4))
        for name in (
            "00001992/No_findings__00001992_016.png",
            "00001992/No_findings__00001992_010.png",
            "00001734/No_findings__00001734_001.png",
        )
    )

    assert alignment.align_images(current, prior, kind="radiograph").verdict != "failed"
    assert alignment.align_images(current, stranger, kind="radiograph").verdict == "failed"
