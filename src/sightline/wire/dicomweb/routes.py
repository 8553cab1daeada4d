"""The addresses of DICOMweb and what answers at each (PS3.18 tables 10.4.1-1, 10.5.1-1, 10.6.1-1)."""

import gzip
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import wraps
from typing import Any, TypeAlias
from zlib import crc32

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sightline.kernel.errors import Invalid, NotFound, PlatformError
from sightline.record import archive
from sightline.runtime.http import problem
from sightline.trust import access, audit, identity
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb import _rendering as rendering
from sightline.wire.dicomweb import _search as search
from sightline.wire.dicomweb._multipart import read_multipart, write_multipart
from sightline.wire.dicomweb._storing import Intake, answer

JSON = "application/dicom+json"
# What never changes may be kept; what may grow must be asked for again.
FOREVER = "private, max-age=31536000, immutable"
REVALIDATE = "private, no-cache"
THUMBNAIL = (256, 256)
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
_NOT_IMAGES = frozenset({"SR", "SEG", "PR", "KO", "DOC", "REG", "RTSTRUCT", "RTPLAN"})

Answer: TypeAlias = Callable[[archive.Store, Request, access.Person], Response]

audit.declare("archive.search", "A person or program searched the archive")
audit.declare("archive.read", "A person or program looked at a study or its images")


class UnsupportedBody(Invalid):
    """The body is in a form that cannot be stored; send multipart/related of application/dicom."""

    status = 415


class NotInThisPlace(NotFound):
    """The thing is held, but not under this study or series."""


def build(store: archive.Store) -> list[Route]:
    """Return the routes, to be mounted at `/dicom-web` of an application whose state has `database`."""
    study, series = "/studies/{study}", "/studies/{study}/series/{series}"
    instance = series + "/instances/{instance}"
    reads: dict[str, Answer] = {
        "/studies": find_studies,
        f"{study}/series": find_series,
        "/series": find_series,
        f"{series}/instances": find_instances,
        f"{study}/instances": find_instances,
        "/instances": find_instances,
        f"{study}/metadata": get_metadata,
        f"{series}/metadata": get_series_metadata,
        f"{instance}/metadata": get_metadata,
        f"{instance}/frames/{{frames}}": get_frames,
        f"{instance}/frames/{{frames}}/rendered": get_rendered,
        f"{instance}/rendered": get_rendered,
        f"{instance}/thumbnail": get_thumbnail,
        f"{instance}/bulkdata/{{tag}}": get_bulk_data,
        f"{series}/rendered": get_rendered,
        f"{series}/thumbnail": get_thumbnail,
        f"{study}/thumbnail": get_thumbnail,
        study: get_objects,
        series: get_objects,
        instance: get_objects,
    }
    routes = [Route(path, _reading(store, read), methods=["GET"]) for path, read in reads.items()]
    stores = [Route(path, _storing(store), methods=["POST"]) for path in ("/studies", study)]
    return stores + routes


def _reading(store: archive.Store, read: Answer) -> Callable[[Request], Response]:
    """Return an endpoint that says who asks and whether they may, and turns refusals into problems."""

    @wraps(read)
    def endpoint(request: Request) -> Response:
        try:
            person = identity.caller_of(request)
            study = request.path_params.get("study", "")
            access.require(person, "archive.read", on=study or None)
            response = read(store, request, person)
            audit.record_read(person, "archive.read" if study else "archive.search", on=study or "archive")
        except PlatformError as error:
            return problem(error)
        return response

    return endpoint


def _storing(store: archive.Store) -> Callable[[Request], Awaitable[Response]]:
    async def store_objects(request: Request) -> Response:
        """Store the objects of a multipart body (STOW-RS)."""
        try:
            person = await run_in_threadpool(identity.caller_of, request)
            access.require(person, "archive.store")
            kind = accept.choose_kind(request.headers.get("accept", ""), (JSON,), "application/json")
            boundary = _boundary_of(request.headers.get("content-type", ""))
            study = request.path_params.get("study", "")
            intake = Intake(store, archive.Source("stow", person.id, person), study)
            outcomes = await intake.take(read_multipart(request.stream(), boundary))
        except PlatformError as error:
            return problem(error)
        except ClientDisconnect:
            return Response(status_code=400)
        if not outcomes:
            return problem(UnsupportedBody("The body holds no object."))
        status, body = answer(outcomes, _root(request), study)
        return Response(json.dumps(body), status, media_type=kind)

    return store_objects


