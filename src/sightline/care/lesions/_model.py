"""What a person clicks, and what is found there."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sightline.kernel.errors import Conflict, Invalid
from sightline.record import findings
from sightline.science.segmentation import Mask

Point = tuple[float, float, float]

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "lung-nodule": "lung nodule",
        "lymph-node": "lymph node",
        "liver-lesion": "liver lesion",
        "brain-metastasis": "brain metastasis",
        "pet-focus": "focus of uptake",
        "lesion": "lesion",
    }
)
"""What a person can say that a lesion is, and its name."""

MOST_CORRECTIONS = 40


class UnknownKind(Invalid):
    """The kind of lesion is not one of those offered; the message lists them."""


class TooManyCorrections(Invalid):
    """So many corrections are no click any more; keep the lesion and edit it with the brush."""


class NotAligned(Conflict):
    """The prior cannot be laid onto the study; the message says why. Look at them side by side."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One correction: points that belong to the lesion, and points that do not; LPS, mm."""

    add: tuple[Point, ...] = ()
    remove: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Click:
    """One click, or a stroke along the long axis, with the corrections after it.

    `diameter_mm` is the length of the stroke, None for a click; `kind` one of `KINDS`, or
    None to have it guessed.
    """

    series_uid: str
    points_lps_mm: tuple[Point, ...]
    diameter_mm: float | None = None
    corrections: tuple[Touch, ...] = ()
    kind: str | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise UnknownKind(f"A lesion is one of: {', '.join(KINDS)}.")
        if len(self.corrections) > MOST_CORRECTIONS:
            raise TooManyCorrections(
                f"More than {MOST_CORRECTIONS} corrections; keep the lesion and edit it with the brush."
            )

    def until(self, corrections: int) -> Hashable:
        """Return what the answer after so many corrections depends on."""
        return self.series_uid, self.points_lps_mm, self.diameter_mm, self.corrections[:corrections]


@dataclass(frozen=True, slots=True, eq=False)
class Clicked:
    """What was cut out at a click: the finding it would be, its mask, and what to know before keeping it."""

    found: findings.Found
    mask: Mask
    offset_zyx: tuple[int, int, int]
    method: str
    notes: tuple[str, ...]
