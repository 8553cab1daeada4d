"""OHIF's ready build lists our studies and shows them, in a real browser that has logged in by cookie."""

import io
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest
import uvicorn
from PIL import Image
from pydicom.data import get_testdata_file
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from sightline.care.reporting import _documents as documents
from sightline.kernel.codes import LUNG_NODULE, RIGHT_LUNG
from sightline.kernel.quantities import Quantity
from tests.conformance.conftest import ball, make_slices
from tests.judges.conftest import HERE, STUDY, Running

DIST = (HERE / "ohif" / "package" / "dist").resolve()
MINUTE = 60_000


@pytest.fixture(scope="module")
def viewer(held: Running) -> Iterator[str]:
    """OHIF's files and our DICOMweb at one address, as a hospital's web server would have them."""
    if not (DIST / "index.html").is_file():
        pytest.skip("OHIF is not fetched: python -m tools.judges")
    ours = httpx.AsyncClient(base_url=f"http://127.0.0.1:{held.http}", timeout=60)

    async def pass_on(request: Request) -> Response:
        asked = {name: request.headers[name] for name in ("accept", "cookie") if name in request.headers}
        answer = await ours.get(request.url.path, params=request.query_params.multi_items(), headers=asked)
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


@pytest.fixture
def page(viewer: str, held: Running, browser: Any) -> Iterator[Any]:
    """A page at OHIF's address of a person who has logged in to Sightline there: a cookie, and no token."""
    body = {"username": "admin", "password": "correct horse battery staple"}
    address = f"http://127.0.0.1:{held.http}/api/session"
    session = httpx.post(address, json=body, headers={"X-Sightline": "1"}).raise_for_status().cookies
    context = browser.new_context(viewport={"width": 1600, "height": 900}, base_url=viewer)
    context.set_default_timeout(MINUTE)
    context.add_cookies([{"name": name, "value": value, "url": viewer} for name, value in session.items()])
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def reported(held: Running, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A CT study with the Segmentation and the Structured Report of a report that was signed here."""
    folder = tmp_path_factory.mktemp("reported")
    slices = make_slices()
    lesion = documents.ReportedLesion(
        number=1, label="right lung, nodule", tracking_uid="2.25.101", site=RIGHT_LUNG, finding=LUNG_NODULE,
        volume=Quantity(416.2, "mm3", "counted", 364.1, 480.3), mask=ball((10, 128, 128), (3, 40, 50), 6),
        algorithm=("chest-ct-nodules", "1.0.0"),
    )  # fmt: skip
    report = documents.SignedReport(
        report_id="r-1", version=1, title="CT chest report", sections=(("Impression", ("A nodule.",)),),
        signed_by="Dr Ada Adams", signed_at=datetime(2026, 11, 24, 10, 30, tzinfo=UTC),
        organisation="North Hospital, Radiology",
    )  # fmt: skip
    segmentation = documents.build_segmentation(slices, [lesion], report)
    structured = documents.build_measurement_report(slices, [lesion], segmentation, report)
    for number, dataset in enumerate([*slices, segmentation, structured]):
        (folder / f"{number}.dcm").write_bytes(documents.encode(dataset))
    take_in(held, folder)
    return str(slices[0].StudyInstanceUID)


@pytest.fixture(scope="module")
def mr(held: Running) -> str:
    """An MR study of one image."""
    path = Path(str(get_testdata_file("MR_small.dcm")))
    take_in(held, path)
    return str(pydicom.dcmread(path).StudyInstanceUID)


def take_in(held: Running, path: Path) -> None:
    done = held.command("import", "--no-wait", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def until(page: Any, script: str, what: str) -> Any:
    """Ask the page until it has an answer."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := page.evaluate(script):
            return found
        page.wait_for_timeout(250)
    pytest.fail(f"OHIF did not come to {what} within a minute: {page.inner_text('body')[:500]}")


def open_study(page: Any, study: str) -> None:
    page.goto(f"/viewer?StudyInstanceUIDs={study}", wait_until="commit")
    page.locator(".cornerstone-canvas").first.wait_for()


def share_above(page: Any, level: int) -> float:
    """Return which share of the image pane is brighter than `level`, once a fiftieth of it is."""
    canvas = page.locator(".cornerstone-canvas").first
    end = time.monotonic() + 60
    bright = 0.0
    while bright < 0.02 and time.monotonic() < end:
        page.wait_for_timeout(500)
        pixels = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("L"))
        bright = float((pixels > level).mean())
    return bright


def without_tour(page: Any) -> None:
    """End the tour that a first visit begins with."""
    skip = page.get_by_text("Skip all")
    skip.wait_for()
    skip.click()


def open_series(page: Any, modality: str) -> None:
    """Open a series without pictures by a double click on its tile."""
    without_tour(page)
    tile = page.locator("[data-cy=study-browser-thumbnail-no-image]").filter(has_text=modality)
    tile.first.dblclick()


LOADED = """() => services.displaySetService.getActiveDisplaySets()
  .some(set => set.Modality === '%s' && set.isLoaded)"""


def test_it_lists_our_studies(page, reported, mr):
    page.goto("/")

    page.get_by_text("JUDGE1").first.wait_for()

    listed = page.inner_text("body")
    assert "CT chest" in listed
    assert "CompressedSamples, MR1" in listed
    assert all(kind in listed for kind in ("SEG", "SR"))


def test_a_page_without_login_lists_nothing(viewer, browser):
    page = browser.new_page()
    with page.expect_response(lambda answer: "/dicom-web/studies" in answer.url, timeout=MINUTE) as asked:
        page.goto(viewer, timeout=MINUTE)

    assert asked.value.status == 401
    page.close()


def test_it_shows_a_ct(page):
    open_study(page, STUDY)

    # The bright square covers a quarter of the image, and the image a part of the pane.
    assert share_above(page, 150) > 0.02


def test_it_shows_an_mr(page, mr):
    open_study(page, mr)

    assert share_above(page, 80) > 0.02


def test_it_opens_the_segmentation_of_a_report(page, reported):
    open_study(page, reported)

    open_series(page, "SEG")

    until(page, LOADED % "SEG", "load the Segmentation")
    page.get_by_role("button", name="Yes").click()
    segments = until(
        page,
        """() => services.segmentationService.getSegmentations()
             .map(s => Object.values(s.segments).map(segment => segment.label))[0]""",
        "show the segment",
    )
    assert segments == ["1 right lung, nodule"]


def test_it_reads_the_measurements_of_a_report(page, reported):
    open_study(page, reported)

    open_series(page, "SR")

    until(page, LOADED % "SR", "load the Structured Report")
    labels = page.evaluate(
        """() => services.displaySetService.getActiveDisplaySets().find(set => set.Modality === 'SR')
             .measurements.map(m => m.labels.map(l => l.label + ' ' + l.value)).flat()"""
    )
    # OHIF tells how the volume was measured and its interval; the number itself it leaves out.
    assert any("Volume: counted; 95 % interval 364.1 to 480.3 mm3" in label for label in labels), labels


def test_it_opens_our_measurements_for_editing(held, page):
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

    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    open_study(page, STUDY)
    for welcome in ("Skip all", "Confirm and hide"):
        page.get_by_text(welcome).first.click(timeout=MINUTE)
    page.get_by_text("Measurements", exact=True).first.dblclick(timeout=MINUTE)
    page.get_by_role("button", name="Yes").first.click(timeout=MINUTE)
    page.get_by_text("my arrow").first.wait_for(timeout=MINUTE)
    shown = page.inner_text("body")

    assert "28.3 mm" in shown
    assert "L: 30.0 mm" in shown
    assert broken == []


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
