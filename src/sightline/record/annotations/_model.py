"""What people draw on images, as frozen values and the rules they keep.

Image coordinates are (column, row): the top-left corner of the top-left pixel is (0, 0), its centre
(0.5, 0.5). Frames count from 1. Patient space is LPS in mm.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from sightline.kernel.errors import Conflict, Invalid, NotFound

Point2 = tuple[float, float]
Point3 = tuple[float, float, float]
Code3 = tuple[str, str, str]

Kind: TypeAlias = Literal[
    "length", "calibrated-length", "bidirectional", "angle", "cobb", "ellipse", "rectangle", "freehand",
    "spline", "probe", "arrow", "text", "segment",
]  # fmt: skip

# How many points each kind has.
POINTS: Final[dict[str, tuple[int, int]]] = {
    "length": (2, 2),
    "calibrated-length": (2, 2),
    "bidirectional": (4, 4),
    "angle": (3, 3),
    "cobb": (4, 4),
    "ellipse": (4, 4),
    "rectangle": (4, 4),
    "freehand": (3, 2000),
    "spline": (3, 2000),
    "probe": (1, 1),
    "arrow": (2, 2),
    "text": (1, 1),
}
REGIONS: Final = frozenset({"ellipse", "rectangle", "freehand", "spline"})
LENGTHS: Final = frozenset({"length", "calibrated-length"})

MOST_MEASUREMENTS, MOST_KEY_IMAGES, MOST_PRESENTATIONS, MOST_GRAPHICS = 500, 500, 50, 500
MOST_IMAGES = 5000
# No image has a million columns, and no patient is 100 m away.
_FARTHEST_PX, _FARTHEST_MM = 1e6, 1e5
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")  # others write leading zeroes too


class UnusableAnnotation(Invalid):
    """What was drawn cannot be right as it was sent; draw it again."""


class MeasuredOtherwise(Invalid):
    """The value sent differs from the one computed here by more than 1 %; measure again and save."""


class ImageNotInStudy(Invalid):
    """An annotation is on an image that this study does not hold; open the study again."""


class NothingSegmented(Invalid):
    """The label map has no voxel of any segment; paint first, then save."""


class UnusableLabelmap(Invalid):
    """The label map does not fit its header or the images; the message says how."""


class DraftChangedMeanwhile(Conflict):
    """Another window saved a newer working copy; load it, or overwrite it by sending its version."""


class AnnotationsChangedMeanwhile(Conflict):
    """Somebody saved annotations of this study since they were loaded; load them again, then save."""


class NoDraft(NotFound):
    """There is no working copy of this person for this study."""


def is_uid(text: str) -> bool:
    """Say whether a text is a DICOM UID (PS3.5 9.1)."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise UnusableAnnotation(message)


def _require_uids(**uids: str) -> None:
    for name, uid in uids.items():
        _require(is_uid(uid), f"{name} is no DICOM UID.")


def _require_points(points: Sequence[Sequence[float]], farthest: float) -> None:
    inside = all(math.isfinite(v) and abs(v) <= farthest for point in points for v in point)
    _require(inside, "A point is not finite or lies far outside the image; draw again.")


