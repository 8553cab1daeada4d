"""Teach pydicom the JPEG family through imagecodecs; `install` is called when the archive is imported.

pydicom alone reads RLE, and with its OpenJPEG plug-in JPEG 2000 and HTJ2K. Lossless JPEG and JPEG-LS, which
many scanners send, would need a GPL library; imagecodecs reads them under BSD.
"""

from typing import Any

import numpy as np
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import (
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

LABEL = "imagecodecs"
JPEG_LS = frozenset({JPEGLSLossless, JPEGLSNearLossless})
DECODER_DEPENDENCIES = dict.fromkeys(
    (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1, *sorted(JPEG_LS)),
    ("numpy", "imagecodecs"),
)


def install() -> None:
    """Add this plug-in to pydicom's decoders, once."""
    for uid in DECODER_DEPENDENCIES:
        decoder = get_decoder(uid)
        if LABEL not in decoder.available_plugins:
            decoder.add_plugin(LABEL, (__name__, "_decode_frame"))


def is_available(uid: str) -> bool:
    """Say whether this plug-in reads `uid`."""
    return uid in DECODER_DEPENDENCIES


def _decode_frame(src: bytes, runner: DecodeRunner) -> bytearray:
    """Decode one frame; colour comes out as RGB, pixel by pixel."""
    array = _decode(src, runner)
    expected = (runner.rows, runner.columns) + (
        (runner.samples_per_pixel,) if runner.samples_per_pixel > 1 else ()
    )
    if array.shape != expected:
        raise ValueError(f"The frame decodes to {array.shape} instead of {expected}.")
    runner.set_option("planar_configuration", 0)
    runner.set_option("bits_allocated", array.dtype.itemsize * 8)
    return bytearray(np.ascontiguousarray(array).tobytes())


def _decode(src: bytes, runner: DecodeRunner) -> Any:
    import imagecodecs

    if UID(runner.transfer_syntax) in JPEG_LS:
        return imagecodecs.jpegls_decode(src)
    if runner.samples_per_pixel == 1 or UID(runner.transfer_syntax) in {JPEGLossless, JPEGLosslessSV1}:
        return imagecodecs.jpeg_decode(src)
    # What is said to be RGB is RGB, whatever marks the stream carries or lacks (PS3.5 8.2.1).
    given = "RGB" if runner.photometric_interpretation == "RGB" else "YCBCR"
    array = imagecodecs.jpeg8_decode(src, colorspace=given, outcolorspace="RGB")
    runner.set_option("photometric_interpretation", "RGB")
    return array
