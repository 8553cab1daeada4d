"""A lossless HTJ2K copy of uncompressed images, to serve from; the original stays what is held.

Every frame is decoded again at once and compared bit by bit with what was encoded. Sources: PS3.5 A.4.12
(High-Throughput JPEG 2000), A.4 (encapsulation), transfer syntax 1.2.840.10008.1.2.4.202.
"""

import struct
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import numpy as np
from pydicom import Dataset
from pydicom.uid import UID

from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.record.upkeep import _store as store_
from sightline.record.upkeep._model import Copy, Keeping

HTJ2K = "1.2.840.10008.1.2.4.202"
LITTLE = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"})
_OPEN = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"


def transcode_batch(keeping: Keeping, batch: Iterable[archive.HeldBytes]) -> Iterator[tuple[int, bool, bool]]:
    """Make copies where the rule says so; yield for each object the bytes read, and whether it failed."""
    wanted = list(batch)
    with keeping.store.database.reading() as db:
        known = store_.find_copies(db, "served", [held.blob for held in wanted])
    for held in wanted:
        copy = known.get(held.blob)
        if held.kind != "instance" or (copy is not None and _is_there(keeping, copy)):
            yield 0, False, False
            continue
        keeping.check()
        try:
            done = transcode(keeping, held)
        except (PlatformError, ValueError, OSError):
            yield held.size or 0, True, False
            continue
        yield (held.size or 0) if done else 0, False, False


def _is_there(keeping: Keeping, copy: Copy) -> bool:
    return keeping.store.blobs.head(copy.key) is not None


def transcode(keeping: Keeping, held: archive.HeldBytes) -> bool:
    """Make the copy of one object; say whether there is one now."""
    store = keeping.store
    frames = archive.get_frames(store, held.sop_uid)
    with store.database.reading() as db:
        if frames.transfer_syntax not in LITTLE or not frames.is_native or not frames.frames:
            return False
        series = archive.get_series(db, frames.series)
        if series.modality not in keeping.settings.transcoded:
            return False
        header = archive.read_dataset(store, db, held.sop_uid, pixels=False)
    kind = pixel_type(header)
    if kind is None:
        return False
    place = store.blobs.scratch() / f"htj2k-{uuid4().hex}"
    try:
        table, size = _write(keeping, frames, header, kind, place)
        key = f"derived/htj2k/{held.hash[:2]}/{held.hash}.dcm"
        digest, _ = archive.hash_of(_chunks(place))
        store.blobs.delete(key)  # of an attempt that a crash cut off before it was listed
        store.blobs.put_if_absent(key, place, move=True)
    finally:
        place.unlink(missing_ok=True)
    with store.database.transaction() as db:
        store_.add_copy(db, Copy(held.blob, "served", key, size, digest, HTJ2K, table))
    return True


def pixel_type(header: Dataset) -> np.dtype[np.generic] | None:
    """Return the type of the stored values when they are of one sample in 8 or 16 bits; None otherwise."""
    bits, samples = header.get("BitsAllocated"), header.get("SamplesPerPixel", 1)
    if samples != 1 or bits not in {8, 16} or not header.get("Rows") or not header.get("Columns"):
        return None
    signed = header.get("PixelRepresentation", 0) == 1
    if bits == 8:
        return np.dtype("i1") if signed else np.dtype("u1")
    return np.dtype("<i2") if signed else np.dtype("<u2")


def encode_frame(values: bytes, shape: tuple[int, int], kind: np.dtype[np.generic]) -> bytes:
    """Return a frame in HTJ2K, proved to give back the same bytes.

    Raises
    ------
    ValueError
        If what was encoded does not decode to the same bytes.
    """
    import imagecodecs

    array = np.frombuffer(values, kind).reshape(shape)
    encoded = bytes(imagecodecs.htj2k_encode(array, reversible=True, tlm=True, tilepart=1))
    decoded = np.ascontiguousarray(imagecodecs.htj2k_decode(encoded))
    if decoded.shape != shape or decoded.astype(kind, copy=False).tobytes() != values:
        raise ValueError("The encoded frame does not decode to what it was made of.")
    return encoded


def _write(
    keeping: Keeping,
    held: archive.HeldFrames,
    header: Dataset,
    kind: np.dtype[np.generic],
    place: Path,
) -> tuple[bytes, int]:
    """Write the copy, a frame at a time; return its frame table and size."""
    shape = int(header.Rows), int(header.Columns)
    length = shape[0] * shape[1] * kind.itemsize
    spans = []
    with place.open("xb") as file:
        file.write(_head(header))
        for number in range(1, int(held.frames or 1) + 1):
            if number % 50 == 0:
                keeping.check()
            (values,) = archive.read_frames(keeping.store, held, [number])
            spans.append(_write_frame(file, encode_frame(values[:length], shape, kind)))
        file.write(_END)
        size = file.tell()
    return archive.build_frame_table(spans), size


def _head(header: Dataset) -> bytes:
    """Return the file up to its first frame: what stands after the pixels (padding) is left out."""
    for tag in [element.tag for element in header if element.tag >= 0x7FE00008]:
        del header[tag]
    header.file_meta.TransferSyntaxUID = UID(HTJ2K)
    buffer = BytesIO()
    header.save_as(buffer, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return buffer.getvalue() + _OPEN + _ITEM + struct.pack("<I", 0)


def _write_frame(file: BinaryIO, encoded: bytes) -> tuple[int, int]:
    padded = encoded + b"\0" * (len(encoded) % 2)
    file.write(_ITEM + struct.pack("<I", len(padded)))
    offset = file.tell()
    file.write(padded)
    return offset, len(padded)


def _chunks(place: Path) -> Iterator[bytes]:
    with place.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece
