"""Words on pictures: only when asked for, and only what was asked for (PS3.18 8.3.5.1.1)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

_PATIENT = (("PatientName", ""), ("PatientID", ""), ("PatientBirthDate", "*"), ("PatientSex", ""))
_TECHNIQUE = (
    ("StudyDate", ""),
    ("Modality", ""),
    ("SeriesDescription", ""),
    ("KVP", "kV "),
    ("SliceThickness", "mm "),
    ("InstanceNumber", "# "),
)


def annotate(
    image: NDArray[np.uint8], header: Dataset, annotation: frozenset[str], number: int = 1
) -> NDArray[np.uint8]:
    """Return the picture with the patient's data at its top left, how it was taken at its top right."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(np.ascontiguousarray(image))
    draw = ImageDraw.Draw(picture)
    size = max(image.shape[1] // 40, 10)
    font: Any = ImageFont.load_default(size)
    white: Any = 255 if image.ndim == 2 else (255, 255, 255)
    black: Any = 0 if image.ndim == 2 else (0, 0, 0)
    style: dict[str, Any] = {"font": font, "fill": white, "stroke_width": 1, "stroke_fill": black}
    if "patient" in annotation:
        text = "\n".join(_lines(header, _PATIENT))
        draw.multiline_text((size // 2, size // 2), text, **style)
    if "technique" in annotation:
        lines = list(_lines(header, _TECHNIQUE))
        lines += [f"frame {number}"] if int(header.get("NumberOfFrames") or 1) > 1 else []
        place = (image.shape[1] - size // 2, size // 2)
        draw.multiline_text(place, "\n".join(lines), anchor="ra", align="right", **style)
    return np.asarray(picture, np.uint8)


def _lines(header: Dataset, shown: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for keyword, lead in shown:
        value = header.get(keyword)
        if value not in (None, ""):
            yield f"{lead}{value}"[:64]
