"""How a row of a list says how the priors held elsewhere stand."""

from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, insert

from sightline.trust import access
from sightline.wire import priors, transfers
from sightline.wire.priors import _store as store_
from sightline.wire.priors._model import Coming, Elsewhere
from sightline.wire.priors.routes import router
from tests.wire.peers.client import Client
from tests.wire.priors.conftest import OPERATOR

NOW = "1.2.10"
AT = datetime(2024, 6, 1, tzinfo=UTC)
ASKED = priors.Search(NOW, "PACS-B", "answered", "arrival", 3, "", 0, AT, AT)
FIND = priors.Find(NOW, "PACS-B", "1.2.11", priors.Who("4711"), "20240101", "", "CT", "CT chest", 2, "left")


def come(uid: str) -> Coming:
    return Coming(replace(FIND, prior_uid=uid, state="held", transfer="t"), 2, 2)


def coming(uid: str, error: str = "", *, under_way: bool = True) -> Coming:
    find = replace(FIND, prior_uid=uid, state="coming", transfer="t")
    return Coming(find, 1, 2, under_way=under_way, error=error)


LEFT, HERE_BEFORE = Coming(FIND), Coming(replace(FIND, state="held"))
DOUBTFUL = Coming(replace(FIND, prior_uid="1.2.12", state="doubtful", reason="the name differs"))


WAITS = replace(ASKED, state="waiting")
SILENT = replace(ASKED, state="failed", error="No answer.")
TRIED = "1 of 1 coming from PACS-B, tried again after an error"


@pytest.mark.parametrize(
    ("search", "finds", "standing"),
    [
        (ASKED, [], None),
        (ASKED, [LEFT, HERE_BEFORE], None),
        (WAITS, [], ("asking", 0, 0, 0, "asking PACS-B")),
        (ASKED, [coming("1")], ("fetching", 0, 1, 0, "1 of 1 coming from PACS-B")),
        (
            ASKED,
            [come("1"), coming("2"), DOUBTFUL],
            ("fetching", 1, 2, 1, "1 of 2 coming from PACS-B · 1 needs a person · 1 has come from PACS-B"),
        ),
        (ASKED, [come("1"), come("2")], ("arrived", 2, 2, 0, "2 have come from PACS-B")),
        (ASKED, [come("1"), DOUBTFUL], ("doubtful", 1, 1, 1, "1 needs a person · 1 has come from PACS-B")),
        (ASKED, [coming("1", under_way=False)], ("failed", 0, 1, 0, "1 did not come from PACS-B")),
        (ASKED, [coming("1", "No answer.")], ("failed", 0, 1, 0, TRIED)),
        (SILENT, [], ("failed", 0, 0, 0, "PACS-B has not answered")),
        (replace(SILENT, state="waiting"), [], ("failed", 0, 0, 0, "PACS-B has not answered")),
    ],
)
def test_a_row_says_how_it_stands_in_one_state_and_in_words_all_of_it(search, finds, standing):
    known = Elsewhere((search,), tuple(finds)).standing

    assert known == (priors.Standing(*standing) if standing else None)


@pytest.fixture
def statements(database):
    """The statements that reach the database, as they come."""
    seen = []
    listener = lambda _c, _x, statement, *_: seen.append(statement)  # noqa: E731
    event.listen(database.engine, "before_cursor_execute", listener)
    yield seen
    event.remove(database.engine, "before_cursor_execute", listener)


def tell_of(db, study: str, prior: str) -> None:
    """Keep that a source told of a prior that is being fetched."""
    store_.put_search(db, replace(ASKED, study_uid=study))
    (transfer,) = transfers.start_transfers(db, "retrieve", "PACS-B", [prior], by=access.SYSTEM, rule="prior")
    find = replace(FIND, study_uid=study, prior_uid=prior, state="coming", transfer=transfer.id)
    db.execute(insert(store_.finds), [asdict(find)])


def test_a_page_of_fifty_costs_as_many_statements_as_one_row(store, statements):
    with store.database.transaction() as db:
        server = transfers.Server("PACS-B", "http://127.0.0.1:9/dicom-web", priors=True)
        transfers.put_server(db, server, by=OPERATOR)
        for n in range(50):
            tell_of(db, f"1.2.{n}", f"1.3.{n}")
    counted = []
    for uids in (["1.2.0"], [f"1.2.{n}" for n in range(50)]):
        statements.clear()
        with store.database.reading() as db:
            known = priors.standings_of(db, uids, by=OPERATOR)
        counted.append(sum(statement.startswith("SELECT") for statement in statements))

    assert counted[0] == counted[1] <= 4
    assert len(known) == 50
    assert {one.state for one in known.values()} == {"fetching"}


def test_the_standings_of_a_page_are_asked_for_at_once_by_who_may_read(store):
    client = Client(store.database, OPERATOR, router)
    with store.database.transaction() as db:
        store_.put_search(db, replace(ASKED, state="waiting"))

    answer = client.post("/api/priors/standings", {"study_uids": [NOW, "1.2.99"]})

    counts = {"fetched": 0, "wanted": 0, "open": 0}
    assert answer.json() == {
        "items": [{"study_uid": NOW, "state": "asking", **counts, "text": "asking PACS-B"}]
    }
    assert client.post("/api/priors/standings", {"study_uids": ["1.2'"]}).status_code == 422
    assert client.post("/api/priors/standings", {"study_uids": [NOW] * 201}).status_code == 422
    client.caller = access.Person("n", "N", "n", frozenset(), "*")
    assert client.post("/api/priors/standings", {"study_uids": [NOW]}).status_code == 403


def test_what_has_come_and_is_not_yet_known_whose_it_is_is_not_called_lost(store, take, make_study):
    """Between the end of its transfer and the job that looks at it."""
    with store.database.transaction() as db:
        server = transfers.Server("PACS-B", "http://127.0.0.1:9/dicom-web", priors=True)
        transfers.put_server(db, server, by=OPERATOR)
        tell_of(db, NOW, "1.2.11")
        (transfer,) = transfers.list_transfers(db, by=OPERATOR)
        transfers._store.change_transfer(db, transfer.id, state="done")
        before = priors.elsewhere_of(db, NOW, by=OPERATOR)
    take(*make_study("1.2.11", "20240101", "CT chest"))

    with store.database.reading() as db:
        after = priors.elsewhere_of(db, NOW, by=OPERATOR)
    assert before.text == "1 did not come from PACS-B"
    assert after.text == "1 of 1 coming from PACS-B"
