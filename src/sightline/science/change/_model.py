"""What became of a lesion between two dates."""

from dataclasses import dataclass
from typing import Literal

from sightline.kernel.quantities import Quantity

LinkKind = Literal["linked", "new", "vanished", "not-covered", "ambiguous"]
GrowthKind = Literal["new", "grown", "stable", "shrunk", "vanished", "cannot-tell"]


@dataclass(frozen=True, slots=True)
class Link:
    """One lesion followed, or not, from the prior to the current volume.

    `current` and `prior` are indices into the two lists of lesions, None where there is none. `cost` is
    that of the match (0 is perfect, 1 is as good as no match). `reason` is one plain sentence.
    """

    current: int | None
    prior: int | None
    kind: LinkKind
    cost: float
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What repeat measurements of an unchanged lesion may differ by, and the figure that says so.

    `low` and `high` are the 95 % limits (%) of the change of `quantity`; the figure holds for lesions of
    `size_low_mm` to `size_high_mm` (None: no upper end) and slices of at most `max_slice_mm`; `slice_mm` are
    those of this pair. `added` says what widened it.
    """

    quantity: Literal["volume", "long axis"]
    low: float
    high: float
    size_low_mm: float
    size_high_mm: float | None
    slice_mm: float
    max_slice_mm: float
    source: str
    added: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Growth:
    """How a lesion's volume changed, against what repeat measurements of unchanged lesions vary by.

    `percent` carries the 95 % interval; `doubling_days` has `high` None where the upper end is unbounded;
    `limits` is None where no published figure holds.
    """

    kind: GrowthKind
    percent: Quantity | None
    doubling_days: Quantity | None
    reason: str
    limits: Limits | None = None
