"""The engine behind alignment: the one place that calls SimpleITK and elastix.

Fixed = current, moving = prior. Arrays are (z, y, x); displacement fields are (z, y, x, 3) in LPS mm.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.kernel.errors import Unavailable
from sightline.science.alignment._model import Field
from sightline.science.geometry import Floats, Grid
from sightline.science.volumes import Volume

if TYPE_CHECKING:
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


PADDING_MM = 40.0

LEAST_OVERLAP = 0.35
"""Part of the smaller body that two scans must share to be aligned at all."""


class EngineFailed(Unavailable):
    """The registration engine stopped; try again, or compare by slice position only."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A volume as the engine sees it: isotropic, 0 to 1, with masks of what is patient and what was scanned.

    A column that leaves the patient within `PADDING_MM` of the first or last slice does so because nothing
    was scanned there (a reformatted or moved scan): `covered` is false, and the values are those at the edge.
    """

    values: Array
    body: Mask
    covered: Mask
    grid: Grid


def prepare(volume: Volume, spacing_mm: float) -> Prepared:
    """Return the volume averaged down to an isotropic grid, its values mapped to 0 to 1."""
    grid = volume.grid.resampled((spacing_mm, spacing_mm, spacing_mm))
    sigma = [0.42 * max(spacing_mm / mm - 0.6, 0.0) for mm in volume.grid.spacing_xyz_mm[::-1]]
    smooth = ndimage.gaussian_filter(np.asarray(volume.array, dtype=np.float32), sigma)
    values = _on_grid(smooth, volume.grid, grid)
    if volume.unit == "HU":
        values = np.clip((values + 1000.0) / 1300.0, 0.0, 1.0)
        body = _largest(values > 0.45)
    else:
        low, high = np.percentile(values, (2, 99.5))
        values = np.clip((values - low) / max(float(high - low), 1e-6), 0.0, 1.0)
        body = _largest(values > 0.5 * float(values[values > 0.05].mean() if (values > 0.05).any() else 0.5))
    filled, covered = _without_padding(values.astype(np.float32), body, round(PADDING_MM / spacing_mm))
    return Prepared(filled, body, covered, grid)


def _without_padding(values: Array, body: Mask, most: int) -> tuple[Array, Mask]:
    """Return values with padding of at most so many planes filled from the edge, and what is no padding."""
    covered = np.ones(body.shape, dtype=bool)
    filled = values.copy()
    held = body.any(axis=0)
    depth = body.shape[0]
    for way in (slice(None), slice(None, None, -1)):
        first = np.where(held, body[way].argmax(axis=0), 0)
        first[first > most] = 0
        beyond = np.arange(depth)[:, None, None] < first
        covered[way] &= ~beyond
        edge = np.take_along_axis(filled[way], first[None], axis=0)
        filled[way] = np.where(beyond, edge, filled[way])
    return filled, covered


def _on_grid(array: Array, source: Grid, target: Grid) -> Array:
    """Resample between two grids of equal axes, plane by plane; outside, the edge is repeated."""
    index = source.to_index_zyx(target.to_lps_mm([[0, 0, 0], [1, 1, 1]]))
    start, step = index[0], index[1] - index[0]
    sampled: Array = ndimage.affine_transform(
        array, step, offset=start, output_shape=target.shape_zyx, order=1, mode="nearest"
    )
    return sampled


def _largest(mask: Mask) -> Mask:
    """Return the largest piece with its holes filled slice by slice."""
    labels, count = ndimage.label(ndimage.binary_opening(mask))
    if count == 0:
        return np.ones(mask.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    # Padded by its edge, else closing would eat the slices at the faces of the scan.
    body = ndimage.binary_closing(np.pad(labels == sizes.argmax(), 2, mode="edge"), iterations=2)
    body = body[2:-2, 2:-2, 2:-2]
    return np.stack([ndimage.binary_fill_holes(plane) for plane in body])


@dataclass(frozen=True, slots=True, eq=False)
class Rigid:
    """A rigid map p_moving = rotation @ p_fixed + offset, and the correlation it reaches."""

    rotation: Floats
    offset: Floats
    correlation: float

    def __call__(self, points: Floats) -> Floats:
        """Map points (..., 3)."""
        return np.asarray(points @ self.rotation.T + self.offset)


def find_rigid(fixed: Prepared, moving: Prepared, *, threads: int, seed: int) -> Rigid:
    """Return the best rigid map over several starts: every peak of a masked translation search."""
    starts = _translations(fixed, moving)
    refined = [_refined(fixed, moving, start, threads=threads, seed=seed) for start in starts]
    plain = [Rigid(np.eye(3), start, 0.0) for start in starts]
    scores = [_overlap_correlation(fixed, moving, rigid) for rigid in (*refined, *plain)]
    best = int(np.argmax(scores))
    return replace((*refined, *plain)[best], correlation=float(scores[best]))


def _overlap_correlation(fixed: Prepared, moving: Prepared, rigid: Rigid) -> float:
    """Return the correlation where both bodies are seen; -1 where hardly anything overlaps.

    The optimiser's own value will not do: it is perfect where two voxels of air overlap.
    """
    step = (slice(None, None, 2),) * 3
    points = points_of(fixed.grid)[step]
    values, seen = sample(moving, rigid(points))
    common = fixed.body[step] & seen
    if common.sum() < LEAST_OVERLAP * min(fixed.body.sum(), moving.body.sum()) / 8:
        return -1.0
    spread = np.corrcoef(fixed.values[step][common], values[common])[0, 1]
    return float(spread) if np.isfinite(spread) else -1.0


def _translations(fixed: Prepared, moving: Prepared, *, count: int = 3) -> list[Floats]:
    """Return shifts (LPS mm, fixed to moving) at the peaks of masked normalised correlation.

    References
    ----------
    Padfield, IEEE TIP 2012;21:2706 (masked normalised cross-correlation by FFT).
    """
    mm = 8.0
    a, b = _shrunk(fixed, mm), _shrunk(moving, mm, like=fixed.grid)
    shape = np.array(a.values.shape) + np.array(b.values.shape) - 1
    correlation, overlap = _masked_correlation(a, b, shape)
    enough = overlap >= LEAST_OVERLAP * min(float(a.body.sum()), float(b.body.sum()))
    score = np.where(enough, correlation, -1.0)
    peaks = np.argwhere((score == ndimage.maximum_filter(score, 5)) & (score > 0))
    best = peaks[np.argsort(-score[tuple(peaks.T)])][:count]
    centre = np.array(b.values.shape) - 1
    shifts = []
    for peak in best:
        # Voxel p of `a` meets voxel p - (peak - centre) of `b`.
        index = -(peak - centre).astype(float)
        shifts.append(b.grid.to_lps_mm(index)[0] - a.grid.to_lps_mm([0, 0, 0])[0])
    middle = b.grid.to_lps_mm(ndimage.center_of_mass(b.body))[0]
    return shifts or [middle - a.grid.to_lps_mm(ndimage.center_of_mass(a.body))[0]]


def _shrunk(image: Prepared, mm: float, *, like: Grid | None = None) -> Prepared:
    """Return the image on a coarse grid; its axes are those of `like`, so that shifts are voxel shifts."""
    own = image.grid
    if like is None or np.allclose(own.axes, like.axes, atol=1e-3):
        grid = own.resampled((mm, mm, mm))
        sigma = 0.42 * mm / own.spacing_xyz_mm[0]
        values = _on_grid(ndimage.gaussian_filter(image.values, sigma), own, grid)
        body = _on_grid(image.body.astype(np.float32), own, grid) > 0.5
        return Prepared(values, body, np.ones_like(body), grid)
    ends = np.array([[z, y, x] for z in (0, 1) for y in (0, 1) for x in (0, 1)])
    corners = own.to_lps_mm(ends * (np.array(own.shape_zyx) - 1))
    turned = corners @ like.axes
    counts = np.ceil(np.ptp(turned, axis=0) / mm).astype(int) + 1
    x, y, z = (float(v) for v in like.axes @ turned.min(axis=0))
    grid = Grid((int(counts[2]), int(counts[1]), int(counts[0])), (mm, mm, mm), (x, y, z), like.directions)
    index = own.to_index_zyx(grid.to_lps_mm(np.indices(grid.shape_zyx).reshape(3, -1).T)).T
    values = ndimage.map_coordinates(image.values, index, order=1, mode="constant").reshape(grid.shape_zyx)
    body = ndimage.map_coordinates(image.body.astype(np.float32), index, order=1, mode="constant") > 0.5
    body = body.reshape(grid.shape_zyx)
    return Prepared(values.astype(np.float32), body, np.ones_like(body), grid)


def _masked_correlation(a: Prepared, b: Prepared, shape: npt.NDArray[np.int_]) -> tuple[Floats, Floats]:
    from scipy.fft import irfftn, next_fast_len, rfftn

    fast = [next_fast_len(int(n)) for n in shape]
    window = tuple(slice(0, int(n)) for n in shape)
    # The bodies are grown a little, so that the outline itself counts.
    mask_a = ndimage.binary_dilation(a.body).astype(float)
    mask_b = ndimage.binary_dilation(b.body).astype(float)[::-1, ::-1, ::-1]
    value_a = a.values * mask_a
    value_b = b.values[::-1, ::-1, ::-1] * mask_b

    def together(one: Floats, other: Floats) -> Floats:
        return np.asarray(irfftn(rfftn(one, fast) * rfftn(other, fast), fast)[window])

    number = np.maximum(together(mask_a, mask_b), 1e-6)
    sum_a, sum_b = together(value_a, mask_b), together(mask_a, value_b)
    product = together(value_a, value_b) - sum_a * sum_b / number
    spread_a = together(value_a**2, mask_b) - sum_a**2 / number
    spread_b = together(mask_a, value_b**2) - sum_b**2 / number
    return product / np.sqrt(np.maximum(spread_a * spread_b, 1e-9)), number


def _image(array: npt.NDArray[Any], grid: Grid) -> sitk.Image:
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    image = sitk.GetImageFromArray(array)
    image.SetSpacing(grid.spacing_xyz_mm)
    image.SetOrigin(grid.origin_lps_mm)
    image.SetDirection(grid.directions)
    return image


def _refined(fixed: Prepared, moving: Prepared, start: Floats, *, threads: int, seed: int) -> Rigid:
    """Return the rigid map that a gradient descent on correlation finds from one start."""
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    near = ndimage.binary_dilation(fixed.body, iterations=2)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetMetricFixedMask(_image((near & fixed.covered).astype(np.uint8), fixed.grid))
    method.SetMetricMovingMask(_image(moving.covered.astype(np.uint8), moving.grid))
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.12, seed)
    method.SetInterpolator(sitk.sitkLinear)
    transform = sitk.Euler3DTransform()
    transform.SetCenter(fixed.grid.to_lps_mm(ndimage.center_of_mass(fixed.body))[0].tolist())
    transform.SetTranslation(start.tolist())
    method.SetInitialTransform(transform, inPlace=True)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.02, 60, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([3, 2])
    method.SetSmoothingSigmasPerLevel([2, 1])
    try:
        method.Execute(_image(fixed.values, fixed.grid), _image(moving.values, moving.grid))
        correlation = -float(method.GetMetricValue())
    except RuntimeError:  # no overlap from this start
        return Rigid(np.eye(3), start, -1.0)
    rotation = np.array(transform.GetMatrix()).reshape(3, 3)
    centre = np.array(transform.GetCenter())
    offset = centre + np.array(transform.GetTranslation()) - rotation @ centre
    return Rigid(rotation, offset, correlation)


def points_of(grid: Grid) -> Floats:
    """Return the centres of all voxels, (z, y, x, 3) LPS mm."""
    index = np.indices(grid.shape_zyx).reshape(3, -1).T
    return grid.to_lps_mm(index).reshape(*grid.shape_zyx, 3)


def sample(image: Prepared, points: Floats) -> tuple[Array, Mask]:
    """Return the image's values at points (..., 3), and which points it covers."""
    index = image.grid.to_index_zyx(points.reshape(-1, 3)).T
    values = ndimage.map_coordinates(image.values, index, order=1, mode="nearest")
    limits = np.array(image.grid.shape_zyx)[:, None] - 0.5
    inside = ((index >= -0.5) & (index <= limits)).all(axis=0)
    nearest = np.clip(np.rint(index).astype(np.intp), 0, np.array(image.grid.shape_zyx)[:, None] - 1)
    inside &= image.covered[tuple(nearest)]
    shape = points.shape[:-1]
    return values.reshape(shape).astype(np.float32), np.asarray(inside).reshape(shape)


