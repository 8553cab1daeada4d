"""HTTP face of documents, films and waveforms."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from sightline.care import documents
from sightline.record import archive
from sightline.runtime.http import byte_range
from sightline.trust.identity import Caller

router = APIRouter(prefix="/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}", tags=["documents"])

Uid = Annotated[str, Path(pattern=r"^[0-9.]{1,64}$")]
# Only our own page may frame a document; inside, nothing of it may run, load or lead away. The reader of the
# browser draws a PDF from outside of the sandbox.
DOCUMENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)
OCTETS = "application/octet-stream"


def _place(study_uid: Uid, series_uid: Uid, sop_uid: Uid) -> documents.Place:
    return documents.Place(study_uid, series_uid, sop_uid)


At = Annotated[documents.Place, Depends(_place)]


class ChannelView(BaseModel):
    """One channel; values are in `unit`, which is mV for electric potential."""

    name: str
    lead: str
    unit: str
    stated_unit: str
    calibrated: bool
    skew_s: float
    low_hz: float | None
    high_hz: float | None
    notch_hz: float | None


class GroupView(BaseModel):
    """Channels that were sampled together; `problem` says why there are no values, else it is empty."""

    number: int
    label: str
    originality: str
    frequency_hz: float
    offset_ms: float
    samples: int
    stated_samples: int
    channels: list[ChannelView]
    problem: str


class AnnotationView(BaseModel):
    """What the object says; `at_s` are seconds from the start of its group, none for the whole of it."""

    name: str
    text: str
    value: float | None
    unit: str
    group: int | None
    channels: list[int]
    at_s: list[float]
    extent: str


class WaveformView(BaseModel):
    """A waveform object without its samples."""

    acquired: str
    groups: list[GroupView]
    annotations: list[AnnotationView]
    more_annotations: int


class FilmView(BaseModel):
    """A film: what it is packed in and coded by; `codecs` as RFC 6381 has it, to ask a browser with."""

    media_type: str
    container: str
    codec: str
    codecs: str
    transfer_syntax: str
    size: int
    frames: int
    rows: int
    columns: int
    frame_ms: float | None
    url: str


@router.get("/document", response_class=StreamingResponse)
def get_document(store: archive.Held, at: At, caller: Caller, download: bool = False) -> StreamingResponse:
    """Give the file inside of an encapsulated document; only a PDF is for a browser to show."""
    file, chunks = documents.open_document(store, at, by=caller)
    headers = {
        "Content-Security-Policy": DOCUMENT_POLICY,
        "Content-Disposition": _disposition(file.name, inline=file.shown and not download),
        "Content-Length": str(file.size),
    }
    return StreamingResponse(chunks, media_type=file.media_type, headers=headers)


@router.get("/film")
def describe_film(store: archive.Held, at: At, caller: Caller) -> FilmView:
    """Say what a film is packed in and coded by."""
    film = documents.describe_film(store, at, by=caller)
    url = f"/api/studies/{at.study_uid}/series/{at.series_uid}/instances/{at.sop_uid}/film/stream"
    return FilmView(**asdict(film), url=url)


@router.get("/film/stream", response_class=StreamingResponse)
def get_film(
    store: archive.Held,
    at: At,
    caller: Caller,
    range: Annotated[str, Header()] = "",  # noqa: A002
    download: bool = False,
) -> Response:
    """Give a film as it is stored, or the one range of it that is asked for."""
    media_type, stream = documents.open_film(store, at, by=caller)
    name = f"film.{documents.FILM_ENDINGS.get(media_type, 'bin')}"
    status, start, length, headers = byte_range(range, stream.size)
    headers["Content-Disposition"] = _disposition(name, inline=not download)
    if status == 416:
        return Response(status_code=416, headers=headers)
    headers["Content-Length"] = str(length)
    return StreamingResponse(stream.chunks(start, length), status, headers, media_type)


@router.get("/waveform")
def describe_waveform(store: archive.Held, at: At, caller: Caller) -> WaveformView:
    """Give the groups and channels of a waveform object, and what it says of them."""
    return WaveformView.model_validate(asdict(documents.describe_waveform(store, at, by=caller)))


@router.get("/waveform/{group}", response_class=Response)
def get_samples(
    store: archive.Held,
    at: At,
    group: Annotated[int, Path(ge=1)],
    caller: Caller,
    start: Annotated[int, Query(ge=0)] = 0,
    count: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Give samples of a group as values: float32, little endian, (channel, sample); NaN where it pads."""
    values = documents.read_waveform(store, at, group, start, count, by=caller)
    return Response(values.astype("<f4").tobytes(), media_type=OCTETS)


def _disposition(name: str, *, inline: bool) -> str:
    return f'{"inline" if inline else "attachment"}; filename="{name}"'
