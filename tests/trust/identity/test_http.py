"""Identity over HTTP: cookies, tokens and requests from other sites."""

import base64

import pytest
from fastapi import FastAPI

from sightline.runtime.http import install_problem_handlers
from sightline.trust import identity
from sightline.trust.identity import Caller
from sightline.trust.identity.routes import router

from .conftest import OPERATOR, PASSWORD

OURS = {"X-Sightline": "1"}


@pytest.fixture
def app(database):
    app = FastAPI()
    app.state.database = database
    install_problem_handlers(app)
    app.include_router(router, prefix="/api")

    @app.post("/api/act")
    def act(caller: Caller) -> str:
        return caller.username

    return app


@pytest.fixture
def client(app, ada, browser):
    return browser(app)


def log_in(client, password: str = PASSWORD):
    return client.post("/api/session", json={"username": "ada", "password": password}, headers=OURS)


def token_of(database, **options) -> str:
    with database.transaction() as db:
        return identity.create_token(db, "ada", by=OPERATOR, **options)


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def test_logging_in_answers_who_i_am_and_sets_a_strict_cookie(client):
    answer = log_in(client)

    assert answer.status_code == 200
    assert (
        answer.json().items()
        >= {
            "username": "ada",
            "name": "Ada Lovelace",
            "roles": ["radiologist"],
            "initials": "AL",
        }.items()
    )
    cookie = answer.headers["set-cookie"]
    for part in ("sightline_session=", "HttpOnly", "Path=/", "SameSite=strict", "Max-Age=43200"):
        assert part in cookie
    assert "Secure" not in cookie
    assert "report.sign" in answer.json()["actions"]
    assert "user.manage" not in answer.json()["actions"]
    assert client.get("/api/me").json() == answer.json()


def test_over_https_the_cookie_is_secure(app, ada, browser):
    client = browser(app, "https://testserver")

    assert "; Secure" in log_in(client).headers["set-cookie"]


def test_a_wrong_password_is_a_problem_with_status_401(client):
    answer = log_in(client, "wrong password")

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "Unknown name or wrong password."
    assert "set-cookie" not in answer.headers


def test_too_many_attempts_are_status_429(client):
    for _ in range(10):
        log_in(client, "wrong password")

    assert log_in(client).status_code == 429


def test_logging_out_ends_the_session_and_clears_the_browser(client):
    log_in(client)
    session = client.cookies[identity.COOKIE]
    answer = client.delete("/api/session", headers=OURS)

    assert answer.status_code == 204
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert client.get("/api/me", headers={"Cookie": f"{identity.COOKIE}={session}"}).status_code == 401


def test_logging_in_again_ends_the_session_before(client):
    log_in(client)
    before = client.cookies[identity.COOKIE]
    log_in(client)

    assert client.cookies[identity.COOKIE] != before
    client.cookies.clear()
    assert client.get("/api/me", headers={"Cookie": f"{identity.COOKIE}={before}"}).status_code == 401


def test_without_a_session_nothing_is_told(client):
    answer = client.get("/api/me")

    assert (answer.status_code, answer.json()["code"]) == (401, "not-logged-in")


@pytest.mark.parametrize("cookie", ["x", "' or 1=1 --", "a" * 5000, "\xff"])
def test_a_made_up_cookie_is_no_session(client, cookie):
    answer = client.get("/api/me", headers={b"Cookie": f"sightline_session={cookie}".encode("latin-1")})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"X-Sightline": "1"}, 200),
        ({"X-Sightline": "0"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
    ],
)
def test_only_our_own_page_acts_with_the_cookie(client, headers, status):
    log_in(client)

    answer = client.post("/api/act", headers=headers)

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "cross-site-request"


def test_reading_needs_no_header(client):
    log_in(client)

    assert client.get("/api/me", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_another_site_can_neither_log_in_nor_out_nor_set_up(client):
    evil = {"Origin": "http://evil.example"}
    body = {"username": "ada", "password": PASSWORD, "token": "x"}

    assert client.post("/api/session", json=body, headers=evil).status_code == 403
    assert client.delete("/api/session", headers=evil).status_code == 403
    assert client.post("/api/setup", json=body, headers=evil).status_code == 403


def test_a_bearer_token_acts_without_cookie_or_header(client, database):
    answer = client.post("/api/act", headers={"Authorization": f"Bearer {token_of(database)}"})

    assert answer.json() == "ada"


def test_basic_with_a_token_as_password_serves_old_clients(client, database):
    token = token_of(database)

    assert client.post("/api/act", headers=basic("ada", token)).json() == "ada"
    assert client.post("/api/act", headers=basic("eve", token)).status_code == 401


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer nonsense",
        "Bearer ",
        "Bearer",
        "Basic !!!",
        "Basic /w==",
        "Digest x",
        basic("ada", PASSWORD)["Authorization"],
        basic("ada", "")["Authorization"],
    ],
)
def test_credentials_that_are_no_token_are_refused_even_with_a_good_cookie(client, authorization):
    log_in(client)

    answer = client.get("/api/me", headers={"Authorization": authorization})

    assert (answer.status_code, answer.json()["code"]) == (401, "token-not-valid")


def test_a_set_up_link_sets_the_password_and_logs_in(client, database):
    with database.transaction() as db:
        link = identity.create_setup_link(db, "ada", by=OPERATOR)
    weak = client.post("/api/setup", json={"token": link, "password": "short"}, headers=OURS)
    good = client.post("/api/setup", json={"token": link, "password": "fünf laute Pferde"}, headers=OURS)
    again = client.post("/api/setup", json={"token": link, "password": "sechs alte Pferde"}, headers=OURS)

    assert (weak.status_code, good.status_code, again.status_code) == (422, 200, 401)
    assert client.get("/api/me").json()["username"] == "ada"


def test_a_person_changes_their_own_password(client):
    log_in(client)
    wrong = client.put(
        "/api/me/password", json={"current": "x", "password": "fünf laute Pferde"}, headers=OURS
    )
    right = client.put(
        "/api/me/password", json={"current": PASSWORD, "password": "fünf laute Pferde"}, headers=OURS
    )

    assert (wrong.status_code, right.status_code) == (401, 204)
    assert client.get("/api/me").status_code == 200
    client.cookies.clear()
    assert log_in(client).status_code == 401


@pytest.mark.parametrize("body", [{}, {"username": "ada"}, {"username": 1, "password": []}, [], "x", None])
def test_a_login_that_is_not_one_is_refused_without_repeating_it(client, body):
    answer = client.post("/api/session", json=body, headers=OURS)

    assert answer.status_code == 422


def test_the_password_of_a_malformed_login_is_not_in_the_answer(client):
    answer = client.post("/api/session", json={"password": "vier ruhige Pferde"}, headers=OURS)

    assert "Pferde" not in answer.text
