"""Which prior matters, and why."""
# ruff: noqa: DTZ001, DTZ901  DICOM gives local time without an offset

from dataclasses import replace
from datetime import datetime

import pytest

from sightline.record import timeline
from sightline.record.timeline import Candidate, describe, rank_priors, regions_of, side_of, study_moment
from tests.record.timeline.histories import judge, read_histories

NOW = datetime(2026, 5, 3, 9, 41)


def study(uid="1", at=NOW, modality="CT", regions="chest", images=100) -> Candidate:
    return Candidate(uid, at, modality, frozenset(regions.split()), images, "an exam")


def before(uid, days, **facts) -> Candidate:
    return study(uid, datetime.fromordinal(NOW.toordinal() - days), **facts)


@pytest.mark.parametrize(
    ("earlier", "why"),
    [
        ({}, "same region · same modality · 30 days earlier"),
        ({"modality": "CR"}, "same region · 30 days earlier"),
        ({"regions": "abdomen"}, "neighbouring region · same modality · 30 days earlier"),
        ({"regions": "chest abdomen"}, "same region · same modality · 30 days earlier"),
        ({"regions": ""}, "region not stated · same modality · 30 days earlier"),
        ({"regions": "body", "modality": "PT"}, "same region · 30 days earlier"),
    ],
)
def test_a_prior_says_why_it_bears_on_the_study(earlier, why):
    [prior] = rank_priors(study(), [before("p", 30, **earlier)])

    assert (prior.study_uid, prior.why, prior.days) == ("p", why, 30)


@pytest.mark.parametrize(
    "earlier",
    [
        {"regions": "head"},  # another region
        {"regions": "extremity", "modality": "CR"},
        {"regions": "abdomen", "modality": "US"},  # a neighbour, but seen by other means
        {"regions": "", "modality": "US"},
    ],
)
def test_what_shows_something_else_is_left_out(earlier):
    assert rank_priors(study(), [before("p", 30, **earlier)]) == ()


def test_the_most_relevant_comes_first_and_the_nearer_of_two_alike():
    earlier = [
        before("neighbour", 10, regions="abdomen"),
        before("old", 730),
        before("near", 180),
        before("other-modality", 5, modality="CR"),
    ]

    ranked = rank_priors(study(), earlier)

    assert [prior.study_uid for prior in ranked] == ["near", "old", "other-modality", "neighbour"]


def test_the_same_region_long_ago_still_beats_a_neighbour_of_yesterday():
    ranked = rank_priors(study(), [before("yesterday", 1, regions="abdomen"), before("long", 5 * 365)])

    assert [prior.study_uid for prior in ranked] == ["long", "yesterday"]
    assert ranked[1].why.endswith("1 day earlier")


def test_a_topogram_counts_less_than_a_whole_scan():
    ranked = rank_priors(study(), [before("scout", 10, images=2), before("whole", 40)])

    assert [prior.study_uid for prior in ranked] == ["whole", "scout"]


def test_a_prior_is_never_later_and_never_of_the_same_moment():
    later = study("later", datetime(2026, 5, 4))
    same = study("same", NOW)
    morning = study("morning", datetime(2026, 5, 3, 8, 0))

    ranked = rank_priors(study(), [later, same, morning])

    assert [(prior.study_uid, prior.why) for prior in ranked] == [
        ("morning", "same region · same modality · same day")
    ]


def test_the_order_does_not_depend_on_the_order_of_asking():
    earlier = [before(uid, 30) for uid in ("b", "a", "c")]

    assert rank_priors(study(), earlier) == rank_priors(study(), earlier[::-1])


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("CT CHEST/ABDOMEN W CONTRAST", {"chest", "abdomen"}),
        ("CHESTABDPELVIS", {"chest", "abdomen", "pelvis"}),
        ("LSPINE", {"lumbar-spine"}),
        ("HEADNECK", {"head", "neck"}),
        ("ct_thorax_low_dose", {"chest"}),
        ("Kidneys and bladder", {"abdomen", "pelvis"}),
        ("CT CAP", {"chest", "abdomen", "pelvis"}),
        ("Capsule follow-through", set()),
        ("MR hippocampus", set()),
        ("Hips AP", {"hip"}),
        ("", set()),
    ],
)
def test_regions_are_read_from_codes_and_free_descriptions(text, regions):
    assert regions_of(text) == regions


