"""Growth of one lesion and what may be said of it."""

import itertools
import math
from dataclasses import dataclass, replace

import pytest

from sightline.kernel.quantities import Quantity
from sightline.science import change
from sightline.science.segmentation import UNEDITED


@dataclass(frozen=True)
class Measured:
    volume: Quantity
    long_axis: Quantity


def sphere(diameter_mm, *, sd_percent=None):
    value = math.pi * diameter_mm**3 / 6
    spread = 1.96 * value * (sd_percent or 0) / 100
    ends = (value - spread, value + spread) if sd_percent else (None, None)
    return Measured(Quantity(value, "mm3", "formula", *ends), Quantity(diameter_mm, "mm", "formula"))


def of_volume(mm3):
    return sphere((6 * mm3 / math.pi) ** (1 / 3))


@pytest.mark.parametrize(
    ("prior", "current", "cv", "expected"),
    [
        (100, 150, 0.10, (154, 91, 484)),
        (100, 150, 0.13, (154, 82, 1338)),
        (100, 125, 0.10, (280, 125, None)),
    ],
)
def test_doubling_time_and_its_interval_follow_the_formula(prior, current, cv, expected):
    """VDT = t ln2 / L, interval from L +- 1.96 s; 90 days."""
    sigma = change.log_sigma(cv)

    vdt = change.doubling_time(prior, current, days=90, sigma_prior=sigma, sigma_current=sigma)

    assert round(vdt.value) == expected[0]
    assert vdt.low == pytest.approx(expected[1], abs=1)
    assert vdt.high is None if expected[2] is None else vdt.high == pytest.approx(expected[2], rel=0.01)
    assert vdt.unit == "d"


@pytest.mark.parametrize(
    ("cv", "low", "high"),
    [(5, -13, 15), (10, -24, 32), (12, -28, 39), (15, -34, 51), (19, -41, 68), (29, -54, 120)],
)
def test_limits_of_true_change_follow_from_the_coefficient_of_variation(cv, low, high):
    reach = 2.77 * change.log_sigma(cv / 100)

    assert round(100 * math.expm1(-reach)) == low
    assert 100 * math.expm1(reach) == pytest.approx(high, abs=0.6)


def test_one_doubling_is_26_percent_in_diameter():
    vdt = change.doubling_time(
        sphere(10).volume.value, sphere(12.6).volume.value, days=100, sigma_prior=0.1, sigma_current=0.1
    )

    assert vdt.value == pytest.approx(100, rel=0.001)


def test_growth_beyond_repeatability_is_growth_and_names_the_figure():
    found = change.growth(sphere(6), sphere(8), days=92, slice_thickness_mm=1.0)

    assert found.kind == "grown"
    assert found.percent.value == pytest.approx(137, abs=0.5)
    assert found.percent.low > 0
    assert found.doubling_days.value == pytest.approx(74, abs=1)
    assert "QIBA" in found.reason
    assert "exceeds" in found.reason


def test_growth_within_repeatability_is_stable_and_bounds_the_doubling_time():
    found = change.growth(sphere(8), sphere(8.4), days=90, slice_thickness_mm=1.0)

    assert found.kind == "stable"
    assert found.percent.low < 0 < found.percent.high
    assert found.doubling_days.high is None
    assert "doubling time above" in found.reason


def test_shrinking_is_told_and_has_no_doubling_time():
    found = change.growth(sphere(10), sphere(7), days=60, slice_thickness_mm=1.0)

    assert (found.kind, found.doubling_days) == ("shrunk", None)


def test_thicker_slices_widen_the_interval():
    thin = change.growth(sphere(8), sphere(9), days=90, slice_thickness_mm=1.0)
    thick = change.growth(sphere(8), sphere(9), days=90, slice_thickness_mm=2.0)

    assert thick.percent.high > thin.percent.high
    assert thick.percent.value == thin.percent.value


def test_a_changed_protocol_widens_the_interval_and_says_so():
    same = change.growth(sphere(8), sphere(9.3), days=90, slice_thickness_mm=1.0)
    other = change.growth(sphere(8), sphere(9.3), days=90, slice_thickness_mm=1.0, differs=["kernel"])

    assert other.percent.high > same.percent.high
    assert "other kernel" in other.reason


