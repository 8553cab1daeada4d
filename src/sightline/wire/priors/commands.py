"""Command line of priors held elsewhere: ``sightline priors STUDY``."""

import json
from dataclasses import asdict
from typing import Annotated, Protocol, cast

import typer

from sightline.kernel.dates import iso_date
from sightline.record import archive
from sightline.trust import access
from sightline.wire import priors, transfers

commands = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Work until done when no server runs.")]


class Here(Protocol):
    """What the command works on: given by the application as the context's object."""

    @property
    def store(self) -> archive.Store: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102

    def run_jobs(self, *, quiet: bool) -> None: ...  # noqa: D102


@commands.command("priors")
def show_priors(
    ctx: typer.Context,
    study: Annotated[str, typer.Argument(help="Study Instance UID, held or ordered.")],
    search: Annotated[
        bool, typer.Option("--search", help="Ask the sources now, and fetch the best.")
    ] = False,
    take: Annotated[
        str, typer.Option("--take", help="An earlier study to fetch and give to the patient, by its UID.")
    ] = "",
    dismiss: Annotated[
        str, typer.Option("--dismiss", help="An earlier study that is not the patient's, by its UID.")
    ] = "",
    as_json: AsJson = False,
    wait: Wait = True,
) -> None:
    """Show the earlier studies of a patient that other archives hold: what comes, and what needs a person."""
    here = cast(Here, ctx.obj)
    with here.store.database.transaction() as db:
        if search:
            priors.request_search(db, study, "person", priors.PriorSettings(), by=here.operator)
        if take:
            priors.take_prior(db, study, take, by=here.operator)
        if dismiss:
            priors.dismiss_prior(db, study, dismiss, by=here.operator)
    if wait and (search or take):
        _work(here, quiet=as_json)
    with here.store.database.reading() as db:
        known = priors.elsewhere_of(db, study, by=here.operator)
    if as_json:
        typer.echo(json.dumps(asdict(known) | {"text": known.text}, default=str))
    else:
        _print(known)


def _work(here: Here, *, quiet: bool) -> None:
    """Run the questions, then the transfers that they led to, unless a server does."""
    here.run_jobs(quiet=quiet)
    with here.store.database.transaction() as db:
        begun = transfers.dispatch(db, at_once=1)
    if begun:
        here.run_jobs(quiet=quiet)


def _print(known: priors.Elsewhere) -> None:
    for asked in known.searches:
        told = f"told of {asked.found}" if asked.state == "answered" else asked.error or "is being asked"
        typer.echo(f"{asked.source:16}  {asked.state:8}  {told}")
    for one in known.finds:
        find = one.find
        counts = f" {one.done} of {one.total} images" if find.state == "coming" else ""
        reason = " · ".join(part for part in (find.reason, find.why, one.error) if part)
        what = f"{iso_date(find.date)}  {find.modality:6}  {find.exam}"
        typer.echo(f"{find.state + counts:24}  {find.source:16}  {what}  {find.prior_uid}  {reason}".rstrip())
    typer.echo(known.text or ("Nothing is under way." if known.searches else "No source was asked."))
