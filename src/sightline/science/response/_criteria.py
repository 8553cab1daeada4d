"""Response criteria as data: thresholds, names, tables and where each rule stands, read strictly.

A number that decides about a category stands in ``_data/*.toml`` and nowhere else. An unknown key, a missing
rule or a family without its section stops the load.
"""

import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from sightline.science.response._errors import InvalidCriterion, UnknownCriterion
from sightline.science.response._model import Component, Reason, Uptake

Family = Literal["sum", "immune", "glioma", "density", "uptake", "lymphoma", "deauville"]
Measured = Literal["long-axis", "short-axis", "viable-long-axis", "product", "volume", "sul-peak"]

SECTIONS: Mapping[Family, tuple[str, ...]] = {
    "sum": ("measure", "limits"),
    "immune": ("measure", "limits", "immune"),
    "glioma": ("measure", "limits", "mixed"),
    "density": ("measure", "limits", "density"),
    "uptake": ("uptake",),
    "lymphoma": ("measure", "lymphoma"),
    "deauville": ("deauville",),
}
"""What the description of each family of criteria must hold."""

COMMON_RULES = (
    "baseline",
    "non-target",
    "new-lesion",
    "combination",
    "best",
    "confirmation",
    "minimum-stable",
)
SUM_RULES = ("too-small", "missing", "split", "merge", "node", "complete", "selection", "measurable")
RULES: Mapping[Family, tuple[str, ...]] = {
    "sum": (*SUM_RULES, "partial", "progression", "reappearance", "sticky"),
    "immune": (*SUM_RULES, "partial", "progression", "reappearance", "sticky", "iupd", "reset",
               "icpd-target", "icpd-non-target", "icpd-new", "icpd-other", "icpd-holds", "early-scan"),
    "glioma": (*SUM_RULES, "partial", "progression", "reappearance", "sticky", "mixed", "held"),
    "density": (*SUM_RULES, "partial", "progression", "reappearance", "density", "nodule"),
    "uptake": ("missing", "measurable", "comparable", "hottest", "complete", "partial", "progression", "tlg"),
    "lymphoma": (*SUM_RULES, "partial", "progression", "spleen"),
    "deauville": ("missing", "score", "change"),
}  # fmt: skip
"""The rules the engine applies, so those that a description must give the source of."""

PART_RULES: Mapping[str, tuple[str, ...]] = {
    "clinical": ("clinical", "steroids"),
    "radiotherapy": ("radiotherapy",),
}
"""The rules that a part brings which any family may have."""


