"""Nodules put into a real CT: how many are found by size, how well they are measured, what else is found.

    python bench/science/inserted.py [--count 60]

The scan is `ct/crlm-ct-1004-abdomen` (5 mm slices, lung bases only). Spheres of known volume are put at
places drawn blindly (seeded), at least 3 mm below the pleura or touching it; the truth never comes from the
code that measures. Findings in the untouched scan are counted apart: some may be true nodules or vessels,
nobody read them.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from scipy import ndimage

from sightline.science import segmentation, simulation, volumes

DATA = Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
SIZES_MM = (5.0, 6.0, 8.0, 10.0, 14.0, 20.0)


def places(volume, lungs, diameter, rng, *, juxtapleural):
    """Yield blind places: deep in the lung, or with the sphere's surface at the pleura."""
    spacing = np.array(volume.grid.spacing_xyz_mm[::-1])
    depth = ndimage.distance_transform_edt(lungs, sampling=spacing)
    radius = diameter / 2
    band = (depth > radius + 3) if not juxtapleural else (np.abs(depth - 0.85 * radius) < 0.8)
    inner = np.zeros_like(band)
    room = int(np.ceil((radius + 2) / spacing[0])) + 1
    inner[room:-room] = band[room:-room]
    where = np.argwhere(inner)
    if len(where):
        yield from volume.grid.to_lps_mm(
            where[rng.integers(0, len(where), 40)] + rng.uniform(-0.5, 0.5, (40, 3))
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=12, help="nodules per size")
    count = parser.parse_args().count
    folder = DATA / "ct" / "crlm-ct-1004-abdomen" / "image"
    volume = volumes.read_volume(sorted(folder.glob("*.dcm")))
    lungs = segmentation.segment_lungs(volume)
    native = segmentation.find_nodules(volume, lungs=lungs)
    print(
        f"lung seen {lungs.sum() * volume.grid.voxel_mm3 / 1000:.0f} ml; "
        f"findings in the untouched scan {len(native)}"
    )
    for lesion in native:
        print(
            f"  {lesion.diameter_mm:5.1f} mm  score {lesion.score:.2f}  at {np.round(lesion.centre_lps_mm)}"
        )
    known = [np.array(lesion.centre_lps_mm) for lesion in native]
    print(
        f"{'mm':>5} {'contact':>9} {'found':>7} {'vol err % median':>17} {'|err| median':>13} {'in 95 %':>8} "
        f"{'other findings':>15}"
    )
    rng = np.random.default_rng(11)
    for diameter in SIZES_MM:
        for juxtapleural in (False, True):
            found, errors, extra, tried, covered = 0, [], 0, 0, 0
            candidates = places(volume, lungs, diameter, rng, juxtapleural=juxtapleural)
            while tried < count:
                group = []
                for place in candidates:  # up to six at a time, far apart: one detection run for all
                    if all(np.linalg.norm(place - other) > 60 for other in (*group, *known)):
                        group.append(place)
                    if len(group) == min(6, count - tried):
                        break
                if not group:
                    candidates = places(volume, lungs, diameter, rng, juxtapleural=juxtapleural)
                    if not (group := list(list(candidates)[:1])):
                        break
                scan = volume
                for place in group:
                    scan = simulation.insert_nodule(scan, place, diameter)
                seen = segmentation.find_nodules(scan)
                tried += len(group)
                truth = np.pi * diameter**3 / 6
                for place in group:
                    hits = [s for s in seen if np.linalg.norm(place - s.centre_lps_mm) < diameter / 2 + 2]
                    found += bool(hits)
                    covered += bool(hits) and hits[0].volume.low <= truth <= hits[0].volume.high
                    errors += [100 * (hits[0].volume.value / truth - 1)] if hits else []
                for lesion in seen:
                    centre = np.array(lesion.centre_lps_mm)
                    near = any(np.linalg.norm(centre - p) < diameter / 2 + 6 for p in (*group, *known))
                    extra += not near
            contact = "pleura" if juxtapleural else "free"
            middle = f"{np.median(errors):+.1f}" if errors else "-"
            absolute = f"{np.median(np.abs(errors)):.1f}" if errors else "-"
            print(
                f"{diameter:5.0f} {contact:>9} {found:>3}/{tried:<3} {middle:>17} "
                f"{absolute:>13} {covered:>5}/{found:<2} {extra:>15}",
                flush=True,
            )


if __name__ == "__main__":
    main()
