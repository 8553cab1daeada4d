"""Real pairs of two dates: what alignment can and cannot do on them.

python bench/science/longitudinal.py

ms      FLAIR at two visits, with the data set's own affine transforms to a common space and a brain mask;
        the change map against the experts' mask of changed lesions, beside plain subtraction after rigid
        alignment by the same rule (|z| > 3 in the brain, 14 mm3 at least), fixed before the pair was seen;
        detection F is 2 TP / (2 TP + FP + FN) of lesions touched and clusters that touch none (Salem 2018)
gbm     T1 with contrast at two visits; affines are placeholders (1 mm): volumes and change in voxels
ct      one axial slice per date: no volume, so Sightline must refuse
"""

import os
import time
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from sightline.science import alignment, change, volumes
from sightline.science.alignment import _engine as engine
from sightline.science.change._clusters import LEAST_MM3, THRESHOLD_Z
from sightline.science.geometry import Grid

DATA = (
    Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    / "longitudinal"
)
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0])


def from_nifti(path):
    """Return an image as a volume; NIfTI is RAS and indexed x, y, z."""
    image = nibabel.load(path)
    affine = image.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    axes = LPS_FROM_RAS @ affine[:3, :3] / spacing
    u, _, v = np.linalg.svd(axes)  # remove the last digits of shear that a header may carry
    array = np.asarray(image.dataobj, dtype=np.float32).squeeze().transpose(2, 1, 0)
    grid = Grid(
        array.shape,
        tuple(float(mm) for mm in spacing),
        tuple(float(mm) for mm in LPS_FROM_RAS @ affine[:3, 3]),
        tuple((u @ v).ravel().tolist()),
    )
    return volumes.Volume(np.ascontiguousarray(array), grid, unit="1")


def correlation(fixed, moving, places):
    """Return the correlation of the two images over the fixed image's brighter half."""
    inside = fixed.array > np.percentile(fixed.array[fixed.array > 0], 40)
    where = np.argwhere(inside)[::29]
    points = fixed.grid.to_lps_mm(where)
    values = ndimage.map_coordinates(
        moving.array.astype(float), moving.grid.to_index_zyx(places(points)).T, order=1, cval=np.nan
    )
    known = np.isfinite(values)
    return float(np.corrcoef(fixed.array[tuple(where.T)][known], values[known])[0, 1])


def report(name, fixed, moving):
    start = time.perf_counter()
    found = alignment.align(fixed, moving)
    took = time.perf_counter() - start
    before = correlation(fixed, moving, lambda p: p)
    after = correlation(fixed, moving, found.map_points)
    print(
        f"{name}: {found.verdict} ({found.reason}) {took:.0f} s; correlation {before:.3f} -> {after:.3f}",
        flush=True,
    )
    print("   ", [(test.name, round(test.value, 2), test.passed) for test in found.tests])
    return found


def multiple_sclerosis():
    folder = DATA / "ms-lesion-patient12" / "raw"
    first, second = (from_nifti(folder / f"study{k}_FLAIR.nii.gz") for k in (1, 2))
    found = report("ms FLAIR, study 2 on 1", second, first)
    points = second.grid.to_lps_mm(np.argwhere(second.array > np.percentile(second.array, 90))[::500])
    to_first, to_second = (itk_affine(folder / f"study{k}_FLAIR_to_common_space.txt") for k in (1, 2))
    # Each carries points of the common space to its own image, as ITK's resampling does.
    theirs = np.column_stack([points, np.ones(len(points))]) @ (to_first @ np.linalg.inv(to_second)).T
    for name, place in (("unaligned", points), ("aligned", found.map_points(points))):
        apart = np.linalg.norm(place - theirs[:, :3], axis=1)
        far = np.percentile(apart, 95)
        print(
            f"    {name}: apart from the data set's own affine mean {apart.mean():.2f} mm, p95 {far:.2f} mm"
        )
    change_of_lesions(second, first, found, to_second)


EIGHTEEN = ndimage.generate_binary_structure(3, 2)


def change_of_lesions(second, first, found, to_second):
    """Score the map and plain subtraction against the experts' mask, both signs together."""
    folder = DATA / "ms-lesion-patient12" / "coregistered"
    truth, brain = (
        from_common(from_nifti(folder / f"{name}.nii.gz"), second, to_second) for name in ("gt", "brainmask")
    )
    lesions, count = ndimage.label(truth, structure=EIGHTEEN)
    ml = second.grid.voxel_mm3 / 1000
    print(
        f"    experts: {truth.sum()} voxels of the second scan ({truth.sum() * ml:.2f} ml), {count} lesions"
    )
    start = time.perf_counter()
    mapped = change.change_map(second, first, found, within=brain)
    took = time.perf_counter() - start
    print(f"    map: {took:.0f} s, {mapped.smoothing_mm:g} mm wide; {'; '.join(mapped.notes)}")
    rigid = engine.find_rigid(
        engine.prepare(second, 2.0), engine.prepare(first, 2.0), threads=2, seed=20_250_101
    )
    plain = subtracted(second, first, rigid, brain)
    smooth = subtracted(second, first, rigid, brain, sigma_mm=mapped.smoothing_mm / np.sqrt(8 * np.log(2)))
    sizes = np.bincount(lesions.ravel())[1:] * second.grid.voxel_mm3
    large = 1 + np.flatnonzero(sizes >= LEAST_MM3)
    scores = {
        "change map": mapped.labels > 0,
        "plain subtraction": plain,
        "plain, 3 mm smooth": smooth,
    }
    for name, marked in scores.items():
        pieces, number = ndimage.label(marked, structure=EIGHTEEN)
        touched = np.unique(lesions[marked & (lesions > 0)])
        hit, seen = len(touched), int(np.isin(touched, large).sum())
        false = sum(1 for n in range(1, number + 1) if not truth[pieces == n].any())
        both = (marked & truth).sum()
        print(
            f"    {name:18s} Dice {2 * both / (marked.sum() + truth.sum()):.3f}, lesions {hit}/{count} "
            f"({seen}/{len(large)} of 14 mm3 and more), clusters {number}, false {false}, "
            f"detection F {2 * hit / (count + hit + false):.3f}, volume {marked.sum() * ml:.2f} ml"
        )


