"""Uptake from the headers of the makers."""

import os
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from sightline.science.pet import BODY_WEIGHT, UnusableActivity, suv_body_weight, suv_factor, uptake_of

F18_S = 6586.2
DATA = Path(os.environ.get("SIGHTLINE_TEST_DATA", "../shared/data"), "petct")


def image(**changed) -> Dataset:
    """A PET image an hour after 350 MBq of F-18 into 70 kg."""
    ds, item = Dataset(), Dataset()
    ds.Modality, ds.Units, ds.DecayCorrection = "PT", "BQML", "START"
    ds.CorrectedImage, ds.PatientWeight = ["ATTN", "DECY", "SCAT"], 70
    ds.SeriesDate, ds.SeriesTime = "20260102", "110000"
    ds.AcquisitionDate, ds.AcquisitionTime = "20260102", "111000.50"
    ds.FrameReferenceTime, ds.ActualFrameDuration = 0, 120_000
    item.RadionuclideTotalDose, item.RadionuclideHalfLife = 350e6, F18_S
    item.RadiopharmaceuticalStartTime = "100000"
    ds.RadiopharmaceuticalInformationSequence = [item]
    for name, value in changed.items():
        owner = item if name.startswith("Radio") else ds
        if value is None:
            del owner[name]
        else:
            setattr(owner, name, value)
    return ds


def per_bq_ml(elapsed_s: float) -> float:
    return 70_000 / (350e6 * 0.5 ** (elapsed_s / F18_S))


def philips(to_suv: float, to_bq_ml: float) -> Dataset:
    ds = image(Units="CNTS")
    block = ds.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", str(to_suv))
    block.add_new(0x09, "DS", str(to_bq_ml))
    return ds


def ge(**changed) -> Dataset:
    ds = image(SeriesTime="150000", **changed)
    ds.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20260102110000.00")
    return ds


@pytest.mark.parametrize(
    ("ds", "elapsed_s"),
    [
        (image(), 3600),
        (image(RadionuclideTotalDose=350), 3600),  # in MBq
        (image(RadiopharmaceuticalStartDateTime="20260102100000"), 3600),
        (image(RadiopharmaceuticalStartDateTime="20260101110000", RadiopharmaceuticalStartTime=None), 86_400),
        (image(SeriesTime="003000", AcquisitionTime="004000", RadiopharmaceuticalStartTime="233000"), 3600),
        (image(DecayCorrection="ADMIN"), 0),
        (image(DecayCorrection="NONE", CorrectedImage=["ATTN"]), 4200.5 + 60),
        (image(CorrectedImage=["ATTN", "DECAY"]), 3600),
        (ge(), 3600),
    ],
    ids=["start", "MBq", "moment", "a day later", "midnight", "injection", "none", "spelt", "GE"],
)
def test_the_dose_is_what_was_left_when_decay_is_corrected_to(ds, elapsed_s):
    uptake = uptake_of(ds)

    assert uptake.unit == BODY_WEIGHT
    assert uptake.factor == pytest.approx(per_bq_ml(elapsed_s), rel=1e-6)


def test_a_series_that_was_made_anew_is_timed_by_its_frames():
    later = image(SeriesTime="150000", FrameReferenceTime=660_000)

    # The mean activity is reached almost 60 s after the frame began: 660 s after the series did.
    assert uptake_of(later).factor == pytest.approx(per_bq_ml(4200.5 + 59.87 - 660), rel=1e-4)


@pytest.mark.parametrize(
    ("ds", "factor"),
    [(philips(0.0012, 2.5), 0.0012), (philips(0.0, 2.5), 2.5 * per_bq_ml(3600))],
    ids=["to SUV", "to Bq/ml"],
)
def test_philips_counts_have_their_own_factors(ds, factor):
    assert uptake_of(ds).factor == pytest.approx(factor, rel=1e-6)


