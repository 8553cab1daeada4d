"""How fast objects are taken in: `python bench/archive/ingest.py [--count 600] [--how import|zip|again]`.

Makes CT slices of 512 × 512 × 16 bit (0.5 MB, noise: nothing compresses), imports them into an empty archive
on SQLite in a temporary folder, and prints instances/s and ms of CPU per instance. Every instance that is
counted is synced to the disk, bytes and row.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

import sightline.app.tables  # noqa: F401
from sightline.record import archive
from sightline.runtime import jobs
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.db import metadata, open_database
from sightline.trust import access
from sightline.wire import media


def write_slices(folder: Path, count: int) -> None:
    """Write `count` slices, ten series of one study."""
    rng = np.random.default_rng(1)
    for n in range(count):
        series = f"1.2.826.0.1.3680043.10.1.{n % 10}"
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, f"{series}.{n}"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.826.0.1.3680043.10.1", series
        ds.PatientName, ds.PatientID, ds.StudyDate, ds.Modality = "BENCH^INGEST", "B1", "20240101", "CT"
        ds.StudyDescription, ds.SeriesDescription, ds.BodyPartExamined = "CT chest", "lung", "CHEST"
        ds.Manufacturer, ds.KVP, ds.ConvolutionKernel, ds.SliceThickness = "None", 120, "B30", 1.25
        ds.SeriesNumber, ds.InstanceNumber = n % 10, n
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [-250, -250, n], [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.RescaleSlope, ds.RescaleIntercept = [0.97, 0.97], 1, -1024
        ds.WindowCenter, ds.WindowWidth, ds.FrameOfReferenceUID = -600, 1500, "1.2.3.4"
        ds.Rows = ds.Columns = 512
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.PixelData = rng.integers(0, 4096, (512, 512), "<u2").tobytes()
        ds.save_as(folder / f"{n:05d}.dcm", enforce_file_format=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--folder", type=Path, default=None, help="where to work: its disk is measured")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as temporary:
        root = Path(temporary)
        (root / "in").mkdir()
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
