"""Which study goes to which model, and what follows, durably.

Invariants: a study that matches a rule is analysed once per model version and set of images; an analysis ends
in findings, in a refusal with its reason, or in a failure that is shown; a comparison waits for both sides.
"""

from sightline.intelligence.routing._answer import ChangeAnswer
from sightline.intelligence.routing._comparing import (
    browser_field,
    compare_again,
    distances_to,
    kept_grids,
    unify_again,
)
from sightline.intelligence.routing._model import Analysis, AnalysisState, Rule, match_rules
from sightline.intelligence.routing._ondemand import PairAlignment, alignment_state
from sightline.intelligence.routing._riding import same_in_prior
from sightline.intelligence.routing._service import (
    analyses_of,
    analysis_of,
    find_image_series,
    main_series,
    request_analysis,
)

__all__ = [
    "Analysis",
    "AnalysisState",
    "ChangeAnswer",
    "PairAlignment",
    "Rule",
    "alignment_state",
    "analyses_of",
    "analysis_of",
    "browser_field",
    "compare_again",
    "distances_to",
    "find_image_series",
    "kept_grids",
    "main_series",
    "match_rules",
    "request_analysis",
    "same_in_prior",
    "unify_again",
]
