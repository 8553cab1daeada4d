"""The one application: web pages, `/api`, `/dicom-web`, `/fhir`, health and metrics."""

import time
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import text
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import sightline.app.registry  # noqa: F401  listeners and jobs
from sightline.app.installation import Installation
from sightline.care import display
from sightline.care.display.routes import router as display_router
from sightline.care.documents.routes import router as documents_router
from sightline.care.hanging.routes import router as hanging_router
from sightline.care.lesions.routes import router as lesions_router
from sightline.care.reading.routes import router as reading_router
from sightline.care.reporting.routes import router as reporting_router
from sightline.care.response.routes import router as response_router
from sightline.care.timeline.routes import router as patient_router
from sightline.care.worklist.routes import router as worklist_router
from sightline.intelligence.routing.routes import router as comparing_router
from sightline.record import archive
from sightline.record.annotations.routes import router as annotations_router
from sightline.record.archive.routes import router as archive_router
from sightline.record.chart.routes import router as chart_router
from sightline.record.orders.routes import router as orders_router
from sightline.record.upkeep.routes import router as upkeep_router
from sightline.runtime import jobs, logs
from sightline.runtime.http import SecurityHeaders, Snapshot, install_problem_handlers, problem_response
from sightline.trust import access, audit
from sightline.trust.audit.routes import build_router as build_audit_router
from sightline.trust.identity import Caller, caller_of
from sightline.trust.identity.routes import router as identity_router
from sightline.wire import dimse
from sightline.wire.dicomweb import routes as dicomweb_routes
from sightline.wire.dimse.routes import router as dimse_router
from sightline.wire.fhir import routes as fhir_routes
from sightline.wire.media.routes import router as media_router
from sightline.wire.peers.routes import router as peers_router
from sightline.wire.priors.routes import router as priors_router
from sightline.wire.transfers.routes import router as transfers_router

STATIC = Path(__file__).parent / "static"
PAGES = (
    "/", "/login", "/setup", "/worklist", "/study/{uid}", "/patient/{uid}", "/patient/{uid}/response",
    "/admin/{page}", "/archive", "/archive/{page}", "/orders",
)  # fmt: skip

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PARTS = frozenset({"/dicom-web", "/fhir", "/assets", "/wado"})

status_router = APIRouter(tags=["status"])


class JobCounts(BaseModel):
    """How many jobs wait, run and failed."""

    running: int
    waiting: int
    failed: int


class SystemStatus(BaseModel):
    """How the installation is doing."""

    version: str
    arriving: int
    jobs: JobCounts


@status_router.get("/status")
def get_status(request: Request, caller: Caller, db: Snapshot) -> SystemStatus:
    """Say what is arriving and how the jobs stand."""
    access.require(caller, "system.read")
    counts = jobs.open_queue(request.app.state.database).counts()
    return SystemStatus(
        version=version("sightline"), arriving=archive.count_unsettled(db), jobs=JobCounts(**counts)
    )


