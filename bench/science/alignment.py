"""Known warps of a real CT: how far the alignment is from the truth, and what its verdict says.

    python bench/science/alignment.py [--warps 2]

`ct/crlm-ct-1004-abdomen` is moved by a rigid motion and a smooth random field and gets new noise; the error
is measured against that field. Negative pairs (mirrored, other level) must not be called good.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

from sightline.science import alignment, volumes

DATA = Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


def smooth_field(grid, rng, *, peak_mm, length_mm):
    shape = grid.shape_zyx
    sigma = length_mm / np.array(grid.spacing_xyz_mm[::-1])
    field = np.stack([ndimage.gaussian_filter(rng.standard_normal(shape), sigma) for _ in range(3)], axis=-1)
    return field * (peak_mm / np.abs(field).max())


def warped(volume, rng, *, peak_mm):
    """Return a scan M with M(p + d(p)) = volume(p), and d on a coarse grid, from the inverse map."""
    coarse = volume.grid.resampled((6.0, 6.0, 6.0))
    points = coarse.to_lps_mm(np.indices(coarse.shape_zyx).reshape(3, -1).T)
    angle = np.radians(rng.uniform(-4, 4))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    centre = points.mean(axis=0)
    rigid = (points - centre) @ turn.T + centre + rng.uniform(-8, 8, 3) - points
    back = rigid + smooth_field(coarse, rng, peak_mm=peak_mm, length_mm=35.0).reshape(-1, 3)
    at = coarse.to_index_zyx(volume.grid.to_lps_mm(np.indices(volume.grid.shape_zyx).reshape(3, -1).T)).T
    move = np.stack(
        [
            ndimage.map_coordinates(back[:, k].reshape(coarse.shape_zyx), at, order=1, mode="nearest")
            for k in range(3)
        ],
        axis=1,
    )
    home = volume.grid.to_lps_mm(np.indices(volume.grid.shape_zyx).reshape(3, -1).T) + move
    index = volume.grid.to_index_zyx(home).T
    array = ndimage.map_coordinates(volume.array.astype(np.float32), index, order=1, cval=-1000.0)
    array = array.reshape(volume.grid.shape_zyx) + rng.normal(0, 10, volume.grid.shape_zyx)

    def truth(points_lps_mm):
        """Solve q + back(q) = p for q."""
        q = np.array(points_lps_mm, dtype=float)
        for _ in range(40):
            index = coarse.to_index_zyx(q).T
            step = [
                ndimage.map_coordinates(back[:, k].reshape(coarse.shape_zyx), index, order=1, mode="nearest")
                for k in range(3)
            ]
            q = points_lps_mm - np.stack(step, axis=1)
        return q

    return volume.with_array(array.astype(np.float32)), truth


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--warps", type=int, default=2)
    count = parser.parse_args().warps
    volume = volumes.read_volume(sorted((DATA / "ct" / "crlm-ct-1004-abdomen" / "image").glob("*.dcm")))
    where = np.argwhere(ndimage.binary_opening(volume.array[::2, ::12, ::12] > -900)) * [2, 12, 12]
    points = volume.grid.to_lps_mm(where)
    points = points[volume.grid.contains(points, margin_mm=20)]
    for number in range(count):
        rng = np.random.default_rng(100 + number)
        moved, truth = warped(volume, rng, peak_mm=8.0 + 6.0 * number)
        start = time.perf_counter()
        found = alignment.align(volume, moved)
        took = time.perf_counter() - start
        goal = truth(points)
        seen = volume.grid.contains(goal, margin_mm=10)
        before = np.linalg.norm(goal - points, axis=1)[seen]
        error = np.linalg.norm(found.map_points(points) - goal, axis=1)[seen]
        print(
            f"warp {number}: {found.verdict} ({found.reason}) {took:.0f} s; before {before.mean():.2f}; "
            f"TRE mm mean {error.mean():.2f} median {np.median(error):.2f} "
            f"p95 {np.percentile(error, 95):.2f}",
            flush=True,
        )
        print("   ", [(test.name, round(test.value, 2), test.passed) for test in found.tests])
    for name, array in (("mirrored", volume.array[:, :, ::-1]), ("upside down", volume.array[::-1])):
        found = alignment.align(volume, volume.with_array(array.copy()))
        print(f"{name}: {found.verdict} ({found.reason})", flush=True)
    low = volumes.Volume(volume.array[:20], volume.grid.cropped((0, 0, 0), (20, 512, 512)))
    high = volumes.Volume(volume.array[21:], volume.grid.cropped((21, 0, 0), (20, 512, 512)))
    found = alignment.align(low, high)
    print(f"abdomen on chest: {found.verdict} ({found.reason})")


if __name__ == "__main__":
    main()
