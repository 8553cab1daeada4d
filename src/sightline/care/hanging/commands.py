"""Command line of hanging protocols: ``sightline hanging list``, ``export``, ``import`` and ``remove``."""

import json
from pathlib import Path
from typing import Annotated, Protocol, cast

import typer

from sightline.care import hanging
from sightline.runtime.db import Database
from sightline.trust import access

commands = typer.Typer(no_args_is_help=True, help="Hanging protocols of the site, and those built in.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Installation(Protocol):
    """What a command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102


@commands.command("list")
def list_protocols(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the hanging protocols of the site and those built in."""
    here = cast(Installation, ctx.obj)
    with here.database.reading() as db:
        found = hanging.find_protocols(db, by=here.operator)
    if as_json:
        typer.echo(
            json.dumps([{"owner": o.owner, "id": o.protocol.id, "name": o.protocol.name} for o in found])
        )
        return
    for owned in found:
        stages = len(owned.protocol.stages)
        counted = "1 stage" if stages == 1 else f"{stages} stages"
        typer.echo(f"{owned.protocol.id:24}  {owned.owner:8}  {counted:9}  {owned.protocol.name}")


@commands.command("export")
def export_protocols(
    ctx: typer.Context,
    path: Annotated[Path | None, typer.Argument(help="File to write; none prints it.")] = None,
    owner: Annotated[hanging.Owner | None, typer.Option("--owner", help="Only those of this owner.")] = None,
) -> None:
    """Write hanging protocols as one file, as `import` takes it."""
    here = cast(Installation, ctx.obj)
    with here.database.reading() as db:
        found = hanging.find_protocols(db, by=here.operator, owner=owner)
    data = hanging.render_file(tuple(owned.protocol for owned in found))
    if path is None:
        typer.echo(data.decode(), nl=False)
        return
    path.write_bytes(data)
    typer.echo(f"{path} holds {len(found)}.")


@commands.command("import")
def import_protocols(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="File of hanging protocols.")],
) -> None:
    """Keep all protocols of a file for every site, or none if one cannot be kept."""
    here = cast(Installation, ctx.obj)
    with path.open("rb") as file:
        protocols = hanging.parse_file(file.read(hanging.MOST_FILE_BYTES + 1))
    with here.database.transaction() as db:
        kept = hanging.import_protocols(db, protocols, by=here.operator, owner=hanging.Owner.SITE)
    typer.echo(f"Kept: {', '.join(owned.protocol.id for owned in kept) or 'none'}.")


@commands.command("remove")
def remove_protocol(
    ctx: typer.Context, protocol_id: Annotated[str, typer.Argument(help="Id of the protocol.")]
) -> None:
    """Forget a protocol that is kept for every site."""
    here = cast(Installation, ctx.obj)
    with here.database.transaction() as db:
        hanging.remove_protocol(db, protocol_id, by=here.operator, owner=hanging.Owner.SITE)
    typer.echo(f"{protocol_id} is removed.")
