"""One object of 4 GB by C-STORE: `PYTHONPATH=. python bench/archive/large.py [--frames 8191]`.

Sends a multi-frame CT (512 × 512 × 16 bit a frame, native) in one C-STORE to `sightline serve` and prints
rate and the largest memory that the server had; the bar is 1 GiB.
"""

import argparse
import struct
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import pydicom

from bench.archive.hostile import small_file
from bench.peers.scu import Scu
from bench.peers.sightline import sightline
from sightline.wire.dimse import _upper_commands as commands
from sightline.wire.dimse import _upper_pdus as pdus

ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
EXPLICIT = "1.2.840.10008.1.2.1"
PIECE = 1 << 19


def header(root: Path, frames: int) -> bytes:
    """Return the dataset up to its pixels."""
    ds = pydicom.dcmread(BytesIO(small_file(root)))
    ds.SOPClassUID = ENHANCED_CT
    ds.Rows = ds.Columns = 512
    ds.NumberOfFrames = frames
    del ds.PixelData
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, pydicom.Dataset(ds), implicit_vr=False, little_endian=True)
    return buffer.getvalue() + struct.pack("<HH2sxxI", 0x7FE0, 0x0010, b"OW", frames * 2 * 512 * 512)


def peak_mib(pid: int) -> float:
    """Return the largest resident memory that a process had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Send, wait, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=8191)
    parser.add_argument("--folder", type=Path, default=None)
    args = parser.parse_args()
    size = args.frames * 2 * 512 * 512
    with tempfile.TemporaryDirectory(dir=args.folder) as temporary:
        root = Path(temporary)
        start = header(root, args.frames)
        uid = str(pydicom.dcmread(BytesIO(small_file(root))).SOPInstanceUID)
        with sightline(root) as server:
            before = peak_mib(server.pid)
            with Scu(server.dicom_port, contexts=((ENHANCED_CT, EXPLICIT),), timeout_s=600) as scu:
                command = commands.encode_store(1, ENHANCED_CT, uid)
                began = time.perf_counter()
                scu.connection.sendall(pdus.encode_message(1, command, None, 0))
                scu.connection.sendall(pdus.encode_value(1, 0, start))
                piece, left = bytes(range(256)) * (PIECE // 256), size
                while left:
                    some = piece[: min(left, PIECE)]
                    left -= len(some)
                    scu.connection.sendall(pdus.encode_value(1, 0 if left else pdus.LAST, some))
                sent = time.perf_counter()
                status = scu.read_status()
            taken = time.perf_counter() - began
            answer_s = time.perf_counter() - sent
            peak = peak_mib(server.pid)
    print(
        f"{size / 1e9:.2f} GB: status {status:04X}, {size / taken / 1e6:.0f} MB/s, answered {answer_s:.1f} s "
        f"after the last byte, memory {before:.0f} MiB before, {peak:.0f} MiB at most (bar 1024)"
    )
    sys.exit(status != 0 or peak > 1024)


if __name__ == "__main__":
    main()
