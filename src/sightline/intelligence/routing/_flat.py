"""Radiographs and single slices: one image of a study beside the one of its prior that shows the same view.

Such a pair is aligned in the plane. A radiograph lies in a space of its own: x along the columns and y along
the rows in mm, from the centre of the first pixel, as an image without a place is shown.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydicom import Dataset, dcmread

from sightline.intelligence.routing._service import find_image_series
from sightline.kernel import clock
from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.runtime.db import Db
from sightline.science import alignment as aligning
from sightline.science.geometry import Floats, Grid

RADIOGRAPHS = frozenset({"CR", "DX"})
SLICES = frozenset({"CT"})
MOST_IMAGES = 12
"""So many images of a study are looked at for their views; a radiograph has one to six."""

Flat = Literal["radiograph", "slice"]

_VIEWS = {
    "PA": "frontal", "AP": "frontal", "LL": "lateral", "RL": "lateral", "LAT": "lateral",
    "LLD": "decubitus", "RLD": "decubitus",
}  # fmt: skip
_FACING = {"L": "frontal", "R": "frontal", "A": "lateral", "P": "lateral"}


class DifferentViews(Invalid):
    """The two studies have no view in common, so there is nothing to lay on one another."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One image that is compared: where it is, its view and side; empty where it does not say."""

    series_uid: str
    sop_uid: str
    view: str = ""
    side: str = ""


def kind_of(modality: str) -> str:
    """Return the modality of a study by which it is compared; the two ways to a radiograph are one."""
    return "/".join(sorted({"CR" if one == "DX" else one for one in modality.split("/")}))


def flat_pair(
    db: Db, study_uid: str, prior_uid: str, chosen: tuple[str, str]
) -> tuple[Flat, Shot, Shot] | None:
    """Return the two images that are compared in the plane; None where the series are volumes.

    Of radiographs those that show the same view of the same side, frontal ones first.
    """
    here, there = (archive.get_series(db, uid).modality for uid in chosen)
    if {here, there} <= RADIOGRAPHS:
        now, then = (_radiographs(db, uid) for uid in (study_uid, prior_uid))
        pairs = [(a, b) for a in now for b in then]
        return ("radiograph", *max(pairs, key=lambda pair: _fit(*pair))) if pairs else None
    if {here, there} <= SLICES:
        images = [archive.sop_uids_of(db, uid) for uid in chosen]
        if all(len(uids) == 1 for uids in images):
            return "slice", Shot(chosen[0], images[0][0]), Shot(chosen[1], images[1][0])
    return None


def _radiographs(db: Db, study_uid: str) -> list[Shot]:
    series = [s.uid for s in find_image_series(db, study_uid) if s.modality in RADIOGRAPHS]
    images = [(uid, one) for uid in series for one in archive.sorted_instances(db, uid) if one.frames == 1]
    return [
        _shot(uid, one.sop_uid, archive.attributes_of(db, one.sop_uid)) for uid, one in images[:MOST_IMAGES]
    ]


def _shot(series_uid: str, sop_uid: str, attributes: archive.Attributes) -> Shot:
    def text(tag: str) -> str:
        return str((attributes.get(tag, {}).get("Value") or [""])[0]).strip().upper()

    view = view_of(text("00185101"), text("00200020"))
    return Shot(series_uid, sop_uid, view, text("00200062") or text("00200060"))


def view_of(position: str, orientation: str) -> str:
    """Return the view of a projection, from View Position, else from where its rows run; empty if not told.

    >>> view_of("PA", ""), view_of("", "P"), view_of("AXIAL", "L")
    ('frontal', 'lateral', 'axial')
    """
    return _VIEWS.get(position, position.lower()) or _FACING.get(orientation[:1], "")


def _fit(now: Shot, then: Shot) -> tuple[int, int, int]:
    """Return how well two images fit: views and sides agree, none contradicts; frontal if in doubt."""
    return (
        _agreement(now.view, then.view),
        _agreement(now.side, then.side),
        int(now.view == "frontal"),
    )


def _agreement(one: str, other: str) -> int:
    return 0 if not one or not other else 1 if one == other else -1


