"""Pictures and documents for people: rendered resources and thumbnails (PS3.18 10.4.1.1.3, 10.4.1.1.7)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from starlette.responses import Response

from sightline.record import archive, timeline
from sightline.runtime.db import Db
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb import _documents as documents
from sightline.wire.dicomweb import _rendering as rendering
from sightline.wire.dicomweb._encoding import GIF, PICTURES, encode_animation, encode_picture, icc_profile_of
from sightline.wire.dicomweb._frames import NothingHere, film_chunks, multipart, parse_numbers, read_header
from sightline.wire.dicomweb._marks import annotate
from sightline.wire.dicomweb._multipart import Part
from sightline.wire.dicomweb._pixels import decode_frame
from sightline.wire.dicomweb._retrieving import require_series
from sightline.wire.dicomweb._serving import REVALIDATE, Asked, Streamed, not_modified

THUMBNAIL = (256, 256)
MOST_SCENES = 1000
BRIEFLY = "private, max-age=60"


class TooLargeToRender(accept.NotAcceptable):
    """The picture or film is larger than is rendered; fetch its frames as they are stored."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Frames of one instance that are to be seen."""

    held: archive.HeldFrames
    numbers: Sequence[int]


def get_rendered(asked: Asked) -> Response:
    """Return frames as pictures, a document as itself, a report as a page; of a series, its middle."""
    how = rendering.parse_rendering(asked.request.query_params)
    if asked.instance and not asked.part("frames"):
        held = archive.get_frames(asked.store, asked.instance, study=asked.study, series=asked.series)
        if not held.frames:
            return documents.get_document(asked, held)
        if film := next((k for k, s in accept.VIDEOS.items() if held.transfer_syntax in s), None):
            return _film(asked, held, film)
    return respond(asked, how)


def _film(asked: Asked, held: archive.HeldFrames, kind: str) -> Response:
    """Return a film as it is stored: nothing here encodes one anew."""
    chosen = accept.choose_kind(asked.accept, (kind,))
    headers = {"Cache-Control": REVALIDATE, "Vary": "Accept"}
    if chosen.multipart:
        return multipart(asked, iter([Part(kind, film_chunks(asked, held))]), kind, headers)
    return Streamed(film_chunks(asked, held), asked.context.threads, media_type=kind, headers=headers)


def get_thumbnail(asked: Asked) -> Response:
    """Return a small picture of a frame, an instance, a series or a study."""
    how = rendering.parse_rendering(asked.request.query_params)
    size = how.viewport.size if how.viewport and how.viewport.size else THUMBNAIL
    size = (min(size[0], THUMBNAIL[0]), min(size[1], THUMBNAIL[1]))
    return respond(asked, replace(how, viewport=rendering.Viewport(size, enlarge=False), quality=80))


def respond_with(
    asked: Asked, held: archive.HeldFrames, how: rendering.Rendering, kind: str, number: int | None
) -> Response:
    """Return one frame of an instance, or all as an animation, as a picture of media type `kind`."""
    if number is not None:
        return _respond(asked, [Sight(held, (number,))], how, accept.MediaRange(kind, False, "", 1))
    sight = _animated(held) if kind == GIF and (held.frames or 1) > 1 else _middle_of(held)
    return _respond(asked, [sight], how, accept.MediaRange(kind, False, "", 1))


def respond(asked: Asked, how: rendering.Rendering) -> Response:
    """Return what the address names as pictures: alone, animated, or each in a part."""
    chosen = accept.choose_kind(asked.accept, PICTURES)
    with asked.store.database.reading() as db:
        if chosen.multipart and not asked.instance:
            sights = _all_sights(asked, db)
        else:
            sights = [_sight(asked, db, animated=chosen.kind == GIF)]
    return _respond(asked, sights, how, chosen)


def _respond(
    asked: Asked, sights: list[Sight], how: rendering.Rendering, chosen: accept.MediaRange
) -> Response:
    named = repr((how, chosen.kind, chosen.multipart, [(s.held.blob, s.numbers) for s in sights[:2]]))
    etag = f'"{sights[0].held.sop_uid}-{len(sights)}-{crc32(named.encode()):08x}"'
    if asked.knows(etag):
        return not_modified(etag, BRIEFLY)
    headers = {"ETag": etag, "Cache-Control": BRIEFLY, "Vary": "Accept"}
    first = sights[0]
    several = len(sights) > 1 or len(first.numbers) > 1
    if several and chosen.kind == GIF and not chosen.multipart:
        return Response(_animation(asked, first, how), headers=headers, media_type=GIF)
    if several or chosen.multipart:
        pictures = (picture for sight in sights for picture in _pictures(asked, sight, how, chosen.kind))
        return multipart(asked, (Part(chosen.kind, (p,)) for p in pictures), chosen.kind, headers)
    return Response(next(_pictures(asked, first, how, chosen.kind)), headers=headers, media_type=chosen.kind)


