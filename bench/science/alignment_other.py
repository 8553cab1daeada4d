"""Alignment beyond CT on CT: MR sequences, CT with MR, radiographs, single slices; and planted failures.

python bench/science/alignment_other.py [mr] [ct] [slices] [xray]

mr      two visits of an MS patient against the data set's own affine transforms (TRE over the brightest
        tenth), two glioblastoma patients; planted: other patients, mirrored, upside down, back to front, a
        leg for a head, the same head bent by 3 to 10 mm (what another person's gyri are like)
ct      a real CT against itself in MR-like values (a curve that rises and falls) under known rigid motions;
        a leg in CT and in MR
slices  single CT slices of four patients at two dates; planted: every pair of two patients, slices of a
        fifth patient, mirrored and upside down
xray    chest radiographs of three patients over years; planted: every pair of two patients, pairs out of 340
        other radiographs, mirrored
"""

import itertools
import os
import sys
import time
from pathlib import Path

import numpy as np
import pydicom
from longitudinal import from_nifti, itk_affine
from PIL import Image
from scipy import ndimage

from sightline.science import alignment, volumes

DATA = Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
SCLEROSIS = DATA / "longitudinal" / "ms-lesion-patient12" / "raw"
GLIOMA = DATA / "longitudinal" / "gbm-brain-tumor-progression"
LEG = DATA / "petct" / "sts-001-registered-subset"


class Count:
    """How many true pairs were shown and how many planted failures were refused."""

    def __init__(self):
        self.shown, self.true, self.refused, self.planted = 0, 0, 0, 0

    def add(self, name, found, took, *, planted, more=""):
        usable = found.verdict != "failed"
        self.true += not planted
        self.planted += planted
        self.shown += usable and not planted
        self.refused += planted and not usable
        mark = "WRONG " if planted and usable else ""
        values = " ".join(f"{test.value:.2f}" for test in found.tests)
        print(f"{mark}{name}: {found.verdict} [{values}] {took:.1f} s{more}", flush=True)

    def report(self, what):
        print(
            f"== {what}: true pairs shown {self.shown} of {self.true}, "
            f"planted failures refused {self.refused} of {self.planted}\n",
            flush=True,
        )


def timed(fixed, moving):
    start = time.perf_counter()
    found = alignment.align(fixed, moving, model="rigid")
    return found, time.perf_counter() - start


def flipped(volume, axis):
    return volume.with_array(np.ascontiguousarray(np.flip(volume.array, axis)))


def bent(volume, mean_mm, seed):
    """Return the volume under a smooth random displacement of that mean length, correlated over 20 mm."""
    rng = np.random.default_rng(seed)
    spacing = np.array(volume.grid.spacing_xyz_mm[::-1])
    field = np.stack(
        [ndimage.gaussian_filter(rng.standard_normal(volume.array.shape), 20 / spacing) for _ in range(3)]
    )
    field *= mean_mm / np.sqrt((field**2).sum(axis=0)).mean() / spacing[:, None, None, None]
    places = np.indices(volume.array.shape) + field
    return volume.with_array(ndimage.map_coordinates(volume.array, places, order=1, mode="nearest"))


def leg(modality):
    return volumes.read_volume(sorted((LEG / modality / "dicom" / "image").glob("*.dcm")))


