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
class Growth:
    """How a lesion's volume changed, against what repeat measurements of unchanged lesions vary by.

    `percent` carries the 95 % interval; `doubling_days` has `high` None where the upper end is unbounded.
    """

    kind: GrowthKind
    percent: Quantity | None
    doubling_days: Quantity | None
    reason: str
