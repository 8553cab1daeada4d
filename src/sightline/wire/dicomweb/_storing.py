"""STOW-RS: objects in, and what became of each (PS3.18 10.5)."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb._multipart import Event, PartData, PartEnd, PartStart, read_multipart
from sightline.wire.dicomweb._native import render_native
from sightline.wire.dicomweb._serving import Asked, BadRequest
from sightline.wire.dicomweb._uploads import Upload

# PS3.18 table I.2-2 and PS3.4 table B.2-1: why an instance failed.
REASONS = {
    "store-full": 0xA700,
    "store-unavailable": 0xA700,
    "too-large": 0xA700,
    "other-study": 0xA900,
    "mismatch": 0xA900,
    "missing-uid": 0xA900,
    "invalid-uid": 0xA900,
    "rejected": 0xA770,
    "content": 0x0111,
    "series": 0x0110,
    "patient": 0x0110,
}
CANNOT_UNDERSTAND = 0xC000
COERCED = 0xB000
_SINGLE = frozenset({accept.DICOM, accept.JSON, accept.PLAIN_JSON, accept.XML})
_IN_PARTS = frozenset({accept.DICOM, accept.JSON, accept.PLAIN_JSON, accept.XML, ""})


class UnsupportedBody(Invalid):
    """The body is in a form that cannot be stored; send multipart/related of application/dicom."""

    status = 415


async def store_objects(asked: Asked) -> Response:
    """Store the objects of a body: whole ones, or attributes with bulk data."""
    form = accept.choose_attributes(asked.accept, several=False)
    events = _events(asked.request)
    source = archive.Source("stow", asked.person.id, asked.person)
    outcomes = await Upload(asked.context.spool, source, asked.study).take(events)
    if not outcomes:
        raise BadRequest("The body holds no object.")
    status, body = answer(outcomes, asked.root, asked.study)
    if form.kind == accept.XML:
        return Response(render_native(body), status, media_type=accept.XML)
    return Response(json.dumps(body), status, media_type=form.kind)


def _events(request: Request) -> AsyncIterator[Event]:
    """Return the parts of a body as they arrive; a body that is one object is one part."""
    kind, parameters = accept.parse_media_type(request.headers.get("content-type", ""))
    if kind in _SINGLE:
        return _single(request, kind)
    if kind != "multipart/related" or parameters.get("type", "").lower() not in _IN_PARTS:
        raise UnsupportedBody(
            'Send multipart/related with type="application/dicom", "application/dicom+json" or '
            '"application/dicom+xml", or one object as application/dicom.'
        )
    boundary = parameters.get("boundary", "")
    if not 1 <= len(boundary) <= 200 or not boundary.isascii():
        raise UnsupportedBody("The Content-Type names no boundary.")
    return read_multipart(request.stream(), boundary)


async def _single(request: Request, kind: str) -> AsyncIterator[Event]:
    yield PartStart({"content-type": kind})
    async for chunk in request.stream():
        if chunk:
            yield PartData(chunk)
    yield PartEnd()


def answer(outcomes: list[archive.Outcome], root: str, study_uid: str) -> tuple[int, archive.Attributes]:
    """Return status and body of the response (PS3.18 10.5.3, table 10.5.3-1)."""
    good = [o for o in outcomes if o.status in {"stored", "held"}]
    named = [o for o in outcomes if o.status not in {"stored", "held"} and o.sop_uid]
    nameless = [o for o in outcomes if o.status not in {"stored", "held"} and not o.sop_uid]
    studies = {o.study_uid for o in good}
    body: dict[str, Any] = {}
    if study_uid or len(studies) == 1:
        body["00081190"] = {"vr": "UR", "Value": [f"{root}/studies/{study_uid or studies.pop()}"]}
    if named:
        body["00081198"] = {"vr": "SQ", "Value": [_reference(o) | _failure(o) for o in named]}
    if good:
        body["00081199"] = {"vr": "SQ", "Value": [_reference(o) | _stored(o, root) for o in good]}
    if nameless:
        body["0008119A"] = {"vr": "SQ", "Value": [_failure(o) for o in nameless]}
    return _status_of(outcomes, len(good)), body


def _status_of(outcomes: list[archive.Outcome], good: int) -> int:
    if good == len(outcomes):
        return 202 if any(o.coerced for o in outcomes) else 200
    if good:
        return 202
    codes = {o.code for o in outcomes}
    if "store-full" in codes:
        return 507
    return 503 if "store-unavailable" in codes else 409


def _reference(outcome: archive.Outcome) -> dict[str, Any]:
    return {
        "00081150": {"vr": "UI", "Value": [outcome.sop_class]},
        "00081155": {"vr": "UI", "Value": [outcome.sop_uid]},
    }


def _stored(outcome: archive.Outcome, root: str) -> dict[str, Any]:
    path = f"studies/{outcome.study_uid}/series/{outcome.series_uid}/instances/{outcome.sop_uid}"
    told: dict[str, Any] = {"00081190": {"vr": "UR", "Value": [f"{root}/{path}"]}}
    if outcome.coerced:
        told["00081196"] = {"vr": "US", "Value": [COERCED]}
    return told


def _failure(outcome: archive.Outcome) -> dict[str, Any]:
    """Say why, by the code of the standard and, in Error Comment, in words."""
    return {
        "00000902": {"vr": "LO", "Value": [outcome.reason[:64]]},
        "00081197": {"vr": "US", "Value": [REASONS.get(outcome.code, CANNOT_UNDERSTAND)]},
    }