def magnetic_resonance():
    head = {
        (visit, kind): from_nifti(SCLEROSIS / f"study{visit}_{kind}.nii.gz")
        for visit in (1, 2)
        for kind in ("FLAIR", "T1W")
    }
    tumour = {
        (patient, when): from_nifti(GLIOMA / patient / f"{when}_Scan_T1.nii.gz")
        for patient in ("01", "05")
        for when in ("Pre", "Post")
    }
    # Each carries points of its target to its own image, as ITK's resampling does.
    to_common = {k: itk_affine(SCLEROSIS / f"study{k}_FLAIR_to_common_space.txt") for k in (1, 2)}
    own = {("FLAIR", k): np.eye(4) for k in (1, 2)}
    own |= {("T1W", k): itk_affine(SCLEROSIS / f"study{k}_T1W_intrastudy_to_FLAIR.txt") for k in (1, 2)}

    def theirs(kind, prior_kind, points):
        chain = own[prior_kind, 1] @ to_common[1] @ np.linalg.inv(to_common[2]) @ np.linalg.inv(own[kind, 2])
        return points @ chain[:3, :3].T + chain[:3, 3]

    count = Count()
    for kind in ("FLAIR", "T1W"):
        for prior_kind in ("FLAIR", "T1W"):
            current, prior = head[2, kind], head[1, prior_kind]
            found, took = timed(current, prior)
            bright = np.argwhere(current.array > np.percentile(current.array, 90))[::500]
            points = current.grid.to_lps_mm(bright)
            goal = theirs(kind, prior_kind, points)
            error = np.linalg.norm(found.map_points(points) - goal, axis=1)
            before = np.linalg.norm(points - goal, axis=1).mean()
            more = (
                f"; before {before:.2f}, TRE mean {error.mean():.2f}, p95 {np.percentile(error, 95):.2f} mm"
            )
            count.add(f"MS {kind} on {prior_kind}", found, took, planted=False, more=more)
    count.add("MS FLAIR on T1W, one visit", *timed(head[1, "FLAIR"], head[1, "T1W"]), planted=False)
    for patient in ("01", "05"):
        pair = timed(tumour[patient, "Post"], tumour[patient, "Pre"])
        count.add(f"GBM {patient}", *pair, planted=False)

    flair, t1 = head[2, "FLAIR"], head[1, "T1W"]
    planted = {
        "GBM 01 on 05": (tumour["01", "Post"], tumour["05", "Pre"]),
        "GBM 05 on 01": (tumour["05", "Post"], tumour["01", "Post"]),
        "GBM 05 on 01, first visits": (tumour["05", "Pre"], tumour["01", "Pre"]),
        "MS FLAIR on GBM 01": (flair, tumour["01", "Pre"]),
        "MS T1W on GBM 05": (head[2, "T1W"], tumour["05", "Pre"]),
        "GBM 01 on its mirror": (tumour["01", "Post"], flipped(tumour["01", "Pre"], 2)),
        "GBM 05 on its mirror": (tumour["05", "Post"], flipped(tumour["05", "Pre"], 2)),
        "MS T1W on its mirror": (head[2, "T1W"], flipped(t1, 2)),
        "MS FLAIR on its mirror": (flair, flipped(head[1, "FLAIR"], 2)),
        "MS T1W on a leg": (head[2, "T1W"], leg("MR_T1")),
        "a leg on MS T1W": (leg("MR_T1"), head[2, "T1W"]),
        "a leg in CT on MS T1W": (leg("CT"), t1),
    }
    for axis, name in enumerate(("upside down", "back to front", "mirrored")):
        planted[f"MS FLAIR on T1W {name}"] = (flair, flipped(t1, axis))
    for mm in (3, 6, 10):
        planted[f"MS FLAIR on T1W bent by {mm} mm"] = (flair, bent(t1, mm, seed=mm))
        planted[f"MS FLAIR on FLAIR bent by {mm} mm"] = (flair, bent(head[1, "FLAIR"], mm, seed=mm))
    for name, pair in planted.items():
        count.add(name, *timed(*pair), planted=True)
    count.report("MR")


def like_magnetic_resonance(volume, rng):
    """Return a CT with values as MR might have them: fat bright, muscle grey, air and bone dark."""
    curve = np.interp(
        volume.array, (-1000, -200, -100, -20, 40, 120, 300, 3000), (0, 50, 900, 250, 400, 600, 80, 0)
    )
    return volumes.Volume((curve + rng.normal(0, 20, curve.shape)).astype(np.float32), volume.grid, unit="1")


def moved_ct(volume, matrix):
    """Return the volume M with M(p) = volume(matrix p)."""
    points = volume.grid.to_lps_mm(np.indices(volume.grid.shape_zyx).reshape(3, -1).T)
    index = volume.grid.to_index_zyx(points @ matrix[:3, :3].T + matrix[:3, 3]).T
    array = ndimage.map_coordinates(volume.array.astype(np.float32), index, order=1, cval=-1000.0)
    return volume.with_array(array.reshape(volume.array.shape))