@pytest.mark.parametrize(
    ("units", "kind", "unit"),
    [
        ("GML", None, BODY_WEIGHT),
        ("GML", "BW", BODY_WEIGHT),
        ("GML", "LBM", "g/ml{SUVlbm}"),
        ("CM2ML", "BSA", "cm2/ml{SUVbsa}"),
    ],
)
def test_uptake_is_never_converted_twice_and_keeps_its_kind(units, kind, unit):
    ds = image(Units=units)
    if kind:
        ds.SUVType = kind

    assert (uptake_of(ds).factor, uptake_of(ds).unit) == (1.0, unit)


@pytest.mark.parametrize(
    ("ds", "why"),
    [
        (image(PatientWeight=0), "weight"),
        (image(PatientWeight=70_000), "weight"),
        (image(RadionuclideTotalDose=None), "Dose"),
        (image(RadionuclideHalfLife=-1), "half-life"),
        (image(RadiopharmaceuticalStartTime=None), "injected"),
        (image(RadiopharmaceuticalStartDateTime="20260102120000"), "within a day"),
        (image(RadiopharmaceuticalStartDateTime="20251225120000"), "within a day"),
        (image(CorrectedImage=["DECY"]), "attenuation"),
        (image(CorrectedImage=["ATTN"]), "decay"),
        (image(DecayCorrection=None), "decay"),
        (image(Units="PROPCNTS"), "units"),
        (philips(0.0, 0.0), "counts"),
    ],
)
def test_uptake_is_refused_with_what_is_missing(ds, why):
    with pytest.raises(UnusableActivity, match=why):
        uptake_of(ds)


def test_a_dose_that_is_none_and_a_scan_before_it_are_refused():
    fine = {"injected_bq": 350e6, "elapsed_s": 0.0, "half_life_s": F18_S, "weight_kg": 70.0}

    for wrong in ({"injected_bq": 0.0}, {"elapsed_s": -1.0}, {"weight_kg": -1.0}):
        with pytest.raises(UnusableActivity):
            suv_body_weight(np.ones(1), **{**fine, **wrong})


def test_uptake_needs_a_dose_and_a_scan_after_it():
    known = {"injected_bq": 350e6, "half_life_s": 6586.2, "weight_kg": 70}

    assert suv_factor(**known, elapsed_s=6586.2) == pytest.approx(2 * 70_000 / 350e6)
    with pytest.raises(UnusableActivity):
        suv_factor(**known, elapsed_s=-1)
    with pytest.raises(UnusableActivity):
        suv_factor(**{**known, "weight_kg": 0}, elapsed_s=0)


def test_a_real_series_gives_the_uptake_that_its_publishers_computed():
    """The same FDG scan twice: as it was scanned, in Bq/ml, and as others converted it to SUV (IBSI)."""
    raw, converted = DATA / "sts-001-fdg-pet-raw/image", DATA / "sts-001-registered-subset/PET/dicom/image"
    if not (raw.is_dir() and converted.is_dir()):
        pytest.skip("the PET/CT data are not here (SIGHTLINE_TEST_DATA)")
    scanned = {round(float(ds.ImagePositionPatient[2]), 1): ds for ds in map(dcmread, raw.glob("*.dcm"))}
    pairs = 0
    for path in sorted(converted.glob("*.dcm")):
        theirs = dcmread(path)
        ours = scanned.get(round(float(theirs.ImagePositionPatient[2]), 1))
        if ours is None:
            continue
        column, row = np.rint(
            (np.array(theirs.ImagePositionPatient[:2]) - np.array(ours.ImagePositionPatient[:2])) / 4.6875
        ).astype(int)
        rows, columns = theirs.pixel_array.shape
        activity = ours.pixel_array[row : row + rows, column : column + columns] * ours.RescaleSlope
        published = theirs.pixel_array * float(theirs.RescaleSlope) + float(theirs.RescaleIntercept)
        assert np.abs(activity * uptake_of(ours).factor - published).max() < 2e-3 * published.max()
        pairs += 1
    assert pairs > 5
