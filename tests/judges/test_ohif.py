"""OHIF's ready build lists our studies and shows one, in a real browser."""

import io
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from tests.judges.conftest import HERE, STUDY, Running

DIST = HERE / "ohif" / "package" / "dist"
MINUTE = 60_000


@pytest.fixture(scope="module")
def viewer(held: Running) -> Iterator[str]:
    """OHIF's files and our DICOMweb at one address, as a hospital's web server would have them."""
    if not (DIST / "index.html").is_file():
        pytest.skip("OHIF is not fetched: python -m tools.judges")
    ours = httpx.AsyncClient(base_url=f"http://127.0.0.1:{held.http}", headers=held.headers, timeout=60)

    async def pass_on(request: Request) -> Response:
        accept = {"Accept": request.headers.get("accept", "*/*")}
        answer = await ours.get(request.url.path, params=request.query_params.multi_items(), headers=accept)
        kept = ("content-type", "warning")
        headers = {name: answer.headers[name] for name in kept if name in answer.headers}
        return Response(answer.content, answer.status_code, headers)

    def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "app-config.js":
            return Response(f"window.config = {json.dumps(config)}", media_type="text/javascript")
        path = (DIST / name).resolve()
        found = path.is_file() and path.is_relative_to(DIST)
        return FileResponse(path if found else DIST / "index.html")

    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    root = f"{address}/dicom-web"
    config = {
        "routerBasename": "/", "extensions": [], "modes": [], "showStudyList": True,
        "defaultDataSourceName": "sightline",
        "dataSources": [{
            "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
            "sourceName": "sightline",
            "configuration": {
                "friendlyName": "Sightline", "name": "sightline",
                "qidoRoot": root, "wadoRoot": root, "wadoUriRoot": root,
                "imageRendering": "wadors", "thumbnailRendering": "wadors", "enableStudyLazyLoad": True,
                "supportsFuzzyMatching": True, "supportsWildcard": True,
                "omitQuotationForMultipartRequest": True,
            },
        }],
    }  # fmt: skip
    app = Starlette(routes=[Route("/dicom-web/{path:path}", pass_on), Route("/{name:path}", file)])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield address
    server.should_exit = True
    thread.join(timeout=10)
    listening.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    flags = [
        "--no-sandbox",
        "--no-first-run",
        "--disable-background-networking",
        "--enable-unsafe-swiftshader",
    ]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=flags)
        yield opened
        opened.close()


def test_it_lists_our_study(viewer, browser):
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(viewer, timeout=MINUTE)

    page.get_by_text("JUDGE1").first.wait_for(timeout=MINUTE)

    assert "CT chest" in page.inner_text("body")
    page.close()


def test_it_shows_its_images(viewer, browser):
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(f"{viewer}/viewer?StudyInstanceUIDs={STUDY}", timeout=MINUTE)
    canvas = page.locator(".cornerstone-canvas").first
    canvas.wait_for(timeout=MINUTE)

    until = time.monotonic() + 60
    bright = 0.0
    while bright < 0.02 and time.monotonic() < until:
        time.sleep(0.5)
        pixels = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("L"))
        bright = float((pixels > 150).mean())

    # The bright square covers a quarter of the image, and the image a part of the pane.
    assert bright > 0.02
    page.close()


def test_it_opens_our_measurements_for_editing(held, viewer, browser):
    """It asks whether to track what a report of ours holds, which it does only for shapes that it knows."""
    address = f"http://127.0.0.1:{held.http}/api/studies/{STUDY}/annotations/saving"
    image = _an_image(held)
    drawn = [
        _drawn("2.25.501", "length", image, [[10, 10], [30, 30]]),
        _drawn("2.25.502", "bidirectional", image, [[10, 40], [40, 40], [25, 30], [25, 50]]),
        _drawn("2.25.503", "ellipse", image, [[10, 20], [40, 20], [25, 10], [25, 30]]),
        _drawn("2.25.504", "angle", image, [[10, 10], [10, 40], [40, 40]]),
        _drawn("2.25.505", "freehand", image, [[10, 10], [40, 12], [38, 40]]),
        _drawn("2.25.506", "arrow", image, [[10, 10], [40, 12]]),
    ]
    headers = {"X-Sightline": "1", **held.headers}
    saved = httpx.post(address, json={"measurements": drawn}, headers=headers, timeout=60)
    assert saved.status_code == 200, saved.text

    page = browser.new_page(viewport={"width": 1600, "height": 900})
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(f"{viewer}/viewer?StudyInstanceUIDs={STUDY}", timeout=MINUTE)
    page.locator(".cornerstone-canvas").first.wait_for(timeout=MINUTE)
    for welcome in ("Skip all", "Confirm and hide"):
        page.get_by_text(welcome).first.click(timeout=MINUTE)
    page.get_by_text("Measurements", exact=True).first.dblclick(timeout=MINUTE)
    page.get_by_role("button", name="Yes").first.click(timeout=MINUTE)
    page.get_by_text("my arrow").first.wait_for(timeout=MINUTE)
    shown = page.inner_text("body")

    assert "28.3 mm" in shown
    assert "L: 30.0 mm" in shown
    assert broken == []
    page.close()


def _an_image(held: Running) -> dict[str, str]:
    found = httpx.get(
        f"http://127.0.0.1:{held.http}/dicom-web/studies/{STUDY}/instances",
        params={"Modality": "CT"},
        headers={"Accept": "application/dicom+json", **held.headers},
        timeout=60,
    ).json()[0]
    return {"series_uid": found["0020000E"]["Value"][0], "sop_uid": found["00080018"]["Value"][0]}


def _drawn(uid: str, kind: str, image: dict[str, str], points: list[list[float]]) -> dict[str, object]:
    return {"uid": uid, "kind": kind, "label": f"my {kind}", "points_px": points, **image}
