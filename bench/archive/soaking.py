"""Everybody at once, and what is very large: `PYTHONPATH=. python bench/archive/soaking.py [--seconds 300]`.

64 associations that store and 100 HTTP clients that search, open and read, for five minutes; one enhanced
object of 4 GB by C-STORE; one study of 20,000 slices. Prints what was refused (nothing may be), times, and
the largest resident memory of the whole server (bar: 1 GiB).
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
from pydicom.uid import EnhancedCTImageStorage

from bench.archive.slices import ROOT, _template
from bench.peers.blaster import Association, Refused, Template
from bench.peers.sightline import TITLE, Sightline, sightline

LIMIT_MIB = 1024
PAUSE_S, WARMING_S = 2.0, 12.0


class Memory:
    """Watches the resident memory of a process and all its children."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.peak_mib = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            self.peak_mib = max(self.peak_mib, rss_mib(self._pid))


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process and its children, in MiB; shared pages count once each."""
    total = 0.0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) / 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                total += rss_mib(int(child))
    except FileNotFoundError:
        pass
    return total


def token_of(server: Sightline) -> str:
    command = [sys.executable, "-m", "sightline", "token", "create", "--user", "admin", "--json"]
    made = subprocess.run(
        [*command, "--data", str(server.folder)], capture_output=True, text=True, check=True, timeout=60
    )
    return str(json.loads(made.stdout)["token"])


def template(side: int = 512) -> Template:
    ds = _template()
    ds.Rows = ds.Columns = side
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.7000", f"{ROOT}.7000.10"
    ds.SOPInstanceUID, ds.SeriesNumber, ds.InstanceNumber = f"{ROOT}.7000.10.100000", 1, 100000
    ds.ImagePositionPatient, ds.PixelData = [0, 0, 0], os.urandom(side * side * 2)
    return Template(ds)


def store_steadily(port: int, number: int, seconds: float, pause_s: float, answers: Counter[str]) -> None:
    """Store on one association, an object every `pause_s`; count the statuses."""
    made = template()
    study = f"{ROOT}.{7100 + number}"
    try:
        association = Association(port, TITLE, made.sop_class, f"SOAK{number}")
        until, n = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            sop_uid = f"{study}.10.{100000 + n}"
            body = made.made(
                n, StudyInstanceUID=study, SeriesInstanceUID=f"{study}.10", SOPInstanceUID=sop_uid
            )
            answers[f"{association.store(sop_uid, [body], len(body)):04X}"] += 1
            n += 1
            time.sleep(pause_s)
        association.close()
    except (Refused, OSError) as error:
        answers[f"{type(error).__name__}: {error}"] += 1


async def read_steadily(
    http: httpx.AsyncClient, number: int, of: int, until: float, answers: Counter[str], times: list[float]
) -> None:
    """Search, open and read as a person at a screen does, without pause for thought."""
    study = f"{ROOT}.{7100 + number % of}"
    series = f"{study}.10"
    addresses = [
        "/studies?limit=25&ModalitiesInStudy=CT",
        f"/studies?StudyInstanceUID={study}",
        f"/studies/{study}/series",
        f"/studies/{study}/series/{series}/metadata",
        *(f"/studies/{study}/series/{series}/instances/{series}.{100000 + n}/frames/1" for n in range(4)),
    ]
    await asyncio.sleep(number / 50)
    while time.monotonic() < until:
        for address in addresses:
            started = time.perf_counter()
            try:
                answer = await http.get(address)
                answers[str(answer.status_code)] += 1
            except httpx.HTTPError as error:
                answers[type(error).__name__] += 1
            times.append(time.perf_counter() - started)
            await asyncio.sleep(0.5)


async def read_all(server: Sightline, token: str, seconds: float, clients: int, studies: int) -> None:
    answers: Counter[str] = Counter()
    times: list[float] = []
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=server.dicom_web, headers=headers, limits=limits, timeout=60
    ) as http:
        until = time.monotonic() + seconds
        await asyncio.gather(
            *(read_steadily(http, n, studies, until, answers, times) for n in range(clients))
        )
    times.sort()
    p95 = times[int(len(times) * 0.95)] * 1000
    said = "nothing refused" if set(answers) == {"200"} else "MISSED"
    print(f"  HTTP: {dict(answers)}: {said}; p50 {statistics.median(times) * 1000:.0f} ms, p95 {p95:.0f} ms")


def soak(server: Sightline, token: str, seconds: float, associations: int, clients: int) -> None:
    """Store and read at once."""
    answers: Counter[str] = Counter()
    threads = [
        threading.Thread(target=store_steadily, args=(server.dicom_port, n, seconds, PAUSE_S, answers))
        for n in range(associations)
    ]
    with Memory(server.pid) as memory:
        for thread in threads:
            thread.start()
            time.sleep(0.02)
        time.sleep(WARMING_S)  # what the readers ask for is there
        asyncio.run(read_all(server, token, seconds - WARMING_S, clients, associations))
        for thread in threads:
            thread.join()
    print(f"  C-STORE: {dict(answers)}: {'nothing refused' if set(answers) == {'0000'} else 'MISSED'}")
    verdict("64 associations + 100 clients", memory.peak_mib)


def verdict(what: str, peak_mib: float) -> None:
    said = "met" if peak_mib <= LIMIT_MIB else "MISSED"
    print(f"{what}: largest resident memory {peak_mib:.0f} MiB (bar {LIMIT_MIB} MiB: {said})")


def big_object(server: Sightline, size: int) -> None:
    """Store one enhanced CT of `size` bytes, made while it is sent."""
    frames = size // (512 * 512 * 2)
    ds = _template()
    ds.SOPClassUID = EnhancedCTImageStorage
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.8000", f"{ROOT}.8000.10"
    ds.SOPInstanceUID, ds.SeriesNumber, ds.InstanceNumber = f"{ROOT}.8000.10.100000", 1, 100000
    ds.ImagePositionPatient, ds.NumberOfFrames = [0, 0, 0], frames
    ds.PixelData = b""
    header = bytes(Template(ds).encoded)
    assert header.endswith(b"\xe0\x7f\x10\x00OW\0\0\0\0\0\0")
    length = frames * 512 * 512 * 2
    frame = os.urandom(512 * 512 * 2)

    def pieces() -> Iterator[bytes]:
        yield header[:-4] + length.to_bytes(4, "little")
        for _ in range(frames):
            yield frame

    with Memory(server.pid) as memory:
        started = time.perf_counter()
        association = Association(server.dicom_port, TITLE, EnhancedCTImageStorage)
        status = association.store(str(ds.SOPInstanceUID), pieces(), len(header) + length)
        taken = time.perf_counter() - started
        association.close()
    print(f"  {(len(header) + length) / 1e9:.2f} GB: status {status:04X} after {taken:.1f} s")
    verdict("one large object", memory.peak_mib)


def big_study(server: Sightline, token: str, count: int) -> None:
    """Store a study of `count` small slices; then read all its metadata, twice, and one frame."""
    made = template(64)
    study = f"{ROOT}.9000"
    with Memory(server.pid) as memory:
        started = time.perf_counter()
        association = Association(server.dicom_port, TITLE, made.sop_class)
        statuses: Counter[str] = Counter()
        for n in range(count):
            sop_uid = f"{study}.10.{100000 + n}"
            body = made.made(
                n, StudyInstanceUID=study, SeriesInstanceUID=f"{study}.10", SOPInstanceUID=sop_uid
            )
            statuses[f"{association.store(sop_uid, [body], len(body)):04X}"] += 1
        association.close()
        print(f"  stored {dict(statuses)} at {count / (time.perf_counter() - started):.0f}/s")
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
        with httpx.Client(base_url=server.dicom_web, headers=headers, timeout=600) as http:
            for what in ("first", "again"):
                started = time.perf_counter()
                answer = http.get(f"/studies/{study}/series/{study}.10/metadata")
                seconds = time.perf_counter() - started
                print(f"  metadata {what}: {len(answer.json())} instances in {seconds:.2f} s")
            started = time.perf_counter()
            with http.stream("GET", f"/studies/{study}") as whole:
                got = sum(len(chunk) for chunk in whole.iter_raw())
            print(f"  whole study: {got / 1e6:.0f} MB in {time.perf_counter() - started:.1f} s")
    verdict(f"study of {count} slices", memory.peak_mib)


def main() -> None:
    """Run all three and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--associations", type=int, default=64)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--big", type=float, default=4.0, help="size of the large object, in GB")
    parser.add_argument("--slices", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as temporary, sightline(Path(temporary)) as server:
        token = token_of(server)
        print(f"resident memory at rest: {rss_mib(server.pid):.0f} MiB")
        if args.seconds:
            soak(server, token, args.seconds, args.associations, args.clients)
        if args.big:
            big_object(server, min(int(args.big * 1e9), 2**32 - 2**21))
        if args.slices:
            big_study(server, token, args.slices)


if __name__ == "__main__":
    main()
