"""What modalities say they did (MPPS), and what becomes of the order."""

import pytest
from sqlalchemy import select

from sightline.record import archive, orders
from sightline.runtime.events import events
from sightline.trust import audit
from tests.record.orders.conftest import step

UID = "1.2.840.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
S = orders.Status


def key(vr, *values):
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def begun(order=None, **overrides):
    """The dataset of an N-CREATE as a scanner sends it."""
    link = {
        "0020000D": key("UI", order.study_uid if order else "1.2.3"),
        "00080050": key("SH", *([order.accession] if order else [])),
        "00400009": key("SH", *([order.steps[0].id] if order else [])),
    }
    found = {
        "00080060": key("CS", "CT"),
        "00100010": key("PN", {"Alphabetic": "Müller^Jörg"}),
        "00100020": key("LO", "4711"),
        "00400241": key("AE", "CT1"),
        "00400244": key("DA", "20260503"),
        "00400245": key("TM", "102000"),
        "00400250": key("DA"),
        "00400251": key("TM"),
        "00400252": key("CS", "IN PROGRESS"),
        "00400253": key("SH", "PPS1"),
        "00400270": key("SQ", link),
        "00400340": key("SQ"),
    }
    return {tag: element for tag, element in (found | overrides).items() if element is not None}


def ended(status="COMPLETED", *sop_uids, **overrides):
    """The dataset of the last N-SET."""
    references = [{"00081150": key("UI", CT), "00081155": key("UI", uid)} for uid in sop_uids]
    series = {
        "0020000E": key("UI", "1.2.3.1"),
        "00081140": key("SQ", *references),
        "00181030": key("LO", "lung"),
    }
    found = {
        "00400252": key("CS", status),
        "00400250": key("DA", "20260503"),
        "00400251": key("TM", "102500"),
        "00400340": key("SQ", series),
    }
    return {tag: element for tag, element in (found | overrides).items() if element is not None}


@pytest.fixture
def begin(db, modality):
    def begin(order=None, uid=UID, **overrides):
        return orders.begin_step(db, uid, begun(order, **overrides), source="CT1", by=modality)

    return begin


@pytest.fixture
def order(db, technologist):
    from tests.record.orders.conftest import wanted

    return orders.enter_order(db, wanted(step(id="S1"), step(id="S2")), by=technologist)


def test_the_order_is_started_and_says_by_what(begin, order, db, technologist):
    begin(order)

    held = orders.get_order(db, order.id, by=technologist)
    assert (held.status, [s.status for s in held.steps]) == (S.STARTED, [S.STARTED, S.SCHEDULED])
    assert [(p.uid, p.status, p.steps) for p in held.performed] == [(UID, "in progress", ("S1",))]


def test_completing_ends_the_step_and_the_last_step_ends_the_order(begin, order, db, modality, technologist):
    begin(order)
    second = begun(order)
    second["00400270"]["Value"][0]["00400009"] = key("SH", "S2")
    orders.change_step(db, UID, ended(), by=modality)
    assert orders.get_order(db, order.id, by=technologist).status is S.STARTED

    orders.begin_step(db, f"{UID}.2", second, source="CT1", by=modality)
    orders.change_step(db, f"{UID}.2", ended("DISCONTINUED"), by=modality)

    held = orders.get_order(db, order.id, by=technologist)
    assert (held.status, [s.status for s in held.steps]) == (S.COMPLETED, [S.COMPLETED, S.DISCONTINUED])


def test_begin_and_end_are_told_and_audited(begin, order, db, modality):
    begin(order)
    orders.change_step(db, UID, ended("COMPLETED", "1.2.3.1.1"), by=modality)

    told = [(e.name, e.subject) for e in db.execute(select(events).order_by(events.c.seq))]
    assert told[-2:] == [("StepStarted", order.study_uid), ("StepEnded", order.study_uid)]
    assert [entry.act for entry in audit.trail(db, on=UID)] == ["procedure.end", "procedure.begin"]
    assert "4711" not in str([entry.facts for entry in audit.trail(db, on=UID)])


def test_the_wrong_row_of_the_worklist_is_offered_again(begin, order, db, modality, technologist):
    begin(order)
    reason = {
        "00080100": key("SH", "110514"),
        "00080102": key("SH", "DCM"),
        "00080104": key("LO", "Incorrect"),
    }

    orders.change_step(db, UID, ended("DISCONTINUED", **{"00400281": key("SQ", reason)}), by=modality)

    held = orders.get_order(db, order.id, by=technologist)
    assert (held.status, held.steps[0].status) == (S.SCHEDULED, S.SCHEDULED)


