"""The whole application: its pages, its faces, and the headers on every answer of any of them."""

import asyncio

import httpx
import pytest
from fastapi import Request
from starlette.routing import Route

from sightline.app import http
from sightline.app.http import build_api, build_app
from sightline.trust import identity


class Client:
    """Sends requests to an application in this process."""

    def __init__(self, app, **headers):
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._headers = headers

    def request(self, method, path, **options):
        async def send():
            opened = httpx.AsyncClient(
                transport=self._transport, base_url="http://testserver", headers=self._headers
            )
            async with opened as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path, **options):
        return self.request("GET", path, **options)


@pytest.fixture
def static(tmp_path, monkeypatch):
    """A built web application of a few bytes, beside a file that must never be served."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Sightline</title>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / ".secret").write_text("secret")
    (tmp_path / "outside.js").write_text("secret")
    for name, content in (("app-1a2b.js", b"1"), ("app-1a2b.js.br", b"br"), ("app-1a2b.js.gz", b"gz")):
        (folder / "assets" / name).write_bytes(content)
    monkeypatch.setattr(http, "STATIC", folder)
    return folder


@pytest.fixture
def app(installation, static):
    app = build_app(installation)

    def crash(_: Request):
        raise ValueError("Müller^Jörg")

    app.router.routes.insert(0, Route("/crash", crash))
    return app


@pytest.fixture
def client(app):
    return Client(app)


@pytest.fixture
def admin(app, installation):
    with installation.database.transaction() as db:
        by = installation.operator
        identity.create_user(db, "ada", "Ada", frozenset({"administrator"}), by=by)
        token = identity.create_token(db, "ada", by=by)
    return Client(app, authorization=f"Bearer {token}")


EVERYWHERE = [
    "/", "/login", "/worklist", "/study/1.2.3", "/patient/abc", "/admin/audit", "/favicon.svg", "/nowhere",
    "/assets/app-1a2b.js", "/assets/none.js", "/api/openapi.json", "/api/me", "/api/worklist", "/api/nowhere",
    "/api/studies/1.2.3/reading", "/dicom-web/studies", "/dicom-web/studies/1.2.3/metadata",
    "/dicom-web/nowhere", "/fhir/metadata", "/fhir/DiagnosticReport", "/fhir/nowhere", "/healthz", "/readyz",
    "/metrics", "/crash",
]  # fmt: skip


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_has_the_strict_headers(client, path):
    answer = client.get(path)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"]
    assert answer.status_code in (200, 401, 404, 500), answer.text


@pytest.mark.parametrize(
    "path", ["/api/me", "/api/worklist", "/api/studies/1.2.3/reading", "/api/status", "/api/audit",
             "/dicom-web/studies", "/dicom-web/studies/1.2.3/metadata", "/fhir/DiagnosticReport"],
)  # fmt: skip
def test_nothing_about_patients_is_told_without_a_login(client, path):
    answer = client.get(path)

    assert answer.status_code == 401
    assert "no-store" in answer.headers["cache-control"]


def test_every_page_is_the_application_and_is_asked_for_each_time(client):
    for path in ("/", "/login", "/setup", "/worklist", "/study/1.2.3", "/patient/abc", "/admin/audit"):
        answer = client.get(path)
        assert answer.text.startswith("<!doctype html>")
        assert answer.headers["cache-control"] == "no-cache"


def test_a_web_app_that_was_not_built_is_said_and_the_api_goes_on(client, static):
    (static / "index.html").unlink()

    answer = client.get("/")

    assert (answer.status_code, answer.json()["code"]) == (503, "web-app-not-built")
    assert client.get("/healthz").text == "ok"


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [("gzip, br", "br", b"br"), ("gzip", "gzip", b"gz"), ("identity", None, b"1")],
)
def test_assets_are_sent_as_they_were_compressed_at_build_and_kept_for_ever(client, accepted, encoding, body):
    async def read():
        opened = httpx.AsyncClient(transport=client._transport, base_url="http://testserver")
        async with (
            opened,
            opened.stream("GET", "/assets/app-1a2b.js", headers={"accept-encoding": accepted}) as answer,
        ):
            return answer.headers, b"".join([part async for part in answer.aiter_raw()])

    headers, content = asyncio.run(read())

    assert (headers.get("content-encoding"), content) == (encoding, body)
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]
    assert headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "path",
    [
        "/.secret", "/%2e%2e/outside.js", "/..%2foutside.js", "/assets/..%2f..%2foutside.js", "/assets/",
        "/assets/%2e%2e", "/assets/../.secret", "/assets/.secret", "/assets/a%00b", "/a%00b", "/assets",
    ],
)  # fmt: skip
def test_nothing_but_the_built_files_is_served(client, path):
    answer = client.get(path)

    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_crash_tells_nothing_of_what_broke(client):
    answer = client.get("/crash")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "Müller" not in answer.text


def test_an_unknown_address_is_a_problem_in_every_part(admin):
    for path in ("/api/nowhere", "/nowhere", "/a/b/c", "/dicom-web/nowhere"):
        answer = admin.get(path)
        assert answer.status_code == 404, path
        assert "json" in answer.headers["content-type"], path


def test_who_watches_over_the_server_learns_whether_it_is_ready(client):
    assert client.get("/readyz").json() == {"ready": True}


def test_metrics_name_routes_and_never_addresses(client):
    client.get("/patient/mrn-4711")
    client.get("/api/patients/mrn-4711/timeline")
    client.request("MADEUP", "/api/me")

    metrics = client.get("/metrics").text

    assert "mrn-4711" not in metrics
    assert "MADEUP" not in metrics
    assert 'route="/api/patients/{patient_id}/timeline"' in metrics


def test_the_status_counts_studies_and_jobs_for_who_may_know(client, admin):
    assert client.get("/api/status").status_code == 401

    status = admin.get("/api/status").json()

    assert status["jobs"] == {"running": 0, "waiting": 0, "failed": 0}
    assert status["arriving"] == 0


def test_the_api_describes_itself_without_an_installation():
    api = build_api().openapi()

    assert {"/api/session", "/api/worklist", "/api/studies/{study_uid}/reading"} <= api["paths"].keys()
