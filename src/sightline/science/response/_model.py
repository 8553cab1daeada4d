"""One patient's lesions over time, as every criterion takes them, and what an evaluation says."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Literal, get_args

from sightline.science.response._errors import ImpossibleMeasurement, UnknownWord, WrongUnit

Role = Literal["target", "non-target", "new"]
State = Literal[
    "measured",
    "too-small",
    "absent",
    "present",
    "progressed",
    "equivocal",
    "not-assessable",
    "split",
    "merged",
]
QuantityName = Literal["long-axis", "short-axis", "viable-long-axis", "volume", "sul-peak", "tlg", "density"]
Clinical = Literal["improved", "stable", "worse"]
Steroids = Literal["none", "less", "same", "more"]
Uptake = Literal["less", "same", "more"]
Pattern = Literal["typical", "atypical"]
Component = Literal["enhancing", "non-enhancing"]
Presence = Literal["yes", "no", "unknown"]

HU = "[hnsf'U]"
UNITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "long-axis": ("mm",),
        "short-axis": ("mm",),
        "viable-long-axis": ("mm",),
        "volume": ("mm3", "cm3", "mL"),
        "sul-peak": ("g/ml", "g/ml{SUVlbm}"),
        "tlg": ("g",),
        "density": (HU,),
    }
)
"""The UCUM units each quantity may come in; the first is the usual one."""


def _require_word(word: str | None, allowed: tuple[str | None, ...]) -> None:
    """Refuse a misspelt word, which would otherwise be passed over in silence."""
    if word not in allowed:
        known = ", ".join(str(one) for one in allowed if one is not None)
        raise UnknownWord(f"{word!r} is not understood; say one of {known}.")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number measured on one lesion; `low` and `high` are the ends of its 95 % interval where known.

    Quantities: ``long-axis`` and the ``short-axis`` perpendicular to it in the same plane (mm),
    ``viable-long-axis`` (mm, arterially enhancing part), ``volume``, ``sul-peak`` (lean body mass), ``tlg``
    (total lesion glycolysis), ``density`` (HU).

    Raises
    ------
    ImpossibleMeasurement
        If the value is not finite, a size is negative, or the interval does not hold the value.
    WrongUnit
        If the quantity is never given in this unit.
    """

    quantity: QuantityName
    value: float
    unit: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        ends = [v for v in (self.low, self.value, self.high) if v is not None]
        if not all(math.isfinite(v) for v in ends):
            raise ImpossibleMeasurement(f"The {self.quantity} is not a finite number; measure again.")
        if self.quantity != "density" and min(ends) < 0:
            raise ImpossibleMeasurement(f"The {self.quantity} is negative; measure again.")
        if ends != sorted(ends):
            raise ImpossibleMeasurement(f"The interval of the {self.quantity} does not hold its value.")
        allowed = UNITS.get(self.quantity)
        if allowed is None:
            raise WrongUnit(f"{self.quantity!r} is not a known quantity; known are {', '.join(UNITS)}.")
        if self.unit not in allowed:
            raise WrongUnit(
                f"A {self.quantity} comes in {' or '.join(allowed)}, not in {self.unit!r}; convert it."
            )


@dataclass(frozen=True, slots=True)
class Observation:
    """One lesion at one time point.

    `state`: ``measured``; ``too-small`` to measure but there; ``absent``; ``present`` (seen, not measured);
    ``progressed`` (unequivocally, of a non-target lesion); ``equivocal`` (perhaps there, of a new lesion);
    ``not-assessable``; ``split`` or ``merged`` into the lesions whose uids stand in `into`.
    `grew` is the reader's word that it is larger than at the time point before (iRECIST needs it of lesions
    that are not measured); `new_nodule` that a nodule appeared or grew inside the lesion (Choi).
    """

    state: State
    measurements: tuple[Measurement, ...] = ()
    into: tuple[str, ...] = ()
    grew: bool | None = None
    new_nodule: bool = False

    def __post_init__(self) -> None:
        _require_word(self.state, get_args(State))
        names = [measurement.quantity for measurement in self.measurements]
        if len(set(names)) < len(names):
            raise ImpossibleMeasurement(f"A lesion has one of each quantity, not {', '.join(sorted(names))}.")

    def measurement(self, quantity: str) -> Measurement | None:
        """Return the measurement of a quantity, None where there is none."""
        return next((m for m in self.measurements if m.quantity == quantity), None)


@dataclass(frozen=True, slots=True)
class Lesion:
    """One lesion followed over time; `uid` is its DICOM tracking unique identifier, or any stable name.

    `observations` are by the id of the time point. `pattern` says whether a new lesion looks typical of the
    disease (mRECIST, Lugano); `component` is the part of a glioma it belongs to, and `out_of_field` that it
    clearly lies outside the irradiated field (RANO).
    """

    uid: str
    label: str
    organ: str
    role: Role
    observations: Mapping[str, Observation]
    is_node: bool = False
    pattern: Pattern | None = None
    component: Component = "enhancing"
    out_of_field: bool = False

    def __post_init__(self) -> None:
        _require_word(self.role, get_args(Role))
        _require_word(self.component, get_args(Component))
        _require_word(self.pattern, (None, *get_args(Pattern)))