@pytest.mark.parametrize(
    ("study", "accession", "step_id", "linked"),
    [
        ("order", "", "S1", ["S1"]),
        ("other", "A1", "S2", ["S2"]),
        ("other", "", "S2", ["S2"]),
        ("other", "none", "none", []),
        ("order", "", "none", []),
        ("other", "A\0", "S\0", []),
    ],
)
def test_a_step_is_found_by_study_accession_or_its_own_id(
    begin, order, db, technologist, study, accession, step_id, linked
):
    link = {
        "0020000D": key("UI", order.study_uid if study == "order" else "1.9.9"),
        "00080050": key("SH", accession),
        "00400009": key("SH", step_id),
    }

    begin(order, **{"00400270": key("SQ", link)})

    held = orders.get_order(db, order.id, by=technologist)
    assert [s.id for s in held.steps if s.status is S.STARTED] == linked


def test_without_a_step_id_the_only_step_of_the_modality_is_meant(begin, db, technologist):
    from tests.record.orders.conftest import wanted

    order = orders.enter_order(db, wanted(step(id="S1"), step(id="S2", modality="MR")), by=technologist)
    link = {"0020000D": key("UI", order.study_uid), "00400009": key("SH")}

    begin(order, **{"00400270": key("SQ", link)})

    assert orders.get_order(db, order.id, by=technologist).steps[0].status is S.STARTED


def test_what_nobody_ordered_is_kept_all_the_same(begin, db, modality):
    done = begin()

    assert (done.study_uid, done.order) == ("1.2.3", None)
    assert orders.performed_attributes(db, UID, by=modality)["00100020"] == key("LO", "4711")


@pytest.mark.parametrize(
    ("overrides", "fault", "tag"),
    [
        ({"00400253": None}, "missing", "00400253"),
        ({"00400241": None}, "missing", "00400241"),
        ({"00400244": None}, "missing", "00400244"),
        ({"00400252": None}, "missing", "00400252"),
        ({"00080060": None}, "missing", "00080060"),
        ({"00400270": None}, "missing", "00400270"),
        ({"00400253": key("SH")}, "empty", "00400253"),
        ({"00080060": key("CS", "")}, "empty", "00080060"),
        ({"00400270": key("SQ")}, "empty", "00400270"),
        ({"00400270": key("SQ", {})}, "missing", "0020000D"),
        ({"00400270": key("SQ", {"0020000D": key("UI")})}, "empty", "0020000D"),
        ({"00400270": key("SQ", {"0020000D": key("UI", "one")})}, "wrong", "0020000D"),
        ({"00400270": key("LO", "no sequence")}, "wrong", "00400270"),
        ({"00400340": key("SQ", {"00081140": key("LO", "x")})}, "wrong", "00081140"),
        ({"00400252": key("CS", "COMPLETED")}, "wrong", "00400252"),
        ({"00400252": key("CS", "RUNNING")}, "wrong", "00400252"),
        ({"00400244": key("DA", "20260231")}, "wrong", "00400244"),
        ({"00400245": key("TM", "noon")}, "wrong", "00400245"),
    ],
)
def test_what_is_missing_empty_or_wrong_is_named_and_nothing_is_kept(
    begin, db, order, modality, overrides, fault, tag
):
    with pytest.raises(orders.UnusableStep) as refused:
        begin(order, **overrides)

    assert (refused.value.fault, refused.value.facts["tag"]) == (fault, tag)
    with pytest.raises(orders.PerformedNotHeld):
        orders.performed_attributes(db, UID, by=modality)


@pytest.mark.parametrize(
    ("overrides", "fault", "tag"),
    [
        ({"00400250": None}, "empty", "00400250"),
        ({"00400251": None}, "empty", "00400251"),
        ({"00400340": None}, "empty", "00400340"),
        ({"00400340": key("SQ")}, "empty", "00400340"),
        ({"00400340": key("SQ", {})}, "missing", "0020000E"),
        ({"00400340": key("SQ", {"0020000E": key("UI", "x")})}, "wrong", "0020000E"),
        ({"00400252": key("CS", "DONE")}, "wrong", "00400252"),
        (
            {
                "00400340": key(
                    "SQ", {"0020000E": key("UI", "1.2"), "00081140": key("SQ", {"00081150": key("UI", CT)})}
                )
            },
            "missing",
            "00081155",
        ),
    ],
)
def test_a_final_state_that_is_not_whole_is_refused_and_changes_nothing(
    begin, db, order, modality, technologist, overrides, fault, tag
):
    begin(order)

    with pytest.raises(orders.UnusableStep) as refused:
        orders.change_step(db, UID, ended(**overrides), by=modality)

    assert (refused.value.fault, refused.value.facts["tag"]) == (fault, tag)
    assert orders.get_order(db, order.id, by=technologist).status is S.STARTED


