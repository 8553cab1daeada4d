"""Entering, changing and cancelling orders."""

import pytest
from sqlalchemy import select

from sightline.kernel.codes import Code
from sightline.record import orders
from sightline.record.orders._model import status_of, step_status
from sightline.runtime.events import events
from sightline.trust import access, audit
from tests.record.orders.conftest import step, wanted

S = orders.Status
P = orders.Progress


def names_of(db):
    return list(db.scalars(select(events.c.name).order_by(events.c.seq)))


def test_an_order_has_all_its_identifiers_from_the_start(db, technologist):
    order = orders.enter_order(
        db, wanted(accession="", procedure=orders.Procedure("", "CT chest")), by=technologist
    )

    assert orders.is_uid(order.study_uid)
    assert 0 < len(order.accession) <= 16
    assert order.procedure.id == order.accession
    assert 0 < len(order.steps[0].id) <= 16
    assert order.status is S.SCHEDULED
    assert orders.get_order(db, order.id, by=technologist) == order


def test_entering_is_told_and_audited_without_patient_data(db, technologist):
    order = orders.enter_order(db, wanted(), by=technologist)

    entry = audit.trail(db, on=order.id)[0]
    assert (entry.act, entry.by) == ("order.enter", technologist.id)
    assert "4711" not in str(entry.facts)
    assert names_of(db) == ["OrderEntered"]


def test_an_accession_number_is_one_orders_of_its_issuer(db, technologist):
    orders.enter_order(db, wanted(), by=technologist)

    with pytest.raises(orders.AccessionTaken):
        orders.enter_order(db, wanted(), by=technologist)
    orders.enter_order(db, wanted(accession_issuer="OTHER"), by=technologist)

    assert len(orders.find_orders(db, orders.OrderQuery(), by=technologist).items) == 2


def test_a_study_uid_that_another_order_has_is_refused(db, technologist):
    orders.enter_order(db, wanted(study_uid="1.2.3"), by=technologist)

    with pytest.raises(orders.StudyTaken):
        orders.enter_order(db, wanted(accession="A2", study_uid="1.2.3"), by=technologist)


@pytest.mark.parametrize(
    ("overrides", "names"),
    [
        ({"subject": orders.Subject("", "Doe^Jane")}, "patient ID"),
        ({"subject": orders.Subject("1", "")}, "patient name"),
        ({"subject": orders.Subject("1", "Doe", sex="X")}, "sex"),
        ({"subject": orders.Subject("1", "Doe", birth_date="1960")}, "birth date"),
        ({"subject": orders.Subject("1\\2", "Doe")}, "backslash"),
        ({"subject": orders.Subject("1\0", "Doe")}, "control character"),
        ({"accession": "A" * 17}, "accession may have 16"),
        ({"study_uid": "1.02.3"}, "Study Instance UID"),
        ({"steps": [step(modality="ct scanner")]}, "modality"),
        ({"steps": [step(station_ae="S" * 17)]}, "station AE title"),
        ({"steps": [step(date="20260231")]}, "date and a time"),
        ({"steps": [step(time="2560")]}, "date and a time"),
        ({"steps": [step(id="1"), step(id="1")]}, "same id"),
        ({"steps": []}, "1 to 50 steps"),
        ({"procedure": orders.Procedure("", "x", Code("", "LN", ""))}, "code needs"),
    ],
)
def test_what_no_modality_could_take_is_refused_and_nothing_is_kept(db, technologist, overrides, names):
    with pytest.raises(orders.UnusableOrder, match=names):
        orders.enter_order(db, wanted(**{"steps": [step()], **overrides}), by=technologist)

    assert orders.find_orders(db, orders.OrderQuery(), by=technologist).items == ()
    assert names_of(db) == []


def test_who_may_not_enter_leaves_no_trace(db, referrer, technologist):
    with pytest.raises(access.NotAllowed):
        orders.enter_order(db, wanted(), by=referrer)

    assert orders.find_orders(db, orders.OrderQuery(), by=technologist).items == ()


def test_a_change_keeps_what_it_does_not_name(db, technologist):
    before = orders.enter_order(db, wanted(step(id="1"), step(id="2", modality="MR")), by=technologist)

    after = orders.change_order(
        db, before.id,
        {"priority": orders.Priority.STAT, "steps": [{"id": "2", "time": "1600", "station_ae": "MR2"}]},
        by=technologist,
    )  # fmt: skip

    assert (after.priority, after.indication) == (orders.Priority.STAT, before.indication)
    assert (after.steps[0], after.steps[1].time, after.steps[1].station_ae) == (
        before.steps[0],
        "1600",
        "MR2",
    )
    assert orders.get_order(db, before.id, by=technologist) == after
    assert audit.trail(db, on=before.id)[0].facts["fields"] == ["priority", "steps"]


def test_a_patient_who_arrived_is_still_on_offer_and_the_order_says_so(db, technologist):
    order = orders.enter_order(db, wanted(step(id="1")), by=technologist)

    changed = orders.change_order(
        db, order.id, {"steps": [{"id": "1", "status": "arrived"}]}, by=technologist
    )

    assert changed.status is S.ARRIVED


def test_a_step_can_be_added(db, technologist):
    order = orders.enter_order(db, wanted(step(id="1")), by=technologist)
    new = {"modality": "CT", "station_ae": "CT1", "date": "20260504", "time": "0900"}

    changed = orders.change_order(db, order.id, {"steps": [new]}, by=technologist)

    assert len(changed.steps) == 2
    assert changed.steps[1].id