def align_pictures(
    result: Path, kind: Flat, current: Path, prior: Path, sop_uid: str, prior_sop_uid: str
) -> None:
    """Align one image of each of two folders in the plane; runs in a child and writes into `result`.

    Raises
    ------
    DifferentViews
        If they show the patient from different sides, or different sides of the patient.
    NotAPicture
        If one is in colour, has several frames or no pixel spacing.
    """
    now, then = _image(current, sop_uid), _image(prior, prior_sop_uid)
    if kind == "radiograph":
        _require_same_view(now, then)
    pictures = [aligning.read_picture(ds) for ds in (now, then)]
    found = aligning.align_images(pictures[0], pictures[1], kind=kind)
    planes = [_plane(ds, kind) for ds in (now, then)]
    about = {
        "current": asdict(_grid(pictures[0], planes[0])),
        "prior": asdict(_grid(pictures[1], planes[1])),
        "thickness_mm": 1.0,
        "modality": _text(now, "Modality"),
        "differs": [],
        "made_at": clock.now().isoformat(),
    }
    (result / "about.json").write_text(json.dumps(about))
    (result / "alignment.npz").write_bytes(in_space(found, *planes).to_bytes())


def _image(folder: Path, sop_uid: str) -> Dataset:
    for path in sorted(folder.iterdir()):
        if str(dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID) == sop_uid:
            return dcmread(path)
    raise archive.InstanceNotHeld("The image that was to be aligned is no longer held; open the study again.")


def _require_same_view(now: Dataset, then: Dataset) -> None:
    for name, one, other in (
        ("view", *(_view(ds) for ds in (now, then))),
        ("side", *(_text(ds, "ImageLaterality") or _text(ds, "Laterality") for ds in (now, then))),
    ):
        if _agreement(one, other) < 0:
            raise DifferentViews(
                f"The {name} differs ({one.lower()} now, {other.lower()} then): look at both side by side."
            )


def _view(ds: Dataset) -> str:
    orientation = ds.get("PatientOrientation") or [""]
    return view_of(_text(ds, "ViewPosition"), str(orientation[0]).upper())


def _text(ds: Dataset, name: str) -> str:
    return str(ds.get(name) or "").strip().upper()


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Where a picture lies: the centre of its first pixel (mm) and the axes of rows, columns and normal."""

    origin: Floats
    axes: Floats


def _plane(ds: Dataset, kind: Flat) -> Plane:
    position, orientation = ds.get("ImagePositionPatient"), ds.get("ImageOrientationPatient")
    if kind == "radiograph" or not position or not orientation:
        return Plane(np.zeros(3), np.eye(3))
    right, down = np.array(orientation, dtype=float).reshape(2, 3)
    return Plane(np.array(position, dtype=float), np.column_stack([right, down, np.cross(right, down)]))


def _grid(picture: aligning.Picture, plane: Plane) -> Grid:
    down, along = picture.spacing_yx_mm
    return _laid(plane, (1, *picture.array.shape), (along, down, 1.0))


def _laid(plane: Plane, shape: Sequence[int], spacing: tuple[float, float, float]) -> Grid:
    z, y, x = shape
    ox, oy, oz = (float(v) for v in plane.origin)
    return Grid((z, y, x), spacing, (ox, oy, oz), tuple(plane.axes.ravel().tolist()))


def in_space(found: aligning.PictureAlignment, current: Plane, prior: Plane) -> aligning.Alignment:
    """Return an alignment of two pictures as a map of space, one slice thick.

    Its error is not estimated (NaN): what a projection folds into one plane moves differently.
    """
    rows, columns = found.displacement_mm.shape[:2]
    mm = found.spacing_mm
    grid = _laid(current, (1, rows, columns), (mm, mm, mm))
    y, x = np.indices((rows, columns)) * mm
    here = np.stack([x, y], -1) + found.displacement_mm
    then = prior.origin + here @ prior.axes[:, :2].T
    now = current.origin + np.stack([x, y], -1) @ current.axes[:, :2].T
    return aligning.Alignment(
        verdict=found.verdict,
        reason=found.reason,
        tests=found.tests,
        grid=grid,
        displacement_mm=(then - now)[None].astype(np.float32),
        error_mm=np.full(grid.shape_zyx, np.nan, np.float32),
        method=found.method,
    )
