"""A second look in the images of the other date, in slices thicker than half a lesion too."""

import numpy as np
import pytest

from sightline.science import alignment, change, segmentation, simulation
from sightline.science.geometry import Grid
from sightline.science.volumes import Volume

GRID = Grid((64, 64, 64), (1.0, 1.0, 1.25), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def lung(*nodules, slices=1, seed=0):
    """Return even lung with nodules (place, mm), each slice the mean of some of 1.25 mm."""
    noise = np.random.default_rng(seed).normal(-850, 15, GRID.shape_zyx)
    made = Volume(noise.astype(np.int16), GRID, thickness_mm=1.25 * slices)
    for place, mm in nodules:
        made = simulation.insert_nodule(made, place, mm)
    if slices == 1:
        return made
    count = 64 // slices
    array = made.array.reshape(count, slices, 64, 64).mean(axis=1).astype(np.int16)
    grid = Grid(array.shape, (1.0, 1.0, 1.25 * slices), (0.0, 0.0, 1.25 * (slices - 1) / 2), GRID.directions)
    return Volume(array, grid, thickness_mm=1.25 * slices)


def unmoved(grid):
    still, error = np.zeros((*grid.shape_zyx, 3), "f4"), np.ones(grid.shape_zyx, "f4")
    return alignment.Alignment("good", "", (), grid, still, error, "none")


def followed(current, prior, point):
    [one] = change.follow_points(current, prior, unmoved(current.grid), [point], days=90)
    return one.link.kind


@pytest.mark.parametrize("z", [38.125, 39.375, 40.625, 41.875])
def test_a_small_nodule_in_thick_slices_is_never_called_new_wherever_it_lies_between_them(z):
    """6 mm in slices of 5 mm; in the prior its middle lies elsewhere in its slice."""
    current = lung(((32.0, 32.0, 39.375), 6.0), slices=4, seed=1)
    prior = lung(((32.0, 32.0, z), 6.0), slices=4, seed=2)

    assert followed(current, prior, (32.0, 32.0, 39.375)) in ("linked", "ambiguous")


def test_in_thick_slices_a_nodule_that_was_not_there_is_new():
    current, prior = lung(((32.0, 32.0, 39.375), 8.0), slices=4, seed=1), lung(slices=4, seed=2)

    assert followed(current, prior, (32.0, 32.0, 39.375)) == "new"


def test_links_are_left_alone_where_the_images_are_no_ct():
    link = change.Link(0, None, "new", 1.0, "")
    volume = Volume(
        np.zeros((8, 8, 8), np.float32), Grid((8, 8, 8), (1, 1, 1), (0, 0, 0), GRID.directions), "1"
    )

    assert change.look_again([link], [], [], volume, volume, unmoved(volume.grid)) == (link,)


def test_of_two_that_nobody_linked_the_known_one_explains_nothing():
    """What is known at the other date and was not linked is another lesion."""
    scan = lung(((32.0, 32.0, 39.0), 10.0))
    lesion = segmentation.segment_lesion_at(scan, (32.0, 32.0, 39.0))
    link = change.Link(0, None, "new", 1.0, "")

    [unknown] = change.look_again([link], [lesion], [], scan, scan, unmoved(scan.grid))
    [known] = change.look_again([link], [lesion], [lesion], scan, scan, unmoved(scan.grid))

    assert (unknown.kind, known.kind) == ("ambiguous", "new")