def find_deformation(
    fixed: Prepared,
    moving_values: Array,
    mask: Mask,
    *,
    knots_mm: float,
    iterations: int,
    threads: int,
    seed: int,
) -> Field:
    """Return the B-spline displacement that carries the fixed image onto `moving_values` on the same grid.

    Four resolutions, normalised correlation with bending energy, adaptive stochastic gradient descent.

    References
    ----------
    Klein et al., IEEE TMI 2010;29:196 (elastix); Klein et al., IJCV 2009;81:227 (optimiser).
    """
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    target, source = _image(fixed.values, fixed.grid), _image(moving_values, fixed.grid)
    elastix = sitk.ElastixImageFilter()
    elastix.LogToConsoleOff()
    elastix.LogToFileOff()
    elastix.SetFixedImage(target)
    elastix.SetMovingImage(source)
    elastix.SetFixedMask(_image(mask.astype(np.uint8), fixed.grid))
    elastix.SetParameterMap(_parameters(knots_mm, iterations, seed, shape_zyx=fixed.grid.shape_zyx))
    with tempfile.TemporaryDirectory() as folder:
        elastix.SetOutputDirectory(folder)
        try:
            elastix.Execute()
            spline = _spline(elastix.GetTransformParameterMap(0))
        except RuntimeError as error:
            raise EngineFailed("Deformable alignment stopped; compare by slice position only.") from error
    field = sitk.TransformToDisplacementField(
        spline,
        sitk.sitkVectorFloat32,
        target.GetSize(),
        target.GetOrigin(),
        target.GetSpacing(),
        target.GetDirection(),
    )
    return np.asarray(sitk.GetArrayFromImage(field), dtype=np.float32)


