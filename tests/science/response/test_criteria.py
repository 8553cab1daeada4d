"""The criteria as data: complete, strict, and honest about what was checked."""

from importlib import resources

import pytest

from sightline.kernel.errors import NotFound
from sightline.science import response
from tests.science.response.courses import last, of_sums

NAMES = response.criteria()


def text(name):
    return resources.files(response).joinpath("_data", f"{name}.toml").read_text(encoding="utf-8")


def test_these_criteria_come_with_the_package():
    assert set(NAMES) == {
        "choi",
        "choi-modified",
        "irecist",
        "lugano-2014-ct",
        "lugano-2014-pet",
        "mrecist",
        "percist-1.0",
        "rano-2.0-2d",
        "rano-2.0-3d",
        "rano-bm",
        "recist-1.1",
        "volumetric-beaumont",
        "volumetric-spheres",
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_criterion_says_its_version_and_where_it_stands(name):
    criterion = response.load_criterion(name)

    assert criterion.name == name
    assert criterion.version
    assert criterion.citation
    assert all(rule.source for rule in criterion.rules.values())


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("recist-1.1", {"merge", "confirmation", "minimum-stable"}),
        ("irecist", {"merge", "confirmation", "minimum-stable", "icpd-other"}),
    ],
)
def test_what_was_not_checked_is_marked(name, rules):
    assert set(response.load_criterion(name).unconfirmed) == rules


@pytest.mark.parametrize(
    "name", ["mrecist", "percist-1.0", "rano-2.0-2d", "rano-2.0-3d", "choi", "choi-modified"]
)
def test_criteria_that_were_not_read_are_unconfirmed_throughout(name):
    criterion = response.load_criterion(name)

    assert set(criterion.unconfirmed) == set(criterion.rules)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('family = "sum"', 'family = "sum"\nsurprise = 1'),
        ('family = "sum"', 'family = "sums"'),
        ("partial_percent = 30", 'partial_percent = "a third"'),
        ('combination = "recist"', 'combination = "who"'),
        ("[limits]", "[boundaries]"),
        ("partial = { source", "particle = { source"),
        ('order = ["CR", ', "order = ["),
        ("[measure]", "[measure"),
    ],
    ids=["unknown key", "family", "no number", "table", "section", "rule", "order", "no TOML"],
)
def test_a_description_that_is_not_complete_is_refused(old, new):
    described = text("recist-1.1")
    assert old in described

    with pytest.raises(response.InvalidCriterion, match="cannot be read"):
        response.parse_criterion(described.replace(old, new, 1))


def test_a_trial_may_bring_its_own_version():
    own = text("recist-1.1").replace("progression_percent = 20", "progression_percent = 25")

    assert last(of_sums(100, 124), response.parse_criterion(own)).category == "SD"
    assert last(of_sums(100, 124), "recist-1.1").category == "PD"


def test_an_unknown_criterion_is_not_found():
    with pytest.raises(NotFound, match=r"recist-1\.1"):
        response.load_criterion("recist-2.0")
