"""The governed result: a measurement or statement, its source, its decision, its lesion over time.

Invariants: what a model said is kept as it said it; every decision has a person, a moment and a row of its
own; one run of a model yields its findings once, however often the job is repeated; the same lesion has one
tracking UID at all dates.
"""

from sightline.record.findings._model import (
    AlreadySuperseded,
    Axis,
    Correction,
    Decision,
    Finding,
    FindingNotHeld,
    Found,
    NothingToUndo,
    Outline,
    Sighting,
    Source,
    SourceKind,
    State,
    UnusableCorrection,
)
from sightline.record.findings._service import (
    correct_finding,
    decide_finding,
    follow_patient,
    get_finding,
    get_outline,
    hold_patient,
    mark_finding,
    measure_again,
    of_patient,
    of_run,
    of_studies,
    own_lesion,
    propose_findings,
    sightings_of,
    trail_of,
    unify_lesions,
)

__all__ = [
    "AlreadySuperseded",
    "Axis",
    "Correction",
    "Decision",
    "Finding",
    "FindingNotHeld",
    "Found",
    "NothingToUndo",
    "Outline",
    "Sighting",
    "Source",
    "SourceKind",
    "State",
    "UnusableCorrection",
    "correct_finding",
    "decide_finding",
    "follow_patient",
    "get_finding",
    "get_outline",
    "hold_patient",
    "mark_finding",
    "measure_again",
    "of_patient",
    "of_run",
    "of_studies",
    "own_lesion",
    "propose_findings",
    "sightings_of",
    "trail_of",
    "unify_lesions",
]
