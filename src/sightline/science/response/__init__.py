"""Tumour response: one course of measured lesions, judged by any of the published criteria.

Invariants: every category comes with the rules that led to it, their source and whether they were checked
there; what a criterion needs and is not given makes it NE, never a guess; numbers are compared exactly; a
result is a draft for a reader.
"""

from sightline.science.response._codes import (
    BEST_RESPONSE,
    CURRENT_RESPONSE,
    DISEASE_STATUS,
    METHODS,
    NON_TARGET_CODES,
    RESPONSE_CONTAINER,
    RESPONSE_METHOD,
    STATUS_CODES,
    TARGET_CODES,
    DraftStatus,
    csv_rows,
    draft_status,
    non_target_code,
    target_code,
)
from sightline.science.response._criteria import Criterion, criteria, load_criterion, parse_criterion
from sightline.science.response._engine import best_response, evaluate
from sightline.science.response._errors import (
    BrokenReference,
    ImpossibleMeasurement,
    InvalidCriterion,
    MixedUnits,
    UnknownCriterion,
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
from sightline.science.response._plots import Bar, Span, SpiderPoint, spider, swimmer, waterfall
from sightline.science.response._shorthand import (
    ABSENT,
    NOT_ASSESSABLE,
    PRESENT,
    PROGRESSED,
    TOO_SMALL,
    measured,
)
from sightline.science.response._uncertainty import plausible_categories

__all__ = [
    "ABSENT",
    "BEST_RESPONSE",
    "CURRENT_RESPONSE",
    "DISEASE_STATUS",
    "METHODS",
    "NON_TARGET_CODES",
    "NOT_ASSESSABLE",
    "PRESENT",
    "PROGRESSED",
    "RESPONSE_CONTAINER",
    "RESPONSE_METHOD",
    "STATUS_CODES",
    "TARGET_CODES",
    "TOO_SMALL",
    "Bar",
    "BestResponse",
    "BrokenReference",
    "Course",
    "Criterion",
    "DraftStatus",
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
    "Span",
    "SpiderPoint",
    "TimePoint",
    "UnknownCriterion",
    "UnorderedTimePoints",
    "UnusableCourse",
    "WrongUnit",
    "best_response",
    "criteria",
    "csv_rows",
    "draft_status",
    "evaluate",
    "load_criterion",
    "measured",
    "non_target_code",
    "parse_criterion",
    "plausible_categories",
    "spider",
    "swimmer",
    "target_code",
    "waterfall",
]
