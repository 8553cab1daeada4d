"""Command line of tumour response: ``sightline response``."""

from typing import Annotated, Protocol, cast

import typer
from rich.console import Console
from rich.table import Table

from sightline.care import response
from sightline.care.response._views import ResponseView, view_of
from sightline.record import archive
from sightline.runtime.db import Database
from sightline.trust import access

commands = typer.Typer()
out = Console()


class Here(Protocol):
    """What the command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102


@commands.command("response")
def show_response(
    ctx: typer.Context,
    patient: Annotated[str, typer.Argument(help="Patient ID, or the opaque id.")],
    criterion: Annotated[
        str | None, typer.Option("--criterion", help="Such as recist-1.1; none takes the kept one.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option("--issuer", help='Issuer of the ID, where several use it; "" is none.')
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a patient's tumour response by a criterion, with the reason of each category: a draft."""
    here = cast(Here, ctx.obj)
    with here.database.reading() as db:
        held = archive.get_patient_called(db, patient, issuer)
        opened = response.open_response(db, held.id, by=here.operator, criterion=criterion)
    view = view_of(opened)
    if as_json:
        out.print_json(view.model_dump_json())
        return
    whose = f"Patient {held.patient_id}, issuer {held.issuer or 'not stated'}"
    out.print(whose, highlight=False, markup=False)
    _print(view)


def _print(view: ResponseView) -> None:
    state = "kept" if view.kept else "proposed, not kept by anyone"
    tag = "  SIMULATED" if view.simulated else ""
    table = Table(title=f"{view.criterion.title}: draft, {state}{tag}", title_justify="left", box=None)
    for name in ("date", "category", "sum", "from baseline", "from nadir", "within measurement error"):
        table.add_column(name)
    for point in view.points:
        table.add_row(
            point.date.isoformat(),
            point.category or "",
            "" if point.value is None else f"{point.value:.1f} {point.unit}",
            _percent(point.change_percent),
            _percent(point.nadir_change_percent),
            " or ".join(point.plausible),
        )
    out.print(table)
    for point in view.points[1:]:
        for reason in point.reasons:
            doubt = "" if reason.confirmed else "; unconfirmed"
            words = f"{point.date.isoformat()}  {reason.compared}: {reason.outcome} [{reason.source}{doubt}]"
            out.print(words, highlight=False, markup=False)
    if view.best:
        out.print(f"best response {view.best.category}; a reader decides", highlight=False)
    for words in (*view.remarks, *view.reasons, *([view.problem] if view.problem else [])):
        out.print(words, highlight=False, markup=False)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:+.1f} %"
