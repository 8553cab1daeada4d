"""Whole objects, given out as they are held or in another transfer syntax, a piece at a time."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from sightline.kernel.errors import PlatformError
from sightline.record import archive
from sightline.runtime.db import Db
from sightline.wire.dicomweb._accept import BIG_ENDIAN, ENCODABLE, EXPLICIT, RAW, RLE, NotAcceptable
from sightline.wire.dicomweb._pixels import decode_frame, encode_frame, stream_size

# What is compressed on request is held in memory while it is: a film of gigabytes is not.
MOST_RECODED = 1 << 29
MOST_DECODED = 1 << 30


class TooLargeToRecode(NotAcceptable):
    """The object is too large to be compressed on request; fetch it as it is stored."""


@dataclass(frozen=True, slots=True)
class Given:
    """An object as it is given out: transfer syntax, size, and its bytes from where on and how many."""

    syntax: str
    size: int
    read: Callable[[int, int], Iterator[bytes]]

    def pieces(self) -> Iterator[bytes]:
        """Yield the whole object."""
        return self.read(0, self.size)


def find_corrected(db: Db, held: Iterable[archive.HeldFrames]) -> frozenset[str]:
    """Return the series whose objects are given out with other attributes than they came with."""
    series = {one.series for one in held}
    return frozenset(uid for uid in series if archive.overlay_of(db, uid) is not None)


def open_object(
    store: archive.Store, held: archive.HeldFrames, syntax: str, *, corrected: frozenset[str]
) -> Given:
    """Open an object to be given out in `syntax`.

    Raises
    ------
    InstanceNotHeld
        If it was rejected meanwhile.
    FrameNotDecodable, NotAcceptable
        If it cannot be given in `syntax`.
    """
    if not held.frames and syntax in ENCODABLE:  # without pixels there is nothing to compress
        syntax = EXPLICIT
    as_held = syntax == held.transfer_syntax
    if as_held and held.series not in corrected:
        return Given(syntax, held.size, partial(archive.read_chunks, store, held.blob))
    if not as_held:
        _require_decodable(store, held)
    with store.database.reading() as db:
        opened = archive.open_instance(store, db, held.sop_uid, transfer_syntax=None if as_held else EXPLICIT)
    if syntax == opened.transfer_syntax:
        return Given(syntax, opened.size, lambda start, length: opened.chunks(start=start, length=length))
    if opened.size > MOST_RECODED:
        raise TooLargeToRecode("The object is too large to be compressed on request; fetch it as stored.")
    data = _recoded(opened.read(), syntax)
    return Given(syntax, len(data), lambda start, length: iter((data[start : start + length],)))


def _require_decodable(store: archive.Store, held: archive.HeldFrames) -> None:
    """Refuse to decode what states more pixels than its header, or more than are decoded at once."""
    if not held.frames or held.transfer_syntax in RAW | {BIG_ENDIAN, RLE}:
        return
    rows, columns = held.rows or 0, held.columns or 0
    if rows * columns * held.frames > MOST_DECODED:
        raise TooLargeToRecode("The object is too large to be decoded on request; fetch it as stored.")
    for number in range(1, held.frames + 1):
        (data,) = archive.read_frames(store, held, (number,))
        if stream_size(data) not in {None, (rows, columns)}:
            raise archive.FrameNotDecodable(
                f"Frame {number} is not of the size that the header states; fetch the object as it is stored."
            )


def _recoded(data: bytes, syntax: str) -> bytes:
    """Return an object in explicit little endian with its pixels in `syntax`, without loss."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _encoded(dcmread(BytesIO(data)), data, syntax)
    except PlatformError:
        raise
    except Exception as error:  # pydicom raises what it likes at what it cannot read
        raise NotAcceptable(f"This object cannot be given in {syntax}; fetch it as it is stored.") from error


def _encoded(ds: Dataset, data: bytes, syntax: str) -> bytes:
    if "PixelData" not in ds:
        return data
    frames = [encode_frame(decode_frame(one, EXPLICIT, ds, raw=True), syntax, ds) for one in _frames(ds)]
    ds.PixelData = encapsulate(frames)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    if int(ds.get("SamplesPerPixel") or 1) > 1:
        ds.PlanarConfiguration = 0
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _frames(ds: Dataset) -> Iterator[bytes]:
    count = int(ds.get("NumberOfFrames") or 1)
    values = int(ds.Rows) * int(ds.Columns) * int(ds.get("SamplesPerPixel") or 1)
    length = values * int(ds.BitsAllocated) // 8
    if int(ds.BitsAllocated) < 8 or length * count > len(ds.PixelData):
        raise NotAcceptable("Only pixels of 8 or 16 bits are compressed on request; ask for them as stored.")
    view = memoryview(ds.PixelData)
    return (bytes(view[n * length : (n + 1) * length]) for n in range(count))
