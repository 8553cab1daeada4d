"""Objects and their attributes, of a study, a series or an instance (PS3.18 10.4)."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b

from starlette.responses import Response

from sightline.record import archive
from sightline.runtime.db import Db
from sightline.wire import media
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb._frames import NothingHere, multipart
from sightline.wire.dicomweb._multipart import Part
from sightline.wire.dicomweb._native import render_native
from sightline.wire.dicomweb._objects import Given, find_corrected, open_object
from sightline.wire.dicomweb._serving import REVALIDATE, Asked, Streamed, not_modified, ranged


def get_metadata(asked: Asked) -> Response:
    """Return the attributes of what the address names, without its bulk data."""
    form = accept.choose_attributes(asked.accept, several=not asked.instance)
    if asked.series and not asked.instance and form.kind != accept.XML:
        return _series_metadata(asked, form)
    with asked.store.database.reading() as db:
        series, etag = place_of(db, asked)
        if form.kind == accept.XML:
            etag = f'{etag[:-1]}-xml"'
        if asked.knows(etag):
            return not_modified(etag, REVALIDATE)
        if asked.instance:
            query = archive.InstanceQuery(sop_uids=[asked.instance])
            bodies: Iterable[bytes] = [archive.metadata_json(db, query)]
        else:
            bodies = _bodies_of(asked.store, [s.uid for s in series])
    headers = {"ETag": etag, "Cache-Control": REVALIDATE, "Vary": "Accept, Accept-Encoding"}
    if form.kind == accept.XML:
        return _xml(asked, bodies, form, headers)
    return _json(asked, bodies, form, headers)


def get_metadata_quickly(asked: Asked) -> Response | None:
    """Return the attributes of a series when they were asked for lately, else None."""
    form = accept.choose_attributes(asked.accept)
    state = archive.series_state(asked.store, asked.series)
    if form.kind == accept.XML or state is None or state[0] != asked.study or not takes_gzip(asked):
        return None
    kept = asked.context.kept.get((asked.series, state))
    return None if kept is None else _packed(asked, *kept, form)


def _series_metadata(asked: Asked, form: accept.Form) -> Response:
    """Return the attributes of a series, made once and sent as the bytes that are kept."""
    state = archive.series_state(asked.store, asked.series)
    with asked.store.database.reading() as db:
        require_series(db, asked)
        body, etag = archive.series_metadata_gz(
            asked.store, db, asked.series, later=asked.context.heavy.submit
        )
    asked.context.kept.put((asked.series, state), body, etag)
    return _packed(asked, body, etag, form)


def _packed(asked: Asked, body: bytes, etag: str, form: accept.Form) -> Response:
    if asked.knows(etag):
        return not_modified(etag, REVALIDATE)
    headers = {"ETag": etag, "Cache-Control": REVALIDATE, "Vary": "Accept, Accept-Encoding"}
    if takes_gzip(asked):
        return Response(body, headers={"Content-Encoding": "gzip", **headers}, media_type=form.kind)
    return Response(gzip.decompress(body), headers=headers, media_type=form.kind)


def _bodies_of(store: archive.Store, series: list[str]) -> Iterator[bytes]:
    """Yield the attributes of each series as a JSON array, one at a time in memory."""
    for uid in series:
        with suppress(archive.SeriesNotHeld), store.database.reading() as db:
            yield gzip.decompress(archive.series_metadata_gz(store, db, uid)[0])


def _json(asked: Asked, bodies: Iterable[bytes], form: accept.Form, headers: dict[str, str]) -> Response:
    pieces = _joined(bodies)
    if takes_gzip(asked):
        pieces, headers = _gzipped(pieces), {**headers, "Content-Encoding": "gzip"}
    return Streamed(pieces, asked.context.threads, media_type=form.kind, headers=headers)


def _joined(bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Yield JSON arrays as one."""
    lead = b"["
    for body in bodies:
        if len(body) > 2:
            yield lead + body[1:-1]
            lead = b","
    yield b"[]" if lead == b"[" else b"]"


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def takes_gzip(asked: Asked) -> bool:
    """Say whether the client takes compressed bodies."""
    return "gzip" in asked.header("accept-encoding")


def _xml(asked: Asked, bodies: Iterable[bytes], form: accept.Form, headers: dict[str, str]) -> Response:
    documents = (render_native(one) for body in bodies for one in json.loads(body))
    if not form.multipart:
        return Response(next(documents), headers=headers, media_type=accept.XML)
    parts = (Part(accept.XML, (document,)) for document in documents)
    return multipart(asked, parts, accept.XML, headers)