def _sight(asked: Asked, db: Db, *, animated: bool) -> Sight:
    """Return the instance and the frames that an address's picture is of."""
    if not asked.instance:
        return _middle_of(archive.get_frames(asked.store, _representative(asked, db)))
    held = archive.get_frames(asked.store, asked.instance, study=asked.study, series=asked.series)
    if not held.frames:
        raise NothingHere("Nothing here can be shown as a picture.")
    if text := asked.part("frames"):
        numbers = parse_numbers(text)
        for number in numbers:
            held.require_frame(number)
        return Sight(held, numbers)
    return _animated(held) if animated and held.frames > 1 else _middle_of(held)


def _animated(held: archive.HeldFrames) -> Sight:
    if (held.frames or 1) > MOST_SCENES:
        raise TooLargeToRender(f"No more than {MOST_SCENES} frames are rendered as one; name some of them.")
    return Sight(held, range(1, (held.frames or 1) + 1))


def _middle_of(held: archive.HeldFrames) -> Sight:
    frames = held.frames or 1
    return Sight(held, (frames // 2 + 1 if frames > 1 else 1,))


def _representative(asked: Asked, db: Db) -> str:
    """Return the instance in the middle of a series, or of the main series of a study."""
    series = require_series(db, asked) if asked.series else _main_series(db, asked.study)
    query = archive.InstanceQuery(series=series.uid)
    middle = archive.find_instances(db, query, limit=1, offset=series.instance_count // 2).items
    if not middle or not middle[0].is_image:
        middle = tuple(i for i in archive.find_instances(db, query, limit=1000) if i.is_image)[:1]
    if not middle:
        raise NothingHere("Nothing here can be shown as a picture.")
    return middle[0].sop_uid


def _main_series(db: Db, study: str) -> archive.Series:
    """Return the series with most frames that is not derived from others."""
    archive.get_study(db, study)
    images = [
        s
        for s in archive.series_of_study(db, study)
        if s.frame_count and s.modality not in timeline.DERIVED_MODALITIES
    ]
    if not images:
        raise NothingHere("Nothing in this study can be shown as a picture.")
    return max(images, key=lambda s: (s.frame_count, s.uid))


def _all_sights(asked: Asked, db: Db) -> list[Sight]:
    if asked.series:
        require_series(db, asked)
    found = archive.frames_under(db, study=asked.study, series=asked.series)
    sights = [Sight(one, range(1, one.frames + 1)) for one in found if one.frames]
    if not sights:
        raise NothingHere("Nothing here can be shown as a picture.")
    return sights


def _pictures(asked: Asked, sight: Sight, how: rendering.Rendering, kind: str) -> Iterator[bytes]:
    header = read_header(asked, sight.held)
    profile = icc_profile_of(header, how.profile)
    encode = partial(encode_picture, kind=kind, quality=how.quality, profile=profile)
    for number in sight.numbers:
        yield encode(picture_of(asked, sight.held, header, how, number))


def picture_of(
    asked: Asked, held: archive.HeldFrames, header: Dataset, how: rendering.Rendering, number: int
) -> NDArray[np.uint8]:
    """Return one frame as it is to be seen."""
    most = asked.context.settings.max_rendered_mpx * 1_000_000
    if int(header.Rows) * int(header.Columns) > most:
        raise TooLargeToRender(f"No picture of more than {most // 1_000_000} million pixels is rendered.")
    (data,) = archive.read_frames(asked.store, held, (number,))
    pixels = decode_frame(data, held.transfer_syntax, header, most_pixels=most)
    shown = rendering.render(pixels, header, how, number)
    return annotate(shown, header, how.annotation, number) if how.annotation else shown


def _animation(asked: Asked, sight: Sight, how: rendering.Rendering) -> bytes:
    """Return frames as an animated GIF, at the speed that the object names."""
    header = read_header(asked, sight.held)
    scenes = len(sight.numbers) * int(header.Rows) * int(header.Columns)
    if scenes > asked.context.settings.max_rendered_mpx * 1_000_000:
        raise TooLargeToRender("The film is too large to be rendered as one; name some of its frames.")
    frames = [picture_of(asked, sight.held, header, how, n) for n in sight.numbers]
    return encode_animation(frames, _frame_ms(header))


def _frame_ms(header: Dataset) -> float:
    """Return how long a frame is shown, in ms (PS3.3 C.7.6.5)."""
    for keyword, ms_of in (
        ("FrameTime", float),
        ("RecommendedDisplayFrameRate", lambda rate: 1000 / float(rate)),
        ("CineRate", lambda rate: 1000 / float(rate)),
    ):
        try:
            ms = ms_of(header.get(keyword))
        except (TypeError, ValueError, ZeroDivisionError):
            continue
        if 1 <= ms <= 60_000:
            return ms
    return 100.0
