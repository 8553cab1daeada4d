"""Known warps of a real CT: Sightline beside plain elastix and SyN, and failures that must be caught.

    python bench/science/alignment.py [--warps 3] [--syn] [--failures]

`ct/crlm-ct-1004-abdomen` is moved by a rigid motion and a smooth random field, about 16 mm in all and 6 mm
without its rigid part, and gets noise of its own; the error of a map is measured against that motion, at
points of the body that both scans show. Every method runs in a process of its own on the same pair with two
threads: wall time and peak memory are of that process, reading the pair included.

elastix   the parameter maps that elastix ships ("rigid", then "bspline" with knots 10 mm apart), full images
syn       antspyx `registration(..., "SyN")` with its defaults, where antspyx is installed (--syn)
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

from sightline.science import alignment, simulation, volumes

DATA = Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
KNOTS_MM = 10.0
SHIFT_MM, BEND_MM = 14.0, 6.0
"""Mean length of the shift, and of the bend that comes on top."""


def read_ct():
    return volumes.read_volume(sorted((DATA / "ct" / "crlm-ct-1004-abdomen" / "image").glob("*.dcm")))


# Known motion ---------------------------------------------------------------------------------------


class Motion:
    """A known map from one scan into the next: q with q + back(q) = p."""

    def __init__(self, grid, rng, *, shift_mm=SHIFT_MM, bend_mm=BEND_MM, length_mm=30.0, turn_deg=4.0):
        self.grid = grid.resampled((5.0, 5.0, 5.0))
        points = self.grid.to_lps_mm(np.indices(self.grid.shape_zyx).reshape(3, -1).T)
        centre = points.mean(axis=0)
        axis, angle = rng.standard_normal(3), np.radians(rng.uniform(-turn_deg, turn_deg))
        axis /= np.linalg.norm(axis)
        cross = np.cross(np.eye(3), axis)
        turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
        way = rng.standard_normal(3) * (1.0, 1.0, 0.5)
        way *= shift_mm / np.linalg.norm(way)
        sigma = length_mm / np.array(self.grid.spacing_xyz_mm[::-1])
        bend = np.stack(
            [ndimage.gaussian_filter(rng.standard_normal(self.grid.shape_zyx), sigma) for _ in range(3)], -1
        )
        bend *= bend_mm / np.linalg.norm(bend, axis=-1).mean()
        self.back = ((points - centre) @ turn.T + centre + way - points).reshape(bend.shape) + bend

    def home(self, points):
        """Return where in the first scan lies what the second shows at these points."""
        index = self.grid.to_index_zyx(points).T
        step = [ndimage.map_coordinates(self.back[..., k], index, order=1, mode="nearest") for k in range(3)]
        return points + np.stack(step, axis=1)

    def truth(self, points):
        """Return where in the second scan lies what the first shows at these points."""
        q = np.array(points, dtype=float)
        for _ in range(60):
            q = points - (self.home(q) - q)
        return q

    def moved(self, volume, rng, *, noise_hu=10.0):
        """Return the second scan on the grid of the first."""
        planes = []
        for z in range(volume.grid.shape_zyx[0]):
            rows, columns = np.indices(volume.grid.shape_zyx[1:]).reshape(2, -1)
            plane = np.column_stack([np.full(rows.size, z), rows, columns])
            index = volume.grid.to_index_zyx(self.home(volume.grid.to_lps_mm(plane))).T
            planes.append(
                ndimage.map_coordinates(volume.array, index, order=1, cval=-1000.0, output=np.float32)
            )
        array = np.stack(planes).reshape(volume.grid.shape_zyx)
        array += rng.normal(0, noise_hu, array.shape)
        return volume.with_array(np.clip(np.rint(array), -1024, 3071).astype(np.int16))


# Methods, each in a process of its own ------------------------------------------------------------------


def by_sightline(current, prior, points):
    found = alignment.align(current, prior, threads=2)
    folded = next((t.value for t in found.tests if t.name == "folded voxels"), float("nan"))
    return found.map_points(points), f"{found.verdict}: {found.reason} folded {folded:.3f} %"


def by_elastix(current, prior, points):
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)
    engine = sitk.ElastixImageFilter()
    engine.LogToConsoleOff()
    engine.LogToFileOff()
    engine.SetFixedImage(itk_image(current))
    engine.SetMovingImage(itk_image(prior))
    bend = sitk.GetDefaultParameterMap("bspline")
    bend["FinalGridSpacingInPhysicalUnits"] = [str(KNOTS_MM)]
    for number, parameters in enumerate((sitk.GetDefaultParameterMap("rigid"), bend)):
        parameters["WriteResultImage"] = ["false"]
        engine.SetParameterMap(parameters) if number == 0 else engine.AddParameterMap(parameters)
    with tempfile.TemporaryDirectory() as folder:
        engine.SetOutputDirectory(folder)
        engine.Execute()
        mover = sitk.TransformixImageFilter()
        mover.LogToConsoleOff()
        mover.LogToFileOff()
        mover.SetTransformParameterMap(engine.GetTransformParameterMap())
        listed = Path(folder, "points.txt")
        rows = "\n".join(" ".join(f"{v:.4f}" for v in point) for point in points)
        listed.write_text(f"point\n{len(points)}\n{rows}\n")
        mover.SetFixedPointSetFileName(str(listed))
        mover.SetMovingImage(itk_image(prior))
        mover.SetOutputDirectory(folder)
        mover.Execute()
        lines = Path(folder, "outputpoints.txt").read_text().splitlines()
    placed = [line.split("OutputPoint = [")[1].split("]")[0].split() for line in lines]
    return np.array(placed, dtype=float), ""


def by_syn(current, prior, points):
    import ants
    import pandas

    fixed, moving = ants_image(ants, current), ants_image(ants, prior)
    found = ants.registration(fixed, moving, "SyN")
    table = pandas.DataFrame(points, columns=["x", "y", "z"])
    # Points travel by the forward transforms as images do by the inverse: fixed to moving.
    placed = ants.apply_transforms_to_points(3, table, found["fwdtransforms"])
    return placed[["x", "y", "z"]].to_numpy(), ""


def itk_image(volume):
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    image = sitk.GetImageFromArray(np.asarray(volume.array, dtype=np.float32))
    image.SetSpacing(volume.grid.spacing_xyz_mm)
    image.SetOrigin(volume.grid.origin_lps_mm)
    image.SetDirection(volume.grid.directions)
    return image


def ants_image(ants, volume):
    grid = volume.grid
    return ants.from_numpy(
        np.asarray(volume.array, dtype=np.float32).transpose(2, 1, 0).copy(),
        origin=list(grid.origin_lps_mm),
        spacing=list(grid.spacing_xyz_mm),
        direction=np.array(grid.directions).reshape(3, 3),
    )


METHODS = {"sightline": by_sightline, "elastix": by_elastix, "syn": by_syn}


def run(name, current, prior, points, answer):
    began = time.perf_counter()
    placed, said = METHODS[name](current, prior, points)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    answer.put((placed, said, took, peak))


def apart(name, *given):
    """Run a method in a fresh process; return points, what it says, wall time (s), peak memory (GiB)."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=run, args=(name, *given, answer))
    process.start()
    found = answer.get(timeout=3600)
    process.join()
    return found