def _spline(parameters: Mapping[str, tuple[str, ...]]) -> sitk.Transform:
    """Return elastix's cubic B-spline as a transform, without going through files."""
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    names = ("GridSize", "GridOrigin", "GridSpacing", "GridDirection")
    size, origin, spacing, direction = ([float(v) for v in parameters[name]] for name in names)
    # elastix writes the direction column by column, ITK reads it row by row.
    rows = np.array(direction).reshape(3, 3).T.ravel().tolist()
    spline = sitk.BSplineTransform(3, 3)
    spline.SetFixedParameters([*size, *origin, *spacing, *rows])
    spline.SetParameters([float(v) for v in parameters["TransformParameters"]])
    return spline


def _parameters(
    knots_mm: float, iterations: int, seed: int, *, shape_zyx: tuple[int, int, int]
) -> dict[str, tuple[str, ...]]:
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    levels = 4 if max(shape_zyx) >= 64 else 3
    factors = [2**level for level in reversed(range(levels))]
    # No axis is shrunk below eight voxels, or the engine finds nothing to sample in a thin slab.
    shrunk = [min(factor, max(1, n // 8)) for factor in factors for n in shape_zyx[::-1]]
    settings = {
        "NumberOfResolutions": [str(levels)],
        "GridSpacingSchedule": [str(factor) for factor in factors],
        "ImagePyramidSchedule": [str(factor) for factor in shrunk],
        "FinalGridSpacingInPhysicalUnits": [str(knots_mm)],
        "Registration": ["MultiMetricMultiResolutionRegistration"],
        "Metric": ["AdvancedNormalizedCorrelation", "TransformBendingEnergyPenalty"],
        "Metric0Weight": ["1.0"],
        "Metric1Weight": ["2.0"],
        "MaximumNumberOfIterations": [str(iterations)],
        "NumberOfSpatialSamples": ["2500"],
        # Fewer measurements for the step size: half the time, the same error on the simulated visits.
        "NumberOfJacobianMeasurements": ["500"],
        "NumberOfSamplesForExactGradient": ["2000"],
        "MaximumNumberOfSamplingAttempts": ["8"],
        "RequiredRatioOfValidSamples": ["0.05"],
        "FinalBSplineInterpolationOrder": ["1"],
        "RandomSeed": [str(seed)],
        "WriteResultImage": ["false"],
        "AutomaticTransformInitialization": ["false"],
    }
    parameters = sitk.GetDefaultParameterMap("bspline")
    for name, values in settings.items():
        parameters[name] = values
    return parameters  # type: ignore[no-any-return]
