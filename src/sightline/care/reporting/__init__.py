"""From accepted findings to a signed report and the standard objects it becomes.

Invariants: only findings that a person accepted or edited are drafted; every drafted sentence says what it
rests on; a person's words are never overwritten by a new draft; a signed report does not change; its objects
are written by a durable job and are the same however often the job runs.
"""

from sightline.care.reporting._model import (
    Basis,
    Check,
    Report,
    ReportAlreadySigned,
    ReportChangedMeanwhile,
    ReportNotHeld,
    ReportNotReady,
    ReportObject,
    ReportState,
    Section,
    Sentence,
    UnknownSection,
)
from sightline.care.reporting._rendering import render_page, reported_lesions, signed_report
from sightline.care.reporting._service import (
    Draft,
    Written,
    edit_report,
    find_report,
    find_signed,
    is_signed,
    open_report,
    record_objects,
    sign_report,
)

__all__ = [
    "Basis",
    "Check",
    "Draft",
    "Report",
    "ReportAlreadySigned",
    "ReportChangedMeanwhile",
    "ReportNotHeld",
    "ReportNotReady",
    "ReportObject",
    "ReportState",
    "Section",
    "Sentence",
    "UnknownSection",
    "Written",
    "edit_report",
    "find_report",
    "find_signed",
    "is_signed",
    "open_report",
    "record_objects",
    "render_page",
    "reported_lesions",
    "sign_report",
    "signed_report",
]
