"""What answers at an address of DICOMweb: who asks, whether they may, and how the answer leaves.

An address is an ASGI application of its own: most of what a viewer asks for is one frame, and each layer
between the socket and the bytes would be paid for every frame.
"""

import asyncio
import hashlib
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from sightline.kernel.errors import Invalid, PlatformError
from sightline.record import archive
from sightline.runtime.blobs import StoreFull
from sightline.runtime.http import byte_range, problem_response, status_of
from sightline.trust import access, audit, identity
from sightline.wire.dicomweb.settings import DicomWebSettings

# A viewer sends hundreds of requests a second; who sends them is asked of the database once a second.
KNOWN_S = 1.0
KNOWN_MOST = 1000
THREADS = 16
# Pictures are decoded and made by few at a time, so that they never keep frames waiting.
HEAVY_THREADS = 4
KEPT_BYTES = 64 << 20
GATHERED = 2 << 20
READING = frozenset({"GET", "HEAD"})
EXPOSED = "Accept-Ranges, Content-Location, Content-Range, ETag, Warning"
ALLOWED = "Accept, Authorization, Content-Type, If-None-Match, Range"
# What never changes may be kept; what may change must be asked for again.
FOREVER = "private, max-age=31536000, immutable"
REVALIDATE = "private, no-cache"

audit.declare("archive.search", "A person or program searched the archive")
audit.declare("archive.read", "A person or program looked at a study or its images")


class BadRequest(Invalid):
    """A parameter or a part of the address cannot be understood; correct it."""

    status = 400


# At this border a refusal of the archive gets the status that the standard demands (PS3.18 8.5).
_STATUSES: dict[type[PlatformError], int] = {
    archive.BadKey: 400,
    archive.FrameNotAddressable: 406,
    archive.FrameNotDecodable: 406,
    StoreFull: 507,
}


def _refused(error: PlatformError) -> Response:
    status = _STATUSES.get(type(error), status_of(error))
    return problem_response(status, str(error), code=error.code, facts=error.facts)


class MethodNotAllowed(Invalid):
    """This address does not answer to the method; ask with OPTIONS what it answers to."""

    status = 405


class Callers:
    """Who sent what credentials within the last second: a token that is revoked works no longer than that."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[float, access.Person]] = {}

    def person_of(self, request: Request) -> access.Person:
        """Return who sends the request; requests that change something always ask the database."""
        if request.method not in READING:
            return identity.caller_of(request)
        known = self.known(request)
        if known is not None:
            return known
        asked_at = time.monotonic()
        person = identity.caller_of(request)
        if len(self._known) >= KNOWN_MOST:
            self._known.clear()
        self._known[self._key(request)] = asked_at, person
        return person

    def known(self, request: Request) -> access.Person | None:
        """Return who sends the request, when that was asked within the last second."""
        found = self._known.get(self._key(request))
        return found[1] if found is not None and time.monotonic() - found[0] < KNOWN_S else None

    @staticmethod
    def _key(request: Request) -> bytes:
        said = request.headers.get("authorization") or request.headers.get("cookie") or ""
        return hashlib.blake2b(said.encode("utf-8", "surrogateescape"), digest_size=32).digest()


class Kept:
    """Bodies that were made lately, by what they were made of; those not asked for longest go first."""

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most = most
        self._size = 0
        self._bodies: dict[Any, tuple[bytes, str]] = {}
        self._lock = threading.Lock()

    def get(self, key: Any) -> tuple[bytes, str] | None:
        """Return a body and its ETag, or None."""
        with self._lock:
            found = self._bodies.pop(key, None)
            if found is not None:
                self._bodies[key] = found
            return found

    def put(self, key: Any, body: bytes, etag: str) -> None:
        """Keep a body."""
        if len(body) > self._most // 4:
            return
        with self._lock:
            self._size += len(body) - len(self._bodies.pop(key, (b"", ""))[0])
            self._bodies[key] = body, etag
            while self._size > self._most:
                self._size -= len(self._bodies.pop(next(iter(self._bodies)))[0])


@dataclass(frozen=True, slots=True)
class Context:
    """What the answers stand on."""

    store: archive.Store
    spool: archive.Spool
    settings: DicomWebSettings
    threads: ThreadPoolExecutor
    heavy: ThreadPoolExecutor
    callers: Callers = field(default_factory=Callers)
    kept: Kept = field(default_factory=Kept)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request by somebody who may make it."""

    context: Context
    request: Request
    person: access.Person
    study: str = ""
    series: str = ""
    instance: str = ""

    @property
    def store(self) -> archive.Store:
        """Return the archive's store."""
        return self.context.store

    def part(self, name: str) -> str:
        """Return a part of the address, empty when it has none of this name."""
        return str(self.request.path_params.get(name, ""))

    def header(self, name: str) -> str:
        """Return a header, empty when it was not sent."""
        return self.request.headers.get(name, "")

    @property
    def accept(self) -> str:
        """Return what the client takes; the query parameter goes before the header (PS3.18 8.3.3.1)."""
        if not self.request.scope["query_string"]:
            return self.header("accept")
        # A plus sign in a query is a blank to those who decode it.
        named = self.request.query_params.get("accept", "").replace("dicom json", "dicom+json")
        return named.replace("dicom xml", "dicom+xml") or self.header("accept")

    @property
    def root(self) -> str:
        """Return the address that DICOMweb is mounted at, as the client sees it."""
        request = self.request
        return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"

    def knows(self, etag: str) -> bool:
        """Say whether the client holds this state already."""
        return etag in (part.strip().removeprefix("W/") for part in self.header("if-none-match").split(","))


