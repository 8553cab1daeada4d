"""The governed result: a measurement or statement, its source, its decision, its lesion over time.

Invariants: what a model said is kept as it said it; every decision has a person, a moment and a row of its
own; one run of a model yields its findings once, however often the job is repeated; the same lesion has one
tracking UID at all dates; a person's word on which findings are one lesion comes before what was computed.
"""

from sightline.record.findings._identity import (
    ContradictsEarlierWord,
    Identity,
    LinkNotHeld,
    Statement,
    UnusableLink,
    lesions_of,
)
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
    Source,
    SourceKind,
    State,
    UnusableCorrection,
    own_lesion,
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
    propose_findings,
    trail_of,
    unify_lesions,
)
from sightline.record.findings._stating import state_identity, statements_of, withdraw_identity

__all__ = [
    "AlreadySuperseded",
    "Axis",
    "ContradictsEarlierWord",
    "Correction",
    "Decision",
    "Finding",
    "FindingNotHeld",
    "Found",
    "Identity",
    "LinkNotHeld",
    "NothingToUndo",
    "Outline",
    "Source",
    "SourceKind",
    "State",
    "Statement",
    "UnusableCorrection",
    "UnusableLink",
    "correct_finding",
    "decide_finding",
    "follow_patient",
    "get_finding",
    "get_outline",
    "hold_patient",
    "lesions_of",
    "mark_finding",
    "measure_again",
    "of_patient",
    "of_run",
    "of_studies",
    "own_lesion",
    "propose_findings",
    "state_identity",
    "statements_of",
    "trail_of",
    "unify_lesions",
    "withdraw_identity",
]
