"""Lungs and nodules cut out of a CT, and measured with their uncertainty.

Invariants: a value never leaves without its unit, method and 95 % interval; side is the patient's; what is
cut by the edge of the scan is not reported as a nodule.
"""

from sightline.science.segmentation._lungs import segment_lungs
from sightline.science.segmentation._measure import outline
from sightline.science.segmentation._model import (
    Lesion,
    LungsNotFound,
    Mask,
    NoLesionHere,
    NotHounsfield,
)
from sightline.science.segmentation._near import find_lesions_near
from sightline.science.segmentation._nodules import find_nodules, segment_lesion_at

__all__ = [
    "Lesion",
    "LungsNotFound",
    "Mask",
    "NoLesionHere",
    "NotHounsfield",
    "find_lesions_near",
    "find_nodules",
    "outline",
    "segment_lesion_at",
    "segment_lungs",
]
