"""A finding and the rules of its decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.kernel.quantities import Quantity
from sightline.kernel.texts import one_line

# What no lesion reaches: 1 m, 100 l. A number beyond is a slip of the unit.
LIMITS = {"long_axis": 1000.0, "short_axis": 1000.0, "volume": 1e8}

Axis = tuple[tuple[float, float, float], tuple[float, float, float]]


class FindingNotHeld(NotFound):
    """No such finding; it may belong to a patient you may not see."""


class AlreadySuperseded(Conflict):
    """A newer run replaced this finding; open the study again and decide on the new one."""


class NothingToUndo(Conflict):
    """Nobody has decided on the finding, or every decision was taken back already."""


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
    """What a person can say of a finding; undo takes the last word on it back."""

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
        """Return the finding after a person accepted or rejected it."""
        self.require_current()
        state = State.ACCEPTED if decision is Decision.ACCEPT else State.REJECTED
        if decision is Decision.ACCEPT and (self.state is State.EDITED or self.values != self.proposed):
            state = State.EDITED
        return replace(self, state=state, decided_by=by, decided_by_name=by_name, decided_at=at)

    def undone(self, last: "Word", earlier: "Word | None") -> "Finding":
        """Return the finding as it was before the last word on it; `earlier` is the one that then stands."""
        self.require_current()
        then = last.before
        return replace(
            self,
            state=State(then["state"]),
            label=then["label"],
            note=then["note"],
            values={name: Quantity(**value) for name, value in then["values"].items()},
            decided_by=earlier.by if earlier else None,
            decided_by_name=earlier.by_name if earlier else None,
            decided_at=earlier.at if earlier else None,
        )

    def corrected(self, correction: "Correction", *, by: str, by_name: str, at: datetime) -> "Finding":
        """Return the finding with a person's values in place of the model's; the model's are kept."""
        self.require_current()
        values = dict(self.values)
        for name, (unit, value) in correction.measured().items():
            if value is not None:
                values[name] = Quantity(value, unit, method=f"measured by {by_name}")
        _require_axes(values)
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
class Sighting:
    """A finding as far as a curve needs it; `values` are as `quantity_to_json` gives them.

    Patients are followed for decades: ten thousand of these are read where whole findings would keep a page
    waiting for seconds.
    """

    id: str
    study_uid: str
    lesion: str
    label: str
    kind: str
    state: State
    source_kind: SourceKind
    source: str
    values: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person puts in place of the model's words and values; None leaves a value as it is."""

    label: str | None = None
    long_axis_mm: float | None = None
    short_axis_mm: float | None = None
    volume_mm3: float | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        for name in ("label", "note"):
            text = getattr(self, name)
            object.__setattr__(self, name, None if text is None else one_line(text))
        if self.label == "":
            raise UnusableCorrection("The label is empty; write one, or leave it as it is.")
        for name, (unit, value) in self.measured().items():
            if value is not None and not 0 < value < LIMITS[name]:
                raise UnusableCorrection(
                    f"{_words(name)} must lie between 0 and {LIMITS[name]:.0f} {unit}; check the number."
                )
        if all(value is None for value in (self.label, self.note, *self._values())):
            raise UnusableCorrection("The correction changes nothing; give a label, a value or a note.")

    def _values(self) -> tuple[float | None, ...]:
        return tuple(value for _, value in self.measured().values())

    def measured(self) -> dict[str, tuple[str, float | None]]:
        """Return unit and value by name of measurement."""
        return {
            "long_axis": ("mm", self.long_axis_mm),
            "short_axis": ("mm", self.short_axis_mm),
            "volume": ("mm3", self.volume_mm3),
        }


def _require_axes(values: Mapping[str, Quantity]) -> None:
    long_axis, short_axis = values.get("long_axis"), values.get("short_axis")
    if long_axis and short_axis and short_axis.value > long_axis.value:
        raise UnusableCorrection(
            f"The short axis ({short_axis.value:.1f} mm) is longer than the long axis "
            f"({long_axis.value:.1f} mm); give both."
        )


def _words(name: str) -> str:
    return f"The {name.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class Word:
    """One decision as it is remembered; `before` is what the finding said until then."""

    decision: str
    by: str
    by_name: str
    at: datetime
    before: Mapping[str, Any]


def standing_words(words: Sequence[Word]) -> list[Word]:
    """Return the decisions that were not taken back, oldest first; each undo takes the last one away."""
    standing: list[Word] = []
    for word in words:
        if word.decision != Decision.UNDO:
            standing.append(word)
        elif standing:
            standing.pop()
    return standing


def quantity_to_json(quantity: Quantity) -> dict[str, Any]:
    """Return a quantity as it is kept in a row."""
    return {name: getattr(quantity, name) for name in ("value", "unit", "method", "low", "high")}


def own_lesion(finding_id: str) -> str:
    """Return the tracking UID of a finding that no other is linked with."""
    return f"2.25.{int(finding_id, 16)}"
