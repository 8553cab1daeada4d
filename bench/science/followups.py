"""Simulated follow-ups on a real CT: links, volumes and verdicts against the truth, by size and thickness.

    python bench/science/followups.py [--pairs 6] [--slices 4] [--contact] [--repeats]

The scan is `ct/crlm-ct-1004-abdomen`, brought to slices of 1.25 mm (--slices 2: their means over 2.5 mm; 4:
over 5 mm). Spheres of known size, blurred by the point spread and the slice, are put into the lungs at blind
places below voxel size, free of the wall (--contact: up to 2 mm into it). The other visit is the same scan
moved by a known rigid motion and a smooth field (breathing), with spheres of that visit's size put in after
the motion, and each visit gets noise of its own. A third of the lesions are unchanged, others grew by 25 or
60 % in volume, are new or gone; --repeats leaves all unchanged.

Everything is run as the product runs it: alignment, detection, links and verdicts (automatic), and each true
lesion clicked beside its middle (click).
"""

import argparse
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
from alignment import Motion, read_ct
from scipy import ndimage

from sightline.science import alignment, change, segmentation, simulation, volumes
from sightline.science.geometry import Grid

SIZES_MM = (6.0, 8.0, 10.0, 12.0, 16.0, 20.0)
GROWTHS = (0.0, 0.25, 0.6, 0.0, "new", 0.25, 0.0, 0.6, "gone")
APART_MM = 28.0
NOISE_HU = 18.0
DAYS = 90


@dataclass
class Planted:
    """A true lesion: where it is in the current scan and in the prior one, and its two diameters."""

    current_lps_mm: np.ndarray
    prior_lps_mm: np.ndarray
    now_mm: float | None
    then_mm: float | None

    @property
    def growth(self):
        if self.now_mm is None or self.then_mm is None:
            return None
        return (self.now_mm / self.then_mm) ** 3 - 1


def thin(volume):
    """Return the scan with slices of 1.25 mm, interpolated; its noise is added afterwards."""
    array = ndimage.zoom(volume.array.astype(np.float32), (4, 1, 1), order=1, grid_mode=True, mode="nearest")
    x, y, z = volume.grid.spacing_xyz_mm
    first = volume.grid.to_lps_mm([[-0.375, 0, 0]])[0]
    grid = Grid(array.shape, (x, y, z / 4), tuple(float(v) for v in first), volume.grid.directions)
    return volumes.Volume(array, grid)


def thick(volume, slices):
    """Return the means of some slices."""
    count = volume.array.shape[0] // slices
    array = volume.array[: slices * count].reshape(count, slices, *volume.array.shape[1:]).mean(axis=1)
    x, y, z = volume.grid.spacing_xyz_mm
    first = volume.grid.to_lps_mm([[(slices - 1) / 2, 0, 0]])[0]
    grid = Grid(array.shape, (x, y, slices * z), tuple(float(v) for v in first), volume.grid.directions)
    return volumes.Volume(np.rint(array).astype(np.int16), grid)


def noisy(volume, rng):
    """Add noise with in-plane correlation of about a voxel and a half."""
    array = np.asarray(volume.array, dtype=np.float32).copy()
    for z in range(len(array)):
        noise = ndimage.gaussian_filter(rng.standard_normal(array.shape[1:]), 0.8)
        array[z] += NOISE_HU / noise.std() * noise
    return volume.with_array(np.rint(array).astype(np.int16))


def places(volume, depth_mm, margins_mm, rng):
    """Return blind places in the lungs, each at its margin from their wall, far from each other and the ends.

    The largest margin is placed first; None where nothing is left for one.
    """
    spacing = np.array(volume.grid.spacing_xyz_mm[::-1])
    room = int(35 / spacing[0])
    found = {}
    for number in np.argsort(margins_mm)[::-1]:
        where = np.argwhere(depth_mm > margins_mm[number])
        where = where[(where[:, 0] > room) & (where[:, 0] < len(depth_mm) - room)]
        for index in rng.permutation(len(where))[:4000]:
            point = volume.grid.to_lps_mm(where[index] + rng.uniform(-0.5, 0.5, 3))[0]
            if all(np.linalg.norm(point - other) > APART_MM for other in found.values()):
                found[number] = point
                break
    return [found.get(number) for number in range(len(margins_mm))]


