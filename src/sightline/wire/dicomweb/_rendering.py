"""Pixels made for looking at: rescaled, windowed, cropped and scaled (PS3.18 8.3.5, PS3.3 C.11.1, C.11.2).

Arrays in, arrays out: which bytes they come from and which they become is not known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from sightline.wire.dicomweb._serving import BadRequest

FUNCTIONS = frozenset({"linear", "linear-exact", "sigmoid"})
ANNOTATIONS = frozenset({"patient", "technique"})
PROFILES = frozenset({"no", "yes", "srgb"})
MOST_ACROSS = 16_384
_SEGMENTATIONS = ("BINARY", "FRACTIONAL")


class BadRendering(BadRequest):
    """A parameter of the rendering cannot be used; correct it."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """What is seen: the size in pixels that the picture is fitted into, and the part of the image shown.

    `size` is ``(width, height)``, None for the image's own. `region` is ``(x, y, width, height)`` in pixels
    of the image, None in it for the rest; negative width or height mirrors. `parts` is the same from 0 to 1,
    ``(left, top, right, bottom)``, as WADO-URI names it.
    """

    size: tuple[int, int] | None = None
    region: tuple[float, float, float | None, float | None] | None = None
    parts: tuple[float, float, float, float] | None = None
    enlarge: bool = True


@dataclass(frozen=True, slots=True)
class Rendering:
    """How to render; what is not said is taken from the object."""

    window: tuple[float, float] | None = None
    function: str = ""
    viewport: Viewport | None = None
    quality: int = 90
    annotation: frozenset[str] = frozenset()
    profile: str = "no"


def parse_rendering(query: Mapping[str, str]) -> Rendering:
    """Read the query of a rendered resource (PS3.18 8.3.5.1).

    >>> parse_rendering({"window": "40,400,linear-exact"}).window
    (40.0, 400.0)
    """
    window, function = _parse_window(query.get("window", ""))
    quality = _number(query.get("quality", "90"), "quality")
    if not 1 <= quality <= 100:
        raise BadRendering("quality is a number from 1 to 100.")
    profile = query.get("iccprofile", "no").lower()
    if profile not in PROFILES:
        raise BadRendering("iccprofile is no, yes or srgb.")
    annotation = frozenset(part for part in query.get("annotation", "").lower().split(",") if part)
    if not annotation <= ANNOTATIONS:
        raise BadRendering("annotation is patient, technique or both, separated by a comma.")
    viewport = _parse_viewport(query["viewport"]) if query.get("viewport") else None
    return Rendering(window, function, viewport, int(quality), annotation, profile)


def _parse_window(text: str) -> tuple[tuple[float, float] | None, str]:
    if not text:
        return None, ""
    centre, width, function, *more = [*text.split(","), "", ""]
    function = (function or "linear").lower()
    if function not in FUNCTIONS or any(more):
        raise BadRendering("window is centre,width and then linear, linear-exact or sigmoid.")
    return checked_window(_number(centre, "window"), _number(width, "window"), function), function


def checked_window(centre: float, width: float, function: str) -> tuple[float, float]:
    """Return a window, or refuse one without width (PS3.3 C.11.2.1.2)."""
    if width <= 0 or (function == "linear" and width < 1):
        raise BadRendering("The width of a window is at least 1, or above 0 for linear-exact and sigmoid.")
    return centre, width


def _number(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number) or abs(number) > 1e12:
        raise BadRendering(f"{name} holds something that is no number.")
    return number


def _parse_viewport(text: str) -> Viewport:
    """Read ``width,height[,x,y,width,height]``; what is left empty is the image's own."""
    parts = text.split(",")
    if len(parts) not in {2, 6}:
        raise BadRendering("viewport is width,height or width,height,x,y,width,height.")
    across, down = (_number(part, "viewport") for part in parts[:2])
    size = checked_size(across, down)
    if len(parts) == 2:
        return Viewport(size)
    x, y = (_number(part or "0", "viewport") for part in parts[2:4])
    width, height = (_number(part, "viewport") if part else None for part in parts[4:])
    if x < 0 or y < 0 or width == 0 or height == 0:
        raise BadRendering("The part of the image in viewport lies inside of it and is not empty.")
    return Viewport(size, (x, y, width, height))


def checked_size(across: float, down: float) -> tuple[int, int]:
    """Return the size of a viewport, or refuse one that is none."""
    if not (1 <= across <= MOST_ACROSS and 1 <= down <= MOST_ACROSS):
        raise BadRendering(f"A picture is 1 to {MOST_ACROSS} pixels wide and high.")
    return int(across), int(down)


