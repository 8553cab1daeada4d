"""C-STORE beside Orthanc: `PYTHONPATH=. python bench/archive/storing.py [--count 300] [--runs 3]`.

DCMTK's storescu sends CT slices of 0.5 MB to `sightline serve` as in production and to Orthanc in turn: as it
is shipped, with TCP_NODELAY=1 in its environment, and four at once with objects of their own. Prints the
median of objects/s and of the server's CPU per object, and the ratios against the bar.
"""

import argparse
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bench.archive.slices import ROOT, write_slices
from bench.peers.orthanc import TITLE as ORTHANC
from bench.peers.orthanc import orthanc
from bench.peers.sightline import TITLE as SIGHTLINE
from bench.peers.sightline import sightline

TICK = os.sysconf("SC_CLK_TCK")
REST_S = 65
NODELAY = {"TCP_NODELAY": "1"}
# way, associations, environment, bar and aim of the ratio
WAYS = (
    ("as shipped", 1, {}, 3.0, 5.0),
    ("nodelay ×1", 1, NODELAY, 1.8, 2.5),
    ("nodelay ×4", 4, NODELAY, 2.0, 3.0),
)


@dataclass
class Result:
    """What was measured on one side."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)

    def add(self, way: str, rate: float, cpu_ms: float) -> None:
        self.rates.setdefault(way, []).append(rate)
        self.cpu_ms.setdefault(way, []).append(cpu_ms)


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process and of its children, in s."""
    total = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            total += cpu_s(int(child))
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return total + (int(fields[11]) + int(fields[12])) / TICK


def send(port: int, title: str, folders: list[Path], environment: dict[str, str]) -> float:
    """Send folders, each on an association of its own; return the time it took in s."""
    base = {k: v for k, v in os.environ.items() if k != "TCP_NODELAY"}
    started = time.perf_counter()
    senders = [
        subprocess.Popen(
            ["storescu", "-aec", title, "127.0.0.1", str(port), "+sd", str(folder)],
            env=base | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for folder in folders
    ]
    for sender in senders:
        _, said = sender.communicate(timeout=600)
        if sender.returncode:
            sys.exit(f"storescu failed: {said.decode(errors='replace')[-500:]}")
    return time.perf_counter() - started


def rest() -> None:
    """Wait until the file system has forgotten what was deleted.

    Some (ext4 without a journal) pass over the inodes of the last minute one by one for each new file:
    whoever is measured after others have deleted theirs would pay for them.
    """
    os.sync()
    time.sleep(REST_S)


def measure(port: int, title: str, pid: int, objects: dict[str, list[Path]], result: Result) -> None:
    """Send each way's objects and note rate and CPU."""
    for way, _, environment, _, _ in WAYS:
        count = sum(len(list(folder.iterdir())) for folder in objects[way])
        before = cpu_s(pid)
        taken = send(port, title, objects[way], environment)
        time.sleep(0.3)  # what follows the last answer is part of the cost
        result.add(way, count / taken, (cpu_s(pid) - before) / count * 1000)


def make_objects(root: Path, count: int, run: int) -> dict[str, list[Path]]:
    """Write the objects of one run: each way its own, each association its own study."""
    made = {}
    for number, (way, associations, *_) in enumerate(WAYS):
        made[way] = []
        for association in range(associations):
            folder = root / f"{run}-{number}-{association}"
            study = f"{ROOT}.{run}.{number}.{association}"
            write_slices(folder, count if associations == 1 else count // 2, study=study)
            made[way].append(folder)
    return made


def held(data: Path) -> int:
    """Return how many instances a Sightline installation has in its index."""
    with closing(sqlite3.connect(f"file:{data / 'sightline.db'}?mode=ro", uri=True, timeout=30)) as db:
        return int(db.execute("select count(*) from instances").fetchone()[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="objects per association")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="where to work: its disk is measured")
    parser.add_argument("--only", choices=("sightline", "orthanc"), default=None)
    args = parser.parse_args()
    if shutil.which("storescu") is None:
        sys.exit("DCMTK is not installed: apt-get install dcmtk")
    ours, theirs = Result(), Result()
    with tempfile.TemporaryDirectory(dir=args.folder) as temporary:
        root = Path(temporary)
        version, sent = "", 0
        for run in range(args.runs):
            objects = make_objects(root / "objects", args.count, run)
            sent = sum(len(list(f.iterdir())) for folders in objects.values() for f in folders)
            if args.only != "sightline":
                rest()
                with orthanc(root) as peer:
                    version = peer.version
                    measure(peer.dicom_port, ORTHANC, peer.pid, objects, theirs)
                    assert peer.count_instances() == sent
            if args.only != "orthanc":
                rest()
                with sightline(root) as server:
                    measure(server.dicom_port, SIGHTLINE, server.pid, objects, ours)
                    assert held(server.folder) == sent
            shutil.rmtree(root / "objects")
    load = os.getloadavg()[0]
    print(f"Orthanc {version or '(not run)'}, TCP_NODELAY=1; load {load:.1f}; median of {args.runs}")
    show(ours, theirs)


def show(ours: Result, theirs: Result) -> None:
    """Print both sides and the ratios."""
    print(f"{'storescu':<12}{'ours/s':>8}{'Orthanc/s':>11}{'ratio':>8}{'bar':>6}{'aim':>6}   CPU ms/object")
    for way, _, _, bar, aim in WAYS:
        rate, cpu = _medians(ours, way)
        their_rate, their_cpu = _medians(theirs, way)
        ratio = rate / their_rate if their_rate else float("nan")
        share = cpu / their_cpu if their_cpu else float("nan")
        said = "met" if ratio >= bar else "MISSED"
        print(
            f"{way:<12}{rate:>8.0f}{their_rate:>11.0f}{ratio:>7.2f}×{bar:>5}×{aim:>5}× {said}"
            f"   {cpu:.2f} / {their_cpu:.2f} = {share:.2f} (bar 0.25)"
        )


def _medians(result: Result, way: str) -> tuple[float, float]:
    if way not in result.rates:
        return 0.0, 0.0
    return statistics.median(result.rates[way]), statistics.median(result.cpu_ms[way])


if __name__ == "__main__":
    main()
