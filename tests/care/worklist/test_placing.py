"""Where a study stands on the list, and why: the rule alone."""

from typing import Any

import pytest

from sightline.care.worklist import Urgency, place_study
from sightline.record import timeline


def lesion(kind: str, text: str = "", doubling_days: float | None = None, **facts: Any) -> timeline.Change:
    base: dict[str, Any] = dict.fromkeys(("percent", "low", "high", "doubling_low", "doubling_high"), None)
    return timeline.Change(
        current="f", prior="p", kind=kind, text=text or kind, reason="", doubling_days=doubling_days,
        **(base | facts),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("doubling_days", "urgency"),
    [(120.0, "critical"), (399.0, "critical"), (400.0, "soon"), (900.0, "soon"), (None, "soon")],
)
def test_growth_is_critical_only_where_it_is_fast(doubling_days, urgency):
    place = place_study([lesion("grown", "grew", doubling_days)], None, "done", compared=True)

    assert (place.urgency, place.reason) == (urgency, "grew")


def test_a_new_lesion_is_wanted_soon():
    place = place_study([lesion("new", "new nodule of 6 mm")], None, "done", compared=True)

    assert (place.urgency, place.reason) == (Urgency.SOON, "new nodule of 6 mm")


@pytest.mark.parametrize(
    ("largest_mm", "compared", "has_prior", "urgency", "reason"),
    [
        (12.4, False, False, "soon", "finding of 12 mm without a prior"),
        (12.4, False, True, "soon", "finding of 12 mm, not compared with its prior"),
        (12.4, True, True, "soon", "finding of 12 mm whose change cannot be told"),
        (8.0, False, False, "routine", "finding without a prior"),
        (5.0, False, True, "routine", "finding, not compared with its prior"),
        (5.0, True, True, "routine", "finding whose change cannot be told"),
        (None, False, True, "routine", "analysis is running"),
        (None, True, True, "routine", "no findings now or before"),
    ],
)
def test_a_large_finding_of_unknown_change_is_wanted_soon(largest_mm, compared, has_prior, urgency, reason):
    place = place_study([], largest_mm, "analysis is running", compared=compared, has_prior=has_prior)

    assert (place.urgency, place.reason) == (urgency, reason)


def test_the_strongest_reason_comes_first_and_two_make_the_line():
    changes = [
        lesion("new", "new one"),
        lesion("stable"),
        lesion("grown", "slow one", 900.0),
        lesion("grown", "fast one", 90.0),
    ]

    place = place_study(changes, None, "done", compared=True)

    assert place.urgency is Urgency.CRITICAL
    assert place.reason == "fast one · new one"
    assert place.reasons == (("fast one", "critical"), ("new one", "soon"), ("slow one", "soon"))


def test_what_is_calm_is_counted():
    changes = [lesion(kind) for kind in ("stable", "vanished", "stable", "cannot-tell", "shrunk")]

    place = place_study(changes, None, "done", compared=True)

    assert place.urgency is Urgency.ROUTINE
    assert place.reason == "2 stable, 1 smaller, 1 gone, 1 cannot be told"
    assert place.reasons == ((place.reason, None),)
