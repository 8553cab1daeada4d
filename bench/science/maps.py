"""Maps of change against simulated truth: how often noise lights up, how small a lesion is found.

    python bench/science/maps.py [--seeds 40] [--large]

The scene is that of the tests (a body of ellipsoids by formula). `null`: pairs without change, by what
differs between the scans; a map counts as lit with one cluster. `power`: spheres of known size and contrast
at blind places in soft tissue, found when a cluster of the right sign has its centre within a radius and
2 mm; beside them clusters elsewhere. `--large`: time and memory of a scan of 512 x 512 x 300.
"""

import argparse
import importlib.util
import resource
import time
from pathlib import Path

import numpy as np

from sightline.science import change

TESTS = Path(__file__).parents[2] / "tests" / "science" / "change" / "test_maps.py"


def scenes():
    """Return the tests' module, which draws the scene."""
    spec = importlib.util.spec_from_file_location("test_maps", TESTS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def null(made, seeds):
    still = made.body(made.places(), 3)
    for prior in made.PRIORS:
        lit = 0
        for seed in range(100, 100 + seeds):
            rng = np.random.default_rng(seed)
            found = change.change_map(made.repeat(rng, still), prior(rng, still), made.aligned())
            lit += bool(found.clusters)
        print(f"null, {prior.__name__}: {lit} of {seeds} maps lit", flush=True)


def power(made, seeds):
    still = made.body(made.places(), 3)
    soft = np.argwhere(np.abs(still - 40) < 1)
    for contrast in (20, 40, 80):
        line = []
        for diameter in (4, 6, 8, 10):
            hit = other = 0
            for seed in range(seeds):
                rng = np.random.default_rng(1000 + seed)
                centre = made.SCAN.to_lps_mm(soft[rng.integers(len(soft))])[0] + rng.uniform(-0.7, 0.7, 3)
                now = made.with_lesion(still, centre, diameter, contrast) + made.noise(rng, made.SHAPE, 15)
                found = change.change_map(made.scan(now), made.repeat(rng, still), made.aligned())
                near = [
                    cluster.sign == "increase"
                    and np.linalg.norm(np.subtract(cluster.centre_lps_mm, centre)) < diameter / 2 + 2
                    for cluster in found.clusters
                ]
                hit += any(near)
                other += len(near) - sum(near)
            line.append(f"{diameter} mm {hit}/{seeds} (+{other})")
        print(f"power at {contrast} HU, noise 15 HU: {', '.join(line)}", flush=True)


def large():
    """Time and memory of a scan of 512 x 512 x 300."""
    made = scenes()
    grid = made.Grid((300, 512, 512), (0.7, 0.7, 1.0), (-178.9, -178.9, -149.5), made.AXES)
    rng = np.random.default_rng(1)
    one, other = (rng.normal(40, 20, grid.shape_zyx).astype(np.float32) for _ in range(2))
    coarse = grid.resampled((4.0, 4.0, 4.0))
    still = made.Alignment(
        "good", "", (), coarse, np.zeros((*coarse.shape_zyx, 3), np.float32),
        np.ones(coarse.shape_zyx, np.float32), "",
    )  # fmt: skip
    start = time.perf_counter()
    found = change.change_map(made.Volume(one, grid), made.Volume(other, grid), still)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"512 x 512 x 300: {time.perf_counter() - start:.0f} s, peak {peak:.1f} GiB, "
        f"{len(found.clusters)} clusters of noise"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--large", action="store_true", help="time and memory only")
    asked = parser.parse_args()
    if asked.large:
        large()
        return
    made = scenes()
    null(made, asked.seeds)
    power(made, max(asked.seeds // 4, 5))


if __name__ == "__main__":
    main()
