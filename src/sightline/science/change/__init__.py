"""The same lesion over time: which is which, and did it grow.

Invariants: no growth is claimed that lies within published repeatability, and the figure applied is named;
"new" is said only where the prior looked; a failed alignment links nothing and makes no map; a map of change
tells only what noise, edges and technique do not explain.
"""

from sightline.science.change._again import look_again
from sightline.science.change._following import Followed, follow_points
from sightline.science.change._growth import ImpossibleGrowth, Sized, doubling_time, growth, unproven
from sightline.science.change._jacobian import log_jacobian
from sightline.science.change._links import link_lesions
from sightline.science.change._map_model import (
    AlignmentNotTrusted,
    ChangeMap,
    Cluster,
    ContrastDiffers,
    ModalityDiffers,
    NoChangeMap,
    Sign,
    Technique,
    TooLittleShared,
    UnusableRegion,
    WeightingDiffers,
)
from sightline.science.change._maps import change_map
from sightline.science.change._model import Growth, GrowthKind, Limits, Link, LinkKind
from sightline.science.change._repeatability import TABLE, Repeatability, find_repeatability, log_sigma
from sightline.science.change._technique import protocol_differences, technique_of

__all__ = [
    "TABLE",
    "AlignmentNotTrusted",
    "ChangeMap",
    "Cluster",
    "ContrastDiffers",
    "Followed",
    "Growth",
    "GrowthKind",
    "ImpossibleGrowth",
    "Limits",
    "Link",
    "LinkKind",
    "ModalityDiffers",
    "NoChangeMap",
    "Repeatability",
    "Sign",
    "Sized",
    "Technique",
    "TooLittleShared",
    "UnusableRegion",
    "WeightingDiffers",
    "change_map",
    "doubling_time",
    "find_repeatability",
    "follow_points",
    "growth",
    "link_lesions",
    "log_jacobian",
    "log_sigma",
    "look_again",
    "protocol_differences",
    "technique_of",
    "unproven",
]
