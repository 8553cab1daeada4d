"""Recording what was done."""

import json
import threading

import pytest
import rfc8785
from sqlalchemy import text

from sightline.trust import audit
from sightline.trust.audit._merkle import Frontier, hash_leaf

from .conftest import ADA, BEN, write


def test_an_entry_says_who_did_what_to_which_thing_for_which_purpose(database):
    with database.transaction() as db:
        number = audit.record(db, "test.write", by=ADA, on="1.2.3", version="0.3", mm=4.25)

    with database.reading() as db:
        (entry,) = audit.trail(db, on="1.2.3")
    assert (entry.seq, entry.act, entry.by, entry.by_name) == (number, "test.write", "p-ada", "Ada Lovelace")
    assert (entry.site, entry.purpose) == ("north", "treatment")
    assert entry.facts == {"version": "0.3", "mm": 4.25}
    assert entry.at.tzinfo is not None


def test_what_is_rolled_back_never_was(database):
    write(database, 2)
    with pytest.raises(ZeroDivisionError), database.transaction() as db:
        audit.record(db, "test.write", by=ADA, on="study-1")
        raise ZeroDivisionError
    write(database, 1)

    with database.reading() as db:
        assert [entry.seq for entry in audit.trail(db)] == [2, 1, 0]
        assert audit.head(db).size == 3


def test_an_act_that_nobody_declared_is_refused_and_nothing_is_written(database):
    with database.transaction() as db, pytest.raises(audit.UnknownAct, match=r"test\.unheard"):
        audit.record(db, "test.unheard", by=ADA, on="study-1")

    with database.reading() as db:
        assert audit.trail(db) == []


def test_an_act_cannot_be_declared_with_two_meanings():
    with pytest.raises(ValueError, match="declared twice"):
        audit.declare("test.write", "Something else")
    assert audit.declare("test.write", "A test wrote something") == "test.write"
    assert audit.acts()["test.write"] == "A test wrote something"


def test_the_hashed_text_is_canonical_json_and_its_tree_is_the_head(database):
    write(database, 5)

    with database.reading() as db:
        rows = db.execute(text("select entry, leaf from audit order by seq")).all()
        head = audit.head(db)
    tree = Frontier()
    for entry, leaf in rows:
        assert rfc8785.dumps(json.loads(entry)).decode() == entry
        assert bytes(leaf) == hash_leaf(entry.encode())
        tree.add(bytes(leaf))
    assert (head.size, head.root) == (5, tree.root().hex())


def test_a_fact_that_is_not_json_is_refused(database):
    with database.transaction() as db, pytest.raises(rfc8785.CanonicalizationError):
        audit.record(db, "test.write", by=ADA, on="study-1", when=object())


def test_the_trail_is_paged_and_filtered_newest_first(database):
    write(database, 3, by=ADA, on="study-1")
    write(database, 3, by=BEN, on="study-2")

    with database.reading() as db:
        assert [e.seq for e in audit.trail(db, limit=2)] == [5, 4]
        assert [e.seq for e in audit.trail(db, limit=2, before=4)] == [3, 2]
        assert [e.seq for e in audit.trail(db, on="study-1")] == [2, 1, 0]
        assert [e.seq for e in audit.trail(db, by="p-ben")] == [5, 4, 3]


def test_writers_at_once_leave_no_gap_and_no_double(database, folder):
    threads = [threading.Thread(target=write, args=(database, 10)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.reading() as db:
        assert [e.seq for e in audit.trail(db, limit=1000)] == list(range(59, -1, -1))
    assert audit.verify(database, folder).ok


def test_many_records_in_one_transaction_are_numbered_in_order(database, folder):
    with database.transaction() as db:
        numbers = [audit.record(db, "test.write", by=ADA, on=f"study-{n}") for n in range(20)]

    assert numbers == list(range(20))
    assert audit.verify(database, folder).ok
