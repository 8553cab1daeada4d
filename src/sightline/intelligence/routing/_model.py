"""Rules of routing and the state of an analysis, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# What stands in place of a model's name where no rule sends the study to one.
NO_MODEL = ""


class AnalysisState(StrEnum):
    """Where the analysis of a study stands; `REFUSED` is the model's own word with its reason."""

    NONE = "none"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Say whether nothing more is to be expected."""
        return self in (AnalysisState.DONE, AnalysisState.REFUSED, AnalysisState.FAILED)


@dataclass(frozen=True, slots=True)
class Analysis:
    """One model on one study: how it stands, in words, and the run it led to."""

    study_uid: str
    model: str
    state: AnalysisState
    text: str
    series_uid: str | None
    run: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Series:
    """A series as the rules see it."""

    uid: str
    modality: str
    images: int
    derived: bool
    thickness_mm: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Send the best series of `modality` with at least `least_images` to `model`."""

    name: str
    model: str
    modality: str
    least_images: int


RULES: tuple[Rule, ...] = (Rule("chest CT to nodules", "chest-ct-nodules", "CT", 20),)


def match_rules(series: Sequence[Series], rules: Sequence[Rule] = RULES) -> tuple[tuple[Rule, Series], ...]:
    """Return each rule that applies with the series it chose: original before derived, then most images.

    >>> match_rules([Series("1.2", "CT", 120, False), Series("1.3", "CT", 3, False)])[0][1].uid
    '1.2'
    """
    matched = []
    for rule in rules:
        fitting = [s for s in series if s.modality == rule.modality and s.images >= rule.least_images]
        if fitting:
            matched.append((rule, min(fitting, key=lambda s: (s.derived, -s.images, s.uid))))
    return tuple(matched)
