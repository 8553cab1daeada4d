"""What is refused before any criterion looks at it, and what is warned of."""

from datetime import date

import pytest

from sightline.kernel.errors import Invalid
from sightline.science import response
from sightline.science.response import PRESENT, Options
from tests.science.response.courses import START, course, lesion, long, of_sums, short

RECIST = "recist-1.1"


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -0.1], ids=["not a number", "infinite", "negative"]
)
def test_an_impossible_size_is_refused(value):
    with pytest.raises(response.ImpossibleMeasurement, match="long-axis"):
        response.measured(long_axis_mm=value)


def test_density_may_be_negative():
    assert response.measured(density_hu=-80).measurement("density").value == -80


def test_an_interval_must_hold_its_value():
    with pytest.raises(response.ImpossibleMeasurement, match="interval"):
        response.Measurement("volume", 100, "mm3", low=110, high=120)


@pytest.mark.parametrize(("quantity", "unit"), [("long-axis", "cm"), ("volume", "mm"), ("width", "mm")])
def test_a_unit_or_quantity_that_is_not_known_is_refused(quantity, unit):
    with pytest.raises(response.WrongUnit):
        response.Measurement(quantity, 1.0, unit)


def test_one_quantity_in_two_units_is_refused():
    seen = [
        response.Observation("measured", (response.Measurement("volume", 10, unit),))
        for unit in ("mL", "mm3")
    ]

    with pytest.raises(response.MixedUnits, match="volume comes in mL"):
        response.evaluate(course(lesion("T1", *seen)), "volumetric-spheres")


@pytest.mark.parametrize(
    "write",
    [
        lambda: response.Observation("gone"),
        lambda: lesion("T1", role="Target"),
        lambda: lesion("T1", pattern="odd"),
        lambda: lesion("T1", component="oedema"),
        lambda: response.TimePoint("t", START, clinical="well"),
        lambda: response.TimePoint("t", START, steroids="up"),
        lambda: response.TimePoint("t", START, uptake="lower"),
    ],
    ids=["state", "role", "pattern", "component", "clinical", "steroids", "uptake"],
)
def test_a_misspelt_word_is_refused(write):
    with pytest.raises(response.UnknownWord, match="say one of"):
        write()


def test_one_quantity_twice_in_one_observation_is_refused():
    twice = tuple(response.Measurement("long-axis", mm, "mm") for mm in (10, 12))

    with pytest.raises(response.ImpossibleMeasurement, match="one of each"):
        response.Observation("measured", twice)


@pytest.mark.parametrize("score", [0, 6])
def test_a_deauville_score_is_one_of_five(score):
    with pytest.raises(response.ImpossibleMeasurement, match="Deauville"):
        response.TimePoint("t", START, deauville=score)


@pytest.mark.parametrize("facts", [{"slice_mm": 0.0}, {"spleen_mm": -1.0}])
def test_a_length_of_a_time_point_is_positive(facts):
    with pytest.raises(response.ImpossibleMeasurement, match="positive"):
        response.TimePoint("t", START, **facts)


def test_uptake_of_reference_tissue_is_not_negative():
    with pytest.raises(response.ImpossibleMeasurement, match="reference"):
        response.ReferenceTissue(liver_mean=-1.0)


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        ((), "no time point"),
        ((date(2024, 2, 1), date(2024, 1, 1)), "in order of date"),
        ((date(2024, 2, 1), date(2024, 2, 1)), "share the date"),
    ],
)
def test_time_points_out_of_order_or_doubled_are_refused(dates, message):
    points = tuple(response.TimePoint(f"t{n}", day) for n, day in enumerate(dates))

    with pytest.raises(response.UnorderedTimePoints, match=message):
        response.evaluate(response.Course(points, ()), RECIST)


@pytest.mark.parametrize(
    ("lesions", "message"),
    [
        ((lesion("T1", *long(10)), lesion("T1", *long(10))), "named 'T1'"),
        ((lesion("T1", *long(10, 10, 10)),), "is no time point"),
        ((lesion("T1", response.Observation("split")),), "into what"),
        ((lesion("T1", response.Observation("split", into=("T9",))),), "no other lesion"),
        ((lesion("T1", response.Observation("merged", into=("T1",))),), "no other lesion"),
        ((lesion("T1", response.Observation("measured", into=("T1",))),), "into what"),
    ],
    ids=["doubled", "unknown time point", "split into nothing", "unknown part", "into itself", "not split"],
)
def test_names_that_lead_nowhere_are_refused(lesions, message):
    points = (response.TimePoint("t0", START), response.TimePoint("t1", START.replace(month=2)))

    with pytest.raises(response.BrokenReference, match=message):
        response.evaluate(response.Course(points, lesions), RECIST)


def test_every_refusal_is_an_invalid_request():
    assert issubclass(response.UnusableCourse, Invalid)


def test_lesions_that_split_in_a_circle_are_refused():
    first = lesion("T1", *long(10), response.Observation("split", into=("T2",)))
    second = lesion("T2", *long(10), response.Observation("split", into=("T1",)))

    with pytest.raises(response.BrokenReference, match="circle"):
        response.evaluate(course(first, second), RECIST)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (response.Observation("merged", into=("T2",)), response.Observation("merged", into=("T1",))),
        (response.ABSENT, response.Observation("merged", into=("T1",))),
        (PRESENT, response.Observation("merged", into=("N1",))),
    ],
    ids=["into each other", "into what is absent", "into a non-target"],
)
def test_a_target_merges_only_into_a_target_that_is_there(first, second):
    other = lesion("N1", PRESENT, PRESENT, role="non-target")
    targets = [lesion("T1", *long(10), first), lesion("T2", *long(10), second)]

    with pytest.raises(response.BrokenReference):
        response.evaluate(course(*targets, other), RECIST)


