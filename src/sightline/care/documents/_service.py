"""Use cases: describe and give what is read or played; each is a read of the archive, permitted and noted."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from sightline.care.documents import _films as films
from sightline.care.documents import _waveforms as waveforms
from sightline.care.documents._model import (
    DocumentFile,
    Film,
    NotADocument,
    NotAFilm,
    NotAWaveform,
    Recording,
    WaveformNotReadable,
)
from sightline.record import archive
from sightline.trust import access, audit

ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
# Media types that an object may state, and the ending of the file's name; only the first is for a browser.
ENDINGS = {
    "application/pdf": "pdf", "text/xml": "xml", "application/xml": "xml", "model/stl": "stl",
    "model/obj": "obj", "model/mtl": "mtl", "application/sla": "stl",
}  # fmt: skip
FILM_ENDINGS = {
    "video/mp4": "mp4",
    "video/mp2t": "ts",
    "video/mpeg": "mpg",
    "video/h264": "264",
    "video/h265": "265",
}
MOST_WAVEFORM = 128 << 20
_DOCUMENT, _LENGTH, _MIME = "00420011", "00420015", "00420012"


@dataclass(frozen=True, slots=True)
class Place:
    """The address of an instance."""

    study_uid: str
    series_uid: str
    sop_uid: str


class Bytes:
    """A run of bytes in the archive, made of pieces; any part of it can be read."""

    def __init__(self, store: archive.Store, blob: str, pieces: tuple[tuple[int, int], ...]) -> None:
        self._read = partial(archive.read_chunks, store, blob)
        self._pieces = pieces
        self.size = sum(length for _, length in pieces)

    def chunks(self, start: int, length: int) -> Iterator[bytes]:
        """Yield `length` bytes from `start` on."""
        for offset, size in self._pieces:
            if length <= 0:
                return
            if start < size:
                here = min(size - start, length)
                yield from self._read(offset + start, here)
                length -= here
            start = max(0, start - size)


def open_document(
    store: archive.Store, place: Place, *, by: access.Person
) -> tuple[DocumentFile, Iterator[bytes]]:
    """Return the file inside of an encapsulated document (PS3.3 C.24.2), and its bytes.

    It is for a browser to show only where it says that it is a PDF and begins like one.

    Raises
    ------
    NotADocument
        If the object is no encapsulated document.
    """
    held = _held(store, place, by)
    if not held.sop_class.startswith(ENCAPSULATED):
        raise NotADocument("The object is no encapsulated document.")
    with store.database.reading() as db:
        attributes = archive.attributes_of(db, held.sop_uid)
    stated = (attributes.get(_MIME, {}).get("Value") or [""])[0]
    media_type = str(stated).strip().lower()
    size, head, chunks = _value(store, held, attributes)
    shown = media_type == "application/pdf" and b"%PDF-" in head
    known = media_type if media_type in ENDINGS else "application/octet-stream"
    name = f"document.{ENDINGS.get(media_type, 'bin')}"
    return DocumentFile(known, shown, name, size), chunks


def _value(
    store: archive.Store, held: archive.HeldFrames, attributes: archive.Attributes
) -> tuple[int, bytes, Iterator[bytes]]:
    """Return size, first bytes and all bytes of the document, without what pads it to an even length."""
    length = (attributes.get(_LENGTH, {}).get("Value") or [None])[0]
    inline = attributes.get(_DOCUMENT, {}).get("InlineBinary")
    if inline is not None:
        data = base64.b64decode(inline)
        data = data[: length if isinstance(length, int) else None]
        return len(data), data[:1024], iter((data,))
    value = archive.find_bulk(store, held, int(_DOCUMENT, 16))
    size = min(length, value.size) if isinstance(length, int) and length > 0 else value.size
    head = b"".join(value.chunks(store, 0, min(size, 1024)))
    return size, head, iter(value.chunks(store, 0, size))


def describe_film(store: archive.Store, place: Place, *, by: access.Person) -> Film:
    """Return what a film is packed in and coded by, so that a browser knows whether it plays it."""
    held = _held(store, place, by)
    stream, codec = _film(store, held)
    head = b"".join(stream.chunks(0, films.HEAD))
    container, media_type = films.container_of(head, codec)
    with store.database.reading() as db:
        header = archive.read_dataset(store, db, held.sop_uid, pixels=False)
    return Film(
        media_type=media_type,
        container=container,
        codec=codec,
        codecs=films.RFC_6381[codec],
        transfer_syntax=held.transfer_syntax,
        size=stream.size,
        frames=held.frames or 0,
        rows=held.rows or 0,
        columns=held.columns or 0,
        frame_ms=_frame_ms(header),
    )


def open_film(store: archive.Store, place: Place, *, by: access.Person) -> tuple[str, Bytes]:
    """Return the media type of a film and its bytes as they are stored.

    Raises
    ------
    NotAFilm
        If the object holds frames, or nothing to look at.
    """
    held = _held(store, place, by)
    stream, codec = _film(store, held)
    return films.container_of(b"".join(stream.chunks(0, films.HEAD)), codec)[1], stream


def _film(store: archive.Store, held: archive.HeldFrames) -> tuple[Bytes, str]:
    codec = films.CODECS.get(held.transfer_syntax)
    if codec is None:
        raise NotAFilm("The object holds no film.")
    return Bytes(store, held.blob, archive.find_fragments(store, held)), codec


def _frame_ms(header: Dataset) -> float | None:
    """Return how long a frame is shown, in ms (PS3.3 C.7.6.5)."""
    time = waveforms.number_of(header, "FrameTime")
    if time and time > 0:
        return time
    for name in ("RecommendedDisplayFrameRate", "CineRate"):
        rate = waveforms.number_of(header, name)
        if rate and rate > 0:
            return 1000 / rate
    return None


def describe_waveform(store: archive.Store, place: Place, *, by: access.Person) -> Recording:
    """Return the groups and channels of a waveform object, and what it says of them."""
    return waveforms.describe(_dataset(store, place, by))


def read_waveform(
    store: archive.Store, place: Place, group: int, start: int, count: int | None, *, by: access.Person
) -> NDArray[np.float32]:
    """Return samples of a group as values (channel, sample)."""
    return waveforms.values_of(_dataset(store, place, by), group, start, count)


def _dataset(store: archive.Store, place: Place, by: access.Person) -> Dataset:
    held = _held(store, place, by)
    if held.size > MOST_WAVEFORM:
        raise WaveformNotReadable(
            f"Recordings above {MOST_WAVEFORM >> 20} MiB are not shown; fetch it as stored."
        )
    if held.frames:
        raise NotAWaveform("The object holds images, not a waveform.")
    with store.database.reading() as db:
        return archive.read_dataset(store, db, held.sop_uid, pixels=False)


def _held(store: archive.Store, place: Place, by: access.Person) -> archive.HeldFrames:
    access.require(by, "archive.read", on=place.study_uid)
    held = archive.get_frames(store, place.sop_uid, study=place.study_uid, series=place.series_uid)
    audit.record_read(by, "archive.read", on=place.study_uid)
    return held
