"""PET/CT of a made-up trunk, of which every place is known at each date."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import PositronEmissionTomographyImageStorage

from tests.care.clinic import make_slice

Array = NDArray[np.float64]

SIDE, SLICES = 40, 19
MM, STEP_MM = 4.0, 7.5
"""Of the CT: pixels, and from slice to slice. Too few slices for a model to be asked."""

PET_SIDE, PET_MM = 20, 8.0
HOT_MM = np.array([60.0, 92.0, 72.0])
"""Where the hot spot lies while nothing is shifted, LPS."""

SPREAD_MM = np.array([16.0, 13.0, 15.0])


def _places(side: int, mm: float, shift_mm: Array) -> tuple[Array, Array, Array]:
    """Return x, y, z (LPS mm) of all voxels as if nothing were shifted."""
    z, y, x = np.indices((SLICES, side, side)) * np.array([STEP_MM, mm, mm]).reshape(3, 1, 1, 1)
    return x - shift_mm[0], y - shift_mm[1], z - shift_mm[2]


def trunk(shift_mm: Array) -> Array:
    """Return HU of a trunk with lungs, spine, ribs and vessels: one place can be told from another."""
    x, y, z = _places(SIDE, MM, shift_mm)
    inside = ((x - 80) / 70) ** 2 + ((y - 80) / 55) ** 2 < 1
    lungs = np.zeros(x.shape, dtype=bool)
    for middle in (48, 112):
        lungs |= ((x - middle) / 24) ** 2 + ((y - 76) / 32) ** 2 + ((z - 72) / 66) ** 2 < 1
    spine = (np.hypot(x - 80, y - 122) < 11) & (np.sin(z / 8) > -0.6)
    shell = ((x - 80) / 66) ** 2 + ((y - 80) / 51) ** 2
    ribs = (shell > 0.85) & (shell < 1) & (np.sin((z + 0.3 * y) / 8) > 0.5)
    vessels = lungs & (np.sin(x / 5) * np.sin(y / 6) * np.sin(z / 9) > 0.4)
    hu = np.where(inside, 40.0, -1000.0)
    hu = np.where(lungs, -850.0, hu)
    hu = np.where(vessels, 30.0, np.where(spine | ribs, 500.0, hu))
    return np.asarray(hu + np.random.default_rng(3).normal(0, 8, x.shape))


def uptake(shift_mm: Array) -> Array:
    """Return Bq/ml of the trunk with one hot spot."""
    at = np.stack(_places(PET_SIDE, PET_MM, shift_mm), -1)
    away = (((at - HOT_MM) / SPREAD_MM) ** 2).sum(-1)
    return np.asarray(1000 + 20000 * np.exp(-away / 2))


def hybrid(study: str, date: str, shift_mm: tuple[float, float, float], **told: Any) -> Iterator[bytes]:
    """Yield the images of one PET/CT: the CT is series 1, the PET series 2, in one frame of reference."""
    shift = np.array(shift_mm)
    pet = {
        "SOPClassUID": PositronEmissionTomographyImageStorage, "Modality": "PT", "Units": "BQML",
        "SeriesDescription": "PET", "RescaleType": "BQML", "WindowCenter": 8000, "WindowWidth": 16000,
    }  # fmt: skip
    yield from _series(trunk(shift), study, 1, MM, {"StudyDate": date, "SeriesDescription": "CT", **told})
    yield from _series(uptake(shift), study, 2, PET_MM, {"StudyDate": date, **pet, **told})


def _series(values: Array, study: str, number: int, mm: float, told: dict[str, Any]) -> Iterator[bytes]:
    for n, plane in enumerate(values, 1):
        yield make_slice(
            n, study, f"{study}.{number}", Rows=plane.shape[0], Columns=plane.shape[1], PixelSpacing=[mm, mm],
            SliceThickness=STEP_MM, ImagePositionPatient=[0, 0, STEP_MM * (n - 1)], SeriesNumber=number,
            PixelData=np.rint(plane).astype("<i2").tobytes(), StudyDescription="PET/CT chest", **told,
        )  # fmt: skip
