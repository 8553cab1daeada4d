"""Growth of one lesion: relative change, doubling time, and whether they exceed what repeats vary by."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sightline.kernel.errors import Invalid
from sightline.kernel.quantities import Quantity
from sightline.science.change._model import Growth, GrowthKind, Limits
from sightline.science.change._repeatability import (
    ADDED_CV_PROTOCOL,
    ADDED_CV_THICKER,
    DIAMETER_CHANGE,
    Repeatability,
    find_repeatability,
    log_sigma,
    own_cv,
)
from sightline.science.change._technique import CONTRAST
from sightline.science.segmentation import UNEDITED

METHOD = "log ratio of two volumes, 95 % interval from repeatability"
RATIO = "ratio of two volumes"

UNPROVEN = (
    "Two unedited one-click masks: against experts their volumes are wrong by 11 to 33 % (median, by kind of "
    "image), so no change is claimed. Correct both masks, then compare."
)

NO_GROWTH_LN = (-math.log(1.25), math.log(1.25))
"""Volumes within 25 % have not grown: the limit of BTS and NELSON (Bartlett, Eur Radiol 2021,
10.1007/s00330-021-08302-0)."""

NO_GROWTH_AXIS = (0.7, 1.2)
"""Ratios of long axes that are stable disease (RECIST 1.1: Eisenhauer, Eur J Cancer 2009;45:228)."""


class ImpossibleGrowth(Invalid):
    """The two measurements cannot be compared; check dates and volumes."""


class Sized(Protocol):
    """What growth needs to know of a lesion at one date."""

    @property
    def volume(self) -> Quantity:
        """Volume in mm3."""

    @property
    def long_axis(self) -> Quantity:
        """Long axis in mm."""


def doubling_time(
    prior_mm3: float, current_mm3: float, *, days: float, sigma_prior: float, sigma_current: float
) -> Quantity:
    """Return the volume doubling time in days with its 95 % interval.

    VDT = days ln2 / L, L = ln(current / prior); the interval takes L +- 1.96 sqrt(s1^2 + s2^2). `high` is
    None where the lower end of L is not positive: growth is then not significant and only ``VDT > low`` can
    be said.

    Parameters
    ----------
    sigma_prior, sigma_current
        Standard deviation of the logarithm of each volume; from a coefficient of variation by `log_sigma`.

    Raises
    ------
    ImpossibleGrowth
        If a volume or the time is not positive, or the volume did not grow.

    References
    ----------
    Schwartz, Cancer 1961;14:1272 (doubling time).

    Examples
    --------
    >>> sigma = log_sigma(0.10)
    >>> vdt = doubling_time(100, 150, days=90, sigma_prior=sigma, sigma_current=sigma)
    >>> round(vdt.value), round(vdt.low), round(vdt.high)
    (154, 91, 484)
    """
    if not days > 0:
        raise ImpossibleGrowth("Between two studies of one moment nothing has a doubling time.")
    change = _log_ratio(prior_mm3, current_mm3)
    if change <= 0:
        raise ImpossibleGrowth("A lesion that did not grow has no doubling time.")
    spread = 1.96 * math.hypot(sigma_prior, sigma_current)
    low = days * math.log(2) / (change + spread)
    high = days * math.log(2) / (change - spread) if change > spread else None
    return Quantity(days * math.log(2) / change, "d", METHOD, low, high)


def _log_ratio(prior_mm3: float, current_mm3: float) -> float:
    if not (prior_mm3 > 0 and current_mm3 > 0):
        raise ImpossibleGrowth("Both volumes must be positive to be compared.")
    return math.log(current_mm3 / prior_mm3)


def growth(
    prior: Sized | None,
    current: Sized | None,
    *,
    days: float,
    slice_thickness_mm: float,
    differs: Sequence[str] = (),
    lung_nodule: bool = True,
) -> Growth:
    """Return what became of a lesion, and how sure that is.

    Volumes are compared on the log scale. The variability of each is the published repeatability at its
    diameter, or that of this method where it is larger. A change within it is "stable" only where the
    method's own error leaves no growth of 25 % open, else nobody can tell. Where no volume figure holds
    (thick slices), long axes of 10 mm and more are compared with the published limits for one lesion; else
    nothing is claimed. All figures are of CT. A mask of one click that nobody corrected proves nothing.

    Parameters
    ----------
    prior, current
        The lesion at the two dates; None where it is absent from a place that was seen.
    days
        Time between the studies; 0 within one day, of which no doubling time is told.
    slice_thickness_mm
        The thicker of the two studies.
    differs
        What changed between the two scans, as `protocol_differences` has it: variance is added, and the
        reason says so. Where contrast differs nothing is claimed of what is no nodule of the lungs: its
        border is another one.
    lung_nodule
        Whether the lesion is a nodule of the lungs, for which alone some figures hold.

    Raises
    ------
    ImpossibleGrowth
        If both are None, a volume is not positive or the time is negative.

    Examples
    --------
    A nodule of the lungs of 8 mm that is 12 mm after a quarter of a year, in slices of 1 mm:

    >>> from collections import namedtuple
    >>> Ball = namedtuple("Ball", "volume long_axis")
    >>> def ball(mm):
    ...     return Ball(Quantity(math.pi * mm**3 / 6, "mm3", "formula"), Quantity(mm, "mm", "formula"))
    >>> found = growth(ball(8), ball(12), days=90, slice_thickness_mm=1.0)
    >>> found.kind, round(found.percent.value), round(found.doubling_days.value)
    ('grown', 238, 51)
    >>> growth(ball(8), ball(8.6), days=90, slice_thickness_mm=1.0).kind
    'cannot-tell'
    """
    if prior is None and current is None:
        raise ImpossibleGrowth("A lesion must be present at one of the two dates.")
    if prior is None:
        return Growth("new", None, None, "Not seen in the prior study, which covers the place.")
    if current is None:
        return Growth(
            "vanished", None, None, "Not seen any more in the current study, which covers the place."
        )
    if not days >= 0:
        raise ImpossibleGrowth("The current study must be later than the prior one; check the dates.")
    change = _log_ratio(prior.volume.value, current.volume.value)
    if any(UNEDITED in one.volume.method for one in (prior, current)):
        return unproven(change, UNPROVEN)
    if CONTRAST in differs and not lung_nodule:
        return unproven(change, "Contrast differs between the two scans, and with it the border of a lesion.")
    found = [
        find_repeatability(_diameter(one), slice_thickness_mm, lung_nodule=lung_nodule)
        for one in (prior, current)
    ]
    rows = [row for row in found if row is not None]
    if len(rows) < 2:
        return _by_diameter(prior, current, change, slice_thickness_mm, differs)
    added = log_sigma(ADDED_CV_PROTOCOL) if differs else 0.0
    own = [math.hypot(own_sigma(one, slice_thickness_mm), added) for one in (prior, current)]
    before, after = (max(math.hypot(row.sigma_ln, added), mine) for row, mine in zip(rows, own, strict=True))
    spread = 1.96 * math.hypot(before, after)
    percent = Quantity(_percent(change), "%", METHOD, _percent(change - spread), _percent(change + spread))
    kind = _kind(change, beyond=(-spread, spread), own=1.96 * math.hypot(*own), least=NO_GROWTH_LN)
    vdt = (
        doubling_time(
            prior.volume.value, current.volume.value, days=days, sigma_prior=before, sigma_current=after
        )
        if change > 0 and days > 0
        else None
    )
    limit = _percent(-spread if change < 0 else spread)
    reason = _reason(kind, percent, limit, rows[0].source, vdt, differs)
    limits = Limits(
        "volume",
        _percent(-spread),
        _percent(spread),
        min(row.low_mm for row in rows),
        max(row.high_mm for row in rows),
        slice_thickness_mm,
        min(row.max_slice_mm for row in rows),
        " and ".join(sorted({row.source for row in rows})),
        _added(rows, own, differs),
    )
    return Growth(kind, percent, vdt, reason, limits)


def unproven(log_change: float, why: str) -> Growth:
    """Return a change that is measured but not claimed."""
    return Growth("cannot-tell", Quantity(_percent(log_change), "%", RATIO), None, why)


def _added(rows: Sequence[Repeatability], own: Sequence[float], differs: Sequence[str]) -> tuple[str, ...]:
    """Return in words what made the limits wider than the published figure."""
    told = []
    if any(row.widened for row in rows):
        told.append(f"slices thicker than the figure's: {100 * ADDED_CV_THICKER:.0f} % added, our allowance")
    if differs:
        told.append(f"other {' and '.join(differs)}: {100 * ADDED_CV_PROTOCOL:.0f} % added (Honda 2007)")
    if any(sigma > row.sigma_ln for row, sigma in zip(rows, own, strict=True)):
        told.append("the interval of this measurement itself is wider, and counts instead")
    return tuple(told)


def _diameter(lesion: Sized) -> float:
    return math.pow(6 * lesion.volume.value / math.pi, 1 / 3)


def own_sigma(lesion: Sized, slice_mm: float) -> float:
    """Return the log standard deviation of one volume by this method: what it reports, or what repeats of its
    size and slice thickness gave, whichever is larger."""
    volume = lesion.volume
    repeated = log_sigma(own_cv(_diameter(lesion), slice_mm))
    if volume.low is None or volume.high is None:
        return repeated
    return max(repeated, log_sigma((volume.high - volume.low) / 2 / 1.96 / volume.value))


def _kind(
    change: float, *, beyond: tuple[float, float], own: float, least: tuple[float, float]
) -> GrowthKind:
    """Return what a change is: real beyond the limits of repeats; stable where even its own error keeps it
    within what counts as no growth; else nobody can tell."""
    if change > beyond[1]:
        return "grown"
    if change < beyond[0]:
        return "shrunk"
    return "stable" if least[0] <= change - own and change + own <= least[1] else "cannot-tell"


def _percent(log_change: float) -> float:
    return 100 * math.expm1(log_change)


def _reason(
    kind: GrowthKind,
    percent: Quantity,
    limit: float,
    source: str,
    vdt: Quantity | None,
    differs: Sequence[str],
) -> str:
    beyond = "exceeds" if kind in ("grown", "shrunk") else "lies within"
    text = (
        f"Volume change {percent.value:+.0f} % {beyond} the {limit:+.0f} % by which repeat measurements of "
        f"these sizes may differ ({source})."
    )
    if kind == "cannot-tell":
        text += " The measurement's own error leaves a change of 25 % open, so that nobody can tell."
    if kind in ("stable", "cannot-tell") and vdt is not None and vdt.low is not None:
        text += f" No significant growth; doubling time above {vdt.low:.0f} days."
    return text + _allowance(differs)


def _allowance(differs: Sequence[str]) -> str:
    return f" Variance was added for the other {' and '.join(differs)}." if differs else ""


def _by_diameter(
    prior: Sized, current: Sized, change: float, slice_mm: float, differs: Sequence[str]
) -> Growth:
    """Judge by long axis where no volume figure holds; a third of what is added to volumes is added to it."""
    percent = Quantity(_percent(change), "%", METHOD)
    before, after = prior.long_axis.value, current.long_axis.value
    limits = DIAMETER_CHANGE
    if differs:
        added = 1.96 * math.sqrt(2) * 100 * ADDED_CV_PROTOCOL / 3
        limits = replace(limits, low=-math.hypot(limits.low, added), high=math.hypot(limits.high, added))
    if min(before, after) < limits.least_mm or slice_mm > limits.max_slice_mm + 0.01:
        smallest = min(_diameter(prior), _diameter(current))
        return Growth(
            "cannot-tell",
            percent,
            None,
            f"No published repeatability holds for {smallest:.1f} mm at {slice_mm:g} mm slices.",
        )
    ratio = after / before
    own = ratio * 1.96 * math.hypot(*(_sigma_of_axis(one.long_axis) for one in (prior, current)))
    kind = _kind(ratio, beyond=(1 + limits.low / 100, 1 + limits.high / 100), own=own, least=NO_GROWTH_AXIS)
    beyond = "exceeds" if kind in ("grown", "shrunk") else "lies within"
    text = (
        f"Long axis change {100 * (ratio - 1):+.0f} % {beyond} {limits.low:+.1f} to {limits.high:+.1f} % "
        f"({limits.source}); slices of {slice_mm:g} mm allow no claim by volume."
    )
    if kind == "cannot-tell":
        text += " Its own error leaves a change of 20 % open, so that nobody can tell."
    text += _allowance(differs)
    stated = Limits(
        "long axis", limits.low, limits.high, limits.least_mm, None,
        slice_mm, limits.max_slice_mm, limits.source,
        (f"other {' and '.join(differs)}: our allowance",) if differs else (),
    )  # fmt: skip
    return Growth(kind, percent, None, text, stated)


def _sigma_of_axis(axis: Quantity) -> float:
    """Return the relative standard deviation that a caliper reports of itself."""
    if axis.low is None or axis.high is None:
        return 0.0
    return (axis.high - axis.low) / 2 / 1.96 / axis.value
