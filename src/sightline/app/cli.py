"""The command `sightline`: thin commands over the same use cases as the web."""

import functools
import inspect
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import sightline.app.registry  # noqa: F401  listeners and jobs
from sightline.app.backup import commands as backup_commands
from sightline.app.installation import Installation, open_installation
from sightline.app.settings import load_settings
from sightline.care.hanging.commands import commands as hanging_commands
from sightline.care.reporting.commands import commands as report_commands
from sightline.care.response.commands import commands as response_commands
from sightline.care.timeline.commands import commands as timeline_commands
from sightline.intelligence.models.commands import commands as model_commands
from sightline.intelligence.routing.commands import commands as change_commands
from sightline.kernel.errors import NotFound, PlatformError
from sightline.record import archive
from sightline.record.archive.commands import commands as archive_commands
from sightline.record.archive.commands import doctors as doctor_commands
from sightline.record.orders.commands import commands as order_commands
from sightline.record.upkeep.commands import commands as upkeep_commands
from sightline.record.upkeep.settings import UpkeepSettings
from sightline.runtime import jobs, logs
from sightline.runtime.db import Database
from sightline.trust import access, audit
from sightline.trust.audit.commands import app as audit_commands
from sightline.trust.identity.commands import tokens as token_commands
from sightline.trust.identity.commands import users as user_commands
from sightline.wire.dimse.commands import commands as asking_commands
from sightline.wire.fhir.commands import commands as event_commands
from sightline.wire.media.commands import commands as import_commands
from sightline.wire.media.settings import MediaSettings
from sightline.wire.peers.commands import commands as peer_commands
from sightline.wire.priors.commands import commands as prior_commands
from sightline.wire.transfers.commands import commands as transfer_commands

NOT_A_DEVICE = "Research software, not a medical device: not cleared for diagnosis."

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help=f"Sightline: open, AI-native medical imaging. {NOT_A_DEVICE}",
)
for own in (
    import_commands, event_commands, timeline_commands, prior_commands, change_commands, report_commands,
    response_commands, model_commands, backup_commands,
):  # fmt: skip
    app.registered_commands += own.registered_commands
app.registered_commands += doctor_commands.registered_commands
app.add_typer(archive_commands, name="archive")
app.add_typer(audit_commands, name="audit")
app.add_typer(hanging_commands, name="hanging")
app.add_typer(order_commands, name="order")
app.add_typer(user_commands, name="user")
app.add_typer(token_commands, name="token")
peer_commands.registered_commands += asking_commands.registered_commands
app.add_typer(peer_commands, name="peer")
app.add_typer(transfer_commands, name="transfer")
app.add_typer(upkeep_commands, name="upkeep")

Data = Annotated[
    str | None,
    typer.Option("--data", metavar="DIR", help="Folder of the installation; ./sightline-data unless set."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
out = Console()
err = Console(stderr=True)


# What a new installation may begin with, besides `serve` and `demo`; all else asks for one that is there.
MAKING = frozenset({"import", "user", "token", "worker"})


@dataclass(slots=True)
class Here:
    """The installation that a command works on, opened when it is first needed, and made if it `makes`."""

    makes: bool
    _opened: list[Installation] = field(default_factory=list)
    _reads: audit.ReadLog | None = None

    @property
    def installation(self) -> Installation:
        """The installation itself."""
        if not self._opened:
            self._opened.append(open_installation(make=self.makes))
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

    @property
    def store(self) -> archive.Store:
        """Its archive."""
        return self.installation.store

    @property
    def media_settings(self) -> MediaSettings:
        """What an import may take in."""
        return self.installation.settings.media

    @property
    def upkeep_settings(self) -> UpkeepSettings:
        """How what is stored is looked after."""
        return self.installation.settings.upkeep

    def run_jobs(self, *, quiet: bool) -> None:
        """Run what is queued, unless a server of this installation does."""
        installation = self.installation
        running = installation.worker()
        if not installation.database.is_sqlite and jobs.has_living_worker(installation.database):
            return
        try:
            running.start()
        except jobs.WorkerAlreadyRunning:
            return
        try:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as bar:
                bar.add_task("analysing", total=None)
                running.drain()
        finally:
            running.stop()

    def close(self) -> None:
        """Close what was opened."""
        if self._reads is not None:
            self._reads.flush()
        for installation in self._opened:
            # A trail that is broken is for `audit verify` to tell; no command may hide or mend it.
            with suppress(audit.TrailBroken):
                installation.seal().sign()
            installation.close()


@app.callback()
def start(ctx: typer.Context) -> None:
    """Prepare what every command needs."""
    logs.configure(os.environ.get("SIGHTLINE_LOG_FORMAT", "text"))
    ctx.obj = Here(ctx.invoked_subcommand in MAKING)
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
    logs.configure(os.environ.get("SIGHTLINE_LOG_FORMAT", "text"), logging.WARNING)
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
        out.print(f"Commands find it with [bold]--data {_shown(installation.folder)}[/bold]", highlight=False)
        out.print("The patient named SIMULATED is computed, not scanned. " + NOT_A_DEVICE, style="dim")
        out.print("Stop with Ctrl-C.", style="dim")

    serve_until_stopped(installation, ready=ready)


def _shown(folder: Path) -> str:
    """Return a folder as it is typed from here."""
    return f"./{folder.relative_to(Path.cwd())}" if folder.is_relative_to(Path.cwd()) else str(folder)


def _set_options(**options: Any) -> None:
    """Give options of the command line the same names that the environment has."""
    for name, value in options.items():
        if value is not None:
            os.environ[f"SIGHTLINE_{name.upper()}"] = str(value)


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
