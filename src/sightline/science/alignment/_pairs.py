"""Which way of aligning fits which pair of volumes: decided here and nowhere else."""

from typing import Literal

from sightline.kernel.errors import Invalid
from sightline.science.alignment._across import align_across
from sightline.science.alignment._model import Alignment
from sightline.science.alignment._service import align as align_alike
from sightline.science.volumes import Volume

Model = Literal["auto", "rigid", "affine", "deformable"]

ABSOLUTE = frozenset({"HU"})
"""Units in which equal tissue has equal values, so that values may be compared as they are."""


class UnknownModel(Invalid):
    """The way of aligning is not known; choose auto, rigid, affine or deformable."""


def align(
    fixed: Volume, moving: Volume, *, model: Model = "auto", threads: int = 2, seed: int = 20_250_101
) -> Alignment:
    """Return the alignment of a current volume (fixed) with a prior one (moving), with its verdict.

    Run it in a process of its own: the engine's threads do not survive a fork.

    Parameters
    ----------
    model
        ``auto`` bends CT onto CT, and moves all others rigidly by mutual information, because values of MR
        mean nothing by themselves: two sequences of one head differ more than two heads in one sequence.
        ``rigid`` and ``affine`` are by mutual information for every pair; ``deformable`` compares values,
        which fits CT and images of one and the same sequence.
    threads, seed
        With both fixed the result repeats.

    Returns
    -------
    Alignment
        Also when it failed: the verdict says so, and the reason names the test.

    Raises
    ------
    UnknownModel
        If `model` is none of the four.

    See Also
    --------
    carry : PET with PET goes by the alignment of their CTs.

    Examples
    --------
    An ellipsoid with texture, seen 10 mm further to the left the second time:

    >>> import numpy as np
    >>> from scipy import ndimage
    >>> from sightline.science.geometry import Grid
    >>> grid = Grid((32, 32, 32), (5.0, 5.0, 5.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> z, y, x = np.indices(grid.shape_zyx) - 15.5
    >>> body = (z / 14) ** 2 + (y / 12) ** 2 + (x / 10) ** 2 < 1
    >>> texture = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal(body.shape), 1.5)
    >>> now = Volume(body * (500 + 1000 * texture), grid, unit="1")
    >>> then = Volume(ndimage.shift(now.array, (0, 0, 2), order=1), grid, unit="1")
    >>> found = align(now, then)
    >>> found.verdict, found.map_points((80, 80, 80)).round().tolist()
    ('good', [[90.0, 80.0, 80.0]])
    """
    if model == "auto":
        model = "deformable" if {fixed.unit, moving.unit} <= ABSOLUTE else "rigid"
    if model == "deformable":
        return align_alike(fixed, moving, threads=threads, seed=seed)
    if model not in ("rigid", "affine"):
        raise UnknownModel(f"No way of aligning is called {model!r}; say auto, rigid, affine or deformable.")
    return align_across(fixed, moving, model=model, threads=threads, seed=seed)
