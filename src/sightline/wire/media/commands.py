"""Command line of media: ``sightline import`` and ``sightline export``."""

import json
from pathlib import Path
from typing import Annotated, Any, Protocol, cast, get_args

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sightline.record import archive
from sightline.trust import access
from sightline.wire import media

commands = typer.Typer()
out = Console()
err = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Here(Protocol):
    """What the command works on: given by the application as the context's object."""

    @property
    def store(self) -> archive.Store: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102

    @property
    def media_settings(self) -> media.MediaSettings: ...  # noqa: D102

    def run_jobs(self, *, quiet: bool) -> None: ...  # noqa: D102


@commands.command("import")
def import_(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, folders or ZIPs.")],
    as_json: AsJson = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for analyses when no server runs.")
    ] = True,
) -> None:
    """Take studies in from files, folders and ZIPs; one bad file never stops the rest."""
    here = cast(Here, ctx.obj)
    summary = import_with_progress(here, paths, quiet=as_json)
    if as_json:
        out.print_json(json.dumps(summary_json(summary)))
    else:
        print_summary(summary)
    if wait:
        here.run_jobs(quiet=as_json)
    raise typer.Exit(1 if summary.refused or summary.conflicts or summary.stopped else 0)


@commands.command("export")
def export(
    ctx: typer.Context,
    study: Annotated[str, typer.Argument(help="StudyInstanceUID.")],
    target: Annotated[Path, typer.Argument(help="ZIP file to make, or folder to make and fill.")],
    form: Annotated[str, typer.Option(help="zip (the objects), dicomdir (a medium) or nifti.")] = "zip",
    as_json: AsJson = False,
) -> None:
    """Copy a study out: its objects, a medium with DICOMDIR, or its volumes as NIfTI."""
    here = cast(Here, ctx.obj)
    if form not in get_args(media.Form):
        raise typer.BadParameter("--form is zip, dicomdir or nifti.")
    if target.exists():
        raise typer.BadParameter(f"{target} exists already; name one that does not.")
    entries = media.export_study(here.store, study, cast(media.Form, form), by=here.operator)
    if target.suffix.lower() == ".zip":
        with target.open("xb") as file:
            file.writelines(media.zipped(entries))
    else:
        for entry in entries:
            path = target / entry.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.writelines(entry.chunks)
    if as_json:
        out.print_json(json.dumps({"study": study, "form": form, "target": str(target)}))
    else:
        out.print(f"Written to {target}.", highlight=False)


def import_with_progress(here: Here, paths: list[Path], *, quiet: bool) -> media.ImportSummary:
    """Import and show how it goes."""
    source = archive.Source("import", "sightline import", here.operator)
    settings = here.media_settings
    if quiet or not err.is_terminal:
        return media.import_paths(here.store, paths, source, settings=settings)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("importing", total=None)

        def tell(summary: media.ImportSummary) -> None:
            bar.update(task, description=f"{summary.seen} objects · {len(summary.refused)} refused")

        return media.import_paths(here.store, paths, source, progress=tell, settings=settings)


def summary_json(summary: media.ImportSummary) -> dict[str, Any]:
    """Return the summary of an import as JSON prints it."""
    return {
        "stored": summary.stored,
        "held": summary.held,
        "conflicts": [{"name": n, "reason": r} for n, r in summary.conflicts],
        "refused": [{"name": n, "reason": r} for n, r in summary.refused],
        "skipped": [{"name": n, "reason": r} for n, r in summary.skipped],
        "studies": summary.studies,
        "stopped": summary.stopped,
    }


def print_summary(summary: media.ImportSummary) -> None:
    """Print what an import took, held already and refused, each refusal with its reason."""
    for kind, items in (
        ("refused", summary.refused),
        ("conflict", summary.conflicts),
        ("skipped", summary.skipped),
    ):
        for name, reason in items:
            out.print(f"{kind}: {name}: {reason}", highlight=False, soft_wrap=True, markup=False)
    out.print(
        f"{summary.stored} taken, {summary.held} already held, {len(summary.conflicts)} in conflict, "
        f"{len(summary.refused)} refused, {len(summary.skipped)} skipped; {len(summary.studies)} studies.",
        highlight=False,
    )
    if summary.stopped:
        out.print(f"Stopped: {summary.stopped}", style="red", highlight=False)
