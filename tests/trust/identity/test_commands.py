"""The command line of people and tokens."""

import json
from dataclasses import dataclass
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from sightline.runtime.db import Database
from sightline.trust import access, audit, identity
from sightline.trust.identity import commands

from .conftest import OPERATOR, PASSWORD


@dataclass(frozen=True)
class Here:
    database: Database
    operator: access.Person = OPERATOR


@pytest.fixture
def run(sqlite):
    def run(app, *arguments: str, given: str = ""):
        return CliRunner().invoke(app, list(arguments), obj=Here(sqlite), input=given)

    return run


@pytest.fixture
def ben(run):
    return run(
        commands.users, "add", "ben", "--role", "radiologist", "--password-stdin", given=f"{PASSWORD}\n"
    )


def test_a_person_added_at_the_command_line_logs_in(run, ben, sqlite):
    assert (ben.exit_code, ben.output) == (0, "Added ben.\n")
    assert identity.log_in(sqlite, "ben", PASSWORD, "cli")[1].username == "ben"
    with sqlite.reading() as db:
        made = next(entry for entry in audit.trail(db) if entry.act == "user.create")
    assert made.by == "operator:tester"


def test_without_a_password_the_command_asks_twice_and_does_not_echo(run, sqlite):
    answer = run(commands.users, "add", "ben", "--role", "referrer", given=f"{PASSWORD}\n{PASSWORD}\n")

    assert answer.exit_code == 0
    assert PASSWORD not in answer.output


def test_a_link_is_printed_instead_of_asking(run, sqlite):
    answer = run(commands.users, "add", "ben", "--role", "referrer", "--link")
    link = answer.output.strip().removeprefix("/setup?token=")

    assert identity.set_up(sqlite, link, PASSWORD, "cli")[1].username == "ben"


def test_people_are_listed_as_lines_and_as_json(run, ben):
    assert run(commands.users, "list").output == "ben  ben  radiologist  main  True  True\n"
    (row,) = json.loads(run(commands.users, "list", "--json").output)
    assert row["roles"] == ["radiologist"]


def test_roles_are_changed_and_people_disabled_and_enabled(run, ben, sqlite):
    assert run(commands.users, "roles", "ben", "--role", "referrer").output == "ben is referrer.\n"
    assert run(commands.users, "disable", "ben").exit_code == 0
    with pytest.raises(identity.WrongPassword):
        identity.log_in(sqlite, "ben", PASSWORD, "cli")
    assert run(commands.users, "enable", "ben").exit_code == 0
    assert identity.log_in(sqlite, "ben", PASSWORD, "cli")[1].roles == frozenset({"referrer"})


def test_a_password_is_set_or_a_link_printed(run, ben, sqlite):
    run(commands.users, "password", "ben", "--password-stdin", given="fünf laute Pferde\n")
    assert identity.log_in(sqlite, "ben", "fünf laute Pferde", "cli")

    link = run(commands.users, "password", "ben", "--link").output.strip().removeprefix("/setup?token=")
    assert identity.set_up(sqlite, link, PASSWORD, "cli")


def test_a_refusal_leaves_nothing_behind(run, sqlite):
    answer = run(commands.users, "add", "ben", "--role", "owner", "--password-stdin", given=f"{PASSWORD}\n")

    assert isinstance(answer.exception, identity.UnknownRole)
    assert run(commands.users, "list").output == ""


def test_a_token_is_printed_once_listed_without_its_secret_and_revoked(run, ben, sqlite):
    token = run(commands.tokens, "create", "--user", "ben", "--scope", "archive.read").output.strip()
    assert identity.person_of_token(sqlite, token).scopes == frozenset({"archive.read"})

    listed = run(commands.tokens, "list", "--json")
    (row,) = json.loads(listed.output)
    assert token not in listed.output
    assert (row["username"], row["scopes"], row["revoked"]) == ("ben", ["archive.read"], False)
    assert row["expires_at"] is not None

    assert run(commands.tokens, "revoke", row["id"]).exit_code == 0
    with pytest.raises(identity.TokenNotValid):
        identity.person_of_token(sqlite, token)


def test_a_token_as_json_that_never_expires(run, ben, sqlite):
    answer = run(commands.tokens, "create", "--user", "ben", "--expires", "never", "--json")

    assert identity.person_of_token(sqlite, json.loads(answer.output)["token"]).scopes is None
    assert json.loads(run(commands.tokens, "list", "--user", "ben", "--json").output)[0]["expires_at"] is None


def test_a_duration_is_a_number_and_a_unit():
    assert commands.parse_duration("12h") == timedelta(hours=12)
    for text in ("", "30", "0d", "-1d", "1y", "999999d"):
        with pytest.raises(commands.NotADuration):
            commands.parse_duration(text)