class Strict(BaseModel):
    """Frozen, nothing unknown, nothing converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Rule(Strict):
    """Where a rule stands, and whether it was checked there."""

    source: str
    confirmed: bool


class Measure(Strict):
    """What is measured of a lesion and added up, in `unit` (that of the course where it is None).

    `organs` limits `quantity` to lesions of these organs; others are measured by long axis. `too_small` is
    what a lesion counts that is there but cannot be measured; a node below `node_normal_mm` (or, where
    `node_normal_inclusive`, at it) is normal.
    """

    name: str
    unit: str | None = None
    quantity: Measured
    node_quantity: Measured
    organs: tuple[str, ...] = ()
    too_small: Decimal | None = None
    node_normal_mm: Decimal | None = None
    node_normal_by: Literal["short-axis", "long-axis"] = "short-axis"
    node_normal_inclusive: bool = False


class Limits(Strict):
    """Falls (from baseline) and rises that make a category; absolute ones in the unit of the sum."""

    partial_percent: Decimal
    progression_percent: Decimal
    progression_absolute: Decimal | None = None
    progression_one_lesion: Decimal | None = None
    minor_percent: Decimal | None = None


class Selection(Strict):
    """How many lesions may be targets, and from what size on; `above` means larger than, not at least."""

    total: int | None = None
    per_organ: int | None = None
    nodes_are_one_organ: bool = False
    long_axis_mm: Decimal | None = None
    short_axis_mm: Decimal | None = None
    node_quantity: Literal["short-axis", "long-axis"] = "short-axis"
    node_mm: Decimal | None = None
    above: bool = False
    max_slice_mm: Decimal | None = None
    slices: Decimal | None = None


class NewLesion(Strict):
    """From when on a new lesion counts; the first row whose organ and kind fit decides.

    Without `least_mm` every new lesion counts. `typical_only`: it must look typical of the disease, or grow
    by `atypical_growth_mm`. `smaller_if_typical`: below the size it counts when it is unequivocal.
    """

    rule: str = "new-lesion"
    organs: tuple[str, ...] = ()
    nodes: bool | None = None
    quantity: Literal["short-axis", "long-axis"] = "long-axis"
    least_mm: Decimal | None = None
    least_short_mm: Decimal | None = None
    above: bool = False
    typical_only: bool = False
    atypical_growth_mm: Decimal | None = None
    smaller_if_typical: bool = False


class Combination(Strict):
    """A row of a table that makes one category of three; ``*`` fits all, the first that fits decides."""

    target: tuple[str, ...] = ("*",)
    non_target: tuple[str, ...] = ("*",)
    new: tuple[str, ...] = ("*",)
    overall: str


class Confirmation(Strict):
    """After how many days CR and PR must be seen again, and whether the criterion asks for it itself."""

    required: bool
    days: int


class Clinical(Strict):
    """What clinical state and steroids do to a category that the images give.

    `more_steroids` says what each category becomes when steroids were increased.
    """

    complete_steroids: tuple[str, ...]
    more_steroids: dict[str, str]


class Radiotherapy(Strict):
    """How long after radiotherapy progression is only provisional, and when it may be confirmed."""

    days: int
    confirm_days: int


class Immune(Strict):
    """When a progression under immunotherapy is confirmed (iRECIST)."""

    confirm_mm: Decimal
    least_days: int
    tolerance_days: int
    usual_most_days: int


class Mixed(Strict):
    """Limits of the non-enhancing part of a glioma, and the table that joins the two parts."""

    non_enhancing: Limits
    table: tuple[Combination, ...]


class Density(Strict):
    """Fall of density (HU) that counts as response, and whether size must respond too."""

    response_percent: Decimal
    needs_both: bool


class UptakeLimits(Strict):
    """What may be measured by PET and how much it must change (PERCIST); uptake in SUL, g/ml."""

    liver_factor: Decimal
    liver_sds: Decimal
    aorta_factor: Decimal
    aorta_sds: Decimal
    comparable_percent: Decimal
    comparable_absolute: Decimal
    change_percent: Decimal
    change_absolute: Decimal
    tlg_percent: Decimal


class Lymphoma(Strict):
    """Limits of the products of diameters, of single lesions and of the spleen (Lugano)."""

    response_percent: Decimal
    lesion_percent: Decimal
    above_mm: Decimal
    too_small_mm: Decimal
    small_up_to_mm: Decimal
    small_rise_mm: Decimal
    large_rise_mm: Decimal
    spleen_normal_mm: Decimal
    spleen_excess_percent: Decimal
    spleen_rise_mm: Decimal


class Deauville(Strict):
    """Up to which score the response is complete, and what a change of uptake means above it."""

    complete_up_to: int
    by_uptake: dict[Uptake, str]


class Criterion(Strict):
    """One version of one criterion, complete: what the engine reads and nothing more.

    `names` gives the criterion's own word for each category (CR, PR, MR, SD, PD, NE, non-CR/non-PD);
    `order` lists them from best to worst.
    """

    name: str
    title: str
    version: str
    citation: str
    family: Family
    names: dict[str, str]
    order: tuple[str, ...]
    rules: dict[str, Rule]
    combination: tuple[Combination, ...]
    confirmation: Confirmation
    selection: Selection = Selection()
    new: tuple[NewLesion, ...] = (NewLesion(),)
    progression_from: Literal["nadir", "baseline"] = "nadir"
    ignores_new_under_immunotherapy: bool = False
    measure: Measure | None = None
    limits: Limits | None = None
    clinical: Clinical | None = None
    radiotherapy: Radiotherapy | None = None
    immune: Immune | None = None
    mixed: Mixed | None = None
    density: Density | None = None
    uptake: UptakeLimits | None = None
    lymphoma: Lymphoma | None = None
    deauville: Deauville | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Criterion":
        absent = [part for part in SECTIONS[self.family] if getattr(self, part) is None]
        asked = [part for part in PART_RULES if getattr(self, part) is not None]
        needed = {
            *COMMON_RULES,
            *(rule for part in asked for rule in PART_RULES[part]),
            *RULES[self.family],
            *(row.rule for row in self.new),
        }
        unnamed = sorted(needed - set(self.rules))
        unordered = sorted(set(self.names.values()) - set(self.order))
        if absent or unnamed or unordered:
            raise ValueError(f"missing sections {absent}, rules {unnamed}, categories in order {unordered}")
        return self

    def in_unit(self, unit: str) -> "Criterion":
        """Return the criterion with sums in a unit, where it leaves the unit to the course."""
        if self.measure is None or self.measure.unit is not None:
            return self
        return self.model_copy(update={"measure": self.measure.model_copy(update={"unit": unit})})

    def called(self, category: str) -> str:
        """Return the criterion's own word for a category."""
        return self.names.get(category, category)

    def reason(self, rule: str, compared: str, outcome: str) -> Reason:
        """Return one line of reasoning with the source of its rule."""
        found = self.rules[rule]
        return Reason(rule, compared, outcome, found.source, found.confirmed)

    def limits_of(self, component: Component) -> Limits:
        """Return the limits for one part of a tumour."""
        limits = self.mixed.non_enhancing if self.mixed and component == "non-enhancing" else self.limits
        return require_section(limits)

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Return the rules that were not checked against their original publication."""
        return tuple(name for name, rule in self.rules.items() if not rule.confirmed)


T = TypeVar("T")


def require_section(section: T | None) -> T:
    """Return a section that the criterion's family is known to have."""
    if section is None:
        raise InvalidCriterion("The criterion lacks a section that its family needs.")
    return section