def place_of(db: Db, asked: Asked) -> tuple[list[archive.Series], str]:
    """Return the series that an address speaks of, and an ETag of their present state.

    Raises
    ------
    StudyNotHeld, SeriesNotHeld, InstanceNotHeld
        If nothing is held at this address.
    """
    if asked.instance:
        archive.get_frames(asked.store, asked.instance, study=asked.study, series=asked.series)
    if asked.series:
        series = [require_series(db, asked)]
    else:
        archive.get_study(db, asked.study)
        series = archive.series_of_study(db, asked.study)
    state = blake2b(digest_size=16)
    for one in series:
        state.update(f"{one.uid} {one.generation} {one.last_received.isoformat()} ".encode())
    state.update(asked.instance.encode())
    return series, f'"{state.hexdigest()}"'


def require_series(db: Db, asked: Asked) -> archive.Series:
    """Return the series that an address names; refuse one that is held in another study."""
    found = archive.get_series(db, asked.series)
    if found.study != asked.study:
        raise NothingHere(f"Series {asked.series} is not held in study {asked.study}.")
    return found


def get_objects(asked: Asked) -> Response:
    """Return whole objects: one alone or in a part, several in parts or as a ZIP; never all in memory."""
    several = not asked.instance
    with asked.store.database.reading() as db:
        _, etag = place_of(db, asked)
        if asked.instance:
            held = [archive.get_frames(asked.store, asked.instance)]
        else:
            held = archive.frames_under(db, study=asked.study, series=asked.series)
        corrected = find_corrected(db, held)
    if not held:
        raise NothingHere("Nothing is held at this address.")
    syntaxes = dict.fromkeys(one.transfer_syntax for one in held)
    forms = {s: accept.choose_objects(asked.accept, s, several=several) for s in syntaxes}
    first = forms[held[0].transfer_syntax]
    etag = f'{etag[:-1]}-{blake2b(repr(forms).encode(), digest_size=4).hexdigest()}"'
    if asked.knows(etag):
        return not_modified(etag, REVALIDATE)
    headers = {"ETag": etag, "Cache-Control": REVALIDATE, "Vary": "Accept"}
    if first.kind == accept.DICOM and not first.multipart:
        return give_object(
            asked, open_object(asked.store, held[0], first.syntax, corrected=corrected), headers
        )
    opened = _each(asked.store, held, forms, corrected)
    if first.kind == accept.ZIP:
        return _zip(asked, opened, headers)
    parts: Iterator[Part] = (Part(_kind(one), one.pieces()) for _, one in opened)
    if asked.instance:  # what cannot be given is refused before the first byte is sent
        parts = iter([next(parts)])
    return multipart(asked, parts, accept.DICOM, headers)


def _kind(given: Given) -> str:
    return f"{accept.DICOM}; transfer-syntax={given.syntax}"


def _each(
    store: archive.Store,
    held: Iterable[archive.HeldFrames],
    forms: Mapping[str, accept.Form],
    corrected: frozenset[str],
) -> Iterator[tuple[archive.HeldFrames, Given]]:
    """Open one object after the other; one whose pixels cannot be read is given as it is stored."""
    for one in held:
        stored = one.transfer_syntax
        try:
            given = open_object(store, one, forms[stored].syntax, corrected=corrected)
        except (archive.FrameNotDecodable, archive.FrameNotAddressable, accept.NotAcceptable):
            given = open_object(store, one, stored, corrected=corrected)
        except archive.InstanceNotHeld:  # rejected or trashed while the others were sent
            continue
        yield one, given


def give_object(asked: Asked, given: Given, headers: dict[str, str]) -> Response:
    """Return one object alone, or the range of it that is asked for."""
    status, start, length = ranged(asked, given.size, headers)
    if status == 416:
        return Response(status_code=416, headers=headers)
    pieces = given.read(start, length)
    return Streamed(
        iter(pieces), asked.context.threads, status=status, media_type=_kind(given), headers=headers,
        size=length,
    )  # fmt: skip


def _zip(
    asked: Asked, given: Iterator[tuple[archive.HeldFrames, Given]], headers: dict[str, str]
) -> Response:
    """Return a ZIP that is made while it is sent; names of files tell nothing of the patient."""
    entries = (media.Entry(f"{one.series}/{one.sop_uid}.dcm", given.pieces()) for one, given in given)
    headers = {**headers, "Content-Disposition": 'attachment; filename="objects.zip"'}
    return Streamed(media.zipped(entries), asked.context.threads, media_type=accept.ZIP, headers=headers)