def computed_tomography():
    ct = volumes.read_volume(sorted((DATA / "ct" / "crlm-ct-1004-abdomen" / "image").glob("*.dcm")))
    thinner = ct.grid.resampled((2.0, 2.0, 5.0))
    index = ct.grid.to_index_zyx(thinner.to_lps_mm([[0, 0, 0], [1, 1, 1]]))
    array = ndimage.affine_transform(
        ct.array.astype(np.float32), index[1] - index[0], offset=index[0],
        output_shape=thinner.shape_zyx, order=1, mode="nearest",
    )  # fmt: skip
    ct = volumes.Volume(array, thinner)
    rng = np.random.default_rng(8)
    resonance = like_magnetic_resonance(ct, rng)
    where = np.argwhere(array[::4, ::12, ::12] > -200) * [4, 12, 12]
    points = ct.grid.to_lps_mm(where)
    count = Count()
    for number in range(3):
        angle = np.radians(rng.uniform(-6, 6))
        matrix = np.eye(4)
        matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        centre = points.mean(axis=0)
        matrix[:3, 3] = centre - matrix[:3, :3] @ centre + rng.uniform(-10, 10, 3)
        found, took = timed(moved_ct(ct, matrix), resonance)
        goal = points @ matrix[:3, :3].T + matrix[:3, 3]
        error = np.linalg.norm(found.map_points(points) - goal, axis=1)
        more = f"; before {np.linalg.norm(goal - points, axis=1).mean():.2f}, TRE mean {error.mean():.2f} mm"
        count.add(f"CT on its MR-like self, motion {number}", found, took, planted=False, more=more)
    for axis, name in enumerate(("upside down", "back to front", "mirrored")):
        count.add(f"CT on its MR-like self {name}", *timed(ct, flipped(resonance, axis)), planted=True)
    count.add("CT of a trunk on MR of a leg", *timed(ct, leg("MR_T1")), planted=True)
    count.add("CT of a leg on its mirrored MR", *timed(leg("CT"), flipped(leg("MR_T1"), 2)), planted=True)
    count.report("CT with MR")
    lies = Count()
    lies.add("leg, CT on MR (not in one pose)", *timed(leg("CT"), leg("MR_T1")), planted=False)
    lies.report("the leg, which no rigid motion explains")


def timed_pictures(fixed, moving, kind):
    start = time.perf_counter()
    found = alignment.align_images(fixed, moving, kind=kind)
    return found, time.perf_counter() - start


def turned(picture, axis):
    return alignment.Picture(np.ascontiguousarray(np.flip(picture.array, axis)), picture.spacing_yx_mm)


def slice_of(path):
    return alignment.read_picture(pydicom.dcmread(path))


def single_slices():
    paths = sorted((DATA / "longitudinal" / "ct-pairs-ny-sbu").glob("*/axial/*.dcm"))
    pictures = {(path.parts[-3], path.stem): slice_of(path) for path in paths}
    fifth = sorted((DATA / "ct" / "crlm-ct-1004-abdomen" / "image").glob("*.dcm"))[2::4]
    count = Count()
    for (a, fixed), (b, moving) in itertools.combinations(pictures.items(), 2):
        pair = timed_pictures(fixed, moving, "slice")
        count.add(f"{a[0]} {a[1]} on {b[0]} {b[1]}", *pair, planted=a[0] != b[0])
    for name, picture in pictures.items():
        for axis, how in enumerate(("upside down", "mirrored")):
            pair = timed_pictures(picture, turned(picture, axis), "slice")
            count.add(f"{name[0]} on itself {how}", *pair, planted=True)
    for path in fifth:
        for name, picture in list(pictures.items())[::2]:
            pair = timed_pictures(picture, slice_of(path), "slice")
            count.add(f"{name[0]} on a fifth patient", *pair, planted=True)
    count.report("single CT slices")


def radiographs():
    nominal_mm = 0.4  # the PNG files give no spacing; a chest 40 cm wide fills 1024 pixels
    paths = sorted((DATA / "longitudinal" / "cxr-followup-nih").glob("*/*.png"))
    pictures = {
        path.stem.split("__")[1]: alignment.Picture(np.array(Image.open(path)), (nominal_mm, nominal_mm))
        for path in paths
    }
    count = Count()
    for (a, fixed), (b, moving) in itertools.combinations(pictures.items(), 2):
        pair = timed_pictures(fixed, moving, "radiograph")
        count.add(f"{a} on {b}", *pair, planted=a[:8] != b[:8])
    for (a, fixed), (b, moving) in itertools.combinations_with_replacement(pictures.items(), 2):
        if a[:8] == b[:8]:
            pair = timed_pictures(fixed, turned(moving, 1), "radiograph")
            count.add(f"{a} on mirrored {b}", *pair, planted=True)
    others = sorted((DATA / "cxr-triage-train").glob("**/*.png"))
    rng = np.random.default_rng(12)
    for _ in range(100):
        one, two = (others[n] for n in rng.choice(len(others), 2, replace=False))
        if patient_of(one) == patient_of(two):
            continue
        fixed, moving = (
            alignment.Picture(np.array(Image.open(path).convert("L")), (1.6, 1.6)) for path in (one, two)
        )
        count.add("two of the 340", *timed_pictures(fixed, moving, "radiograph"), planted=True)
    count.report("chest radiographs")


def patient_of(path):
    return path.stem.split("__")[-1].split("_")[0]


PARTS = {
    "mr": magnetic_resonance,
    "ct": computed_tomography,
    "slices": single_slices,
    "xray": radiographs,
}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
