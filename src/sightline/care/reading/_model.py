"""A study as it is opened for reading."""

from collections.abc import Sequence
from dataclasses import dataclass

from sightline.care import worklist
from sightline.intelligence import routing
from sightline.kernel.errors import NotFound
from sightline.record import archive, findings, timeline

# The window for the first look at a chest CT, in HU: centre and width. Others open in their own.
LUNG_WINDOW = (-600.0, 1500.0)


class NoAlignment(NotFound):
    """The two studies of this comparison could not be aligned; look at them side by side."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Which series of a study to show first, and in which window (None: the image's own)."""

    series_uid: str
    window: tuple[float, float] | None
    why: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A study, its prior, what has changed, what was found, and its place on the list."""

    study: archive.Study
    series: Sequence[archive.Series]
    shown: Shown | None
    priors: Sequence[tuple[archive.Study, timeline.RankedPrior]]
    prior: tuple[archive.Study, timeline.RankedPrior] | None
    prior_series: Sequence[archive.Series]
    prior_shown: Shown | None
    comparison: timeline.Comparison | None
    analysis: routing.Analysis
    found: Sequence[findings.Finding]
    earlier: dict[str, findings.Finding]
    lines: dict[str, list[findings.Finding]]
    dates: dict[str, str]
    history: Sequence[archive.Study]
    indication: str | None
    entry: worklist.Entry | None
    before: worklist.Entry | None
    after: worklist.Entry | None
