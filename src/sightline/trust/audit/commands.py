"""Command line of the audit trail: ``sightline audit verify`` and ``sightline audit show``."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Protocol, cast

import typer

from sightline.runtime.db import Database
from sightline.trust import access, audit

app = typer.Typer(no_args_is_help=True, help="Who did what, and the proof that nobody changed it.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Installation(Protocol):
    """What a command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102

    @property
    def folder(self) -> Path: ...  # noqa: D102  the data folder


@app.command("verify")
def verify(
    ctx: typer.Context,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            exists=True,
            file_okay=False,
            help="Folder with key.pub and checkpoints.txt that was copied elsewhere; none means our own.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that the audit trail is whole: exit 0 when it is, 1 when it is not."""
    here = _installation(ctx)
    access.require(here.operator, "audit.verify")
    folder = against or here.folder / audit.FOLDER
    verdict = audit.verify_and_remember(here.database, folder)
    if as_json:
        typer.echo(json.dumps(asdict(verdict)))
    else:
        typer.echo(audit.summarise(verdict))
    raise typer.Exit(0 if verdict.ok else 1)


@app.command("show")
def show(
    ctx: typer.Context,
    on: Annotated[str | None, typer.Option("--on", help="Only what was done to this id or UID.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Only what this person id did.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who did what, newest first."""
    here = _installation(ctx)
    access.require(here.operator, "audit.read")
    with here.database.transaction() as db:
        entries = audit.trail(db, on=on, by=by, limit=limit)
        audit.record(db, "audit.read", by=here.operator, on=on or audit.WHOLE)
    for entry in entries:
        row = asdict(entry) | {"at": entry.at.isoformat(timespec="milliseconds")}
        line = f"{entry.seq:>8}  {row['at']}  {entry.act:<20}  {entry.by_name}  {entry.on}"
        typer.echo(json.dumps(row) if as_json else line)


def _installation(ctx: typer.Context) -> Installation:
    return cast(Installation, ctx.obj)
