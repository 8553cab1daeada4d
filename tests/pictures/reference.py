"""What an image has to look like by the standard, worked out with numpy and nothing of the viewer.

Small on purpose: one pass from the stored values to the grey or colour of each pixel, in the order of the
grayscale transformation (PS3.4 N.2): stored value, modality LUT, values of interest, presentation. Only the
decoding of compressed pixel data is left to pydicom.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels import apply_color_lut, pixel_array

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
BLACK, WHITE = 0.0, 255.0


@dataclass(frozen=True, slots=True)
class Window:
    """Centre and width in modality values, and the function between them (PS3.3 C.11.2.1.2, C.11.2.1.3)."""

    center: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True)
class Picture:
    """An image before it is drawn.

    `values` are modality values (row, column), or red, green and blue from 0 to 255 (row, column, 3);
    `shade` turns such values into 0 to 255; `unjudged` are pixels that are padding or that an overlay covers.
    """

    values: Values
    shade: Callable[[Values], Values]
    unjudged: Mask

    @property
    def drawn(self) -> Values:
        """What is to be seen at each pixel, 0 to 255."""
        return self.shade(self.values)


def expected(dataset: Dataset, frame: int = 0, window: Window | None = None) -> Picture:
    """Return the picture of a frame, the first being 0; without a window grey spans all its values.

    Raises
    ------
    ValueError
        If the pixel data cannot be decoded, or its Photometric Interpretation is none that can be shown.
    """
    kind = str(dataset.PhotometricInterpretation)
    cells = np.asarray(pixel_array(dataset, index=frame, raw=True))
    if kind in ("MONOCHROME1", "MONOCHROME2"):
        values = modality_values(stored_values(cells, dataset), dataset, frame)
        unjudged = padding(cells, dataset) | overlays(dataset, frame, cells.shape)
        seen = window or whole_range(values)
        return Picture(values, lambda v: presented(windowed(v, seen), dataset), unjudged)
    colours = palette_colours(cells, dataset) if kind == "PALETTE COLOR" else rgb(cells, kind, dataset)
    return Picture(colours, lambda v: v, np.zeros(colours.shape[:2], bool))


def stored_values(cells: NDArray[Any], dataset: Dataset) -> NDArray[np.float64]:
    """Return the stored values: what lies beside them in the cells is cut off."""
    if cells.dtype.kind == "f":
        return cells.astype(np.float64)
    stored, high = int(dataset.BitsStored), int(dataset.HighBit)
    values = (cells.astype(np.int64) >> (high + 1 - stored)) & ((1 << stored) - 1)
    if dataset.PixelRepresentation == 1:
        values -= (values >> (stored - 1)) << stored
    return values.astype(np.float64)


def modality_values(stored: Values, dataset: Dataset, frame: int) -> Values:
    """Apply the modality LUT or Rescale Slope and Intercept (PS3.3 C.11.1.1)."""
    if luts := dataset.get("ModalityLUTSequence"):
        return looked_up(stored, luts[0])
    rescale = macro(dataset, frame, "PixelValueTransformationSequence")
    slope, intercept = rescale.get("RescaleSlope"), rescale.get("RescaleIntercept")
    return stored * float(1 if slope is None else slope) + float(0 if intercept is None else intercept)


def macro(dataset: Dataset, frame: int, sequence: str) -> Dataset:
    """Return the functional group of a frame, of its own or shared; the dataset itself where it has none."""
    groups = [
        *list(dataset.get("PerFrameFunctionalGroupsSequence", []))[frame : frame + 1],
        *dataset.get("SharedFunctionalGroupsSequence", []),
    ]
    return next((group[sequence][0] for group in groups if sequence in group), dataset)


def looked_up(values: Values, lut: Dataset) -> Values:
    """Look values up in a LUT: below the first and above the last the ends hold (PS3.3 C.11.1.1.1)."""
    entries, first, bits = (int(v) for v in lut.LUTDescriptor)
    if bits and first > 32767 and values.min() < 0:
        first -= 65536  # the first value mapped has the sign of the pixels
    table = table_of(lut.LUTData, entries or 65536, bits)
    return table[np.clip(values - first, 0, len(table) - 1).astype(np.int64)]


def table_of(data: Any, entries: int, bits: int) -> Values:
    """Return the entries of a LUT from bytes or words; two entries of 8 bits may share a word."""
    if isinstance(data, bytes):
        size = 1 if len(data) in (entries, entries + 1) else 2
        return np.frombuffer(data, "u1" if size == 1 else "<u2")[:entries].astype(np.float64)
    words = np.atleast_1d(np.asarray(data, np.int64)) & 0xFFFF
    if bits <= 8 and len(words) < entries:
        words = words.astype("<u2").view("u1").astype(np.int64)
    return words[:entries].astype(np.float64)


def windowed(values: Values, window: Window) -> Values:
    """Return values of interest as 0 to 255 (PS3.3 C.11.2.1.2.1, C.11.2.1.3.1, C.11.2.1.3.2).

    >>> windowed(np.array([-1.0, 0.0, 1.0, 2.0, 3.0]), Window(2, 4)).round(1).tolist()
    [0.0, 0.0, 85.0, 170.0, 255.0]
    """
    center, width = window.center, window.width
    if window.function == "SIGMOID":
        return WHITE / (1 + np.exp(-4 * (values - center) / width))
    if window.function == "LINEAR_EXACT":
        return np.clip((values - center) / width + 0.5, 0, 1) * WHITE
    if width <= 1:
        return np.where(values <= center - 0.5, BLACK, WHITE)
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * WHITE


def whole_range(values: Values) -> Window:
    """Return the window that spans all values."""
    low, high = float(values.min()), float(values.max())
    return Window((low + high + 1) / 2, high - low + 1)


def presented(grey: Values, dataset: Dataset) -> Values:
    """Turn black and white round where the lowest value is white (PS3.3 C.7.6.3.1.2, C.11.6.1.2)."""
    inverse = dataset.PhotometricInterpretation == "MONOCHROME1"
    if shape := dataset.get("PresentationLUTShape"):
        inverse = shape == "INVERSE"
    return WHITE - grey if inverse else grey


def palette_colours(cells: NDArray[Any], dataset: Dataset) -> Values:
    """Look each stored value up in the three palettes (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6)."""
    names = ("Red", "Green", "Blue")
    if "SegmentedRedPaletteColorLookupTableData" in dataset:
        deep = np.asarray(apply_color_lut(cells, dataset), np.float64)
        bits = int(dataset.RedPaletteColorLookupTableDescriptor[2])
        return deep / (257.0 if bits == 16 else 1.0)
    stored = stored_values(cells, dataset)
    planes = []
    for name in names:
        entries, first, bits = (int(v) for v in dataset[f"{name}PaletteColorLookupTableDescriptor"].value)
        table = table_of(dataset[f"{name}PaletteColorLookupTableData"].value, entries or 65536, bits)
        at = np.clip(stored - first, 0, len(table) - 1).astype(np.int64)
        planes.append(table[at] / (257.0 if bits == 16 and table.max() > WHITE else 1.0))
    return np.stack(planes, axis=-1)


def rgb(cells: NDArray[Any], kind: str, dataset: Dataset) -> Values:
    """Return red, green and blue from 0 to 255 out of samples by pixel (PS3.3 C.7.6.3.1.2).

    Decoders of JPEG 2000 undo YBR_ICT and YBR_RCT by themselves, so these come as red, green and blue.
    """
    samples = cells.astype(np.float64) / ((1 << int(dataset.BitsStored)) - 1) * WHITE
    if kind in ("RGB", "YBR_ICT", "YBR_RCT"):
        return samples
    if kind not in ("YBR_FULL", "YBR_FULL_422"):
        raise ValueError(f"{kind} is not shown.")
    y, cb, cr = samples[..., 0], samples[..., 1] - 128, samples[..., 2] - 128
    red, green, blue = y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb
    return np.clip(np.stack([red, green, blue], axis=-1), BLACK, WHITE)


def padding(cells: NDArray[Any], dataset: Dataset) -> Mask:
    """Return where there is no image: Pixel Padding Value up to its Range Limit (PS3.3 C.7.5.1.1.2)."""
    value = dataset.get("PixelPaddingValue")
    if value is None or cells.dtype.kind == "f":
        return np.zeros(cells.shape, bool)
    limit = dataset.get("PixelPaddingRangeLimit", value)
    low, high = sorted((int(value), int(limit)))
    stored = stored_values(cells, dataset)
    found: Mask = (stored >= low) & (stored <= high)
    return found


def overlays(dataset: Dataset, frame: int, shape: tuple[int, ...]) -> Mask:
    """Return where overlay planes lie over a frame (PS3.3 C.9.2); what hangs over the edge is cut off."""
    covered = np.zeros(shape[:2], bool)
    for group in range(0x6000, 0x6020, 2):
        if (group, 0x3000) not in dataset:
            continue
        try:
            plane = dataset.overlay_array(group) > 0
        except (ValueError, AttributeError):
            continue  # a plane that cannot be read covers nothing
        place = (group, 0x0050)
        row, column = (int(v) - 1 for v in dataset[place].value) if place in dataset else (0, 0)
        rows, columns = np.nonzero(plane if plane.ndim == 2 else plane[min(frame, len(plane) - 1)])
        rows, columns = rows + row, columns + column
        inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        covered[rows[inside], columns[inside]] = True
    return covered


def good_window(values: Values) -> Window:
    """Return a window in which most of an image is neither black nor white; exact for what is no integer."""
    low, high = np.percentile(values[np.isfinite(values)], (2, 98))
    width = max(float(high - low), float(np.ptp(values)) / 50)
    if not np.array_equal(values, np.rint(values)):
        return Window(float(low) + width / 2, width or 1.0, "LINEAR_EXACT")
    width = max(round(width), 2)
    return Window(round(float(low)) + width / 2, float(width))
