"""Opening a study and everything that belongs beside it, and a person's word on each finding.

Invariants: what is opened is audited; a decision or a correction and its audit entry are one
transaction; once the report is signed its findings do not change.
"""

from sightline.care.reading._model import NoAlignment, Opened, Shown
from sightline.care.reading._service import (
    correct,
    decide,
    field_of,
    note_opening,
    open_study,
    outline_of,
    save_annotations,
)
from sightline.care.reading._views import (
    PatientView,
    QuantityView,
    Visit,
    patient_view,
    quantity_view,
    visit_of,
)

__all__ = [
    "NoAlignment",
    "Opened",
    "PatientView",
    "QuantityView",
    "Shown",
    "Visit",
    "correct",
    "decide",
    "field_of",
    "note_opening",
    "open_study",
    "outline_of",
    "patient_view",
    "quantity_view",
    "save_annotations",
    "visit_of",
]
