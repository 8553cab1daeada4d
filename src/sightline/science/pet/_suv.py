"""Standardised uptake values from the header of a PET image, with the ways of the makers."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, isfinite, log
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from sightline.kernel.errors import Invalid

BODY_WEIGHT = "g/ml{SUVbw}"
# A dose below this many Bq was written in MBq: nobody images 10 kBq, and nobody injects 10 GBq.
LEAST_BQ = 1e4
# Clocks of injector and scanner may differ by this much before a scan counts as earlier than its injection.
CLOCKS_S = 60.0
LONGEST_S = 24 * 3600.0
HEAVIEST_KG = 500.0
MOST_HALF_LIVES = 100

# (0054,1006) SUV Type, where Units is GML, to UCUM (CID 85).
_GML = {
    "": BODY_WEIGHT, "BW": BODY_WEIGHT, "LBM": "g/ml{SUVlbm}", "LBMJAMES128": "g/ml{SUVlbm}",
    "LBMJANMA": "g/ml{SUVlbm}", "IBW": "g/ml{SUVibw}",
}  # fmt: skip


class UnusableActivity(Invalid):
    """Uptake cannot be computed; the message says what is missing. Show the activity instead."""


@dataclass(frozen=True, slots=True)
class Uptake:
    """What to multiply the rescaled values of an image with, and the UCUM unit that they have then."""

    factor: float
    unit: str
    method: str


def suv_body_weight(
    activity: npt.NDArray[np.floating],
    *,
    injected_bq: float,
    elapsed_s: float,
    half_life_s: float,
    weight_kg: float,
) -> npt.NDArray[np.float32]:
    r"""Return the body-weight standardised uptake value of each voxel.

    .. math:: SUV = A \, w \,/\, (D \, 2^{-t/T_{1/2}})

    Parameters
    ----------
    activity : array (z, y, x), Bq/ml
        Decay-corrected to the start of the series: (0054,1102) *Decay Correction* is START and (0054,1001)
        *Units* is BQML.
    injected_bq : Bq
        (0018,1074) *Radionuclide Total Dose*; some scanners write MBq, so check.
    elapsed_s : s
        From injection to the time that decay is corrected to, clocks agreed; 0 where that is the injection.
    half_life_s : s
        (0018,1075) *Radionuclide Half Life*; 6586.2 for F-18.
    weight_kg : kg
        (0010,1030) *Patient's Weight*.

    Returns
    -------
    array (z, y, x), g/ml
        NaN where `activity` is NaN; never clipped.

    Raises
    ------
    UnusableActivity
        If the dose, half-life or weight is not positive, or the scan precedes the injection.

    References
    ----------
    PS3.3 C.8.9.1 (PET Series), C.8.9.2 (PET Isotope). QIBA SUV vendor-neutral pseudo-code.

    Examples
    --------
    >>> voxel = np.full((1, 1, 1), 5_000.0)
    >>> f18 = {"injected_bq": 350e6, "elapsed_s": 0, "half_life_s": 6586.2}
    >>> suv_body_weight(voxel, **f18, weight_kg=70).item()
    1.0
    """
    factor = suv_factor(
        injected_bq=injected_bq, elapsed_s=elapsed_s, half_life_s=half_life_s, weight_kg=weight_kg
    )
    return np.asarray(activity * factor, dtype=np.float32)


def suv_factor(*, injected_bq: float, elapsed_s: float, half_life_s: float, weight_kg: float) -> float:
    """Return by what to multiply Bq/ml to get uptake by body weight, g/ml; see `suv_body_weight`.

    Examples
    --------
    >>> suv_factor(injected_bq=350e6, elapsed_s=0, half_life_s=6586.2, weight_kg=70) * 5_000
    1.0
    """
    if not all(isfinite(v) and v > 0 for v in (injected_bq, half_life_s, weight_kg)):
        raise UnusableActivity("Dose, half-life and weight must be positive.")
    if elapsed_s < 0:
        raise UnusableActivity("The scan starts before the injection.")
    if not elapsed_s < MOST_HALF_LIVES * half_life_s:
        raise UnusableActivity("Nothing of the dose is left at the time of the scan.")
    return weight_kg * 1000 / (injected_bq * exp(-log(2) * elapsed_s / half_life_s))


def uptake_of(ds: Dataset) -> Uptake:
    """Return the factor from the rescaled values of one PET image to uptake.

    ===== =========================================================================================
    Units what is done
    ===== =========================================================================================
    GML   nothing: they are SUV already, by body weight unless (0054,1006) *SUV Type* says otherwise
    CM2ML nothing: they are SUV by body surface
    CNTS  Philips' own factor (7053,xx00) to SUV, or (7053,xx09) to Bq/ml and then as BQML
    BQML  weight over the dose that was left at the time that decay was corrected to
    ===== =========================================================================================

    Raises
    ------
    UnusableActivity
        If the units are others, a correction is missing, or dose, weight, half-life or times cannot be used.

    References
    ----------
    QIBA FDG-PET profile v1.13, appendix G. PS3.3 C.8.9.1.1.4 (Decay Correction), CID 85.
    """
    units = str(ds.get("Units") or "")
    if units == "GML":
        kind = str(ds.get("SUVType") or "")
        if kind not in _GML:
            raise UnusableActivity("The images name a kind of SUV that is not known.")
        return Uptake(1.0, _GML[kind], "SUV as stored")
    if units == "CM2ML":
        return Uptake(1.0, "cm2/ml{SUVbsa}", "SUV as stored")
    if units == "CNTS":
        return _philips(ds)
    if units == "BQML":
        return Uptake(_per_bq_ml(ds), BODY_WEIGHT, "by body weight, dose and decay of the header")
    raise UnusableActivity("The units of the images are not Bq/ml, counts or SUV.")


def _philips(ds: Dataset) -> Uptake:
    to_suv, to_bq_ml = (_private(ds, 0x7053, "Philips PET Private Group", at) for at in (0x00, 0x09))
    if to_suv > 0:
        return Uptake(to_suv, BODY_WEIGHT, "by the maker's SUV factor")
    if to_bq_ml > 0:
        return Uptake(to_bq_ml * _per_bq_ml(ds), BODY_WEIGHT, "by the maker's factor, dose and decay")
    raise UnusableActivity("The images hold counts, and no factor of the maker's for them.")


def _per_bq_ml(ds: Dataset) -> float:
    """Return SUV by body weight per Bq/ml."""
    corrected = {str(part).upper() for part in _several(ds.get("CorrectedImage"))}
    decay = str(ds.get("DecayCorrection") or "").upper()
    if "ATTN" not in corrected:
        raise UnusableActivity("The images are not corrected for attenuation.")
    if decay not in {"START", "ADMIN", "NONE"} or (not corrected & {"DECY", "DECAY"} and decay != "NONE"):
        raise UnusableActivity("The images do not say what time their decay is corrected to.")
    items = ds.get("RadiopharmaceuticalInformationSequence") or []
    if len(items) != 1:
        raise UnusableActivity("The images name no radiopharmaceutical, or several.")
    half_life_s = _number(items[0], "RadionuclideHalfLife")
    dose = _number(items[0], "RadionuclideTotalDose")
    weight_kg = _number(ds, "PatientWeight")
    if not (dose > 0 and half_life_s > 0 and 0 < weight_kg <= HEAVIEST_KG):
        raise UnusableActivity("Dose, half-life or the patient's weight is missing or not possible.")
    elapsed_s = 0.0 if decay == "ADMIN" else _elapsed_s(ds, items[0], decay, half_life_s)
    return suv_factor(
        injected_bq=dose if dose >= LEAST_BQ else dose * 1e6,
        elapsed_s=elapsed_s,
        half_life_s=half_life_s,
        weight_kg=weight_kg,
    )


def _elapsed_s(ds: Dataset, item: Dataset, decay: str, half_life_s: float) -> float:
    """Return the time from injection to that which decay is corrected to; times alone may cross midnight."""
    reference = _middle(ds) if decay == "NONE" else _start(ds, half_life_s)
    told = _moment(item.get("RadiopharmaceuticalStartDateTime")) or _ge(ds, 0x3B)
    if told is not None:
        elapsed_s = (reference - told).total_seconds()
    else:
        day = reference.strftime("%Y%m%d")
        injected = _moment(day, item.get("RadiopharmaceuticalStartTime"))
        if injected is None:
            raise UnusableActivity("The images do not say when the patient was injected.")
        elapsed_s = (reference - injected).total_seconds()
        if elapsed_s < -CLOCKS_S:
            elapsed_s += LONGEST_S
    if not -CLOCKS_S <= elapsed_s <= LONGEST_S:
        raise UnusableActivity("The scan does not lie within a day after the injection.")
    return max(elapsed_s, 0.0)


def _start(ds: Dataset, half_life_s: float) -> datetime:
    """Return the start of the series: as written, unless made later; then GE's own, or by the frames."""
    acquired = _acquired(ds)
    series = _moment(ds.get("SeriesDate"), ds.get("SeriesTime"))
    if series is not None and (acquired is None or series <= acquired):
        return series
    if (own := _ge(ds, 0x0D)) is not None:
        return own
    after_s = _number(ds, "FrameReferenceTime") / 1000
    duration_s = _number(ds, "ActualFrameDuration") / 1000
    if acquired is None or not (after_s > 0 and duration_s > 0):
        raise UnusableActivity("The images do not say when their series began.")
    # Within a frame the mean activity is reached a little before its middle.
    decays = log(2) / half_life_s
    mean_s = log(decays * duration_s / (1 - exp(-decays * duration_s))) / decays
    return acquired + timedelta(seconds=mean_s - after_s)


