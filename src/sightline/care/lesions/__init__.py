"""Lesions in a reader's hands: cut out by a click, kept, told to be one over time, seen on the prior.

Invariants: what a click cuts out is shown before it is kept, with its interval and what speaks against it;
once the report is signed nothing is kept; where nothing stands out nothing is marked, with the reason;
a person's word on which lesions are one is audited, can be taken back, and changes curve and change at once.
"""

from sightline.care.lesions._beside import Image, PriorSlice, paired_on_slice, prior_on_slice
from sightline.care.lesions._linking import Candidate, find_candidates, link, unlink
from sightline.care.lesions._model import (
    KINDS,
    MOST_CORRECTIONS,
    Click,
    Clicked,
    NotAligned,
    TooManyCorrections,
    Touch,
    UnknownKind,
)
from sightline.care.lesions._service import look, mark

__all__ = [
    "KINDS",
    "MOST_CORRECTIONS",
    "Candidate",
    "Click",
    "Clicked",
    "Image",
    "NotAligned",
    "PriorSlice",
    "TooManyCorrections",
    "Touch",
    "UnknownKind",
    "find_candidates",
    "link",
    "look",
    "mark",
    "paired_on_slice",
    "prior_on_slice",
    "unlink",
]
