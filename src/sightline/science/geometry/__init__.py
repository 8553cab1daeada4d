"""Where a voxel lies in the patient.

Invariants: patient space is LPS in mm (PS3.3 C.7.6.2.1.1); arrays are indexed (z, y, x); the axes of a
grid are orthonormal, so a sheared stack is never a `Grid`.
"""

from sightline.science.geometry._model import BadGrid, Floats, Grid

__all__ = ["BadGrid", "Floats", "Grid"]
