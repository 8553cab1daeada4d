"""What holds whatever the numbers: growth never improves a category, and order does not matter."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.science import response
from tests.science.response.courses import START, course, lesion, long, points

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


WORDS = ["measured", "too-small", "absent", "present", "progressed", "equivocal", "not-assessable", None]


@st.composite
def any_course(draw):
    """A course of anything that may be written down, sensible or not."""
    number = draw(st.integers(2, 4))
    lesions = []
    for index in range(draw(st.integers(0, 4))):
        observations = [
            seen(draw(TENTHS)) if word == "measured" else word and response.Observation(word)
            for word in draw(st.lists(st.sampled_from(WORDS), min_size=number, max_size=number))
        ]
        lesions.append(
            lesion(
                f"L{index}",
                *observations,
                organ=draw(st.sampled_from(["liver", "liver hilum", "lung"])),
                role=draw(st.sampled_from(["target", "non-target", "new"])),
                is_node=draw(st.booleans()),
                pattern=draw(st.sampled_from([None, "typical", "atypical"])),
                component=draw(st.sampled_from(["enhancing", "non-enhancing"])),
            )
        )
    facts = {
        "clinical": draw(st.sampled_from([None, "stable", "worse"])),
        "steroids": draw(st.sampled_from([None, "none", "more"])),
        "deauville": draw(st.sampled_from([None, 1, 4, 5])),
        "uptake": draw(st.sampled_from([None, "less", "more"])),
        "spleen_mm": draw(st.sampled_from([None, 120.0, 150.0])),
    }
    timed = points(*sorted(draw(st.sets(st.integers(0, 400), min_size=number, max_size=number))), **facts)
    return response.Course(timed, tuple(lesions), draw(st.sampled_from([None, START])))


@given(any_=any_course(), name=st.sampled_from(response.criteria()), sticky=st.booleans())
@settings(max_examples=400, deadline=None)
def test_every_course_that_can_be_written_gets_a_category_with_reasons(any_, name, sticky):
    criterion = response.load_criterion(name)

    found = response.evaluate(any_, name, response.Options(sticky_response=sticky))

    assert set(found.categories) <= set(criterion.order)
    assert found.best.category in criterion.order
    assert all(point.reasons for point in found.points[1:])
    assert len(response.csv_rows(found)) == len(found.points) + 1


@given(sizes=SIZES, number=st.integers(0, 3), name=st.sampled_from(BY_SIZE))
@settings(max_examples=150, deadline=None)
def test_a_target_that_is_missing_leaves_progression_or_nothing(sizes, number, name):
    measured = of(sizes)
    lost = measured.lesions[number % len(sizes)]
    fewer = replace(lost, observations={**lost.observations, "t2": response.NOT_ASSESSABLE})
    lesions = tuple(fewer if one is lost else one for one in measured.lesions)

    whole = response.evaluate(measured, name).categories[-1]
    found = response.evaluate(response.Course(measured.time_points, lesions), name).categories[-1]

    assert found in ("NE", "PD")
    assert found == "NE" or whole == "PD"
