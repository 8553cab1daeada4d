"""Priors held elsewhere: other archives are asked for them, the best are fetched before the study is read.

Invariants: what may be another patient's is never fetched by itself, and patients are never merged; what is
held is not fetched; a source is asked at its pace, and one that does not answer is shown as such.
"""

from sightline.wire.priors._model import (
    Coming,
    Elsewhere,
    Find,
    PriorNotFound,
    PriorOnItsWay,
    Search,
    Standing,
    StudyNotKnown,
    Subject,
    Trigger,
    Who,
    difference,
)
from sightline.wire.priors._service import (
    ASK,
    ask_source,
    came,
    dismiss_prior,
    elsewhere_of,
    forget_study,
    get_subject,
    is_recent,
    request_search,
    standings_of,
    take_prior,
)
from sightline.wire.priors.settings import PriorSettings

__all__ = [
    "ASK",
    "Coming",
    "Elsewhere",
    "Find",
    "PriorNotFound",
    "PriorOnItsWay",
    "PriorSettings",
    "Search",
    "Standing",
    "StudyNotKnown",
    "Subject",
    "Trigger",
    "Who",
    "ask_source",
    "came",
    "difference",
    "dismiss_prior",
    "elsewhere_of",
    "forget_study",
    "get_subject",
    "is_recent",
    "request_search",
    "standings_of",
    "take_prior",
]
