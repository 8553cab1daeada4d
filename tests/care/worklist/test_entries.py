"""The list: its order, its pages, who reads what, what is put off."""

from datetime import timedelta

import pytest

from sightline.care import worklist
from sightline.care.worklist import ListQuery, _store
from sightline.kernel import clock
from sightline.record import archive, findings
from sightline.trust import access, audit
from tests.care.clinic import FIRST, SECOND, change


@pytest.fixture
def row(db):
    """Put a row on the list; due so many minutes after noon."""
    noon = clock.now().replace(hour=12, minute=0, second=0, microsecond=0)

    def put(uid: str, due_min: int = 0, **facts):
        base = {
            "study_uid": uid, "patient": "p", "search": "lovelace^ada 4711 a1", "exam": "CT chest",
            "modality": "CT", "urgency": "routine", "due_at": noon + timedelta(minutes=due_min),
            "arrived_at": noon, "reason": "r", "reasons": [["r", None]], "prior_count": 0,
            "prior_date": None, "changes": [], "analysis_state": "done", "analysis_text": "",
        }  # fmt: skip
        state, images = facts.pop("state", None), facts.pop("images", True)
        past = facts.pop("of_the_past", False)
        _store.put(db, {**base, **facts}, images=images, of_the_past=past)
        if state:
            _store.change(db, uid, state=state)

    return put


def listed(db, by, **query) -> list[str]:
    return [entry.study_uid for entry in worklist.find_entries(db, ListQuery(**query), by=by).entries]


def test_what_is_due_first_stands_first_and_ties_have_an_order(db, row, radiologist):
    row("1.3", 60)
    row("1.2", 60)
    row("1.9", 5, urgency="critical")

    assert listed(db, radiologist) == ["1.9", "1.2", "1.3"]


def test_a_study_without_images_is_not_to_be_read_until_it_has_some(db, row, radiologist):
    row("1.2", images=False)
    row("1.3")

    assert listed(db, radiologist) == ["1.3"]
    assert set(listed(db, radiologist, state="all")) == {"1.2", "1.3"}

    row("1.2", images=True)
    assert set(listed(db, radiologist)) == {"1.2", "1.3"}


def test_a_study_of_the_past_is_listed_but_not_to_be_read(db, row, radiologist):
    row("1.2", of_the_past=True)

    assert listed(db, radiologist) == []
    assert listed(db, radiologist, state="all") == ["1.2"]


def test_pages_follow_each_other_without_gap_or_double_even_where_rows_are_due_alike(db, row, radiologist):
    for n in range(7):
        row(f"1.{n}", due_min=n // 4)
    seen, after = [], None
    while True:
        page = worklist.find_entries(db, ListQuery(after=after, limit=2), by=radiologist)
        seen += [entry.study_uid for entry in page.entries]
        if not page.more:
            break
        after = (page.entries[-1].due_at, page.entries[-1].study_uid)

    assert seen == [f"1.{n}" for n in range(7)]


def test_a_row_that_is_read_between_two_pages_does_not_shift_them(db, row, radiologist):
    for n in range(4):
        row(f"1.{n}", n)
    first = worklist.find_entries(db, ListQuery(limit=2), by=radiologist).entries
    _store.change(db, "1.0", state="reported")

    assert listed(db, radiologist, after=(first[-1].due_at, first[-1].study_uid)) == ["1.2", "1.3"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"text": "lovelace"}, ["1.1"]),
        ({"text": "LOVE 4711"}, ["1.1"]),
        ({"text": "müller"}, ["1.2"]),
        ({"text": "nobody"}, []),
        ({"text": "%"}, []),
        ({"text": "_"}, []),
        ({"modality": "MR"}, ["1.2"]),
        ({"modality": "PT"}, ["1.4"]),
        ({"modality": "CT"}, ["1.1", "1.4"]),
        ({"modality": "C"}, []),
        ({"state": "reported"}, ["1.3"]),
        ({"state": "all"}, ["1.1", "1.2", "1.3", "1.4"]),
    ],
)
def test_the_list_is_searched_by_words_modality_and_state(db, row, radiologist, query, found):
    row("1.1", 1)
    row("1.2", 2, search="müller^jörg 12", modality="MR")
    row("1.3", 3, state="reported", search="x")
    row("1.4", 4, modality="CT/PT", search="y")

    assert listed(db, radiologist, **query) == found


def test_the_counts_tell_of_all_that_is_open_not_of_the_page(db, row, radiologist):
    for n in range(3):
        row(f"1.{n}", n, urgency="critical" if n else "routine", arrived_at=clock.now() - timedelta(hours=n))
    row("1.8", 8, state="reported", urgency="critical")

    page = worklist.find_entries(db, ListQuery(limit=1), by=radiologist)

    assert (page.more, page.critical, page.open, page.median_wait_min) == (True, 2, 3, 60)


