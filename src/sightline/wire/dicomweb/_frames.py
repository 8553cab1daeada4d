"""Frames, pixel data and other long values (PS3.18 10.4.1.1.4, 10.4.1.1.5, 10.4.1.1.6).

The way of a frame as it is stored: one row of the index, one range of one file, no copy that can be spared.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from zlib import crc32

from pydicom import Dataset
from starlette.responses import Response

from sightline.record import archive, upkeep
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb._multipart import Part, content_type_of, new_boundary, part_frame, write_parts
from sightline.wire.dicomweb._pixels import decode_frame, encode_frame
from sightline.wire.dicomweb._serving import (
    FOREVER,
    REVALIDATE,
    Asked,
    BadRequest,
    Buffered,
    Streamed,
    bytes_response,
    not_modified,
    ranged,
)

MOST_FRAMES = 10_000
PIXEL_DATA = 0x7FE00010


class NothingHere(archive.FrameNotHeld):
    """Nothing of what is asked for is held at this address."""


def get_frames(asked: Asked) -> Response:
    """Return frames, as stored, decoded or encoded anew, in one part each."""
    numbers = parse_numbers(asked.part("frames"))
    held = archive.get_frames(asked.store, asked.instance, study=asked.study, series=asked.series)
    form = accept.choose_frames(asked.accept, held.transfer_syntax, several=len(numbers) > 1)
    etag = _etag(held, numbers, form)
    if asked.knows(etag):
        return not_modified(etag, FOREVER)
    for number in numbers:
        held.require_frame(number)
    if form.syntax == upkeep.HTJ2K != held.transfer_syntax:  # it may have been made already
        held = upkeep.served_frames(asked.store, held.sop_uid) or held
    headers = {"ETag": etag, "Cache-Control": FOREVER, "Vary": "Accept"}
    kind = part_kind(form)
    if len(numbers) > 1:
        parts = (Part(kind, (data,)) for data in each_frame(asked, held, numbers, form.syntax))
        return multipart(asked, parts, form.kind, headers)
    if form.multipart and (whole := _as_stored(asked, held, numbers[0], form, etag, wait=True)) is not None:
        return whole
    (data,) = each_frame(asked, held, numbers, form.syntax)
    if not form.multipart:
        return bytes_response(asked, data, kind, headers)
    return multipart(asked, iter((Part(kind, (data,)),)), form.kind, headers)


def get_frame_quickly(asked: Asked) -> Response | None:
    """Return one frame as it is stored when nothing has to be waited for, else None."""
    text = asked.part("frames")
    if not text.isdecimal() or len(text) > 9:
        return None
    number = int(text)
    held = archive.get_frames(asked.store, asked.instance, study=asked.study, series=asked.series)
    form = accept.choose_frames(asked.accept, held.transfer_syntax, several=False)
    etag = _etag(held, [number], form)
    if not form.multipart or asked.knows(etag):
        return None
    return _as_stored(asked, held, number, form, etag, wait=False)


def _etag(held: archive.HeldFrames, numbers: Sequence[int], form: accept.Form) -> str:
    named = str(numbers[0]) if len(numbers) == 1 else f"{crc32(repr(numbers).encode()):x}-{len(numbers)}"
    return f'"{held.sop_uid}-{named}-{form.kind}-{form.syntax}{_shape(form)}"'


def _shape(form: accept.Form) -> str:
    return "-parts" if form.multipart else ""


def _as_stored(
    asked: Asked, held: archive.HeldFrames, number: int, form: accept.Form, etag: str, *, wait: bool
) -> Response | None:
    """Return a frame in its part, read straight to its place in the body; None when that cannot be done."""
    if form.syntax != held.transfer_syntax or not held.frames or not 1 <= number <= held.frames:
        return None
    boundary = new_boundary()
    head, tail = part_frame(part_kind(form), boundary)
    body = archive.read_between(asked.store, held, number, head, tail, wait=wait)
    if body is None:
        return None
    headers = {"ETag": etag, "Cache-Control": FOREVER, "Vary": "Accept"}
    return Buffered(body, headers=headers, media_type=content_type_of(form.kind, boundary))


def parse_numbers(text: str) -> list[int]:
    """Read a list of frame numbers."""
    parts = text.split(",")
    if len(parts) > MOST_FRAMES or not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
        raise BadRequest("Frames are numbers from 1 on, separated by commas.")
    numbers = [int(part) for part in parts]
    if min(numbers) < 1:
        raise BadRequest("Frames are numbers from 1 on, separated by commas.")
    return numbers


def part_kind(form: accept.Form) -> str:
    """Return the Content-Type of a frame; what only differs in the header is told as explicit."""
    syntax = accept.EXPLICIT if form.syntax in accept.RAW else form.syntax
    return f"{form.kind}; transfer-syntax={syntax}"


def each_frame(
    asked: Asked, held: archive.HeldFrames, numbers: Sequence[int], syntax: str
) -> Iterator[bytes]:
    """Yield frames in a syntax; as stored when that is the one."""
    store, stored = asked.store, held.transfer_syntax
    if syntax == stored:
        for number in numbers:
            yield archive.read_frames(store, held, (number,))[0]
        return
    header = read_header(asked, held)
    most = asked.context.settings.max_rendered_mpx * 1_000_000
    for number in numbers:
        data = archive.read_frames(store, held, (number,))[0]
        array = decode_frame(data, stored, header, raw=True, most_pixels=most)
        yield encode_frame(array, syntax, header)


def read_header(asked: Asked, held: archive.HeldFrames) -> Dataset:
    """Return the header of an instance, without its pixels."""
    with asked.store.database.reading() as db:
        return archive.read_dataset(asked.store, db, held.sop_uid, pixels=False)


def multipart(asked: Asked, parts: Iterator[Part], kind: str, headers: dict[str, str]) -> Response:
    """Return a body of parts that is written while it is sent; the first is made before, or refused."""
    boundary = new_boundary()
    pieces = write_parts(parts, boundary)
    pieces = chain((next(pieces),), pieces)
    media_type = content_type_of(kind, boundary)
    return Streamed(pieces, asked.context.threads, media_type=media_type, headers=headers)


def get_bulk_value(asked: Asked) -> Response:
    """Return a long value that the metadata only name."""
    text = asked.part("tag")
    if len(text) != 8 or not all(c in "0123456789abcdefABCDEF" for c in text):
        raise BadRequest("Bulk data is named by its eight-digit tag.")
    tag = int(text, 16)
    held = archive.get_frames(asked.store, asked.instance, study=asked.study, series=asked.series)
    if tag == PIXEL_DATA and not held.is_native and _is_encapsulated(held):
        return _pixel_data(asked, [held])
    form = accept.choose_frames(asked.accept, accept.EXPLICIT, several=False)
    etag = f'"{held.sop_uid}-{tag:08X}{_shape(form)}"'
    if asked.knows(etag):
        return not_modified(etag, FOREVER)
    value = archive.find_bulk(asked.store, held, tag)
    headers = {"ETag": etag, "Cache-Control": FOREVER, "Vary": "Accept"}
    if not form.multipart:
        status, start, length = ranged(asked, value.size, headers)
        if status == 416:
            return Response(status_code=416, headers=headers)
        pieces = value.chunks(asked.store, start, length)
        return Streamed(
            iter(pieces), asked.context.threads, status=status, media_type=accept.OCTETS,
            headers=headers, size=length,
        )  # fmt: skip
    part = Part(accept.OCTETS, value.chunks(asked.store), str(asked.request.url.replace(query="")))
    return multipart(asked, iter((part,)), accept.OCTETS, headers)


def _is_encapsulated(held: archive.HeldFrames) -> bool:
    return held.transfer_syntax not in accept.RAW | {accept.BIG_ENDIAN}


def get_pixel_data(asked: Asked) -> Response:
    """Return the pixel data of what the address names, an instance or all under a series or study."""
    if asked.instance:
        held = archive.get_frames(asked.store, asked.instance, study=asked.study, series=asked.series)
        held.require_frame(1)
        return _pixel_data(asked, [held])
    return _pixel_data(asked, _held_under(asked, with_pixels=True))


def _held_under(asked: Asked, *, with_pixels: bool) -> list[archive.HeldFrames]:
    """Return the instances of a series or study; one query."""
    with asked.store.database.reading() as db:
        found = archive.frames_under(db, study=asked.study, series=asked.series)
    held = [one for one in found if one.frames or not with_pixels]
    if not held:
        raise NothingHere("Nothing with pixels is held at this address.")
    return held


def _pixel_data(asked: Asked, instances: Sequence[archive.HeldFrames]) -> Response:
    forms = {one.transfer_syntax: _pixel_form(asked, one.transfer_syntax) for one in instances}
    first = forms[instances[0].transfer_syntax]
    headers = {"Cache-Control": REVALIDATE, "Vary": "Accept"}
    if len(instances) == 1 and not first.multipart:  # only a film or what is not compressed is one thing
        part = next(_pixel_parts(asked, instances[0], first))
        return Streamed(iter(part.pieces), asked.context.threads, media_type=part.kind, headers=headers)
    parts = (part for one in instances for part in _pixel_parts(asked, one, forms[one.transfer_syntax]))
    return multipart(asked, parts, first.kind, headers)


def _pixel_form(asked: Asked, stored: str) -> accept.Form:
    """Choose the form of all pixels of an instance: a film as it is, else as frames."""
    film = next((kind for kind, syntaxes in accept.VIDEOS.items() if stored in syntaxes), None)
    if film is None:
        single = stored in accept.RAW
        form = accept.choose_frames(asked.accept, stored, several=not single)
        return accept.Form(form.kind, form.multipart, form.syntax)
    wanted = accept.choose_kind(asked.accept, (film, accept.OCTETS))
    return accept.Form(wanted.kind, wanted.multipart, stored)


def _pixel_parts(asked: Asked, held: archive.HeldFrames, form: accept.Form) -> Iterator[Part]:
    kind, location = part_kind(form), f"{instance_url(asked, held)}/pixeldata"
    if form.syntax in accept.RAW and held.transfer_syntax in accept.RAW:
        yield Part(kind, archive.find_bulk(asked.store, held, PIXEL_DATA).chunks(asked.store), location)
    elif any(held.transfer_syntax in syntaxes for syntaxes in accept.VIDEOS.values()):
        yield Part(kind, film_chunks(asked, held), location)
    else:
        for n in range(1, (held.frames or 0) + 1):
            data = each_frame(asked, held, (n,), form.syntax)
            yield Part(kind, data, f"{instance_url(asked, held)}/frames/{n}")


def film_chunks(asked: Asked, held: archive.HeldFrames) -> Iterator[bytes]:
    """Yield the bytes of a film, fragment after fragment."""
    read = partial(archive.read_chunks, asked.store, held.blob)
    for offset, length in archive.find_fragments(asked.store, held):
        yield from read(offset, length)


def get_bulk_data(asked: Asked) -> Response:
    """Return all long values of what the address names, each in a part with its address."""
    if asked.instance:
        held = archive.get_frames(asked.store, asked.instance, study=asked.study, series=asked.series)
        instances = [held]
    else:
        instances = _held_under(asked, with_pixels=False)
    accept.choose_frames(asked.accept, accept.EXPLICIT, several=True)
    headers = {"Cache-Control": REVALIDATE, "Vary": "Accept"}
    return multipart(asked, _bulk_parts(asked, instances), accept.OCTETS, headers)


def _bulk_parts(asked: Asked, instances: Sequence[archive.HeldFrames]) -> Iterator[Part]:
    for held in instances:
        base = instance_url(asked, held)
        for tag in archive.bulk_tags(asked.store, held):
            value = archive.find_bulk(asked.store, held, tag)
            yield Part(accept.OCTETS, value.chunks(asked.store), f"{base}/bulkdata/{tag:08X}")
        if held.frames:
            stored = held.transfer_syntax
            kind = accept.OCTETS if stored in accept.RAW else accept.media_type_of(stored)
            yield from _pixel_parts(asked, held, accept.Form(kind, True, stored))


def instance_url(asked: Asked, held: archive.HeldFrames) -> str:
    """Return the address of an instance."""
    return f"{asked.root}/studies/{held.study}/series/{held.series}/instances/{held.sop_uid}"
