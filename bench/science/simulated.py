"""The simulated patient from voxels to doubling time: what the whole chain gets wrong.

    python bench/science/simulated.py [--seeds 7 8]

Truth by formula: nodule volumes, doubling time 75 days, the map between visits. A link is false when it joins
two different true nodules, joins a true nodule to none, or calls a followed nodule new.
"""

import argparse
import time

import numpy as np

from sightline.science import alignment, change, segmentation, simulation, volumes


def truth_of(lesion, scan):
    for nodule in scan.nodules:
        if (
            np.linalg.norm(np.subtract(lesion.centre_lps_mm, nodule.centre_lps_mm))
            < nodule.diameter_mm / 2 + 1
        ):
            return nodule
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[7])
    for seed in parser.parse_args().seeds:
        one_patient(seed)


def one_patient(seed):
    print(f"patient {seed}")
    scans, found = [], []
    for visit in (1, 2, 3):
        start = time.perf_counter()
        scan = simulation.simulate_chest(visit, seed=seed)
        made = time.perf_counter() - start
        start = time.perf_counter()
        lesions = segmentation.find_nodules(volumes.Volume(scan.array, scan.grid))
        took = time.perf_counter() - start
        scans.append(scan)
        found.append(lesions)
        errors = {
            truth.name: f"{100 * (lesion.volume.value / truth.volume_mm3 - 1):+.1f} %"
            for lesion in lesions
            if (truth := truth_of(lesion, scan))
        }
        false = sum(truth_of(lesion, scan) is None for lesion in lesions)
        print(
            f"  visit {visit}: made {made:.0f} s, found {len(errors)}/{len(scan.nodules)} in {took:.0f} s, "
            f"{false} false findings; volume errors {errors}"
        )
    for now, then in ((1, 0), (2, 1), (2, 0)):
        compare(scans, found, now, then)


def compare(scans, found, now, then):
    current, prior = scans[now], scans[then]
    start = time.perf_counter()
    aligned = alignment.align(
        volumes.Volume(current.array, current.grid), volumes.Volume(prior.array, prior.grid)
    )
    took = time.perf_counter() - start
    where = np.argwhere(current.array[::6, ::6, ::6] > -950) * 6
    points = current.grid.to_lps_mm(where)
    points = points[np.abs(points[:, 1]) < 100]
    error = np.linalg.norm(
        aligned.map_points(points) - prior.from_reference_mm(current.to_reference_mm(points)), axis=1
    )
    print(
        f"  visit {now + 1} on {then + 1}: {aligned.verdict}, {took:.0f} s; TRE mm mean {error.mean():.2f} "
        f"median {np.median(error):.2f} p95 {np.percentile(error, 95):.2f}"
    )
    false = 0
    for link in change.link_lesions(found[now], found[then], aligned, prior.grid):
        a = truth_of(found[now][link.current], current) if link.current is not None else None
        b = truth_of(found[then][link.prior], prior) if link.prior is not None else None
        if link.kind in ("linked", "ambiguous"):
            false += (a.name if a else None) != (b.name if b else None)
        elif link.kind == "new" and a is not None:
            false += a.name in {nodule.name for nodule in prior.nodules}
        if a and b and link.kind == "linked":
            grown = change.growth(
                found[then][link.prior],
                found[now][link.current],
                days=current.day - prior.day,
                slice_thickness_mm=2.0,
            )
            true = 100 * (a.volume_mm3 / b.volume_mm3 - 1)
            vdt = grown.doubling_days
            said = (
                f", doubling {vdt.value:.0f} d (true {simulation.DOUBLING_DAYS:g})"
                if a.name == "growing"
                else ""
            )
            print(f"    {a.name}: {grown.kind}, {grown.percent.value:+.1f} % (true {true:+.1f} %){said}")
        elif a:
            print(f"    {a.name}: {link.kind}")
    print(f"    false links {false}")


if __name__ == "__main__":
    main()
