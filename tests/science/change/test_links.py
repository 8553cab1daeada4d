"""Which lesion is which."""

import numpy as np
import pytest

from sightline.kernel.quantities import Quantity
from sightline.science import change
from sightline.science.alignment import Alignment
from sightline.science.geometry import Grid
from sightline.science.segmentation import Lesion

AXES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
CHEST = Grid((100, 100, 100), (2.0, 2.0, 2.0), (-99.0, -99.0, -99.0), AXES)


def aligned(shift=(0.0, 0.0, 0.0), *, verdict="good", error_mm=1.0):
    grid = CHEST.resampled((4.0, 4.0, 4.0))
    field = np.zeros((*grid.shape_zyx, 3), dtype=np.float32) + np.array(shift, dtype=np.float32)
    error = np.full(grid.shape_zyx, error_mm, dtype=np.float32)
    return Alignment(verdict, "test", (), grid, field, error, "by hand")


def ball(centre, diameter=8.0, side=None):
    """Return a spherical lesion on a 1 mm grid."""
    n = int(diameter) + 4
    origin = np.array(centre) - n / 2
    grid = Grid((n + 1, n + 1, n + 1), (1.0, 1.0, 1.0), tuple(origin), AXES)
    away = grid.to_lps_mm(np.indices(grid.shape_zyx).reshape(3, -1).T) - np.array(centre)
    mask = (np.linalg.norm(away, axis=1) <= diameter / 2).reshape(grid.shape_zyx)
    size = Quantity(np.pi * diameter**3 / 6, "mm3", "formula")
    length, value = Quantity(diameter, "mm", "formula"), Quantity(30.0, "[hnsf'U]", "formula")
    ends = (tuple(centre), tuple(centre))
    return Lesion(
        mask, (0, 0, 0), grid, tuple(centre), size, length, ends, length, ends, 0, value, 1.0, "lung", side
    )


def kinds(links):
    return {(link.current, link.prior): link.kind for link in links}


def test_lesions_are_linked_through_the_alignment_and_not_by_equal_coordinates():
    current = [ball((0, 0, 0)), ball((40, 0, 0))]
    prior = [ball((60, 0, 0)), ball((20, 0, 0))]

    links = change.link_lesions(current, prior, aligned((20, 0, 0)), CHEST)

    assert kinds(links) == {(0, 1): "linked", (1, 0): "linked"}


def test_a_lesion_that_doubled_in_volume_twice_is_still_the_same():
    links = change.link_lesions([ball((0, 0, 0), 12.7)], [ball((1, 1, 0), 8.0)], aligned(), CHEST)

    assert kinds(links) == {(0, 0): "linked"}


def test_new_and_vanished_are_said_where_both_scans_looked():
    links = change.link_lesions([ball((0, 0, 0))], [ball((50, 0, 0))], aligned(), CHEST)

    assert kinds(links) == {(0, None): "new", (None, 0): "vanished"}


def test_a_lesion_outside_the_prior_scan_is_not_called_new():
    links = change.link_lesions([ball((0, 0, 80))], [], aligned((0, 0, 20)), CHEST)

    assert kinds(links) == {(0, None): "not-covered"}


def test_a_prior_lesion_outside_the_current_scan_has_not_vanished():
    links = change.link_lesions([], [ball((0, 0, 80))], aligned((0, 0, -20)), CHEST)

    assert kinds(links) == {(None, 0): "not-covered"}


def test_a_failed_alignment_links_nothing_and_calls_nothing_new():
    links = change.link_lesions([ball((0, 0, 0))], [ball((0, 0, 0))], aligned(verdict="failed"), CHEST)

    assert kinds(links) == {(0, None): "not-covered", (None, 0): "not-covered"}


def test_lesions_of_different_sides_are_never_linked():
    links = change.link_lesions([ball((2, 0, 0), side="L")], [ball((-2, 0, 0), side="R")], aligned(), CHEST)

    assert "linked" not in kinds(links).values()


def test_two_equal_candidates_are_left_to_a_person():
    links = change.link_lesions([ball((0, 0, 0))], [ball((4.5, 0, 0)), ball((-4.5, 0, 0))], aligned(), CHEST)

    assert "ambiguous" in kinds(links).values()
    assert "linked" not in kinds(links).values()


def test_a_piece_split_from_a_linked_lesion_is_not_called_new_but_left_to_a_person():
    """One of 14 mm becomes two of 8 and 6 mm inside its old outline."""
    links = change.link_lesions(
        [ball((-3, 0, 0), 8), ball((4, 0, 0), 6)], [ball((0, 0, 0), 14)], aligned(), CHEST
    )

    assert kinds(links) == {(0, 0): "linked", (1, 0): "ambiguous"}


def test_every_lesion_appears_exactly_once_when_nothing_is_ambiguous():
    rng = np.random.default_rng(3)
    places = [tuple(p) for p in rng.uniform(-80, 80, (12, 3))]
    prior = [ball(p, 5 + k % 5) for k, p in enumerate(places)]
    current = [ball(tuple(np.array(p) + rng.uniform(-1, 1, 3)), 5 + k % 5) for k, p in enumerate(places)]

    links = change.link_lesions(current, prior, aligned(), CHEST)

    assert kinds(links) == {(k, k): "linked" for k in range(12)}


@pytest.mark.parametrize("shift", [0.0, 9.0, 14.0])
def test_the_gate_is_ten_millimetres_when_the_alignment_is_sure(shift):
    links = change.link_lesions([ball((0, 0, 0), 8)], [ball((shift, 0, 0), 8)], aligned(), CHEST)

    assert ("linked" in kinds(links).values()) == (shift < 10)


def test_where_the_map_folds_nearby_a_person_decides_and_elsewhere_not():
    folded = aligned()
    at = np.rint(folded.grid.to_index_zyx((3.0, 0.0, 0.0))[0]).astype(int)
    folded.displacement_mm[tuple(at)] = (20.0, 0.0, 0.0)

    links = change.link_lesions(
        [ball((0, 0, 0)), ball((60, 0, 0))], [ball((0, 0, 0)), ball((60, 0, 0))], folded, CHEST
    )

    assert kinds(links) == {(0, 0): "ambiguous", (1, 1): "linked"}
    assert "folds" in links[0].reason
