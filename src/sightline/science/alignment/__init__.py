"""The same place in two scans, and how far to trust it.

Invariants: fixed is current, moving is prior; p_prior = p_current + d(p_current) in LPS mm; an alignment
never leaves without a verdict, and one that failed is never shown as good.
"""

from sightline.science.alignment._engine import EngineFailed
from sightline.science.alignment._maps import NotCarried, carry, folds_near, invert, jacobian_of
from sightline.science.alignment._model import Alignment, QualityTest, UnreadableAlignment, Verdict
from sightline.science.alignment._pairs import Model, UnknownModel, align
from sightline.science.alignment._pictures import PictureAlignment, align_images
from sightline.science.alignment._planar import NotAPicture, Picture
from sightline.science.alignment._reading import read_picture

__all__ = [
    "Alignment",
    "EngineFailed",
    "Model",
    "NotAPicture",
    "NotCarried",
    "Picture",
    "PictureAlignment",
    "QualityTest",
    "UnknownModel",
    "UnreadableAlignment",
    "Verdict",
    "align",
    "align_images",
    "carry",
    "folds_near",
    "invert",
    "jacobian_of",
    "read_picture",
]
