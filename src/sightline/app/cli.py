"""The command `sightline`: thin commands over the same use cases as the web."""

import functools
import inspect
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

import sightline.app.registry  # noqa: F401  listeners and jobs
from sightline.app.installation import Installation, open_installation
from sightline.app.settings import load_settings
from sightline.care import reading, reporting
from sightline.intelligence import models
from sightline.kernel.dates import iso_date
from sightline.kernel.errors import NotFound, PlatformError
from sightline.record import archive, findings, timeline
from sightline.runtime import jobs, logs
from sightline.runtime.db import Database
from sightline.trust import access, audit
from sightline.trust.audit.commands import app as audit_commands
from sightline.trust.identity.commands import tokens as token_commands
from sightline.trust.identity.commands import users as user_commands
from sightline.wire import media

NOT_A_DEVICE = "Research software, not a medical device: not cleared for diagnosis."

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help=f"Sightline: open, AI-native medical imaging. {NOT_A_DEVICE}",
)
app.add_typer(audit_commands, name="audit")
app.add_typer(user_commands, name="user")
app.add_typer(token_commands, name="token")

Data = Annotated[
    str | None,
    typer.Option("--data", metavar="DIR", help="Folder of the installation; ./sightline-data unless set."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
out = Console()
err = Console(stderr=True)


@dataclass(slots=True)
class Here:
    """The installation that a command works on, opened when it is first needed."""

    _opened: list[Installation] = field(default_factory=list)
    _reads: audit.ReadLog | None = None

    @property
    def installation(self) -> Installation:
        """The installation itself."""
        if not self._opened:
            self._opened.append(open_installation())
            self._reads = audit.ReadLog(self._opened[0].database)
            audit.use(self._reads)
        return self._opened[0]

    @property
    def database(self) -> Database:
        """Its database."""
        return self.installation.database

    @property
    def operator(self) -> access.Person:
        """Who runs the command."""
        return self.installation.operator

    @property
    def folder(self) -> Path:
        """Its data folder."""
        return self.installation.folder

    def close(self) -> None:
        """Close what was opened."""
        if self._reads is not None:
            self._reads.flush()
        for installation in self._opened:
            installation.close()


@app.callback()
def start(ctx: typer.Context) -> None:
    """Prepare what every command needs."""
    logs.configure(os.environ.get("SIGHTLINE_LOG_FORMAT", "text"))
    ctx.obj = Here()
    ctx.call_on_close(ctx.obj.close)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless set.")] = None,
    http_port: Annotated[
        int | None, typer.Option(help="Port for the web app and APIs; 8600 unless set.")
    ] = None,
    dicom_port: Annotated[int | None, typer.Option(help="Port for DICOM; 11112 unless set.")] = None,
    hl7_port: Annotated[int | None, typer.Option(help="Port for HL7; nothing listens there yet.")] = None,
    database_url: Annotated[
        str | None, typer.Option(help="Database; SQLite in the data folder unless set.")
    ] = None,
    blobs_url: Annotated[
        str | None, typer.Option(help="Where images are kept; the data folder unless set.")
    ] = None,
    dicom_open: Annotated[
        bool | None, typer.Option("--dicom-open", help="Let unknown AE titles store.")
    ] = None,
) -> None:
    """Run Sightline: web app, APIs, DICOM, jobs. One process is a complete system."""
    from sightline.app import serve as serving

    _set_options(
        host=host, http_port=http_port, dicom_port=dicom_port, hl7_port=hl7_port, database_url=database_url,
        blobs_url=blobs_url, dicom_open=dicom_open,
    )  # fmt: skip
    installation = open_installation()
    link = serving.first_login(installation)

    def ready(address: str) -> None:
        out.print(
            f"Sightline is at {address}  (DICOM {installation.settings.server.dicom_port})", highlight=False
        )
        if link:
            out.print(f"Set the password of admin once at {address}{link}", highlight=False, soft_wrap=True)
        out.print(NOT_A_DEVICE, style="dim")

    serving.serve(installation, ready=ready)


@app.command()
def worker(ctx: typer.Context) -> None:
    """Run jobs only, beside servers on other machines (PostgreSQL)."""
    import signal
    import threading

    running = ctx.obj.installation.worker()
    running.start()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    out.print(f"Worker {running.id} runs jobs.", highlight=False)
    stop.wait()
    running.stop()


@app.command("import")
def import_(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, folders or ZIPs.")],
    as_json: AsJson = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for analyses when no server runs.")
    ] = True,
) -> None:
    """Take studies in from files, folders and ZIPs; one bad file never stops the rest."""
    here: Here = ctx.obj
    summary = import_with_progress(here.installation, paths, quiet=as_json)
    if as_json:
        out.print_json(json.dumps(summary_json(summary)))
    else:
        print_summary(summary)
    if wait:
        run_jobs_if_nobody_does(here.installation, quiet=as_json)
    raise typer.Exit(1 if summary.refused or summary.conflicts or summary.stopped else 0)


