"""Priors and comparisons as values, and the rule that ranks priors."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from sightline.kernel.errors import Invalid, NotFound
from sightline.record.timeline._exam import (
    NEIGHBOURS,
    PAIRED,
    SPINE,
    contrast_of,
    focus_of,
    reasons_of,
    regions_of,
    side_of,
    words_of,
)
from sightline.science.ct import Span

SAME_REGION, ALL_OF_IT, NEAR_REGION = 4.0, 2.0, 2.0
SAME_MODALITY, SHARED_MODALITY, RELATED_MODALITY = 4.0, 3.0, 1.5
ENOUGH_SLICES, SAME_SIDE, OTHER_SIDE, SAME_CONTRAST, SAME_FOCUS, SAME_WORDS = 1.0, 1.0, -5.0, 0.5, 2.0, 0.3
SAME_REASON = 1.0
PER_YEAR, MOST_FOR_AGE = 0.5, 4.0
# Readers' own choices count little until there are several: as if so many had chosen otherwise before.
MOST_FOR_CHOICES, CHOSEN_BEFORE, PRUDENCE = 1.5, 0.5, 4
LEAST_SCORE = 4.0
SAME_EXTENT, OTHER_EXTENT = 1.0, -1.0
_SHOWN_WHOLE = frozenset({"head", "neck", "chest", "abdomen", "pelvis"})

# Modalities that answer the same question by other means; where the same region is shown they help.
RELATED = frozenset(
    frozenset(pair)
    for pair in (
        ("CT", "MR"), ("CT", "CR"), ("MG", "US"), ("MG", "MR"), ("US", "MR"), ("US", "CT"),
        ("CR", "MR"), ("NM", "CT"), ("NM", "PT"), ("XA", "CT"), ("XA", "MR"),
    )
)  # fmt: skip


class NotAPrior(Invalid):
    """The study is not an earlier one of the same patient."""


class ComparisonNotHeld(NotFound):
    """The study has not been compared with a prior, or you may not see it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A study as the ranking sees it.

    `at` is its date and time, `timed` whether it states that time, `modality` one or several joined by ``/``,
    `regions` what it covers, `side` ``L``, ``R``, ``B`` or nothing, `contrast` None where nothing is said of
    it, `reason` why it was ordered, `seen` what its images show, `by_images` whether the regions are from
    there.
    """

    study_uid: str
    at: datetime
    modality: str
    regions: frozenset[str]
    images: int
    exam: str
    side: str = ""
    contrast: bool | None = None
    reason: str = ""
    seen: "Seen | None" = None
    by_images: bool = False
    timed: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """What the images of a study show: spans of regions, and from where to where they reach.

    Heights are z of LPS in mm, towards the head, in the frame of reference `frame_uid` (empty: not one).
    """

    study_uid: str
    series_uid: str
    frame_uid: str
    low_mm: float
    high_mm: float
    spans: tuple[Span, ...]


def with_seen(study: Candidate, seen: Seen | None) -> Candidate:
    """Return a study with what its images show.

    They count where codes and description name no region, or where they name parts of the trunk, neck or
    head of which the images show none: scanners set the body part by protocol, not by patient.
    """
    if seen is None:
        return study
    shown = frozenset(span.region for span in seen.spans)
    contradicted = study.regions <= _SHOWN_WHOLE and not study.regions & shown
    if not shown or not (contradicted or not study.regions):
        return replace(study, seen=seen)
    return replace(study, seen=seen, regions=shown, by_images=True)


def describe(
    study_uid: str, at: datetime, modality: str, exam: str, images: int, part: str = "", reason: str = ""
) -> Candidate:
    """Return a study as the ranking sees it, read from its description and coded body part.

    `reason` is why it was ordered.
    """
    return Candidate(
        study_uid, at, modality, regions_of(exam, part), images, exam, side_of(f"{exam} {part}"),
        contrast_of(exam), reason,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choices:
    """What readers put beside studies by hand: in how many studies like the current one, and of them which.

    `kinds` counts by the kind of prior (see `kind_of`) the studies in which such a one was chosen; `before`
    are the priors that were chosen beside other studies of this patient.
    """

    studies: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    before: frozenset[str] = frozenset()


def kind_of(study: Candidate) -> str:
    """Return modality and regions of a study, by which studies are alike; empty where no region is known.

    >>> kind_of(describe("1", datetime(2026, 5, 3), "CT", "CT chest and abdomen", 300))
    'CT abdomen chest'
    """
    modality = "/".join(sorted(_means(study.modality)))
    return " ".join([modality, *sorted(study.regions)]) if study.regions else ""


@dataclass(frozen=True, slots=True)
class RankedPrior:
    """An earlier study, how relevant it is, and why in one line."""

    study_uid: str
    score: float
    why: str
    days: int


def rank_priors(
    current: Candidate, earlier: Sequence[Candidate], choices: Choices = Choices()
) -> tuple[RankedPrior, ...]:
    """Return the earlier studies that bear on the current one, most relevant first, each with its reason.

    The region counts most, and how much of it the other shows; then the modality, the organ that was looked
    at, the side of what there is two of, contrast, the wording and enough images; age takes away half a point
    a year, four at most. The same reason of the order counts, and what readers chose by hand beside studies
    like this one. A neighbouring region shows part of it. Studies of another region are left out;
    where one of the two does not say its region, the same modality is enough.
    """
    ranked = [_rank(current, other, choices) for other in earlier if is_before(other, current)]
    kept = [prior for prior in ranked if prior.score >= LEAST_SCORE]
    return tuple(sorted(kept, key=lambda prior: (-prior.score, prior.days, prior.study_uid)))


def _rank(current: Candidate, other: Candidate, choices: Choices) -> RankedPrior:
    days = (current.at.date() - other.at.date()).days
    score, reasons = _region(current, other)
    if reasons and (current.by_images or other.by_images):
        reasons = [f"{reasons[0]}, as the images show"]
    for points, reason in (
        _extent(current, other),
        _modality(current, other),
        _side(current, other),
        _reason(current, other),
        _choice(other, choices),
    ):
        score += points
        reasons += [reason] if reason else []
    if None is not current.contrast == other.contrast:
        score += SAME_CONTRAST
    if focus_of(current.exam) & focus_of(other.exam):
        score += SAME_FOCUS
    score += SAME_WORDS * _likeness(current.exam, other.exam)
    if other.images >= min(current.images, 20):
        score += ENOUGH_SLICES
    score -= min(PER_YEAR * days / 365, MOST_FOR_AGE)
    return RankedPrior(other.study_uid, round(score, 2), " · ".join([*reasons, _ago(days)]), days)


def _region(current: Candidate, other: Candidate) -> tuple[float, list[str]]:
    here, there = current.regions, other.regions
    shared = _levels(here) & _levels(there)
    if shared:
        return SAME_REGION + ALL_OF_IT * min(len(shared) / len(here), 1.0), ["same region"]
    if "body" in here | there and here and there:
        return SAME_REGION + (0.0 if "body" in here else ALL_OF_IT), ["same region"]
    if any(frozenset((a, b)) in NEIGHBOURS for a in here for b in there):
        return NEAR_REGION, ["neighbouring region"]
    if not here or not there:
        return NEAR_REGION, ["region not stated"]
    return -SAME_REGION - ALL_OF_IT, ["other region"]


def _levels(regions: frozenset[str]) -> frozenset[str]:
    """Return regions with the levels of a spine that is named as a whole."""
    return regions | SPINE if "spine" in regions else regions


def _extent(current: Candidate, other: Candidate) -> tuple[float, str]:
    """Return how much of the current study's height the other one shows, where both are in one frame."""
    here, there = current.seen, other.seen
    if here is None or there is None or not here.frame_uid or here.frame_uid != there.frame_uid:
        return 0.0, ""
    height_mm = here.high_mm - here.low_mm
    shared_mm = min(here.high_mm, there.high_mm) - max(here.low_mm, there.low_mm)
    if shared_mm <= 0:
        return OTHER_EXTENT, "another level"
    return SAME_EXTENT * shared_mm / height_mm, f"shows {shared_mm:.0f} of {height_mm:.0f} mm"


