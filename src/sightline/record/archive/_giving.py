"""Giving an object out: as it is held, or uncompressed for who takes nothing else (decoded in memory)."""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from sightline.record.archive import _store as store_
from sightline.record.archive._model import FrameNotDecodable, InstanceNotHeld, Store
from sightline.record.archive._rewriting import (
    Held,
    Piece,
    Reader,
    Span,
    dataset_pieces,
    meta_end,
    meta_pieces,
)
from sightline.runtime.blobs import Blobs
from sightline.runtime.db import Db

CHUNK = 1 << 20
# What is given in another transfer syntax is in memory meanwhile, as it is held and as it becomes.
MOST_REWRITTEN = 1 << 30
GIVEN = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian})
_SEPARATE = frozenset({ExplicitVRBigEndian, *GIVEN})


@dataclass(frozen=True, slots=True)
class Opened:
    """An instance as it is given out: what it is, and its bytes a piece at a time.

    It needs no database any more, so no snapshot is held while a receiver is slow.
    """

    sop_uid: str
    sop_class: str
    transfer_syntax: str
    size: int
    _blobs: Blobs
    _blob: str
    _pieces: tuple[Piece, ...]

    @property
    def is_as_received(self) -> bool:
        """Say whether these are the bytes that came in."""
        return len(self._pieces) == 1 and isinstance(self._pieces[0], Span)

    @property
    def dataset_size(self) -> int:
        """How many bytes follow the file's preamble and meta information."""
        return self.size - self.dataset_from

    @property
    def dataset_from(self) -> int:
        """How many bytes preamble and meta information have."""
        first = self._pieces[0]
        return meta_end(
            Held(first) if isinstance(first, bytes) else Reader(self._blobs, self._blob, first.length)
        )

    def chunks(self, size: int = CHUNK, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the Part 10 file, or a run of it, at most `size` bytes at a time."""
        end = self.size if length is None else min(start + length, self.size)
        at = 0
        for piece in self._pieces:
            long = piece.length if isinstance(piece, Span) else len(piece)
            low, high = max(start - at, 0), min(end - at, long)
            at += long
            if low < high:
                yield from self._cut(piece, low, high, size)

    def dataset_chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Yield the dataset without preamble and meta information, as C-STORE sends it."""
        return self.chunks(size, start=self.dataset_from)

    def read(self) -> bytes:
        """Return the whole file."""
        return b"".join(self.chunks())

    def open(self) -> io.BufferedReader:
        """Return the file to read and seek in; only what is read is fetched."""
        return io.BufferedReader(_Seekable(self), CHUNK >> 3)

    def _cut(self, piece: Piece, low: int, high: int, size: int) -> Iterator[bytes]:
        if isinstance(piece, Span):
            yield from self._blobs.stream(self._blob, piece.start + low, high - low, chunk=size)
            return
        for at in range(low, high, size):
            yield piece[at : min(at + size, high)]


class _Seekable(io.RawIOBase):
    """The bytes of an instance as a file; pydicom wants it to have a name."""

    name = "instance"

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(offset + {io.SEEK_CUR: self._at, io.SEEK_END: self._opened.size}.get(whence, 0), 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        filled = 0
        for piece in self._opened.chunks(start=self._at, length=len(view)):
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
        self._at += filled
        return filled


def open_instance(store: Store, db: Db, sop_uid: str, *, transfer_syntax: str | None = None) -> Opened:
    """Return an instance to give out: as it came, or with what was corrected in its header.

    Parameters
    ----------
    transfer_syntax : str, optional
        What the receiver takes; none, or what it is held in, changes nothing.

    Raises
    ------
    InstanceNotHeld
        If there is none, or it was rejected.
    FrameNotDecodable
        If it cannot be given in `transfer_syntax`.
    """
    found = store_.place_of(db, sop_uid)
    if found is None:
        raise InstanceNotHeld(f"No instance {sop_uid} is held.", instance=sop_uid)
    opened = open_place(store, found)
    if transfer_syntax in {None, found.transfer_syntax}:
        return opened
    return transcoded(opened, str(transfer_syntax))


def transcoded(opened: Opened, transfer_syntax: str) -> Opened:
    """Return an instance in another transfer syntax.

    Raises
    ------
    FrameNotDecodable
        If nothing here gives that syntax, nothing reads the pixels, or they are more than 1 GiB.
    """
    wanted = UID(transfer_syntax)
    if wanted not in GIVEN:
        raise FrameNotDecodable(
            f"Objects are given in the transfer syntax they are held in or uncompressed, not in {wanted}."
        )
    _require_room(opened.size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = dcmread(BytesIO(opened.read()))
            _require_room(_decoded_size(ds))
            if ds.file_meta.TransferSyntaxUID not in _SEPARATE:
                ds.decompress(generate_instance_uid=False)
            ds.file_meta.TransferSyntaxUID = wanted
            buffer = BytesIO()
            ds.save_as(buffer, implicit_vr=wanted.is_implicit_VR, little_endian=True, overwrite=True)
    except FrameNotDecodable:
        raise
    except Exception as error:  # each decoder raises what it likes
        raise FrameNotDecodable(
            f"This object cannot be given in {wanted} ({opened.transfer_syntax}); fetch it as it is stored."
        ) from error
    return opened_bytes(opened, buffer.getvalue(), str(wanted))


def _require_room(size: int) -> None:
    if size > MOST_REWRITTEN:
        raise FrameNotDecodable("The object is too large to be rewritten; fetch it as it is stored.")


def _decoded_size(ds: Dataset) -> int:
    """Return how many bytes the pixels are when nothing compresses them."""
    values = int(ds.get("Rows") or 0) * int(ds.get("Columns") or 0) * int(ds.get("SamplesPerPixel") or 1)
    return values * int(ds.get("NumberOfFrames") or 1) * int(ds.get("BitsAllocated") or 8) // 8


def open_place(store: Store, found: store_.Place) -> Opened:
    """Return what lies at a place to give out."""
    pieces: list[Piece] = [Span(0, found.size)]
    if found.overlay:
        reader = Reader(store.blobs, found.blob, found.size)
        start = meta_end(reader)
        pieces = meta_pieces(reader, start, found.overlay) + dataset_pieces(reader, start, found)
    return Opened(
        sop_uid=found.sop_uid,
        sop_class=found.sop_class,
        transfer_syntax=found.transfer_syntax,
        size=sum(p.length if isinstance(p, Span) else len(p) for p in pieces),
        _blobs=store.blobs,
        _blob=found.blob,
        _pieces=tuple(pieces),
    )


def opened_bytes(opened: Opened, content: bytes, transfer_syntax: str) -> Opened:
    """Return an instance as given out in other bytes."""
    return Opened(
        sop_uid=opened.sop_uid,
        sop_class=opened.sop_class,
        transfer_syntax=transfer_syntax,
        size=len(content),
        _blobs=opened._blobs,
        _blob=opened._blob,
        _pieces=(content,),
    )
