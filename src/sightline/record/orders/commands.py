"""Command line of orders: ``sightline order …``."""

import json
from datetime import datetime
from typing import Annotated, Protocol, cast

import typer
from rich.console import Console
from rich.table import Table

from sightline.kernel.dates import iso_date
from sightline.kernel.names import display_name
from sightline.record import orders
from sightline.record.orders.routes import view_of, wall_clock
from sightline.runtime.db import Database
from sightline.trust import access

commands = typer.Typer(no_args_is_help=True, help="Orders, and what modalities are offered of them.")
out = Console()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Here(Protocol):
    """What the command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102


@commands.command("list")
def list_orders(
    ctx: typer.Context,
    status: Annotated[str, typer.Option(help="A state such as scheduled, or open; none means all.")] = "",
    text: Annotated[
        str, typer.Option("--search", help="Beginning of the name, or patient ID or accession number.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List orders, newest first."""
    here = cast(Here, ctx.obj)
    query = orders.OrderQuery(text=text, status=status)
    with here.database.reading() as db:
        page = orders.find_orders(db, query, limit=limit, by=here.operator)
    if as_json:
        items = [view_of(order).model_dump(mode="json") for order in page.items]
        out.print_json(json.dumps({"items": items, "next": page.next}))
        return
    table = Table("order", "accession", "patient", "procedure", "first step", "station", "state", box=None)
    for order in page.items:
        first = order.steps[0]
        table.add_row(
            order.id, order.accession, f"{display_name(order.subject.name)} {order.subject.patient_id}",
            order.procedure.description, f"{iso_date(first.date)} {first.time[:2]}:{first.time[2:4]}",
            first.station_ae, order.status.value,
        )  # fmt: skip
    out.print(table)


@commands.command("add")
def add_order(  # noqa: PLR0917  each is an option of the command
    ctx: typer.Context,
    patient_id: Annotated[str, typer.Option(help="Patient ID.")],
    name: Annotated[str, typer.Option(help="Patient's name as DICOM writes it: Family^Given.")],
    modality: Annotated[str, typer.Option(help="CT, MR, …")],
    at: Annotated[datetime, typer.Option(help="When, by the clock of the site.")],
    procedure: Annotated[str, typer.Option(help="What is to be done.")] = "",
    station: Annotated[str, typer.Option(help="AE title of the scanner; none means any of its kind.")] = "",
    birth_date: Annotated[str, typer.Option(help="YYYYMMDD.")] = "",
    sex: Annotated[str, typer.Option(help="M, F or O.")] = "",
    issuer: Annotated[str, typer.Option(help="Who gave the patient ID.")] = "",
    accession: Annotated[str, typer.Option(help="Accession number; none means a new one.")] = "",
    referring: Annotated[str, typer.Option(help="Referring physician: Family^Given.")] = "",
    indication: Annotated[str, typer.Option(help="Why it is wanted.")] = "",
    priority: Annotated[
        orders.Priority, typer.Option(help="How soon it is wanted.")
    ] = orders.Priority.ROUTINE,
    as_json: AsJson = False,
) -> None:
    """Enter an order with one step; it is on the modality's worklist at once."""
    here = cast(Here, ctx.obj)
    date, time = wall_clock(at)
    wanted = orders.Wanted(
        subject=orders.Subject(patient_id, name, issuer, birth_date, sex),
        procedure=orders.Procedure("", procedure),
        steps=[orders.Step("", modality, station, date, time, description=procedure)],
        accession=accession,
        referring=referring,
        priority=priority,
        indication=indication,
    )
    with here.database.transaction() as db:
        order = orders.enter_order(db, wanted, origin="command", by=here.operator)
    if as_json:
        out.print_json(view_of(order).model_dump_json())
    else:
        out.print(f"Entered {order.id} with accession number {order.accession}.", highlight=False)


@commands.command("cancel")
def cancel_order(
    ctx: typer.Context,
    order_id: Annotated[str, typer.Argument(metavar="ORDER", help="Its id, as `order list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Cancel what of an order has not begun."""
    here = cast(Here, ctx.obj)
    with here.database.transaction() as db:
        order = orders.cancel_order(db, order_id, by=here.operator)
    if as_json:
        out.print_json(view_of(order).model_dump_json())
    else:
        out.print(f"The order is {order.status.value}.", highlight=False)