def render(pixels: NDArray[Any], header: Dataset, how: Rendering, number: int = 1) -> NDArray[np.uint8]:
    """Return frame `number`, given by its stored values, as grey (row, column) or RGB (row, column, 3)."""
    shown = _shown(pixels, header, how, number)
    return _fit(shown, how.viewport) if how.viewport else shown


def _shown(pixels: NDArray[Any], header: Dataset, how: Rendering, number: int) -> NDArray[np.uint8]:
    bits = int(header.get("BitsStored") or 8)
    if pixels.ndim == 3:
        return _eight_bit(pixels, bits)
    if header.get("PhotometricInterpretation") == "PALETTE COLOR":
        coloured: NDArray[Any] = apply_color_lut(pixels, header)
        return _eight_bit(coloured, coloured.dtype.itemsize * 8)
    if header.get("SegmentationType") in _SEGMENTATIONS:
        most = int(header.get("MaximumFractionalValue") or 1) if bits > 1 else 1
        return _clipped(pixels.astype(np.float32) * (255 / max(most, 1)))
    if bits == 1:
        return pixels.astype(np.uint8) * np.uint8(255)
    grey = _toned(pixels, header, how, number)
    return 255 - grey if header.get("PhotometricInterpretation") == "MONOCHROME1" else grey


