"""Command line of reporting: ``sightline report``."""

import json
from typing import Annotated, Any, Protocol, cast

import typer
from rich.console import Console

from sightline.care import reporting
from sightline.runtime.db import Database
from sightline.trust import access

commands = typer.Typer()
out = Console()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Here(Protocol):
    """What the command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102

    def run_jobs(self, *, quiet: bool) -> None: ...  # noqa: D102


@commands.command("report")
def show_report(
    ctx: typer.Context,
    study: Annotated[str, typer.Argument(help="Study Instance UID.")],
    as_json: AsJson = False,
    sign: Annotated[bool, typer.Option("--sign", help="Sign the report as it stands.")] = False,
) -> None:
    """Show the report of a study, drafted from its accepted findings; or sign it."""
    here = cast(Here, ctx.obj)
    if sign:
        with here.database.transaction() as db:
            version = reporting.open_report(db, study, by=here.operator).report.version
            reporting.sign_report(db, study, version, by=here.operator)
        here.run_jobs(quiet=as_json)
    with here.database.reading() as db:
        draft = reporting.open_report(db, study, by=here.operator)
    if as_json:
        out.print_json(json.dumps(_report_json(draft)))
        return
    report = draft.report
    for section in report.sections:
        out.print(f"[bold]{section.name}[/bold]")
        for sentence in section.sentences:
            out.print(f"  {sentence.text}", highlight=False, markup=False)
    state = f"signed by {report.signed_by_name}" if report.signed_at else "draft, not signed"
    out.print(
        f"{state}; {draft.accepted} accepted, {draft.proposed} proposed, {draft.rejected} rejected findings"
    )
    for check in draft.checks:
        out.print(f"{check.severity}: {check.message}", highlight=False, markup=False)


def _report_json(draft: reporting.Draft) -> dict[str, Any]:
    report = draft.report
    return {
        "id": report.id,
        "study": report.study_uid,
        "state": report.state.value,
        "version": report.version,
        "sections": [
            {
                "name": s.name,
                "sentences": [
                    {
                        "id": x.id,
                        "text": x.text,
                        "edited": x.edited,
                        "sources": [[b.kind, b.id] for b in x.sources],
                    }
                    for x in s.sentences
                ],
            }
            for s in report.sections
        ],
        "checks": [{"id": c.id, "severity": c.severity, "message": c.message} for c in draft.checks],
        "signed_by": report.signed_by_name,
        "signed_at": report.signed_at.isoformat() if report.signed_at else None,
        "objects": [{"kind": o.kind, "uid": o.uid, "series": o.series_uid} for o in report.objects],
    }
