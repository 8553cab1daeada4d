"""Lungs and nodules cut out of a CT, whatever is clicked out of any volume, measured with their uncertainty.

Invariants: a value never leaves without its unit, method and 95 % interval; side is the patient's; what is
cut by the edge of the scan is not reported as a nodule, and a clicked segment says that it is.
"""

from sightline.science.segmentation._click import refine, segment_click
from sightline.science.segmentation._lungs import segment_lungs
from sightline.science.segmentation._measure import outline
from sightline.science.segmentation._model import (
    UNEDITED,
    ClickSegment,
    Lesion,
    LungsNotFound,
    Mask,
    Method,
    NoLesionHere,
    NotHounsfield,
)
from sightline.science.segmentation._near import find_lesions_near, likeness_at
from sightline.science.segmentation._nodules import find_nodules, segment_lesion_at
from sightline.science.segmentation._surroundings import lies_in_lung

__all__ = [
    "UNEDITED",
    "ClickSegment",
    "Lesion",
    "LungsNotFound",
    "Mask",
    "Method",
    "NoLesionHere",
    "NotHounsfield",
    "find_lesions_near",
    "find_nodules",
    "lies_in_lung",
    "likeness_at",
    "outline",
    "refine",
    "segment_click",
    "segment_lesion_at",
    "segment_lungs",
]
