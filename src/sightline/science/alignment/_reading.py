"""A DICOM image as a picture to be aligned."""

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut

from sightline.science.alignment._planar import NotAPicture, Picture

CT_RANGE_HU = (-1000.0, 400.0)
"""Beyond these there is the table's metal and the padding, which say nothing of the patient."""

# Nearest to the patient first: Pixel Spacing of a radiograph may be calibrated, the detector's is not.
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")


def read_picture(ds: Dataset) -> Picture:
    """Return a grey single-frame image (CR, DX, CT slice, ...) as a picture: rescaled, bright is dense.

    Raises
    ------
    NotAPicture
        If it is in colour, has several frames, gives no pixel spacing, or cannot be decoded.

    References
    ----------
    PS3.3 10.7.1.3 (Pixel Spacing, Imager Pixel Spacing), C.7.6.3.1.2 (Photometric Interpretation),
    C.11.1 (Modality LUT).
    """
    if int(ds.get("SamplesPerPixel", 1) or 1) != 1 or int(ds.get("NumberOfFrames", 1) or 1) != 1:
        raise NotAPicture("Only grey images of one frame are aligned in the plane; choose another image.")
    spacing = next((ds[name].value for name in _SPACINGS if ds.get(name)), None)
    try:
        down, along = (float(mm) for mm in spacing)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        raise NotAPicture("The image gives no pixel spacing, so nothing can be measured on it.") from None
    try:
        values = np.asarray(apply_modality_lut(ds.pixel_array, ds), dtype=np.float32)
    except Exception as cause:
        raise NotAPicture("The pixel data of the image cannot be decoded; send it again.") from cause
    if ds.get("Modality") == "CT":
        values = np.clip(values, *CT_RANGE_HU)
    if ds.get("PhotometricInterpretation") == "MONOCHROME1":
        values = values.max() - values
    return Picture(values, (down, along))
