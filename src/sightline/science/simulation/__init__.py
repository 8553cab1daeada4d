"""A patient whose truth is known, to show and to measure with: the same chest at three dates.

Invariants: every number of the truth comes from a formula, never from the code that measures; the same
seed gives the same voxels; what is simulated says so wherever it is shown.
"""

from sightline.science.simulation._chest import (
    DOUBLING_DAYS,
    VISIT_DAYS,
    UnknownVisit,
    insert_nodule,
    simulate_chest,
    sphere_cover,
)
from sightline.science.simulation._model import Pose, SimulatedNodule, SimulatedScan

__all__ = [
    "DOUBLING_DAYS",
    "VISIT_DAYS",
    "Pose",
    "SimulatedNodule",
    "SimulatedScan",
    "UnknownVisit",
    "insert_nodule",
    "simulate_chest",
    "sphere_cover",
]