@dataclass(frozen=True, slots=True)
class ReferenceTissue:
    """Uptake of normal tissue, SUL in g/ml: liver (3 cm sphere, right lobe) and blood pool of the aorta."""

    liver_mean: float | None = None
    liver_sd: float | None = None
    aorta_mean: float | None = None
    aorta_sd: float | None = None
    liver_is_diseased: bool = False

    def __post_init__(self) -> None:
        values = (self.liver_mean, self.liver_sd, self.aorta_mean, self.aorta_sd)
        if any(v is not None and not (math.isfinite(v) and v >= 0) for v in values):
            raise ImpossibleMeasurement("Uptake of reference tissue must be a number of at least 0.")


@dataclass(frozen=True, slots=True)
class TimePoint:
    """One date of assessment; the first of a course is the baseline.

    `slice_mm` is the slice thickness. `clinical` and `steroids` are compared with the baseline, for RANO.
    `new_symptoms` says that the scan was made because of them (iRECIST). `deauville` is the score 1 to 5,
    `uptake` how it changed from the baseline, `spleen_mm` the length of the spleen (Lugano).
    """

    id: str
    date: date
    study_uid: str | None = None
    slice_mm: float | None = None
    clinical: Clinical | None = None
    steroids: Steroids | None = None
    new_symptoms: bool = False
    reference: ReferenceTissue | None = None
    deauville: int | None = None
    uptake: Uptake | None = None
    spleen_mm: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("slice thickness", self.slice_mm), ("length of the spleen", self.spleen_mm)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ImpossibleMeasurement(f"The {name} must be a positive number of mm.")
        _require_word(self.clinical, (None, *get_args(Clinical)))
        _require_word(self.steroids, (None, *get_args(Steroids)))
        _require_word(self.uptake, (None, *get_args(Uptake)))
        if self.deauville is not None and self.deauville not in range(1, 6):
            raise ImpossibleMeasurement("A Deauville score is one of 1, 2, 3, 4, 5.")


@dataclass(frozen=True, slots=True)
class Course:
    """One patient's time points, in the order of their dates, and lesions; input of every criterion."""

    time_points: tuple[TimePoint, ...]
    lesions: tuple[Lesion, ...]
    radiotherapy_end: date | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What a protocol may choose; None leaves what the criterion itself says.

    `sticky_response`: a response once reached stays until progression. `confirm_response`: CR and PR count
    as best response only when seen again after the criterion's interval. `minimum_stable_days`: SD before
    that day does not count as best response. `immunotherapy`: new lesions alone are no progression (RANO-BM).
    """

    sticky_response: bool = False
    confirm_response: bool | None = None
    minimum_stable_days: int | None = None
    immunotherapy: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule as it was applied: what was compared, what follows, where the rule stands.

    `confirmed` is False where the rule was not checked against its original publication.
    """

    rule: str
    compared: str
    outcome: str
    source: str
    confirmed: bool

    @property
    def text(self) -> str:
        """Return the reason as one line; a rule that was not checked says so."""
        doubt = "" if self.confirmed else "; unconfirmed"
        return f"{self.compared}: {self.outcome} [{self.source}{doubt}]"


@dataclass(frozen=True, slots=True)
class PointResponse:
    """What a criterion says at one time point.

    `category` is ``baseline`` at the first. `value` is the sum (or the one number the criterion goes by) in
    `unit`; None where it is not complete. `nadir` is the smallest complete value before this time point.
    `provisional` categories need another scan; `disregarded` time points count for nothing later.
    """

    time_point: str
    date: date
    day: int
    category: str
    target: str | None
    non_target: str | None
    new_lesion: Presence
    unit: str
    value: float | None = None
    baseline: float | None = None
    nadir: float | None = None
    change: float | None = None
    change_percent: float | None = None
    nadir_change: float | None = None
    nadir_change_percent: float | None = None
    provisional: bool = False
    disregarded: bool = False
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class BestResponse:
    """The best response of a course, the time point it was reached at, and why."""

    category: str
    time_point: str | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One course evaluated by one criterion: a draft for a reader, with every rule that was applied."""

    criterion: str
    title: str
    version: str
    citation: str
    points: tuple[PointResponse, ...]
    best: BestResponse
    warnings: tuple[Reason, ...] = field(default=())

    def at(self, time_point: str) -> PointResponse:
        """Return what is said at a time point."""
        return next(point for point in self.points if point.time_point == time_point)

    @property
    def categories(self) -> tuple[str, ...]:
        """Return the categories after the baseline, in order."""
        return tuple(point.category for point in self.points[1:])
