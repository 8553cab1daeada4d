"""A working copy survives, belongs to one person, and no window overwrites another's."""

import pytest

from sightline.record import annotations
from sightline.record.annotations import Content, Measurement
from sightline.trust import audit

STUDY = "1.2.3"
DRAWN = Content([Measurement("2.25.1", "arrow", "1.2.3.1", "1.2.3.1.1", points_px=[(1.0, 2.0), (3.0, 4.0)])])


@pytest.fixture(autouse=True)
def study(receive, reads):
    return receive(STUDY)


def keep(store, person, version, content=DRAWN):
    with store.database.transaction() as db:
        return annotations.keep_draft(db, STUDY, version, content, by=person)


def test_a_working_copy_is_kept_for_its_owner_alone(store, radiologist, colleague):
    keep(store, radiologist, 0)
    _, own = annotations.open_annotations(store, STUDY, by=radiologist)
    _, others = annotations.open_annotations(store, STUDY, by=colleague)

    assert own.version == 1
    assert own.content["measurements"][0]["points_px"] == [[1.0, 2.0], [3.0, 4.0]]
    assert others is None


def test_a_second_window_does_not_overwrite_the_first(store, radiologist):
    keep(store, radiologist, 0)
    keep(store, radiologist, 1)

    for stale in (0, 1):
        with pytest.raises(annotations.DraftChangedMeanwhile, match="load it") as refused:
            keep(store, radiologist, stale, Content())
        assert refused.value.facts == {"version": "2"}
    assert keep(store, radiologist, 2).version == 3


def test_a_discarded_working_copy_is_gone(store, radiologist):
    keep(store, radiologist, 0)
    with store.database.transaction() as db:
        annotations.discard_draft(db, STUDY, by=radiologist)
        with pytest.raises(annotations.NoDraft):
            annotations.discard_draft(db, STUDY, by=radiologist)

    assert annotations.open_annotations(store, STUDY, by=radiologist)[1] is None


def test_the_trail_tells_when_a_working_copy_began_and_ended(store, radiologist):
    keep(store, radiologist, 0)
    keep(store, radiologist, 1)
    with store.database.transaction() as db:
        annotations.discard_draft(db, STUDY, by=radiologist)
        acts = [entry.act for entry in audit.trail(db, on=STUDY)]

    assert [act for act in acts if act.startswith("annotation.")] in (
        ["annotation.draft", "annotation.discard"],
        ["annotation.discard", "annotation.draft"],
    )


def test_a_working_copy_beyond_measure_is_refused(store, radiologist):
    points = [(0.123456789 + n, 1.0) for n in range(2000)]
    many = [
        Measurement(f"2.25.{n}", "freehand", "1.2.3.1", "1.2.3.1.1", points_px=points) for n in range(1, 200)
    ]

    with pytest.raises(annotations.UnusableAnnotation, match="4 MiB"):
        keep(store, radiologist, 0, Content(many))


# --- Over HTTP --------------------------------------------------------------------------------------------

LENGTH = {
    "uid": "2.25.5", "kind": "length", "series_uid": "1.2.3.1", "sop_uid": "1.2.3.1.2", "frame": 1,
    "label": "node", "points_px": [[2, 3], [5, 7]],
    "values": [{"name": "length", "value": 10.0, "unit": "mm"}],
}  # fmt: skip


def test_drawing_keeping_and_saving_over_http(log_in):
    doctor = log_in("radiologist")
    address = f"/api/studies/{STUDY}/annotations"
    kept = doctor.put(f"{address}/draft", json={"version": 0, "measurements": [LENGTH]})
    stale = doctor.put(f"{address}/draft", json={"version": 0, "measurements": []})
    loaded = doctor.get(address).json()
    saved = doctor.post(f"{address}/saving", json={"version": loaded["version"], "measurements": [LENGTH]})
    after = doctor.get(address).json()

    assert (kept.status_code, kept.json()["version"]) == (200, 1)
    assert (stale.status_code, stale.json()["code"]) == (409, "draft-changed-meanwhile")
    assert loaded["draft"]["measurements"][0]["label"] == "node"
    assert saved.status_code == 200, saved.text
    assert saved.json()["measurements"][0]["values"][0]["value"] == pytest.approx(10)
    assert len(saved.json()["findings"]) == 1
    assert after["draft"] is None
    assert after["measurements"][0]["points_lps_mm"] == [[3.0, 5.0, 10.0], [9.0, 13.0, 10.0]]
    assert after["version"] != loaded["version"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"points_px": [[2, 3]]}, "unusable-annotation"),
        ({"points_px": [[2, 3], [1e9, 7]]}, "unusable-annotation"),
        ({"uid": "not a uid"}, "unusable-annotation"),
        ({"kind": "circle"}, "invalid-request"),
        ({"sop_uid": "1.2.3.1.99"}, "image-not-in-study"),
        ({"frame": 2}, "unusable-annotation"),
        ({"values": [{"name": "length", "value": 12.0, "unit": "mm"}]}, "measured-otherwise"),
    ],
)
def test_what_cannot_be_right_is_refused_in_words(log_in, change, code):
    answer = log_in("radiologist").post(
        f"/api/studies/{STUDY}/annotations/saving", json={"measurements": [LENGTH | change]}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_who_may_only_read_sees_but_does_not_draw(log_in):
    referrer = log_in("referrer")
    address = f"/api/studies/{STUDY}/annotations"

    assert referrer.get(address).status_code == 200
    assert referrer.put(f"{address}/draft", json={"version": 0}).status_code == 403
    assert referrer.delete(f"{address}/draft").status_code == 403
    assert referrer.post(f"{address}/saving", json={}).status_code == 403
    assert referrer.post(f"{address}/segmentations", content=b"").status_code == 403
    assert log_in().get(address).status_code == 401
