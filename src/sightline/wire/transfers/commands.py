"""Command line of transfers: ``sightline transfer list``, ``send``, ``retrieve``, ``migrate``, ``retry``."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Protocol, cast

import typer

from sightline.record import archive
from sightline.trust import access
from sightline.wire import transfers

commands = typer.Typer(no_args_is_help=True, help="Studies on their way to and from other archives.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Other = Annotated[str, typer.Argument(help="AE title of a peer, or name of a DICOMweb server.")]
Studies = Annotated[list[str], typer.Argument(help="Study Instance UIDs.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Work until done when no server runs.")]


class Here(Protocol):
    """What the command works on: given by the application as the context's object."""

    @property
    def store(self) -> archive.Store: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102

    def run_jobs(self, *, quiet: bool) -> None: ...  # noqa: D102


@commands.command("list")
def list_transfers(
    ctx: typer.Context,
    state: Annotated[str, typer.Option("--state", help=f"One of {', '.join(transfers.STATES)}.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List transfers, newest first."""
    here = cast(Here, ctx.obj)
    with here.store.database.reading() as db:
        found = transfers.list_transfers(db, state=state, limit=limit, by=here.operator)
    _print(found, as_json)


@commands.command("send")
def send(
    ctx: typer.Context, other: Other, studies: Studies, as_json: AsJson = False, wait: Wait = True
) -> None:
    """Send studies to a peer or a DICOMweb server."""
    _start(ctx, "send", other, studies, as_json, wait, {})


@commands.command("retrieve")
def retrieve(
    ctx: typer.Context, other: Other, studies: Studies, as_json: AsJson = False, wait: Wait = True
) -> None:
    """Retrieve studies from a peer or a DICOMweb server."""
    _start(ctx, "retrieve", other, studies, as_json, wait, {})


@commands.command("migrate")
def migrate(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="Peer, DICOMweb server, or a folder of this machine.")],
    studies_per_hour: Annotated[
        int | None, typer.Option("--studies-per-hour", min=1, help="Ask for no more than these.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Fetch what is held already too, and compare it.")
    ] = False,
    as_json: AsJson = False,
    wait: Wait = True,
) -> None:
    """Take over all that another archive has; going on where it stood, with a report of what differs."""
    here = cast(Here, ctx.obj)
    if "/" in source or Path(source).is_dir():
        with here.store.database.transaction() as db:
            started = [transfers.start_folder(db, Path(source), by=here.operator)]
        _finish(here, started, as_json, wait)
        return
    asked = {"studies_per_hour": studies_per_hour, "verify": verify}
    options = {name: value for name, value in asked.items() if value}
    _start(ctx, "migrate", source, [], as_json, wait, options)


@commands.command("retry")
def retry(
    ctx: typer.Context,
    transfer: Annotated[str, typer.Argument(help="Id of the transfer.")],
    as_json: AsJson = False,
    wait: Wait = True,
) -> None:
    """Try a transfer again: only what did not go over."""
    here = cast(Here, ctx.obj)
    with here.store.database.transaction() as db:
        again = transfers.retry(db, transfer, by=here.operator)
    _finish(here, [again], as_json, wait)


@commands.command("cancel")
def cancel(ctx: typer.Context, transfer: Annotated[str, typer.Argument(help="Id of the transfer.")]) -> None:
    """End a transfer; what went over stays over."""
    here = cast(Here, ctx.obj)
    with here.store.database.transaction() as db:
        transfers.cancel(db, transfer, by=here.operator)
    typer.echo("Cancelled.")


@commands.command("source")
def set_source(
    ctx: typer.Context,
    other: Annotated[str, typer.Argument(help="Peer or DICOMweb server; none lists the sources.")] = "",
    on: Annotated[bool, typer.Option("--on/--off", help="Whether it is asked for earlier studies.")] = True,
) -> None:
    """Have a peer or DICOMweb server asked for earlier studies of patients, or no more."""
    here = cast(Here, ctx.obj)
    with here.store.database.transaction() as db:
        if other:
            transfers.set_source(db, other, on=on, by=here.operator)
        names = [transfers.name_of(there) for there in transfers.find_sources(db)]
    typer.echo("\n".join(names) if names else "Nobody is asked for earlier studies.")


@commands.command("report")
def report(
    ctx: typer.Context,
    transfer: Annotated[str, typer.Argument(help="Id of a migration.")],
    as_json: AsJson = False,
) -> None:
    """Print each study of a migration in which the two sides differ."""
    here, after = cast(Here, ctx.obj), ""
    while True:
        with here.store.database.reading() as db:
            page = transfers.report_of(db, transfer, after=after, limit=500, by=here.operator)
        for study in page:
            if as_json:
                typer.echo(json.dumps(asdict(study)))
            elif study.state != "done":
                counts = f"{study.missing} missing, {study.extra} extra, {study.conflicting} conflicting"
                typer.echo(f"{study.study_uid}  {study.state}: {counts}. {study.reason}".rstrip())
        if len(page) < 500:
            return
        after = page[-1].study_uid


def _start(
    ctx: typer.Context,
    kind: Any,
    other: str,
    studies: Sequence[str],
    as_json: bool,
    wait: bool,
    options: dict[str, Any],
) -> None:
    here = cast(Here, ctx.obj)
    with here.store.database.transaction() as db:
        started = transfers.start_transfers(db, kind, other, studies, by=here.operator, **options)
    _finish(here, started, as_json, wait)


def _finish(here: Here, started: Sequence[transfers.Transfer], as_json: bool, wait: bool) -> None:
    """Run what was asked for, unless a server does, and print how it stands."""
    with here.store.database.transaction() as db:
        transfers.dispatch(db, at_once=len(started))
    if wait:
        here.run_jobs(quiet=as_json)
    with here.store.database.reading() as db:
        now = [transfers.get_transfer(db, one.id) for one in started]
    _print(now, as_json)
    raise typer.Exit(1 if any(one.state == "failed" or (wait and one.error) for one in now) else 0)


def _print(found: Sequence[transfers.Transfer], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str))
        return
    for one in found:
        what = one.study_uid or "everything"
        counts = f"{one.done} of {one.total}" + (f", {one.failed} failed" if one.failed else "")
        line = f"{one.id}  {one.kind:8}  {one.state:9}  {counts}  {one.peer}  {what}  {one.error}"
        typer.echo(line.rstrip())
