"""Command line of the archive's keeping: ``sightline archive …`` and ``sightline doctor``."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Protocol, cast

import typer

from sightline.kernel import clock
from sightline.kernel.errors import Invalid
from sightline.record import archive
from sightline.runtime.db import Database
from sightline.trust import access

commands = typer.Typer(no_args_is_help=True, help="What is held: search, correct, reject, restore, hold.")

doctors = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Study = Annotated[str, typer.Argument(help="Study Instance UID.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept with the act.")]
SeriesOption = Annotated[list[str] | None, typer.Option("--series", help="Series Instance UID; repeatable.")]
IssuerOption = Annotated[str | None, typer.Option("--issuer", help='Issuer of the ID; "" is none.')]
InstanceOption = Annotated[list[str] | None, typer.Option("--instance", help="SOP Instance UID; repeatable.")]


class Installation(Protocol):
    """What a command works on: given by the application as the context's object."""

    @property
    def database(self) -> Database: ...  # noqa: D102

    @property
    def store(self) -> archive.Store: ...  # noqa: D102

    @property
    def operator(self) -> access.Person: ...  # noqa: D102


def _here(ctx: typer.Context) -> Installation:
    return cast(Installation, ctx.obj)


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, default=_plain, ensure_ascii=False))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


@commands.command("search")
def search(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="Words of names, IDs, accession numbers, descriptions.")] = "",
    modality: Annotated[str, typer.Option("--modality", help="Modality, such as CT.")] = "",
    label: Annotated[str, typer.Option("--label", help="Label.")] = "",
    since: Annotated[str, typer.Option("--since", help="First study date, YYYYMMDD.")] = "",
    until: Annotated[str, typer.Option("--until", help="Last study date, YYYYMMDD.")] = "",
    state: Annotated[str, typer.Option("--state", help="arriving, incomplete or held.")] = "",
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Most to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List studies, newest first."""
    if state not in {"", "arriving", "incomplete", "held"}:
        raise Invalid("--state is arriving, incomplete or held.")
    here = _here(ctx)
    wanted = archive.Listing(text, modality, since, until, label, cast(Any, state))
    with here.database.reading() as db:
        found = archive.list_studies(db, wanted, by=here.operator, limit=limit)
    if as_json:
        _print([asdict(item) for item in found])
        return
    for item in found:
        s = item.study
        short = f"  {item.missing} missing" if item.missing else ""
        marks = "".join(f"  [{label}]" for label in item.labels) + ("  on hold" if item.on_hold else "")
        typer.echo(
            f"{s.date}  {'/'.join(s.modalities):8} {s.uid}  {s.instance_count:>6} objects"
            f"  {s.patient_id}  {s.name}  {s.description}{short}{marks}".rstrip()
        )


@commands.command("correct")
def correct(
    ctx: typer.Context,
    study: Study,
    changes: Annotated[list[str], typer.Argument(help="KEYWORD=VALUE; KEYWORD= empties, KEYWORD- removes.")],
    series: Annotated[str, typer.Option("--series", help="Change this series only.")] = "",
    reason: Why = "",
) -> None:
    """Change attributes of a study, its patient, or one of its series."""
    here = _here(ctx)
    wanted = dict(_change(text) for text in changes)
    with here.database.transaction() as db:
        if series:
            made = archive.edit_series(db, series, wanted, reason=reason, by=here.operator)
        else:
            made = archive.edit_study(db, study, wanted, reason=reason, by=here.operator)
    _tell(made)


def _change(text: str) -> tuple[str, str | None]:
    keyword, equals, value = text.partition("=")
    if equals:
        return keyword, value
    if not text.endswith("-"):
        raise Invalid(f"{text[:64]!r} is no change; write KEYWORD=VALUE, or KEYWORD- to remove it.")
    return text.removesuffix("-"), None


def _tell(made: archive.Correction) -> None:
    typer.echo(f"Correction {made.id}: {made.summary}. Undo it with: sightline archive undo {made.id}")


@commands.command("undo")
def undo(ctx: typer.Context, correction: Annotated[int, typer.Argument(help="Its number.")]) -> None:
    """Undo a correction."""
    here = _here(ctx)
    with here.database.transaction() as db:
        made = archive.undo(db, correction, by=here.operator)
    typer.echo(f"Undone: {made.summary}.")


@commands.command("corrections")
def corrections(ctx: typer.Context, study: Study, as_json: AsJson = False) -> None:
    """List the corrections of a study, oldest first."""
    here = _here(ctx)
    access.require(here.operator, "archive.read", on=study)
    with here.database.reading() as db:
        found = archive.corrections_of(db, study)
    if as_json:
        _print([asdict(c) | {"summary": c.summary} for c in found])
        return
    for c in found:
        undone = "  (undone)" if c.undone_at else ""
        typer.echo(f"{c.id:>6}  {c.at:%Y-%m-%d %H:%M}  {c.author_name}: {c.summary}. {c.reason}{undone}")


@commands.command("merge")
def merge(
    ctx: typer.Context,
    patient: Annotated[str, typer.Argument(help="Patient ID that was wrong.")],
    into: Annotated[str, typer.Argument(help="Patient ID of the same person that stays.")],
    issuer: IssuerOption = None,
    into_issuer: Annotated[str | None, typer.Option("--into-issuer", help="Of the ID that stays.")] = None,
    reason: Why = "",
) -> None:
    """Say that two patients are one."""
    here = _here(ctx)
    with here.database.transaction() as db:
        old = archive.get_patient_called(db, patient, issuer)
        new = archive.get_patient_called(db, into, into_issuer)
        made = archive.merge_patients(db, old.id, new.id, reason=reason, by=here.operator)
    _tell(made)


@commands.command("move")
def move(
    ctx: typer.Context,
    study: Study,
    patient: Annotated[str, typer.Argument(help="Patient ID of whom the study is.")],
    issuer: Annotated[str, typer.Option("--issuer", help="Issuer of the ID.")] = "",
    name: Annotated[str, typer.Option("--name", help="Name, as DICOM writes it, of a new patient.")] = "",
    birth_date: Annotated[str, typer.Option("--birth-date", help="YYYYMMDD, of a new patient.")] = "",
    sex: Annotated[str, typer.Option("--sex", help="M, F or O, of a new patient.")] = "",
    reason: Why = "",
) -> None:
    """Give a study to another patient."""
    here = _here(ctx)
    to = archive.NewPatient(patient, issuer, name, birth_date, sex)
    with here.database.transaction() as db:
        made = archive.move_study(db, study, to, reason=reason, by=here.operator)
    _tell(made)


@commands.command("split")
def split(
    ctx: typer.Context,
    study: Study,
    series: Annotated[list[str], typer.Argument(help="Series Instance UIDs that go.")],
    reason: Why = "",
) -> None:
    """Split series off into a study of their own."""
    here = _here(ctx)
    with here.database.transaction() as db:
        made = archive.split_series(db, study, series, reason=reason, by=here.operator)
    typer.echo(f"They are in study {made.after['to']} now.")
    _tell(made)


@commands.command("reject")
def reject(
    ctx: typer.Context,
    study: Study,
    code: Annotated[
        str, typer.Option("--code", help=", ".join(f"{c} {m}" for c, m in archive.REJECTION_REASONS.items()))
    ] = "113001",
    series: SeriesOption = None,
    instance: InstanceOption = None,
    note: Annotated[str, typer.Option("--note", help="What is wrong, in words.")] = "",
) -> None:
    """Reject a study, or parts of it: it answers as not held."""
    here = _here(ctx)
    uid = archive.reject(
        here.store, study, code, note=note, by=here.operator, series_uids=series or (),
        sop_uids=instance or (),
    )  # fmt: skip
    typer.echo(f"Rejected; the rejection note is {uid}.")


@commands.command("trash")
def trash(
    ctx: typer.Context,
    study: Annotated[str, typer.Argument(help="Study Instance UID; none with --empty or --list.")] = "",
    series: SeriesOption = None,
    instance: InstanceOption = None,
    empty: Annotated[bool, typer.Option("--empty", help="Remove what is in the trash for good.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List what is in the trash.")] = False,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Put a study, or parts of it, in the trash; list the trash, or empty it."""
    here = _here(ctx)
    if listed:
        _list_withheld(here, "trashed", as_json)
        return
    if empty:
        with here.database.transaction() as db:
            count = archive.empty_trash(db, by=here.operator)
        purged = archive.purge(here.store, clock.now(), by=here.operator)
        typer.echo(f"{purged} objects are gone; {max(count - purged, 0)} go within two hours.")
        return
    if not study:
        raise Invalid("Name a study, or say --list or --empty.")
    with here.database.transaction() as db:
        count = archive.trash_study(
            db, study, reason=reason, by=here.operator, trash_days=here.store.settings.trash_days,
            series_uids=series or (), sop_uids=instance or (),
        )  # fmt: skip
    typer.echo(f"{count} objects are in the trash for {here.store.settings.trash_days} days.")


