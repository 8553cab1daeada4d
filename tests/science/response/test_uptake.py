"""PERCIST 1.0."""

import pytest

from sightline.science import response
from sightline.science.response import ABSENT, PRESENT
from tests.science.response.courses import START, lesion

PERCIST = "percist-1.0"
COLD = response.ReferenceTissue(liver_mean=1.0, liver_sd=0.1)


def scans(*lesions, references=(COLD, COLD)):
    points = tuple(
        response.TimePoint(f"t{n}", START.replace(month=2 * n + 1), reference=reference)
        for n, reference in enumerate(references)
    )
    return response.evaluate(response.Course(points, lesions), PERCIST).points[-1]


def sul(*values, **more):
    return [response.measured(sul_peak=value, **more) for value in values]


@pytest.mark.parametrize(
    ("before", "after", "category"),
    [
        (8.0, 5.6, "PMR"),
        (2.6, 1.8, "PMR"),
        (2.4, 1.65, "SMD"),
        (6.0, 7.8, "PMD"),
        (2.0, 2.7, "SMD"),
    ],
)
def test_vectors(before, after, category):
    assert scans(lesion("T1", *sul(before, after))).category == category


def test_a_new_lesion_is_progression_whatever_the_others_do():
    assert scans(lesion("T1", *sul(8, 2)), lesion("X1", None, PRESENT, role="new")).category == "PMD"


@pytest.mark.parametrize(("peak", "category"), [(3.5, "NE"), (3.6, "SMD")])
def test_a_lesion_must_exceed_the_liver_to_be_measurable(peak, category):
    """Liver 2.0 with SD 0.3: 1.5 x 2.0 + 2 x 0.3 = 3.6."""
    liver = response.ReferenceTissue(liver_mean=2.0, liver_sd=0.3)

    found = scans(lesion("T1", *sul(peak, peak)), references=(liver, liver))

    assert found.category == category
    assert ("least 3.6" in found.reasons[0].text) is (category == "NE")


def test_a_diseased_liver_is_replaced_by_the_aorta():
    aorta = response.ReferenceTissue(aorta_mean=1.0, aorta_sd=0.2, liver_is_diseased=True)

    assert scans(lesion("T1", *sul(2.3, 1.0)), references=(aorta, aorta)).category == "NE"
    assert scans(lesion("T1", *sul(2.4, 1.0)), references=(aorta, aorta)).category == "PMR"


@pytest.mark.parametrize(
    ("liver", "category"),
    [(1.19, "PMR"), (1.2, "NE"), (None, "NE")],
    ids=["comparable", "20 % apart", "not measured"],
)
def test_scans_are_comparable_only_when_the_livers_are_alike(liver, category):
    other = response.ReferenceTissue(liver_mean=liver, liver_sd=0.1) if liver else None

    assert scans(lesion("T1", *sul(8, 4)), references=(COLD, other)).category == category


def test_livers_of_high_uptake_must_not_differ_by_0_3():
    first = response.ReferenceTissue(liver_mean=2.0, liver_sd=0.1)
    second = response.ReferenceTissue(liver_mean=2.3, liver_sd=0.1)

    assert scans(lesion("T1", *sul(8, 4)), references=(first, second)).category == "NE"


def test_the_hottest_lesion_may_be_another_one():
    found = scans(lesion("T1", *sul(8, 2)), lesion("T2", *sul(5, 5)))

    assert (found.category, found.value) == ("PMR", 5)
    assert "T2" in found.reasons[0].text


def test_a_lesion_that_split_is_as_hot_as_its_hottest_part():
    whole = lesion("T1", *sul(8), response.Observation("split", into=("a", "b")))
    parts = [lesion("a", None, *sul(5)), lesion("b", None, *sul(3))]

    found = scans(whole, *parts)

    assert (found.category, found.value) == ("PMR", 5)


def test_every_lesion_at_background_is_a_complete_response():
    assert scans(lesion("T1", *sul(8), ABSENT)).category == "CMR"


def test_without_sul_peak_nothing_is_told():
    found = scans(lesion("T1", *sul(8), response.measured(long_axis_mm=10)))

    assert found.category == "NE"
    assert "no SULpeak" in found.reasons[0].text


def test_a_lesion_without_sul_peak_does_not_hide_progression():
    assert scans(lesion("T1", *sul(6, 7.8)), lesion("T2", *sul(5), PRESENT)).category == "PMD"
    assert scans(lesion("T1", *sul(6, 4)), lesion("T2", *sul(5), PRESENT)).category == "NE"


@pytest.mark.parametrize(("tlg_g", "peak", "category"), [(175, 6, "PMD"), (174, 6, "SMD"), (175, 5, "SMD")])
def test_glycolysis_that_rises_by_three_quarters_is_progression(tlg_g, peak, category):
    target = lesion("T1", *sul(6, tlg_g=100), *sul(peak, tlg_g=tlg_g))

    assert scans(target).category == category
