"""What searching stands on follows what is held: intake, corrections, deletion, settings."""

import pytest
from pydicom import Dataset
from sqlalchemy import delete, func, insert, select, text, update

from sightline.record import archive
from sightline.record.archive import Query, Range, Single, Wildcard, _store
from sightline.record.archive._store.attributes import (
    attribute_values,
    study_classes,
    study_counts,
    study_terms,
    term_words,
    word_parts,
)
from sightline.trust import access


def found(store, level="study", *, include=frozenset(), fuzzy=False, **keys):
    query = Query(level, {tag[1:].replace("_", "."): match for tag, match in keys.items()}, fuzzy=fuzzy)
    with store.database.reading() as db:
        assert archive.count(db, query) == len(archive.search(db, query, limit=100))
        return list(archive.search(db, query, limit=100, include=include).items)


def names(items):
    return [item["00100010"]["Value"][0]["Alphabetic"] for item in items]


def request(step, procedure):
    item = Dataset()
    item.ScheduledProcedureStepID, item.RequestedProcedureID = step, procedure
    return item


def with_setting(store, **values):
    return archive.Store(store.database, store.blobs, archive.ArchiveSettings(**values))


@pytest.fixture
def two_studies(take, make_slice):
    take(
        make_slice(1),
        make_slice(2),
        make_slice(
            1, study="1.2.4", series="1.2.4.1", PatientName="Meier^Hans", PatientID="12", StudyDate="20230301"
        ),
    )