def _middle(ds: Dataset) -> datetime:
    acquired, duration_ms = _acquired(ds), _number(ds, "ActualFrameDuration")
    if acquired is None or not duration_ms > 0:
        raise UnusableActivity("The images do not say when each of them was acquired.")
    return acquired + timedelta(milliseconds=duration_ms / 2)


def _acquired(ds: Dataset) -> datetime | None:
    return _moment(ds.get("AcquisitionDate"), ds.get("AcquisitionTime"))


def _ge(ds: Dataset, element: int) -> datetime | None:
    with suppress(KeyError):
        return _moment(ds.private_block(0x0009, "GEMS_PETD_01")[element].value)
    return None


def _private(ds: Dataset, group: int, creator: str, element: int) -> float:
    with suppress(KeyError, TypeError, ValueError):
        value = float(ds.private_block(group, creator)[element].value)
        return value if isfinite(value) else 0.0
    return 0.0


def _moment(date: Any, time: Any = None) -> datetime | None:
    """Return a moment from a DICOM date and time, or from both in one; offsets from UTC are left out."""
    text = (str(date or "") + str(time or "") if time is not None else str(date or "")).strip()
    digits, _, fraction = text.partition("+")[0].partition(".")
    fraction = fraction.partition("-")[0][:6]
    with suppress(ValueError):
        if len(digits) >= 12 and digits.isdigit():
            moment = datetime.strptime(digits[:14].ljust(14, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007
            return moment + timedelta(microseconds=int(fraction.ljust(6, "0") or 0))
    return None


def _number(ds: Dataset, name: str) -> float:
    with suppress(TypeError, ValueError):
        value = float(ds.get(name) or 0)
        return value if isfinite(value) else 0.0
    return 0.0


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