@dataclass(frozen=True, slots=True)
class Value:
    """One measured number: `unit` is a UCUM code, or px and px2 where nothing says how large a pixel is."""

    name: str
    value: float
    unit: str
    method: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an annotation was read: the object, who wrote it and when; `own` when the caller wrote it."""

    sop_uid: str
    series_uid: str
    by: str = ""
    at: str = ""
    ours: bool = False
    own: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class SegmentReference:
    """The segment that values were measured on."""

    segmentation_uid: str
    number: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """Something measured or marked on an image, or in a plane of patient space.

    `points_px` is None in a reformatted plane, `points_lps_mm` where the image has no place in the patient.
    `calibration` says what millimetres rest on where no patient geometry gives them.
    """

    uid: str
    kind: Kind
    series_uid: str
    sop_uid: str = ""
    frame: int = 1
    frame_of_reference_uid: str = ""
    label: str = ""
    points_px: list[Point2] | None = None
    points_lps_mm: list[Point3] | None = None
    values: list[Value] = field(default_factory=list)
    calibration: str = ""
    segment: SegmentReference | None = None
    source: Origin | None = None

    def __post_init__(self) -> None:
        _require_uids(uid=self.uid)
        if self.kind == "segment":  # only ever read
            return
        _require(len(self.label) <= 200, "A label has at most 200 characters.")
        _require(len(self.calibration) <= 200, "What is said of the calibration has at most 200 characters.")
        _require(len(self.values) <= 20, "A measurement has at most 20 values.")
        _require(1 <= self.frame <= 1_000_000, "Frames count from 1.")
        least, most = POINTS[self.kind]
        given = [p for p in (self.points_px, self.points_lps_mm) if p is not None]
        _require(bool(given), "A measurement needs points.")
        for points in given:
            _require(least <= len(points) <= most, f"A measurement of kind {self.kind} has {least} points.")
        _require_points(self.points_px or [], _FARTHEST_PX)
        _require_points(self.points_lps_mm or [], _FARTHEST_MM)
        _require(all(math.isfinite(v.value) for v in self.values), "A value is not a finite number.")

    def require_place(self) -> None:
        """Refuse a measurement that does not say on what it was made."""
        _require(self.kind != "segment", "Values of a segment are saved with the segmentation.")
        _require_uids(series_uid=self.series_uid)
        if self.on_image:
            _require_uids(sop_uid=self.sop_uid)
        else:
            _require(self.points_lps_mm is not None, "In a reformatted plane points are given in mm.")
            _require_uids(frame_of_reference_uid=self.frame_of_reference_uid)

    @property
    def on_image(self) -> bool:
        """Say whether it was drawn on an image; otherwise it lies in a reformatted plane."""
        return self.points_px is not None

    def value_of(self, name: str) -> Value | None:
        """Return the value of a name, None where there is none."""
        return next((v for v in self.values if v.name == name), None)


@dataclass(frozen=True, slots=True)
class KeyImage:
    """An image that matters, and why."""

    sop_uid: str
    series_uid: str
    frame: int = 1
    note: str = ""
    source: Origin | None = None

    def __post_init__(self) -> None:
        _require_uids(sop_uid=self.sop_uid, series_uid=self.series_uid)
        _require(len(self.note) <= 1000, "A note has at most 1000 characters.")
        _require(1 <= self.frame <= 1_000_000, "Frames count from 1.")


@dataclass(frozen=True, slots=True)
class Window:
    """Centre and width in the unit of the image."""

    center: float
    width: float

    def __post_init__(self) -> None:
        usable = math.isfinite(self.center) and math.isfinite(self.width) and self.width > 0
        _require(usable, "The width of a window is more than 0.")


@dataclass(frozen=True, slots=True)
class Area:
    """The part of an image that is shown, in image coordinates."""

    top_left: Point2
    bottom_right: Point2

    def __post_init__(self) -> None:
        _require_points([self.top_left, self.bottom_right], _FARTHEST_PX)
        grows = all(a < b for a, b in zip(self.top_left, self.bottom_right, strict=True))
        _require(grows, "The area shown runs from its top-left to its bottom-right corner.")


@dataclass(frozen=True, slots=True)
class ShownImage:
    """An image a presentation is for; no frames means all."""

    sop_uid: str
    frames: list[int] | None = None

    def __post_init__(self) -> None:
        _require_uids(sop_uid=self.sop_uid)
        frames = self.frames or []
        _require(len(frames) <= MOST_IMAGES and all(f >= 1 for f in frames), "Frames count from 1.")


@dataclass(frozen=True, slots=True)
class Graphic:
    """Something drawn over an image without being measured; a text hangs on its first point."""

    kind: Literal["polyline", "point", "text", "circle", "ellipse"]
    points: list[Point2]
    text: str = ""
    closed: bool = False

    def __post_init__(self) -> None:
        least, most = {
            "polyline": (2, 2000), "point": (1, 1), "text": (1, 1), "circle": (2, 2), "ellipse": (4, 4)
        }[self.kind]  # fmt: skip
        _require(least <= len(self.points) <= most, f"A {self.kind} has {least} points.")
        _require_points(self.points, _FARTHEST_PX)
        _require(len(self.text) <= 1000, "A text has at most 1000 characters.")
        _require(self.kind != "text" or bool(self.text.strip()), "A text has words.")


@dataclass(frozen=True, slots=True)
class Presentation:
    """How images are to be shown: window, turning, part, and what is drawn over them."""

    uid: str
    series_uid: str
    images: list[ShownImage]
    label: str = ""
    window: Window | None = None
    invert: bool = False
    rotation: Literal[0, 90, 180, 270] = 0
    flip_horizontal: bool = False
    area: Area | None = None
    graphics: list[Graphic] = field(default_factory=list)
    layer: str = ""
    editable: bool = True
    source: Origin | None = None

    def __post_init__(self) -> None:
        _require_uids(uid=self.uid, series_uid=self.series_uid)
        _require(1 <= len(self.images) <= MOST_IMAGES, "A presentation is for at least one image.")
        _require(len(self.graphics) <= MOST_GRAPHICS, f"At most {MOST_GRAPHICS} graphics fit.")
        _require(len(self.label) <= 64 and len(self.layer) <= 16, "Label or layer is too long (64, 16).")


@dataclass(frozen=True, slots=True)
class Segment:
    """One structure of a segmentation."""

    number: int
    label: str
    colour: str = ""
    category: Code3 = ("49755003", "SCT", "Morphologically Abnormal Structure")
    type: Code3 = ("52988006", "SCT", "Lesion")
    algorithm: Literal["manual", "semiautomatic", "automatic"] = "manual"
    algorithm_name: str = ""
    tracking_uid: str = ""

    def __post_init__(self) -> None:
        _require(1 <= self.number <= 65_535, "Segments count from 1.")
        _require(bool(self.label.strip()) and len(self.label) <= 64, "A segment has a label (64).")
        coloured = not self.colour or re.fullmatch(r"#[0-9a-fA-F]{6}", self.colour) is not None
        _require(coloured, "A colour is written #rrggbb.")
        for code in (self.category, self.type):
            fits = all(code) and len(code[0]) <= 16 and len(code[1]) <= 16 and len(code[2]) <= 64
            _require(fits, "A code has a value (16), a scheme (16) and a meaning (64).")
        _require(not self.tracking_uid or is_uid(self.tracking_uid), "tracking_uid is no DICOM UID.")


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A segmentation as it is described; its voxels are fetched apart."""

    uid: str
    series_uid: str
    label: str
    reference_series_uid: str
    segments: list[Segment]
    fractional: bool = False
    algorithm: str = ""
    source: Origin | None = None


