"""What a computed tomography shows by its Hounsfield values alone.

Invariants: nothing is learnt from weights; what the rules do not fit is of no region.
"""

from sightline.science.ct._regions import (
    REGIONS,
    SliceFacts,
    Span,
    find_spans,
    measure_slice,
)

__all__ = ["REGIONS", "SliceFacts", "Span", "find_spans", "measure_slice"]
