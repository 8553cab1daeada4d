"""Whatever stands out at a click, cut out of any volume: size from the image, three methods, corrections."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sightline.science.geometry import Floats
from sightline.science.segmentation._division import (
    SEED,
    Division,
    Seeds,
    divide,
    divide_twice,
    edge_part,
    fenced_part,
    separation,
    strangeness,
)
from sightline.science.segmentation._model import ClickSegment, Mask, Method, NoLesionHere
from sightline.science.segmentation._readings import read_segment, soft_cover
from sightline.science.segmentation._scene import F32, Scene, cut_scene
from sightline.science.volumes import Volume

SIZES_MM = (5.0, 7.5, 11.0, 17.0, 25.0, 38.0, 57.0)
"""Diameters that are tried when none is given."""

LARGEST_MM = 60.0
"""What a click alone finds that is larger is more often an organ than a lesion: there a size is asked for."""

TRIAL_VOXELS = 26
ROOM = 1.3
"""Half side of the box, in diameters."""

GROWTH = 1.5
ATTEMPTS = 3
MOST_FENCED = 0.1
"""Part of the border that the limits of the search may draw before they are moved out."""

LEAST_EDGE = 0.55
LEAST_EDGE_GIVEN = 0.38
"""Least part of the border that the image must show: less when a person said how large the lesion is."""

MOST_STRANGE = 2.0
"""Standard deviations that the clicks may be from the core of what they belong to."""

LEAST_SEPARATION = 3.0
"""Least distance of a small lesion from its surroundings, in their spread; noise alone reached 2.8."""

WELL_SAMPLED = 10
"""Voxels across from which noise no longer makes borders of its own."""

NOTHING = (
    "Nothing stands out from its surroundings here: click inside a lesion, draw a stroke through it, or "
    "give its rough diameter."
)


NOTHING_GIVEN = (
    "Nothing stands out from its surroundings over the size that was given: draw the stroke within the part "
    "that stands out, or outline the lesion with the brush."
)


def segment_click(
    volume: Volume,
    points_lps_mm: npt.ArrayLike,
    *,
    diameter_mm: float | None = None,
    method: Method = "geodesic",
) -> ClickSegment:
    """Return what stands out at one click or along one stroke, brighter or darker, in any volume.

    The surroundings are resampled to at most 44 voxels a side. A geodesic first answer gives the seeds from
    which three methods divide the box; the chosen one is measured, the others tell how far to trust it.
    Without a diameter, seven sizes are tried and the one whose border the image shows best is taken; what
    is then larger than 60 mm is refused, for it is more often an organ.

    Parameters
    ----------
    volume : any unit
        CT, MR or PET; values that are not numbers are taken as outside.
    points_lps_mm : (3,) or (n, 3), mm
        Inside the lesion.
    diameter_mm : mm
        Rough long axis. Give it for large or uneven lesions, and where others lie near.
    method
        Which answer is measured: ``geodesic``, ``growcut``, ``watershed`` or their majority, ``vote``.

    Raises
    ------
    NoLesionHere
        If a point lies outside the volume or on no value, nothing stands out there, or what does has no
        border within reach.

    References
    ----------
    Geodesic: Toivanen, Pattern Recognition Letters 1996;17:437; Criminisi et al., ECCV 2008,
    10.1007/978-3-540-88682-2_9. Growcut: Vezhnevets and Konouchine, GraphiCon 2005. Peak: Wahl et al.,
    JNM 2009;50:122S (sphere of 1 cm3).

    Examples
    --------
    >>> from sightline.science.geometry import Grid
    >>> z, y, x = np.indices((40, 40, 40)) - 20
    >>> ball = np.where(z**2 + y**2 + x**2 <= 36, 100.0, 0.0)
    >>> grid = Grid((40, 40, 40), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> segment = segment_click(Volume(ball, grid, unit="1"), (21, 20, 19))
    >>> round(segment.long_axis.value), segment.volume.unit, segment.cut_by_edge
    (12, 'mm3', False)
    """
    points = _inside(volume, points_lps_mm)
    if diameter_mm is not None and not (np.isfinite(diameter_mm) and diameter_mm > 0):
        raise NoLesionHere("The rough diameter must be a positive length; measure across the lesion again.")
    size = find_size(volume, points) if diameter_mm is None else diameter_mm
    size = max(size, _extent(points), 1.5 * min(volume.grid.spacing_xyz_mm))
    found = _grown(volume, points, size)
    mask = found.division.masks[method]
    edge = edge_part(found.scene, found.division, mask)
    least = LEAST_EDGE if diameter_mm is None else LEAST_EDGE_GIVEN
    if edge < least or not _stands_out(volume, found, mask):
        raise NoLesionHere(NOTHING if diameter_mm is None else NOTHING_GIVEN)
    if diameter_mm is None and _diameter(found.scene, mask) > LARGEST_MM:
        raise NoLesionHere(
            f"What stands out here is larger than {LARGEST_MM:.0f} mm: give the rough diameter of the lesion."
        )
    covers = {name: found.scene.to_volume(soft_cover(part)) for name, part in found.division.masks.items()}
    return read_segment(
        volume,
        covers,
        found.scene.low,
        method=method,
        edge=edge,
        points=points,
        removed=np.empty((0, 3)),
        diameter_mm=found.diameter_mm,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    scene: Scene
    division: Division
    diameter_mm: float


def _inside(volume: Volume, points_lps_mm: npt.ArrayLike) -> Floats:
    """Return the points (n, 3), or refuse those that lie outside or where there is no value."""
    points = np.atleast_2d(np.asarray(points_lps_mm, dtype=float))
    if points.shape[1:] != (3,) or not len(points) or not np.isfinite(points).all():
        raise NoLesionHere("A click needs three finite coordinates in mm; click inside the lesion.")
    if not volume.grid.contains(points).all():
        raise NoLesionHere("The point lies outside the volume; click inside the lesion.")
    index = np.rint(volume.grid.to_index_zyx(points)).astype(int)
    z, y, x = np.clip(index, 0, np.array(volume.array.shape) - 1).T
    if not np.isfinite(volume.array[z, y, x]).all():
        raise NoLesionHere("There is no image at the point; click where the image has values.")
    return points


def _extent(points: Floats) -> float:
    return float(np.linalg.norm(points[:, None] - points[None], axis=-1).max())


def _scene(volume: Volume, points: Floats, reach_mm: float, voxels: int | None = None) -> Scene:
    index = volume.grid.to_index_zyx(points)
    reach = reach_mm / np.array(volume.grid.spacing_xyz_mm[::-1])
    low, high = index.min(axis=0) - reach, index.max(axis=0) + reach
    return cut_scene(volume, low, high) if voxels is None else cut_scene(volume, low, high, voxels=voxels)


def find_size(volume: Volume, points: Floats) -> float:
    """Return the diameter (mm) at which the border found at points (n, 3) is shown best by the image.

    Each size gets a score: the part of its border with a clear change, more where the next size finds the
    same lesion, less where the lesion is hardly beyond the spread of its surroundings.
    """
    spacing = volume.grid.spacing_xyz_mm
    largest = float(volume.grid.size_xyz_mm.max())
    sizes = [s for s in SIZES_MM if max(2 * min(spacing), _extent(points)) <= s <= largest]
    tries = [_tried(volume, points, size) for size in sizes]
    if not tries:
        return max(2.5 * min(spacing), _extent(points))
    found = np.log([max(t[1], 1e-3) for t in tries])
    steps = np.abs(np.diff(found)) / np.log(GROWTH)
    nearest = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
    scores = np.array([t[0] for t in tries]) * (0.5 + 0.5 * np.clip(1 - nearest, 0, 1))
    best = int(scores.argmax())
    return float(np.sqrt(1.15 * tries[best][1] * sizes[best]))


def _tried(volume: Volume, points: Floats, size: float) -> tuple[float, float]:
    """Return the score of a size and the diameter (mm) of what it finds."""
    scene = _scene(volume, points, ROOM * size, TRIAL_VOXELS)
    at = scene.to_scene(volume.grid.to_index_zyx(points))
    division = divide_twice(scene, at, size, ("geodesic",))
    mask = division.masks["geodesic"]
    apart = min(separation(scene, division) / LEAST_SEPARATION, 1.0)
    alike = min(MOST_STRANGE / max(strangeness(scene, division, at), 1e-9), 1.0)
    return edge_part(scene, division, mask) * apart * alike, _diameter(scene, mask)


def _diameter(scene: Scene, mask: Mask) -> float:
    return float((6 * mask.sum() / np.pi) ** (1 / 3) * scene.mm)


def _grown(volume: Volume, points: Floats, size: float) -> _Found:
    """Return the division at the first size whose limits do not draw the border."""
    for _ in range(ATTEMPTS):
        scene = _scene(volume, points, ROOM * size)
        division = divide_twice(scene, scene.to_scene(volume.grid.to_index_zyx(points)), size)
        if fenced_part(division.masks["geodesic"], division.seeds) <= MOST_FENCED:
            return _Found(scene, division, size)
        size *= GROWTH
    raise NoLesionHere(
        f"What was clicked has no border within {ROOM * size / GROWTH:.0f} mm: click inside a lesion that "
        "stands out, or mark what does not belong to it."
    )


def _stands_out(volume: Volume, found: _Found, mask: Mask) -> bool:
    """Tell whether a lesion differs from its surroundings by more than noise can make of so few voxels."""
    if found.division.contrast <= 1e-6 * (1e-6 + abs(found.division.level)):
        return False
    across = _diameter(found.scene, mask) / volume.grid.voxel_mm3 ** (1 / 3)
    return across >= WELL_SAMPLED or separation(found.scene, found.division) >= LEAST_SEPARATION


def refine(
    volume: Volume,
    segment: ClickSegment,
    *,
    add_points: npt.ArrayLike = (),
    remove_points: npt.ArrayLike = (),
) -> ClickSegment:
    """Return a segment corrected by points that belong to it and points that do not.

    The methods run again from the old answer and the new points; only what lies near the new points may
    change, everything else stays voxel for voxel.

    Parameters
    ----------
    volume
        The one that the segment was cut out of.
    add_points, remove_points : (n, 3), LPS mm
        Inside the lesion, and outside.

    Raises
    ------
    NoLesionHere
        If a point lies outside the volume, no point is given, or nothing is left.
    """
    add, remove = (
        _inside(volume, p) if np.size(p) else np.empty((0, 3)) for p in (add_points, remove_points)
    )
    if not len(add) + len(remove):
        raise NoLesionHere("Nothing to correct: click what belongs to the lesion or what does not.")
    box = np.array([segment.offset_zyx, np.array(segment.offset_zyx) + segment.cover.shape])
    corners = volume.grid.to_lps_mm(np.array([box[0], box[1] - 1]))
    scene = _scene(volume, np.vstack([corners, add, remove]), 0.4 * segment.diameter_mm)
    old = {name: _placed(mask, segment.offset_zyx, scene) for name, mask in segment.masks.items()}
    before = scene.from_volume(old[segment.method]) > 0.5
    seeds, zone = _corrections(volume, scene, before, add, remove, segment.diameter_mm)
    division = divide(scene, seeds, segment.diameter_mm)
    near = scene.to_volume(zone.astype(np.float32)) > 0.5
    cover = _placed(segment.cover, segment.offset_zyx, scene)
    covers: dict[Method, F32] = {
        name: np.where(
            near, scene.to_volume(soft_cover(part)), cover if name == segment.method else old[name]
        )
        for name, part in division.masks.items()
    }
    return read_segment(
        volume,
        covers,
        scene.low,
        method=segment.method,
        edge=edge_part(scene, division, division.masks[segment.method]),
        points=np.vstack([np.reshape(segment.points_lps_mm, (-1, 3)), add]),
        removed=np.vstack([np.reshape(segment.removed_lps_mm, (-1, 3)), remove]),
        diameter_mm=segment.diameter_mm,
        corrected=True,
    )


def _placed(field: npt.NDArray[np.generic], offset: tuple[int, int, int], scene: Scene) -> F32:
    """Return a field of a segment within the voxels of the volume that a box covers."""
    whole = np.zeros(np.array(scene.high) - scene.low, dtype=np.float32)
    z, y, x = (slice(o - a, o - a + n) for o, a, n in zip(offset, scene.low, field.shape, strict=True))
    whole[z, y, x] = field
    return whole


def _corrections(
    volume: Volume, scene: Scene, before: Mask, add: Floats, remove: Floats, diameter_mm: float
) -> tuple[Seeds, Mask]:
    """Return the seeds after a correction, and where the answer may change."""
    add_mm, remove_mm = (
        scene.away_mm(scene.to_scene(volume.grid.to_index_zyx(p)))
        if len(p)
        else np.full(before.shape, np.inf)
        for p in (add, remove)
    )
    radius = max(0.5 * SEED * diameter_mm, 0.9 * scene.mm)
    added, removed = add_mm <= radius, (remove_mm <= radius) & (add_mm > radius)
    reach = 0.4 * diameter_mm
    may_grow, may_shrink = add_mm <= reach, remove_mm <= reach
    inner = (before & ~may_shrink) | added
    outer = (~before & ~may_grow) | removed | ~scene.seen
    around = ~before & (np.minimum(add_mm, remove_mm) <= 2 * reach)
    return Seeds(inner & ~removed, outer & ~inner, around), may_grow | may_shrink
