"""Hostile bytes on the DICOM port, in the bodies of STOW-RS and at the door of the archive.

    PYTHONPATH=. python bench/archive/hostile.py [--cases 100000] [--seed 1]

Each case changes what a correct sender would have sent: the PDUs of an association, the command, the dataset,
a multipart body or a Part 10 file, by flipping, cutting, repeating, or stating other lengths. After each the
connection must have been answered or closed within the time-out; at the end the server must answer, hold no
association, have left no scratch file and have grown little. The same seed makes the same cases.
"""

import argparse
import asyncio
import random
import resource
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import sightline.app.tables  # noqa: F401
from bench.archive.slices import write_slices
from bench.peers.scu import CT, EXPLICIT, Scu, part10
from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.runtime import jobs, logs
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import metadata, open_database
from sightline.runtime.settings import ServerSettings
from sightline.trust import access
from sightline.wire import dimse
from sightline.wire.dicomweb._multipart import read_multipart
from sightline.wire.dicomweb._uploads import Upload
from sightline.wire.dimse import _upper_commands as commands
from sightline.wire.dimse import _upper_pdus as pdus
from sightline.wire.dimse.settings import DimseSettings

LENGTHS = (0, 1, 2, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Return `data` changed in one to four ways."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not changed:
            break
        at = rng.randrange(min(len(changed), rng.choice((64, 1024, len(changed)))))
        way = rng.randrange(7)
        if way == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            changed[at] = rng.randrange(256)
        elif way == 2:
            del changed[at : at + rng.randint(1, 64)]
        elif way == 3:
            changed[at:at] = rng.randbytes(rng.randint(1, 64))
        elif way == 4:
            changed[at : at + 4] = struct.pack(rng.choice((">I", "<I")), rng.choice(LENGTHS))
        elif way == 5:
            changed[at:at] = changed[at : at + rng.randint(1, 256)]
        else:
            del changed[at:]
    return bytes(changed)


def attack(port: int, seed: int, file: bytes, *, timeout_s: float) -> str:
    """Play one case against the port; return how it ended. A hang longer than the time-out raises."""
    rng = random.Random(seed)
    scu = Scu(port, timeout_s=timeout_s, contexts=((CT, EXPLICIT), ("1.2.840.10008.1.1", EXPLICIT)))
    sop_class, sop_uid, _, dataset = part10(file)
    try:
        what = rng.randrange(5)
        if what == 0:
            scu.connection.sendall(mutate(rng, pdus.encode_request(scu.request)))
            return _rest(scu, "request")
        answer = scu.associate()
        if not isinstance(answer, pdus.AssociateAccept):
            return "rejected"
        command = commands.encode_store(1, sop_class, sop_uid)
        size = rng.choice((0, 128, 1024, 16384))
        if what == 1:
            message = pdus.encode_message(1, mutate(rng, command), bytes(dataset), size)
        elif what == 2:
            message = pdus.encode_message(1, command, mutate(rng, bytes(dataset)), size)
        elif what == 3:
            message = mutate(rng, pdus.encode_message(1, command, bytes(dataset), size))
        else:
            message = rng.randbytes(rng.randint(1, 4096))
        scu.connection.sendall(message)
        return _rest(scu, ("", "command", "dataset", "pdus", "noise")[what])
    except (ConnectionError, EOFError):
        return "closed"
    finally:
        scu.connection.close()


def _rest(scu: Scu, name: str) -> str:
    """Say that no more comes, and read until the peer has answered and closed."""
    with suppress(OSError):
        scu.connection.shutdown(socket.SHUT_WR)
    answered = "closed"
    while True:
        try:
            kind, _ = scu.read_pdu()
        except (EOFError, ConnectionError):
            return f"{name}: {answered}"
        answered = {pdus.P_DATA: "answered", pdus.ABORT: "aborted", pdus.ASSOCIATE_RJ: "rejected"}.get(
            kind, answered
        )


def door(store: archive.Store, source: archive.Source, seed: int, file: bytes) -> str:
    """Have a changed file taken in; return what became of it."""
    rng = random.Random(seed)
    (outcome,) = archive.take_in(store, [archive.Incoming("case", mutate(rng, file))], source)
    return f"file: {outcome.status} {outcome.code}".rstrip()


def post(spool: archive.Spool, source: archive.Source, seed: int, file: bytes) -> str:
    """Have a changed multipart body taken in as it would arrive; return what became of it."""
    rng = random.Random(seed)
    part = b"--edge\r\nContent-Type: application/dicom\r\n\r\n"
    body = mutate(rng, part + file + b"\r\n" + part + file + b"\r\n--edge--\r\n")
    size = rng.choice((1, 7, 1024, 65536))

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    try:
        outcomes = asyncio.run(Upload(spool, source, "").take(read_multipart(pieces(), "edge")))
    except Invalid as error:
        return f"body: {type(error).__name__}"
    return "body: " + ", ".join(sorted({f"{o.status} {o.code}".rstrip() for o in outcomes}))


def main() -> None:
    """Run the cases and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    logs.configure(level=50)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        database = open_database(f"sqlite:///{root}/sightline.db")
        metadata.create_all(database.engine)
        jobs.open_queue(database)
        store = archive.Store(database, LocalBlobs(root / "blobs"))
        listener = dimse.Listener(
            store, ServerSettings(dicom_port=0), dimse=DimseSettings(acse_timeout_s=5, dimse_timeout_s=5)
        )
        listener.start()
        file = small_file(root)
        try:
            ends = run(listener.port, store, file, args.cases, args.seed)
            with Scu(listener.port) as scu:
                assert scu.store(file) in {0x0000, 0x0111}
            left = wait_for_end(listener)
        finally:
            listener.stop()
        scratch = len(list(store.blobs.scratch().iterdir()))
        jobs.close_queues()
        database.dispose()
    for end, count in ends.most_common():
        print(f"{count:8d}  {end}")
    print(f"{args.cases} cases, seed {args.seed}: associations left {left}, scratch files left {scratch}")
    sys.exit(bool(left or scratch))


def small_file(root: Path) -> bytes:
    """Return one slice with few pixels, so that a case takes little."""
    import pydicom

    (path,) = write_slices(root / "slice", 1)
    ds = pydicom.dcmread(path)
    ds.Rows = ds.Columns = 16
    ds.PixelData = ds.PixelData[:512]
    ds.save_as(path, enforce_file_format=True)
    return path.read_bytes()


def run(port: int, store: archive.Store, file: bytes, cases: int, seed: int) -> "Counter[str]":
    """Play the cases from eight threads; one in ten at the door, one in a body, the others at the port."""
    spool = archive.Spool(store)
    source = archive.Source("import", "bench", access.operator("bench"))
    ends: Counter[str] = Counter()
    lock = threading.Lock()
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()

    def play(number: int) -> None:
        case = seed * 10_000_000 + number
        if number % 10 == 0:
            end = door(store, source, case, file)
        elif number % 10 == 5:
            end = post(spool, source, case, file)
        else:
            end = attack(port, case, file, timeout_s=30)
        with lock:
            ends[end] += 1
            if not sum(ends.values()) % 10_000:
                grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) >> 10
                print(f"{sum(ends.values())} cases in {time.monotonic() - started:.0f} s, grown {grown} MiB")

    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(play, range(cases)):
            pass
    spool.stop()
    return ends


def wait_for_end(listener: dimse.Listener) -> int:
    """Return how many associations are still open when every time-out has passed."""
    deadline = time.monotonic() + 45
    while listener.open_associations and time.monotonic() < deadline:
        time.sleep(0.1)
    return listener.open_associations


if __name__ == "__main__":
    main()