def from_common(image, second, to_second):
    """Return a mask of the common space on the grid of the second scan."""
    where = np.indices(second.array.shape).reshape(3, -1).T
    points = np.column_stack([second.grid.to_lps_mm(where), np.ones(len(where))])
    index = image.grid.to_index_zyx((points @ np.linalg.inv(to_second).T)[:, :3])
    return ndimage.map_coordinates(image.array, index.T, order=0, cval=0).reshape(second.array.shape) > 0.5


def subtracted(second, first, rigid, brain, *, sigma_mm=0.0):
    """Return where the plain difference after rigid alignment is beyond 3 of its own spread in the brain."""
    where = np.indices(second.array.shape).reshape(3, -1).T
    index = first.grid.to_index_zyx(rigid(second.grid.to_lps_mm(where)))
    before = ndimage.map_coordinates(first.array, index.T, order=1).reshape(second.array.shape)
    before = before * np.median(second.array[brain]) / np.median(before[brain])
    gap = second.array - before
    if sigma_mm:
        gap = ndimage.gaussian_filter(gap, sigma_mm / np.array(second.grid.spacing_xyz_mm[::-1]))
    middle = np.median(gap[brain])
    z = (gap - middle) / (1.4826 * np.median(np.abs(gap[brain] - middle)))
    kept = np.zeros(gap.shape, bool)
    for beyond in (z > THRESHOLD_Z, z < -THRESHOLD_Z):
        pieces, number = ndimage.label(beyond & brain, structure=EIGHTEEN)
        sizes = ndimage.sum_labels(beyond & brain, pieces, np.arange(1, number + 1)) * second.grid.voxel_mm3
        kept |= np.isin(pieces, 1 + np.flatnonzero(sizes >= LEAST_MM3))
    return kept


def itk_affine(path):
    """Return the 4x4 matrix of an Insight Transform File: A (p - c) + c + t."""
    lines = dict(line.split(": ", 1) for line in path.read_text().splitlines() if ": " in line)
    values, centre = (np.array(lines[name].split(), float) for name in ("Parameters", "FixedParameters"))
    affine = np.eye(4)
    affine[:3, :3] = values[:9].reshape(3, 3)
    affine[:3, 3] = centre + values[9:] - affine[:3, :3] @ centre
    return affine


def glioblastoma():
    for patient in ("01", "05"):
        folder = DATA / "gbm-brain-tumor-progression" / patient
        before, after = (from_nifti(folder / f"{when}_Scan_T1.nii.gz") for when in ("Pre", "Post"))
        masks = [from_nifti(folder / f"{when}_Mask.nii.gz").array > 0 for when in ("Pre", "Post")]
        found = report(f"gbm {patient}, second on first", after, before)
        here = after.grid.to_lps_mm(np.argwhere(masks[1]))
        index = np.rint(before.grid.to_index_zyx(found.map_points(here))).astype(int)
        inside = ((index >= 0) & (index < masks[0].shape)).all(axis=1)
        hit = masks[0][tuple(index[inside].T)].sum()
        print(
            f"    tumour voxels {masks[0].sum()} -> {masks[1].sum()} "
            f"({100 * (masks[1].sum() / masks[0].sum() - 1):+.0f} %); "
            f"of the second {100 * hit / masks[1].sum():.0f} % lie in the first after alignment, "
            f"Dice {2 * hit / (masks[0].sum() + masks[1].sum()):.2f} (growth lowers it)"
        )
        change_in_voxels(after, before, found, masks[1])


def change_in_voxels(after, before, found, tumour):
    """Tell what the map says of a pair without true sizes: in voxels of the second scan."""
    try:
        mapped = change.change_map(after, before, found)
    except change.NoChangeMap as refusal:
        print(f"    no map: {refusal}")
        return
    for sign in ("increase", "decrease"):
        marked = mapped.mask_of(sign)
        print(
            f"    {sign}: {marked.sum()} voxels in {sum(c.sign == sign for c in mapped.clusters)} clusters, "
            f"{(marked & tumour).sum()} of them in the second tumour mask"
        )
    grown = mapped.log_jacobian[tumour]
    print(f"    log-Jacobian in the tumour: median {np.nanmedian(grown):+.2f} (1 is 2.7 times the volume)")


def single_slices():
    for folder in sorted((DATA / "ct-pairs-ny-sbu").glob("A*")):
        for path in sorted((folder / "axial").glob("*.dcm")):
            try:
                volumes.read_volume([path])
                print(f"ct {folder.name}: a single slice was taken for a volume")
            except volumes.NotAVolume as refusal:
                print(f"ct {folder.name}: refused, {type(refusal).__name__}")


if __name__ == "__main__":
    single_slices()
    multiple_sclerosis()
    glioblastoma()
