"""One patient through time: which prior matters, why, and what has changed since.

Invariants: a prior is never later than the study it is a prior of; a comparison names its two studies, its
alignment verdict and the test that decided it; a comparison that is made again replaces the one before.
"""

from sightline.record.timeline._exam import contrast_of, regions_of, side_of
from sightline.record.timeline._model import (
    AlignmentSummary,
    Candidate,
    Change,
    Choices,
    Comparison,
    ComparisonNotHeld,
    NotAPrior,
    RankedPrior,
    Seen,
    describe,
    rank_priors,
    study_moment,
    with_seen,
)
from sightline.record.timeline._seeing import see_study
from sightline.record.timeline._service import (
    DERIVED_MODALITIES,
    RT_IMAGE,
    candidates_of,
    compared_with,
    comparison_of,
    comparisons_of_patient,
    exam_of,
    follow_patient,
    forget_comparison,
    get_comparison,
    image_modality,
    note_choice,
    priors_among,
    priors_of,
    rank,
    record_comparison,
)

__all__ = [
    "DERIVED_MODALITIES",
    "RT_IMAGE",
    "AlignmentSummary",
    "Candidate",
    "Change",
    "Choices",
    "Comparison",
    "ComparisonNotHeld",
    "NotAPrior",
    "RankedPrior",
    "Seen",
    "candidates_of",
    "compared_with",
    "comparison_of",
    "comparisons_of_patient",
    "contrast_of",
    "describe",
    "exam_of",
    "follow_patient",
    "forget_comparison",
    "get_comparison",
    "image_modality",
    "note_choice",
    "priors_among",
    "priors_of",
    "rank",
    "rank_priors",
    "record_comparison",
    "regions_of",
    "see_study",
    "side_of",
    "study_moment",
    "with_seen",
]
