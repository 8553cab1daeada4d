"""A pair of PET scans is compared as uptake: a real scan twice, at two doses, each with its own noise."""

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread
from scipy import ndimage

from sightline.intelligence.routing import _mapping as mapping
from sightline.kernel import clock
from sightline.kernel.errors import Invalid
from sightline.record import derived
from sightline.science import alignment as aligning
from sightline.science import volumes

RAW = "petct/sts-001-fdg-pet-raw/image"
SLICES = slice(120, 170)
LESION_ZYX = (25, 66, 40)
LESION_SUV, LESION_MM = 4.0, 16.0
MM_ZYX = (3.27, 4.6875, 4.6875)
SUV_PER_BQ = 2.429e-4
"""By body weight, dose and decay of the scan's own header."""


@pytest.fixture(scope="module")
def scanned(test_data):
    """Return headers and activity (z, y, x) in Bq/ml of a part of the scan, from one end to the other."""
    folder = test_data / RAW
    images = [dcmread(path) for path in folder.rglob("*.dcm")]
    images.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
    images = images[SLICES]
    return images, np.stack(
        [ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for ds in images]
    )


def noisy(bq, seed):
    """Return activity with noise as counting gives it, as broad as PET resolves (7 mm)."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=bq.shape), 3 / np.array(MM_ZYX))
    return bq + 12 * noise / noise.std() * np.sqrt(np.maximum(bq, 100))


def lesion():
    """Return a ball of a given uptake in Bq/ml, blurred as PET blurs."""
    where = np.moveaxis(np.indices((50, 128, 128)), 0, -1)
    away = np.linalg.norm((where - LESION_ZYX) * MM_ZYX, axis=-1)
    ball = ndimage.gaussian_filter((away < LESION_MM / 2).astype(float), 3 / np.array(MM_ZYX))
    return LESION_SUV / SUV_PER_BQ * ball


def keep(folder, images, bq, *, visit, dose=1.0, units="BQML"):
    """Write activity as the images of a visit, at `dose` times the dose of the scan."""
    folder.mkdir()
    for n, ds in enumerate(images):
        made = ds.copy()
        made.StudyInstanceUID, made.SeriesInstanceUID = f"1.2.{visit}", f"1.2.{visit}.1"
        made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"1.2.{visit}.1.{n + 1}"
        made.FrameOfReferenceUID, made.InstanceNumber, made.Units = f"1.2.{visit}.9", n + 1, units
        values = bq[n] * dose
        slope = float(np.abs(values).max()) / 32_000
        made.RescaleSlope, made.RescaleIntercept = f"{slope:.8g}", "0"
        made.PixelRepresentation, made.BitsStored, made.HighBit = 1, 16, 15
        made.PixelData = np.round(values / float(made.RescaleSlope)).astype("<i2").tobytes()
        given = ds.RadiopharmaceuticalInformationSequence[0].copy()
        given.RadionuclideTotalDose = float(given.RadionuclideTotalDose) * dose
        made.RadiopharmaceuticalInformationSequence = [given]
        made.save_as(folder / f"{n:03d}.dcm", enforce_file_format=True)


@pytest.fixture
def mapped(tmp_path, scanned):
    """Return what maps `current` in the place of the prior, nobody having moved, and where it writes."""
    images, bq = scanned

    def run(extra, **how):
        keep(tmp_path / "then", images, noisy(bq, 1), visit=1)
        keep(tmp_path / "now", images, noisy(bq + extra, 2), visit=2, **how)
        grid = volumes.read_volume(sorted((tmp_path / "now").iterdir())).grid
        coarse = grid.resampled((16.0, 16.0, 16.0))
        shape = coarse.shape_zyx
        still = aligning.Alignment(
            "good", "as made up", (), coarse, np.zeros((*shape, 3), np.float32),
            np.ones(shape, np.float32), "made up",
        )  # fmt: skip
        (tmp_path / "field.npz").write_bytes(still.to_bytes())
        (tmp_path / "made").mkdir()
        making = derived.Making("pet", clock.now(), simulated=False)
        folders = (tmp_path / "now", tmp_path / "then", tmp_path / "field.npz", tmp_path / "made")
        return mapping.map_folders(*folders, making)["told"], grid

    return run


def test_a_new_focus_is_found_in_suv_though_the_dose_was_doubled(mapped, tmp_path):
    told, grid = mapped(lesion(), dose=2.0)

    place = told["clusters"][0]  # the surest; beside a true one, one in twenty may be false
    assert (place.sign, told["decreases"]) == ("increase", 0)
    assert told["increases"] <= 2
    assert np.linalg.norm(np.array(place.centre_lps_mm) - grid.to_lps_mm(LESION_ZYX)[0]) < 5
    assert place.difference.unit == "g/ml"
    assert 1 < place.difference.value < LESION_SUV
    objects = [dcmread(path) for path in sorted((tmp_path / "made").iterdir())]
    assert [str(ds.ContentLabel) for ds in objects] == [
        "CHANGE_Z", "CHANGE_RATIO", "GROWTH_LOGJAC", "CHANGE",
    ]  # fmt: skip
    assert {ds.FrameOfReferenceUID for ds in objects} == {"1.2.2.9"}
    ratio = hd.pm.ParametricMap.from_dataset(objects[1]).get_volume().array
    assert np.nanmedian(ratio) == pytest.approx(1, abs=0.1)


def test_the_same_patient_twice_shows_nothing(mapped):
    told, _ = mapped(0.0)

    assert told["clusters"] == ()


def test_pet_that_is_not_uptake_is_refused_with_the_reason(mapped):
    with pytest.raises(Invalid, match="counts"):
        mapped(0.0, units="CNTS")
