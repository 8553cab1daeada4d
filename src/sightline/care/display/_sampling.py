"""Overlays on the slices of a series, slice by slice, as bytes."""

import zlib
from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np

from sightline.care.display._model import Read, Slices
from sightline.science import rendering

Encoding: TypeAlias = Literal["", "gzip", "zstd"]
# What is compressed as a whole; the encoder of zstd here takes no pieces.
MOST_AT_ONCE = 64 << 20


def sampled(read: Read, slices: Slices, chosen: range, reduce: int) -> Iterator[bytes]:
    """Yield the labels of each layer, or the values, of each slice: (layer, slice, row, column).

    Labels are uint8 and those of the nearest voxel; values float32 little endian, linear between voxels, NaN
    where there are none.
    """
    labels = bool(read.segments)
    for part in read.parts:
        for index in chosen:
            plane = slices.plane(index, reduce)
            values, inside = rendering.sample_plane(part.array, part.grid, plane, nearest=labels)
            outside = np.uint8(0) if labels else np.float32(np.nan)
            yield np.where(inside, values, outside).astype(np.uint8 if labels else "<f4").tobytes()


def choose_encoding(accepted: str, size: int | None = None) -> Encoding:
    """Return how a body of a size, or of one not yet known, is to be compressed for who accepts these.

    >>> choose_encoding("gzip, deflate, br, zstd", 1000), choose_encoding("gzip;q=1.0, zstd;q=0", 1000)
    ('zstd', 'gzip')
    """
    taken = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.strip().partition(";")
        taken[name.strip()] = weight.strip().removeprefix("q=") not in {"0", "0.0", "0.00", "0.000"}
    if taken.get("zstd") and size is not None and size <= MOST_AT_ONCE:
        return "zstd"
    return "gzip" if taken.get("gzip") else ""


def packed(pieces: Iterator[bytes], encoding: Encoding) -> Iterator[bytes]:
    """Yield the pieces compressed."""
    if encoding == "zstd":
        import imagecodecs

        yield bytes(imagecodecs.zstd_encode(b"".join(pieces), level=3))
    elif encoding == "gzip":
        packer = zlib.compressobj(1, wbits=31)
        for piece in pieces:
            if squeezed := packer.compress(piece):
                yield squeezed
        yield packer.flush()
    else:
        yield from pieces
