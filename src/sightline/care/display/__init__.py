"""What is computed of a series for showing it: planes, surfaces, pictures, and what lies over it.

Invariants: whoever is shown something may read the study, and the trail says that they did; a volume that
cannot be trusted is refused with the reason; what lies over a series is resampled to its slices by where it
lies in the patient, never by index; a value has its unit, and is called uptake only as its header allows.
"""

from sightline.care.display._model import (
    Context,
    Contour,
    Described,
    Form,
    Kind,
    NotAnOverlay,
    Overlay,
    OverlayNotHeld,
    OverlayNotReadable,
    Roi,
    Segment,
    Slices,
    View,
    open_context,
)
from sightline.care.display._on import On
from sightline.care.display._sampling import choose_encoding, packed
from sightline.care.display._service import (
    Cut,
    Meshing,
    Streamed,
    cut,
    describe_overlay,
    draw,
    find_overlays,
    find_segment_surface,
    find_surface,
    opened_volume,
    overlay_values,
    render,
    slices_in,
)
from sightline.care.display._shelf import Shelf
from sightline.care.display._turns import TooBusy, Turns
from sightline.care.display.settings import DisplaySettings

__all__ = [
    "Context",
    "Contour",
    "Cut",
    "Described",
    "DisplaySettings",
    "Form",
    "Kind",
    "Meshing",
    "NotAnOverlay",
    "On",
    "Overlay",
    "OverlayNotHeld",
    "OverlayNotReadable",
    "Roi",
    "Segment",
    "Shelf",
    "Slices",
    "Streamed",
    "TooBusy",
    "Turns",
    "View",
    "choose_encoding",
    "cut",
    "describe_overlay",
    "draw",
    "find_overlays",
    "find_segment_surface",
    "find_surface",
    "open_context",
    "opened_volume",
    "overlay_values",
    "packed",
    "render",
    "slices_in",
]