def test_another_scanner_widens_the_limits_of_a_long_axis_too():
    """A third of 16 % in volume: 31.3 and 14.8 % in quadrature."""
    same = change.growth(sphere(20), sphere(26.5), days=90, slice_thickness_mm=5.0)
    other = change.growth(sphere(20), sphere(26.5), days=90, slice_thickness_mm=5.0, differs=["scanner"])

    assert (same.kind, other.kind) == ("grown", "cannot-tell")
    assert other.limits.low == pytest.approx(-34.6, abs=0.1)


def test_other_contrast_lets_nobody_tell_of_what_is_no_nodule_of_the_lungs():
    liver = change.growth(
        sphere(20), sphere(30), days=90, slice_thickness_mm=1.0, differs=["contrast"], lung_nodule=False
    )
    lung = change.growth(sphere(20), sphere(30), days=90, slice_thickness_mm=1.0, differs=["contrast"])

    assert (liver.kind, lung.kind) == ("cannot-tell", "grown")
    assert liver.percent.value == pytest.approx(237.5, abs=0.1)
    assert "Contrast differs" in liver.reason


def test_figures_for_nodules_of_the_lungs_judge_nothing_else():
    nodule = change.growth(sphere(8), sphere(12), days=90, slice_thickness_mm=1.0)
    other = change.growth(sphere(8), sphere(12), days=90, slice_thickness_mm=1.0, lung_nodule=False)

    assert (nodule.kind, other.kind) == ("grown", "cannot-tell")


def test_one_click_that_nobody_corrected_proves_no_growth():
    clicked = replace(sphere(20), volume=Quantity(4189, "mm3", f"sum of geodesic, {UNEDITED}"))

    found = change.growth(clicked, sphere(40), days=90, slice_thickness_mm=1.0)

    assert found.kind == "cannot-tell"
    assert found.percent.value == pytest.approx(700, abs=1)
    assert "Correct both masks" in found.reason


def test_within_one_day_growth_has_no_doubling_time():
    found = change.growth(sphere(8), sphere(14), days=0, slice_thickness_mm=1.0)

    assert (found.kind, found.doubling_days) == ("grown", None)
    assert "doubling" not in found.reason


def test_a_measurement_less_sure_than_the_published_figure_decides():
    sure = change.growth(sphere(8), sphere(9.6), days=90, slice_thickness_mm=1.0)
    unsure = change.growth(sphere(8, sd_percent=40), sphere(9.6), days=90, slice_thickness_mm=1.0)

    assert unsure.percent.high > sure.percent.high


@pytest.mark.parametrize(("before", "after", "slice_mm"), [(4, 5, 1.0), (8, 9.5, 5.0)])
def test_without_a_published_figure_nothing_is_claimed(before, after, slice_mm):
    found = change.growth(sphere(before), sphere(after), days=90, slice_thickness_mm=slice_mm)

    assert found.kind == "cannot-tell"
    assert found.percent.low is None
    assert found.doubling_days is None
    assert "No published repeatability" in found.reason


@pytest.mark.parametrize(("after", "kind"), [(24, "stable"), (27, "grown"), (13, "shrunk")])
def test_thick_slices_judge_large_lesions_by_long_axis(after, kind):
    """Inter-reader limits of one lesion, -31.3 to +30.3 % (Yoon 2016)."""
    found = change.growth(sphere(20), sphere(after), days=90, slice_thickness_mm=5.0)

    assert found.kind == kind
    assert "Long axis" in found.reason


def test_a_lesion_absent_at_one_date_is_new_or_vanished():
    assert change.growth(None, sphere(6), days=90, slice_thickness_mm=1).kind == "new"
    assert change.growth(sphere(6), None, days=90, slice_thickness_mm=1).kind == "vanished"


@pytest.mark.parametrize(
    ("prior", "current", "days"),
    [
        (None, None, 90),
        (sphere(6), sphere(7), -3),
        (sphere(6), of_volume(0.0), 90),
    ],
    ids=["nothing", "prior later", "no volume"],
)
def test_what_cannot_be_compared_is_refused(prior, current, days):
    with pytest.raises(change.ImpossibleGrowth):
        change.growth(prior, current, days=days, slice_thickness_mm=1.0)


def test_the_repeatability_table_has_no_holes_between_5_5_and_100_mm():
    ends = [(row.low_mm, row.high_mm) for row in change.TABLE]

    assert ends[0][0] == 5.5
    assert ends[-1][1] == 100.0
    assert all(a[1] == b[0] for a, b in itertools.pairwise(ends))
    assert all(row.source for row in change.TABLE)