def build_api() -> FastAPI:
    """Return the application without an installation; the web client is typed from its OpenAPI."""
    app = FastAPI(
        title="Sightline",
        version=version("sightline"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    for router in (
        identity_router, worklist_router, reading_router, lesions_router, reporting_router,
        archive_router, orders_router, media_router, peers_router, dimse_router, priors_router,
        transfers_router, upkeep_router, hanging_router, response_router, documents_router,
        display_router, annotations_router, chart_router, patient_router,
        comparing_router,
        build_audit_router(caller_of), status_router,
    ):  # fmt: skip
        app.include_router(router, prefix="/api")
    install_problem_handlers(app)
    return app


def build_app(installation: Installation, spool: archive.Spool | None = None) -> FastAPI:
    """Return the application over an installation; objects come in by its `spool`, or by one of its own."""
    app = build_api()
    app.state.database = installation.database
    app.state.store = installation.store
    app.state.audit_folder = installation.folder / audit.FOLDER
    app.state.dimse_caller = dimse.Caller(installation.settings.server.ae_title, installation.settings.dimse)
    app.state.media_settings = installation.settings.media
    app.state.display = display.open_context(installation.store, installation.settings.display)
    app.state.prior_settings = installation.settings.priors
    app.state.upkeep_settings = installation.settings.upkeep
    app.state.identity_rules = installation.settings.identity.rules()
    web = installation.settings.dicomweb
    # First of all: a viewer asks for hundreds of frames a second, and routes are tried in order.
    dicomweb = dicomweb_routes.build(installation.store, web, spool)
    app.router.routes.insert(0, Mount("/dicom-web", routes=dicomweb))
    app.router.routes += dicomweb_routes.build_uri(installation.store, web)
    app.router.routes.append(Mount("/fhir", routes=fhir_routes.build()))
    app.router.routes += [
        Route("/healthz", _alive),
        Route("/readyz", _ready),
        Route("/metrics", _metrics),
        *(Route(path, _page) for path in PAGES),
        Mount("/assets", app=_Assets(STATIC / "assets")),
        Route("/{name:path}", _root_file),
    ]
    app.add_middleware(_Measure)
    app.add_middleware(SecurityHeaders)
    return app


class _Measure:
    """Count and time every request, and trace it; the body passes through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "other"
        status = 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with logs.span(f"{method} request"):
                await self._app(scope, receive, send_noting)
        finally:
            route = _route_of(scope)
            logs.request_seconds.labels(method, route).observe(time.perf_counter() - started)
            logs.requests_total.labels(method, route, str(status)).inc()


def _route_of(scope: Scope) -> str:
    """Return the pattern or the part that answered, never the address: that may name a patient."""
    pattern = getattr(scope.get("route"), "path", None)  # only those of the API have one, without its prefix
    if pattern is not None:
        return f"/api{pattern}"
    part = "/" + scope["path"].split("/")[1]
    return part if part in PARTS else "other"


async def _alive(_: Request) -> Response:
    """Say that the process lives."""
    return PlainTextResponse("ok")


def _ready(request: Request) -> Response:
    """Say that the database answers."""
    with request.app.state.database.reading() as db:
        db.execute(text("select 1"))
    return JSONResponse({"ready": True})


def _metrics(_: Request) -> Response:
    """Give the counters and times that Prometheus collects."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _page(_: Request) -> Response:
    """Serve the web application; the browser finds its own way from the address."""
    page = STATIC / "index.html"
    if not page.is_file():
        return problem_response(
            503,
            "The web app is not built; run make setup, or pip install the package.",
            code="web-app-not-built",
        )
    return FileResponse(page, headers={"Cache-Control": "no-cache"})


def _root_file(request: Request) -> Response:
    """Serve the few files that live beside the page (icon, manifest), and nothing else."""
    name = request.path_params["name"]
    path = STATIC / name
    if "/" in name or name.startswith(".") or not path.is_file():
        return problem_response(404, "There is nothing at this address.", code="not-found")
    return FileResponse(path, headers={"Cache-Control": "public, max-age=3600"})


class _Assets:
    """Hashed files of the web app: immutable, and sent as compressed at build where the browser takes it."""

    ENCODINGS = (("br", ".br"), ("gzip", ".gz"))

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __call__(self, scope: Scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        """Answer with the file or 404."""
        await self._response(Request(scope))(scope, receive, send)

    def _response(self, request: Request) -> Response:
        name = request.path_params.get("path", "") or request.scope["path"].rsplit("/", 1)[-1]
        path = self._folder / name
        if "/" in name or name.startswith(".") or not path.is_file():
            return problem_response(404, "There is no such file.", code="not-found")
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        accepted = request.headers.get("accept-encoding", "")
        for encoding, ending in self.ENCODINGS:
            packed = path.with_name(path.name + ending)
            if encoding in accepted and packed.is_file():
                return FileResponse(
                    packed, media_type=_media_type(path), headers={**headers, "Content-Encoding": encoding}
                )
        return FileResponse(path, media_type=_media_type(path), headers=headers)


MEDIA_TYPES = {
    ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml",
    ".png": "image/png", ".json": "application/json", ".woff2": "font/woff2",
}  # fmt: skip


def _media_type(path: Path) -> str:
    return MEDIA_TYPES.get(path.suffix, "application/octet-stream")


__all__ = ["STATIC", "build_api", "build_app"]
