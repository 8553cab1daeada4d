"""Command line of FHIR: ``sightline import-events``."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Protocol, cast

import typer
from rich.console import Console

from sightline.record import archive, chart
from sightline.runtime.db import Database, Db
from sightline.trust import access
from sightline.wire.fhir._events import Known, NotABundle, read_events

commands = typer.Typer()
out = Console()
MOST_BYTES = 256 * 2**20

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Here(Protocol):
    """What the command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102


@commands.command("import-events")
def import_events(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="FHIR R4 Bundle in JSON.")],
    patient: Annotated[str, typer.Option(help="Patient ID, or the opaque id of the patient's page.")],
    issuer: Annotated[
        str, typer.Option(help="Identifier system of the file that the patient ID is of, a URI.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Take treatments and laboratory values of a patient from a FHIR Bundle; again, only what differs."""
    here = cast(Here, ctx.obj)
    if file.stat().st_size > MOST_BYTES:
        raise NotABundle(f"The file is larger than {MOST_BYTES >> 20} MiB; export less at a time.")
    data = file.read_bytes()
    with here.database.transaction() as db:
        held = _find_patient(db, patient)
        read = read_events(data, Known(held.patient_id, held.issuer, issuer))
        sha256 = hashlib.sha256(data).hexdigest()
        taken = chart.take_in(db, held.id, read.found, by=here.operator, source_sha256=sha256)
    if as_json:
        out.print_json(json.dumps({"patient": held.id, **asdict(taken), "left": read.left}))
        return
    out.print(
        f"{taken.added} added, {taken.changed} changed, {taken.unchanged} as before, "
        f"{taken.left_removed} left removed.",
        highlight=False,
    )
    for reason, count in read.left.items():
        out.print(f"  {count} left: {reason}", highlight=False, markup=False)


def _find_patient(db: Db, patient: str) -> archive.Patient:
    called = archive.patients_called(db, patient)
    if len(called) > 1:
        raise archive.SeveralPatients(
            "Patients of several issuers have this ID; name the one meant by the opaque id of its page."
        )
    return called[0] if called else archive.get_patient(db, patient)