def make_pair(base, depth_mm, rng, *, wanted, first):
    """Return current and prior scan, and what was planted."""
    motion = Motion(base.grid, rng, shift_mm=12.0, bend_mm=3.0, length_mm=30.0)
    current, prior = base, motion.moved(base, rng, noise_hu=0.0)
    sizes = []
    for number in range(first, first + 6):
        growth = 0.0 if wanted.repeats else GROWTHS[number % len(GROWTHS)]
        then = SIZES_MM[number % len(SIZES_MM)]
        now = then if isinstance(growth, str) else then * (1 + growth) ** (1 / 3)
        sizes.append((None if growth == "gone" else now, None if growth == "new" else then))
    if wanted.contact:
        margins = [max(0.0, max(filter(None, both)) / 2 - 2) for both in sizes]
    else:
        margins = [max(filter(None, both)) / 2 + 2 for both in sizes]
    planted = []
    for point, (now, then) in zip(places(base, depth_mm, margins, rng), sizes, strict=True):
        if point is None:
            continue
        one = Planted(point, motion.truth(point[None])[0], now, then)
        planted.append(one)
        if one.now_mm:
            current = simulation.insert_nodule(current, one.current_lps_mm, one.now_mm)
        if one.then_mm:
            prior = simulation.insert_nodule(prior, one.prior_lps_mm, one.then_mm)
    scans = [noisy(scan, rng) for scan in (current, prior)]
    if wanted.slices > 1:
        scans = [thick(scan, wanted.slices) for scan in scans]
    return (*scans, planted)


class Score:
    """Counts over all pairs."""

    def __init__(self):
        self.links = Counter()
        self.errors = []  # (true diameter mm, relative error of the volume, inside its interval)
        self.ratios = []  # (diameter, true log ratio, measured log ratio)
        self.verdicts = Counter()
        self.beyond = Counter()  # (growth, beyond the limits of the verdict), kind
        self.false_changes = 0
        self.pairs = 0

    def size(self, lesion, truth_mm):
        true = np.pi * truth_mm**3 / 6
        self.errors.append(
            (truth_mm, lesion.volume.value / true - 1, lesion.volume.low <= true <= lesion.volume.high)
        )

    def link(self, one, lesion_there, kind):
        """Count a link of a true lesion: `lesion_there` is what it was joined to in the prior scan."""
        right = (
            lesion_there is not None
            and one.then_mm is not None
            and near(lesion_there, one.prior_lps_mm, one.then_mm)
        )
        if right:
            self.links["right"] += 1
        elif lesion_there is not None and kind == "linked":
            self.links["wrong"] += 1
        if one.then_mm is not None and not right:
            self.links["missed"] += 1
        if one.then_mm is None:
            self.links["new right" if kind == "new" else "new missed"] += 1

    def verdict(self, one, growth):
        kind = growth.kind if growth else "cannot-tell"
        what = "new" if one.then_mm is None else f"{100 * one.growth:+.0f} %"
        self.verdicts[what, round(one.then_mm or one.now_mm), kind] += 1
        true = one.then_mm is not None and abs(one.growth) < 1e-6
        self.false_changes += true and kind in ("grown", "shrunk", "new", "vanished")
        if growth and growth.limits and one.growth:
            along = 1 if growth.limits.quantity == "volume" else 3
            true = 100 * ((1 + one.growth) ** (1 / along) - 1)
            self.beyond[true > growth.limits.high, kind] += 1

    def show(self, name, slice_mm):
        right, wrong, missed = (self.links[k] for k in ("right", "wrong", "missed"))
        f1 = 2 * right / max(2 * right + wrong + missed, 1)
        print(
            f"{name}: linking F1 {f1:.3f} ({right} right, {wrong} wrong, {missed} missed); new said rightly "
            f"{self.links['new right']}/{self.links['new right'] + self.links['new missed']}; "
            f"false changes {self.false_changes / max(self.pairs, 1):.2f} a scan"
        )
        for low, high in ((5, 7), (7, 9), (9, 11), (11, 14), (14, 18), (18, 30)):
            self._show_sizes(low, high, slice_mm)
        for what in sorted({w for w, _, _ in self.verdicts}):
            by_size = {}
            for (w, size, kind), count in sorted(self.verdicts.items()):
                if w == what:
                    by_size.setdefault(size, Counter())[kind] += count
            print(f"  {what:>6}: " + "; ".join(f"{size} mm {dict(c)}" for size, c in by_size.items()))
        for beyond in (True, False):
            counts = {kind: count for (b, kind), count in self.beyond.items() if b is beyond}
            said = "beyond" if beyond else "within"
            print(f"  true growth {said} the limit of its verdict: {counts or 'none'}")

    def _show_sizes(self, low, high, slice_mm):
        rows = [(e, inside) for d, e, inside in self.errors if low <= d < high]
        both = [m - t for d, t, m in self.ratios if low <= d < high]
        if not rows:
            return
        errors = 100 * np.array([e for e, _ in rows])
        mean, sd = errors.mean(), errors.std()
        held = change.find_repeatability((low + high) / 2, slice_mm)
        published = f"{100 * np.expm1(1.96 * held.sigma_ln):.0f} %" if held else "none"
        told = [
            f"  {low:2}-{high} mm, n {len(rows)}: volume error median {np.median(np.abs(errors)):.1f} %",
            f"mean {mean:+.1f}, SD {sd:.1f}",
            f"95 % limits {mean - 1.96 * sd:+.0f} to {mean + 1.96 * sd:+.0f} % (published: {published})",
            f"in its own interval {sum(inside for _, inside in rows)}",
        ]
        if len(both) > 2:
            told.append(f"CV from {len(both)} pairs {100 * np.std(both) / np.sqrt(2):.1f} %")
        print(", ".join(told))