def body_points(volume, step=(2, 12, 12)):
    body = ndimage.binary_opening(volume.array[:: step[0], :: step[1], :: step[2]] > -900)
    points = volume.grid.to_lps_mm(np.argwhere(body) * step)
    return points[volume.grid.contains(points, margin_mm=20)]


def warps(count, methods):
    volume = read_ct()
    points = body_points(volume)
    means = {name: [] for name in methods}
    times = {name: [] for name in methods}
    for number in range(count):
        rng = np.random.default_rng(500 + number)
        motion = Motion(volume.grid, rng)
        prior = motion.moved(volume, rng)
        goal = motion.truth(points)
        seen = volume.grid.contains(goal, margin_mm=10)
        before = np.linalg.norm(goal - points, axis=1)[seen]
        print(f"warp {number}: {int(seen.sum())} points, apart {before.mean():.2f} mm", flush=True)
        for name in methods:
            placed, said, took, peak = apart(name, volume, prior, points)
            error = np.linalg.norm(placed - goal, axis=1)[seen]
            means[name].append(error.mean())
            times[name].append(took)
            print(
                f"  {name:10} TRE mm mean {error.mean():5.2f} median {np.median(error):5.2f} p95 "
                f"{np.percentile(error, 95):6.2f}   {took:5.0f} s {peak:4.1f} GiB   {said}",
                flush=True,
            )
    for name in methods:
        print(f"{name:10} mean TRE {np.mean(means[name]):.2f} mm, mean time {np.mean(times[name]):.0f} s")
    for other in methods[1:]:
        print(
            f"sightline / {other}: error {np.mean(means['sightline']) / np.mean(means[other]):.2f}, "
            f"time {np.mean(times['sightline']) / np.mean(times[other]):.2f}"
        )


