"""Made-up heads: tissues of random shape in an ellipsoid, seen in contrasts that say different things."""

import numpy as np
from scipy import ndimage

from sightline.science.geometry import Grid
from sightline.science.volumes import Volume

GRID = Grid((56, 68, 60), (2.5, 2.5, 2.5), (-73.75, -83.75, -68.75), (1, 0, 0, 0, 1, 0, 0, 0, 1))
FIRST, SECOND = (0.9, 0.5, 0.25, 0.7), (0.35, 0.8, 0.6, 0.2)
"""Brightness of the four tissues in two contrasts; no rising curve leads from one to the other."""


def head(seed, contrast=FIRST, matrix=None, *, noise=0.02):
    """Return a head as a volume; `matrix` takes its points to those of the head as it was made."""
    rng = np.random.default_rng(seed)
    fields = [
        ndimage.gaussian_filter(rng.standard_normal(GRID.shape_zyx), mm / 2.5) for mm in (5.0, 5.0, 5.0, 5.0)
    ]
    tissues = np.argmax(fields, axis=0)
    points = GRID.to_lps_mm(np.indices(GRID.shape_zyx).reshape(3, -1).T)
    places = points if matrix is None else points @ matrix[:3, :3].T + matrix[:3, 3]
    inside = (((places / (52.0, 66.0, 58.0)) ** 2).sum(axis=1) < 1).reshape(GRID.shape_zyx)
    index = GRID.to_index_zyx(places).T
    values = np.array(contrast)[tissues]
    values = ndimage.map_coordinates(values, index, order=1, mode="nearest").reshape(GRID.shape_zyx)
    values = np.where(inside, values, 0.0) + rng.normal(0, noise, GRID.shape_zyx)
    return Volume(np.clip(values * 1000, 0, None).astype(np.float32), GRID, unit="1")


def motion(degrees=7.0, shift=(6.0, -9.0, 4.0)):
    """Return a rotation about an oblique axis with a shift, as a 4x4 matrix (Rodrigues)."""
    axis = np.array([1.0, 2.0, 2.0]) / 3
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle = np.radians(degrees)
    matrix = np.eye(4)
    matrix[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    matrix[:3, 3] = shift
    return matrix


def error_mm(found, matrix):
    """Return how far the found map is from the true one over the head, mm."""
    points = np.random.default_rng(4).uniform(-35, 35, (300, 3))
    return np.linalg.norm(found.map_points(points) - points @ matrix[:3, :3].T - matrix[:3, 3], axis=1)
