"""Nodules in the lungs: blobs of every size, then the question whether each is a nodule or a vessel."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.kernel.quantities import Quantity
from sightline.science.geometry import Floats
from sightline.science.segmentation._lungs import midline_lps_mm, segment_lungs
from sightline.science.segmentation._measure import (
    CALIPER,
    FINE_MM,
    Axes,
    Region,
    cut_out,
    measure_axes,
    partial_volume,
)
from sightline.science.segmentation._model import Lesion, Mask, NoLesionHere, NotHounsfield
from sightline.science.volumes import Volume

SCALES_MM = (4.0, 5.5, 7.5, 10.5, 14.5, 20.0, 28.0)
"""Diameters that are sought; sigma of the Gaussian is diameter / (2 sqrt(3))."""

LEAST_RESPONSE_HU = 110.0
"""Least scale-normalised Laplacian; a solid 4 mm nodule gives about 200 HU at 2 mm slices."""

LEAST_SMOOTH_HU = -680.0
"""Least value after smoothing at the blob's own scale; noise in empty lung stays below."""

LEAST_BLOBNESS = 0.22
"""Least ratio of smallest to largest curvature; 1 for a sphere, 0 for a tube."""

LEAST_SCORE = 0.5
LUNG_HU = -850.0


def find_nodules(
    volume: Volume,
    *,
    lungs: Mask | None = None,
    min_diameter_mm: float = 4.0,
    max_diameter_mm: float = 30.0,
) -> tuple[Lesion, ...]:
    """Return the nodules of the lungs, the surest first.

    Multi-scale Laplacian of Gaussian inside the closed lungs, curvature ratio against tubes and walls, then
    a cut out of each candidate that is judged by roundness and by how little of its surface touches other
    bright tissue. Classical and explainable; it is no replacement for a trained detector.
    Solid nodules only. What touches the pleura is cut at the closed lung and measured 10 to 30 % too small
    with 5 mm slices, more from 18 mm on.

    Parameters
    ----------
    volume : HU
    lungs : bool (z, y, x)
        From `segment_lungs`; found when not given.
    min_diameter_mm, max_diameter_mm
        Limits on the diameter of the sphere of equal volume.

    Raises
    ------
    NotHounsfield, LungsNotFound
        As `segment_lungs`.

    References
    ----------
    Lindeberg, IJCV 1998;30:79 (scale-normalised Laplacian); Frangi et al., MICCAI 1998 (curvature ratios).
    """
    if lungs is None:
        lungs = segment_lungs(volume)
    midline = midline_lps_mm(volume)
    found = [
        lesion
        for index, diameter in _candidates(volume, lungs)
        if (lesion := _judged(volume, index, diameter, lungs, midline)) is not None
        and min_diameter_mm <= lesion.diameter_mm <= max_diameter_mm
    ]
    return _without_overlaps(found)


CLICK_ROOM = 4
"""A clicked lesion may be this many times larger than it was said to be."""


def segment_lesion_at(
    volume: Volume, point_lps_mm: npt.ArrayLike, *, diameter_mm: float = 10.0, lungs: Mask | None = None
) -> Lesion:
    """Return the lesion at one click.

    Parameters
    ----------
    point_lps_mm
        A point inside the lesion.
    diameter_mm
        Rough size; tried again with twice and four times as much when the lesion fills the surroundings.

    Raises
    ------
    NoLesionHere
        If the point lies outside the volume, nothing stands out there, or what does has no edge nearby.
    """
    if volume.unit != "HU":
        raise NotHounsfield(
            f"Lesions are cut out in HU, not in {volume.unit or 'unknown units'}; choose a CT."
        )
    index = volume.grid.to_index_zyx(point_lps_mm)[0]
    if not volume.grid.contains(point_lps_mm)[0]:
        raise NoLesionHere("The point lies outside the volume; click inside the lesion.")
    for size in (diameter_mm, 2 * diameter_mm, CLICK_ROOM * diameter_mm):
        region = cut_out(volume, index, diameter_mm=size, within=lungs)
        if not _touches_box(region, volume):
            break
    else:
        raise NoLesionHere(
            "What was clicked does not stand out from its surroundings: it has no edge within "
            f"{CLICK_ROOM * diameter_mm:.0f} mm. Click inside a lesion that does."
        )
    return _lesion(volume, region, lungs=lungs, midline=midline_lps_mm(volume))


def _touches_box(region: Region, volume: Volume) -> bool:
    """Tell whether the mask reaches a face of its box that is no face of the volume."""
    for axis in range(3):
        planes = np.flatnonzero(region.mask.any(axis=tuple(a for a in range(3) if a != axis)))
        part = region.box[axis]
        low = part.start > 0 and len(planes) > 0 and planes[0] == 0
        high = part.stop < volume.array.shape[axis] and len(planes) > 0
        if low or (high and planes[-1] == region.mask.shape[axis] - 1):
            return True
    return False


