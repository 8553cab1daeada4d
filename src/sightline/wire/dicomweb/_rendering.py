"""Pixels made for looking at: rescaled, windowed, as JPEG or PNG (PS3.18 8.3.5, PS3.3 C.11.2)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut

from sightline.kernel.errors import Invalid

JPEG, PNG = "image/jpeg", "image/png"


class BadRendering(Invalid):
    """A parameter of the rendering cannot be used; correct it."""

    status = 400


@dataclass(frozen=True, slots=True)
class Rendering:
    """How to render: window centre and width, function, largest size in pixels, JPEG quality."""

    window: tuple[float, float] | None = None
    function: str = "linear"
    size: tuple[int, int] | None = None
    quality: int = 90


def parse_rendering(query: dict[str, str]) -> Rendering:
    """Read the query of a rendered resource."""
    try:
        quality = int(query.get("quality", "90"))
        window, function = None, "linear"
        if "window" in query:
            centre, width, *rest = query["window"].split(",")
            window, function = (float(centre), float(width)), (rest or ["linear"])[0].lower()
        size = None
        if "viewport" in query:
            across, down, *_ = query["viewport"].split(",")
            size = int(across), int(down)
    except ValueError:
        raise BadRendering(
            "window is centre,width,function; viewport is width,height; quality 1 to 100."
        ) from None
    if not 1 <= quality <= 100 or (window and not window[1] >= 1) or (size and min(size) < 1):
        raise BadRendering(
            "quality is 1 to 100, the width of a window at least 1, a viewport at least 1 pixel."
        )
    if function not in {"linear", "linear-exact", "sigmoid"}:
        raise BadRendering("The function of a window is linear, linear-exact or sigmoid.")
    return Rendering(window, function, size, quality)


def render(pixels: NDArray[Any], header: Dataset, how: Rendering, kind: str) -> bytes:
    """Return one frame as JPEG or PNG bytes."""
    import imagecodecs

    shown = _fit(_shown(pixels, header, how), how.size)
    if kind == PNG:
        return bytes(imagecodecs.png_encode(shown))
    return bytes(imagecodecs.jpeg8_encode(shown, level=how.quality))


def _shown(pixels: NDArray[Any], header: Dataset, how: Rendering) -> NDArray[np.uint8]:
    if pixels.ndim == 3:
        return _eight_bit(pixels, int(header.get("BitsStored", 8)))
    if header.get("PhotometricInterpretation") == "PALETTE COLOR":
        return _coloured(pixels, header)
    values = _rescaled(pixels, header)
    window = how.window or _window_of(header) or _window_seen(values)
    grey = _windowed(values, *window, how.function)
    if header.get("PhotometricInterpretation") == "MONOCHROME1":
        grey = 255 - grey
    return grey


def _eight_bit(pixels: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    return pixels.astype(np.uint8) if bits <= 8 else (pixels >> (bits - 8)).astype(np.uint8)


def _coloured(pixels: NDArray[Any], header: Dataset) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import apply_color_lut

    coloured: NDArray[Any] = apply_color_lut(pixels, header)
    return _eight_bit(coloured, coloured.dtype.itemsize * 8)


def _rescaled(pixels: NDArray[Any], header: Dataset) -> NDArray[np.float32]:
    shared = _functional(header, "PixelValueTransformationSequence")
    source = shared if shared is not None and "RescaleSlope" in shared else header
    return np.asarray(apply_modality_lut(pixels, source), np.float32)


def _functional(header: Dataset, name: str) -> Dataset | None:
    """Return a functional group of a multi-frame object, shared or of its first frame."""
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        sequence = header.get(groups)
        if sequence and sequence[0].get(name):
            found: Dataset = sequence[0][name].value[0]
            return found
    return None


def _window_of(header: Dataset) -> tuple[float, float] | None:
    """Return the first window that the object itself names."""
    shared = _functional(header, "FrameVOILUTSequence")
    source = shared if shared is not None else header
    try:
        centre, width = source.get("WindowCenter"), source.get("WindowWidth")
        first = [v if isinstance(v, float | int | str) else v[0] for v in (centre, width)]
        found = float(first[0]), float(first[1])
    except (TypeError, ValueError, IndexError):
        return None
    return found if found[1] >= 1 else None


def _window_seen(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return a window that shows all but the outermost hundredths."""
    low, high = np.percentile(values[np.isfinite(values)], (1, 99)) if np.isfinite(values).any() else (0, 1)
    return (float(low) + float(high)) / 2, max(float(high) - float(low), 1)


def _windowed(values: NDArray[np.float32], centre: float, width: float, function: str) -> NDArray[np.uint8]:
    """Apply a window (PS3.3 C.11.2.1.2.1, C.11.2.1.3)."""
    if function == "sigmoid":
        shown = 255 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -60, 60)))
    elif function == "linear-exact":
        shown = ((values - centre) / width + 0.5) * 255
    else:
        shown = ((values - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5) * 255
    grey: NDArray[np.uint8] = np.nan_to_num(np.clip(shown, 0, 255)).astype(np.uint8)
    return grey


def _fit(image: NDArray[np.uint8], size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Shrink an image to fit into ``(width, height)``, keeping its shape; never enlarge it."""
    if size is None:
        return image
    rows, columns = image.shape[:2]
    factor = max(rows / size[1], columns / size[0], 1)
    if factor == 1:
        return image
    whole = max(int(factor), 1)  # average whole blocks first, so that nothing is missed
    rows, columns = rows // whole * whole, columns // whole * whole
    blocks = image[:rows, :columns].reshape(rows // whole, whole, columns // whole, whole, -1)
    small = blocks.mean(axis=(1, 3)).astype(np.uint8)
    down = max(round(image.shape[0] / factor), 1), max(round(image.shape[1] / factor), 1)
    y = np.linspace(0, small.shape[0] - 1, down[0]).round().astype(int)
    x = np.linspace(0, small.shape[1] - 1, down[1]).round().astype(int)
    fitted: NDArray[np.uint8] = np.ascontiguousarray(small[np.ix_(y, x)].squeeze())
    return fitted