def _boundary_of(content_type: str) -> str:
    """Return the boundary of a multipart body of DICOM objects, or refuse it."""
    kind, _, rest = content_type.partition(";")
    if kind.strip().lower() != "multipart/related":
        raise UnsupportedBody('Send the objects as multipart/related; type="application/dicom".')
    parameters = {}
    for part in rest.split(";"):
        name, _, value = part.strip().partition("=")
        parameters[name.lower()] = value.strip('"')
    if parameters.get("type", "application/dicom").lower() != "application/dicom":
        raise UnsupportedBody('Only whole DICOM objects (type="application/dicom") can be stored.')
    if not 1 <= len(parameters.get("boundary", "")) <= 200:
        raise UnsupportedBody("The Content-Type names no boundary.")
    return parameters["boundary"]


def _root(request: Request) -> str:
    """Return the address that DICOMweb is mounted at, as the client sees it."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"


def find_studies(store: archive.Store, request: Request, _: access.Person) -> Response:
    """Search for studies."""
    wanted = search.parse_search(request.query_params.multi_items())
    root = _root(request)
    with store.database.reading() as db:
        page = archive.find_studies(db, search.study_query(wanted), limit=wanted.limit, offset=wanted.offset)
        found = [
            _with_included(db, search.study_attributes(s, root), wanted, archive.InstanceQuery(study=s.uid))
            for s in page
        ]
    return _results(request, found, wanted, search.STUDY_TAGS, more=page.next is not None)


def find_series(store: archive.Store, request: Request, _: access.Person) -> Response:
    """Search for series, of one study or of all."""
    wanted = search.parse_search(request.query_params.multi_items())
    study, root = request.path_params.get("study", ""), _root(request)
    with store.database.reading() as db:
        if study:
            archive.get_study(db, study)
        query = search.series_query(wanted, study)
        rows = archive.find_series(db, query, limit=wanted.limit + 1, offset=wanted.offset).items
        found = [
            _with_included(db, search.series_attributes(s, root), wanted, archive.InstanceQuery(series=s.uid))
            for s in rows[: wanted.limit]
        ]
    supported = search.SERIES_TAGS | {"0020000D"}
    return _results(request, found, wanted, supported, more=len(rows) > wanted.limit)


def find_instances(store: archive.Store, request: Request, _: access.Person) -> Response:
    """Search for instances, of one series, of one study or of all."""
    wanted = search.parse_search(request.query_params.multi_items())
    study, series = (request.path_params.get(name, "") for name in ("study", "series"))
    root = _root(request)
    with store.database.reading() as db:
        if study:
            _require_place(db, study, series)
        query = search.instance_query(wanted, study, series)
        rows = archive.find_instances(db, query, limit=wanted.limit + 1, offset=wanted.offset).items
        found = [
            _with_included(
                db, search.instance_attributes(i, root), wanted, archive.InstanceQuery(sop_uids=[i.sop_uid])
            )
            for i in rows[: wanted.limit]
        ]
    supported = search.INSTANCE_TAGS | {"0020000D", "0020000E"}
    return _results(request, found, wanted, supported, more=len(rows) > wanted.limit)


def _with_included(
    db: Any, attributes: archive.Attributes, wanted: search.Search, query: archive.InstanceQuery
) -> archive.Attributes:
    """Add what was asked for besides, from the first instance there is."""
    if not wanted.include:
        return attributes
    first = archive.find_instances(db, query, limit=1).items
    of = archive.attributes_of(db, first[0].sop_uid) if first else {}
    return search.add_included(attributes, wanted.include, of)


def _results(
    request: Request,
    found: list[archive.Attributes],
    wanted: search.Search,
    supported: Iterable[str],
    *,
    more: bool,
) -> Response:
    """Return search results with the warnings that are due (PS3.18 8.3.4.4, 10.6.3)."""
    kind = accept.choose_kind(request.headers.get("accept", ""), (JSON, "application/json"))
    warnings = []
    if more:
        warnings.append("There are more results; ask again with offset.")
    if wanted.fuzzy:
        warnings.append("The fuzzymatching parameter is not supported. Only literal matching was performed.")
    if ignored := wanted.unsupported(supported):
        warnings.append(f"These attributes were not matched: {', '.join(ignored)}.")
    headers = {"Warning": ", ".join(f'299 sightline "{w}"' for w in warnings)} if warnings else {}
    if not found:
        return Response(status_code=204, headers=headers)
    body = json.dumps(found, ensure_ascii=False).encode()
    return _compressed(request, body, kind, headers)


def _compressed(request: Request, body: bytes, kind: str, headers: dict[str, str]) -> Response:
    headers = {"Vary": "Accept, Accept-Encoding", **headers}
    if len(body) > 1024 and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            gzip.compress(body, 1), headers={"Content-Encoding": "gzip", **headers}, media_type=kind
        )
    return Response(body, headers=headers, media_type=kind)


def get_metadata(store: archive.Store, request: Request, _: access.Person) -> Response:
    """Return the attributes of a study or an instance, without its bulk data."""
    kind = accept.choose_kind(request.headers.get("accept", ""), (JSON, "application/json"))
    with store.database.reading() as db:
        query, etag = _place(db, request)
        if _is_known(request, etag):
            return _not_modified(etag, REVALIDATE)
        body = archive.metadata_json(db, query)
    return _compressed(request, body, kind, {"ETag": etag, "Cache-Control": REVALIDATE})


def get_series_metadata(store: archive.Store, request: Request, _: access.Person) -> Response:
    """Return the attributes of all instances of a series, made once and sent as they are."""
    kind = accept.choose_kind(request.headers.get("accept", ""), (JSON, "application/json"))
    study, series = request.path_params["study"], request.path_params["series"]
    with store.database.reading() as db:
        _require_place(db, study, series)
        body, etag = archive.series_metadata_gz(store, db, series)
    if _is_known(request, etag):
        return _not_modified(etag, REVALIDATE)
    headers = {"ETag": etag, "Cache-Control": REVALIDATE, "Vary": "Accept, Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(body, headers={"Content-Encoding": "gzip", **headers}, media_type=kind)
    return Response(gzip.decompress(body), headers=headers, media_type=kind)


def _place(db: Any, request: Request) -> tuple[archive.InstanceQuery, str]:
    """Return what a path names, having made sure that it is held there, and an ETag of its present state."""
    study, series, instance = (request.path_params.get(n, "") for n in ("study", "series", "instance"))
    if instance:
        _require_instance(db, request)
        return archive.InstanceQuery(sop_uids=[instance]), f'"{instance}"'
    if series:
        found = _require_place(db, study, series)
        return archive.InstanceQuery(series=series), f'"{series}-{found}"'
    held = archive.get_study(db, study)
    return archive.InstanceQuery(study=study), f'"{study}-{held.instance_count}"'


def _require_place(db: Any, study: str, series: str) -> int:
    """Refuse a series that is not of this study; return how often it has grown."""
    if not series:
        archive.get_study(db, study)
        return 0
    found = archive.get_series(db, series)
    if found.study != study:
        raise NotInThisPlace(f"Series {series} is not held in study {study}.")
    return found.generation


def _require_instance(db: Any, request: Request) -> archive.Instance:
    found = archive.get_instance(db, request.path_params["instance"])
    if (found.study, found.series) != (request.path_params["study"], request.path_params["series"]):
        raise NotInThisPlace(f"Instance {found.sop_uid} is not held in this study and series.")
    return found


def _is_known(request: Request, etag: str) -> bool:
    known = request.headers.get("if-none-match", "")
    return etag in (part.strip().removeprefix("W/") for part in known.split(","))


def _not_modified(etag: str, cache: str) -> Response:
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": cache})


def get_frames(store: archive.Store, request: Request, _: access.Person) -> Response:
    """Return frames, as stored or decoded, in one part each."""
    numbers = _numbers(request.path_params["frames"])
    with store.database.reading() as db:
        instance = _require_instance(db, request)
        stored = instance.transfer_syntax
        form = accept.choose_frames(request.headers.get("accept", ""), stored, several=len(numbers) > 1)
        etag = f'"{instance.sop_uid}-{request.path_params["frames"]}-{form.kind}-{int(form.as_stored)}"'
        if _is_known(request, etag):
            return _not_modified(etag, FOREVER)
        frames = [_frame(store, db, instance, number, form) for number in numbers]
    headers = {"ETag": etag, "Cache-Control": FOREVER, "Vary": "Accept"}
    if not form.multipart:
        kind, data = frames[0]
        return _ranged(request, data, kind, headers)
    pieces, content_type = write_multipart(frames, form.kind)
    return Response(b"".join(pieces), headers=headers, media_type=content_type)


def _numbers(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise search.BadQuery("Frames are numbers from 1 on, separated by commas.") from None
    if not numbers or min(numbers) < 1 or len(numbers) > 10_000:
        raise search.BadQuery("Frames are numbers from 1 on, separated by commas.")
    return numbers


def _frame(
    store: archive.Store, db: Any, instance: archive.Instance, number: int, form: accept.Form
) -> tuple[str, bytes]:
    """Return one frame with its own Content-Type."""
    if form.as_stored:
        data, syntax = archive.frame(store, db, instance.sop_uid, number)
        return f"{form.kind}; transfer-syntax={syntax}", data
    pixels, _ = archive.read_pixels(store, db, instance.sop_uid, number, raw=True)
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    return f"{form.kind}; transfer-syntax={accept.EXPLICIT}", little.tobytes()


def _ranged(request: Request, data: bytes, kind: str, headers: dict[str, str]) -> Response:
    """Return bytes, or the one range of them that is asked for (RFC 9110 14)."""
    headers = {"Accept-Ranges": "bytes", **headers}
    asked = request.headers.get("range", "")
    if not asked.startswith("bytes=") or "," in asked:
        return Response(data, headers=headers, media_type=kind)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    try:
        start = int(first) if first else max(len(data) - int(last), 0)
        stop = min(int(last) + 1, len(data)) if first and last else len(data)
    except ValueError:
        return Response(data, headers=headers, media_type=kind)
    if not start < stop:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return Response(data[start:stop], 206, headers=headers, media_type=kind)


def get_bulk_data(store: archive.Store, request: Request, _: access.Person) -> Response:
    """Return a long value that the metadata only name."""
    form = accept.choose_frames(request.headers.get("accept", ""), accept.EXPLICIT, several=False)
    try:
        tag = int(request.path_params["tag"], 16)
    except ValueError:
        raise search.BadQuery("Bulk data is named by its eight-digit tag.") from None
    with store.database.reading() as db:
        instance = _require_instance(db, request)
        data = archive.bulk_value(store, db, instance.sop_uid, tag)
    headers = {"ETag": f'"{instance.sop_uid}-{tag:08X}"', "Cache-Control": FOREVER, "Vary": "Accept"}
    if not form.multipart:
        return _ranged(request, data, "application/octet-stream", headers)
    pieces, content_type = write_multipart([("application/octet-stream", data)], "application/octet-stream")
    return Response(b"".join(pieces), headers=headers, media_type=content_type)


def get_objects(store: archive.Store, request: Request, _: access.Person) -> Response:
    """Return whole objects of a study, series or instance."""
    header = request.headers.get("accept", "")
    with store.database.reading() as db:
        query, _etag = _place(db, request)
        held = archive.find_instances(db, query).items
    if not held:
        raise NotInThisPlace("Nothing is held at this address.")
    several = not request.path_params.get("instance")
    forms = {
        i.transfer_syntax: accept.choose_objects(header, i.transfer_syntax, several=several) for i in held
    }
    if not forms[held[0].transfer_syntax].multipart:
        data = _object(store, held[0], forms[held[0].transfer_syntax])
        return _ranged(request, data, "application/dicom", {"Cache-Control": FOREVER, "Vary": "Accept"})
    parts = _objects(store, held, forms)
    pieces, content_type = write_multipart(parts, "application/dicom")
    return StreamingResponse(pieces, media_type=content_type, headers={"Vary": "Accept"})


def _objects(
    store: archive.Store, held: Iterable[archive.Instance], forms: dict[str, accept.Form]
) -> Iterator[tuple[str, bytes]]:
    for instance in held:
        form = forms[instance.transfer_syntax]
        syntax = instance.transfer_syntax if form.as_stored else accept.EXPLICIT
        yield f"application/dicom; transfer-syntax={syntax}", _object(store, instance, form)


def _object(store: archive.Store, instance: archive.Instance, form: accept.Form) -> bytes:
    if form.as_stored:
        return store.blobs.get(instance.blob)
    return archive.explicit_bytes(store, instance)


def get_rendered(store: archive.Store, request: Request, _: access.Person) -> Response:
    """Return one frame as JPEG or PNG, or a document as PDF; of a series, what is in the middle."""
    if request.path_params.get("instance"):
        with store.database.reading() as db:
            instance = _require_instance(db, request)
            if instance.sop_class == ENCAPSULATED_PDF:
                return _document(store, db, request, instance)
    how = rendering.parse_rendering(dict(request.query_params))
    return _rendered(store, request, how)


def _document(store: archive.Store, db: Any, request: Request, instance: archive.Instance) -> Response:
    """Return an encapsulated document as it was put in (PS3.3 C.24.2)."""
    kind = accept.choose_kind(request.headers.get("accept", ""), ("application/pdf",))
    document = archive.bulk_value(store, db, instance.sop_uid, 0x00420011)
    length = archive.attributes_of(db, instance.sop_uid).get("00420015", {}).get("Value", [len(document)])[0]
    headers = {"Cache-Control": FOREVER, "Vary": "Accept", "Content-Disposition": "inline"}
    return Response(document[:length], headers=headers, media_type=kind)


def get_thumbnail(store: archive.Store, request: Request, _: access.Person) -> Response:
    """Return a small picture of an instance, series or study."""
    asked = rendering.parse_rendering(dict(request.query_params))
    size = asked.size or THUMBNAIL
    how = rendering.Rendering(asked.window, asked.function, (min(size[0], 256), min(size[1], 256)), 80)
    return _rendered(store, request, how)


def _rendered(store: archive.Store, request: Request, how: rendering.Rendering) -> Response:
    kind = accept.choose_kind(request.headers.get("accept", ""), (rendering.JPEG, rendering.PNG))
    with store.database.reading() as db:
        instance, number = _shown(db, request)
        etag = f'"{instance.sop_uid}-{number}-{crc32(repr((how, kind)).encode()):08x}"'
        if _is_known(request, etag):
            return _not_modified(etag, REVALIDATE)
        pixels, header = archive.read_pixels(store, db, instance.sop_uid, number)
    headers = {"ETag": etag, "Cache-Control": "private, max-age=60", "Vary": "Accept"}
    return Response(rendering.render(pixels, header, how, kind), headers=headers, media_type=kind)


def _shown(db: Any, request: Request) -> tuple[archive.Instance, int]:
    """Return the instance and frame that a path's picture is of."""
    if request.path_params.get("instance"):
        return _require_instance(db, request), _numbers(request.path_params.get("frames", "1"))[0]
    series = request.path_params.get("series") or _main_series(db, request.path_params["study"])
    _require_place(db, request.path_params["study"], series)
    images = [i for i in archive.sorted_instances(db, series) if i.is_image]
    if not images:
        raise NotInThisPlace("Nothing here can be shown as a picture.")
    middle = images[len(images) // 2]
    return middle, (middle.frames or 1) // 2 + 1 if (middle.frames or 1) > 1 else 1


def _main_series(db: Any, study: str) -> str:
    """Return the series with most frames that is not derived from others."""
    archive.get_study(db, study)
    images = [
        s for s in archive.series_of_study(db, study) if s.frame_count and s.modality not in _NOT_IMAGES
    ]
    if not images:
        raise NotInThisPlace("Nothing in this study can be shown as a picture.")
    return max(images, key=lambda s: (s.frame_count, s.uid)).uid
