"""Hanging protocols over HTTP and on the command line."""

import asyncio
import json
from types import SimpleNamespace

import httpx
import pytest
from typer.testing import CliRunner

from sightline.app.http import build_api
from sightline.care.hanging.commands import commands
from sightline.trust import access
from sightline.trust.identity import caller_of
from tests.care.hanging.test_protocols import ADA, ADMIN, OPERATOR, SAMPLE

HERE = "/api/hanging-protocols"


class Client:
    """Sends requests to the application, as whoever is set as `caller`."""

    def __init__(self, database, caller: access.Person) -> None:
        self.caller = caller
        self._app = build_api()
        self._app.state.database = database
        self._app.dependency_overrides[caller_of] = lambda: self.caller

    def __call__(self, method: str, path: str = "", **more) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://pacs.example") as client:
                return await client.request(method, HERE + path, **more)

        return asyncio.run(send())


@pytest.fixture
def ask(sqlite):
    return Client(sqlite, ADA)


def kept(answer: httpx.Response) -> list[tuple[str, str]]:
    items = answer.json()["items"]
    return [(i["owner"], i["protocol"]["id"]) for i in items if i["owner"] != "built-in"]


def test_a_protocol_is_added_changed_listed_and_removed(ask):
    assert ask("POST", json=SAMPLE).status_code == 201
    assert ask("POST", json=SAMPLE).status_code == 409
    put = ask("PUT", "/sample", json=SAMPLE | {"name": "Other"})

    assert (put.status_code, put.json()["owner"], put.json()["protocol"]["name"]) == (200, "mine", "Other")
    assert kept(ask("GET")) == [("mine", "sample")]
    assert len(ask("GET", "?owner=built-in").json()["items"]) == 19
    assert ask("DELETE", "/sample").status_code == 204
    assert ask("DELETE", "/sample").status_code == 404
    assert kept(ask("GET")) == []


def test_a_window_comes_back_as_it_was_given(ask):
    ask("PUT", "/sample", json=SAMPLE)

    (item,) = ask("GET", "?owner=mine").json()["items"]
    windows = [pane["window"] for pane in item["protocol"]["stages"][0]["panes"]]

    assert windows == [{"preset": "Lung"}, {"center": 40, "width": 400}]


def test_a_refusal_names_the_path(ask):
    broken = SAMPLE | {"stages": [SAMPLE["stages"][0] | {"rows": 9}]}

    answer = ask("PUT", "/sample", json=broken)

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("body.stages.0.rows: ")
    assert ask("PUT", "/other", json=SAMPLE).json()["detail"].startswith("id: is another one")


def test_the_sites_are_for_administrators(ask):
    assert ask("PUT", "/sample?owner=site", json=SAMPLE).status_code == 403
    assert ask("PUT", "/sample?owner=built-in", json=SAMPLE).status_code == 422

    ask.caller = ADMIN
    assert ask("PUT", "/sample?owner=site", json=SAMPLE).status_code == 200

    ask.caller = ADA
    assert ask("DELETE", "/sample?owner=site").status_code == 403
    assert kept(ask("GET")) == [("site", "sample")]


def test_what_is_exported_can_be_imported(ask):
    ask("PUT", "/sample", json=SAMPLE)
    exported = ask("GET", "/export?owner=mine")
    ask("DELETE", "/sample")

    imported = ask("POST", "/import", content=exported.content)

    assert exported.headers["content-disposition"] == 'attachment; filename="hanging-protocols.json"'
    assert kept(imported) == kept(ask("GET")) == [("mine", "sample")]
    assert ask("GET", "/export?owner=mine").content == exported.content


def test_a_bad_file_is_refused_whole(ask):
    bad = SAMPLE | {"id": "other", "stages": []}
    file = {"version": 1, "protocols": [SAMPLE, bad]}

    answer = ask("POST", "/import", json=file)

    assert (answer.status_code, answer.json()["code"]) == (422, "not-a-hanging-protocol")
    assert "protocols.1.stages: " in answer.json()["detail"]
    assert kept(ask("GET")) == []


def test_a_file_that_does_not_end_is_not_read_to_its_end(ask):
    async def endless():
        for _ in range(64):
            yield b" " * (1 << 20)
        raise AssertionError("read to its end")

    answer = ask("POST", "/import", content=endless())

    assert (answer.status_code, answer.json()["code"]) == (422, "not-a-hanging-protocol")


@pytest.fixture
def run(sqlite):
    def run(*arguments):
        here = SimpleNamespace(database=sqlite, operator=OPERATOR)
        return CliRunner().invoke(commands, [str(a) for a in arguments], obj=here)

    return run


def test_the_commands_list_export_import_and_remove(run, ask, tmp_path):
    path = tmp_path / "protocols.json"
    path.write_text(json.dumps({"version": 1, "protocols": [SAMPLE]}), encoding="utf-8")

    assert run("import", path).output == "Kept: sample.\n"
    assert run("list").output.startswith(
        f"{'sample':24}  site      1 stage    Sample\n{'ct-chest-prior':24}  built-in  "
    )
    assert json.loads(run("list", "--json").output)[0] == {"owner": "site", "id": "sample", "name": "Sample"}
    assert json.loads(run("export", "--owner", "site").output)["protocols"][0]["id"] == "sample"
    assert kept(ask("GET")) == [("site", "sample")]  # at every site

    copy = tmp_path / "copy.json"
    assert run("export", copy).output == f"{copy} holds 20.\n"
    assert run("import", copy).output.startswith("Kept: sample, ct-chest-prior, ")
    assert run("remove", "sample").output == "sample is removed.\n"
    assert run("remove", "sample").exit_code != 0


def test_the_command_refuses_what_is_no_file_of_protocols(run, tmp_path):
    path = tmp_path / "protocols.json"
    path.write_text("{}", encoding="utf-8")

    assert run("import", path).exit_code != 0
    assert json.loads(run("export", "--owner", "site").output)["protocols"] == []


def test_protocols_are_sent_packed_and_only_when_they_changed(ask):
    first = ask("GET")
    known = {"If-None-Match": first.headers["etag"]}

    assert first.headers["content-encoding"] == "gzip"
    assert int(first.headers["content-length"]) < 0.2 * len(first.content)
    assert (ask("GET", headers=known).status_code, ask("GET", headers=known).content) == (304, b"")
    ask("POST", json=SAMPLE)
    assert ask("GET", headers=known).status_code == 200
    assert "content-encoding" not in ask("GET", headers={"Accept-Encoding": "identity"}).headers
