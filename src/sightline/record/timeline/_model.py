"""Priors and comparisons as values, and the rule that ranks priors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sightline.kernel.errors import NotFound

# Beginnings of words (patterns), in codes and free descriptions, that tell the region an examination covers.
REGION_WORDS: dict[str, tuple[str, ...]] = {
    "head": ("head", "brain", "skull", "cranium", "orbit", "sinus", "neuro"),
    "neck": ("neck", "thyroid", "larynx"),
    "chest": ("chest", "thorax", "lung", "pulmonary", "thoracic", "cardiac", "heart", "mediastinum"),
    "abdomen": ("abdomen", "abdominal", "liver", "kidney", "pancreas", "hepatic", "renal"),
    "pelvis": ("pelvis", "pelvic", "prostate", "uterus", "bladder"),
    "breast": ("breast", "mammo", "mammography"),
    "spine": ("spine", "lumbar", "cervical", "sacrum"),
    "extremity": (
        "knee",
        "hip(?!po)",
        "shoulder",
        "ankle",
        "wrist",
        "hand",
        "foot",
        "elbow",
        "femur",
        "tibia",
    ),
    "body": ("wholebody", "whole body", r"cap\b"),
}  # fmt: skip
# Also found within a word: the codes of PS3.16 Annex L join them (CHESTABDPELVIS, LSPINE).
WITHIN = frozenset({"neck", "chest", "abdomen", "pelvis", "spine"})

# Regions whose images show part of the other: lung bases on an abdomen, the neck on a head.
NEIGHBOURS: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        ("head", "neck"), ("neck", "chest"), ("chest", "abdomen"), ("abdomen", "pelvis"), ("chest", "breast"),
        ("spine", "chest"), ("spine", "abdomen"), ("spine", "neck"), ("pelvis", "spine"),
    )
)  # fmt: skip

SAME_REGION, NEAR_REGION, SAME_MODALITY, ENOUGH_SLICES, PER_YEAR = 6.0, 2.0, 4.0, 1.0, 0.5
LEAST_SCORE = 4.0


class ComparisonNotHeld(NotFound):
    """The study has not been compared with a prior, or you may not see it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A study as the ranking sees it; `at` is its date and time, `regions` what it covers."""

    study_uid: str
    at: datetime
    modality: str
    regions: frozenset[str]
    images: int
    exam: str


@dataclass(frozen=True, slots=True)
class RankedPrior:
    """An earlier study, how relevant it is, and why in one line."""

    study_uid: str
    score: float
    why: str
    days: int


def regions_of(*texts: str) -> frozenset[str]:
    """Return the regions that codes or descriptions name.

    >>> sorted(regions_of("CT CHEST/ABDOMEN W CONTRAST"))
    ['abdomen', 'chest']
    """
    words = " ".join(re.sub(r"[^a-z]+", " ", text.casefold()) for text in texts)
    return frozenset(
        region
        for region, names in REGION_WORDS.items()
        if any(re.search(name if name in WITHIN else rf"\b{name}", words) for name in names)
    )


def rank_priors(current: Candidate, earlier: Sequence[Candidate]) -> tuple[RankedPrior, ...]:
    """Return the earlier studies that bear on the current one, most relevant first, each with its reason.

    The same region counts most, then the same modality; a neighbouring region shows part of it; age takes
    away half a point a year. Studies of another region are left out; where one of the two does not say its
    region, the same modality is enough.
    """
    ranked = [_rank(current, other) for other in earlier if other.at < current.at]
    kept = [prior for prior in ranked if prior.score >= LEAST_SCORE]
    return tuple(sorted(kept, key=lambda prior: (-prior.score, prior.days, prior.study_uid)))


def _rank(current: Candidate, other: Candidate) -> RankedPrior:
    days = (current.at.date() - other.at.date()).days
    score, reasons = _region(current.regions, other.regions)
    if current.modality == other.modality:
        score += SAME_MODALITY
        reasons.append("same modality")
    if other.images >= min(current.images, 20):
        score += ENOUGH_SLICES
    score -= PER_YEAR * days / 365
    return RankedPrior(other.study_uid, round(score, 2), " · ".join([*reasons, _ago(days)]), days)


def _region(current: frozenset[str], other: frozenset[str]) -> tuple[float, list[str]]:
    if current & other or "body" in current | other:
        return SAME_REGION, ["same region"]
    if any(frozenset((a, b)) in NEIGHBOURS for a in current for b in other):
        return NEAR_REGION, ["neighbouring region"]
    if not current or not other:
        return NEAR_REGION, ["region not stated"]
    return -SAME_REGION, ["other region"]


def _ago(days: int) -> str:
    if days == 0:
        return "same day"
    return "1 day earlier" if days == 1 else f"{days} days earlier"


@dataclass(frozen=True, slots=True)
class AlignmentSummary:
    """How two studies were aligned: the verdict, the test that decided it, where the field is kept."""

    verdict: str
    reason: str
    tests: tuple[dict[str, Any], ...]
    method: str
    key: str
    grid: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one lesion: finding ids at both dates, the change with its 95 % interval, the reason.

    `linked` says that the two findings are taken for one lesion; a doubtful pair is not.
    """

    current: str | None
    prior: str | None
    kind: str
    percent: float | None
    low: float | None
    high: float | None
    doubling_days: float | None
    doubling_low: float | None
    doubling_high: float | None
    text: str
    reason: str
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """A study beside its prior."""

    id: str
    study_uid: str
    prior_uid: str
    patient: str
    study_series_uid: str
    prior_series_uid: str
    why: str
    days: int
    alignment: AlignmentSummary
    changes: tuple[Change, ...]
    at: datetime


def study_moment(study_date: str, study_time: str) -> datetime:
    """Return date (YYYYMMDD) and time (HHMMSS) of a study as one moment.

    An unusable date sorts first; an unusable time is midnight.

    >>> study_moment("20260503", "0941").isoformat()
    '2026-05-03T09:41:00'
    """
    try:
        day = date.fromisoformat(study_date)
    except ValueError:
        return datetime.min  # noqa: DTZ901
    digits = re.sub(r"\D", "", study_time.partition(".")[0])[:6].ljust(6, "0")
    try:
        at = time(int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        at = time.min
    return datetime.combine(day, at)  # DICOM gives local time without an offset
