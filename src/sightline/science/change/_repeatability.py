"""How much repeat measurements of an unchanged nodule differ: figures, conditions and sources."""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Repeatability:
    """One published figure and the conditions under which it may be applied.

    `cv` is the within-lesion coefficient of variation of the quantity; the 95 % limits of a true change of
    two equal measurements are exp(+-2.77 sigma) - 1 with sigma = sqrt(ln(1 + cv^2)).
    `nodules_only` says that it holds for nodules of the lungs alone, `widened` that the slices were thicker
    than `max_slice_mm`, and variance was added.
    """

    quantity: str
    low_mm: float
    high_mm: float
    max_slice_mm: float
    cv: float
    source: str
    nodules_only: bool = False
    widened: bool = False

    @property
    def sigma_ln(self) -> float:
        """Return the standard deviation of the logarithm of one measurement."""
        return log_sigma(self.cv)


def log_sigma(cv: float) -> float:
    """Return the standard deviation on the log scale for a coefficient of variation.

    Examples
    --------
    CV 10 % gives 95 % limits of change of -24 and +32 %:

    >>> sigma = log_sigma(0.10)
    >>> round(100 * math.expm1(-2.77 * sigma)), round(100 * math.expm1(2.77 * sigma))
    (-24, 32)
    """
    return math.sqrt(math.log1p(cv**2))


_SMALL = "QIBA small lung nodule volume claim (2.77 CV), as used with thin slices; figure unconfirmed"
_LARGE = "QIBA CT tumour volumetry (advanced disease) claim; figure unconfirmed"

TABLE: tuple[Repeatability, ...] = (
    Repeatability("volume", 5.5, 6.5, 1.25, 0.29, _SMALL, nodules_only=True),
    Repeatability("volume", 6.5, 7.5, 1.25, 0.23, _SMALL, nodules_only=True),
    Repeatability("volume", 7.5, 8.5, 1.25, 0.19, _SMALL, nodules_only=True),
    Repeatability("volume", 8.5, 9.5, 1.25, 0.16, _SMALL, nodules_only=True),
    Repeatability("volume", 9.5, 10.5, 1.25, 0.14, _SMALL, nodules_only=True),
    Repeatability("volume", 10.5, 11.5, 1.25, 0.12, _SMALL, nodules_only=True),
    Repeatability("volume", 11.5, 12.5, 1.25, 0.11, _SMALL, nodules_only=True),
    Repeatability("volume", 12.5, 34.5, 2.5, 0.39 / 2.77, _LARGE),
    Repeatability("volume", 34.5, 49.5, 2.5, 0.29 / 2.77, _LARGE),
    Repeatability("volume", 49.5, 100.0, 2.5, 0.24 / 2.77, _LARGE),
)
"""Volume repeatability of CT by diameter. Same scanner, protocol and reader class is assumed by both sources.

Unconfirmed: the figures are those in common use; the texts of the claims were not read.
"""

ADDED_CV_THICKER = 0.10
"""Variance added, as a CV, when slices are thicker than the figure's condition but at most `MAX_SLICE_MM`.

No figure is published for that case; 10 % is the project's own allowance.
"""

MAX_SLICE_MM = 2.5
"""Beyond this, volumes are not interchangeable with thin-slice ones (PMC4000020) and doubling times span
benign and malignant (Nietert, Chest 2009, 10.1378/chest.08-2040): no claim by volume."""


ADDED_CV_PROTOCOL = 0.16
"""Variance added, as a CV, when kernel, scanner or contrast changed: kernels spread mean volumes by up to
16 % (Honda 2007, PMID 17161571)."""


OWN_CV: tuple[tuple[float, float, float], ...] = ((7.5, 1.25, 0.05), (math.inf, 1.25, 0.015))
"""What this method varies by on repeats: diameter below (mm), slices at most (mm), CV of one volume.

Simulated lesions in the lungs of a real CT at two dates, `bench/science/followups.py`: 8 pairs of 6 mm, 30 of
8 to 23 mm. Nothing was measured for thicker slices, where each measurement's own interval stands alone.
"""


def own_cv(diameter_mm: float, slice_mm: float) -> float:
    """Return the coefficient of variation of one volume by this method, 0 where it was not measured."""
    fitting = (cv for below, most, cv in OWN_CV if diameter_mm < below and slice_mm <= most + 0.01)
    return next(fitting, 0.0)


@dataclass(frozen=True, slots=True)
class DiameterLimits:
    """95 % limits (%) of the change of one lesion's long axis between two readers, and when they hold."""

    low: float
    high: float
    least_mm: float
    max_slice_mm: float
    source: str


DIAMETER_CHANGE = DiameterLimits(
    -31.3, 30.3, 10.0, 5.0, "Yoon, Eur J Cancer 2016, 10.1016/j.ejca.2015.10.014"
)
"""Change of one target lesion, inter-reader; measurable from 10 mm with slices of at most 5 mm (RECIST
1.1)."""


def find_repeatability(
    diameter_mm: float, slice_mm: float, *, lung_nodule: bool = True
) -> Repeatability | None:
    """Return the CT volume figure for a lesion, its CV widened for thicker slices; None where none holds.

    Examples
    --------
    >>> find_repeatability(8.0, 1.0).cv
    0.19
    >>> round(find_repeatability(8.0, 2.0).cv, 3)
    0.215
    >>> find_repeatability(8.0, 5.0) is None
    True
    >>> find_repeatability(8.0, 1.0, lung_nodule=False) is None
    True
    """
    if slice_mm > MAX_SLICE_MM + 0.01:
        return None
    for row in TABLE:
        if row.low_mm <= diameter_mm < row.high_mm and (lung_nodule or not row.nodules_only):
            if slice_mm <= row.max_slice_mm + 0.01:
                return row
            cv = math.hypot(row.cv, ADDED_CV_THICKER)
            source = f"{row.source}, widened for {slice_mm:g} mm slices"
            return replace(row, cv=cv, source=source, widened=True)
    return None