@dataclass(frozen=True, slots=True)
class PaintedSlice:
    """An image or frame that one plane of a label map lies on."""

    sop_uid: str
    frame: int = 1

    def __post_init__(self) -> None:
        _require_uids(sop_uid=self.sop_uid)


@dataclass(frozen=True, slots=True)
class Painted:
    """What stands before the voxels of a label map: its grid and its segments.

    The voxels follow as uint8 (layer, slice, row, column): the number of a segment, 0 for none.
    `replaces` is the segmentation that this is a new version of.
    """

    reference_series_uid: str
    slices: list[PaintedSlice]
    rows: int
    columns: int
    segments: list[Segment]
    layers: int = 1
    label: str = ""
    replaces: str = ""

    def __post_init__(self) -> None:
        _require_uids(reference_series_uid=self.reference_series_uid)
        _require(1 <= len(self.slices) <= 10_000 and 1 <= self.layers <= 16, "Give 1 to 16 layers of slices.")
        _require(1 <= self.rows <= 65_535 and 1 <= self.columns <= 65_535, "Give the size of the images.")
        numbers = [segment.number for segment in self.segments]
        _require(1 <= len(numbers) <= 255, "A segmentation has 1 to 255 segments.")
        _require(numbers == list(range(1, len(numbers) + 1)), "Segments are numbered 1, 2, 3 … in order.")
        _require(len(self.label) <= 64, "A label has at most 64 characters.")
        _require(not self.replaces or is_uid(self.replaces), "replaces is no DICOM UID.")
        places = {(s.sop_uid, s.frame) for s in self.slices}
        _require(len(places) == len(self.slices), "Each slice is given once.")

    @property
    def size(self) -> int:
        """Return how many bytes the voxels are."""
        return self.layers * len(self.slices) * self.rows * self.columns


@dataclass(frozen=True, slots=True)
class Content:
    """What one person drew on a study."""

    measurements: list[Measurement] = field(default_factory=list)
    key_images: list[KeyImage] = field(default_factory=list)
    presentations: list[Presentation] = field(default_factory=list)

    def __post_init__(self) -> None:
        for things, most in (
            (self.measurements, MOST_MEASUREMENTS),
            (self.key_images, MOST_KEY_IMAGES),
            (self.presentations, MOST_PRESENTATIONS),
        ):
            _require(len(things) <= most, f"At most {most} of a kind fit; split them over two studies.")
        for uids in ([m.uid for m in self.measurements], [p.uid for p in self.presentations]):
            _require(len(set(uids)) == len(uids), "Two annotations have the same UID.")


@dataclass(frozen=True, slots=True)
class Draft:
    """The working copy of one person; `version` counts its changes."""

    version: int
    saved_at: datetime
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unread:
    """An object, or a part of one, that could not be read, and why."""

    sop_uid: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Annotations:
    """All that is drawn on a study; `version` changes whenever an object of it does."""

    version: str
    measurements: list[Measurement]
    key_images: list[KeyImage]
    presentations: list[Presentation]
    segmentations: list[Segmentation]
    unread: list[Unread]


@dataclass(frozen=True, slots=True)
class Written:
    """An object that was written."""

    kind: Literal["SR", "KO", "PR", "SEG"]
    sop_uid: str
    series_uid: str