def import_with_progress(
    installation: Installation, paths: list[Path], *, quiet: bool
) -> media.ImportSummary:
    """Import and show how it goes."""
    source = archive.Source("import", "sightline import", installation.operator)
    settings = installation.settings.media
    if quiet:
        return media.import_paths(installation.store, paths, source, settings=settings)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("importing", total=None)

        def tell(summary: media.ImportSummary) -> None:
            bar.update(task, description=f"{summary.seen} objects · {len(summary.refused)} refused")

        return media.import_paths(installation.store, paths, source, progress=tell, settings=settings)


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


def run_jobs_if_nobody_does(installation: Installation, *, quiet: bool = False) -> None:
    """Run what is queued, unless a server of this installation does."""
    running = installation.worker()
    if not installation.database.is_sqlite and jobs.has_living_worker(installation.database):
        return
    try:
        running.start()
    except jobs.WorkerAlreadyRunning:
        return
    try:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=err, transient=True, disable=quiet) as bar:
            bar.add_task("analysing", total=None)
            running.drain()
    finally:
        running.stop()


@app.command("timeline")
def show_timeline(
    ctx: typer.Context,
    patient: Annotated[str, typer.Argument(help="Patient ID, or the opaque id.")],
    as_json: AsJson = False,
) -> None:
    """Show a patient through time: studies, lesions, what has changed."""
    here: Here = ctx.obj
    with here.database.reading() as db:
        held = _find_patient(db, patient)
        studies, found, comparisons = reading.timeline_of(db, held, by=here.operator)
    changes = {c.current: c for comparison in comparisons for c in comparison.changes}
    if as_json:
        out.print_json(json.dumps(_timeline_json(studies, found, changes), default=_plain))
        return
    _print_timeline(studies, found, changes)


def _find_patient(db: Any, patient: str) -> str:
    held = archive.find_patient(db, patient)
    if held is not None:
        return held.id
    return archive.get_patient(db, patient).id


def _timeline_json(
    studies: list[archive.Study], found: list[findings.Finding], changes: dict[str | None, timeline.Change]
) -> dict[str, Any]:
    return {
        "patient": studies[0].patient if studies else None,
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
            for s in studies
        ],
    }


def _quantity(quantity: Any) -> dict[str, Any]:
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


def _print_timeline(
    studies: list[archive.Study], found: list[findings.Finding], changes: dict[str | None, timeline.Change]
) -> None:
    for study in studies:
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


@app.command("report")
def show_report(
    ctx: typer.Context,
    study: Annotated[str, typer.Argument(help="Study Instance UID.")],
    as_json: AsJson = False,
    sign: Annotated[bool, typer.Option("--sign", help="Sign the report as it stands.")] = False,
) -> None:
    """Show the report of a study, drafted from its accepted findings; or sign it."""
    here: Here = ctx.obj
    if sign:
        with here.database.transaction() as db:
            version = reporting.open_report(db, study, by=here.operator).report.version
            reporting.sign_report(db, study, version, by=here.operator)
        run_jobs_if_nobody_does(here.installation, quiet=as_json)
    with here.database.reading() as db:
        draft = reporting.open_report(db, study, by=here.operator)
    if as_json:
        out.print_json(json.dumps(_report_json(draft), default=_plain))
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
        "signed_at": report.signed_at,
        "objects": [{"kind": o.kind, "uid": o.uid, "series": o.series_uid} for o in report.objects],
    }


