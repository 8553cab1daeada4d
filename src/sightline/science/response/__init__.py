"""Tumour response: one course of measured lesions, judged by any of the published criteria.

Invariants: every category comes with the rules that led to it, their source and whether they were checked
there; what a criterion needs and is not given makes it NE, never a guess; numbers are compared exactly; a
result is a draft for a reader.
"""

from sightline.science.response._criteria import Criterion, criteria, load_criterion, parse_criterion
from sightline.science.response._engine import best_response, evaluate
from sightline.science.response._errors import (
    ImpossibleMeasurement,
    InvalidCriterion,
    MixedUnits,
    UnknownCriterion,
    UnknownReference,
    UnorderedTimePoints,
    UnusableCourse,
    WrongUnit,
)
from sightline.science.response._model import (
    BestResponse,
    Course,
    Evaluation,
    Lesion,
    Measurement,
    Observation,
    Options,
    PointResponse,
    Reason,
    ReferenceTissue,
    TimePoint,
)
from sightline.science.response._shorthand import (
    ABSENT,
    NOT_ASSESSABLE,
    PRESENT,
    PROGRESSED,
    TOO_SMALL,
    measured,
)

__all__ = [
    "ABSENT",
    "NOT_ASSESSABLE",
    "PRESENT",
    "PROGRESSED",
    "TOO_SMALL",
    "BestResponse",
    "Course",
    "Criterion",
    "Evaluation",
    "ImpossibleMeasurement",
    "InvalidCriterion",
    "Lesion",
    "Measurement",
    "MixedUnits",
    "Observation",
    "Options",
    "PointResponse",
    "Reason",
    "ReferenceTissue",
    "TimePoint",
    "UnknownCriterion",
    "UnknownReference",
    "UnorderedTimePoints",
    "UnusableCourse",
    "WrongUnit",
    "best_response",
    "criteria",
    "evaluate",
    "load_criterion",
    "measured",
    "parse_criterion",
]
