"""Kill -9 while objects arrive: `PYTHONPATH=. python bench/archive/killing.py [--kills 300] [--seed 1]`.

Objects come by C-STORE (two associations), by STOW-RS and by `sightline import` into one installation; at a
random moment the server or the import is killed. After every restart each object that was acknowledged must
be in the index with its bytes, no row may lack its bytes, and no bytes may lack their row.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pydicom

from bench.archive.hostile import small_file
from bench.archive.slices import ROOT
from bench.peers.scu import Scu
from bench.peers.sightline import Sightline, sightline

BOUNDARY = "bench"


class Sender:
    """What was sent and what was acknowledged."""

    def __init__(self, root: Path) -> None:
        self._template = pydicom.dcmread(root / "slice" / "00000.dcm")
        self._count = 0
        self._lock = threading.Lock()
        self.acknowledged: dict[str, str] = {}

    def make(self, folder: Path) -> Path:
        """Write an object that never was before."""
        with self._lock:
            self._count += 1
            number = self._count
            ds = self._template
            study = f"{ROOT}.{number // 500}"
            ds.StudyInstanceUID, ds.SeriesInstanceUID = study, f"{study}.1"
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{study}.1.{number}"
            path = folder / f"{ds.SOPInstanceUID}.dcm"
            ds.save_as(path, enforce_file_format=True)
        return path

    def by_store(self, port: int, folder: Path, stop: threading.Event) -> None:
        with suppress(OSError, EOFError, AssertionError), Scu(port, timeout_s=20) as scu:
            while not stop.is_set():
                path = self.make(folder)
                if scu.store(path) == 0:
                    self.acknowledged[path.stem] = "C-STORE"

    def by_stow(self, address: str, token: str, folder: Path, stop: threading.Event) -> None:
        kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
        headers = {
            "Content-Type": kind,
            "Authorization": f"Bearer {token}",
            "Accept": "application/dicom+json",
        }
        with suppress(httpx.HTTPError), httpx.Client(timeout=20, headers=headers) as client:
            while not stop.is_set():
                paths = [self.make(folder) for _ in range(3)]
                parts = [
                    f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
                    + path.read_bytes()
                    + b"\r\n"
                    for path in paths
                ]
                answer = client.post(
                    f"{address}/studies", content=b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
                )
                if answer.status_code == 200:
                    self.acknowledged |= {path.stem: "STOW" for path in paths}


def start_import(data: Path, folder: Path) -> "subprocess.Popen[bytes]":
    """Import a folder beside the server; what it takes in is acknowledged when it ends well."""
    command = [sys.executable, "-m", "sightline", "import", "--data", str(data), "--no-wait", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def verify(data: Path, acknowledged: set[str]) -> list[str]:
    """Return what is wrong with an installation whose server has started and takes nothing in."""
    with closing(sqlite3.connect(f"file:{data / 'sightline.db'}?mode=ro", uri=True, timeout=60)) as db:
        rows = dict(db.execute("select sop_uid, blob from instances").fetchall())
        sizes = dict(db.execute("select blob, size from instances").fetchall())
        others = {b for (b,) in db.execute("select blob from conflicts union select blob from withheld")}
        counted = db.execute("select coalesce(sum(instance_count), 0) from studies").fetchone()[0]
    root = data / "blobs"
    kept = {p.relative_to(root).as_posix(): p.stat().st_size for p in (root / "instances").rglob("*.dcm")}
    wrong = [f"acknowledged and not held: {uid}" for uid in sorted(acknowledged - set(rows))]
    wrong += [f"a row without its bytes: {blob}" for blob in sorted(set(sizes) - set(kept))]
    wrong += [f"half an object: {blob}" for blob, size in sizes.items() if kept.get(blob, size) != size]
    wrong += [f"bytes without a row: {blob}" for blob in sorted(set(kept) - set(sizes) - others)]
    if counted != len(rows):
        wrong.append(f"studies count {counted} instances, and {len(rows)} are held")
    partial = [p for p in (root / ".partial").glob("*/*") if p.is_file()]
    return wrong + [f"half-written bytes: {p.name}" for p in partial]


def main() -> None:
    """Kill, verify, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        small_file(root)
        sender = Sender(root)
        data, token, wrong = root / "data", "", []
        for number in range(args.kills + 1):
            with sightline(root, keep=data) as server:
                token = token or make_token(data)
                wrong += verify(data, set(sender.acknowledged))
                if number == args.kills:
                    break
                one_kill(rng, root / f"sent-{number}", sender, server, token)
            if number % 10 == 9:
                print(f"{number + 1} kills, {len(sender.acknowledged)} acknowledged, {len(wrong)} wrong")
    print(
        f"{args.kills} kills, seed {args.seed}: {len(sender.acknowledged)} acknowledged, {len(wrong)} wrong"
    )
    print("\n".join(wrong[:20]))
    sys.exit(bool(wrong))


def one_kill(rng: random.Random, folder: Path, sender: Sender, server: Sightline, token: str) -> None:
    """Have all send, kill one of them at a random moment, and let the others come to their end."""
    folder.mkdir()
    imported = folder / "imported"
    imported.mkdir()
    files = [sender.make(imported) for _ in range(40)]
    stop = threading.Event()
    threads = [
        threading.Thread(target=sender.by_store, args=(server.dicom_port, folder, stop)) for _ in range(2)
    ]
    threads.append(threading.Thread(target=sender.by_stow, args=(server.dicom_web, token, folder, stop)))
    for thread in threads:
        thread.start()
    importing = start_import(server.folder, imported)
    kill_import = rng.random() < 0.25
    time.sleep(rng.uniform(0.2, 4.0) if kill_import else rng.uniform(0.05, 2.5))
    with suppress(ProcessLookupError):
        if kill_import:
            importing.kill()
            time.sleep(rng.uniform(0.0, 0.5))
        os.kill(server.pid, signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    if importing.wait(timeout=120) == 0:
        sender.acknowledged |= {path.stem: "import" for path in files}


def make_token(data: Path) -> str:
    """Return a token that may store."""
    command = [sys.executable, "-m", "sightline", "token", "create", "--data", str(data), "--user", "admin"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout.split()[-1]


if __name__ == "__main__":
    main()