def test_a_step_that_was_begun_is_not_scheduled_anew(db, technologist):
    order = orders.enter_order(db, wanted(step(id="1")), by=technologist)
    orders.change_order(db, order.id, {"steps": [{"id": "1", "status": "started"}]}, by=technologist)

    with pytest.raises(orders.StepUnderWay, match="cannot be scheduled anew"):
        orders.change_order(db, order.id, {"steps": [{"id": "1", "time": "1600"}]}, by=technologist)
    with pytest.raises(orders.StepUnderWay, match="cannot become scheduled"):
        orders.change_order(db, order.id, {"steps": [{"id": "1", "status": "scheduled"}]}, by=technologist)

    assert orders.get_order(db, order.id, by=technologist).steps[0].time == "101500"


def test_a_cancelled_order_is_told_and_ends(db, technologist):
    order = orders.enter_order(db, wanted(), by=technologist)

    cancelled = orders.cancel_order(db, order.id, by=technologist)

    assert cancelled.status is S.CANCELLED
    assert names_of(db) == ["OrderEntered", "OrderCancelled"]
    with pytest.raises(orders.OrderEnded):
        orders.cancel_order(db, order.id, by=technologist)
    with pytest.raises(orders.OrderEnded):
        orders.change_order(db, order.id, {"priority": orders.Priority.LOW}, by=technologist)


def test_what_is_being_performed_is_not_cancelled(db, technologist):
    order = orders.enter_order(db, wanted(step(id="1")), by=technologist)
    orders.change_order(db, order.id, {"steps": [{"id": "1", "status": "started"}]}, by=technologist)

    with pytest.raises(orders.StepUnderWay):
        orders.cancel_order(db, order.id, by=technologist)

    assert orders.get_order(db, order.id, by=technologist).status is S.STARTED


def test_pages_follow_on_without_gap_or_repeat(db, technologist):
    entered = [orders.enter_order(db, wanted(accession=f"A{n}"), by=technologist).accession for n in range(7)]

    seen, after = [], None
    while True:
        page = orders.find_orders(db, orders.OrderQuery(), limit=3, after=after, by=technologist)
        seen += [order.accession for order in page.items]
        after = page.next
        if after is None:
            break

    assert seen == entered[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"text": "mull"}, {"A1"}),
        ({"text": "山田"}, {"A2"}),
        ({"text": "4711"}, {"A1"}),
        ({"text": "A2"}, {"A2"}),
        ({"text": "%"}, set()),
        ({"modality": "MR"}, {"A2"}),
        ({"status": "scheduled"}, {"A1", "A2"}),
        ({"status": "open"}, {"A1", "A2"}),
        ({"status": "cancelled"}, set()),
        ({"since": "20260504"}, {"A2"}),
        ({"until": "20260503"}, {"A1"}),
    ],
)
def test_orders_are_found_by_words_state_and_day(db, technologist, query, found):
    orders.enter_order(db, wanted(), by=technologist)
    other = orders.Subject("0815", "Yamada^Tarou=山田^太郎=やまだ^たろう")
    orders.enter_order(
        db, wanted(step(modality="MR", date="20260510"), accession="A2", subject=other), by=technologist
    )

    page = orders.find_orders(db, orders.OrderQuery(**query), by=technologist)

    assert {order.accession for order in page.items} == found


def test_indications_come_by_study(db, technologist):
    order = orders.enter_order(db, wanted(), by=technologist)

    assert orders.indications_of(db, [order.study_uid, "1.2"]) == {order.study_uid: order.indication}
    assert orders.indications_of(db, []) == {}


@pytest.mark.parametrize(
    ("steps", "order"),
    [
        ([S.SCHEDULED], S.SCHEDULED),
        ([S.SCHEDULED, S.ARRIVED], S.ARRIVED),
        ([S.SCHEDULED, S.STARTED], S.STARTED),
        ([S.COMPLETED, S.SCHEDULED], S.STARTED),
        ([S.DISCONTINUED, S.SCHEDULED], S.STARTED),
        ([S.COMPLETED, S.COMPLETED], S.COMPLETED),
        ([S.COMPLETED, S.DISCONTINUED], S.COMPLETED),
        ([S.COMPLETED, S.CANCELLED], S.COMPLETED),
        ([S.DISCONTINUED, S.CANCELLED], S.DISCONTINUED),
        ([S.CANCELLED, S.SCHEDULED], S.SCHEDULED),
        ([S.CANCELLED, S.CANCELLED], S.CANCELLED),
    ],
)
def test_how_an_order_stands_follows_from_its_steps(steps, order):
    assert status_of(steps) is order


@pytest.mark.parametrize(
    ("before", "told", "after"),
    [
        (S.SCHEDULED, [], S.SCHEDULED),
        (S.ARRIVED, [(P.UNDER_WAY, False)], S.STARTED),
        (S.STARTED, [(P.COMPLETED, False)], S.COMPLETED),
        (S.STARTED, [(P.DISCONTINUED, False)], S.DISCONTINUED),
        (S.STARTED, [(P.DISCONTINUED, True)], S.SCHEDULED),
        (S.STARTED, [(P.COMPLETED, False), (P.UNDER_WAY, False)], S.STARTED),
        (S.STARTED, [(P.DISCONTINUED, False), (P.COMPLETED, False)], S.COMPLETED),
        (S.STARTED, [(P.DISCONTINUED, True), (P.COMPLETED, False)], S.COMPLETED),
        (S.CANCELLED, [(P.DISCONTINUED, True)], S.CANCELLED),
    ],
)
def test_how_a_step_stands_follows_from_what_was_performed(before, told, after):
    assert step_status(before, told) is after
