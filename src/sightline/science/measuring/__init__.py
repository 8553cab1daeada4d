"""Lengths, angles, areas and statistics of what a person drew on an image.

Invariants: points are in mm (or, without any scale, in pixels) of one plane; an outline is closed whether or
not its first point is repeated; a pixel belongs to a region when its centre lies inside.
"""

from sightline.science.measuring._regions import RegionStatistics, inside_ellipse, inside_polygon, statistics
from sightline.science.measuring._shapes import (
    NotAnEllipse,
    across,
    angle_deg,
    ellipse_area,
    ellipse_perimeter,
    extent,
    length,
    lines_angle_deg,
    polygon_area,
    polygon_perimeter,
    require_ellipse,
)

__all__ = [
    "NotAnEllipse",
    "RegionStatistics",
    "across",
    "angle_deg",
    "ellipse_area",
    "ellipse_perimeter",
    "extent",
    "inside_ellipse",
    "inside_polygon",
    "length",
    "lines_angle_deg",
    "polygon_area",
    "polygon_perimeter",
    "require_ellipse",
    "statistics",
]
