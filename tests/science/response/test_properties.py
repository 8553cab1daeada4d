"""What holds whatever the numbers: growth never improves a category, and order does not matter."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.science import response
from tests.science.response.courses import course, lesion, long

TENTHS = st.integers(min_value=1, max_value=1500)
BY_SIZE = (
    "recist-1.1",
    "mrecist",
    "lugano-2014-ct",
    "choi",
    "choi-modified",
    "rano-2.0-2d",
    "volumetric-spheres",
)


def seen(tenths):
    """An observation that every criterion by size can use, from a size in tenths of a millimetre."""
    size = tenths / 10
    return response.measured(
        long_axis_mm=size,
        short_axis_mm=size,
        viable_mm=size,
        volume_mm3=size**3,
        density_hu=80,
    )


def grown(sizes, lesion_number, by):
    return [
        (first, later, last + (by if number == lesion_number else 0))
        for number, (first, later, last) in enumerate(sizes)
    ]


def of(sizes, **facts):
    lesions = [lesion(f"T{n}", *map(seen, row), organ="liver") for n, row in enumerate(sizes)]
    return course(*lesions, facts={"clinical": "stable", "steroids": "none"} | facts)


SIZES = st.lists(st.tuples(TENTHS, TENTHS, TENTHS), min_size=1, max_size=4)


@given(sizes=SIZES, number=st.integers(0, 3), by=TENTHS, name=st.sampled_from(BY_SIZE))
@settings(max_examples=150, deadline=None)
def test_growth_of_a_target_never_improves_the_category(sizes, number, by, name):
    order = response.load_criterion(name).order
    before = response.evaluate(of(sizes), name).categories[-1]
    after = response.evaluate(of(grown(sizes, number % len(sizes), by)), name).categories[-1]

    assert order.index(after) >= order.index(before)


@given(sizes=SIZES, data=st.data(), name=st.sampled_from((*BY_SIZE, "irecist", "volumetric-beaumont")))
@settings(max_examples=100, deadline=None)
def test_the_order_of_lesions_changes_nothing(sizes, data, name):
    measured = of(sizes)
    shuffled = response.Course(measured.time_points, tuple(data.draw(st.permutations(measured.lesions))))

    one, other = response.evaluate(measured, name), response.evaluate(shuffled, name)

    assert one.categories == other.categories
    assert [point.value for point in one.points] == [point.value for point in other.points]


@given(baseline=TENTHS, nadir=TENTHS, now=TENTHS)
@settings(max_examples=300, deadline=None)
def test_recist_equals_the_rule_in_whole_tenths(baseline, nadir, now):
    low = min(baseline, nadir)
    expected = "SD"
    if 10 * now <= 7 * baseline:
        expected = "PR"
    if 10 * now >= 12 * low and now - low >= 50:
        expected = "PD"

    measured = course(lesion("T1", *long(baseline / 10, nadir / 10, now / 10)))

    assert response.evaluate(measured, "recist-1.1").categories[-1] == expected


@given(sizes=st.lists(TENTHS, min_size=2, max_size=6))
@settings(max_examples=100, deadline=None)
def test_immune_progression_is_never_confirmed_before_it_is_unconfirmed(sizes):
    measured = course(lesion("T1", *long(*[size / 10 for size in sizes])))

    categories = response.evaluate(measured, "irecist").categories

    if "iCPD" in categories:
        first = categories.index("iCPD")
        assert categories[first - 1] == "iUPD"
        assert set(categories[first:]) == {"iCPD"}
