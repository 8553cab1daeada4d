"""Command line of upkeep: ``sightline upkeep scrub``, ``transcode``, ``cold-copy``, ``status``."""

import json
from dataclasses import asdict
from typing import Annotated, Protocol, cast

import typer

from sightline.record import archive, upkeep
from sightline.trust import access

commands = typer.Typer(no_args_is_help=True, help="What is stored, proved and copied over the years.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Work until done when no server runs.")]


class Here(Protocol):
    """What the command works on: given by the application as the context's object."""

    @property
    def store(self) -> archive.Store: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102

    @property
    def upkeep_settings(self) -> upkeep.UpkeepSettings: ...  # noqa: D102

    def run_jobs(self, *, quiet: bool) -> None: ...  # noqa: D102


@commands.command("scrub")
def scrub(ctx: typer.Context, as_json: AsJson = False, wait: Wait = True) -> None:
    """Read every object and hold it against its hash; mend it from the second copy where there is one."""
    _run(cast(Here, ctx.obj), "scrub", as_json, wait)


@commands.command("transcode")
def transcode(ctx: typer.Context, as_json: AsJson = False, wait: Wait = True) -> None:
    """Make lossless HTJ2K copies to serve from, for the modalities that the settings name."""
    _run(cast(Here, ctx.obj), "transcode", as_json, wait)


@commands.command("cold-copy")
def cold_copy(ctx: typer.Context, as_json: AsJson = False, wait: Wait = True) -> None:
    """Copy every object that has no second copy to the second store, and prove each copy."""
    _run(cast(Here, ctx.obj), "cold-copy", as_json, wait)


@commands.command("status")
def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show how the tasks stand, and what is not as it should be."""
    here = cast(Here, ctx.obj)
    with here.store.database.reading() as db:
        runs = upkeep.list_tasks(db, by=here.operator)
        damages = upkeep.list_damages(db, by=here.operator)
    if as_json:
        found = {"tasks": [asdict(run) for run in runs], "damages": [asdict(one) for one in damages]}
        typer.echo(json.dumps(found, default=str))
        return
    for run in runs:
        _print(run)
    for one in damages:
        typer.echo(f"{one.kind}: instance {one.sop_uid} of study {one.study}, found {one.at:%Y-%m-%d %H:%M}")


def _run(here: Here, task: str, as_json: bool, wait: bool) -> None:
    with here.store.database.transaction() as db:
        upkeep.start_task(db, task, here.upkeep_settings, by=here.operator)
    if wait:
        here.run_jobs(quiet=as_json)
    with here.store.database.reading() as db:
        run = next(r for r in upkeep.list_tasks(db, by=here.operator) if r.task == task)
    if as_json:
        typer.echo(json.dumps(asdict(run), default=str))
    else:
        _print(run)
    raise typer.Exit(1 if run.state == "failed" or run.found > run.repaired else 0)


def _print(run: upkeep.TaskRun) -> None:
    counts = f"{run.done} of {run.total} objects, {run.found} harmed, {run.repaired} mended"
    typer.echo(f"{run.task:10} {run.state:8} {counts}. {run.error}".rstrip())
