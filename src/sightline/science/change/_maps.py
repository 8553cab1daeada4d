"""Where a scan changed since its prior: matched, subtracted, and judged against its own noise."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from sightline.kernel.quantities import Quantity
from sightline.science.alignment import Alignment
from sightline.science.change._clusters import Found, find_clusters, resel_voxels
from sightline.science.change._jacobian import local_error, log_jacobian
from sightline.science.change._lattice import box_statistics, median
from sightline.science.change._map_model import (
    AlignmentNotTrusted,
    Array,
    ChangeMap,
    Cluster,
    ContrastDiffers,
    Mask,
    ModalityDiffers,
    Technique,
    TooLittleShared,
    UnusableRegion,
)
from sightline.science.change._matching import (
    Blur,
    map_grid,
    match_gain,
    match_values,
    on_map,
    sampled_alike,
    sharpness_gap,
)
from sightline.science.change._noise import standardise
from sightline.science.change._technique import require_alike, technique_from_unit
from sightline.science.geometry import Grid
from sightline.science.volumes import Volume

SMOOTHING_MM = 3.0
"""Full width at half maximum: a filter as wide as the smallest lesion that is told."""

LEAST_SHARED = 0.25
"""Part of the current scan's patient that the prior must show."""

LEAST_VOXELS = 1000

LUNG_HU = -500.0
SOFT_HU = (-50.0, 150.0)
OFFSET_HU = 20.0
OFF_BOXES = 0.25
"""Soft tissue that differs by 20 HU in a quarter of all boxes is enhanced differently."""

METHOD = "difference after deformable alignment, matched for sharpness and scale, over local noise and edges"
SOURCE = (
    "cluster extent and peak in a Gaussian field (Friston 1994, Chumbley 2010), Benjamini-Hochberg q 0.05; "
    "empirical null (Efron 2004)"
)
_UNITS = {"CT": "[hnsf'U]", "MR": "1", "PT": "g/ml"}
_FWHM = math.sqrt(8 * math.log(2))


def change_map(
    current: Volume,
    prior: Volume,
    alignment: Alignment,
    *,
    techniques: tuple[Technique, Technique] | None = None,
    within: Mask | None = None,
) -> ChangeMap:
    """Return where `current` differs from `prior` beyond what noise, edges and technique explain.

    The prior is carried over by the alignment in one step; the thinner and the sharper scan is blurred to the
    other, MR is matched in scale and gain, lung in density to its stretch; both are smoothed to 3 mm. Their
    difference is divided by its own local noise and by what an edge does that is slightly off, and clusters
    beyond |z| 3 are kept that a field of noise as smooth would show in 5 of 100 maps only.

    Parameters
    ----------
    current, prior : Volume
        CT in HU, PET in g/ml (SUV), or MR in any scale.
    alignment
        Of `current` (fixed) with `prior` (moving).
    techniques
        Of the current scan and of the prior; without them the unit tells the modality, and contrast and
        weighting are taken for equal.
    within : bool (z, y, x)
        On the grid of `current`: compare there only, such as in a brain mask. Without it, the whole patient.

    Raises
    ------
    AlignmentNotTrusted
        If the alignment failed.
    ModalityDiffers, ContrastDiffers, WeightingDiffers
        If values cannot be compared; of CT also where much soft tissue is offset.
    TooLittleShared
        If the two scans hardly show the same place.
    UnusableRegion
        If `within` is on another grid, or empty.

    References
    ----------
    Schmidt et al., NeuroImage Clin 2019;23:101849 (change against the distribution in normal tissue).
    PMC6510598 (lung density corrected by the Jacobian). See `find_clusters` for the statistics.

    Examples
    --------
    >>> from sightline.science.geometry import Grid
    >>> grid = Grid((24, 64, 64), (1.5, 1.5, 2.0), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> rng = np.random.default_rng(4)
    >>> then, now = rng.normal(40, 10, (2, 24, 64, 64)).astype(np.float32)
    >>> now[10:14, 30:36, 30:36] += 60  # a lesion of 9 x 9 x 8 mm
    >>> still = Alignment("good", "", (), grid, np.zeros((24, 64, 64, 3), np.float32),
    ...                   np.ones((24, 64, 64), np.float32), "")
    >>> found = change_map(Volume(now, grid), Volume(then, grid), still)
    >>> [(cluster.sign, round(cluster.difference.value, -1)) for cluster in found.clusters]
    [('increase', 30.0)]
    """
    taken = techniques or (technique_from_unit(current), technique_from_unit(prior))
    notes = [*require_alike(*taken)] if techniques else []
    _require_comparable(current, prior, alignment, taken)
    kind = taken[0].modality
    grid = map_grid(current.grid)
    now, then, seen = sampled_alike(current, prior, alignment, grid)
    mask = _shared(now, then, seen, kind, grid)
    mask = _in_region(mask, within, current.grid, grid)
    growth = log_jacobian(alignment, grid)
    now, then, told = _matched(now, then, mask, grid, kind)
    notes += told
    if kind == "CT":
        _require_one_phase(now, then, mask, grid)
        then = _as_inflated(now, then, growth)
    difference, ratio, z = _compared(now, then, mask, grid, kind, local_error(alignment, grid))
    labels, found = find_clusters(z, mask, grid.voxel_mm3)
    clusters = _described(found, labels, difference, resel_voxels(z, mask), grid, kind)
    if alignment.verdict == "care":
        notes.append(f"The alignment is to be used with care: {alignment.reason}")
    growth[~mask] = np.nan
    return ChangeMap(
        grid, z, difference, ratio, growth, labels, clusters,
        _UNITS[kind], SMOOTHING_MM, METHOD, SOURCE, tuple(notes),
    )  # fmt: skip