@pytest.mark.parametrize(
    ("date", "time", "moment"),
    [
        ("20260503", "094100", datetime(2026, 5, 3, 9, 41)),
        ("20260503", "0941", datetime(2026, 5, 3, 9, 41)),
        ("20260503", "094100.123456", datetime(2026, 5, 3, 9, 41)),
        ("20260503", "", datetime(2026, 5, 3)),
        ("20260503", "0.5", datetime(2026, 5, 3)),
        ("20260503", "256099", datetime(2026, 5, 3)),  # an unusable time does not cost the date
        ("20260503", "235960", datetime(2026, 5, 3, 23, 59, 59)),  # a leap second
        ("20260503", "noon", datetime(2026, 5, 3)),
        ("", "0941", datetime.min),
        ("20261303", "0941", datetime.min),
    ],
)
def test_date_and_time_become_one_moment(date, time, moment):
    assert study_moment(date, time) == moment


def test_a_study_without_a_date_is_no_prior_and_has_none():
    undated = study("undated", datetime.min)

    assert rank_priors(study(), [undated]) == ()
    assert rank_priors(undated, [before("p", 30)]) == ()


def test_of_one_day_neither_is_the_prior_where_one_states_no_time():
    morning = study("morning", datetime(2026, 5, 3, 8, 0))
    untimed = replace(study("untimed", datetime(2026, 5, 3)), timed=False)
    week = study("week", datetime(2026, 4, 26))

    assert rank_priors(morning, [untimed]) == ()
    assert rank_priors(untimed, [morning]) == ()
    assert [p.study_uid for p in rank_priors(untimed, [week])] == ["week"]
    assert [p.study_uid for p in rank_priors(morning, [replace(week, timed=False)])] == ["week"]


@pytest.mark.parametrize(
    ("time", "stated"), [("000000", True), ("0941", True), ("", False), ("256099", False)]
)
def test_a_time_that_cannot_be_read_is_not_stated(time, stated):
    assert timeline.states_time(time) is stated


def test_the_face_names_the_modalities_that_were_derived():
    assert {"SR", "SEG", "DOC"} <= timeline.DERIVED_MODALITIES


def test_the_ranking_agrees_with_what_was_stated_of_made_up_histories():
    verdict = judge(read_histories())

    assert verdict.first >= 0.9
    assert verdict.three >= 0.95
    assert verdict.noise == 0


@pytest.mark.parametrize(
    ("exam", "first"), [("KNEE LT 2V", "left"), ("KNEE RT 2V", "right"), ("KNEE 2V", "near")]
)
def test_the_other_knee_comes_last_and_is_named_so(exam, first):
    def knee(uid, days, words):
        at = datetime.fromordinal(NOW.toordinal() - days)
        return Candidate(uid, at, "CR", frozenset({"knee"}), 2, words, side_of(words))

    earlier = [knee("left", 90, "KNEE LT 2V"), knee("right", 80, "KNEE RT 2V"), knee("near", 70, "KNEE 2V")]

    ranked = rank_priors(knee("now", 0, exam), earlier)

    assert ranked[0].study_uid == first
    if first != "near":
        assert "other side" in ranked[-1].why


def test_the_same_reason_of_the_order_counts_and_is_told():
    def exam(uid, day, reason):
        return describe(uid, datetime(2026, 5, day), "CT", "CT abdomen", 300, "ABDOMEN", reason)

    now = exam("now", 20, "Acute pancreatitis, collections?")

    first, second = rank_priors(now, [exam("stone", 18, "Renal colic"), exam("same", 4, "Pankreatitis")])

    assert first.study_uid == "same"
    assert "same reason" in first.why
    assert "same reason" not in second.why


def test_what_readers_chose_beside_such_studies_counts_more_the_oftener_it_was():
    now = describe("now", datetime(2026, 5, 20), "MR", "MR knee left", 100)
    radiograph = describe("cr", datetime(2026, 5, 10), "CR", "knee left 2 views", 2)

    def ranked(*choices):
        return rank_priors(now, [radiograph], timeline.Choices(*choices))[0]

    never, once, often = ranked(), ranked(1, {"CR knee": 1}), ranked(8, {"CR knee": 7})
    assert never.score < once.score < often.score < never.score + 1.5
    assert "readers chose such a one in 7 of 8" in often.why
    assert "readers" not in once.why
    assert "a reader chose it before" in ranked(0, {}, frozenset({"cr"})).why
