"""From a settled study to its change since the prior, on CT of 512 x 512 x 300, beside elastix and SyN.

    python bench/science/ready.py [--syn]

`ct/crlm-ct-1004-abdomen` is interpolated to 300 slices; the current study is the same scan after a known
rigid motion and smooth field, with noise of its own. Both become DICOM and are imported into a new
installation as a user does it (`sightline import --wait`): what is told is the time from the moment at which
the study is settled to the moment at which its comparison stands (nodules sought, aligned, linked, told), and
the most memory that one process took. Plain elastix and SyN with defaults align the same pair, as in
`alignment.py`.
"""

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
from alignment import DATA, Motion, apart, body_points, read_ct
from scipy import ndimage

from sightline.science import volumes
from sightline.science.geometry import Grid

SLICES = 300


def tall(volume):
    """Return the scan with as many slices, over the same length."""
    factor = SLICES / len(volume.array)
    array = ndimage.zoom(volume.array, (factor, 1, 1), order=1, grid_mode=True, mode="nearest")
    x, y, z = volume.grid.spacing_xyz_mm
    first = volume.grid.to_lps_mm([[0.5 / factor - 0.5, 0, 0]])[0]
    grid = Grid(array.shape, (x, y, z / factor), tuple(float(v) for v in first), volume.grid.directions)
    return volumes.Volume(array, grid)


def write(volume, folder, *, date, number):
    """Write a volume as CT of one simulated patient."""
    folder.mkdir()
    header = pydicom.dcmread(min((DATA / "ct" / "crlm-ct-1004-abdomen" / "image").glob("*.dcm")))
    study = f"2.25.{7000 + number}"
    header.PatientID, header.PatientName = "BENCH", "Simulated^Bench"
    header.StudyInstanceUID, header.SeriesInstanceUID = study, f"{study}.1"
    header.FrameOfReferenceUID = f"{study}.2"
    header.StudyDate = header.SeriesDate = header.AcquisitionDate = header.ContentDate = date
    header.StudyDescription, header.BodyPartExamined = "CT chest (simulated)", "CHEST"
    header.PixelRepresentation, header.RescaleIntercept, header.RescaleSlope = 1, 0, 1
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
    header.SliceThickness = volume.grid.spacing_xyz_mm[2]
    header.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    for index, plane in enumerate(volume.array.astype("<i2")):
        place = volume.grid.to_lps_mm([[index, 0, 0]])[0]
        header.ImagePositionPatient = [f"{v:.4f}" for v in place]
        header.SOPInstanceUID = f"{study}.1.{index + 1}"
        header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
        header.InstanceNumber = index + 1
        header.PixelData = plane.tobytes()
        header.save_as(folder / f"{index:04d}.dcm", enforce_file_format=True)
    return study


def command(*words):
    """Run a command of Sightline; return what it says and how long it took (s)."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "sightline", *map(str, words)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{words[0]}: {done.stdout}{done.stderr}")
    return done.stdout, time.perf_counter() - began


def moment(data, asked, study):
    with sqlite3.connect(data / "sightline.db") as db:
        [[value]] = db.execute(asked, [study]).fetchall()
    return datetime.fromisoformat(value)


def ready(folder, current, prior):
    """Print the time from settled to compared as an installation has it, and the peak memory."""
    write(prior, folder / "prior", date="20240102", number=1)
    study = write(current, folder / "current", date="20240703", number=2)
    data = folder / "data"
    command("import", folder / "prior", "--data", data, "--wait")
    _, took = command("import", folder / "current", "--data", data, "--wait")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    settled = moment(data, "select settled_at from studies where uid = ?", study)
    compared = moment(data, "select at from comparisons where study_uid = ?", study)
    said, asked = command("change", study, "--data", data, "--json")
    answer = json.loads(said)
    print(
        f"  sightline, as installed: settled to change ready {(compared - settled).total_seconds():.0f} s, "
        f"import and all {took:.0f} s, peak of a process {peak:.1f} GiB; {answer['alignment']}, "
        f"{len(answer['lesions'])} lesions, asked again {asked:.0f} s",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--syn", action="store_true", help="SyN too")
    wanted = parser.parse_args()
    current = tall(read_ct())
    rng = np.random.default_rng(640)
    motion = Motion(current.grid, rng)
    prior = motion.moved(current, rng)
    points = body_points(current, step=(8, 16, 16))
    goal = motion.truth(points)
    seen = current.grid.contains(goal, margin_mm=10)
    print(f"{current.array.shape[::-1]} voxels, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="ready-") as folder:
        ready(Path(folder), current, prior)
    for name in ["sightline", "elastix"] + (["syn"] if wanted.syn else []):
        placed, said, took, peak = apart(name, current, prior, points)
        error = np.linalg.norm(placed - goal, axis=1)[seen]
        print(
            f"  {name:10} alone {took:5.0f} s {peak:4.1f} GiB   TRE mm mean {error.mean():5.2f} p95 "
            f"{np.percentile(error, 95):5.2f}   {said}",
            flush=True,
        )


if __name__ == "__main__":
    main()
