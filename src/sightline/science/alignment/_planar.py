"""Finding the same place in two flat pictures: radiographs of one person, or single slices."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from sightline.kernel.errors import Invalid
from sightline.science.alignment._engine import Array, EngineFailed, Mask
from sightline.science.geometry import Floats

if TYPE_CHECKING:
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

LONG_SIDE = 256
"""Pixels along the longer side at which pictures are compared."""

NEAR, AROUND = 1.5, 10.0
"""Detail is what lies between these widths, in compared pixels (Gaussian sigma)."""

SCALES = (0.8, 0.88, 0.94, 1.0, 1.06, 1.14, 1.25)
TURNS_DEGREES = (-8.0, -4.0, 0.0, 4.0, 8.0)


class NotAPicture(Invalid):
    """The array is no grey picture with a pixel spacing; give (rows, columns) and mm."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A grey picture: `array` (rows, columns), and the distance of rows and of columns in mm.

    Positions are (x, y) in mm from the centre of the first pixel, x along the columns.
    """

    array: npt.NDArray[np.generic]
    spacing_yx_mm: tuple[float, float]

    def __post_init__(self) -> None:
        sides = np.array(self.spacing_yx_mm, dtype=float)
        usable = self.array.ndim == 2 and min(self.array.shape) >= 32
        if not usable or len(sides) != 2 or not np.isfinite(sides).all() or sides.min() <= 0:
            raise NotAPicture("A picture needs at least 32 rows and columns and a positive pixel spacing.")
        if not np.isfinite(np.asarray(self.array, dtype=float)).all():
            raise NotAPicture("A picture must hold finite numbers only.")


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A picture as it is compared: square pixels, detail evened to equal strength, what is shown."""

    detail: Array
    shown: Mask
    mm: float

    def points(self) -> Floats:
        """Return the centres of all pixels, (rows, columns, 2), mm."""
        y, x = np.indices(self.detail.shape)
        return np.asarray(np.stack([x, y], axis=-1) * self.mm, dtype=float)


def compared(picture: Picture, mm: float) -> Plane:
    """Return a picture on square pixels of `mm`, its local mean taken out and its local contrast evened."""
    sides = picture.spacing_yx_mm
    rows, columns = (max(32, round(n * s / mm)) for n, s in zip(picture.array.shape, sides, strict=True))
    values = np.asarray(picture.array, dtype=np.float32)
    sigma = [0.42 * max(mm / s - 0.6, 0.0) for s in sides]
    values = ndimage.gaussian_filter(values, sigma)
    step = [mm / s for s in sides]
    values = ndimage.affine_transform(values, step, output_shape=(rows, columns), order=1, mode="nearest")
    low, high = np.percentile(values, (1, 99))
    values = np.clip((values - low) / max(float(high - low), 1e-6), 0, 1)
    band = ndimage.gaussian_filter(values, NEAR) - ndimage.gaussian_filter(values, AROUND)
    strength = np.sqrt(ndimage.gaussian_filter(band**2, AROUND))
    shown = strength > 0.25 * np.median(strength)
    even = band / np.maximum(strength, 0.5 * np.median(strength) + 1e-6)
    # What a frame around the picture cuts off says nothing.
    rim = np.zeros(shown.shape, dtype=bool)
    rim[4:-4, 4:-4] = True
    return Plane(np.where(shown, even, 0).astype(np.float32), shown & rim, mm)


def moved(matrix: Floats, points: Floats) -> Floats:
    """Map points (..., 2) by a homogeneous 3x3 matrix."""
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2])


def sample(plane: Plane, points: Floats) -> tuple[Array, Mask]:
    """Return the detail at points (..., 2), and which of them the picture shows."""
    index = points[..., ::-1].reshape(-1, 2).T / plane.mm
    values = ndimage.map_coordinates(plane.detail, index, order=1, mode="constant")
    shown = ndimage.map_coordinates(plane.shown.astype(np.float32), index, order=1, mode="constant") > 0.5
    return values.reshape(points.shape[:-1]), shown.reshape(points.shape[:-1])


def correlation(fixed: Plane, warped: Array, mask: Mask) -> float:
    """Return the correlation of two pictures' detail where both show something; -1 where hardly anything."""
    mask = mask & fixed.shown
    if mask.sum() < 0.25 * fixed.shown.sum():
        return -1.0
    a, b = fixed.detail[mask], warped[mask]
    return float((a * b).sum() / np.sqrt(max(float((a * a).sum() * (b * b).sum()), 1e-12)))


def find_affine(fixed: Plane, moving: Plane, *, threads: int, seed: int) -> Floats:
    """Return the 3x3 affine map (fixed to moving, mm): the best turned and scaled start, then refined."""
    start = _start(fixed, moving)
    fine = _climbed(fixed, moving, start, threads=threads, seed=seed)
    return max(
        (start, fine), key=lambda matrix: correlation(fixed, *sample(moving, moved(matrix, fixed.points())))
    )


