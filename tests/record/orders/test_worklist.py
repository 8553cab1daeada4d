"""What a modality is offered, and by which keys (PS3.4 K.6, C.2.2.2)."""

from itertools import islice

import pytest
from sqlalchemy import text

from sightline.record import orders
from sightline.record.orders import _matching as matching
from sightline.record.orders import _store as store
from sightline.trust import access
from tests.record.orders.conftest import step

YAMADA = orders.Subject("0815", "Yamada^Tarou=山田^太郎=やまだ^たろう", "", "19700101", "M")


def key(vr, *values):
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def name(*groups):
    return key("PN", dict(zip(("Alphabetic", "Ideographic", "Phonetic"), groups, strict=False)))


def in_step(**keys):
    return {"00400100": key("SQ", {tag.removeprefix("t"): element for tag, element in keys.items()})}


ACCESSION = {"00080050": key("SH")}


@pytest.fixture
def ask(database, modality, reads):
    """Ask for the worklist; what comes back is the accession numbers, in order."""

    def ask(keys):
        found = orders.find_worklist(database, ACCESSION | keys, by=modality)
        return [item["00080050"]["Value"][0] for item, _ in found]

    return ask


@pytest.fixture
def three(enter):
    """Three orders: a CT in the morning, an MR of a Japanese patient two days on, a CT elsewhere at night."""
    return [
        enter(),
        enter(
            step(
                id="S2", modality="MR", station_ae="MR1", date="20260505", time="0800", performer="Ross^Ann"
            ),
            accession="A2",
            subject=YAMADA,
            study_uid="1.2.3",
        ),
        enter(step(station_ae="CT2", date="20260507", time="233000"), accession="A3"),
    ]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({}, ["A1", "A2", "A3"]),
        (in_step(t00400001=key("AE", "CT1")), ["A1"]),
        (in_step(t00400001=key("AE", "CT*")), ["A1", "A3"]),
        (in_step(t00080060=key("CS", "CT")), ["A1", "A3"]),
        (in_step(t00080060=key("CS", "CT", "MR")), ["A1", "A2", "A3"]),
        (in_step(t00080060=key("CS", "US")), []),
        (in_step(t00400002=key("DA", "20260503")), ["A1"]),
        (in_step(t00400002=key("DA", "20260504-")), ["A2", "A3"]),
        (in_step(t00400002=key("DA", "-20260505")), ["A1", "A2"]),
        (in_step(t00400002=key("DA", "20260503-20260505")), ["A1", "A2"]),
        (in_step(t00400003=key("TM", "10")), ["A1"]),
        (in_step(t00400003=key("TM", "0700-1000")), ["A2"]),
        # One moment, not two conditions: the second day from 8 on, up to the third at 23:29 (table K.6-1).
        (in_step(t00400002=key("DA", "20260503-20260507"), t00400003=key("TM", "1016-2329")), ["A2"]),
        (in_step(t00400002=key("DA", "20260503-20260507"), t00400003=key("TM", "1015-2329")), ["A1", "A2"]),
        (in_step(t00400009=key("SH", "S2")), ["A2"]),
        (in_step(t00400006=name("Ross*")), ["A2"]),
        (in_step(t00400020=key("CS", "ARRIVED")), []),
        (in_step(), ["A1", "A2", "A3"]),
        ({"00100020": key("LO", "4711")}, ["A1", "A3"]),
        ({"00100020": key("LO", "47??")}, ["A1", "A3"]),
        ({"00080050": key("SH", "A2")}, ["A2"]),
        ({"0020000D": key("UI", "1.2.3", "1.2.4")}, ["A2"]),
        ({"00401001": key("SH", "RP?")}, ["A1", "A2", "A3"]),
        ({"00401003": key("SH", "ROUTINE")}, ["A1", "A2", "A3"]),
        ({"00100010": name("muller*")}, ["A1", "A3"]),
        ({"00100010": name("MÜLLER^JÖRG")}, ["A1", "A3"]),
        ({"00100010": name("Müller")}, []),
        ({"00100010": name("Müller^*")}, ["A1", "A3"]),
        ({"00100010": name("*rou")}, ["A2"]),
        ({"00100010": name("山田*")}, ["A2"]),
        ({"00100010": name("", "山田^太郎")}, ["A2"]),
        ({"00100010": name("", "", "やまだ*")}, ["A2"]),
        ({"00100010": name("Yamada*", "鈴木*")}, []),
        ({"00100010": name("*")}, ["A1", "A2", "A3"]),
        ({"00100030": key("DA", "19600101-19601231")}, ["A1", "A3"]),
        ({"00321064": key("SQ", {"00080100": key("SH", "24627-2")})}, ["A1", "A2", "A3"]),
        ({"00321064": key("SQ", {"00080100": key("SH", "other")})}, []),
        ({"00100020": key("LO", "4711"), **in_step(t00400001=key("AE", "CT2"))}, ["A3"]),
        # Of what is not supported nothing is asked.
        ({"00091001": key("LO", "private")}, ["A1", "A2", "A3"]),
        # Text that no database may hold, and patterns that would take others for ever.
        ({"00100020": key("LO", "47\0")}, []),
        ({"00100010": name("a\0*")}, []),
        ({"00100020": key("LO", "*4" * 200)}, []),
        (in_step(t00400002=key("DA", "yesterday-\0")), []),
        (in_step(t00080060=key("CS", *[f"M{n}" for n in range(1000)])), []),
    ],
)  # fmt: skip
def test_the_keys_choose_what_is_offered(ask, three, keys, found):
    assert ask(keys) == found


