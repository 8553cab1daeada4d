"""Real pairs of two dates: what alignment can and cannot do on them.

python bench/science/longitudinal.py

ms      FLAIR at two visits, with the data set's own affine transforms to a common space and a brain mask
gbm     T1 with contrast at two visits; affines are placeholders (1 mm): volumes in voxels
ct      one axial slice per date: no volume, so Sightline must refuse
"""

import os
import time
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from sightline.science import alignment, volumes
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
