"""What a browser without a graphics card cannot compute: planes, projections, surfaces, pictures of a whole.

Invariants: a plane is cut where its centre and its axes say, whatever way the voxels lie; outside of the
voxels nothing is made up; a surface is closed and its triangles look outward; azimuth 0 looks from the front,
so that the patient's left is on the right of the picture.
"""

from sightline.science.rendering._model import (
    MOST_PIXELS,
    MOST_TRIANGLES,
    BadPlane,
    BadView,
    EmptySurface,
    Plane,
    Projection,
    Slab,
    Surface,
)
from sightline.science.rendering._moved import sample_moved
from sightline.science.rendering._planes import cut_plane, sample_plane
from sightline.science.rendering._raycasting import (
    LOOKS,
    Box,
    Camera,
    HalfSpace,
    Look,
    LookNotUsable,
    reduced,
    render_volume,
)
from sightline.science.rendering._surfaces import find_surface
from sightline.science.rendering._windows import apply_window

__all__ = [
    "LOOKS",
    "MOST_PIXELS",
    "MOST_TRIANGLES",
    "BadPlane",
    "BadView",
    "Box",
    "Camera",
    "EmptySurface",
    "HalfSpace",
    "Look",
    "LookNotUsable",
    "Plane",
    "Projection",
    "Slab",
    "Surface",
    "apply_window",
    "cut_plane",
    "find_surface",
    "reduced",
    "render_volume",
    "sample_moved",
    "sample_plane",
]
