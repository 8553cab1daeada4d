"""Click to first image beside OHIF: `PYTHONPATH=. python bench/viewer/against_ohif.py [--series ct|mr]`.

The same real series in headless Chromium, in turn: Sightline with its whole user interface, OHIF on
Sightline's DICOMweb after a login by cookie (same process), and OHIF on Orthanc's DICOMweb where Orthanc is
installed. `cold` opens the study's address in an empty browser, `warm` opens it again in the same browser,
`click` opens it from the list of studies, which has been looked at for two seconds. Then the time from each
step of the wheel to its picture over the whole stack, and the memory that twenty studies opened one after
the other leave behind. Whatever the page fetched before its first image counts into kB and requests.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import brotli
import httpx
from playwright.sync_api import Browser, sync_playwright

from bench.peers.orthanc import orthanc
from bench.peers.sightline import PASSWORD, sightline
from bench.viewer import front, studies, viewers
from sightline.app.http import STATIC

DATA = Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--enable-unsafe-swiftshader", "--host-resolver-rules=MAP *.localhost 127.0.0.1",
]  # fmt: skip
LAST = 21  # the study that is measured is the first; twenty more are opened in a row
UNANALYSED = 19  # a series this short is analysed by nobody, so nothing runs beside the measurement
WAYS = ("cold", "warm", "click")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", choices=sorted(studies.SERIES), default="ct")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two runs, four studies in a row")
    args = parser.parse_args()
    runs, last = (2, 5) if args.quick else (args.runs, LAST)
    program = shutil.which("chromium")
    if program is None or not front.version() or not DATA.is_dir():
        print("Skipped: needs chromium, OHIF (python -m tools.judges) and SIGHTLINE_TEST_DATA.")
        return
    series = studies.series_of(DATA, args.series)
    with ExitStack() as stack:
        compared = stack.enter_context(serving(series, last))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        image = series[0]
        print(
            f"{args.series}: {len(series)} images {image.Columns}×{image.Rows}; OHIF {front.version()}; "
            f"Chromium {browser.version}, {WINDOW}; load {os.getloadavg()[0]:.1f}\n"
        )
        openings = measure_openings(browser, compared, runs)
        print_openings(openings, runs)
        print_scrolling({v.name: scroll(browser, v, len(series)) for v in compared})
        print_memory({v.name: in_a_row(browser, v, last) for v in compared}, last)
        browser.close()


WINDOW = f"{viewers.WINDOW['width']}×{viewers.WINDOW['height']}"


@contextmanager
def serving(series: Sequence[object], last: int) -> Iterator[list[viewers.Viewer]]:
    """Run the servers with the studies in them and give the viewers in front of them."""
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder, ExitStack() as stack:
        data, source = Path(folder, "data"), Path(folder, "source")
        peer = stack.enter_context(orthanc()) if shutil.which("Orthanc") or front.CACHE.exists() else None
        for number in range(1, last + 1):
            kept = series if number == 1 else series[:UNANALYSED]
            write_study(source / str(number), studies.copies(kept, number), peer and peer.http_port)  # type: ignore[arg-type]
        take_in(data, source)
        settings = {"BENCH_ORTHANC_PORT": str(peer.http_port if peer else 0)}
        server = stack.enter_context(sightline(keep=data, program=(front.__file__,), **settings))
        cookies = log_in(f"http://127.0.0.1:{server.http_port}")
        found = [
            viewers.sightline(f"http://127.0.0.1:{server.http_port}", cookies),
            viewers.ohif("OHIF on Sightline", f"http://{front.ON_SIGHTLINE}:{server.http_port}", cookies),
        ]
        if peer:
            name = f"OHIF on Orthanc {peer.version}"
            found.append(viewers.ohif(name, f"http://{front.ON_ORTHANC}:{server.http_port}", cookies))
        yield found


def take_in(data: Path, source: Path) -> None:
    """Import the studies; what is to be analysed waits for the server."""
    command = [sys.executable, "-m", "sightline", "import", "--no-wait", "--data", str(data), str(source)]
    environment = {**os.environ, "SIGHTLINE_ADMIN_PASSWORD": PASSWORD}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The import failed: {done.stdout[-1000:]}{done.stderr[-2000:]}")


def write_study(folder: Path, objects: Sequence[bytes], orthanc_port: int | None) -> None:
    """Write a study's objects for import, and store them in Orthanc."""
    folder.mkdir(parents=True)
    for at, content in enumerate(objects):
        (folder / f"{at:04d}.dcm").write_bytes(content)
        if orthanc_port:
            address = f"http://127.0.0.1:{orthanc_port}/instances"
            httpx.post(address, content=content, timeout=60).raise_for_status()


def log_in(address: str) -> list[dict[str, str]]:
    """Log in, wait until no job runs any more, and return the cookies."""
    with httpx.Client(base_url=address, headers={"X-Sightline": "1"}, timeout=60) as http:
        http.post("/api/session", json={"username": "admin", "password": PASSWORD}).raise_for_status()
        for _ in range(300):
            jobs = http.get("/api/status").raise_for_status().json()["jobs"]
            if not jobs["waiting"] and not jobs["running"]:
                return [{"name": name, "value": value} for name, value in http.cookies.items()]
            time.sleep(1)
    sys.exit("The server's jobs did not come to an end.")


