"""WADO-URI: one object or picture by the query of an address, as older clients ask (PS3.18 9)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.responses import Response

from sightline.record import archive
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb import _documents as documents
from sightline.wire.dicomweb import _pictures as pictures
from sightline.wire.dicomweb import _rendering as rendering
from sightline.wire.dicomweb._encoding import GIF, JPEG, PICTURES
from sightline.wire.dicomweb._objects import find_corrected, open_object
from sightline.wire.dicomweb._retrieving import give_object
from sightline.wire.dicomweb._serving import REVALIDATE, Asked, BadRequest


class CannotDeidentify(accept.NotAcceptable):
    """Nothing is de-identified while it is given out; ask without anonymize."""


class BadParameter(BadRequest):
    """A parameter of the address is missing or cannot be understood; correct it."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What an address asks for."""

    kinds: str
    number: int | None
    how: rendering.Rendering
    syntax: str


def get_by_query(asked: Asked) -> Response:
    """Return an object as DICOM, as a picture or as a document."""
    query = asked.request.query_params
    if query.get("requestType", "").upper() != "WADO":
        raise BadParameter("requestType is WADO.")
    if query.get("anonymize"):
        raise CannotDeidentify("Nothing is de-identified while it is given out; ask without anonymize.")
    if query.get("presentationUID"):
        raise accept.NotAcceptable("Presentation states are not applied; ask without presentationUID.")
    if not (asked.study and asked.series and asked.instance):
        raise BadParameter("studyUID, seriesUID and objectUID name the object.")
    held = archive.get_frames(asked.store, asked.instance, study=asked.study, series=asked.series)
    with asked.store.database.reading() as db:
        corrected = find_corrected(db, [held])
    wanted = _parse(query, held)
    kind = _chosen(wanted.kinds, held)
    if kind == accept.DICOM:
        syntax = _syntax(wanted.syntax, held.transfer_syntax)
        given = open_object(asked.store, held, syntax, corrected=corrected)
        return give_object(asked, given, {"Cache-Control": REVALIDATE})
    if kind not in PICTURES:
        return documents.get_document(asked, held, kind)
    return pictures.respond_with(asked, held, wanted.how, kind, wanted.number)


def _parse(query: Mapping[str, str], held: archive.HeldFrames) -> _Wanted:
    text = query.get("frameNumber", "")
    number = None
    if text:
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise BadParameter("frameNumber is a whole number from 1 on.")
        number = int(text)
        held.require_frame(number)
    given = {"quality": query.get("imageQuality", "90"), "annotation": query.get("annotation", "")}
    how = replace(rendering.parse_rendering(given), window=_window(query), viewport=_viewport(query))
    return _Wanted(query.get("contentType", ""), number, how, query.get("transferSyntax", ""))


def _window(query: Mapping[str, str]) -> tuple[float, float] | None:
    centre, width = query.get("windowCenter", ""), query.get("windowWidth", "")
    if bool(centre) != bool(width):
        raise BadParameter("windowCenter and windowWidth are given together.")
    return rendering.parse_rendering({"window": f"{centre},{width}"}).window if centre else None


def _viewport(query: Mapping[str, str]) -> rendering.Viewport | None:
    """Read rows, columns and region; the part not named is as large as it may be (PS3.18 9.1.2.2)."""
    rows, columns, region = (query.get(name, "") for name in ("rows", "columns", "region"))
    try:
        most = rendering.MOST_ACROSS
        size = None
        if rows or columns:
            size = rendering.checked_size(float(columns or most), float(rows or most))
        parts = None
        if region:
            left, top, right, bottom = (float(part) for part in region.split(","))
            if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
                raise ValueError(region)
            parts = left, top, right, bottom
    except ValueError:
        raise BadParameter("rows and columns are numbers; region is four from 0 to 1.") from None
    return rendering.Viewport(size, parts=parts) if size or parts else None


def _chosen(kinds: str, held: archive.HeldFrames) -> str:
    """Return the media type to give: the first that is asked for and can be given (PS3.18 9.1.2.1.2)."""
    offered = _offered(held)
    if not kinds:
        return offered[0]
    return accept.choose_kind(kinds, offered).kind


def _offered(held: archive.HeldFrames) -> tuple[str, ...]:
    if held.sop_class.startswith(documents.REPORTS):
        return documents.HTML, documents.TEXT, accept.DICOM
    if held.sop_class.startswith(documents.ENCAPSULATED):
        return accept.DICOM, "application/pdf", *sorted(documents.MIME_TYPES - {"application/pdf"})
    if not held.frames:
        return (accept.DICOM,)
    if held.transfer_syntax not in accept.DECODABLE:
        return (accept.DICOM,)
    return (
        (JPEG, accept.DICOM, *PICTURES[1:]) if held.frames == 1 else (accept.DICOM, JPEG, GIF, *PICTURES[1:])
    )


def _syntax(asked: str, stored: str) -> str:
    """Return the transfer syntax to give an object in: explicit little endian unless told otherwise."""
    header = f'application/dicom; transfer-syntax="{asked}"' if asked else accept.DICOM
    return accept.choose_objects(header, stored, several=False).syntax
