"""Which series of a study goes to which model."""

import pytest

from sightline.intelligence.routing import AnalysisState, Rule, match_rules
from sightline.intelligence.routing._model import Series

CHEST = Series("1.1", "CT", 120, derived=False)


def chosen(*series: Series) -> list[str]:
    return [match.uid for _, match in match_rules(series)]


@pytest.mark.parametrize(
    ("series", "uids"),
    [
        ([], []),
        ([CHEST], ["1.1"]),
        ([Series("1.2", "CT", 19, derived=False)], []),  # a topogram, or a few slices
        ([Series("1.2", "CT", 20, derived=False)], ["1.2"]),
        ([Series("1.2", "MR", 120, derived=False)], []),
        ([CHEST, Series("1.2", "CT", 300, derived=False)], ["1.2"]),  # the thinner slices
        ([CHEST, Series("1.2", "CT", 300, derived=True)], ["1.1"]),  # a reformation is no original
        ([Series("1.2", "CT", 300, derived=True)], ["1.2"]),  # better than nothing
        ([Series("1.3", "CT", 120, derived=False), CHEST], ["1.1"]),  # the same each time
    ],
)
def test_the_best_series_of_a_study_is_chosen(series, uids):
    assert chosen(*series) == uids
    assert chosen(*series[::-1]) == uids


def test_each_rule_that_applies_starts_its_own_model():
    rules = (Rule("a", "model-a", "CT", 20), Rule("b", "model-b", "CT", 100), Rule("c", "model-c", "MR", 1))

    assert [rule.model for rule, _ in match_rules([CHEST], rules)] == ["model-a", "model-b"]


@pytest.mark.parametrize("state", list(AnalysisState))
def test_an_analysis_ends_with_a_result_a_refusal_or_a_failure(state):
    assert state.ended is (state in {"done", "refused", "failed"})
