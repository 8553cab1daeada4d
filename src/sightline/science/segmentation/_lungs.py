"""The lungs in a chest CT: closed masks that keep nodules at the pleura inside."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from sightline.science.geometry import Floats, Grid
from sightline.science.segmentation._model import LungsNotFound, Mask, NotHounsfield
from sightline.science.volumes import Volume

AIR_LIMIT_HU = -400
"""Halfway between soft tissue and lung; darker is air or lung."""

GAS_HU = -955
"""Median below this is free gas (bowel, stomach), not lung."""

WORK_MM = 1.6
"""Spacing at which the lungs are sought; finer detail does not change which voxels are lung."""

CLOSING_MM = 9.0
"""Radius of the ball that closes notches of nodules and vessels at the pleura."""

LEAST_LUNG_MM3 = 150_000.0
LEAST_PART_MM3 = 15_000.0
LEAST_SHARE = 0.1
"""A part smaller than this share of the largest one is bowel gas or a pocket of air, not a lung."""

MOST_AIRWAY_MM3 = 150_000.0

Array = npt.NDArray[np.float32]


def segment_lungs(volume: Volume) -> Mask:
    """Return the mask of both lungs, notches and vessels filled, large airways left out.

    Threshold inside the body, removal of free gas and airways, then closing per lung with a 9 mm ball, which
    keeps nodules at the pleura inside.

    Parameters
    ----------
    volume : HU

    Returns
    -------
    bool (z, y, x)

    Raises
    ------
    NotHounsfield
        If the volume is not CT.
    LungsNotFound
        If less than 150 ml of lung are seen.

    References
    ----------
    Threshold and closing follow the scheme of Hu, Hoffman and Reinhardt, IEEE TMI 2001;20:490.
    """
    if volume.unit != "HU":
        raise NotHounsfield(f"Lungs are sought in HU, not in {volume.unit or 'unknown units'}; choose a CT.")
    strides = _strides(volume.grid)
    coarse = _averaged(volume.array, strides)
    spacing = _spacing_zyx(volume.grid) * np.array(strides)
    lungs = _closed_lungs(coarse, spacing)
    if lungs.sum() * float(np.prod(spacing)) < LEAST_LUNG_MM3:
        raise LungsNotFound("Less than 150 ml of lung lie in the volume; choose a chest CT.")
    return _spread(lungs, strides, volume.array.shape)


def _spacing_zyx(grid: Grid) -> Floats:
    return np.array(grid.spacing_xyz_mm[::-1], dtype=float)


def _strides(grid: Grid) -> tuple[int, int, int]:
    z, y, x = (max(1, round(WORK_MM / mm)) for mm in _spacing_zyx(grid))
    return z, y, x


def _averaged(array: npt.NDArray[np.generic], strides: tuple[int, int, int]) -> Array:
    """Return block means; an incomplete block at the far faces is filled with its edge."""
    missing = [(0, -n % s) for n, s in zip(array.shape, strides, strict=True)]
    padded = np.pad(array, missing, mode="edge").astype(np.float32)
    (z, y, x), (sz, sy, sx) = padded.shape, strides
    blocks = padded.reshape(z // sz, sz, y // sy, sy, x // sx, sx)
    return np.asarray(blocks.mean(axis=(1, 3, 5)), dtype=np.float32)


def _spread(mask: Mask, strides: tuple[int, int, int], shape: tuple[int, ...]) -> Mask:
    for axis, stride in enumerate(strides):
        mask = np.repeat(mask, stride, axis=axis)
    return mask[: shape[0], : shape[1], : shape[2]]


def find_body(coarse: Array) -> Mask:
    """Return the body with its air spaces filled slice by slice, without table and clothes."""
    tissue = ndimage.binary_opening(coarse > AIR_LIMIT_HU, iterations=2)
    labels, count = ndimage.label(tissue)
    if count == 0:
        return np.zeros(coarse.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    body = labels == sizes.argmax()
    for z, plane in enumerate(body):
        body[z] = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(plane, 4), iterations=3))[
            4:-4, 4:-4
        ]
    return np.asarray(body)


def _closed_lungs(coarse: Array, spacing: Floats) -> Mask:
    body = find_body(coarse)
    air = (coarse < AIR_LIMIT_HU) & body
    air &= ~_airways(coarse, air, spacing)
    voxel_mm3 = float(np.prod(spacing))
    labels, count = ndimage.label(ndimage.binary_opening(air))
    closed = np.zeros(coarse.shape, dtype=bool)
    boxes = ndimage.find_objects(labels, count)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * voxel_mm3
    lungs = [
        number
        for number, box in enumerate(boxes, start=1)
        if sizes[number] >= LEAST_PART_MM3 and np.median(coarse[box][labels[box] == number]) > GAS_HU
    ]
    largest = max((sizes[number] for number in lungs), default=0.0)
    for number in lungs:
        if sizes[number] >= LEAST_SHARE * largest:
            box = boxes[number - 1]
            for lung in _separated(labels[box] == number, spacing):
                closed[box] |= _closed_within(lung, spacing)
    return closed & body


def _airways(coarse: Array, air: Mask, spacing: Floats) -> Mask:
    """Return trachea and main bronchi: tall and narrow darkest air; nothing when that leaks into lung."""
    smooth = ndimage.gaussian_filter(coarse, 0.6)
    labels, count = ndimage.label((smooth < -930) & air)
    found = np.zeros(coarse.shape, dtype=bool)
    for number, box in enumerate(ndimage.find_objects(labels, count), start=1):
        height = (box[0].stop - box[0].start) * spacing[0]
        if height < 30:
            continue
        part = labels[box] == number
        size = part.sum() * float(np.prod(spacing))
        if 2_000 < size < MOST_AIRWAY_MM3:
            found[box] |= part
    return np.asarray(ndimage.binary_dilation(found, iterations=2)) if found.any() else found


def _separated(part: Mask, spacing: Floats) -> list[Mask]:
    """Return the two lungs apart where they touch in front of the heart, else the part alone."""
    depth = ndimage.distance_transform_edt(np.pad(part, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    for reach_mm in (3.0, 5.0, 8.0, 12.0):
        seeds, _ = ndimage.label(depth > reach_mm)
        sizes = np.bincount(seeds.ravel())
        sizes[0] = 0
        largest = np.argsort(sizes)[::-1][:2]
        if len(largest) == 2 and sizes[largest[1]] > 0.25 * sizes[largest[0]] > 0:
            to_first, to_second = (
                ndimage.distance_transform_edt(seeds != label, sampling=spacing) for label in largest
            )
            return [part & (to_first <= to_second), part & (to_second < to_first)]
    return [part]


def _closed_within(lung: Mask, spacing: Floats) -> Mask:
    """Return the lung closed by a ball and with holes filled, in the lung's own box."""
    room = np.ceil(CLOSING_MM / spacing).astype(int) + 1
    wide = np.pad(lung, [(int(n), int(n)) for n in room], mode="edge")
    wide[:, : room[1]] = wide[:, -room[1] :] = False
    wide[:, :, : room[2]] = wide[:, :, -room[2] :] = False
    grown = ndimage.distance_transform_edt(~wide, sampling=spacing) <= CLOSING_MM
    shrunk = ndimage.distance_transform_edt(grown, sampling=spacing) > CLOSING_MM
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in shrunk | wide])
    return np.asarray(filled[room[0] : -room[0], room[1] : -room[1], room[2] : -room[2]])


def midline_lps_mm(volume: Volume) -> float:
    """Return the x (LPS, mm) of the middle of the body."""
    strides = (max(1, volume.array.shape[0] // 40), 4, 4)
    body = find_body(np.asarray(volume.array[:: strides[0], ::4, ::4], dtype=np.float32))
    if not body.any():
        return float(volume.grid.to_lps_mm((np.array(volume.grid.shape_zyx) - 1) / 2)[0, 0])
    x = volume.grid.to_lps_mm(np.argwhere(body) * np.array(strides))[:, 0]
    return float((np.percentile(x, 0.5) + np.percentile(x, 99.5)) / 2)
