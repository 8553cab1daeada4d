"""Spatial registrations as DICOM keeps them, read: parsed with suspicion, then used to map points."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import UID, DeformableSpatialRegistrationStorage, SpatialRegistrationStorage
from scipy import ndimage

from sightline.kernel.errors import Invalid
from sightline.science.geometry import BadGrid, Floats, Grid

MOST_VECTORS = 200_000_000
ROUNDED = 1e-2
"""How far from orthonormal a matrix that calls itself rigid may be: other systems write few digits."""

INVERSE_STEPS = 60
INVERSE_MM = 0.005


class UnusableRegistration(Invalid):
    """The registration does not say, without doubt, where a point of one space lies in the other."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceSpace:
    """How the registered space maps into one source space: p_source = post (pre p + offset(p)).

    Attributes
    ----------
    frame_uid
        Frame of reference of the source space; empty where only images name it.
    image_uids
        SOP Instance UIDs of the images that the item speaks of; empty means all of the space.
    pre, post : (4, 4)
        Homogeneous matrices; a Spatial Registration has one, and it stands here inverted as `pre`.
    grid, offsets_mm : Grid and (z, y, x, 3) float32, or None
        The deformation; NaN where it is undefined.
    """

    frame_uid: str
    image_uids: frozenset[str]
    pre: Floats
    post: Floats
    grid: Grid | None = None
    offsets_mm: npt.NDArray[np.float32] | None = None

    def to_source(self, points_lps_mm: npt.ArrayLike) -> Floats:
        """Return where points (n, 3) of the registered space lie in the source; NaN where it is undefined."""
        points = np.atleast_2d(np.asarray(points_lps_mm, dtype=float))
        return _moved(self.post, _moved(self.pre, points) + self._offsets(points))

    def to_registered(self, points_lps_mm: npt.ArrayLike) -> Floats:
        """Return where points (n, 3) of the source lie in the registered space.

        A deformation is inverted by fixed-point iteration; NaN where that does not come within 5 um.
        """
        points = np.atleast_2d(np.asarray(points_lps_mm, dtype=float))
        undone = _moved(_inverted(self.post), points)
        home = _inverted(self.pre)
        guess = _moved(home, undone)
        if self.grid is None:
            return guess
        for _ in range(INVERSE_STEPS):
            guess = _moved(home, undone - np.nan_to_num(self._offsets(guess, continued=True)))
        off = np.linalg.norm(self.to_source(guess) - points, axis=1)
        guess[~(off < INVERSE_MM)] = np.nan
        return guess

    def _offsets(self, points: Floats, *, continued: bool = False) -> Floats:
        """Return the offset at points (n, 3): NaN outside the grid, or that of its edge if `continued`."""
        if self.grid is None or self.offsets_mm is None:
            return np.zeros_like(points)
        index = self.grid.to_index_zyx(points).T
        found = np.stack(
            [
                ndimage.map_coordinates(
                    self.offsets_mm[..., k].astype(float), np.nan_to_num(index), order=1, mode="nearest"
                )
                for k in range(3)
            ],
            axis=1,
        )
        if continued:
            return found
        limits = np.array(self.grid.shape_zyx)[:, np.newaxis] - 0.5
        with np.errstate(invalid="ignore"):
            within = ((index >= -0.5 - 1e-6) & (index <= limits + 1e-6)).all(axis=0)
        found[~within] = np.nan
        return found


@dataclass(frozen=True, slots=True, eq=False)
class RegisteredSpace:
    """A registered space and every space that a registration object maps into it.

    References
    ----------
    PS3.3 C.20.2 (matrices run from the source to the registered space), C.20.3 (deformations run from the
    registered space to the source).
    """

    frame_uid: str
    sources: tuple[SourceSpace, ...]
    deformable: bool
    description: str = ""

    def map_points(self, points_lps_mm: npt.ArrayLike, *, source: str, target: str) -> Floats:
        """Return points (n, 3) of frame of reference `source` in frame `target`; NaN where undefined.

        Raises
        ------
        UnusableRegistration
            If the object does not know one of the two, or knows several maps for it.
        """
        points = np.atleast_2d(np.asarray(points_lps_mm, dtype=float))
        if source != self.frame_uid:
            points = self._source(source).to_registered(points)
        return points if target == self.frame_uid else self._source(target).to_source(points)

    def _source(self, frame_uid: str) -> SourceSpace:
        known = [one for one in self.sources if one.frame_uid == frame_uid]
        if not known:
            raise UnusableRegistration(
                "The registration does not speak of the frame of reference of a study."
            )
        if len(known) > 1:
            raise UnusableRegistration("The registration maps one frame of reference in several ways.")
        return known[0]


def _moved(matrix: Floats, points: Floats) -> Floats:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def _inverted(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.inv(matrix), dtype=float)