def _eight_bit(pixels: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    if bits <= 8:
        return pixels.astype(np.uint8)
    return (pixels >> (bits - 8)).astype(np.uint8)


def _toned(pixels: NDArray[Any], header: Dataset, how: Rendering, number: int) -> NDArray[np.uint8]:
    """Apply modality LUT and VOI LUT or window: what is asked for, else the object's, else all there is."""
    values = _rescaled(pixels, header, number)
    if how.window is not None:
        return _windowed(values, *how.window, how.function or "linear")
    voi = _group(header, "FrameVOILUTSequence", number) or header
    table = voi.get("VOILUTSequence") or header.get("VOILUTSequence")
    if table:
        looked_up = _looked_up(values, table[0], signed=header.get("PixelRepresentation") == 1)
        if looked_up is not None:
            return looked_up
    window = _window_of(voi)
    if window is not None:
        function = str(voi.get("VOILUTFunction") or "LINEAR").lower().replace("_", "-")
        return _windowed(values, *window, function if function in FUNCTIONS else "linear")
    return _stretched(values, pixels, header)


def _group(header: Dataset, name: str, number: int) -> Dataset | None:
    """Return a functional group of a frame of an enhanced object: its own, else the shared one."""
    for groups, at in (
        ("PerFrameFunctionalGroupsSequence", number - 1),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        sequence = header.get(groups)
        if sequence and at < len(sequence) and sequence[at].get(name):
            found: Dataset = sequence[at][name].value[0]
            return found
    return None


def _rescaled(pixels: NDArray[Any], header: Dataset, number: int) -> NDArray[np.float32]:
    group = _group(header, "PixelValueTransformationSequence", number)
    source = group if group is not None and "RescaleSlope" in group else header
    if pixels.dtype.kind == "f":
        return pixels.astype(np.float32)
    return np.asarray(apply_modality_lut(pixels, source), np.float32)


def _looked_up(values: NDArray[np.float32], item: Dataset, *, signed: bool) -> NDArray[np.uint8] | None:
    """Apply a VOI LUT (PS3.3 C.11.2.1.1); None when the table is not what its descriptor says."""
    try:
        entries, first, bits = (int(v) for v in item.LUTDescriptor)
        raw = item["LUTData"].value
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    entries = entries or 65_536
    first = first - 65_536 if signed and first >= 32_768 else first
    table = np.frombuffer(raw, "<u2") if isinstance(raw, bytes) else np.atleast_1d(np.asarray(raw, np.uint16))
    if len(table) * 2 == entries:  # two entries of 8 bits in each word
        table = table.astype("<u2").view(np.uint8)
    if len(table) < entries or entries < 1 or not 1 <= bits <= 16:
        return None
    table = table[:entries].astype(np.float32)
    tones = _clipped(table * (255 / max(2.0**bits - 1, float(table.max()), 1.0)))
    places = np.clip(np.rint(np.nan_to_num(values)) - first, 0, entries - 1).astype(np.int32)
    return np.asarray(tones[places])


def _window_of(source: Dataset) -> tuple[float, float] | None:
    """Return the first window that the object itself names."""
    try:
        values = (source.get("WindowCenter"), source.get("WindowWidth"))
        centre, width = (float(v if isinstance(v, float | int | str) else v[0]) for v in values)
    except (TypeError, ValueError, IndexError):
        return None
    return (centre, width) if width >= 1 and np.isfinite([centre, width]).all() else None


def _windowed(values: NDArray[np.float32], centre: float, width: float, function: str) -> NDArray[np.uint8]:
    """Apply a window (PS3.3 C.11.2.1.2.1, C.11.2.1.3)."""
    if function == "sigmoid":
        return _clipped(255 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -60, 60))))
    if function == "linear-exact":
        return _clipped(((values - centre) / width + 0.5) * 255)
    return _clipped(((values - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5) * 255)


def _stretched(values: NDArray[np.float32], pixels: NDArray[Any], header: Dataset) -> NDArray[np.uint8]:
    """Show all values that are no padding, but for the outermost hundredths."""
    seen = np.isfinite(values)
    padding = header.get("PixelPaddingValue")
    if isinstance(padding, int):
        limit = header.get("PixelPaddingRangeLimit", padding)
        least, most = sorted((padding, limit if isinstance(limit, int) else padding))
        kept = seen & ((pixels < least) | (pixels > most))
        seen = kept if kept.any() else seen
    if not seen.any():
        return np.zeros(values.shape, np.uint8)
    low, high = (float(v) for v in np.percentile(values[seen], (1, 99)))
    if low == high:
        low, high = float(values[seen].min()), float(values[seen].max())
    if low == high:
        return np.zeros(values.shape, np.uint8)
    return _clipped((values - low) * (255 / (high - low)))


def _clipped(values: NDArray[Any]) -> NDArray[np.uint8]:
    shown: NDArray[np.uint8] = np.nan_to_num(np.clip(values, 0, 255)).astype(np.uint8)
    return shown


def _fit(image: NDArray[np.uint8], viewport: Viewport) -> NDArray[np.uint8]:
    """Crop and mirror, then scale until one side fits the viewport, keeping the image's shape."""
    image = _cropped(image, viewport)
    if viewport.size is None:
        return image
    rows, columns = image.shape[:2]
    factor = min(viewport.size[1] / rows, viewport.size[0] / columns)
    if factor == 1 or (factor > 1 and not viewport.enlarge):
        return image
    return _scaled(image, max(round(rows * factor), 1), max(round(columns * factor), 1))


def _cropped(image: NDArray[np.uint8], viewport: Viewport) -> NDArray[np.uint8]:
    rows, columns = image.shape[:2]
    if viewport.parts is not None:
        left, top, right, bottom = viewport.parts
        region = (left * columns, top * rows, (right - left) * columns, (bottom - top) * rows)
        viewport = replace(viewport, region=region)
    if viewport.region is None:
        return image
    x, y, width, height = viewport.region
    wide, high = (abs(width) if width else columns - x), (abs(height) if height else rows - y)
    left, top = int(x), int(y)
    right, bottom = min(max(round(x + wide), left + 1), columns), min(max(round(y + high), top + 1), rows)
    if left >= columns or top >= rows:
        raise BadRendering("The part of the image that is asked for lies outside of it.")
    seen = image[top:bottom, left:right]
    if width is not None and width < 0:
        seen = seen[:, ::-1]
    return seen[::-1] if height is not None and height < 0 else seen


def _scaled(image: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Return the image in another size, each pixel the weighted mean of those under it."""
    image = _block_means(image, max(image.shape[0] // (rows * 2), 1), max(image.shape[1] // (columns * 2), 1))
    down, across = _weights(image.shape[0], rows), _weights(image.shape[1], columns)
    planes = image.astype(np.float32).reshape(*image.shape[:2], -1)
    scaled = np.stack([down @ planes[..., n] @ across.T for n in range(planes.shape[2])], -1)
    fitted: NDArray[np.uint8] = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(fitted if image.ndim == 3 else fitted[..., 0])


def _block_means(image: NDArray[np.uint8], high: int, wide: int) -> NDArray[np.uint8]:
    """Return the means of whole blocks: quick, and nothing small is missed."""
    if high == wide == 1:
        return image
    rows, columns = image.shape[0] // high, image.shape[1] // wide
    blocks = image[: rows * high, : columns * wide].reshape(rows, high, columns, wide, *image.shape[2:])
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32).astype(np.uint8))


def _weights(have: int, want: int) -> NDArray[np.float32]:
    """Return the share of each of `have` pixels in each of `want`: a triangle."""
    scale = have / want
    centres = (np.arange(want, dtype=np.float32) + 0.5) * scale - 0.5
    apart = np.abs(centres[:, None] - np.arange(have, dtype=np.float32)[None, :])
    share = np.maximum(1 - apart / max(scale, 1), 0)
    weights: NDArray[np.float32] = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    return weights