Openings = dict[str, dict[str, list[viewers.Opened]]]


def measure_openings(browser: Browser, compared: Sequence[viewers.Viewer], runs: int) -> Openings:
    """Open the first study in each way with each viewer, in turn; a first round is not counted."""
    found: Openings = {viewer.name: {way: [] for way in WAYS} for viewer in compared}
    for run in range(runs + 1):
        for viewer in compared:
            for way, opened in open_once(browser, viewer):
                if run:
                    found[viewer.name][way].append(opened)
    return found


def open_once(browser: Browser, viewer: viewers.Viewer) -> Iterator[tuple[str, viewers.Opened]]:
    """Open the first study cold, warm and from the list."""
    context = viewer.context(browser)
    for way in ("cold", "warm"):
        opened, page = viewer.open_address(context, 1)
        yield way, opened
        page.wait_for_timeout(viewers.LOOKS_MS)  # what the viewer fetches ahead is part of a warm browser
        page.close()
    page = viewer.open_list(context)
    yield "click", viewer.open_from_list(page, 1)
    context.close()


def scroll(browser: Browser, viewer: viewers.Viewer, images: int) -> list[float]:
    """Go through the stack and back unmeasured, so that it is decoded, then twice so; ms for each picture."""
    context = viewer.context(browser)
    _, page = viewer.open_address(context, 1)
    page.wait_for_timeout(5 * viewers.LOOKS_MS)
    viewer.scroll(page, images, 2)
    taken = viewer.scroll(page, images, 4)
    context.close()
    return taken


def in_a_row(browser: Browser, viewer: viewers.Viewer, last: int) -> list[dict[str, float]]:
    """Open the others one after the other from the list; memory after the first and the last of them."""
    context = viewer.context(browser)
    page = viewer.open_list(context)
    session = context.new_cdp_session(page)
    found = []
    for number in range(2, last + 1):
        viewer.open_from_list(page, number)
        page.wait_for_timeout(viewers.LOOKS_MS)
        if number in (2, last):
            found.append(viewers.memory(session))
        page.go_back()
        page.get_by_text(viewers.patient(1)).first.wait_for(timeout=viewers.PATIENCE_MS)
    context.close()
    return found


def print_openings(openings: Openings, runs: int) -> None:
    """Print ms to the first image, how much slower than Sightline, and what was fetched for it."""
    ours = next(iter(openings))
    print(f"first image, median [min-max] of {runs}")
    print(f"{'':<36}{'way':<7}{'ms':>22}{'ratio':>8}{'kB':>8}{'requests':>10}{'scripts, br kB':>16}")
    for name, ways in openings.items():
        for way, opened in ways.items():
            ms = [one.ms for one in opened]
            ratio = statistics.median(ms) / statistics.median(one.ms for one in openings[ours][way])
            print(
                f"{name:<36}{way:<7}{spread(ms):>22}{ratio:>8.2f}"
                f"{median(opened, lambda o: o.kilobytes):>8.0f}{median(opened, lambda o: o.requests):>10.0f}"
                + (f"{scripts_kb(opened[0].scripts):>16.0f}" if way == "cold" else "")
            )


def print_scrolling(scrolled: dict[str, list[float]]) -> None:
    """Print the time from a step of the wheel to its picture."""
    print("\nscrolling, ms for each picture")
    for name, times in scrolled.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{name:<36}median {statistics.median(times):6.1f}   p95 {p95:6.1f}   n={len(times)}")


def print_memory(held: dict[str, list[dict[str, float]]], last: int) -> None:
    """Print what is held after the first study and after the last of those in a row."""
    print(f"\n{last - 1} studies in a row, MB after garbage collection: after the first → after the last")
    for name, (first, end) in held.items():
        heap, arrays = (f"{first[k]:6.1f} → {end[k]:6.1f}" for k in ("heap", "arrays"))
        print(f"{name:<36}JS heap {heap}   arrays, decoded pixels among them {arrays}")


def spread(values: Sequence[float]) -> str:
    """Return median, least and most."""
    return f"{statistics.median(values):.0f} [{min(values):.0f}-{max(values):.0f}]"


def median(opened: Sequence[viewers.Opened], of: Callable[[viewers.Opened], float]) -> float:
    """Return the median of one figure."""
    return statistics.median(of(one) for one in opened)


def scripts_kb(names: frozenset[str]) -> float:
    """Return kB of all scripts that were loaded before the first image, packed with brotli."""
    return sum(script_bytes(name) for name in names) / 1000


def script_bytes(name: str) -> int:
    """Return the size of one script, packed."""
    ours, theirs = STATIC / name.lstrip("/"), front.DIST / name.lstrip("/")
    if theirs.is_file():
        return front.packed(theirs).stat().st_size
    ready = ours.with_name(ours.name + ".br")
    if ready.is_file():
        return ready.stat().st_size
    return len(brotli.compress(ours.read_bytes())) if ours.is_file() else 0


if __name__ == "__main__":
    main()