STATES = ("IN PROGRESS", "COMPLETED", "DISCONTINUED")


@pytest.mark.parametrize("second", STATES)
@pytest.mark.parametrize("first", STATES)
def test_the_state_machine_of_a_performed_step(begin, db, order, modality, first, second):
    """PS3.4 table F.1-4: from IN PROGRESS anywhere, from a final state nowhere."""
    begin(order)
    orders.change_step(db, UID, ended(first), by=modality)

    if first == "IN PROGRESS":
        assert orders.change_step(db, UID, ended(second), by=modality).status == second.lower()
    else:
        with pytest.raises(orders.AlreadyEnded):
            orders.change_step(db, UID, ended(second), by=modality)


def test_the_same_uid_twice_is_refused(begin, order):
    begin(order)

    with pytest.raises(orders.AlreadyBegun):
        begin(order)


def test_what_was_not_begun_cannot_be_changed(db, modality):
    with pytest.raises(orders.PerformedNotHeld):
        orders.change_step(db, UID, ended(), by=modality)


def test_patient_and_study_stay_as_they_were_at_the_start(begin, db, order, modality):
    begin(order)

    orders.change_step(db, UID, ended(**{"00100020": key("LO", "other"), "00400270": key("SQ")}), by=modality)

    kept = orders.performed_attributes(db, UID, by=modality)
    assert kept["00100020"] == key("LO", "4711")
    assert kept["00400270"]["Value"]
    assert kept["00400340"]["Value"][0]["00181030"] == key("LO", "lung")


def test_the_objects_that_were_made_are_expected(begin, db, order, modality, expected):
    begin(order)
    orders.change_step(db, UID, ended("COMPLETED", "1.2.3.1.1", "1.2.3.1.2"), by=modality)

    assert [(study, facts["origin"], facts["count"], facts["sop_uids"]) for study, facts in expected] == [
        (order.study_uid, "mpps", 2, ["1.2.3.1.1", "1.2.3.1.2"])
    ]


def test_two_performed_steps_of_a_study_are_each_expected(begin, db, order, modality, expected):
    begin(order)
    begin(order, uid=f"{UID}.2")
    orders.change_step(db, UID, ended("COMPLETED", "1.2.3.1.1"), by=modality)
    orders.change_step(db, f"{UID}.2", ended("DISCONTINUED", "1.2.3.1.2"), by=modality)

    assert [(facts["subject"], facts["count"]) for _, facts in expected] == [(UID, 1), (f"{UID}.2", 1)]


@pytest.mark.parametrize(("made", "settled"), [((1, 2), True), ((1, 2, 3), False)])
def test_a_study_that_is_all_here_is_settled_at_once(
    database, store, take, make_slice, modality, reads, made, settled
):
    take(make_slice(1), make_slice(2))
    with database.transaction() as db:
        orders.begin_step(db, UID, begun(), source="CT1", by=modality)

    with database.transaction() as db:
        orders.change_step(db, UID, ended("COMPLETED", *(f"1.2.3.1.{n}" for n in made)), by=modality)

    with database.reading() as db:
        assert (archive.get_study(db, "1.2.3").settled_at is not None) is settled


def test_a_study_waits_for_the_step_that_is_still_under_way(
    database, store, take, make_slice, modality, reads
):
    take(make_slice(1))
    with database.transaction() as db:
        orders.begin_step(db, UID, begun(), source="CT1", by=modality)
        orders.begin_step(db, f"{UID}.2", begun(), source="CT1", by=modality)
        orders.change_step(db, UID, ended("COMPLETED", "1.2.3.1.1"), by=modality)

    with database.reading() as db:
        assert archive.get_study(db, "1.2.3").settled_at is None


def test_twenty_thousand_objects_are_kept_and_read_back(begin, db, order, modality):
    begin(order)
    uids = [f"1.2.3.1.{n}" for n in range(1, 20_001)]

    done = orders.change_step(db, UID, ended("IN PROGRESS", *uids), by=modality)

    assert (done.series, done.images) == (1, 20_000)
