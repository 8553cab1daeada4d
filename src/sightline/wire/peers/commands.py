"""Command line of peers: ``sightline peer list``, ``add`` and ``remove``."""

import json
from dataclasses import asdict
from typing import Annotated, Protocol, cast

import typer

from sightline.runtime.db import Database
from sightline.trust import access
from sightline.wire import peers

commands = typer.Typer(no_args_is_help=True, help="Other DICOM application entities.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Title = Annotated[str, typer.Argument(help="AE title of the peer.")]


class Installation(Protocol):
    """What a command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102


@commands.command("list")
def list_peers(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List peers with what they may do here."""
    here = cast(Installation, ctx.obj)
    with here.database.reading() as db:
        found = peers.list_peers(db, by=here.operator)
    if as_json:
        typer.echo(json.dumps([asdict(peer) | {"rights": sorted(peer.rights)} for peer in found]))
        return
    for peer in found:
        where = f"{peer.host or 'anywhere'}:{peer.port}{' TLS' if peer.tls else ''}"
        state = ",".join(sorted(peer.rights)) if peer.enabled else "disabled"
        state += f"  priors by {peer.retrieve_by}" if peer.priors else ""
        typer.echo(f"{peer.title:16}  {where}  {state}  {peer.description}".rstrip())


@commands.command("add")
def add_peer(
    ctx: typer.Context,
    title: Title,
    host: Annotated[
        str, typer.Argument(help="Host name or IP address; '' for one that is never called.")
    ] = "",
    port: Annotated[int, typer.Argument(help="Port that it listens on.")] = 104,
    right: Annotated[
        list[str] | None,
        typer.Option("--right", help=f"One of {', '.join(peers.RIGHTS)}; may be repeated; none gives all."),
    ] = None,
    description: Annotated[str, typer.Option("--description", help="What it is.")] = "",
    tls: Annotated[bool, typer.Option("--tls", help="Call it over TLS.")] = False,
    certificate: Annotated[
        str | None, typer.Option("--certificate", help="SHA-256 of the certificate that it must show.")
    ] = None,
    *,
    retrieve_by: Annotated[
        str, typer.Option("--retrieve-by", help="How studies are retrieved from it: get, or move to us.")
    ] = "get",
    priors: Annotated[
        bool, typer.Option("--priors", help="Ask it for earlier studies of patients, and fetch them.")
    ] = False,
) -> None:
    """Make a peer known, or replace what is known of it."""
    here = cast(Installation, ctx.obj)
    rights = frozenset(right) if right else peers.EVERY_RIGHT
    peer = peers.Peer(
        title, host, port, description, tls, certificate, rights, retrieve_by=retrieve_by, priors=priors
    )
    with here.database.transaction() as db:
        known = peers.put_peer(db, peer, by=here.operator)
    typer.echo(f"{known.title} is known.")


@commands.command("remove")
def remove_peer(ctx: typer.Context, title: Title) -> None:
    """Forget a peer."""
    here = cast(Installation, ctx.obj)
    with here.database.transaction() as db:
        peers.remove_peer(db, title, by=here.operator)
    typer.echo(f"{title} is forgotten.")
