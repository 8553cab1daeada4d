"""Regions that a CT shows are read from its images, and stand in where codes are missing or wrong."""
# ruff: noqa: DTZ001  DICOM gives local time without an offset

from dataclasses import replace
from datetime import datetime

import pytest

from sightline.record import archive, timeline
from sightline.science.ct import Span
from sightline.trust import access, audit

CRLM = "ct/crlm-ct-1004-abdomen/image"


def seen(low=0.0, high=200.0, *regions, frame="1.9"):
    spans = tuple(Span(region, low, high) for region in regions)
    return timeline.Seen("1", "1.1", frame, low, high, spans)


def exam(uid="1", day=20, description="", part="", **facts):
    return replace(timeline.describe(uid, datetime(2026, 5, day), "CT", description, 100, part), **facts)


def test_a_real_scan_without_body_part_is_known_by_what_it_shows(store, db, test_data):
    source = archive.Source("import", "test", access.operator("tester"))
    paths = sorted((test_data / CRLM).glob("*.dcm"))
    outcomes = archive.take_in(store, [archive.Incoming(p.name, p) for p in paths], source)
    study = outcomes[0].study_uid

    found = timeline.see_study(store, study)

    assert [span.region for span in found.spans] == ["chest", "abdomen"]
    assert (found.low_mm, found.high_mm) == (-375.0, -175.0)
    (candidate,) = timeline.candidates_of(db, [archive.get_study(db, study)])
    assert candidate.seen == found
    assert candidate.by_images is False  # its description names chest, abdomen and pelvis
    assert audit.trail(db, on=study)[0].act == "study.regions"


def test_a_study_without_ct_volume_is_not_looked_at(store, receive, db):
    receive("1.1", slices=12, Modality="MR")
    receive("1.2", slices=3)
    receive("1.3", slices=12, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])

    assert [timeline.see_study(store, uid) for uid in ("1.1", "1.2", "1.3", "9.9")] == [None] * 4


@pytest.mark.parametrize(
    ("description", "part", "shown", "regions"),
    [
        ("", "", ["abdomen"], {"abdomen"}),
        ("Portal venous", "CHEST", ["abdomen", "pelvis"], {"abdomen", "pelvis"}),
        ("CT chest", "CHEST", ["chest", "abdomen"], {"chest"}),
        ("CT lumbar spine", "LSPINE", ["abdomen"], {"lumbar-spine"}),
        ("CT chest", "CHEST", [], {"chest"}),
    ],
)
def test_images_count_where_nothing_is_stated_or_where_they_show_none_of_it(
    description, part, shown, regions
):
    found = timeline.with_seen(exam(description=description, part=part), seen(0, 200, *shown))

    assert found.regions == regions
    assert found.by_images is (set(shown) == set(regions))


def test_the_reason_says_that_the_region_is_from_the_images():
    now = exam("now", 20, part="ABDOMEN")
    mislabelled = exam("old", 1, "Portal venous", "CHEST")

    plain = timeline.rank_priors(now, [mislabelled])[0]
    looked_at = timeline.rank_priors(now, [timeline.with_seen(mislabelled, seen(0, 200, "abdomen"))])[0]

    assert plain.why.startswith("neighbouring region")
    assert looked_at.why.startswith("same region, as the images show")
    assert looked_at.score > plain.score


def test_in_one_frame_of_reference_the_height_that_is_shown_counts_in_mm():
    now = exam("now", 20, "CT abdomen", seen=seen(0, 200, "abdomen"))
    half = exam("half", 10, "CT abdomen", seen=seen(100, 300, "abdomen"))
    above = exam("above", 10, "CT abdomen", seen=seen(300, 400, "abdomen"))
    elsewhere = exam("elsewhere", 10, "CT abdomen", seen=seen(100, 300, "abdomen", frame="1.8"))

    ranked = timeline.rank_priors(now, [above, elsewhere, half])

    assert [prior.study_uid for prior in ranked] == ["half", "elsewhere", "above"]
    assert "shows 100 of 200 mm" in ranked[0].why
    assert "mm" not in ranked[1].why
    assert "another level" in ranked[2].why
