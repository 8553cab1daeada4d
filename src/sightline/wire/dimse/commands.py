"""Command line of what is asked of a peer: ``sightline peer echo`` and ``sightline peer find``."""

import json
from typing import Annotated, Protocol, cast

import typer
from pydicom import Dataset

from sightline.kernel.errors import Invalid
from sightline.runtime.db import Database
from sightline.trust import access
from sightline.wire import dimse

commands = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Title = Annotated[str, typer.Argument(help="AE title of the peer.")]


class Installation(Protocol):
    """What a command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102


class BadQuery(Invalid):
    """A key is KEYWORD=VALUE, such as PatientID=4711; a level is patient, study, series or instance."""


@commands.command("echo")
def echo(ctx: typer.Context, title: Title, as_json: AsJson = False) -> None:
    """Ask a peer whether it is there."""
    here = cast(Installation, ctx.obj)
    result = dimse.echo_peer(here.database, title, by=here.operator, caller=dimse.Caller())
    line = {"ok": result.ok, "ms": result.ms, "message": result.message}
    typer.echo(json.dumps(line) if as_json else f"{result.message} ({result.ms:g} ms)")
    if not result.ok:
        raise typer.Exit(1)


@commands.command("find")
def find(
    ctx: typer.Context,
    title: Title,
    key: Annotated[
        list[str] | None, typer.Option("--key", "-k", help="KEYWORD=VALUE; may be repeated.")
    ] = None,
    level: Annotated[str, typer.Option(help="patient, study, series or instance.")] = "study",
    as_json: AsJson = False,
) -> None:
    """Ask a peer what it holds."""
    here = cast(Installation, ctx.obj)
    pairs = [text.partition("=") for text in key or ()]
    if level not in dimse.LEVELS or any(not equals for _, equals, _ in pairs):
        raise BadQuery("A key is KEYWORD=VALUE; a level is patient, study, series or instance.")
    keys = {keyword: value for keyword, _, value in pairs}
    found = dimse.find_at_peer(
        here.database, title, cast(dimse.Level, level), keys, by=here.operator, caller=dimse.Caller()
    )
    if as_json:
        typer.echo(json.dumps([answer.to_json_dict(suppress_invalid_tags=True) for answer in found]))
        return
    for answer in found:
        typer.echo("  ".join(_line(answer)))


def _line(answer: Dataset) -> list[str]:
    """Return the values of an answer, without what it says about itself."""
    about = {"SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle"}
    return [str(element.value) or "-" for element in answer if element.keyword not in about]