def _modality(current: Candidate, other: Candidate) -> tuple[float, str]:
    here, there = (_means(one.modality) for one in (current, other))
    if here == there:
        return SAME_MODALITY, "same modality"
    if here & there:
        return SHARED_MODALITY, "shared modality"
    related = any(frozenset((a, b)) in RELATED for a in here for b in there)
    if related and current.regions & other.regions:
        return RELATED_MODALITY, ""
    return 0.0, ""


def _means(modality: str) -> frozenset[str]:
    """Return the modalities of a study; the two ways to a radiograph are one."""
    return frozenset("CR" if one == "DX" else one for one in modality.split("/"))


def _side(current: Candidate, other: Candidate) -> tuple[float, str]:
    paired = current.regions & other.regions & PAIRED
    if not paired or not current.side or not other.side:
        return 0.0, ""
    if "B" in current.side + other.side or current.side == other.side:
        return SAME_SIDE, "same side" if current.side == other.side != "B" else ""
    return OTHER_SIDE, "other side"


def _reason(current: Candidate, other: Candidate) -> tuple[float, str]:
    """Return what the reasons of the two orders have in common, of what the shorter one says."""
    here, there = reasons_of(current.reason), reasons_of(other.reason)
    if not here & there:
        return 0.0, ""
    return SAME_REASON * len(here & there) / min(len(here), len(there)), "same reason"


