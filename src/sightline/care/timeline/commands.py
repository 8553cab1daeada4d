"""Command line of the patient's page: ``sightline timeline``."""

import json
from typing import Annotated, Any, Protocol, cast

import typer
from rich.console import Console
from rich.table import Table

from sightline.care.timeline import Course, course_of
from sightline.kernel.dates import iso_date
from sightline.kernel.quantities import Quantity
from sightline.record import archive, findings, timeline
from sightline.runtime.db import Database
from sightline.trust import access

commands = typer.Typer()
out = Console()

Found = list[findings.Finding]
Changes = dict[str | None, timeline.Change]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Here(Protocol):
    """What the command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102


@commands.command("timeline")
def show_timeline(
    ctx: typer.Context,
    patient: Annotated[str, typer.Argument(help="Patient ID, or the opaque id.")],
    issuer: Annotated[
        str | None, typer.Option("--issuer", help='Issuer of the ID, where several use it; "" is none.')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a patient through time: studies, lesions, what has changed."""
    here = cast(Here, ctx.obj)
    with here.database.reading() as db:
        held = archive.get_patient_called(db, patient, issuer)
        course = course_of(db, held.id, by=here.operator)
        found = findings.of_patient(db, course.patient.id)
    changes = {c.current: c for comparison in course.comparisons for c in comparison.changes}
    if as_json:
        out.print_json(json.dumps(_timeline_json(course, found, changes)))
        return
    whose = f"Patient {held.patient_id}, issuer {held.issuer or 'not stated'}"
    out.print(whose, highlight=False, markup=False)
    _print_timeline(course, found, changes)


def _timeline_json(course: Course, found: Found, changes: Changes) -> dict[str, Any]:
    return {
        "patient": course.patient.id,
        "studies": [
            {
                "study": s.uid,
                "date": iso_date(s.date),
                "exam": timeline.exam_of(s),
                "images": s.image_count,
                "simulated": s.simulated,
                "findings": [
                    {
                        "id": f.id,
                        "tracking_uid": f.lesion,
                        "label": f.label,
                        "state": f.state.value,
                        "centre_lps_mm": f.centre_lps_mm,
                        "values": {n: _quantity(q) for n, q in f.values.items()},
                        "change": _change_json(changes.get(f.id)),
                    }
                    for f in found
                    if f.study_uid == s.uid
                ],
            }
            for s in course.studies
        ],
    }


def _quantity(quantity: Quantity) -> dict[str, Any]:
    return {name: getattr(quantity, name) for name in ("value", "unit", "low", "high", "method")}


def _change_json(change: timeline.Change | None) -> dict[str, Any] | None:
    if change is None:
        return None
    names = (
        "kind",
        "percent",
        "low",
        "high",
        "doubling_days",
        "doubling_low",
        "doubling_high",
        "text",
        "reason",
    )
    return {name: getattr(change, name) for name in names}


def _print_timeline(course: Course, found: Found, changes: Changes) -> None:
    for study in course.studies:
        tag = "  SIMULATED" if study.simulated else ""
        title = f"{iso_date(study.date)}  {timeline.exam_of(study)}  {study.image_count} images{tag}"
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        for name in ("#", "lesion", "state", "size", "volume, 95 % interval", "since the prior"):
            table.add_column(name)
        for finding in (f for f in found if f.study_uid == study.uid):
            change = changes.get(finding.id)
            volume, long_axis = finding.values.get("volume"), finding.values.get("long_axis")
            table.add_row(
                str(finding.number),
                finding.label,
                finding.state.value,
                f"{long_axis.value:.1f} mm" if long_axis else "",
                f"{volume.value:.0f} mm³ ({volume.low or 0:.0f} to {volume.high or 0:.0f})" if volume else "",
                change.text if change else "",
            )
        out.print(table)
