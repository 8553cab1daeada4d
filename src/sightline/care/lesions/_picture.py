"""The aligned prior radiograph, or single slice, on an image of the study: drawn in the plane."""

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi
from scipy import ndimage

from sightline.science import alignment
from sightline.science.geometry import Grid

Values = npt.NDArray[np.float32]

LONG_SIDE = 1536
"""Longer pictures are given every second, third … pixel: they are looked at whole, and moved smoothly."""

WHITE = 255.0
"""What is lightest of a radiograph as it is shown, where black is 0."""


def picture_on(now: Dataset, then: Dataset, found: alignment.Alignment, grids: tuple[Grid, Grid]) -> Values:
    """Return the prior image on the pixels of the current one, (row, column); NaN where it shows nothing.

    Of a current image with more than `LONG_SIDE` rows or columns, on pixels `step` times as wide: its sides
    are those of the image divided by `step`, rounded up.

    Radiographs are given as greys from 0 to 255 in the prior's own window, because the numbers of two
    detectors mean different things; CT as HU.

    Parameters
    ----------
    grids : of the current and of the prior image, one slice thick, as they were aligned
    """
    current, prior = grids
    step = -(-max(int(now.Rows), int(now.Columns)) // LONG_SIDE)
    rows, columns = (-(-int(side) // step) for side in (now.Rows, now.Columns))
    index = np.indices((1, rows, columns), dtype=np.float32).reshape(3, -1).T
    index[:, 1:] = index[:, 1:] * step + (step - 1) / 2
    places = prior.to_index_zyx(found.map_points(current.to_lps_mm(index)))[:, 1:]
    shown = _hounsfield(then) if then.get("Modality") == "CT" else greys_of(then)
    inside = ((places >= -0.5) & (places <= np.array(shown.shape) - 0.5)).all(axis=1)
    values = ndimage.map_coordinates(shown, places.T, order=1, mode="nearest")
    return np.where(inside, values, np.nan).astype(np.float32).reshape(rows, columns)


def _hounsfield(ds: Dataset) -> Values:
    return np.asarray(apply_modality_lut(ds.pixel_array, ds), dtype=np.float32)


def greys_of(ds: Dataset) -> Values:
    """Return a radiograph as it is to be shown: greys from 0 (black) to 255.

    By its first window or table, else between the 1st and the 99th percentile of its values.

    References
    ----------
    PS3.3 C.11.2.1.1 (VOI LUT), C.11.2.1.2.1 (linear window), C.7.6.3.1.2 (MONOCHROME1 is dark where dense).
    """
    values = _hounsfield(ds)
    if ds.get("VOILUTSequence") and not ds.get("WindowCenter"):
        bits = int(ds.VOILUTSequence[0].LUTDescriptor[2])
        greys = np.asarray(apply_voi(values.astype(np.int32), ds), dtype=np.float32) / (2**bits - 1)
    else:
        low, high = _ends(ds, values)
        greys = (values - low) / max(high - low, 1e-6)
    greys = np.clip(greys, 0, 1)
    if ds.get("PhotometricInterpretation") == "MONOCHROME1":
        greys = 1 - greys
    return np.asarray(WHITE * greys, dtype=np.float32)


def _ends(ds: Dataset, values: Values) -> tuple[float, float]:
    try:
        centre, width = (float(np.ravel(ds[name].value)[0]) for name in ("WindowCenter", "WindowWidth"))
    except (KeyError, IndexError, TypeError, ValueError):
        low, high = np.percentile(values, (1, 99))
        return float(low), float(high)
    low = centre - 0.5 - (width - 1) / 2
    return low, low + max(width - 1, 1)