def _candidates(volume: Volume, lungs: Mask) -> Iterator[tuple[Floats, float]]:
    """Yield voxel indices and rough diameters of blobs, strongest first within each peak."""
    where = ndimage.find_objects(lungs.astype(np.uint8))[0]
    spacing = np.array(volume.grid.spacing_xyz_mm[::-1])
    strides = np.maximum(1, np.rint(1.3 / spacing)).astype(int)
    start = np.array([part.start for part in where])
    step = tuple(slice(p.start, p.stop, int(s)) for p, s in zip(where, strides, strict=True))
    inside = lungs[step]
    hu = np.asarray(volume.array[where], dtype=np.float32)
    if strides.max() > 1:
        hu = ndimage.uniform_filter(hu, strides.tolist())[tuple(slice(None, None, int(s)) for s in strides)]
    # What lies outside the lungs is made lung, so that the chest wall is no bright blob.
    hu = np.where(inside, np.clip(hu, -1000, 150), np.float32(LUNG_HU))
    mm = spacing * strides
    strongest = np.full(hu.shape, -np.inf, dtype=np.float32)
    scale = np.zeros(hu.shape, dtype=np.uint8)
    curvature = np.zeros(hu.shape, dtype=np.float32)
    for number, diameter in enumerate(SCALES_MM):
        sigma = diameter / (2 * np.sqrt(3))
        response, blobness = _blob_response(hu, sigma, mm)
        better = response > strongest
        strongest[better], scale[better] = response[better], number
        curvature[better] = blobness[better]
    peaks = (strongest == ndimage.maximum_filter(strongest, size=3)) & inside
    peaks &= (strongest > LEAST_RESPONSE_HU) & (curvature > LEAST_BLOBNESS)
    places = np.argwhere(peaks)
    for place in places[np.argsort(-strongest[peaks])]:
        yield start + place * strides + (strides - 1) / 2, SCALES_MM[scale[tuple(place)]]