def test_a_study_is_told_with_all_that_must_be_returned(store, two_studies):
    (told,) = found(store, _00100010=Single("MULLER^JORG"), include=frozenset({"00080062", "00201200"}))

    assert told["0020000D"]["Value"] == ["1.2.3"]
    assert told["00080061"] == {"vr": "CS", "Value": ["CT"]}
    assert told["00080062"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
    assert [told[t]["Value"] for t in ("00201206", "00201208", "00201200")] == [[1], [2], [1]]
    assert told["00080056"]["Value"] == ["ONLINE"]
    assert set(archive.returned("study")) <= told.keys()


def test_a_patient_is_told_with_the_counts_of_all_that_is_held(store, two_studies):
    (told,) = found(store, "patient", _00100020=Single("4711"))

    assert [told[tag]["Value"] for tag in ("00201200", "00201202", "00201204")] == [[1], [1], [2]]


def test_an_image_has_its_size_and_a_report_has_none(store, take, make_slice):
    take(make_slice(1), make_slice(2, PixelData=None, Rows=None, Columns=None))

    image, report = found(store, "instance", _0020000D=Single("1.2.3"))

    assert image["00280010"]["Value"] == [16]
    assert "00280010" not in report


def test_other_attributes_are_told_when_asked_for_as_corrected(store, two_studies):
    changed = {"00180015": {"vr": "CS", "Value": ["HEAD"]}, "00200032": None}
    with store.database.transaction() as db:
        db.execute(update(_store.series).where(_store.series.c.uid == "1.2.3.1").values(overlay=changed))

    (told,) = found(store, _0020000D=Single("1.2.3"), include=frozenset({"00180015", "00200032", "00280002"}))

    assert told["00180015"]["Value"] == ["HEAD"]
    assert "00200032" not in told
    assert told["00280002"]["Value"] == [1]


def test_all_attributes_are_told_when_all_are_asked_for(store, two_studies):
    (told,) = found(store, "instance", _00080018=Single("1.2.3.1.1"), include=frozenset({"all"}))

    assert told["00200032"]["Value"] == [0, 0, -5]
    assert told["00080061"]["Value"] == ["CT"]


def test_pages_follow_each_other_by_key_without_gap_or_repeat(store, take, make_slice):
    days = ["20240101", "20240101", "20240102", "", "20231231"]
    take(*(make_slice(1, study=f"1.9.{n}", series=f"1.9.{n}.1", StudyDate=d) for n, d in enumerate(days)))
    within = {"00080020": Range("20230101", "20240102"), "00080061": Single("CT")}
    by_name = {"00100010": Wildcard("M*")}
    asked = [
        Query(level, keys)
        for level in ("patient", "study", "series", "instance")
        for keys in ({}, within, by_name)
    ]
    for query in asked:
        with store.database.reading() as db:
            whole = archive.search(db, query, limit=100)
            after, parts = None, []
            while True:
                page = archive.search(db, query, limit=2, after=after)
                parts += page.items
                after = page.next
                if after is None:
                    break
            by_offset = archive.search(db, query, limit=2, offset=2)
        assert parts == list(whole.items)
        assert list(by_offset.items) == parts[2:4]
        assert whole.next is None


def test_a_corrected_name_and_date_are_found_and_the_old_ones_no_longer(store, two_studies):
    with store.database.transaction() as db:
        changed = {
            "name": "Schulze^Eva",
            "name_norm": archive.normalise_name("Schulze^Eva"),
            "date": "20220101",
        }
        db.execute(update(_store.studies).where(_store.studies.c.uid == "1.2.3").values(changed))

    assert found(store, _00100010=Wildcard("Müll*")) == []
    assert found(store, _00080020=Range("20240101", "")) == []
    assert names(found(store, _00100010=Wildcard("*ulz*"))) == ["Schulze^Eva"]
    assert names(found(store, _00080061=Single("CT"), _00080020=Single("20220101"))) == ["Schulze^Eva"]
    assert names(found(store, _00080062=Single("1.2.840.10008.5.1.4.1.1.2"), _00080020=Single("20220101")))


def test_what_is_removed_leaves_nothing_to_be_found_by(store, two_studies):
    with store.database.transaction() as db:
        for table in ("instances", "study_modalities", "series", "studies"):
            db.execute(delete(getattr(_store, table)))
        db.execute(delete(_store.patients))
    archive.tidy_search(store)

    with store.database.reading() as db:
        for table in (study_terms, study_classes, attribute_values, term_words, word_parts, study_counts):
            held = select(func.count()).select_from(table)
            held = held.where(table.c.studies != 0) if table is study_counts else held
            assert db.scalar(held) == 0, table.name


def test_tidying_changes_no_answer(store, two_studies):
    before = found(store, _00100010=Wildcard("*ller*")), found(store, _00080061=Single("CT"))

    archive.tidy_search(store)

    assert (found(store, _00100010=Wildcard("*ller*")), found(store, _00080061=Single("CT"))) == before


def test_counts_by_day_follow_what_comes_and_goes(store, two_studies):
    asked = Query("study", {"00080061": Single("CT"), "00080020": Range("20230101", "20231231")})
    with store.database.reading() as db:
        assert archive.count(db, asked) == 1
        assert archive.count(db, Query("study")) == 2
        assert archive.count(db, Query("study"), most=1) == 1
    with store.database.transaction() as db:
        db.execute(update(_store.studies).where(_store.studies.c.uid == "1.2.4").values(date="20210101"))
    with store.database.reading() as db:
        assert archive.count(db, asked) == 0


def test_series_are_found_by_what_they_were_requested_as(store, take, make_slice):
    one = [request("S1", "P1"), request("S2", "P2")]
    take(
        make_slice(1, RequestAttributesSequence=one),
        make_slice(1, study="1.2.4", series="1.2.4.1", RequestAttributesSequence=[request("S1", "P2")]),
    )
    step, procedure = "_00400275_00400009", "_00400275_00401001"

    both = found(store, "series", **{step: Single("S1"), procedure: Single("P2")})
    assert [item["0020000E"]["Value"][0] for item in both] == ["1.2.4.1"]
    assert both[0]["00400275"]["Value"][0]["00400009"]["Value"] == ["S1"]
    assert len(found(store, "study", **{procedure: Wildcard("P*")})) == 2


def test_an_attribute_of_the_setting_is_matched_for_what_comes_and_what_was_held(store, source, make_slice):
    def take(item, into):
        archive.take_in(into, [archive.Incoming("x", item)], source)

    take(make_slice(1, StationName="CT01"), store)
    assert found(store, _00081010=Single("none such")) != []  # not supported: not matched

    wider = with_setting(store, search_study="StationName", search_instance="0018,0050".replace(",", ""))
    assert archive.prepare_search(wider)
    take(make_slice(1, study="1.2.4", series="1.2.4.1", StationName="CT02", SliceThickness="2.50"), wider)
    assert archive.reindex(wider) == 1
    assert not archive.prepare_search(wider)

    assert len(found(wider, _00081010=Single("CT01"))) == 1
    assert len(found(wider, _00081010=Wildcard("CT*"))) == 2
    assert len(found(wider, "instance", _00180050=archive.parse_match("00180050", "DS", "2.5"))) == 1
    with store.database.reading() as db:
        assert archive.searchable("study", db)["00081010"] == "StationName"

    archive.prepare_search(store)
    assert len(found(store, _00081010=Single("none such"))) == 2
    with store.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(attribute_values)) == 0


def test_values_follow_a_series_that_is_moved_and_go_with_it(store, source, make_slice):
    wider = with_setting(store, search_series="ProtocolName")
    archive.prepare_search(wider)
    items = (make_slice(1, ProtocolName="thin"), make_slice(1, study="1.2.4", series="1.2.4.1"))
    archive.take_in(wider, [archive.Incoming("x", item) for item in items], source)
    archive.prepare_search(wider)
    series = _store.series.c
    with store.database.transaction() as db:
        db.execute(update(_store.series).where(series.uid == "1.2.3.1").values(study="1.2.4"))
    (moved,) = found(wider, "series", _00181030=Single("thin"))
    assert moved["0020000D"]["Value"] == ["1.2.4"]

    with store.database.transaction() as db:
        db.execute(delete(_store.instances).where(_store.instances.c.series == "1.2.3.1"))
        db.execute(delete(_store.series).where(series.uid == "1.2.3.1"))
        assert db.scalar(select(func.count()).select_from(attribute_values)) == 0


