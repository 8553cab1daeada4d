"""DELETE: what is removed is no longer given out, can be put back, and is in the audit trail."""

import pytest

from sightline.record import archive
from sightline.trust import access, audit
from tests.wire.dicomweb.conftest import Client, token_of

STUDY = "/studies/1.2.3"
SERIES = f"{STUDY}/series/1.2.3.1"
INSTANCE = f"{SERIES}/instances/1.2.3.1.1"


@pytest.fixture
def archivist(client, store):
    return Client(client.app, {"Authorization": f"Bearer {token_of(store, 'keeper', 'archivist')}"})


@pytest.mark.parametrize(
    ("path", "left"),
    [(INSTANCE, ["1.2.3.1.2", "1.2.3.1.3", "1.2.3.2.1"]), (SERIES, ["1.2.3.2.1"]), (STUDY, [])],
)
def test_what_is_removed_is_gone_from_every_answer(archivist, client, held, take, make_slice, path, left):
    take(make_slice(1, series="1.2.3.2"))
    for _ in range(2):  # the second time from what is kept at hand
        assert client.get(f"{SERIES}/metadata", headers={"Accept-Encoding": "gzip"}).status_code == 200
        assert client.get(f"{INSTANCE}/frames/1").status_code == 200

    assert archivist.request("DELETE", path).status_code == 204

    found = client.get("/instances")
    assert [i["00080018"]["Value"][0] for i in (found.json() if left else [])] == left
    for gone in ("", "/frames/1", "/metadata", "/rendered", "/pixeldata", "/bulkdata/7FE00010", "/thumbnail"):
        assert client.get(f"{INSTANCE}{gone}").status_code == 404, gone
    assert archivist.request("DELETE", path).status_code == 404


def test_what_was_removed_can_be_put_back(archivist, client, held, store):
    before = client.get(INSTANCE).content
    archivist.request("DELETE", STUDY)

    with store.database.transaction() as db:
        archive.restore(db, "1.2.3", "trashed", by=access.operator("tester"))

    assert len(client.get(INSTANCE).content) == len(before)
    assert client.get(STUDY).status_code == 200


def test_who_may_only_store_removes_nothing_and_leaves_no_trace(client, held, store):
    assert client.request("DELETE", STUDY).status_code == 403

    assert client.get(INSTANCE).status_code == 200
    with store.database.reading() as db:
        assert "archive.trash" not in [e.act for e in audit.trail(db, on="1.2.3")]


def test_removing_is_in_the_audit_trail(archivist, held, store):
    archivist.request("DELETE", STUDY)

    with store.database.reading() as db:
        assert [e.act for e in audit.trail(db, on="1.2.3")].count("archive.trash") == 1


@pytest.mark.parametrize(
    "path", ["/studies/9.9", "/studies/9.9/series/1.2.3.1", f"{STUDY}/series/9.9", f"{SERIES}/instances/9.9",
             "/studies/1.2.3/series/9.9/instances/1.2.3.1.1"],
)  # fmt: skip
def test_what_is_not_held_there_cannot_be_removed(archivist, client, held, path):
    assert archivist.request("DELETE", path).status_code == 404

    assert client.get(INSTANCE).status_code == 200


def test_a_browser_of_another_site_cannot_remove_by_cookie(client, held):
    forged = {"Cookie": "sightline=x", "Origin": "https://evil.example", "Authorization": ""}

    assert client.request("DELETE", STUDY, headers=forged).status_code in {401, 403}
    assert client.get(INSTANCE).status_code == 200
