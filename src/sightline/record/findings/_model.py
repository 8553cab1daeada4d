"""A finding and the rules of its decision."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.kernel.quantities import Quantity

# What no lesion reaches: 1 m, 100 l. A number beyond is a slip of the unit.
LIMITS = {"long_axis": 1000.0, "short_axis": 1000.0, "volume": 1e8}

Axis = tuple[tuple[float, float, float], tuple[float, float, float]]


class FindingNotHeld(NotFound):
    """No such finding; it may belong to a patient you may not see."""


class AlreadySuperseded(Conflict):
    """A newer run replaced this finding; open the study again and decide on the new one."""


class UnusableCorrection(Invalid):
    """The corrected values cannot be right; check the number and its unit."""


class State(StrEnum):
    """Where a finding stands between the model's word and the report."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


class Decision(StrEnum):
    """What a person can say of a finding."""

    ACCEPT = "accept"
    REJECT = "reject"
    UNDO = "undo"


class SourceKind(StrEnum):
    """Who said it first."""

    MODEL = "model"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Source:
    """What a finding is answerable to: a model version with its inputs and parameters, or a person."""

    kind: SourceKind
    name: str
    version: str
    run: str
    inputs_sha256: str = ""
    parameters_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """Contours of a lesion by slice, and its axes: LPS, mm."""

    slices: tuple[tuple[str, float, tuple[tuple[tuple[float, float, float], ...], ...]], ...]
    long_axis: Axis | None = None
    short_axis: Axis | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What one run found, before it is a finding: place, values and the reason it was proposed.

    `values` are keyed ``volume`` (mm3), ``long_axis`` and ``short_axis`` (mm), ``mean_hu`` ([hnsf'U]).
    """

    kind: str
    label: str
    series_uid: str
    sop_uid: str
    frame_of_reference_uid: str
    centre_lps_mm: tuple[float, float, float]
    values: dict[str, Quantity]
    outline: Outline
    why: str
    laterality: str | None = None
    score: float | None = None
    mask_key: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding as it stands now; `proposed` are the values as its source first gave them."""

    id: str
    number: int
    study_uid: str
    patient: str
    kind: str
    label: str
    state: State
    lesion: str
    source: Source
    series_uid: str
    sop_uid: str
    frame_of_reference_uid: str
    centre_lps_mm: tuple[float, float, float]
    values: dict[str, Quantity]
    proposed: dict[str, Quantity]
    why: str
    laterality: str | None
    score: float | None
    mask_key: str | None
    note: str | None
    created_at: datetime
    decided_by: str | None
    decided_by_name: str | None
    decided_at: datetime | None

    @property
    def counts(self) -> bool:
        """Say whether a person stands behind it, so that it may go into a report."""
        return self.state in (State.ACCEPTED, State.EDITED)

    def decided(self, decision: Decision, *, by: str, by_name: str, at: datetime) -> "Finding":
        """Return the finding after a person's word; undo takes it back to what its source said."""
        self.require_current()
        if decision is Decision.UNDO:
            return self._undone()
        state = State.ACCEPTED if decision is Decision.ACCEPT else State.REJECTED
        if decision is Decision.ACCEPT and self.values != self.proposed:
            state = State.EDITED
        return replace(self, state=state, decided_by=by, decided_by_name=by_name, decided_at=at)

    def _undone(self) -> "Finding":
        state = State.PROPOSED if self.source.kind is SourceKind.MODEL else State.REJECTED
        return replace(
            self, state=state, values=self.proposed, decided_by=None, decided_by_name=None, decided_at=None
        )

    def corrected(self, correction: "Correction", *, by: str, by_name: str, at: datetime) -> "Finding":
        """Return the finding with a person's values in place of the model's; the model's are kept."""
        self.require_current()
        values = dict(self.values)
        for name, (unit, value) in correction.measured().items():
            if value is not None:
                values[name] = Quantity(value, unit, method=f"measured by {by_name}")
        return replace(
            self,
            label=correction.label or self.label,
            note=self.note if correction.note is None else correction.note,
            values=values,
            state=State.EDITED,
            decided_by=by,
            decided_by_name=by_name,
            decided_at=at,
        )

    def require_current(self) -> None:
        """Refuse a decision on a finding that a newer run has replaced."""
        if self.state is State.SUPERSEDED:
            raise AlreadySuperseded("A newer run replaced this finding; open the study again.")


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person puts in place of the model's words and values; None leaves a value as it is."""

    label: str | None = None
    long_axis_mm: float | None = None
    short_axis_mm: float | None = None
    volume_mm3: float | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        for name, (unit, value) in self.measured().items():
            if value is not None and not 0 < value < LIMITS[name]:
                raise UnusableCorrection(
                    f"{name.replace('_', ' ')} must be above 0 {unit}; check the number."
                )
        if self.long_axis_mm and self.short_axis_mm and self.short_axis_mm > self.long_axis_mm:
            raise UnusableCorrection("The short axis is longer than the long axis; swap them.")

    def measured(self) -> dict[str, tuple[str, float | None]]:
        """Return unit and value by name of measurement."""
        return {
            "long_axis": ("mm", self.long_axis_mm),
            "short_axis": ("mm", self.short_axis_mm),
            "volume": ("mm3", self.volume_mm3),
        }


def quantity_to_json(quantity: Quantity) -> dict[str, Any]:
    """Return a quantity as it is kept in a row."""
    return {name: getattr(quantity, name) for name in ("value", "unit", "method", "low", "high")}
