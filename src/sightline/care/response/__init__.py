"""Tumour response of one patient: what a person chose, what they found, what a criterion says of both.

Invariants: nothing that a person chose is changed by a machine; proposals are marked as such until a person
keeps them; measurements are the kept findings as they stand now, and only a person's own number replaces one;
every change is a version of its own, audited, and can be taken back; what comes out is a draft that a reader
decides on, with the rule, its source and whether it was checked there behind every category.
"""

from sightline.care.response._course import Cell, Facts, StudyFacts, build_course
from sightline.care.response._evaluation import Evaluated, write_table
from sightline.care.response._fhir import status_bundle
from sightline.care.response._model import (
    MOST_LESIONS,
    MOST_POINTS,
    Judgement,
    NoResponseYet,
    NothingToTakeBack,
    Plan,
    PlannedLesion,
    PlannedPoint,
    Protocol,
    ReferenceUptake,
    ResponseChangedMeanwhile,
    UnusablePlan,
    organ_of,
)
from sightline.care.response._proposal import Proposal, propose_plan
from sightline.care.response._service import (
    Opened,
    evaluated_of,
    keep_plan,
    open_response,
    structured_response,
    take_back,
)

__all__ = [
    "MOST_LESIONS",
    "MOST_POINTS",
    "Cell",
    "Evaluated",
    "Facts",
    "Judgement",
    "NoResponseYet",
    "NothingToTakeBack",
    "Opened",
    "Plan",
    "PlannedLesion",
    "PlannedPoint",
    "Proposal",
    "Protocol",
    "ReferenceUptake",
    "ResponseChangedMeanwhile",
    "StudyFacts",
    "UnusablePlan",
    "build_course",
    "evaluated_of",
    "keep_plan",
    "open_response",
    "organ_of",
    "propose_plan",
    "status_bundle",
    "structured_response",
    "take_back",
    "write_table",
]