def _blob_response(
    hu: npt.NDArray[np.float32], sigma_mm: float, mm: Floats
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return minus the scale-normalised Laplacian, and the ratio of least to largest curvature."""
    smooth = ndimage.gaussian_filter(hu, sigma_mm / mm, truncate=3.0)
    zz, yy, xx = (second_derivative(smooth, axis, mm) for axis in range(3))
    laplacian = -(sigma_mm**2) * (zz + yy + xx)
    blobness = np.zeros(hu.shape, dtype=np.float32)
    likely = (laplacian > LEAST_RESPONSE_HU) & (smooth > LEAST_SMOOTH_HU)
    if likely.any():
        hessian = np.empty((int(likely.sum()), 3, 3))
        for k, second in enumerate((zz, yy, xx)):
            hessian[:, k, k] = second[likely]
        for i, j in ((0, 1), (0, 2), (1, 2)):
            mixed = np.gradient(np.gradient(smooth, mm[i], axis=i), mm[j], axis=j)[likely]
            hessian[:, i, j] = hessian[:, j, i] = mixed
        curvatures = np.linalg.eigvalsh(hessian)  # ascending: most negative first
        blobness[likely] = np.clip(curvatures[:, 2] / np.minimum(curvatures[:, 0], -1e-6), 0, 1)
    return laplacian.astype(np.float32), blobness


def second_derivative(array: npt.NDArray[np.float32], axis: int, mm: Floats) -> npt.NDArray[np.float32]:
    kernel = np.array([1.0, -2.0, 1.0]) / mm[axis] ** 2
    second: npt.NDArray[np.float32] = ndimage.correlate1d(array, kernel, axis=axis, mode="nearest")
    return second


def _judged(volume: Volume, index: Floats, diameter_mm: float, lungs: Mask, midline: float) -> Lesion | None:
    """Return the candidate as a lesion, or None when it is no nodule or is cut by the edge of the scan."""
    try:
        region = cut_out(volume, index, diameter_mm=diameter_mm, within=lungs)
        if region.mask.sum() < 3 or _touches_box(region, volume) or _at_ends(region, volume):
            return None
        if _shape_score(region) < LEAST_SCORE**2:
            return None
        lesion = _lesion(volume, region, lungs=lungs, midline=midline)
        return lesion if lesion.score >= _least_score(lesion.diameter_mm) else None
    except NoLesionHere:
        return None


def _at_ends(region: Region, volume: Volume) -> bool:
    planes = np.flatnonzero(region.mask.any(axis=(1, 2))) + region.box[0].start
    return bool(planes[0] == 0 or planes[-1] == volume.array.shape[0] - 1)


def _shape_score(region: Region) -> float:
    """Return how free on all sides and how round a cut-out is, and whether it is as bright as solid
    tissue."""
    free = _ramp(region.isolation, 0.82, 0.94)
    round_ = _ramp(region.roundness, 0.30, 0.60)
    solid = _ramp(region.threshold_hu, -640.0, -540.0)
    return free * round_ * solid


def _score(region: Region, axes: Axes, diameter_mm: float) -> float:
    """Return how much a cut-out looks like a nodule (0 to 1): shape, and axes that fit its volume."""
    compact = 1.0 - _ramp(axes.long_mm / max(diameter_mm, 0.1), 1.2, 1.6)
    across = _ramp(axes.short_mm / max(axes.long_mm, 0.1), 0.40, 0.75)
    return float(np.sqrt(_shape_score(region) * compact * across))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


def _least_score(diameter_mm: float) -> float:
    """Return the score a candidate needs: more where it is so small that vessel knots look alike."""
    return LEAST_SCORE + 0.35 * (1.0 - _ramp(diameter_mm, 4.0, 6.0))


def _lesion(volume: Volume, region: Region, *, lungs: Mask | None, midline: float) -> Lesion:
    size, _ = partial_volume(volume, region)
    axes = measure_axes(volume, region)
    rows = np.argwhere(region.mask)
    low, high = rows.min(axis=0), rows.max(axis=0) + 1
    start = np.array([part.start for part in region.box])
    x, y, z = (float(v) for v in volume.grid.to_lps_mm(rows.mean(axis=0) + start)[0])
    values = np.asarray(volume.array[region.box], dtype=float)[region.mask]
    location, side = _location(volume, (x, y, z), lungs, midline)
    offset = (int(start[0] + low[0]), int(start[1] + low[1]), int(start[2] + low[2]))
    mask = region.mask[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    error = float(np.hypot(FINE_MM, min(volume.grid.spacing_xyz_mm)) / 2)
    return Lesion(
        mask=mask,
        offset_zyx=offset,
        grid=volume.grid.cropped(offset, (mask.shape[0], mask.shape[1], mask.shape[2])),
        centre_lps_mm=(x, y, z),
        volume=size,
        long_axis=_length(axes.long_mm, error),
        long_axis_lps_mm=axes.long_lps_mm,
        short_axis=_length(axes.short_mm, error),
        short_axis_lps_mm=axes.short_lps_mm,
        axis_slice=axes.z,
        mean_hu=Quantity(float(values.mean()), "[hnsf'U]", "mean over the mask"),
        score=_score(region, axes, (6 * max(size.value, 0.0) / np.pi) ** (1 / 3)),
        location=location,
        side=side,
    )


def _length(value: float, error_mm: float) -> Quantity:
    return Quantity(value, "mm", CALIPER, max(value - 1.96 * error_mm, 0.0), value + 1.96 * error_mm)


def _location(
    volume: Volume, centre: tuple[float, float, float], lungs: Mask | None, midline: float
) -> tuple[str, Literal["R", "L"] | None]:
    """Return plain words for a place; thirds only when the scan shows the lung from apex to base."""
    if lungs is None:
        return "lesion", None
    side: Literal["R", "L"] = "L" if centre[0] > midline else "R"
    lung = "left lung" if side == "L" else "right lung"
    areas = lungs.sum(axis=(1, 2))
    shown = np.flatnonzero(areas > 0)
    whole = max(int(areas[0]), int(areas[-1])) < 0.25 * int(areas.max())
    if not whole or abs(volume.grid.axes[2, 2]) < 0.9:
        return lung, side
    corners = volume.grid.to_lps_mm([[shown[0], 0, 0], [shown[-1], 0, 0]])[:, 2]
    share = (centre[2] - corners.min()) / max(float(np.ptp(corners)), 1.0)
    third = "lower" if share < 1 / 3 else "middle" if share < 2 / 3 else "upper"
    return f"{lung}, {third} third", side


def _without_overlaps(lesions: list[Lesion]) -> tuple[Lesion, ...]:
    kept: list[Lesion] = []
    for lesion in sorted(lesions, key=lambda found: (-found.score, -found.volume.value)):
        centre = np.array(lesion.centre_lps_mm)
        clash = any(
            np.linalg.norm(centre - other.centre_lps_mm) < max(lesion.diameter_mm, other.diameter_mm) / 2 + 1
            for other in kept
        )
        if not clash:
            kept.append(lesion)
    return tuple(kept)