def test_an_empty_list_has_no_waiting_time(db, radiologist):
    page = worklist.find_entries(db, ListQuery(), by=radiologist)

    assert (page.entries, page.more, page.open, page.median_wait_min) == ((), False, 0, None)


def test_neighbours_are_the_open_studies_before_and_after_in_the_order_of_the_list(db, row):
    for n, state in enumerate(("unread", "reported", "unread", "reading", "unread")):
        row(f"1.{n}", 0, state=state)
    row("1.5", 0)
    _store.change(db, "1.4", deferred_until=clock.now() + timedelta(hours=1))

    def around(uid):
        return [e and e.study_uid for e in worklist.neighbours_of(db, worklist.get_entry(db, uid))]

    assert around("1.0") == [None, "1.2"]
    assert around("1.2") == ["1.0", "1.3"]
    assert around("1.3") == ["1.2", "1.5"]
    assert around("1.5") == ["1.3", None]
    assert around("1.1") == ["1.0", "1.2"]  # from a reported study one goes on to the open ones


def test_a_reader_takes_a_study_and_gives_it_back(db, row, radiologist):
    row("1.1")

    taken = worklist.claim_study(db, "1.1", by=radiologist)
    assert (taken.reader, taken.reader_name, taken.state) == ("p1", "Dr Ada Adams", "reading")
    assert listed(db, radiologist) == ["1.1"]

    back = worklist.release_study(db, "1.1", by=radiologist)
    assert (back.reader, back.state) == (None, "unread")
    assert [e.act for e in audit.trail(db, on="1.1")] == ["worklist.release", "worklist.claim"]


@pytest.mark.parametrize("act", ["claim_study", "release_study", "defer_study"])
def test_what_another_reader_has_taken_stays_theirs(db, row, radiologist, colleague, act):
    row("1.1")
    worklist.claim_study(db, "1.1", by=colleague)
    more = (30,) if act == "defer_study" else ()

    with pytest.raises(worklist.ClaimedByAnother, match="Dr Bo Brandt has taken this study"):
        getattr(worklist, act)(db, "1.1", *more, by=radiologist)

    entry = worklist.get_entry(db, "1.1")
    assert (entry.reader, entry.deferred_until) == ("p3", None)
    assert [e.act for e in audit.trail(db, on="1.1")] == ["worklist.claim"]


def test_taking_what_one_has_already_changes_nothing(db, row, radiologist):
    row("1.1")

    assert worklist.claim_study(db, "1.1", by=radiologist) == worklist.claim_study(db, "1.1", by=radiologist)


def test_a_reported_study_does_not_become_unread_by_looking_at_it(db, row, radiologist):
    row("1.1", state="reported")

    assert worklist.claim_study(db, "1.1", by=radiologist).state == "reported"
    assert worklist.release_study(db, "1.1", by=radiologist).state == "reported"


def test_a_study_put_off_leaves_the_list_and_comes_back_at_its_place(db, row, radiologist):
    row("1.1", 1)
    row("1.2", 2)

    put_off = worklist.defer_study(db, "1.1", 30, by=radiologist)

    assert timedelta(minutes=29) < put_off.deferred_until - clock.now() <= timedelta(minutes=30)
    assert listed(db, radiologist) == ["1.2"]
    assert listed(db, radiologist, state="all") == ["1.1", "1.2"]
    later = clock.now() + timedelta(minutes=31)
    assert [e.study_uid for e in _store.find(db, ListQuery(), at=later).entries] == ["1.1", "1.2"]
    entry = audit.trail(db, on="1.1")[0]
    assert (entry.act, entry.facts) == ("worklist.defer", {"minutes": 30})


def test_a_deferral_can_be_taken_back(db, row, radiologist):
    row("1.1")
    worklist.defer_study(db, "1.1", 30, by=radiologist)

    assert worklist.undefer_study(db, "1.1", by=radiologist).deferred_until is None
    assert listed(db, radiologist) == ["1.1"]
    assert audit.trail(db, on="1.1")[0].act == "worklist.undefer"


@pytest.mark.parametrize("act", ["claim_study", "release_study", "defer_study", "undefer_study"])
def test_a_technologist_may_not_change_the_list_and_leaves_no_trace(db, row, technologist, act):
    row("1.1")
    before = worklist.get_entry(db, "1.1")
    more = (30,) if act == "defer_study" else ()

    with pytest.raises(access.NotAllowed):
        getattr(worklist, act)(db, "1.1", *more, by=technologist)

    assert worklist.get_entry(db, "1.1") == before
    assert audit.trail(db, on="1.1") == []