def near(lesion, point, diameter):
    return np.linalg.norm(np.array(lesion.centre_lps_mm) - point) < diameter / 2 + 2


def judged(score, one, now, then, kind, growth):
    score.link(one, then, kind)
    score.verdict(one, growth)
    if now is not None and near(now, one.current_lps_mm, one.now_mm):
        score.size(now, one.now_mm)
        if then is not None and one.then_mm and near(then, one.prior_lps_mm, one.then_mm):
            measured = np.log(max(now.volume.value, 1) / max(then.volume.value, 1))
            score.ratios.append((one.now_mm, 3 * np.log(one.now_mm / one.then_mm), measured))


def clicked(current, prior, found, planted, score, rng):
    present = [one for one in planted if one.now_mm]
    clicks = [one.current_lps_mm + rng.uniform(-0.25, 0.25, 3) * one.now_mm for one in present]
    for one, followed in zip(
        present, change.follow_points(current, prior, found, clicks, days=DAYS), strict=True
    ):
        judged(score, one, followed.current, followed.prior, followed.link.kind, followed.growth)
    score.pairs += 1


def automatic(current, prior, found, planted, score):
    now, then = segmentation.find_nodules(current), segmentation.find_nodules(prior)
    links = change.link_lesions(now, then, found, prior.grid)
    links = change.look_again(links, now, then, current, prior, found)
    slice_mm = max(current.thickness_mm, prior.thickness_mm)
    for one in planted:
        if one.now_mm is None:
            continue
        mine = [k for k, lesion in enumerate(now) if near(lesion, one.current_lps_mm, one.now_mm)]
        if not mine:
            score.links["not detected"] += 1
            continue
        link = next(link for link in links if link.current == mine[0])
        there = then[link.prior] if link.prior is not None else None
        grew = None
        if link.kind in ("linked", "new"):
            grew = change.growth(there, now[mine[0]], days=DAYS, slice_thickness_mm=slice_mm)
        judged(score, one, now[mine[0]], there, link.kind, grew)
    true_now = [one for one in planted if one.now_mm]
    for link in links:  # what was not planted did not change either
        lesion = now[link.current] if link.current is not None else None
        if lesion is not None and any(near(lesion, one.current_lps_mm, one.now_mm) for one in true_now):
            continue
        other = then[link.prior] if link.prior is not None else None
        if other is not None and any(
            one.then_mm and near(other, one.prior_lps_mm, one.then_mm) for one in planted
        ):
            continue
        if link.kind in ("new", "vanished"):
            score.false_changes += 1
        elif link.kind == "linked":
            kind = change.growth(other, lesion, days=DAYS, slice_thickness_mm=slice_mm).kind
            score.false_changes += kind in ("grown", "shrunk")
    score.pairs += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--first", type=int, default=0, help="number of the first pair, for other seeds")
    parser.add_argument("--slices", type=int, default=1, choices=(1, 2, 4), help="of 1.25 mm that make one")
    parser.add_argument("--contact", action="store_true", help="up to 2 mm into the wall of the lung")
    parser.add_argument("--repeats", action="store_true", help="nothing changed: noise and position only")
    wanted = parser.parse_args()
    base = thin(read_ct())
    spacing = base.grid.spacing_xyz_mm[::-1]
    depth_mm = ndimage.distance_transform_edt(segmentation.segment_lungs(base), sampling=spacing)
    by_click, by_itself, verdicts = Score(), Score(), Counter()
    for number in range(wanted.first, wanted.first + wanted.pairs):
        rng = np.random.default_rng(9000 + number)
        current, prior, planted = make_pair(base, depth_mm, rng, wanted=wanted, first=5 * number)
        began = time.perf_counter()
        found = alignment.align(current, prior)
        took = time.perf_counter() - began
        verdicts[found.verdict] += 1
        truth = np.array([one.prior_lps_mm for one in planted])
        error = np.linalg.norm(found.map_points([one.current_lps_mm for one in planted]) - truth, axis=1)
        print(
            f"pair {number}: {len(planted)} lesions; aligned in {took:.0f} s: {found.verdict} "
            f"({found.reason}) error at lesions mean {error.mean():.1f}, most {error.max():.1f} mm",
            flush=True,
        )
        clicked(current, prior, found, planted, by_click, rng)
        automatic(current, prior, found, planted, by_itself)
    print(f"slices of {current.thickness_mm:g} mm; alignment {dict(verdicts)}")
    slice_mm = max(current.thickness_mm, prior.thickness_mm)
    by_click.show("click", slice_mm)
    by_itself.show("automatic", slice_mm)
    print(f"  not detected {by_itself.links['not detected']}")


if __name__ == "__main__":
    main()