def _choice(other: Candidate, choices: Choices) -> tuple[float, str]:
    chosen = choices.kinds.get(kind_of(other), 0)
    points = MOST_FOR_CHOICES * chosen / (choices.studies + PRUDENCE)
    if other.study_uid in choices.before:
        return points + CHOSEN_BEFORE, "a reader chose it before"
    enough = chosen > 1 and 2 * chosen >= choices.studies
    return points, f"readers chose such a one in {chosen} of {choices.studies}" if enough else ""


def _likeness(one: str, other: str) -> float:
    """Return how many of all words of two descriptions both have (0 to 1)."""
    here, there = words_of(one), words_of(other)
    return len(here & there) / len(here | there) if here | there else 0.0


def _ago(days: int) -> str:
    if days == 0:
        return "same day"
    return "1 day earlier" if days == 1 else f"{days} days earlier"


@dataclass(frozen=True, slots=True)
class AlignmentSummary:
    """How two studies were aligned: the verdict, the test that decided it, where the field is kept.

    `images` are the SOP instances, current first, where two single images were aligned in the plane; the grid
    of radiographs then lies in the picture: x and y in mm from the centre of the first pixel.
    """

    verdict: str
    reason: str
    tests: tuple[dict[str, Any], ...]
    method: str
    key: str
    grid: dict[str, Any] | None
    images: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one lesion: finding ids at both dates, the change with its 95 % interval, the reason.

    `linked` says that the two findings are taken for one lesion; a doubtful pair is not. `link` is how they
    were joined, in the words of `change.Link` and of persons (merged, split). `said` is what a
    person said of them (same, merged, split, different), `said_by` who, and `statement` under which name it
    can be taken back. `limits` is what repeat measurements may differ by, as science gives it.
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
    link: str = ""
    said: str | None = None
    said_by: str | None = None
    statement: str | None = None
    limits: dict[str, Any] | None = None


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

    An unusable date sorts first; an unusable time is midnight (see `states_time`).

    >>> study_moment("20260503", "0941").isoformat()
    '2026-05-03T09:41:00'
    """
    try:
        day = date.fromisoformat(study_date)
    except ValueError:
        return datetime.min  # noqa: DTZ901
    at = _time_of(study_time)
    return datetime.combine(day, time.min if at is None else at)  # DICOM gives local time without an offset


def states_time(study_time: str) -> bool:
    """Say whether a study states a time of day that can be read."""
    return _time_of(study_time) is not None


def _time_of(study_time: str) -> time | None:
    digits = re.sub(r"\D", "", study_time.partition(".")[0])[:6]
    if len(digits) < 2:
        return None
    hour, minute, second = (int(digits.ljust(6, "0")[n : n + 2]) for n in (0, 2, 4))
    try:
        return time(hour, minute, 59 if second == 60 else second)  # a leap second (PS3.5 6.2, TM)
    except ValueError:
        return None


def is_before(one: Candidate, other: Candidate) -> bool:
    """Say whether a study is the earlier of two; of one day, both have to state their time to tell."""
    if one.at.date() == other.at.date() and not (one.timed and other.timed):
        return False
    return datetime.min < one.at < other.at  # noqa: DTZ901
