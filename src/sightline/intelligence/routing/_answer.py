"""The answer of ``sightline change --json``, as its published schema has it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sightline.intelligence.routing._following import LesionChange, StudyChange
from sightline.kernel.quantities import Quantity

Interval = tuple[float | None, float | None]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AlignmentAnswer(_Part):
    """How far the alignment of the two studies can be trusted."""

    verdict: Literal["good", "care", "failed"]
    reason: str = Field(description="The test that decided, or why nothing was aligned.")


class SizeAnswer(_Part):
    """A lesion at one date."""

    study: str = Field(description="Study Instance UID.")
    date: str = Field(description="Date of the study, ISO 8601.")
    centre_lps: tuple[float, float, float] = Field(description="Centre of mass, LPS, mm.")
    volume_mm3: float | None = Field(description="Null where only lengths were measured.")
    interval_mm3: Interval = Field(description="95 % interval of this single measurement.")
    long_mm: float | None = Field(description="Largest caliper in one slice.")
    short_mm: float | None = Field(description="Largest caliper perpendicular to it in the same slice.")


class LesionAnswer(_Part):
    """What became of one lesion."""

    link: Literal["linked", "new", "vanished", "merged", "split", "not-covered", "ambiguous"] = Field(
        description="Of lesions that a person said had merged or split, `percent` is that of their sum."
    )
    tracking_uid: str | None = Field(description="Identity over all dates; null where no lesion is.")
    change: Literal["new", "grown", "stable", "shrunk", "vanished", "cannot-tell"]
    percent: float | None = Field(description="Change of the volume; null where it cannot be told.")
    interval: Interval = Field(description="95 % interval of `percent`, by repeatability.")
    reason: str
    at: list[SizeAnswer] = Field(description="The lesion at each date, the earliest first.")


class ChangeAnswer(_Part):
    """A study beside its prior, and what became of its lesions."""

    study: str = Field(description="Study Instance UID.")
    prior: str | None = Field(description="Study Instance UID of the prior; null where there is none.")
    why: str = Field(description="Why this prior, or why none.")
    alignment: AlignmentAnswer
    lesions: list[LesionAnswer]

    @classmethod
    def of(cls, change: StudyChange) -> "ChangeAnswer":
        """Return a change as the schema has it."""
        return cls(
            study=change.study,
            prior=change.prior,
            why=change.why,
            alignment=AlignmentAnswer(verdict=change.verdict, reason=change.reason),
            lesions=[_lesion(one) for one in change.lesions],
        )


def _lesion(one: LesionChange) -> LesionAnswer:
    return LesionAnswer(
        link=one.link,
        tracking_uid=one.tracking_uid,
        change=one.kind,
        percent=_value(one.percent),
        interval=_interval(one.percent),
        reason=one.reason,
        at=[
            SizeAnswer(
                study=seen.study,
                date=seen.date,
                centre_lps=seen.centre_lps_mm,
                volume_mm3=_value(seen.volume),
                interval_mm3=_interval(seen.volume),
                long_mm=_value(seen.long_axis),
                short_mm=_value(seen.short_axis),
            )
            for seen in one.at
        ],
    )


def _value(quantity: Quantity | None) -> float | None:
    return quantity.value if quantity else None


def _interval(quantity: Quantity | None) -> Interval:
    return (quantity.low, quantity.high) if quantity else (None, None)