def _start(fixed: Plane, moving: Plane) -> Floats:
    """Return the turn, scale and shift whose correlation over all shifts is highest."""
    small_fixed, small = fixed.detail[::2, ::2], 2 * fixed.mm
    shape = [fft.next_fast_len(2 * n) for n in small_fixed.shape]
    spectrum = np.conj(fft.rfft2(small_fixed, shape))
    centre = np.array(small_fixed.shape[::-1]) * small / 2
    middle = np.array(moving.detail.shape[::-1]) * moving.mm / 2
    best, found = -np.inf, np.eye(3)
    y, x = np.indices(small_fixed.shape)
    points = np.asarray(np.stack([x, y], axis=-1) * small, dtype=float)
    for scale in SCALES:
        for degrees in TURNS_DEGREES:
            angle = np.radians(degrees)
            linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            matrix = np.eye(3)
            matrix[:2, :2], matrix[:2, 2] = linear, middle - linear @ centre
            turned, shown = sample(moving, moved(matrix, points))
            turned = np.where(shown, turned, 0)
            peaks = fft.irfft2(fft.rfft2(turned, shape) * spectrum, shape)
            peaks /= np.sqrt(float((turned**2).sum()) * float((small_fixed**2).sum())) + 1e-9
            limit = [n // 3 for n in small_fixed.shape]
            for axis in (0, 1):  # no shift beyond a third of the picture
                far = np.arange(shape[axis])
                far = (far > limit[axis]) & (far < shape[axis] - limit[axis])
                peaks[far if axis == 0 else (slice(None), far)] = -np.inf
            place = np.unravel_index(int(np.argmax(peaks)), peaks.shape)
            if peaks[place] > best:
                best = float(peaks[place])
                dy, dx = (p - n if p > n / 2 else p for p, n in zip(place, shape, strict=True))
                found = matrix.copy()
                found[:2, 2] += linear @ (np.array([dx, dy]) * small)
    return found


def _image(plane: Plane, array: npt.NDArray[Any]) -> sitk.Image:
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    image = sitk.GetImageFromArray(array)
    image.SetSpacing((plane.mm, plane.mm))
    return image


def _climbed(fixed: Plane, moving: Plane, start: Floats, *, threads: int, seed: int) -> Floats:
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    transform = sitk.AffineTransform(2)
    centre = np.array(fixed.detail.shape[::-1]) * fixed.mm / 2
    transform.SetCenter(centre.tolist())
    transform.SetMatrix(start[:2, :2].ravel().tolist())
    transform.SetTranslation((moved(start, centre) - centre).tolist())
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetMetricFixedMask(_image(fixed, fixed.shown.astype(np.uint8)))
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.5, seed)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(transform, inPlace=True)
    method.SetOptimizerAsRegularStepGradientDescent(2 * fixed.mm, 0.02 * fixed.mm, 80, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([2, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    try:
        method.Execute(_image(fixed, fixed.detail), _image(moving, moving.detail))
    except RuntimeError:  # nothing overlaps
        return start
    found = np.eye(3)
    found[:2, :2] = np.array(transform.GetMatrix()).reshape(2, 2)
    middle = np.array(transform.GetCenter())
    found[:2, 2] = middle + np.array(transform.GetTranslation()) - found[:2, :2] @ middle
    return found


def find_bend(fixed: Plane, warped: Array, mask: Mask, *, knots: float, threads: int, seed: int) -> Floats:
    """Return the B-spline displacement (rows, columns, 2; mm) that carries the fixed picture onto `warped`.

    Knots stand `knots` compared pixels apart.

    References
    ----------
    Klein et al., IEEE TMI 2010;29:196 (elastix).
    """
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    target = _image(fixed, fixed.detail)
    elastix = sitk.ElastixImageFilter()
    elastix.LogToConsoleOff()
    elastix.LogToFileOff()
    elastix.SetFixedImage(target)
    elastix.SetMovingImage(_image(fixed, warped.astype(np.float32)))
    elastix.SetFixedMask(_image(fixed, mask.astype(np.uint8)))
    elastix.SetParameterMap(_parameters(fixed.mm, knots, seed))
    with tempfile.TemporaryDirectory() as folder:
        elastix.SetOutputDirectory(folder)
        try:
            elastix.Execute()
            found = elastix.GetTransformParameterMap(0)
        except RuntimeError as error:
            raise EngineFailed(
                "Bending one picture onto the other stopped; compare them side by side."
            ) from error
    size, origin, spacing = ([float(v) for v in found[n]] for n in ("GridSize", "GridOrigin", "GridSpacing"))
    spline = sitk.BSplineTransform(2, 3)
    spline.SetFixedParameters([*size, *origin, *spacing, 1.0, 0.0, 0.0, 1.0])
    spline.SetParameters([float(v) for v in found["TransformParameters"]])
    field = sitk.TransformToDisplacementField(
        spline, sitk.sitkVectorFloat64, target.GetSize(), target.GetOrigin(), target.GetSpacing()
    )
    return np.asarray(sitk.GetArrayFromImage(field), dtype=float)


def _parameters(mm: float, knots: float, seed: int) -> dict[str, tuple[str, ...]]:
    import SimpleITK as sitk  # noqa: N813 - its users' own short name

    parameters = sitk.GetDefaultParameterMap("bspline")
    for name, values in {
        "NumberOfResolutions": ["3"],
        "GridSpacingSchedule": ["4", "2", "1"],
        "FinalGridSpacingInPhysicalUnits": [str(knots * mm)],
        "Registration": ["MultiMetricMultiResolutionRegistration"],
        "Metric": ["AdvancedNormalizedCorrelation", "TransformBendingEnergyPenalty"],
        "Metric0Weight": ["1.0"],
        "Metric1Weight": [str(50.0 * mm)],
        "MaximumNumberOfIterations": ["200"],
        "NumberOfSpatialSamples": ["3000"],
        "FinalBSplineInterpolationOrder": ["1"],
        "RandomSeed": [str(seed)],
        "WriteResultImage": ["false"],
        "AutomaticTransformInitialization": ["false"],
    }.items():
        parameters[name] = values
    return parameters  # type: ignore[no-any-return]