@app.command("models")
def list_models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the installed models with what must be known of them."""
    cards = {name: model.card for name, model in models.models}
    if as_json:
        out.print_json(
            json.dumps({name: {f: getattr(card, f) for f in card.__slots__} for name, card in cards.items()})
        )
        return
    for name, card in cards.items():
        out.print(f"[bold]{name}[/bold] {card.version}  {card.modality}  {card.regulatory_status}")
        for label in ("intended_use", "not_for", "method", "evidence", "licence"):
            out.print(f"  {label.replace('_', ' ')}: {getattr(card, label)}", highlight=False)


@app.command()
def demo(
    ctx: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Walk the main job over HTTP, print a line a step.")
    ] = False,
    http_port: Annotated[int | None, typer.Option(help="Port for the web app; 8600 unless set.")] = None,
    dicom_port: Annotated[int | None, typer.Option(help="Port for DICOM; 11112 unless set.")] = None,
) -> None:
    """Fill an empty installation with a small set of real and simulated studies, start it, stay up."""
    from sightline.app.demo import check as checking
    from sightline.app.demo import load
    from sightline.app.serve import serve as serve_until_stopped

    if check:
        raise typer.Exit(checking.run(data=os.environ.get("SIGHTLINE_DATA")))
    _set_options(http_port=http_port, dicom_port=dicom_port)
    if "SIGHTLINE_DATA" not in os.environ:
        os.environ["SIGHTLINE_DATA"] = "./sightline-demo"
    installation = open_installation()
    loaded = load.fill(installation, tell=lambda line: err.print(line, highlight=False))
    password = load.prepare_logins(installation)

    def ready(address: str) -> None:
        out.print(f"\nSightline is at [bold]{address}[/bold]", highlight=False)
        out.print(
            f"Log in as [bold]{load.READER}[/bold] with password [bold]{password}[/bold]", highlight=False
        )
        out.print(
            f"(the administrator is [bold]admin[/bold], same password; {loaded} studies loaded)",
            highlight=False,
        )
        out.print("The patient named SIMULATED is computed, not scanned. " + NOT_A_DEVICE, style="dim")
        out.print("Stop with Ctrl-C.", style="dim")

    serve_until_stopped(installation, ready=ready)


def _set_options(**options: Any) -> None:
    """Give options of the command line the same names that the environment has."""
    for name, value in options.items():
        if value is not None:
            os.environ[f"SIGHTLINE_{name.upper()}"] = str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _take_data_option(commands: typer.Typer) -> None:
    """Give every command ``--data DIR``, which names the installation before it is opened."""
    for registered in commands.registered_commands:
        if registered.callback is not None:
            registered.callback = _with_data(registered.callback)
    for group in commands.registered_groups:
        if group.typer_instance is not None:
            _take_data_option(group.typer_instance)


def _with_data(work: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(work)
    def command(*args: Any, data: str | None = None, **kwargs: Any) -> Any:
        if data is not None:
            os.environ["SIGHTLINE_DATA"] = data
        return work(*args, **kwargs)

    signature = inspect.signature(work, eval_str=True)
    option = inspect.Parameter("data", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Data)
    command.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    command.__annotations__ = {**work.__annotations__, "data": Data}
    return command


_take_data_option(app)


def main() -> None:
    """Run the command line: refusals become one line and exit code 1."""
    try:
        load_settings()
        app()
    except PlatformError as error:
        err.print(f"sightline: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2 if isinstance(error, NotFound) else 1)
