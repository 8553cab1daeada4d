"""One page per patient: studies, reports, lesions, treatments and labs on one line of time.

Invariants: who looks is audited; what the person may not see is left out, never shown empty as if there were
none; the number of statements does not grow with studies, lesions or entries.
"""

from sightline.care.timeline._model import Course, lesion_organ, lesion_regions
from sightline.care.timeline._service import course_of

__all__ = ["Course", "course_of", "lesion_organ", "lesion_regions"]
