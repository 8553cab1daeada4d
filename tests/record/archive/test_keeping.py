"""Labels, legal hold, retention, quotas, and what is stored."""

from datetime import timedelta

import pytest

from sightline.kernel import clock
from sightline.record import archive
from sightline.record.archive import _keeping
from sightline.trust import access

ARCHIVIST = access.operator("archivist")


def retain(store, *rules):
    with store.database.transaction() as db:
        archive.replace_rules(db, coercions=(), retentions=rules, by=ARCHIVIST)


def held(store):
    with store.database.reading() as db:
        return [s.uid for s in archive.find_studies(db, archive.StudyQuery())]


def label(store, text, study="1.2.3", act=archive.label_study):
    with store.database.transaction() as db:
        act(db, study, text, by=ARCHIVIST)


def test_labels_are_put_listed_and_taken_off(store, take, make_slice):
    take(make_slice(1), make_slice(1, study="1.2.4", series="1.2.4.1"))
    label(store, "teaching ")
    label(store, "teaching")

    def listed(text):
        with store.database.reading() as db:
            found = archive.list_studies(db, archive.Listing(label=text), by=ARCHIVIST)
        return [(item.study.uid, item.labels) for item in found]

    assert listed("teaching") == [("1.2.3", ("teaching",))]
    label(store, "teaching", act=archive.unlabel_study)
    assert listed("teaching") == []


@pytest.mark.parametrize("text", ["", "x" * 65, "a\x00b"])
def test_a_label_is_a_short_text(store, take, make_slice, text):
    take(make_slice(1))
    with pytest.raises(Exception, match="printable"):
        label(store, text)


def test_a_hold_is_shown_with_its_reason(store, take, make_slice):
    take(make_slice(1))
    with store.database.transaction() as db:
        archive.hold_study(db, "1.2.3", reason="case 7", by=ARCHIVIST)

    with store.database.reading() as db:
        assert archive.hold_of(db, "1.2.3").reason == "case 7"
        found = archive.list_studies(db, archive.Listing(state="held"), by=ARCHIVIST)
        assert [item.on_hold for item in found] == [True]


def test_a_retention_rule_trashes_what_is_kept_no_longer(store, take, make_slice):
    take(make_slice(1), make_slice(1, study="1.2.4", series="1.2.4.1", Modality="MR"))
    retain(store, {"name": "ct", "modality": "CT", "keep_days": 10, "action": "trash"})

    assert archive.apply_retention(store, clock.now() + timedelta(days=9), by=access.SYSTEM) == 0
    assert archive.apply_retention(store, clock.now() + timedelta(days=11), by=access.SYSTEM) == 1

    assert held(store) == ["1.2.4"]


def test_the_first_rule_that_is_about_a_study_counts(store, take, make_slice):
    take(make_slice(1))
    label(store, "teaching")
    retain(
        store,
        {"name": "teaching", "label": "teaching", "keep_days": 9999, "action": "trash"},
        {"name": "rest", "keep_days": 1, "action": "trash"},
    )

    assert archive.apply_retention(store, clock.now() + timedelta(days=9), by=access.SYSTEM) == 0


def test_a_rule_that_proposes_only_lists(store, take, make_slice):
    take(make_slice(1))
    retain(store, {"name": "old", "basis": "study-date", "keep_days": 30})

    with store.database.reading() as db:
        expired = archive.find_expired(db, clock.now())
        kept = archive.retention_of(db, "1.2.3", modalities=("CT",), received=clock.now(), date="20240131")
    assert [(uid, rule.name) for uid, rule in expired] == [("1.2.3", "old")]
    assert kept.until.date().isoformat() == "2024-03-01"
    assert archive.apply_retention(store, clock.now(), by=access.SYSTEM) == 0


def test_legal_hold_beats_retention(store, take, make_slice):
    take(make_slice(1))
    retain(store, {"name": "all", "keep_days": 1, "action": "trash"})
    with store.database.transaction() as db:
        archive.hold_study(db, "1.2.3", reason="", by=ARCHIVIST)

    assert archive.apply_retention(store, clock.now() + timedelta(days=9), by=access.SYSTEM) == 0
    assert held(store) == ["1.2.3"]


def test_a_full_quota_refuses_before_anything_is_stored(store, source, make_slice):
    small = archive.Store(
        store.database, store.blobs, archive.ArchiveSettings(quota_gib=3.5 * len(make_slice(1)) / (1 << 30))
    )
    _keeping.forget_usage()
    outcomes = [archive.take_in_one(small, archive.Incoming("x", make_slice(n)), source) for n in range(1, 5)]

    assert [o.status for o in outcomes] == ["stored"] * 3 + ["refused"]
    assert (outcomes[3].code, "QUOTA" in outcomes[3].reason) == ("quota", True)
    assert len(list(store.blobs.list("instances/"))) == 3
    _keeping.forget_usage()


def test_storage_is_counted_by_modality_and_month(store, take, make_slice):
    take(make_slice(1), make_slice(2), make_slice(1, study="1.2.4", series="1.2.4.1", Modality="MR"))
    with store.database.transaction() as db:
        archive.trash_study(db, "1.2.4", reason="", by=ARCHIVIST, trash_days=1)

    found = archive.storage_of(store, by=ARCHIVIST)

    size = len(make_slice(1)) + len(make_slice(2))
    assert (found["studies"], found["series"], found["instances"], found["bytes"]) == (1, 1, 2, size)
    assert found["by_modality"] == [{"modality": "CT", "studies": 1, "instances": 2, "bytes": size}]
    assert found["by_month"] == [{"month": f"{clock.now():%Y-%m}", "instances": 2, "bytes": size}]
    assert found["trash"]["studies"] == 1
    assert found["quota"]["used"] == size + found["trash"]["bytes"]
    assert found["disk"]["free"] > 0