def parse_criterion(text: str) -> Criterion:
    """Return a criterion described in TOML, for instance a trial's own version.

    A table may be taken over by name (``combination = "recist"``).

    Raises
    ------
    InvalidCriterion
        If the text is no TOML, or the description is not complete.
    """
    try:
        described = tomllib.loads(text, parse_float=Decimal)
        table = described.get("combination")
        if isinstance(table, str):
            described["combination"] = _tables()[table]
        return Criterion.model_validate_json(json.dumps(described, default=str))
    except (tomllib.TOMLDecodeError, ValidationError, KeyError) as error:
        raise InvalidCriterion(f"The criterion cannot be read: {error}") from error


def criteria() -> tuple[str, ...]:
    """Return the names of all criteria that come with the package.

    Examples
    --------
    >>> "recist-1.1" in criteria()
    True
    """
    files = resources.files(__package__).joinpath("_data").iterdir()
    names = sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))
    return tuple(name for name in names if name != "tables")


@cache
def load_criterion(name: str) -> Criterion:
    """Return a criterion by name.

    Raises
    ------
    UnknownCriterion
        If none has this name.

    Examples
    --------
    >>> load_criterion("recist-1.1").limits.partial_percent
    Decimal('30')
    """
    if name not in criteria():
        raise UnknownCriterion(f"There is no criterion {name!r}; there are {', '.join(criteria())}.")
    return parse_criterion(_text(name))


@cache
def _tables() -> dict[str, object]:
    return tomllib.loads(_text("tables"))


def _text(name: str) -> str:
    return resources.files(__package__).joinpath("_data", f"{name}.toml").read_text(encoding="utf-8")
