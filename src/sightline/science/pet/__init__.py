"""Positron emission tomography: from activity to standardised uptake.

Invariants: a value is called SUV only when the header allows it; the factor is that of each image, for slopes
and times may differ from slice to slice; values that are uptake already are never converted twice.
"""

from sightline.science.pet._suv import (
    BODY_WEIGHT,
    UnusableActivity,
    Uptake,
    suv_body_weight,
    suv_factor,
    uptake_of,
)

__all__ = ["BODY_WEIGHT", "UnusableActivity", "Uptake", "suv_body_weight", "suv_factor", "uptake_of"]
