"""Command line of comparing: ``sightline change`` and ``sightline align``."""

import csv
import json
import math
from pathlib import Path
from typing import Annotated, Protocol, cast

import typer
from rich.console import Console
from rich.table import Table

from sightline.intelligence.routing._answer import ChangeAnswer, LesionAnswer, SizeAnswer
from sightline.intelligence.routing._following import Point, change_of, map_points
from sightline.intelligence.routing._mapping import write_maps
from sightline.intelligence.routing._registering import map_by, register
from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.trust import access

commands = typer.Typer()
out = Console()
err = Console(stderr=True)

MOST_POINTS = 1_000_000
NOT_COMPARED = "Nothing was compared, so no change is stated; look at the two side by side."

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Study = Annotated[str, typer.Argument(help="Study Instance UID.")]


class UnusablePoints(Invalid):
    """The points cannot be read; give LPS mm, as X,Y,Z or in a CSV file with the header ``x,y,z``."""


class Here(Protocol):
    """What the command works on: given by the application as the context's object."""

    @property
    def store(self) -> archive.Store: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102


@commands.command("change")
def show_change(
    ctx: typer.Context,
    study: Study,
    prior: Annotated[
        str | None, typer.Option(metavar="UID", help="Prior to compare with; the best one unless named.")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,Z", help="Point in a lesion of the current study, LPS mm; repeatable."),
    ] = None,
    map_to: Annotated[
        Path | None,
        typer.Option("--map", metavar="DIR", help="Also write a map of change: Parametric Maps and SEG."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what has changed since the prior: of the lesions pointed at, else of all findings."""
    here = cast(Here, ctx.obj)
    if map_to is not None:
        _write_map(here, study, prior, map_to)
    points = [_point(text.split(","), f"--at {text}") for text in at or ()]
    with err.status("comparing with the prior …"):
        found = change_of(here.store, study, prior_uid=prior, points_lps_mm=points, by=here.operator)
    answer = ChangeAnswer.of(found)
    if as_json:
        out.print_json(answer.model_dump_json())
    else:
        _print_change(answer)
    if prior is not None and answer.prior is None:  # the one that was named cannot be compared
        raise typer.Exit(1)


def _write_map(here: Here, study: str, prior: str | None, folder: Path) -> None:
    """Write the map of change, and tell on standard error what it shows: standard output is the answer's."""
    with err.status("mapping the change …"):
        state, written = write_maps(here.store, study, folder, prior_uid=prior, by=here.operator)
    err.print(f"map: {state.text}", highlight=False, soft_wrap=True)
    for line in (*state.notes, *(f"wrote {path}" for path in written)):
        err.print(f"  {line}", highlight=False, soft_wrap=True)


@commands.command("align")
def align_points(
    ctx: typer.Context,
    study: Study,
    prior: Annotated[str, typer.Argument(help="Study Instance UID of the prior.")],
    points: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Points of the study: header x,y,z, then LPS mm.")
    ] = None,
    registration: Annotated[
        Path | None,
        typer.Option(metavar="OUT.dcm", help="Write the alignment as a DICOM spatial registration."),
    ] = None,
    by: Annotated[
        Path | None,
        typer.Option(metavar="IN.dcm", help="Map by a registration from elsewhere, without aligning."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Align a study with its prior; map points, a line each, or write a DICOM registration.

    What the alignment cannot be trusted for is refused. A registration from elsewhere is applied as it is.
    """
    here = cast(Here, ctx.obj)
    if points is None and registration is None:
        raise UnusablePoints("Say what you want: --points FILE.csv, --registration OUT.dcm, or both.")
    if by is not None and (points is None or registration is not None):
        raise UnusablePoints("With --by, give --points and no --registration.")
    wanted = read_points(points) if points is not None else []
    if by is not None:
        mapped = map_by(here.store, study, prior, wanted, _bytes_of(by), by=here.operator)
        verdict = {"verdict": "not tested", "reason": "mapped by a registration from elsewhere"}
        _show_points(mapped, verdict, as_json=as_json)
        return
    with err.status("aligning with the prior …"):
        content, alignment = (
            register(here.store, study, prior, by=here.operator) if registration else (b"", None)
        )
        mapped = []
        if wanted:
            mapped, alignment = map_points(here.store, study, prior, wanted, by=here.operator)
    assert alignment is not None
    if registration:
        registration.write_bytes(content)
    _show_points(mapped, {"verdict": alignment.verdict, "reason": alignment.reason}, as_json=as_json)


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as cause:
        raise UnusablePoints(f"The registration {file.name} cannot be read.") from cause


def _show_points(mapped: list[Point], verdict: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps({"alignment": verdict, "points": mapped}))
        return
    if verdict["verdict"] != "good":
        err.print(f"{verdict['verdict']}: {verdict['reason']}", highlight=False, soft_wrap=True)
    for place in mapped:
        typer.echo(",".join(f"{value:.3f}" for value in place))


def read_points(file: Path) -> list[Point]:
    """Read points from a CSV file with the header ``x,y,z``.

    Raises
    ------
    UnusablePoints
        If the file is not there, has another header, no points, too many, or a line that is no point.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.reader(lines)
            header = [name.strip().lower() for name in next(rows, [])]
            if header != ["x", "y", "z"]:
                raise UnusablePoints("The first line of the points must be x,y,z.")
            points: list[Point] = []
            for row in rows:
                if row:
                    points.append(_point(row, f"line {rows.line_num}"))
                if len(points) > MOST_POINTS:
                    raise UnusablePoints(f"More than {MOST_POINTS:,} points; give them in several files.")
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        raise UnusablePoints(f"The points cannot be read from {file.name}; is it a CSV file?") from cause
    if not points:
        raise UnusablePoints("The file holds no points.")
    return points


def _point(parts: list[str], where: str) -> Point:
    try:
        x, y, z = (float(part) for part in parts)
    except ValueError:
        raise UnusablePoints(f"Not a point: {where}; three numbers in mm are wanted.") from None
    if not all(math.isfinite(value) for value in (x, y, z)):
        raise UnusablePoints(f"Not a point: {where}; three finite numbers in mm are wanted.")
    return x, y, z


def _print_change(answer: ChangeAnswer) -> None:
    if answer.prior is None:
        out.print(answer.why, highlight=False, soft_wrap=True)
        return
    out.print(f"prior {answer.prior}  ({answer.why})", highlight=False, soft_wrap=True)
    alignment = answer.alignment
    out.print(f"alignment {alignment.verdict}: {alignment.reason}", highlight=False, soft_wrap=True)
    if not answer.lesions:
        failed = alignment.verdict == "failed"
        out.print(NOT_COMPARED if failed else "No lesions to compare; point at one with --at X,Y,Z.")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("change", "volume, 95 % interval", "then", "now", "why"):
        table.add_column(name)
    for lesion in answer.lesions:
        sizes = {seen.study: _axes(seen) for seen in lesion.at}
        now, then = sizes.get(answer.study, ""), sizes.get(answer.prior, "")
        table.add_row(lesion.change.replace("-", " "), _percent(lesion), then, now, lesion.reason)
    out.print(table)


def _axes(seen: SizeAnswer) -> str:
    known = [f"{value:.1f}" for value in (seen.long_mm, seen.short_mm) if value is not None]
    return f"{' × '.join(known)} mm" if known else ""


def _percent(lesion: LesionAnswer) -> str:
    if lesion.percent is None:
        return ""
    low, high = lesion.interval
    if low is None or high is None:
        return f"{lesion.percent:+.0f} %"
    return f"{lesion.percent:+.0f} % ({low:+.0f} to {high:+.0f})"
