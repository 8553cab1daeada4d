"""HTTP plumbing: refusals as problem+json, strict headers, one transaction a request."""

import asyncio
from datetime import date

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field
from sqlalchemy import Column, MetaData, String, Table, insert, select
from starlette.exceptions import HTTPException

from sightline.kernel import errors
from sightline.runtime.db import open_database
from sightline.runtime.http import SecurityHeaders, Snapshot, Tx, install_problem_handlers

notes = Table("notes", MetaData(), Column("id", String(64), primary_key=True))


class NoteKept(errors.Conflict):
    """There is such a note."""


class TooManyNotes(errors.Forbidden):
    """A refusal whose class names a status of its own."""

    status = 429


class Visit(BaseModel):
    name: str = Field(max_length=5)
    on: date
    number: int


class Client:
    """Sends requests to an application in this process."""

    def __init__(self, app, address="http://testserver"):
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._address = address

    def __getattr__(self, method):
        async def send(path, options):
            async with httpx.AsyncClient(transport=self._transport, base_url=self._address) as client:
                return await client.request(method.upper(), path, **options)

        return lambda path, **options: asyncio.run(send(path, options))


@pytest.fixture
def database(sqlite_url):
    opened = open_database(sqlite_url)
    notes.metadata.create_all(opened.engine)
    yield opened
    opened.dispose()


@pytest.fixture
def app(database):
    app = FastAPI()
    app.state.database = database
    install_problem_handlers(app)
    app.add_middleware(SecurityHeaders)

    @app.get("/refuse/{kind}")
    def refuse(kind: str):
        kinds = {"kept": NoteKept, "many": TooManyNotes, "bare": errors.PlatformError}
        raise kinds.get(kind, getattr(errors, kind, None))("The thing is so.", of="note")

    @app.get("/crash")
    def crash():
        raise ValueError("Müller^Jörg")

    @app.get("/gone")
    def gone():
        raise HTTPException(410, "It was here.", headers={"X-Was": "here"})

    @app.post("/visits")
    def visit(body: Visit, limit: int = 3) -> Visit:
        return body

    @app.put("/notes/{name}")
    def keep(name: str, db: Tx) -> bool:
        db.execute(insert(notes).values(id=name))
        if name == "refused":
            raise NoteKept("No.")
        return True

    @app.put("/read-only/{name}")
    def keep_while_reading(name: str, db: Snapshot) -> bool:
        db.execute(insert(notes).values(id=name))
        return True

    return app


@pytest.fixture
def client(app):
    return Client(app)


def kept(database):
    with database.reading() as db:
        return list(db.scalars(select(notes.c.id)))


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("NotFound", 404, "not-found"),
        ("Unauthenticated", 401, "unauthenticated"),
        ("Forbidden", 403, "forbidden"),
        ("Invalid", 422, "invalid"),
        ("Conflict", 409, "conflict"),
        ("Unavailable", 503, "unavailable"),
        ("kept", 409, "note-kept"),
        ("many", 429, "too-many-notes"),
        ("bare", 500, "platform-error"),
    ],
)
def test_each_kind_of_refusal_has_its_status_and_says_what_is_the_case(client, kind, status, code):
    answer = client.get(f"/refuse/{kind}")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"urn:sightline:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": "The thing is so.",
        "code": code,
        "facts": {"of": "note"},
    }


def test_a_crash_is_a_500_that_tells_nothing_and_a_log_line_without_the_words(client, capfd, log_as_served):
    log_as_served()

    answer = client.get("/crash")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "Müller" not in answer.text
    logged = capfd.readouterr().err
    assert "ValueError at test_http.py" in logged
    assert "Müller" not in logged


def test_what_the_framework_refuses_is_a_problem_too_and_keeps_its_headers(client):
    missing, wrong, gone = client.get("/nowhere"), client.delete("/crash"), client.get("/gone")

    assert (missing.status_code, missing.json()["code"]) == (404, "http-404")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert (gone.status_code, gone.json()["detail"], gone.headers["x-was"]) == (410, "It was here.", "here")


ANNA = {"name": "Anna", "on": "1960-01-02", "number": 1}
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"json": {"name": "Müller^Jörg", "on": "Müller^Jörg", "number": "Müller^Jörg"}}, "body.name"),
        ({"json": {**ANNA, "number": "4711a"}}, "body.number"),
        ({"content": '{"name": "Müller^Jörg"'.encode(), "headers": JSON}, "body"),
        ({"json": ANNA, "params": {"limit": "4711a"}}, "query.limit"),
        ({"json": ["Müller^Jörg"]}, "body"),
    ],
)
def test_what_was_sent_is_not_repeated_when_it_is_invalid(client, options, where):
    answer = client.post("/visits", **options)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert where in answer.json()["detail"]
    assert "Müller" not in answer.text
    assert "4711" not in answer.text


@pytest.mark.parametrize("path", ["/refuse/NotFound", "/crash", "/nowhere", "/openapi.json"])
def test_every_answer_has_the_strict_headers(client, path):
    headers = client.get(path).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize("path", ["/refuse/NotFound", "/crash"])
def test_browsers_are_held_to_https_where_it_is_used(app, path):
    direct = Client(app, "https://testserver").get(path)
    proxied = Client(app).get(path, headers={"x-forwarded-proto": "https"})

    for answer in (direct, proxied):
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_what_is_confirmed_is_committed_and_what_is_refused_is_undone(client, database):
    assert client.put("/notes/first").json() is True
    assert client.put("/notes/refused").status_code == 409

    assert kept(database) == ["first"]


def test_a_commit_that_fails_is_not_confirmed(client, database, monkeypatch):
    def fail(self):
        raise OSError("disk full")

    monkeypatch.setattr("sqlalchemy.engine.base.RootTransaction._do_commit", fail)
    answer = client.put("/notes/first")
    monkeypatch.undo()

    assert answer.status_code == 500
    assert kept(database) == []


def test_a_reading_request_cannot_write(client, database):
    assert client.put("/read-only/first").status_code == 500

    assert kept(database) == []
