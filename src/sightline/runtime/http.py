"""HTTP plumbing: problem+json for every refusal, strict headers, and the transaction of a request.

The five kinds of error become five statuses here and nowhere else.
"""

import gzip
import hashlib
from collections.abc import Iterator
from typing import Annotated, Any

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PlatformError,
    Unauthenticated,
    Unavailable,
)
from sightline.runtime.db import Database, Db

STATUS: dict[type[PlatformError], int] = {
    NotFound: 404,
    Unauthenticated: 401,
    Forbidden: 403,
    Invalid: 422,
    Conflict: 409,
    Unavailable: 503,
}

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "media-src 'self'",
        "frame-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)

log = structlog.get_logger(__name__)


def status_of(error: PlatformError) -> int:
    """Return the HTTP status of a refusal: the one of its kind, unless its class names another."""
    named = getattr(error, "status", None)
    if isinstance(named, int):
        return named
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def problem(error: PlatformError) -> JSONResponse:
    """Render a refusal as problem+json (RFC 9457)."""
    return problem_response(status_of(error), str(error), code=error.code, facts=error.facts)


def problem_response(
    status: int, detail: str, *, code: str, facts: dict[str, str] | None = None
) -> JSONResponse:
    """Return a problem document with the given status."""
    body = {
        "type": f"urn:sightline:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "facts": facts or {},
    }
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def install_problem_handlers(app: FastAPI) -> None:
    """Have `app` answer every refusal, validation error and crash with a problem document."""

    async def refuse(_: Request, error: Exception) -> Response:
        assert isinstance(error, PlatformError)
        return problem(error)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # Only where and why: the input itself may be patient data.
        where = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return problem_response(422, where, code="invalid-request")

    async def plain(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        answer = problem_response(error.status_code, str(error.detail), code=f"http-{error.status_code}")
        answer.headers.update(error.headers or {})
        return answer

    async def crash(request: Request, error: Exception) -> Response:
        log.error("request failed", error=type(error).__name__, exc_info=error)
        answer = problem_response(
            500, "Something broke on our side; it has been logged.", code="internal-error"
        )
        # Crashes are answered outside all middleware, so the headers are put on here.
        _harden(answer.headers, secure=is_secure(request.scope))
        return answer

    app.add_exception_handler(PlatformError, refuse)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(Exception, crash)


def get_database(request: Request) -> Database:
    """Return the installation's database."""
    database = request.app.state.database
    assert isinstance(database, Database)
    return database


def _transaction(database: Annotated[Database, Depends(get_database)]) -> Iterator[Db]:
    with database.transaction() as db:
        yield db


def _snapshot(database: Annotated[Database, Depends(get_database)]) -> Iterator[Db]:
    with database.reading() as db:
        yield db


# The scope makes the transaction end before the answer is sent: what we confirm is committed.
Tx = Annotated[Db, Depends(_transaction, scope="function")]
Snapshot = Annotated[Db, Depends(_snapshot, scope="function")]


def byte_range(asked: str, size: int) -> tuple[int, int, int, dict[str, str]]:
    """Return status, first byte, length and headers of what a Range header asks for (RFC 9110 14).

    Several ranges, and what cannot be read as one, are answered with the whole; 416 sends nothing.

    >>> byte_range("bytes=-2", 10)[:3]
    (206, 8, 2)
    """
    headers = {"Accept-Ranges": "bytes"}
    first, dash, last = asked.removeprefix("bytes=").strip().partition("-")
    numbers = [part for part in (first, last) if part]
    readable = dash and numbers and all(p.isascii() and p.isdigit() and len(p) < 20 for p in numbers)
    if not asked.startswith("bytes=") or not readable:
        return 200, 0, size, headers
    start = int(first) if first else max(size - int(last), 0)
    stop = min(int(last) + 1, size) if first and last else size
    if not start < stop:
        return 416, 0, 0, headers | {"Content-Range": f"bytes */{size}"}
    return 206, start, stop - start, headers | {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}


def revalidated(request: Request, body: BaseModel) -> Response:
    """Return what is large and seldom changes: packed, and nothing if the client holds it (RFC 9110 13.1)."""
    plain = body.model_dump_json().encode()
    etag = f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if etag in known:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        plain = gzip.compress(plain, compresslevel=5, mtime=0)
    return Response(plain, media_type="application/json", headers=headers)


class SecurityHeaders:
    """Put the strict headers on every answer; API answers and pages are never cached by others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        secure = is_secure(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _harden(MutableHeaders(scope=message), secure=secure)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def is_secure(scope: Scope) -> bool:
    """Say whether the request came by HTTPS, here or at the proxy in front."""
    return scope.get("scheme") == "https" or Headers(scope=scope).get("x-forwarded-proto") == "https"


def _harden(headers: MutableHeaders, *, secure: bool) -> None:
    fixed: dict[str, Any] = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }
    if secure:
        fixed["Strict-Transport-Security"] = "max-age=31536000"
    for name, value in fixed.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
