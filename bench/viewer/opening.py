"""Click to first image and to the aligned prior, median of five, in headless Chromium.

    python bench/viewer/opening.py [--runs 5]

`cold` is a new browser that opens the study's address; `click` is Enter on the worklist row. Times come from
the page's own User Timing marks `first-image` and `prior-aligned`.
"""

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from sightline.app.demo import simulated

PASSWORD = "correct horse battery staple"
NEWEST = simulated.uid("study", simulated.VISITS[-1])
FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"]
MARKS = ("first-image", "prior-aligned")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    program = shutil.which("chromium")
    if program is None:
        sys.exit("Chromium is not installed: apt-get install chromium")
    with server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        cold = [open_cold(browser, address) for _ in range(runs)]
        click = [open_by_click(browser, address) for _ in range(runs)]
        browser.close()
    print(f"{'way':<8}{'mark':<16}{'median ms':>10}{'least':>8}{'most':>8}   n={runs}")
    for way, taken in (("cold", cold), ("click", click)):
        for mark in MARKS:
            values = [one[mark] for one in taken]
            print(
                f"{way:<8}{mark:<16}{statistics.median(values):>10.0f}{min(values):>8.0f}{max(values):>8.0f}"
            )


def open_cold(browser: Browser, address: str) -> dict[str, float]:
    context = browser.new_context(base_url=address, viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    log_in(page)
    cookies = context.storage_state()
    context.close()
    context = browser.new_context(
        base_url=address, viewport={"width": 1920, "height": 1080}, storage_state=cookies
    )
    page = context.new_page()
    page.goto(f"/study/{NEWEST}")
    taken = marks_since(page, 0.0)
    context.close()
    return taken


def open_by_click(browser: Browser, address: str) -> dict[str, float]:
    context = browser.new_context(base_url=address, viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    log_in(page)
    page.get_by_role("grid").get_by_role("row").nth(1).wait_for()
    page.wait_for_timeout(2000)  # the reader looks at the list
    started = page.evaluate("performance.now()")
    page.keyboard.press("Enter")
    taken = marks_since(page, started)
    context.close()
    return taken


def log_in(page: Page) -> None:
    page.goto("/login")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/worklist*")


def marks_since(page: Page, started: float) -> dict[str, float]:
    script = "names => names.map(n => performance.getEntriesByName(n).at(-1)?.startTime ?? null)"
    for _ in range(600):
        found = page.evaluate(script, list(MARKS))
        if all(found):
            return {name: at - started for name, at in zip(MARKS, found, strict=True)}
        page.wait_for_timeout(50)
    sys.exit("the page never set its marks")


@contextmanager
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder:
        source = Path(folder, "source")
        simulated.write_patient(source)
        environment = {**os.environ, "SIGHTLINE_DATA": f"{folder}/data", "SIGHTLINE_ADMIN_PASSWORD": PASSWORD}
        sightline = [sys.executable, "-m", "sightline"]
        subprocess.run(
            [*sightline, "import", "--json", str(source)],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        port, dicom = free_port(), free_port()
        process = subprocess.Popen(
            [*sightline, "serve", "--http-port", str(port), "--dicom-port", str(dicom)], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(address)
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def wait_for(address: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{address}/readyz", timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    sys.exit("the server did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