@pytest.mark.parametrize(
    ("change", "offered"),
    [("arrived", True), ("started", False), ("cancelled", False)],
)
def test_only_what_has_not_begun_is_offered(ask, enter, database, technologist, change, offered):
    order = enter(step(id="S1"))
    with database.transaction() as db:
        orders.change_order(db, order.id, {"steps": [{"id": "S1", "status": change}]}, by=technologist)

    assert ask({}) == (["A1"] if offered else [])


def test_what_was_begun_is_shown_to_who_asks_for_it(ask, enter, database, technologist):
    order = enter(step(id="S1"))
    with database.transaction() as db:
        orders.change_order(db, order.id, {"steps": [{"id": "S1", "status": "started"}]}, by=technologist)

    assert ask(in_step(t00400020=key("CS", "STARTED"))) == ["A1"]


def test_each_step_of_an_order_is_an_item_of_its_own(ask, enter):
    enter(step(), step(time="1100", station_ae="CT2"))

    assert ask({}) == ["A1", "A1"]
    assert ask(in_step(t00400001=key("AE", "CT2"))) == ["A1"]


def test_what_is_asked_for_comes_back_and_nothing_else(database, modality, reads, enter):
    order = enter(step(id="S1"))
    keys = {
        "00100010": name("Müller*"), "00101030": key("DS"), "0020000D": key("UI"), "00401002": key("LO"),
        **in_step(t00400009=key("SH"), t00400008=key("SQ")),
    }  # fmt: skip

    item, complete = next(iter(orders.find_worklist(database, keys, by=modality)))

    assert complete
    assert item == {
        "00100010": key("PN", {"Alphabetic": "Müller^Jörg"}),
        "00101030": key("DS"),
        "0020000D": key("UI", order.study_uid),
        "00401002": key("LO", "Cough for six weeks; nodule on radiograph"),
        "00400100": key("SQ", {
            "00400009": key("SH", "S1"),
            "00400008": key("SQ", {
                "00080100": key("SH", "CTCHEST"), "00080102": key("SH", "99LOCAL"), "00080103": key("SH"),
                "00080104": key("LO", "CT chest"),
            }),
        }),
    }  # fmt: skip


def test_an_empty_sequence_key_brings_the_whole_step(database, modality, reads, enter):
    enter()

    item, _ = next(iter(orders.find_worklist(database, {"00400100": key("SQ")}, by=modality)))

    assert {f"00400100.{tag}" for tag in item["00400100"]["Value"][0]} == {
        tag for tag in orders.supported_keys() if tag.startswith("00400100.")
    }


@pytest.mark.parametrize("keys", [{"00091001": key("LO")}, in_step(t00404025=key("SQ"))])
def test_a_key_that_is_not_supported_is_told(database, modality, reads, enter, keys):
    enter()

    (_, complete), *_ = orders.find_worklist(database, ACCESSION | keys, by=modality)

    assert not complete


def test_who_may_not_read_orders_is_refused(database, reads):
    nobody = access.Person("x", "X", "x", frozenset({"researcher"}), "main")

    with pytest.raises(access.NotAllowed):
        orders.find_worklist(database, {}, by=nobody)


def test_a_long_list_comes_in_pages_without_gap_or_repeat(ask, enter, monkeypatch):
    monkeypatch.setattr("sightline.record.orders._worklist.PAGE", 3)
    for n in range(10):
        enter(step(), accession=f"B{n}")

    assert sorted(ask({})) == [f"B{n}" for n in range(10)]


def test_the_station_and_day_are_found_by_an_index(sqlite_url, database, enter):
    if not database.is_sqlite:
        pytest.skip("SQLite tells its plan in words")
    enter()
    wanted = store.Wanted(stations=("CT1",), since="20260503", until="20260503")
    with database.reading() as db:
        plan = [
            row.detail
            for row in db.execute(
                text(
                    "explain query plan select date from order_steps where offered is 1 "
                    "and station_ae = 'CT1' and date >= '20260503' and date <= '20260503' "
                    'order by date, time, "order", number'
                )
            )
        ]
        found, _ = store.offered(db, wanted, limit=10, after=None)

    assert len(found) == 1
    assert any("ix_order_steps_station" in line for line in plan)
    assert not any("TEMP B-TREE" in line for line in plan)


@pytest.mark.parametrize(
    ("pattern", "value", "same"),
    [
        ("", "", True), ("*", "", True), ("**", "x", True), ("a*", "abc", True), ("*c", "abc", True),
        ("a*c", "abbc", True), ("a*c", "abcd", False), ("a?c", "abc", True), ("a?c", "ac", False),
        ("[a-z]*", "b", False), (".*", "b", False), ("*a*b*", "xaxbx", True), ("*a*b*", "xbxax", False),
    ],
)  # fmt: skip
def test_a_pattern_is_stars_and_question_marks_only(pattern, value, same):
    assert matching.wildcard(pattern, value) is same


def test_a_hostile_pattern_takes_no_time():
    assert not matching.wildcard("*a" * 30 + "b", "a" * 10000)


def test_the_items_are_read_as_they_are_taken(database, modality, reads, enter):
    enter()
    enter(accession="A2")

    assert len(list(islice(orders.find_worklist(database, ACCESSION, by=modality), 1))) == 1
