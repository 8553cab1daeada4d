"""Lesions followed from a click: nodules by their own method, everything else by one click at each date."""

import numpy as np
import pytest

from sightline.science import alignment, change, simulation
from sightline.science.geometry import Grid
from sightline.science.volumes import Volume

GRID = Grid((60, 60, 60), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def still(verdict="good", shift_mm=(0.0, 0.0, 0.0)):
    field = np.broadcast_to(np.float32(shift_mm), (*GRID.shape_zyx, 3))
    return alignment.Alignment(verdict, "of a test", (), GRID, field, np.ones(GRID.shape_zyx, "f4"), "none")


def ball(diameter_mm, *, centre=(30, 30, 30), level=200.0, unit="1", seed=1):
    """A bright ball in noise, as in an MR image of arbitrary units."""
    z, y, x = np.indices(GRID.shape_zyx)
    away = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
    array = 100 + (level - 100) * np.clip(diameter_mm / 2 - away + 0.5, 0, 1)
    return Volume(array + np.random.default_rng(seed).normal(0, 4, array.shape), GRID, unit=unit)


def follow(current, prior, found, point=(30, 30, 30)):
    return change.follow_points(current, prior, found, [point], days=90)[0]


def test_a_lesion_of_an_mr_has_sizes_at_both_dates_and_no_claim():
    one = follow(ball(16.0), ball(12.0, centre=(34, 30, 30), seed=2), still(shift_mm=(4, 0, 0)))

    assert (one.link.kind, one.growth.kind) == ("linked", "cannot-tell")
    assert one.current.volume.value == pytest.approx(np.pi * 16**3 / 6, rel=0.1)
    assert one.prior.volume.value == pytest.approx(np.pi * 12**3 / 6, rel=0.1)
    assert one.growth.percent.value == pytest.approx(100 * ((16 / 12) ** 3 - 1), abs=25)
    assert "unedited" in one.growth.reason


def test_where_nothing_stands_out_in_the_prior_a_person_has_to_look():
    empty = ball(0.0, level=100.0, seed=3)

    one = follow(ball(14.0), empty, still())

    assert one.link.kind == "ambiguous"
    assert one.growth.kind == "cannot-tell"
    assert one.prior is None


def test_an_alignment_that_failed_leaves_the_current_size_and_compares_nothing():
    one = follow(ball(14.0), ball(14.0, seed=2), still("failed"))

    assert (one.link.kind, one.growth.kind, one.prior) == ("not-covered", "cannot-tell", None)
    assert one.current.long_axis.value == pytest.approx(14, abs=1.5)


def test_a_click_on_nothing_is_refused_with_the_reason():
    one = follow(ball(0.0, level=100.0), ball(12.0), still())

    assert (one.current, one.growth.kind) == (None, "cannot-tell")
    assert "stands out" in one.growth.reason


def test_a_nodule_of_a_ct_keeps_its_own_method():
    lung = Volume(np.full(GRID.shape_zyx, -850, dtype=np.int16), GRID)
    prior, current = (simulation.insert_nodule(lung, (30, 30, 30), mm) for mm in (8.0, 12.0))

    one = follow(current, prior, still())

    assert (one.link.kind, one.growth.kind) == ("linked", "grown")
    assert one.growth.percent.low > 0


def test_two_modalities_are_not_compared():
    """An MR shows a lesion that a CT does not know by its numbers: no lesion is called new by that."""
    lung = Volume(np.full(GRID.shape_zyx, -850, dtype=np.int16), GRID)
    ct = simulation.insert_nodule(lung, (30, 30, 30), 12.0)

    one = follow(ct, ball(12.0), still())

    assert (one.link.kind, one.growth.kind) == ("not-covered", "cannot-tell")
    assert "different units" in one.growth.reason
