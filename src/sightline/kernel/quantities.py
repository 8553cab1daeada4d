"""A measured number: value, unit, 95 % interval and method, kept together from science to screen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measured value.

    `unit` is a UCUM code (``mm``, ``mm3``, ``[hnsf'U]``, ``d``, ``%``); `low` and `high` are the ends of
    the 95 % interval, None where the method gives none; `method` says how it was measured.
    """

    value: float
    unit: str
    method: str
    low: float | None = None
    high: float | None = None