@pytest.mark.parametrize("act", ["claim_study", "release_study", "undefer_study"])
def test_a_study_that_is_still_arriving_is_not_on_the_list(db, radiologist, act):
    with pytest.raises(worklist.NotOnTheList, match="may still be arriving"):
        getattr(worklist, act)(db, "1.1", by=radiologist)


def test_a_referrer_does_not_see_the_list(db):
    with pytest.raises(access.NotAllowed):
        worklist.find_entries(
            db, ListQuery(), by=access.Person("r", "R", "r", frozenset({"referrer"}), "main")
        )


def test_a_study_is_placed_by_what_was_found_and_what_has_changed(receive, clinic, db):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    [then], [now] = clinic.propose("1.1", 9.0), clinic.propose("1.2", 12.0)
    clinic.compare("1.2", "1.1", change(now, then, "grown", text="nodule grew 50 %"))

    worklist.refresh_entry(db, "1.2")

    entry = worklist.get_entry(db, "1.2")
    assert (entry.urgency, entry.reason, entry.state) == ("critical", "nodule grew 50 %", "unread")
    assert entry.due_at - entry.arrived_at == timedelta(hours=1)
    assert (entry.prior_count, entry.prior_date, entry.exam) == (1, FIRST, "CT chest")
    assert entry.changes == ({"kind": "grown", "text": "nodule grew 50 %"},)


def test_what_a_person_rejected_gives_no_reason_any_more(receive, clinic, db, radiologist):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    [then], [now] = clinic.propose("1.1", 9.0), clinic.propose("1.2", 12.0)
    clinic.compare("1.2", "1.1", change(now, then, "grown"))
    findings.decide_finding(db, now.id, findings.Decision.REJECT, by=radiologist)

    worklist.refresh_entry(db, "1.2")

    entry = worklist.get_entry(db, "1.2")
    assert (entry.urgency, entry.reason) == ("routine", "no findings now or before")


def test_a_large_finding_is_not_hidden_by_an_alignment_that_failed(receive, clinic, db):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    clinic.propose("1.2", 15.0)
    clinic.compare("1.2", "1.1", verdict="failed")

    worklist.refresh_entry(db, "1.2")

    entry = worklist.get_entry(db, "1.2")
    assert (entry.urgency, entry.reason) == ("soon", "finding of 15 mm, not compared with its prior")


def test_a_large_finding_whose_change_cannot_be_told_is_not_routine(receive, clinic, db):
    receive("1.1", FIRST)
    receive("1.2", SECOND)
    large, small = clinic.propose("1.2", 15.0, 5.0)
    then = clinic.propose("1.1", 5.0)[0]
    clinic.compare("1.2", "1.1", change(large, None, "cannot-tell"), change(small, then, "stable"))

    worklist.refresh_entry(db, "1.2")

    assert worklist.get_entry(db, "1.2").reason == "finding of 15 mm whose change cannot be told"


def test_working_it_out_again_leaves_reader_state_and_deferral_alone(receive, clinic, db, radiologist):
    receive("1.2")
    worklist.refresh_entry(db, "1.2")
    worklist.claim_study(db, "1.2", by=radiologist)
    before = worklist.defer_study(db, "1.2", 30, by=radiologist)
    clinic.propose("1.2", 12.0)

    worklist.refresh_entry(db, "1.2")

    after = worklist.get_entry(db, "1.2")
    assert after.reason == "finding of 12 mm without a prior"
    assert [after.reader, after.state, after.deferred_until] == ["p1", "reading", before.deferred_until]


def test_a_study_of_very_many_modalities_still_gets_its_row(receive, db):
    for n, modality in enumerate(("CT", "MR", "PT", "US", "XA", "CR", "MG")):
        receive("1.2", series=f"1.2.{n}", slices=1, Modality=modality)

    worklist.refresh_entry(db, "1.2")

    assert len(worklist.get_entry(db, "1.2").modality) <= 16


def test_a_study_that_is_gone_leaves_the_list_and_is_back_with_its_reader_when_restored(
    store, db, receive, radiologist
):
    uid = receive()
    worklist.refresh_entry(db, uid)
    worklist.claim_study(db, uid, by=radiologist)
    archivist = access.Person("p7", "Kim", "kim", frozenset({"archivist"}), "main", "operations")

    archive.trash_study(db, uid, reason="sent twice", by=archivist, trash_days=30)
    worklist.refresh_entry(db, uid)
    gone = listed(db, radiologist)
    archive.restore(db, uid, "trashed", by=archivist)
    worklist.refresh_entry(db, uid)

    assert gone == []
    assert listed(db, radiologist) == [uid]
    assert worklist.find_entries(db, ListQuery(), by=radiologist).entries[0].reader == radiologist.id