def read_registration(ds: Dataset) -> RegisteredSpace:
    """Return what a Spatial Registration or Deformable Spatial Registration says, from any maker.

    Raises
    ------
    UnusableRegistration
        If it is another object, lacks what it must have, or contradicts itself.
    """
    kind = str(ds.get("SOPClassUID", ""))
    frame_uid = str(ds.get("FrameOfReferenceUID", "") or "")
    if kind not in (SpatialRegistrationStorage, DeformableSpatialRegistrationStorage):
        raise UnusableRegistration("The object is no spatial registration (SOP class).")
    if not UID(frame_uid).is_valid:
        raise UnusableRegistration("The registration names no frame of reference of its own.")
    deformable = kind == DeformableSpatialRegistrationStorage
    items = ds.get("DeformableRegistrationSequence" if deformable else "RegistrationSequence") or []
    if not items:
        raise UnusableRegistration("The registration holds no item.")
    try:
        sources = tuple((_deformable if deformable else _linear)(item, ds) for item in items)
    except (AttributeError, TypeError, IndexError, KeyError) as cause:
        raise UnusableRegistration("The registration lacks a part that it must have.") from cause
    return RegisteredSpace(frame_uid, sources, deformable, str(ds.get("ContentDescription", "") or ""))


def _linear(item: Dataset, _: Dataset) -> SourceSpace:
    to_registered = _only_matrix(item.MatrixRegistrationSequence)
    return SourceSpace(
        str(item.get("FrameOfReferenceUID", "") or ""), _images(item), _inverted(to_registered), np.eye(4)
    )


def _deformable(item: Dataset, ds: Dataset) -> SourceSpace:
    grid, offsets = None, None
    grids = item.get("DeformableRegistrationGridSequence") or []
    if len(grids) > 1:
        raise UnusableRegistration("An item of the registration has several deformation grids.")
    if grids:
        grid, offsets = _field(grids[0], ds)
    return SourceSpace(
        str(item.get("SourceFrameOfReferenceUID", "") or ""),
        _images(item),
        _optional_matrix(item.get("PreDeformationMatrixRegistrationSequence")),
        _optional_matrix(item.get("PostDeformationMatrixRegistrationSequence")),
        grid,
        offsets,
    )


def _optional_matrix(sequence: list[Dataset] | None) -> Floats:
    """Return the matrix of a pre or post deformation sequence, whose items hold it directly (C.20.3)."""
    return _product([_matrix(one) for one in sequence]) if sequence else np.eye(4)


def _only_matrix(sequence: list[Dataset]) -> Floats:
    return _product([_matrix(one) for part in sequence for one in part.MatrixSequence])


def _product(matrices: list[Floats]) -> Floats:
    if len(matrices) != 1:  # makers differ in which comes first
        raise UnusableRegistration("A registration by several matrices is not taken; export it as one.")
    return matrices[0]


def _matrix(item: Dataset) -> Floats:
    matrix = _numbers(item.get("FrameOfReferenceTransformationMatrix"), 16).reshape(4, 4)
    if np.abs(matrix[3] - [0, 0, 0, 1]).max() > 1e-6:
        raise UnusableRegistration("A matrix of the registration is not affine: its last row is not 0 0 0 1.")
    linear = matrix[:3, :3]
    if not 1e-3 < abs(float(np.linalg.det(linear))) < 1e3:
        raise UnusableRegistration("A matrix of the registration cannot be inverted.")
    rigid = str(item.get("FrameOfReferenceTransformationMatrixType", "")) == "RIGID"
    if rigid and (np.abs(linear.T @ linear - np.eye(3)).max() > ROUNDED or np.linalg.det(linear) < 0):
        raise UnusableRegistration("A matrix of the registration calls itself rigid and is not.")
    return matrix


def _field(item: Dataset, ds: Dataset) -> tuple[Grid, npt.NDArray[np.float32]]:
    cosines = _numbers(item.get("ImageOrientationPatient"), 6)
    row, column = cosines[:3], cosines[3:]
    x, y, z = (float(v) for v in _numbers(item.get("ImagePositionPatient"), 3))
    counts = [int(n) for n in _numbers(item.get("GridDimensions"), 3)]
    steps = [float(v) for v in _numbers(item.get("GridResolution"), 3)]
    if min(counts) < 1 or float(np.prod([float(n) for n in counts])) > MOST_VECTORS:
        raise UnusableRegistration("The deformation grid has no vectors or too many.")
    axes = np.column_stack([row, column, np.cross(row, column)])
    try:
        grid = Grid(
            (counts[2], counts[1], counts[0]),
            (steps[0], steps[1], steps[2]),
            (x, y, z),
            tuple(axes.ravel().tolist()),
        )
    except BadGrid as cause:
        raise UnusableRegistration("The deformation grid has no usable axes or resolution.") from cause
    data = item.get("VectorGridData") or b""
    if not isinstance(data, bytes) or len(data) != 12 * int(np.prod(counts)):
        raise UnusableRegistration("The deformation grid does not hold one vector for each of its points.")
    order = ">f4" if ds.original_encoding[1] is False else "<f4"
    vectors = np.frombuffer(data, dtype=order).astype(np.float32).reshape(*grid.shape_zyx, 3)
    return grid, np.where(np.isfinite(vectors).all(axis=-1, keepdims=True), vectors, np.float32(np.nan))


def _numbers(value: object, count: int) -> Floats:
    try:
        numbers = np.array([float(v) for v in value or ()])  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        numbers = np.array([])
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise UnusableRegistration(f"The registration gives no {count} finite numbers where it must.")
    return numbers


def _images(item: Dataset) -> frozenset[str]:
    return frozenset(
        str(ref.get("ReferencedSOPInstanceUID", "")) for ref in item.get("ReferencedImageSequence") or []
    )
