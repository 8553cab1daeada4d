"""Command line of identity: ``sightline user …`` and ``sightline token …``."""

import json
import re
import sys
from datetime import timedelta
from typing import Annotated, Any, Protocol, cast

import typer

from sightline.kernel.errors import Invalid
from sightline.runtime.db import Database
from sightline.trust import access, identity

users = typer.Typer(no_args_is_help=True, help="People who log in.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens for programs.")

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

Username = Annotated[str, typer.Argument(help="User name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Roles = Annotated[
    list[str], typer.Option("--role", help=f"One of {', '.join(access.ROLES)}; may be repeated.")
]


class Installation(Protocol):
    """What a command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102


class NotADuration(Invalid):
    """A duration is a number and m, h or d, such as 30d."""


@users.command("add")
def add_user(
    ctx: typer.Context,
    username: Username,
    role: Roles,
    name: Annotated[str, typer.Option("--name", help="Name as it is shown; none means the user name.")] = "",
    site: Annotated[str, typer.Option("--site", help="Site the person works for.")] = "main",
    link: Annotated[
        bool, typer.Option("--link", help="Print a one-time set-up link, ask no password.")
    ] = False,
    password_stdin: FromStdin = False,
) -> None:
    """Add a person and ask for their password, or print a one-time set-up link."""
    here = _installation(ctx)
    password = None if link else _read_password(password_stdin)
    with here.database.transaction() as db:
        account = identity.create_user(
            db, username, name or username, frozenset(role), password, by=here.operator, site=site
        )
        secret = identity.create_setup_link(db, account.username, by=here.operator) if link else None
    typer.echo(f"Added {account.username}." if secret is None else f"/setup?token={secret}")


@users.command("list")
def list_users(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List people with their roles."""
    here = _installation(ctx)
    with here.database.reading() as db:
        found = identity.find_users(db, by=here.operator)
    rows = [
        {
            "username": a.username,
            "name": a.name,
            "roles": sorted(a.roles),
            "site": a.site,
            "active": a.active,
            "has_password": a.has_password,
        }
        for a in found
    ]
    _print_rows(rows, as_json)


@users.command("roles")
def change_roles(ctx: typer.Context, username: Username, role: Roles) -> None:
    """Give a person other roles."""
    here = _installation(ctx)
    with here.database.transaction() as db:
        account = identity.change_roles(db, username, frozenset(role), by=here.operator)
    typer.echo(f"{account.username} is {', '.join(sorted(account.roles))}.")


@users.command("disable")
def disable_user(ctx: typer.Context, username: Username) -> None:
    """Keep a person out, at once."""
    here = _installation(ctx)
    with here.database.transaction() as db:
        identity.disable_user(db, username, by=here.operator)
    typer.echo(f"Disabled {username}.")


@users.command("enable")
def enable_user(ctx: typer.Context, username: Username) -> None:
    """Let a disabled person in again."""
    here = _installation(ctx)
    with here.database.transaction() as db:
        identity.enable_user(db, username, by=here.operator)
    typer.echo(f"Enabled {username}.")


@users.command("password")
def set_password(
    ctx: typer.Context,
    username: Username,
    link: Annotated[bool, typer.Option("--link", help="Print a one-time link, ask no password.")] = False,
    password_stdin: FromStdin = False,
) -> None:
    """Set a person's password, or print a one-time link to choose one; their sessions end."""
    here = _installation(ctx)
    password = None if link else _read_password(password_stdin)
    with here.database.transaction() as db:
        if password is None:
            typer.echo(f"/setup?token={identity.create_setup_link(db, username, by=here.operator)}")
            return
        identity.set_password(db, username, password, by=here.operator)
    typer.echo(f"Set the password of {username}.")


@tokens.command("create")
def create_token(
    ctx: typer.Context,
    user: Annotated[str, typer.Option("--user", help="User name the token acts for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="An action such as archive.read, or archive.*; may be repeated."),
    ] = None,
    expires: Annotated[str, typer.Option("--expires", help="30d, 12h, 15m, or never.")] = "30d",
    as_json: AsJson = False,
) -> None:
    """Print a bearer token; it is shown this once."""
    here = _installation(ctx)
    life = parse_duration(expires)
    scopes = frozenset(scope) if scope else None
    with here.database.transaction() as db:
        secret = identity.create_token(db, user, by=here.operator, scopes=scopes, expires=life)
    typer.echo(json.dumps({"token": secret}) if as_json else secret)


@tokens.command("list")
def list_tokens(
    ctx: typer.Context,
    user: Annotated[str | None, typer.Option("--user", help="Only the tokens of this user name.")] = None,
    as_json: AsJson = False,
) -> None:
    """List tokens, without their secrets."""
    here = _installation(ctx)
    with here.database.reading() as db:
        found = identity.find_tokens(db, user, by=here.operator)
    rows = [
        {
            "id": token.id,
            "username": token.username,
            "scopes": None if token.scopes is None else sorted(token.scopes),
            "expires_at": token.expires_at and token.expires_at.isoformat(),
            "revoked": token.revoked_at is not None,
        }
        for token in found
    ]
    _print_rows(rows, as_json)


@tokens.command("revoke")
def revoke_token(
    ctx: typer.Context, token_id: Annotated[str, typer.Argument(help="Id, from token list.")]
) -> None:
    """End a token, at once."""
    here = _installation(ctx)
    with here.database.transaction() as db:
        identity.revoke_token(db, token_id, by=here.operator)
    typer.echo(f"Revoked {token_id}.")


def parse_duration(text: str) -> timedelta | None:
    """Return the duration that `text` names; None for ``never``.

    >>> parse_duration("30d"), parse_duration("never")
    (datetime.timedelta(days=30), None)
    """
    if text == "never":
        return None
    matched = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if matched is None:
        raise NotADuration("A duration is a number and m, h or d, such as 30d; or never.")
    return timedelta(**{_UNITS[matched.group(2)]: int(matched.group(1))})


def _installation(ctx: typer.Context) -> Installation:
    return cast(Installation, ctx.obj)


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    """Print one row a line, values in the order of their names; or all as JSON."""
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo("  ".join(_show(value) for value in row.values()))


def _show(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return "-" if value is None else str(value)
