"""Sightline as in production, with OHIF's ready build beside it at the same server: `front.py serve …`.

The name in the address chooses: `ohif.localhost` is OHIF on Sightline's own DICOMweb, in the same process and
with the same session cookie; `orthanc.localhost` is OHIF on the DICOMweb of the Orthanc whose port stands in
`BENCH_ORTHANC_PORT`, passed on by stream; every other name is Sightline. OHIF's files are sent as Sightline
sends its own: packed with brotli beforehand, hashed names for ever.
"""

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import brotli
import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bench.peers.orthanc import CACHE
from sightline.app import serve
from sightline.app.cli import main

OHIF = (Path(__file__).parents[2] / "tests" / "judges" / "ohif" / "package").resolve()
DIST = OHIF / "dist"
PACKED = CACHE.parent / "ohif"
ON_SIGHTLINE, ON_ORTHANC = "ohif.localhost", "orthanc.localhost"
PACKABLE = frozenset({".js", ".css", ".wasm", ".html", ".json", ".svg"})
HASHED = re.compile(r"[0-9a-f]{16}")
PASSED = ("accept", "range", "host")


def version() -> str:
    """Return the version of OHIF that was fetched, or nothing."""
    described = OHIF / "package.json"
    return str(json.loads(described.read_text())["version"]) if described.is_file() else ""


def packed(path: Path) -> Path:
    """Return a file of OHIF packed with brotli as tightly as Sightline's own; once for all runs."""
    target = PACKED / version() / f"{path.relative_to(DIST)}.br"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(brotli.compress(path.read_bytes()))
        fresh.replace(target)
    return target


class Front:
    """One server, three names."""

    def __init__(self, sightline: ASGIApp) -> None:
        self._sightline = sightline
        self._orthanc = Starlette(routes=[Route("/{path:path}", _pass_on())])
        self._packing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the name in the address choose."""
        name = Request(scope).url.hostname if scope["type"] == "http" else None
        if name not in (ON_SIGHTLINE, ON_ORTHANC):
            await self._sightline(scope, receive, send)
        elif not scope["path"].startswith("/dicom-web"):
            await (await self._file(Request(scope)))(scope, receive, send)
        else:
            await (self._sightline if name == ON_SIGHTLINE else self._orthanc)(scope, receive, send)

    async def _file(self, request: Request) -> Response:
        if request.url.path == "/app-config.js":
            root = f"{request.base_url}dicom-web"
            return Response(
                f"window.config = {json.dumps(configuration(root))}", media_type="text/javascript"
            )
        path = (DIST / request.url.path.lstrip("/")).resolve()
        if not (path.is_file() and path.is_relative_to(DIST)):
            path = DIST / "index.html"
        kept = "public, max-age=31536000, immutable" if HASHED.search(path.name) else "no-cache"
        if path.suffix not in PACKABLE:
            return FileResponse(path, headers={"Cache-Control": kept})
        async with self._packing:
            small = await asyncio.to_thread(packed, path)
        media_type = "application/wasm" if path.suffix == ".wasm" else FileResponse(path).media_type
        return FileResponse(
            small, media_type=media_type, headers={"Cache-Control": kept, "Content-Encoding": "br"}
        )


def configuration(root: str) -> dict[str, Any]:
    """Return OHIF's configuration: where DICOMweb is, and no dialogue in front of the images."""
    source = {
        "friendlyName": "bench", "name": "bench", "qidoRoot": root, "wadoRoot": root, "wadoUriRoot": root,
        "imageRendering": "wadors", "thumbnailRendering": "wadors", "enableStudyLazyLoad": True,
        "supportsFuzzyMatching": True, "supportsWildcard": True, "omitQuotationForMultipartRequest": True,
    }  # fmt: skip
    return {
        "routerBasename": "/", "extensions": [], "modes": [], "showStudyList": True,
        "investigationalUseDialog": {"option": "never"}, "defaultDataSourceName": "bench",
        "dataSources": [{
            "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
            "sourceName": "bench", "configuration": source,
        }],
    }  # fmt: skip


def _pass_on() -> Any:
    port = os.environ.get("BENCH_ORTHANC_PORT", "0")
    orthanc = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60)

    async def pass_on(request: Request) -> Response:
        """Ask Orthanc and hand on what it answers while it comes."""
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        asked = orthanc.build_request(
            "GET", request.url.path, params=request.query_params.multi_items(), headers=headers
        )
        answer = await orthanc.send(asked, stream=True)
        kept = ("content-type", "content-length", "content-encoding")
        headers = {name: answer.headers[name] for name in kept if name in answer.headers}
        return StreamingResponse(
            answer.aiter_raw(), answer.status_code, headers, background=BackgroundTask(answer.aclose)
        )

    return pass_on


if __name__ == "__main__" and sys.argv[1:]:
    build = serve.build_app
    serve.build_app = lambda *given: Front(build(*given))  # type: ignore[assignment,return-value]
    main()
