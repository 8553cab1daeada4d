"""DICOMweb beside Orthanc: `PYTHONPATH=. python bench/dicomweb/serving.py [--slices 1000] [--runs 3]`.

CT slices of 0.5 MB are stored by STOW-RS, ten in a request, on one and on four connections; then metadata of
the whole series are asked for, first and again, frames one after the other and on eight connections, and the
whole series as it is stored. Both sides are asked in turn by the same client over raw sockets: `sightline
serve` as in production (access control by token, audit, logs), and Orthanc with TCP_NODELAY=1 in its
environment. Prints the medians and the ratios against the bar.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.archive.slices import ROOT, write_slices
from bench.dicomweb.load import Connection, at_once
from bench.peers.orthanc import orthanc
from bench.peers.sightline import PASSWORD, Sightline, sightline

# As long as those that clients make up.
BOUNDARY = "0f8e8d9c1f6a4b52a3f7be60d1c2940e"
KIND = 'multipart/related; type="application/dicom"; boundary=' + BOUNDARY
PART = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
IN_REQUEST = 10
AS_STORED = "multipart/related; type={}; transfer-syntax=*"
FRAME = AS_STORED.format('"application/octet-stream"')
SERIES = AS_STORED.format('"application/dicom"')
EIGHT = 8
OTHER = f"{ROOT}.9"


@dataclass
class Side:
    """One server under test, and what was measured of it by name."""

    name: str
    port: int
    token: str = ""
    seen: dict[str, list[float]] = field(default_factory=dict)

    def open(self) -> Connection:
        return Connection(self.port, self.token)

    def note(self, name: str, value: float) -> None:
        self.seen.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        return statistics.median(self.seen[name])


# What is measured, its unit, the ratio demanded; a time is to be less, a rate more.
BARS = (
    ("STOW 10/request ×1", "objects/s", 1.8),
    ("STOW 10/request ×4", "objects/s", 1.8),
    ("metadata first", "ms", 1 / 40),
    ("metadata warm", "ms", 1 / 50),
    ("frame p50", "ms", 1 / 3),
    ("frames ×8", "frames/s", 2.5),
    ("whole series", "MB/s", 2.5),
)


def token_of(server: Sightline) -> str:
    """Make somebody who may store and read; return a token of theirs."""
    run = partial(
        subprocess.run, check=True, capture_output=True, text=True, timeout=120,
        env=os.environ | {"SIGHTLINE_DATA": str(server.folder)},
    )  # fmt: skip
    command = [sys.executable, "-m", "sightline"]
    run([*command, "user", "add", "bench", "--role", "technologist", "--password-stdin"], input=PASSWORD)
    return run([*command, "token", "create", "--user", "bench"]).stdout.split()[-1]


def stow(side: Side, bodies: list[list[bytes]]) -> None:
    connection = side.open()
    for body in bodies:
        status, _, _ = connection.post("/dicom-web/studies", KIND, body)
        assert status == 200, (side.name, status)
    connection.close()


def bodies_of(paths: list[Path]) -> list[list[bytes]]:
    """Return request bodies of ten objects each."""
    bodies = []
    for at in range(0, len(paths), IN_REQUEST):
        parts = [(PART, path.read_bytes(), b"\r\n") for path in paths[at : at + IN_REQUEST]]
        bodies.append([*(piece for part in parts for piece in part), f"--{BOUNDARY}--\r\n".encode()])
    return bodies


def store(side: Side, paths: list[Path]) -> None:
    """Store half on one connection and half on four."""
    half = len(paths) // 2 // (IN_REQUEST * 4) * (IN_REQUEST * 4)
    alone, together = bodies_of(paths[:half]), bodies_of(paths[half:])
    side.note("STOW 10/request ×1", half / at_once([partial(stow, side, alone)]))
    works = [partial(stow, side, together[n::4]) for n in range(4)]
    side.note("STOW 10/request ×4", (len(paths) - half) / at_once(works))


def metadata(side: Side, series: str, count: int) -> None:
    """Ask for the metadata, first and, later, warm."""
    connection = side.open()
    status, size, taken = connection.ask(f"{series}/metadata", accept="application/dicom+json", gzip=True)
    assert status == 200, (side.name, status)
    side.note("metadata first", taken * 1000)
    for _ in range(count):
        _, again, taken = connection.ask(f"{series}/metadata", accept="application/dicom+json", gzip=True)
        assert again == size
        side.note("metadata warm", taken * 1000)
    connection.close()


def frames(side: Side, instances: list[str]) -> None:
    """Ask for a frame of each instance, one after the other."""
    connection = side.open()
    taken = [connection.ask(f"{one}/frames/1", accept=FRAME) for one in instances]
    assert all(status == 200 and size > 500_000 for status, size, _ in taken), (side.name, taken[0])
    side.note("frame p50", statistics.median(t for _, _, t in taken) * 1000)
    connection.close()


def frames_at_once(side: Side, instances: list[str]) -> None:
    def ask(mine: list[str]) -> None:
        connection = side.open()
        for one in mine:
            status, _, _ = connection.ask(f"{one}/frames/1", accept=FRAME)
            assert status == 200, (side.name, status)
        connection.close()

    taken = at_once([partial(ask, instances[n::EIGHT]) for n in range(EIGHT)])
    side.note("frames ×8", len(instances) / taken)


def whole(side: Side, series: str) -> None:
    connection = side.open()
    status, size, taken = connection.ask(series, accept=SERIES)
    assert status == 200, (side.name, status)
    side.note("whole series", size / 1e6 / taken)
    connection.close()


def warm_up(side: Side, paths: list[Path]) -> None:
    """Store another study and ask for its metadata, so that what is measured is no server's first request."""
    stow(side, bodies_of(paths))
    connection = side.open()
    connection.ask(f"/dicom-web/studies/{OTHER}/series/{OTHER}.0/metadata", accept="application/dicom+json")
    connection.close()


