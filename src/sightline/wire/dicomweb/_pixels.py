"""Frames in another transfer syntax: decoded, or encoded without loss (PS3.5 8.2, A.4).

What a stream says of its size is held against the header before anything is decoded: a few bytes may state
65,535 × 65,535 pixels.
"""

import struct
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from sightline.record import archive
from sightline.wire.dicomweb._accept import EXPLICIT, IMAGES, NotAcceptable

HTJ2K, JPEG_LS, JPEG_2000 = IMAGES["image/jphc"], IMAGES["image/jls"], IMAGES["image/jp2"]
_SOI, _SOC = b"\xff\xd8", b"\xff\x4f\xff\x51"
# Start-of-frame marks of JPEG and JPEG-LS, which state rows and columns.
_FRAME_MARKS = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xF7})


def decode_frame(
    data: bytes, syntax: str, header: Dataset, *, raw: bool = False, most_pixels: int = 1 << 28
) -> NDArray[Any]:
    """Return the values of one frame, (row, column) or (row, column, sample); YBR becomes RGB unless `raw`.

    Raises
    ------
    FrameNotDecodable
        If no decoder reads it, or it states another size than the header, or more than `most_pixels`.
    """
    uid = UID(syntax)
    try:
        rows, columns = int(header.Rows), int(header.Columns)
        if rows * columns > most_pixels or stream_size(data) not in {None, (rows, columns)}:
            raise ValueError("The frame is not of the size that the header states.")
        options = _options(header)
        source = encapsulate([data]) if uid.is_encapsulated else data
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            decoder = get_decoder(UID(EXPLICIT) if uid.is_deflated else uid)
            array: NDArray[Any] = decoder.as_array(source, index=0, raw=raw, validate=True, **options)[0]
    except Exception as error:  # each decoder raises what it likes
        raise archive.FrameNotDecodable(
            f"No decoder here reads this frame ({syntax}); fetch it as it is stored."
        ) from error
    return array


def _options(header: Dataset) -> dict[str, Any]:
    bits = int(header.BitsAllocated)
    floating = "BitsStored" not in header and bits in {32, 64}
    options: dict[str, Any] = {
        "rows": int(header.Rows),
        "columns": int(header.Columns),
        "samples_per_pixel": int(header.get("SamplesPerPixel") or 1),
        "bits_allocated": bits,
        "number_of_frames": 1,
        "photometric_interpretation": str(header.get("PhotometricInterpretation") or "MONOCHROME2"),
        "planar_configuration": int(header.get("PlanarConfiguration") or 0),
        "pixel_keyword": "PixelData",
    }
    if floating:
        return options | {"pixel_keyword": "FloatPixelData" if bits == 32 else "DoubleFloatPixelData"}
    return options | {
        "bits_stored": int(header.get("BitsStored") or bits),
        "pixel_representation": int(header.get("PixelRepresentation") or 0),
    }


def stream_size(data: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a JPEG, JPEG-LS or JPEG 2000 stream states; None for anything else."""
    if data[:4] == _SOC and len(data) >= 24:
        across, down, left, top = struct.unpack_from(">4I", data, 8)
        return down - top, across - left
    if data[:2] != _SOI:
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        mark = data[at + 1]
        if mark == 0xFF:  # a filler
            at += 1
            continue
        if mark in _FRAME_MARKS:
            rows, columns = struct.unpack_from(">HH", data, at + 5)
            return rows, columns
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return None


def encode_frame(array: NDArray[Any], syntax: str, header: Dataset) -> bytes:
    """Return a decoded frame in `syntax`, without loss: explicit little endian, HTJ2K, JPEG-LS, JPEG 2000."""
    if syntax == EXPLICIT:
        if array.ndim == 3 and header.get("PlanarConfiguration") == 1:
            array = array.transpose(2, 0, 1)  # as the metadata say
        return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    if array.dtype.kind not in "ui" or array.dtype.itemsize > 2 or header.get("BitsAllocated") == 1:
        raise NotAcceptable("Only pixels of 8 or 16 bits are compressed on request; ask for them as stored.")
    import imagecodecs

    array = np.ascontiguousarray(array)
    if syntax in HTJ2K:
        return bytes(imagecodecs.htj2k_encode(array, reversible=True, rgb=False, tlm=True, tilepart=1))
    if syntax in JPEG_LS:  # knows no sign: the bits stay, and the header says how to read them
        unsigned = array.view(array.dtype.str.replace("i", "u"))
        return bytes(imagecodecs.jpegls_encode(unsigned, level=0))
    return bytes(imagecodecs.jpeg2k_encode(array, reversible=True, mct=False, level=0, codecformat="j2k"))
