"""How fast objects are taken in: `PYTHONPATH=. python bench/archive/ingest.py [--count 600]`.

Makes CT slices of 512 × 512 × 16 bit (0.5 MB, noise: nothing compresses), imports them into an empty archive
on SQLite in a temporary folder, and prints instances/s and ms of CPU per instance. Every instance that is
counted is synced to the disk, bytes and row.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import sightline.app.tables  # noqa: F401
from bench.archive.slices import write_slices
from sightline.record import archive
from sightline.runtime import jobs
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import metadata, open_database
from sightline.trust import access
from sightline.wire import media


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--folder", type=Path, default=None, help="where to work: its disk is measured")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as temporary:
        root = Path(temporary)
        write_slices(root / "in", args.count)
        database = open_database(f"sqlite:///{root}/sightline.db")
        metadata.create_all(database.engine)
        jobs.open_queue(database)
        store = archive.Store(database, LocalBlobs(root / "blobs"))
        source = archive.Source("import", "bench", access.operator("bench"))
        for what in ("taken", "held already"):
            wall, cpu = time.perf_counter(), time.process_time()
            summary = media.import_paths(store, [root / "in"], source)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            assert summary.seen == args.count, summary.refused[:3]
            print(
                f"{what}: {args.count / wall:.0f} instances/s, {cpu / args.count * 1000:.2f} ms CPU each, "
                f"load {os.getloadavg()[0]:.1f}"
            )
        jobs.close_queues()


if __name__ == "__main__":
    main()
