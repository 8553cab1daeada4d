"""The trail over HTTP and at the command line."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from sightline.runtime.db import Database
from sightline.runtime.http import install_problem_handlers
from sightline.trust import access, audit
from sightline.trust.audit.commands import app as commands
from sightline.trust.audit.routes import build_router

from .conftest import ADA, tamper, write

ROOT = access.Person("p-root", "Rut Root", "root", frozenset({"administrator"}), "north", "operations")

OPERATOR = access.operator("tester")


@dataclass(frozen=True)
class Here:
    database: Database
    folder: Path
    operator: access.Person = OPERATOR


@pytest.fixture
def here(database, sealed, tmp_path):
    return Here(database, tmp_path)


@pytest.fixture
def ask(database, sealed, browser):
    """Asks the API as some person."""
    reads = audit.ReadLog(database)
    audit.use(reads)

    def ask(method: str, path: str, by: access.Person = ROOT):
        app = FastAPI()
        app.state.database, app.state.audit_folder = database, sealed.folder
        install_problem_handlers(app)
        app.include_router(build_router(lambda: by), prefix="/api")
        answer = browser(app).request(method, f"/api{path}")
        reads.flush()
        return answer

    yield ask
    audit.use(None)


def test_an_administrator_sees_who_did_what(ask):
    body = ask("GET", "/audit?on=study-1&limit=2").json()

    assert [item["seq"] for item in body["items"]] == [11, 10]
    assert body["items"][0].items() >= {"act": "test.write", "by": "Ada Lovelace", "on": "study-1"}.items()
    assert body["items"][0]["text"] == "A test wrote something"
    assert (body["size"], body["verified_at"]) == (12, None)


def test_looking_at_the_trail_is_in_the_trail(ask, database):
    ask("GET", "/audit?on=study-1")
    ask("GET", "/audit")

    with database.reading() as db:
        assert [(e.act, e.by, e.on) for e in audit.trail(db, limit=2)] == [
            ("audit.read", "p-root", "trail"),
            ("audit.read", "p-root", "study-1"),
        ]


@pytest.mark.parametrize(("method", "path"), [("GET", "/audit"), ("POST", "/audit/verification")])
def test_others_do_not_see_the_trail(ask, method, path):
    answer = ask(method, path, by=ADA)

    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert "items" not in answer.text


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "before=x"])
def test_a_page_that_cannot_be_is_refused(ask, query):
    assert ask("GET", f"/audit?{query}").status_code == 422


def test_verifying_over_http_says_so_and_is_remembered(ask):
    verdict = ask("POST", "/audit/verification").json()

    assert (verdict["ok"], verdict["size"], verdict["checkpoints"]) == (True, 12, 3)
    assert ask("GET", "/audit").json()["verified_at"] is not None


def test_the_command_exits_0_when_the_trail_is_whole(here):
    answer = CliRunner().invoke(commands, ["verify"], obj=here)

    assert answer.exit_code == 0
    assert answer.output.startswith("The audit trail is whole: 12 records, 3 signed checkpoints, root ")


def test_the_command_exits_1_and_names_the_record_when_it_is_not(here, database):
    tamper(database, "delete from audit where seq = 5")

    plain = CliRunner().invoke(commands, ["verify"], obj=here)
    as_json = CliRunner().invoke(commands, ["verify", "--json"], obj=here)

    assert (plain.exit_code, plain.output) == (1, "THE AUDIT TRAIL IS NOT WHOLE: record 5 is missing.\n")
    assert as_json.exit_code == 1
    assert json.loads(as_json.output).items() >= {"ok": False, "record": 5}.items()


def test_the_command_verifies_against_a_copy_kept_elsewhere(here, folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)

    alone = CliRunner().invoke(commands, ["verify"], obj=here)
    against = CliRunner().invoke(commands, ["verify", "--against", str(elsewhere)], obj=here)

    assert alone.exit_code == 1
    assert against.exit_code == 0


def test_the_command_shows_entries_and_is_in_the_trail_itself(here, database):
    write(database, 1, on="study-2")
    answer = CliRunner().invoke(commands, ["show", "--on", "study-2", "--json"], obj=here)

    (line,) = answer.output.splitlines()
    assert json.loads(line).items() >= {"act": "test.write", "on": "study-2", "facts": {"number": 0}}.items()
    plain = CliRunner().invoke(commands, ["show", "--limit", "1"], obj=here)
    assert "audit.read" in plain.output
    assert "operator:tester" in plain.output