def _require_comparable(
    current: Volume, prior: Volume, alignment: Alignment, taken: tuple[Technique, Technique]
) -> None:
    if alignment.verdict == "failed":
        raise AlignmentNotTrusted(f"The two scans could not be aligned: {alignment.reason}")
    if taken[0].modality != taken[1].modality or current.unit != prior.unit:
        raise ModalityDiffers(
            f"The two scans are in different units ({current.unit} now, {prior.unit} then), so nothing is "
            "subtracted; choose a prior of the same kind."
        )
    if taken[0].modality not in _UNITS:
        raise ModalityDiffers(
            f"Values in {current.unit} are not compared over time; give CT in HU, PET as SUV in g/ml, or MR."
        )


def _in_region(mask: Mask, within: Mask | None, own: Grid, grid: Grid) -> Mask:
    """Return what of the mask lies in a region on the grid of the current scan."""
    if within is not None:
        if within.shape != own.shape_zyx or not within.any():
            raise UnusableRegion("The region must be on the grid of the current scan and hold a voxel.")
        mask = mask & (on_map(Volume(within.astype(np.float32), own), grid) >= 0.5)
    if mask.sum() < LEAST_VOXELS:
        raise TooLittleShared("Hardly any voxel is left to compare; choose a larger region.")
    return mask


def _shared(now: Array, then: Array, seen: Mask, kind: str, grid: Grid) -> Mask:
    """Return the voxels of the patient that both scans show, without the outermost."""
    body = _body(now, kind)
    both = body & _body(then, kind) & seen
    if not both.any() or both.sum() < LEAST_SHARED * body.sum():
        raise TooLittleShared(
            f"Only {100 * both.sum() / max(body.sum(), 1):.0f} % of the patient in the current scan is in "
            f"the prior ({100 * LEAST_SHARED:.0f} % are needed); choose a prior of the same region."
        )
    inner = ndimage.binary_erosion(both, iterations=2, border_value=1) & _off_the_faces(grid)
    return np.asarray(inner)


def _off_the_faces(grid: Grid) -> Mask:
    """Return the voxels that the filter does not smooth with what lies beyond the scan."""
    inner = np.zeros(grid.shape_zyx, dtype=bool)
    faces = [round(2 * SMOOTHING_MM / _FWHM / mm) for mm in grid.spacing_xyz_mm[::-1]]
    inner[tuple(slice(n, size - n) for n, size in zip(faces, grid.shape_zyx, strict=True))] = True
    return inner