def test_a_baseline_alone_has_no_category():
    found = response.evaluate(of_sums(50), RECIST)

    assert [point.category for point in found.points] == ["baseline"]
    assert (found.points[0].value, found.best.category) == (50, "NE")


def test_a_course_without_lesions_is_not_evaluable():
    points = (response.TimePoint("t0", START), response.TimePoint("t1", START.replace(month=2)))

    assert response.evaluate(response.Course(points, ()), RECIST).categories == ("NE",)


def warned(*lesions, slice_mm=None):
    point = response.TimePoint("t0", START, slice_mm=slice_mm)
    return [reason.text for reason in response.evaluate(response.Course((point,), lesions), RECIST).warnings]


def test_too_many_targets_are_warned_of_and_still_counted():
    targets = [lesion(f"T{n}", *long(20), organ=organ) for n, organ in enumerate("aabbcc")]

    assert warned(*targets) == ["6 targets, limit 5: more targets than allowed [RECIST 1.1]"]
    assert response.evaluate(course(*targets), RECIST).points[0].value == 120


def test_all_nodes_are_one_organ():
    nodes = [lesion(f"T{n}", *short(20), organ=organ, is_node=True) for n, organ in enumerate("abc")]

    assert "3 targets in lymph nodes, limit 2" in warned(*nodes)[0]


@pytest.mark.parametrize(
    ("target", "slice_mm", "warns"),
    [
        (lesion("T1", *long(10)), None, False),
        (lesion("T1", *long(9.9)), None, True),
        (lesion("T1", *short(15), is_node=True), None, False),
        (lesion("T1", *short(14.9), is_node=True), None, True),
        (lesion("T1", *long(15)), 5.0, False),
        (lesion("T1", *long(15)), 8.0, True),
        (lesion("T1", *long(16)), 8.0, False),
    ],
)
def test_a_target_too_small_for_the_criterion_is_warned_of(target, slice_mm, warns):
    assert bool(warned(target, slice_mm=slice_mm)) is warns


def test_the_limits_of_selection_are_those_of_the_criterion():
    seven = [lesion(f"T{n}", response.measured(long_axis_mm=20, short_axis_mm=16)) for n in range(7)]

    found = response.evaluate(course(*seven), "lugano-2014-ct").warnings

    assert [reason.compared for reason in found] == ["7 targets, limit 6"]


def test_a_narrow_metastasis_is_warned_of():
    narrow = lesion("T1", response.measured(long_axis_mm=12, short_axis_mm=4), organ="brain")

    (found,) = response.evaluate(course(narrow), "rano-bm").warnings

    assert "short-axis 4 mm, needs at least 5 mm" in found.compared


def test_a_viable_part_too_small_is_warned_of():
    small = lesion("T1", response.measured(long_axis_mm=40, viable_mm=8), organ="liver")

    (found,) = response.evaluate(course(small), "mrecist").warnings

    assert "viable-long-axis 8 mm, needs at least 10 mm" in found.compared


def test_a_new_lesion_that_was_there_at_baseline_is_warned_of():
    assert "seen at baseline already" in warned(lesion("X1", PRESENT, role="new"))[0]


CONFIRM = Options(confirm_response=True)


@pytest.mark.parametrize(
    ("sequence", "options", "best"),
    [
        ("PR SD PD", Options(), "PR"),
        ("PR PR", CONFIRM, "PR"),
        ("PR CR", CONFIRM, "PR"),
        ("PR NE PR", CONFIRM, "PR"),
        ("PR SD", CONFIRM, "SD"),
        ("PR PD PR", CONFIRM, "SD"),
        ("CR CR", CONFIRM, "CR"),
        ("PR CR CR", CONFIRM, "CR"),
        ("CR PR", CONFIRM, "SD"),
        ("SD PD", Options(minimum_stable_days=57), "PD"),
        ("SD NE", Options(minimum_stable_days=57), "NE"),
        ("SD PD", Options(minimum_stable_days=56), "SD"),
        ("PD CR", Options(), "PD"),
        ("non-CR/non-PD", Options(), "non-CR/non-PD"),
    ],
)
def test_best_response(sequence, options, best):
    dated = [(56 * number, category) for number, category in enumerate(sequence.split(), start=1)]

    assert response.best_response(dated, RECIST, options).category == best


def test_a_response_seen_again_too_early_is_not_confirmed():
    assert response.best_response([(56, "PR"), (83, "PR")], RECIST, CONFIRM).category == "SD"
    found = response.best_response([(56, "PR"), (84, "PR")], RECIST, CONFIRM)
    assert found.category == "PR"


def test_the_same_course_is_evaluated_by_every_criterion_in_one_call_each():
    every = response.measured(
        long_axis_mm=30, short_axis_mm=20, viable_mm=25, volume_mm3=9000, sul_peak=8, density_hu=80
    )
    measured = course(lesion("T1", every, every, organ="liver"))

    found = {name: response.evaluate(measured, name).categories for name in response.criteria()}

    assert found.pop("percist-1.0") == found.pop("lugano-2014-pet") == ("NE",)
    assert set(found.values()) == {("SD",), ("iSD",)}
