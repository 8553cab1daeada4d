"""The same lesion over time: which is which, and did it grow.

Invariants: no growth is claimed that lies within published repeatability, and the figure applied is named;
"new" is said only where the prior looked; a failed alignment links nothing.
"""

from sightline.science.change._following import Followed, follow_points
from sightline.science.change._growth import ImpossibleGrowth, Sized, doubling_time, growth
from sightline.science.change._links import link_lesions
from sightline.science.change._model import Growth, GrowthKind, Limits, Link, LinkKind
from sightline.science.change._repeatability import TABLE, Repeatability, find_repeatability, log_sigma

__all__ = [
    "TABLE",
    "Followed",
    "Growth",
    "GrowthKind",
    "ImpossibleGrowth",
    "Limits",
    "Link",
    "LinkKind",
    "Repeatability",
    "Sized",
    "doubling_time",
    "find_repeatability",
    "follow_points",
    "growth",
    "link_lesions",
    "log_sigma",
]