Answer: TypeAlias = Callable[[Asked], Response]
Acceptor: TypeAlias = Callable[[Asked], Awaitable[Response]]


_BY_QUERY = {"study": "study", "series": "series", "instance": "object"}


@dataclass(frozen=True, slots=True)
class Act:
    """What a method does at an address: the permission it needs, and how a read is noted in the trail."""

    answer: Answer | None = None
    accept_body: Acceptor | None = None
    needs: str = "archive.read"
    heavy: bool = False
    by_query: bool = False
    # Answers at once, without a thread, when nothing has to be waited for; else None.
    quick: "Callable[[Asked], Response | None] | None" = None


class Resource:
    """One address: finds who asks, and whether they may; answers, and turns refusals into problems."""

    def __init__(self, context: Context, acts: Mapping[str, Act], describe: Answer) -> None:
        self._context = context
        self._acts = acts
        self._describe = describe
        self.methods = ("OPTIONS", *(("HEAD",) if "GET" in acts else ()), *acts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        origin = request.headers.get("origin", "")
        crossing = self._context.settings.allows(origin)
        method = request.method
        if method == "OPTIONS" and "access-control-request-method" in request.headers:
            response: Response = self._preflight(crossing)
        else:
            response = await self._respond(request, "GET" if method == "HEAD" else method)
        if crossing:
            _allow_origin(response, origin)
        await response(scope, receive, _without_body(send) if method == "HEAD" else send)

    async def _respond(self, request: Request, method: str) -> Response:
        act = Act(self._describe) if method == "OPTIONS" else self._acts.get(method)
        run = asyncio.get_running_loop().run_in_executor
        if act is None:
            refusal = _refused(MethodNotAllowed(f"This address answers to {', '.join(self.methods)}."))
            refusal.headers["Allow"] = ", ".join(self.methods)
            return refusal
        if act.accept_body is None:
            if act.quick is not None and self._context.store.database.is_sqlite:
                quick = self._quickly(act, request)
                if quick is not None:
                    return quick
            threads = self._context.heavy if act.heavy else self._context.threads
            return await run(threads, self._answered, act, request)
        try:
            asked = await run(self._context.threads, self._asked, act, request)
            return await act.accept_body(asked)
        except PlatformError as error:
            return _refused(error)
        except ClientDisconnect:
            return Response(status_code=400)

    def _quickly(self, act: Act, request: Request) -> Response | None:
        """Answer on the loop's own thread, where the index is a local file and the caller is known."""
        assert act.quick is not None
        person = self._context.callers.known(request)
        if person is None:
            return None
        try:
            asked = self._asked(act, request, person)
            response = act.quick(asked)
        except PlatformError as error:
            return _refused(error)
        if response is not None:
            audit.record_read(person, "archive.read", on=asked.study)
        return response

    def _answered(self, act: Act, request: Request) -> Response:
        assert act.answer is not None
        try:
            asked = self._asked(act, request)
            response = act.answer(asked)
            if request.method in READING:
                read = "archive.read" if asked.study else "archive.search"
                audit.record_read(asked.person, read, on=asked.study or "archive")
        except PlatformError as error:
            return _refused(error)
        return response

    def _asked(self, act: Act, request: Request, person: access.Person | None = None) -> Asked:
        person = person or self._context.callers.person_of(request)
        place: Mapping[str, str] = request.path_params
        if act.by_query:  # as WADO-URI names them
            said = request.query_params
            place = {name: said.get(f"{also}UID", "") for name, also in _BY_QUERY.items()}
        study = place.get("study", "")
        access.require(person, act.needs, on=study or None)
        return Asked(
            self._context, request, person, study, place.get("series", ""), place.get("instance", "")
        )

    def _preflight(self, crossing: bool) -> Response:
        """Answer a browser that asks whether another site's script may call (Fetch, CORS preflight)."""
        headers = {"Allow": ", ".join(self.methods), "Vary": "Origin"}
        if crossing:
            headers |= {
                "Access-Control-Allow-Methods": ", ".join(self.methods),
                "Access-Control-Allow-Headers": ALLOWED,
                "Access-Control-Max-Age": "600",
            }
        return Response(status_code=204, headers=headers)


def _allow_origin(response: Response, origin: str) -> None:
    """Let the calling site's script see the answer; cookies are never taken from another site."""
    headers = MutableHeaders(raw=response.raw_headers)
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = EXPOSED
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    headers.add_vary_header("Origin")


def _without_body(send: Send) -> Send:
    """Return a `send` that answers HEAD: the headers of GET, and nothing else."""

    async def send_headers(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return send_headers


class Buffered(Response):
    """A body that was read straight to its place, and is sent from there."""

    def render(self, content: Any) -> Any:
        """Return the body as it is."""
        return content


class Streamed(Response):
    """A body of pieces that are read in a thread, one ahead of what is being sent."""

    def __init__(
        self,
        pieces: Iterator[bytes | tuple[bytes, ...]],
        threads: ThreadPoolExecutor,
        *,
        status: int = 200,
        media_type: str,
        headers: Mapping[str, str] | None = None,
        size: int | None = None,
    ) -> None:
        super().__init__(None, status, headers=headers, media_type=media_type)
        sized = MutableHeaders(raw=self.raw_headers)
        del sized["content-length"]
        if size is not None:
            sized["content-length"] = str(size)
        self._pieces = pieces
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body; a client that goes away ends the reading."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        loop = asyncio.get_running_loop()
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            _close(self._pieces)
            return
        ahead: Any = loop.run_in_executor(self._threads, _gather, self._pieces)
        try:
            while runs := await ahead:
                ahead = loop.run_in_executor(self._threads, _gather, self._pieces)
                for run in runs:
                    await send({"type": "http.response.body", "body": run, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            with suppress(Exception):
                await ahead
            _close(self._pieces)


def _gather(pieces: Iterator[bytes | tuple[bytes, ...]]) -> list[bytes]:
    """Return the next pieces, about 2 MiB at a time, so that no thread is woken for each; none at the end."""
    runs: list[bytes] = []
    size = 0
    for piece in pieces:
        some = piece if isinstance(piece, tuple) else (piece,)
        runs.extend(some)
        size += sum(map(len, some))
        if size >= GATHERED:
            break
    return runs


def _close(pieces: Iterator[Any]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()


def not_modified(etag: str, cache: str) -> Response:
    """Say that the client holds the present state."""
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": cache})


def ranged(asked: Asked, size: int, headers: dict[str, str]) -> tuple[int, int, int]:
    """Return status, first byte and length to send of `size` bytes (RFC 9110 14); adds the headers.

    Several ranges, and what cannot be read as one, are answered with the whole.
    """
    condition = asked.header("if-range")
    stale = condition and condition != headers.get("ETag")
    status, start, length, more = byte_range("" if stale else asked.header("range"), size)
    headers.update(more)
    return status, start, length


def bytes_response(asked: Asked, data: bytes, kind: str, headers: dict[str, str]) -> Response:
    """Return bytes, or the one range of them that is asked for."""
    status, start, length = ranged(asked, len(data), headers)
    whole = length == len(data)
    return Response(data if whole else data[start : start + length], status, headers=headers, media_type=kind)
