"""What addresses say of themselves, who may call from a browser, and methods that they do not know."""

import xml.etree.ElementTree as ElementTree

import pytest

from sightline.wire.dicomweb import routes
from sightline.wire.dicomweb.settings import DicomWebSettings
from tests.wire.dicomweb.conftest import Client, app_of, token_of

VIEWER = "https://viewer.example"
WADL = "{http://wadl.dev.java.net/2009/02}"


@pytest.fixture
def crossing(store, reads):
    """A client of an installation that lets one other site's scripts in."""
    token = token_of(store, "tech", "technologist")
    app = app_of(store, DicomWebSettings(allowed_origins=f"{VIEWER} https://other.example"))
    return Client(app, {"Authorization": f"Bearer {token}"})


def test_the_root_describes_every_address_in_wadl_and_in_json(client):
    described = client.request("OPTIONS", "/")
    as_json = client.request("OPTIONS", "/", headers={"Accept": "application/json"}).json()

    assert described.headers["content-type"].startswith("application/vnd.sun.wadl+xml")
    paths = [r.get("path") for r in ElementTree.fromstring(described.text).iter(f"{WADL}resource")]
    assert sorted(paths) == sorted(path.lstrip("/") for path in routes.capabilities())
    assert sorted(r["path"] for r in as_json["resources"]) == sorted(routes.capabilities())


@pytest.mark.parametrize("path", sorted(set(routes.capabilities()) - {"/"}))
def test_every_address_that_is_described_answers_to_what_it_says(client, path):
    place = path.format(study="1.2.3", series="1.2.3.1", instance="1.2.3.1.1", frames="1", tag="7FE00010")

    described = client.request("OPTIONS", place)

    allowed = set(described.headers["allow"].split(", "))
    assert allowed == {"OPTIONS", *routes.capabilities()[path]}
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - allowed:
        refused = client.request(method, place)
        assert refused.status_code == 405, method
        assert "OPTIONS" in refused.headers["allow"]
    for method in allowed & {"GET"}:
        assert client.request(method, place).status_code in {200, 204, 400, 404}


def test_capabilities_are_told_to_nobody_without_a_login(client):
    assert client.request("OPTIONS", "/studies", headers={"Authorization": ""}).status_code == 401


def test_a_browser_that_asks_first_is_told_what_another_site_may_do(crossing):
    ask = {"Origin": VIEWER, "Access-Control-Request-Method": "GET", "Authorization": ""}

    answer = crossing.request("OPTIONS", "/studies", headers=ask)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == VIEWER
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in answer.headers


def test_an_allowed_site_sees_answers_and_refusals(crossing):
    found = crossing.get("/studies", headers={"Origin": VIEWER})
    refused = crossing.get("/studies", headers={"Origin": VIEWER, "Authorization": ""})

    assert (found.status_code, refused.status_code) == (204, 401)
    for answer in (found, refused):
        assert answer.headers["access-control-allow-origin"] == VIEWER
        assert "Origin" in answer.headers["vary"]
        assert "ETag" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://viewer.example.evil.example"])
def test_other_sites_see_nothing(crossing, origin):
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}

    assert "access-control-allow-origin" not in crossing.request("OPTIONS", "/studies", headers=asked).headers
    assert "access-control-allow-origin" not in crossing.get("/studies", headers={"Origin": origin}).headers


def test_nobody_may_call_from_elsewhere_until_it_is_set(client):
    assert "access-control-allow-origin" not in client.get("/studies", headers={"Origin": VIEWER}).headers


@pytest.mark.parametrize("origins", ["viewer.example", "https://a/path", "* https://a"])
def test_a_setting_that_names_no_origin_is_refused(origins):
    with pytest.raises(ValueError, match="allowed_origins"):
        DicomWebSettings(allowed_origins=origins)


def test_a_token_that_was_revoked_works_no_longer_than_a_second(client, store, held, monkeypatch):
    from sightline.trust import access, identity
    from sightline.wire.dicomweb import _serving

    frame = "/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/frames/1"
    assert client.get(frame).status_code == 200
    with store.database.transaction() as db:
        by = access.operator("tester")
        for token in identity.find_tokens(db, by=by):
            identity.revoke_token(db, token.id, by=by)

    stored = client.post("/studies", content=b"", headers={"Content-Type": "application/dicom"})
    monkeypatch.setattr(_serving, "KNOWN_S", 0)

    assert stored.status_code == 401  # who would change something is asked for each time
    assert client.get(frame).status_code == 401