def measure(sides: list[Side], paths: list[Path], other: list[Path], runs: int) -> None:
    """Let both sides do the same in turn."""
    series = f"/dicom-web/studies/{ROOT}/series/{ROOT}.0"
    instances = [f"{series}/instances/{ROOT}.0.{n}" for n in range(len(paths))]

    def in_turn(work: Callable[[Side], None]) -> None:
        for side in sides:
            work(side)

    in_turn(lambda side: warm_up(side, other))
    in_turn(lambda side: store(side, paths))
    in_turn(lambda side: metadata(side, series, 10))
    for _ in range(runs):
        in_turn(lambda side: frames(side, instances[:300]))
        in_turn(lambda side: frames_at_once(side, instances))
        in_turn(lambda side: whole(side, series))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="where to work: its disk is measured")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as temporary:
        folder = Path(temporary)
        (folder / "in").mkdir()
        paths = write_slices(folder / "in", args.slices, series=1)
        other_paths = write_slices(folder / "other", IN_REQUEST, study=OTHER, series=1)
        with orthanc(folder) as theirs, sightline(folder) as own:
            peer = Side(f"Orthanc {theirs.version}", theirs.http_port)
            sides = [peer, Side("Sightline", own.http_port, token_of(own))]
            measure(sides, paths, other_paths, args.runs)
        report(sides)


def report(sides: list[Side]) -> None:
    """Print medians and ratios."""
    peer, ours = sides
    print(
        f"{peer.name} with TCP_NODELAY=1 and Sightline, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores"
    )
    for name, unit, bar in BARS:
        ratio = ours.median(name) / peer.median(name)
        met = ratio <= bar if bar < 1 else ratio >= bar
        shown = f"1/{1 / ratio:.1f}" if bar < 1 else f"{ratio:.2f}×"
        wanted = f"≤ 1/{1 / bar:.0f}" if bar < 1 else f"≥ {bar}×"
        print(
            f"{name:20} {peer.median(name):9.2f} {ours.median(name):9.2f} {unit:9} {shown:>8} (bar {wanted})"
            f"{'' if met else '  BELOW THE BAR'}"
        )


if __name__ == "__main__":
    main()
