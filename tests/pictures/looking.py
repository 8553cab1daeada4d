"""A running Sightline with a browser in front of it, and what its panes show."""

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from pydicom import Dataset

from tests.conftest import end, free_port
from tests.pictures.comparing import Canvas
from tests.pictures.files import Held
from tests.pictures.reference import Window

PASSWORD = "correct horse battery staple"
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--enable-unsafe-swiftshader",
]  # fmt: skip
VIEWPORT = {"width": 1400, "height": 900}
PATIENCE_S = 20
AFTER_ERROR_S = 3

# The canvas as a PNG and the three corners, in one go: nothing is drawn in between.
READ = """([columns, rows]) => {
  const viewer = window.sightlineViewer, canvas = viewer.canvas('current');
  const copy = document.createElement('canvas');
  copy.width = canvas.width; copy.height = canvas.height;
  const ink = copy.getContext('2d');
  ink.fillRect(0, 0, copy.width, copy.height);
  ink.drawImage(canvas, 0, 0);
  const at = (column, row) => viewer.imageToCanvas('current', column, row);
  return { png: copy.toDataURL('image/png').split(',')[1],
           corners: [at(0, 0), at(columns - 1, 0), at(0, rows - 1)] };
}"""
VIEW = "() => window.sightlineViewer?.view('current') ?? null"


@dataclass(frozen=True)
class View:
    """The state of a pane; `reason` says why there is no image."""

    state: str
    reason: str
    index: int
    count: int
    frame: int


class NothingShown(AssertionError):
    """A pane that neither shows an image nor says why not."""


class Looker:
    """One page of a person who has logged in, and looks at one study after the other."""

    def __init__(self, browser: Browser, address: str) -> None:
        context = browser.new_context(viewport=VIEWPORT, base_url=address)  # type: ignore[arg-type]
        self.page: Page = context.new_page()
        self._errors: list[str] = []
        self.page.on("pageerror", lambda error: self._errors.append(str(error).split("\n")[0]))
        self.page.goto("/login")
        self.page.fill("[name=username]", "admin")
        self.page.fill("[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/worklist*")

    def open(self, study_uid: str) -> View:
        """Open a study and wait until its pane shows an image or says why not."""
        self._errors.clear()
        self.page.goto(f"/study/{study_uid}?test")
        return self._settled()

    def show(self, frame: int, window: Window | None) -> View:
        """Show an image of the opened series, the first being 0, in a window."""
        wanted = asdict(window) if window else None
        self.page.evaluate("([i, w]) => window.sightlineViewer.show('current', i, w)", [frame, wanted])
        return self._settled(frame)

    def shown(self, dataset: Dataset) -> Canvas:
        """Read the canvas back, once two readings are alike."""
        size = [int(dataset.Columns), int(dataset.Rows)]
        earlier: dict[str, Any] = {}
        for _ in range(20):
            read = self.page.evaluate(READ, size)
            if read == earlier:
                break
            earlier = read
            self.page.wait_for_timeout(150)
        picture = Image.open(io.BytesIO(base64.b64decode(read["png"]))).convert("RGB")
        if None in read["corners"]:
            raise NothingShown("The pane says that it shows an image, and holds none.")
        # Coordinates of a canvas run along its edges, so a pixel's centre is at a half.
        return Canvas(np.asarray(picture), np.asarray(read["corners"], float) - 0.5)

    def _settled(self, index: int | None = None) -> View:
        failed, until = False, time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self._errors and not failed:
                failed, until = True, min(until, time.monotonic() + AFTER_ERROR_S)
            found = self.page.evaluate(VIEW)
            if found and found["state"] in ("shown", "failed") and index in (None, found["index"]):
                return View(found["state"], found["reason"], found["index"], found["count"], found["frame"])
            self.page.wait_for_timeout(50)
        state = found["state"] if found else "not there"
        raised = f" The page raised: {self._errors[0]}" if self._errors else ""
        raise NothingShown(f"The pane stays {state}, and nothing says why.{raised}")


@contextmanager
def looking(folder: Path, objects: Sequence[Held]) -> Iterator[Looker]:
    """Hold the objects in a new Sightline in `folder`, and look at them with the system's Chromium."""
    source = folder / "source"
    source.mkdir(parents=True)
    for number, held in enumerate(objects):
        (source / f"{number:04d}.dcm").write_bytes(held.content)
    with serving(folder, source) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield Looker(browser, address)
        browser.close()


@contextmanager
def serving(folder: Path, source: Path | None = None, **settings: str) -> Iterator[str]:
    """Run `sightline serve` over the data in `folder`, with what is imported from `source` first."""
    port = free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SIGHTLINE_")},
        "SIGHTLINE_DATA": str(folder / "data"),
        "SIGHTLINE_ADMIN_PASSWORD": PASSWORD,
        "SIGHTLINE_HTTP_PORT": str(port),
        "SIGHTLINE_DICOM_PORT": str(free_port()),
        **settings,
    }
    command = [sys.executable, "-m", "sightline"]
    with (folder / "server.log").open("wb") as log:
        if source:
            taken = subprocess.run(
                [*command, "import", "--json", "--no-wait", str(source)],
                env=environment, stdout=subprocess.PIPE, stderr=log, check=False, timeout=300,
            )  # fmt: skip
            (folder / "import.json").write_bytes(taken.stdout)
        server = subprocess.Popen([*command, "serve"], env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_ready(address, server)
        yield address
    finally:
        end(server)


def refusals(folder: Path) -> Any:
    """Return what the import said."""
    return json.loads((folder / "import.json").read_bytes() or b"null")


def _wait_until_ready(address: str, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(f"{address}/readyz", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("The server did not start; see server.log.")