@commands.command("rejected")
def rejected(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List what is rejected."""
    _list_withheld(_here(ctx), "rejected", as_json)


def _list_withheld(here: Installation, kind: str, as_json: bool) -> None:
    with here.database.reading() as db:
        found = archive.find_withheld(db, kind, by=here.operator, limit=1000)
    if as_json:
        _print([asdict(item) for item in found])
        return
    for item in found:
        until = f"  until {item.purge_after:%Y-%m-%d}" if item.purge_after else ""
        typer.echo(
            f"{item.study_uid}  {item.instances} objects  {item.code}  {item.note}  ({item.author}){until}"
        )


@commands.command("restore")
def restore(
    ctx: typer.Context,
    study: Study,
    kind: Annotated[str, typer.Option("--kind", help="rejected or trashed.")] = "trashed",
) -> None:
    """Put back what of a study was rejected or in the trash."""
    here = _here(ctx)
    with here.database.transaction() as db:
        count = archive.restore(db, study, kind, by=here.operator)
    typer.echo(f"{count} objects are held again.")


@commands.command("label")
def label(
    ctx: typer.Context,
    study: Study,
    labels: Annotated[list[str], typer.Argument(help="Labels.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take them off.")] = False,
) -> None:
    """Put labels on a study, or take them off."""
    here = _here(ctx)
    act = archive.unlabel_study if remove else archive.label_study
    with here.database.transaction() as db:
        for text in labels:
            act(db, study, text, by=here.operator)


@commands.command("hold")
def hold(
    ctx: typer.Context,
    study: Study,
    release: Annotated[bool, typer.Option("--release", help="Lift the hold.")] = False,
    reason: Why = "",
) -> None:
    """Put a study under legal hold, or lift it."""
    here = _here(ctx)
    with here.database.transaction() as db:
        if release:
            archive.release_study(db, study, by=here.operator)
        else:
            archive.hold_study(db, study, reason=reason, by=here.operator)
    typer.echo("The hold is lifted." if release else "Nothing of this study can be removed now.")


@commands.command("conflicts")
def conflicts(
    ctx: typer.Context,
    decide: Annotated[int | None, typer.Option("--decide", help="Number of the conflict to decide.")] = None,
    decision: Annotated[
        str, typer.Option("--as", help="keep-held, replace, store-apart or adopt.")
    ] = "keep-held",
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """List objects that disagree with what is held, or decide on one."""
    here = _here(ctx)
    if decide is not None:
        uid = archive.decide_conflict(
            here.store, decide, cast(Any, decision), reason=reason, by=here.operator
        )
        typer.echo(f"It is held as {uid}." if uid else "It is in the trash.")
        return
    with here.database.reading() as db:
        found = archive.list_conflicts(here.store, db, by=here.operator, limit=200)
    if as_json:
        _print([asdict(item) for item in found])
        return
    for item in found:
        differs = ", ".join(d.keyword or d.tag for d in item.differs[:8])
        typer.echo(f"{item.id:>6}  {item.kind:8} {item.sop_uid}  from {item.source}  differs: {differs}")


@commands.command("rules")
def rules(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(help="JSON with rules to put in place of these.", exists=True),
    ] = None,
) -> None:
    """Print what is set right at the door and how long studies are kept, as JSON; with a file, replace it."""
    from pydantic import ValidationError

    from sightline.record.archive.routes import Rules, put_in_force, rules_in_force

    here = _here(ctx)
    if file is not None:
        try:
            wanted = Rules.model_validate_json(file.read_bytes())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(step) for step in first["loc"])
            raise Invalid(f"The rules cannot be read: {place or 'the file'}: {first['msg']}.") from None
        with here.database.transaction() as db:
            put_in_force(db, wanted, here.operator)
    with here.database.reading() as db:
        typer.echo(rules_in_force(db, here.operator).model_dump_json(indent=2))


@commands.command("reindex")
def reindex(ctx: typer.Context) -> None:
    """Write the rows of all bytes that no row speaks of: after an older copy of the database was restored."""
    here = _here(ctx)
    access.require(here.operator, "system.maintain")
    typer.echo(f"{archive.recover(here.store, everything=True)} objects were added to the index.")


@commands.command("storage")
def storage(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Say what is stored and how much room there is."""
    here = _here(ctx)
    found = archive.storage_of(here.store, by=here.operator)
    if as_json:
        _print(found)
        return
    typer.echo(f"{found['studies']} studies, {found['instances']} objects, {_size(found['bytes'])}")
    for row in found["by_modality"]:
        typer.echo(f"  {row['modality'] or '-':8} {row['studies']:>8} studies  {_size(row['bytes'])}")
    typer.echo(f"Trash: {_size(found['trash']['bytes'])}; rejected: {_size(found['rejected']['bytes'])}")
    if found["disk"]:
        typer.echo(f"Disk: {_size(found['disk']['free'])} free of {_size(found['disk']['total'])}")
    if found["quota"]["bytes"]:
        typer.echo(f"Quota: {_size(found['quota']['used'])} of {_size(found['quota']['bytes'])}")


def _size(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


@doctors.command("doctor")
def doctor(
    ctx: typer.Context,
    study: Annotated[
        str, typer.Option("--study", help="Study Instance UID; the whole archive unless set.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Say whether a study is all here, or which studies are not; ends with 1 where something is missing."""
    here = _here(ctx)
    fine = _examine_study(here, study, as_json) if study else _examine_archive(here, as_json)
    raise typer.Exit(0 if fine else 1)


def _examine_study(here: Installation, study: str, as_json: bool) -> bool:
    access.require(here.operator, "archive.read", on=study)
    with here.database.reading() as db:
        known = archive.completeness(db, study)
    if as_json:
        _print(asdict(known) | {"complete": known.is_complete})
    else:
        for line in _diagnosis(known):
            typer.echo(line)
    return known.is_complete and known.held > 0


def _examine_archive(here: Installation, as_json: bool) -> bool:
    wanted = archive.Listing(state="incomplete")
    with here.database.reading() as db:
        short = archive.list_studies(db, wanted, by=here.operator, limit=100).items
        arriving = archive.count_unsettled(db)
        conflicts = archive.list_conflicts(here.store, db, by=here.operator, limit=100).items
    if as_json:
        uids = [item.study.uid for item in short]
        _print({"arriving": arriving, "incomplete": uids, "conflicts": len(conflicts)})
        return not (short or conflicts)
    typer.echo(f"{arriving} studies are arriving.")
    for item in short:
        typer.echo(f"Study {item.study.uid}: {item.missing or 0} of {item.expected or '?'} are missing.")
    if conflicts:
        typer.echo(f"{len(conflicts)} objects disagree with what is held; see: sightline archive conflicts")
    if not short and not conflicts:
        typer.echo("Nothing seems to be missing.")
    return not (short or conflicts)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _diagnosis(known: archive.Completeness) -> Iterable[str]:
    yield f"{known.held} objects are held that came from outside."
    for r in known.received:
        when = f"{_moment(r.first_at)} to {_moment(r.last_at)}"
        yield f"Received {r.instances} from {r.kind}:{r.source}, {when}."
    for e in known.expected:
        yield f"{e.count if e.count is not None else 'Some'} expected ({e.origin}, {_moment(e.at)})."
    if known.missing:
        yield f"{known.missing} are MISSING."
    for uid, runs in known.gaps.items():
        shown = ", ".join(f"{a}-{b}" if a < b else str(a) for a, b in runs[:20])
        yield f"Series {uid} lacks numbers {shown}."
    for refused in known.refused:
        yield f"Refused {_moment(refused.at)} from {refused.source} ({refused.code}): {refused.reason}"
    if known.conflicts:
        yield f"{known.conflicts} objects disagree with what is held; see: sightline archive conflicts"
    if known.is_complete and known.held:
        yield "Nothing seems to be missing."