def _body(values: Array, kind: str) -> Mask:
    """Return what is patient: the largest piece above a threshold, filled plane by plane."""
    if kind == "CT":
        above = values > LUNG_HU
    else:
        from skimage.filters import threshold_otsu

        some = values.ravel()[:: 1 + values.size // 500_000]
        above = values > 0.5 * threshold_otsu(some)
    labels, count = ndimage.label(ndimage.binary_opening(above))
    if count == 0:
        return np.ones(values.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.stack([ndimage.binary_fill_holes(plane) for plane in labels == sizes.argmax()])


def _matched(now: Array, then: Array, mask: Mask, grid: Grid, kind: str) -> tuple[Array, Array, list[str]]:
    """Return both scans in one scale and of one sharpness, and what was done to them."""
    told = []
    if kind == "MR":
        then = match_values(now, match_gain(now, then, mask), mask)
        told.append("MR was matched to the current scan in gain (a smooth field) and scale (quantiles).")
    blurs: list[Blur] = []
    for _ in range(2):  # the estimate is of first order: once more, from where the first came
        blurs.append(sharpness_gap(now, then, mask, grid))
        now, then = _blurred(now, then, blurs[-1], grid)
    words = "; then ".join(blur.text for blur in blurs if blur.text)
    if words:
        told.append(f"Blurred to one sharpness (standard deviation): {words}.")
    return now, then, told


def _blurred(now: Array, then: Array, blur: Blur, grid: Grid) -> tuple[Array, Array]:
    sides = ((now, blur.of("current", grid)), (then, blur.of("prior", grid)))
    one, other = (ndimage.gaussian_filter(a, sigma) if max(sigma) > 0 else a for a, sigma in sides)
    return one, other


def _require_one_phase(now: Array, then: Array, mask: Mask, grid: Grid) -> None:
    """Refuse CT whose soft tissue is offset in many places, as by another phase of contrast."""
    low, high = SOFT_HU
    soft = mask & (now > low) & (now < high) & (then > low) & (then < high)
    offsets = box_statistics(median, ndimage.binary_erosion(soft), grid.spacing_xyz_mm[::-1], now - then)
    known = np.abs(offsets[np.isfinite(offsets)])
    if len(known) and (known > OFFSET_HU).mean() > OFF_BOXES:
        share = 100 * (known > OFFSET_HU).mean()
        raise ContrastDiffers(
            f"Soft tissue differs by more than {OFFSET_HU:.0f} HU in {share:.0f} % of places, as in another "
            "phase of contrast; compare sizes, or choose another prior."
        )


def _as_inflated(now: Array, then: Array, growth: Array) -> Array:
    """Return the prior with its lung as dense as it would be at the current inspiration.

    Mass is kept: density now is density then times the volume then over the volume now.
    """
    lung = (now < LUNG_HU) & (then < LUNG_HU)
    stretched = (then + 1000.0) * np.exp(-np.nan_to_num(growth)) - 1000.0
    return np.where(lung, stretched, then).astype(np.float32)


def _compared(
    now: Array, then: Array, mask: Mask, grid: Grid, kind: str, error_mm: Array
) -> tuple[Array, Array | None, Array]:
    """Return difference, ratio and z of two matched scans, NaN outside the mask."""
    sigma = [SMOOTHING_MM / _FWHM / mm for mm in grid.spacing_xyz_mm[::-1]]
    now, then = (ndimage.gaussian_filter(image, sigma) for image in (now, then))
    images = _stabilised(now, then, mask) if kind == "PT" else (now, then)
    z, left = standardise(images[0] - images[1], images, mask, grid, error_mm)
    difference = now - then if kind == "PT" else left
    difference[~mask] = np.nan
    if kind == "CT":
        return difference, None, z
    usable = mask & (then > 0.05 * float(np.median(then[mask])))
    ratio = np.full(now.shape, np.nan, np.float32)
    ratio[usable] = now[usable] / then[usable]
    return difference, ratio, z


def _stabilised(now: Array, then: Array, mask: Mask) -> tuple[Array, Array]:
    """Return PET with a noise that does not grow with uptake: log(1 + value / median)."""
    level = max(float(np.median(then[mask])), 1e-6)
    one, other = (np.log1p(np.maximum(image, 0) / level).astype(np.float32) for image in (now, then))
    return one, other


def _described(
    found: Sequence[Found],
    labels: np.ndarray[tuple[int, ...], np.dtype[np.int32]],
    difference: Array,
    resel: float,
    grid: Grid,
    kind: str,
) -> tuple[Cluster, ...]:
    """Return clusters with place, volume and mean difference."""
    boxes = ndimage.find_objects(labels)
    clusters = []
    for one in found:
        box = boxes[one.label - 1]
        inside = labels[box] == one.label
        start = np.array([axis.start for axis in box])
        x, y, z = grid.to_lps_mm(start + np.array(ndimage.center_of_mass(inside)))[0]
        values = difference[box][inside]
        # Of the mean, by what the cluster's own z says a standard deviation is.
        sigma = abs(float(values[np.abs(values).argmax()]) / one.peak_z)
        half = 1.96 * sigma / math.sqrt(max(1.0, one.voxels / resel))
        mean = float(values.mean())
        clusters.append(
            Cluster(
                label=one.label,
                sign=one.sign,
                centre_lps_mm=(float(x), float(y), float(z)),
                volume=Quantity(one.voxels * grid.voxel_mm3, "mm3", "voxels beyond |z| 3"),
                difference=Quantity(
                    mean, _UNITS[kind], "mean of current less prior", mean - half, mean + half
                ),
                peak_z=one.peak_z,
                p=one.p,
                q=one.q,
            )
        )
    return tuple(clusters)
