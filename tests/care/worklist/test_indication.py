"""Why a study was ordered, on its row of the worklist and at the head of the reading page."""

import pytest

from sightline.care import worklist
from sightline.record import orders
from sightline.trust import access

ORDERED, UNORDERED = "1.2.3", "1.2.4"
WHY = "Cough for six weeks"


@pytest.fixture
def reader(receive, db, log_in):
    wanted = orders.Wanted(
        subject=orders.Subject("4711", "Lovelace^Ada"),
        procedure=orders.Procedure("RP1", "CT chest"),
        steps=[orders.Step("S1", "CT", "CT1", "20250103", "101500")],
        study_uid=ORDERED,
        indication=WHY,
    )
    receive(ORDERED)
    receive(UNORDERED)
    orders.enter_order(db, wanted, by=access.operator("tester"))
    for study in (ORDERED, UNORDERED):
        worklist.refresh_entry(db, study)
    db.commit()
    return log_in("radiologist")


def test_the_worklist_says_why_a_study_was_ordered(reader):
    rows = reader.get("/api/worklist").json()["items"]

    assert {row["study_uid"]: row["indication"] for row in rows} == {ORDERED: WHY, UNORDERED: None}


@pytest.mark.parametrize(("study", "why"), [(ORDERED, WHY), (UNORDERED, None)])
def test_the_reading_page_says_why_a_study_was_ordered(reader, study, why):
    assert reader.get(f"/api/studies/{study}/reading").json()["study"]["indication"] == why
