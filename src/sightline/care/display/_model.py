"""What is shown, and what lies over it: frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from sightline.care.display._shelf import Shelf
from sightline.care.display._turns import Turns
from sightline.care.display.settings import DisplaySettings
from sightline.kernel.errors import Invalid, NotFound
from sightline.record import archive
from sightline.science import rendering, volumes
from sightline.science.geometry import Grid

Form: TypeAlias = Literal["segmentation", "structures", "dose", "map", "series"]
Kind: TypeAlias = Literal["labelmap", "contours", "values"]
MIB = 1 << 20


class OverlayNotHeld(NotFound):
    """The study holds no object or series of this UID that could lie over images."""


class NotAnOverlay(Invalid):
    """The object cannot be laid over this series; the message says why."""


class OverlayNotReadable(Invalid):
    """The object cannot be understood; the message says what is wrong. Send it again from its source."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the use cases stand on: the archive, and what was put together lately."""

    store: archive.Store
    settings: DisplaySettings
    shelf: Shelf
    turns: Turns

    @property
    def most_bytes(self) -> int:
        """Return how large a volume may be."""
        return self.settings.max_volume_mib * MIB


def open_context(store: archive.Store, settings: DisplaySettings) -> Context:
    """Return what the use cases stand on, with nothing kept yet."""
    return Context(store, settings, Shelf(settings.kept_mib * MIB), Turns())


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A series as one volume, with how it is first shown.

    `unit` is UCUM; `window` are centre and width; `background` is the value where there is no volume.
    """

    volume: volumes.Volume
    unit: str
    method: str
    window: tuple[float, float]
    background: float

    @property
    def is_hu(self) -> bool:
        """Say whether the values are Hounsfield units."""
        return self.volume.unit == "HU"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a segmentation: in `layer` it has the label `value`."""

    number: int
    label: str
    colour: str
    category: tuple[str, str, str]
    type: tuple[str, str, str]
    algorithm: str
    tracking_uid: str
    layer: int = 0
    value: int = 0


@dataclass(frozen=True, slots=True)
class Roi:
    """A region of a structure set."""

    number: int
    name: str
    colour: str
    type: str
    contours: int = 0


@dataclass(frozen=True, slots=True)
class Overlay:
    """An object or series that may lie over a series; `reason` says why it cannot, empty when it can."""

    uid: str
    series_uid: str
    form: Form
    kind: Kind
    label: str
    modality: str
    unit: str
    segments: Sequence[Segment] = ()
    rois: Sequence[Roi] = ()
    frame_uids: frozenset[str] = frozenset()
    reference_uids: frozenset[str] = frozenset()
    reason: str = ""
    fractional: bool = False
    algorithm: str = ""
    quantity: tuple[str, str, str] | None = None
    """Of a parametric map that says it, what its values are: code, scheme, meaning (PS3.3 C.7.6.16.2.11)."""
    version: int | None = None
    """Of an object written here, which version of its series it is: a later one takes its place."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One array of an overlay, on its own grid."""

    array: npt.NDArray[Any]
    grid: Grid


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """An overlay that was read: layers of labels, or one array of values with its unit."""

    parts: Sequence[Part]
    unit: str = ""
    method: str = ""
    segments: Sequence[Segment] = ()
    notes: Sequence[str] = ()

    @property
    def size(self) -> int:
        """Return its bytes."""
        return sum(part.array.nbytes for part in self.parts)


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """One contour of a region; `sop_uid` is empty where it lies in no image of the series."""

    sop_uid: str
    frame: int
    closed: bool
    points_lps_mm: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Slices:
    """The images of a series, in the order in which an overlay is given for them."""

    planes: Sequence[volumes.ImagePlane]
    frame_uid: str

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns, the same for all of them."""
        return self.planes[0].rows, self.planes[0].columns

    def plane(self, index: int, reduce: int = 1) -> rendering.Plane:
        """Return where one of them lies; with `reduce`, of pixels so many times as wide."""
        image = self.planes[index]
        right, down = np.array(image.right_mm), np.array(image.down_mm)
        x, y, z = (float(v) for v in np.array(image.origin_lps_mm) + (reduce - 1) / 2 * (right + down))
        wide, high = tuple((right * reduce).tolist()), tuple((down * reduce).tolist())
        rows, columns = -(-image.rows // reduce), -(-image.columns // reduce)
        return rendering.Plane((x, y, z), wide, high, rows, columns)


@dataclass(frozen=True, slots=True)
class Described:
    """An overlay as it lies over a series."""

    overlay: Overlay
    slices: Slices
    dtype: str = ""
    shape: tuple[int, ...] = ()
    unit: str = ""
    range: tuple[float, float] | None = None
    method: str = ""
    segments: Sequence[Segment] = ()
    notes: Sequence[str] = ()
    contours: Sequence[tuple[Roi, Sequence[Contour]]] = ()