# Planted failures ---------------------------------------------------------------------------------------


def planted():
    """Yield pairs that must not be called good: other patient, flipped, other part of the body."""
    real = read_ct()
    thigh = volumes.read_volume(
        sorted((DATA / "petct" / "sts-001-registered-subset").glob("CT/dicom/image/*"))
    )
    chests = {seed: simulated(seed) for seed in (7, 8)}
    flips = {
        "left-right": (0, 0, 1),
        "front-back": (0, 1, 0),
        "head-feet": (1, 0, 0),
        "turned 180": (0, 1, 1),
    }
    for name, volume in (("real", real), ("simulated", chests[7])):
        for way, axes in flips.items():
            turned = np.flip(volume.array, [k for k in range(3) if axes[k]]).copy()
            yield f"{name} flipped {way}", volume, volume.with_array(turned)
    low, high = cut(real, 0, 20), cut(real, 21, 41)
    yield "real, chest on abdomen", high, low
    yield "real, abdomen on chest", low, high
    yield "real on simulated person", real, chests[7]
    yield "simulated person on real", chests[7], real
    yield "one simulated person on another", chests[7], chests[8]
    yield "the other on the one", chests[8], chests[7]
    yield "thigh on abdomen", thigh, real
    yield "abdomen on thigh", real, thigh
    yield "thigh on simulated chest", thigh, chests[7]
    yield "thigh flipped left-right", thigh, thigh.with_array(thigh.array[:, :, ::-1].copy())
    noise = np.random.default_rng(1).normal(-500, 300, real.array.shape).astype(np.int16)
    yield "real on noise", real, real.with_array(noise)


def simulated(seed):
    scan = simulation.simulate_chest(1, seed=seed)
    return volumes.Volume(scan.array, scan.grid)


def cut(volume, first, last):
    return volumes.Volume(
        volume.array[first:last],
        volume.grid.cropped((first, 0, 0), (last - first, *volume.grid.shape_zyx[1:])),
    )


def failures():
    caught = stopped = number = 0
    for name, current, prior in planted():
        found = alignment.align(current, prior)
        number += 1
        caught += found.verdict != "good"
        stopped += found.verdict == "failed"
        print(f"  {name}: {found.verdict} ({found.reason})", flush=True)
    print(f"planted failures not called good: {caught}/{number}; refused outright: {stopped}/{number}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--warps", type=int, default=3)
    parser.add_argument("--syn", action="store_true", help="SyN too (takes minutes for each pair)")
    parser.add_argument("--failures", action="store_true", help="only the planted failures")
    wanted = parser.parse_args()
    if not wanted.failures:
        warps(wanted.warps, ["sightline", "elastix"] + (["syn"] if wanted.syn else []))
    failures()


if __name__ == "__main__":
    main()
