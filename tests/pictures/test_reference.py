"""The reference itself against values that can be checked by hand, and against pydicom's own steps."""

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, convert_color_space

from tests.pictures.comparing import Canvas, compare
from tests.pictures.reference import (
    Picture,
    Window,
    expected,
    looked_up,
    overlays,
    presented,
    stored_values,
    windowed,
)  # fmt: skip

FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def described(**values: object) -> Dataset:
    dataset = Dataset()
    for name, value in values.items():
        setattr(dataset, name, value)
    return dataset


@pytest.mark.parametrize(
    ("window", "value", "shade"),
    [
        # PS3.3 C.11.2.1.2.1, notes: the examples of the standard.
        (Window(2048, 4096), 0, 0),
        (Window(2048, 4096), 4095, 255),
        (Window(2048, 1), 2047, 0),
        (Window(2048, 1), 2048, 255),
        (Window(0, 100), -50, 0),
        (Window(0, 100), 49, 255),
        (Window(0, 100, "LINEAR_EXACT"), 0, 127.5),
        (Window(0, 100, "SIGMOID"), 0, 127.5),
    ],
)
def test_the_windows_of_the_standard(window, value, shade):
    assert windowed(np.array([float(value)]), window)[0] == pytest.approx(shade)


def test_stored_values_are_signed_by_their_own_uppermost_bit():
    twelve = described(BitsStored=12, HighBit=11, PixelRepresentation=1)

    found = stored_values(np.array([0xF7FF, 0x0800, 0x0FFF], "<u2"), twelve)

    assert found.tolist() == [2047.0, -2048.0, -1.0]


def test_a_lut_holds_its_ends():
    lut = described(LUTDescriptor=[4, 10, 16], LUTData=[5, 6, 7, 9])

    assert looked_up(np.array([0.0, 10.0, 12.0, 99.0]), lut).tolist() == [5.0, 5.0, 7.0, 9.0]


def test_monochrome1_is_turned_round_once():
    grey = np.array([0.0, 200.0])

    assert presented(grey, described(PhotometricInterpretation="MONOCHROME1")).tolist() == [255.0, 55.0]
    both = described(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE")
    assert presented(grey, both).tolist() == [255.0, 55.0]


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm"])
def test_modality_values_are_those_of_pydicom(name):
    dataset = pydicom.dcmread(FILES / name)

    theirs = apply_modality_lut(dataset.pixel_array, dataset)

    np.testing.assert_allclose(expected(dataset).values, theirs)


@pytest.mark.parametrize("name", ["SC_ybr_full_422_uncompressed.dcm"])
def test_ybr_becomes_the_colours_of_pydicom(name):
    dataset = pydicom.dcmread(FILES / name)
    raw = pydicom.pixels.pixel_array(dataset, raw=True)

    theirs = convert_color_space(raw, "YBR_FULL", "RGB")

    assert np.abs(expected(dataset).values - theirs).max() <= 1


def test_a_palette_gives_the_colours_of_pydicom():
    dataset = pydicom.dcmread(FILES / "examples_palette.dcm")

    theirs = apply_color_lut(dataset.pixel_array, dataset) / 257

    np.testing.assert_allclose(expected(dataset).values, theirs, atol=1)


def test_overlays_are_found_and_cut_at_the_edge():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(FILES / "examples_overlay.dcm")
        dataset[0x60000050].value = [-9, 1]

        covered = overlays(dataset, 0, (int(dataset.Rows), int(dataset.Columns)))

    whole = dataset.overlay_array(0x6000)
    assert covered.sum() == whole[10:].sum() > 0


def drawn(values: np.ndarray, zoom: int) -> Canvas:
    """Return an image drawn as squares of `zoom` pixels."""
    shown = np.repeat(np.repeat(values, zoom, axis=0), zoom, axis=1).astype(np.uint8)
    half, (rows, columns) = (zoom - 1) / 2, values.shape
    corners = [[half, half], [half + (columns - 1) * zoom, half], [half, half + (rows - 1) * zoom]]
    return Canvas(np.repeat(shown[..., None], 3, axis=2), np.array(corners))


@pytest.fixture
def picture() -> Picture:
    values = np.random.default_rng(1).uniform(0, 255, (20, 30)).round()
    return Picture(values, lambda v: v, np.zeros(values.shape, bool))


def test_the_same_picture_is_the_same_at_any_zoom(picture):
    for zoom in (1, 2, 3):
        assert compare(drawn(picture.values, zoom), picture).p99 < 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda v: v[:, ::-1], lambda v: v[::-1], lambda v: 255 - v, lambda v: np.roll(v, 1, axis=0),
        lambda v: np.roll(v, 1, axis=1), lambda v: v * 0.9,
    ],
)  # fmt: skip
def test_another_picture_is_not(picture, wrong, tmp_path):
    difference = compare(drawn(wrong(picture.values), 3), picture)

    difference.save(tmp_path / "difference.png")

    assert difference.mean > 5
    assert (tmp_path / "difference.png").stat().st_size