@pytest.mark.parametrize("name", ["NoSuchThing", "PixelData", "PatientName", "RequestAttributesSequence"])
def test_a_setting_that_names_what_cannot_be_searched_is_refused(store, name):
    with pytest.raises(archive.NotSearchable, match=name):
        archive.prepare_search(with_setting(store, search_study=name))


def test_studies_of_an_earlier_release_are_brought_into_form(store, two_studies):
    with store.database.transaction() as db:
        older = {"name": "Yamada=山田", "name_norm": "yamada 山田", "referring_norm": None}
        db.execute(update(_store.studies).where(_store.studies.c.uid == "1.2.3").values(older))

    assert archive.prepare_search(store)
    archive.reindex(store)

    assert names(found(store, _00100010=Single("=山田"))) == ["Yamada"]
    assert not archive.prepare_search(store)


def typed(store, text, **filters):
    with store.database.reading() as db:
        return [study.uid for study in archive.search_text(db, text, **filters)]


@pytest.mark.parametrize(
    ("text", "uids"),
    [
        ("mül", ["1.2.3"]),
        ("jörg müller", ["1.2.3"]),
        ("LLER", ["1.2.3"]),
        ("471", ["1.2.3"]),
        ("a1", ["1.2.3", "1.2.4"]),
        ("chest meier", ["1.2.4"]),
        ("meire", ["1.2.4"]),
        ("", ["1.2.3", "1.2.4"]),
        ("nobody", []),
        ("100% _", []),
    ],
)
def test_what_is_typed_is_found_in_names_ids_and_descriptions(store, two_studies, text, uids):
    assert typed(store, text) == uids


def test_what_is_typed_is_narrowed_by_filters(store, two_studies):
    assert typed(store, "chest", since="20240101") == ["1.2.3"]
    assert typed(store, "chest", modality="MR") == []
    assert typed(store, "", state="arriving") == ["1.2.3", "1.2.4"]
    assert typed(store, "", state="held") == []
    assert typed(store, "", label="teaching") == []
    with store.database.transaction() as db:
        archive.label_study(db, "1.2.4", "teaching", by=access.operator("tester"))
        archive.hold_study(db, "1.2.3", reason="court", by=access.operator("tester"))
    assert typed(store, "", label="teaching") == ["1.2.4"]
    assert typed(store, "ct", state="held") == ["1.2.3"]


def test_a_study_with_fewer_objects_than_somebody_said_is_incomplete(store, two_studies):
    with store.database.transaction() as db:
        archive.expect(db, "1.2.4", origin="sender", count=2, by=access.operator("tester"))

    assert typed(store, "", state="incomplete") == ["1.2.4"]


def test_common_and_rare_names_are_found_the_same_way_round(store, take, make_slice, monkeypatch):
    monkeypatch.setattr(_store.asking, "GATHERED", 0)
    monkeypatch.setattr(_store.asking, "TERMS_LISTED", 0)
    take(*(make_slice(1, study=f"1.9.{n}", series=f"1.9.{n}.1", PatientName=f"Meier^{n}") for n in range(5)))

    assert len(found(store, _00100010=Wildcard("Mei*"))) == 5
    assert len(found(store, _00100010=Wildcard("*eie*"), _00080061=Single("CT"))) == 5
    assert len(found(store, "series", _00100010=Single("maier"), fuzzy=True)) == 5
    assert len(found(store, "patient", _00100010=Wildcard("M?i*"))) == 1


def patient_row(name):
    row = dict.fromkeys(("issuer", "patient_id", "birth_date", "sex"), "")
    return row | {"id": name, "identity": name, "name": name, "name_norm": archive.normalise_name(name)}


def test_two_writers_that_meet_the_same_new_names_do_not_wait_for_each_other(store):
    if store.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    first, second = store.database.engine.connect(), store.database.engine.connect()
    with first, second, first.begin(), second.begin():
        for db in (first, second):
            db.execute(text("set local lock_timeout = '2s'"))
        for db, mark, order in ((first, "a", ("Ode", "Ulm")), (second, "b", ("Ulm", "Ode"))):
            db.execute(insert(_store.patients), [patient_row(f"{order[0]}^{mark}")])
        first.execute(insert(_store.patients), [patient_row("Ulm^a")])
        second.execute(insert(_store.patients), [patient_row("Ode^b")])

    with store.database.reading() as db:
        assert set(db.scalars(select(term_words.c.word))) == {"ode", "ulm", "a", "b"}


def test_a_long_word_is_found_by_its_end(store, take, make_slice):
    take(make_slice(1, PatientName="Donaudampfschifffahrtsgesellschaftskapitänswitwe^A"))

    assert len(found(store, _00100010=Wildcard("*swit?e*"))) == 1
    assert len(found(store, _00100010=Single("donaudampfschiffart"), fuzzy=True)) == 1
