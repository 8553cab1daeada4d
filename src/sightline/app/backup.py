"""``sightline backup`` and ``sightline restore``: everything an installation holds, in another place.

A backup is taken while the installation runs. The audit folder is copied first, then the database in one
snapshot, then the bytes: so every row of the copy has its bytes, and every signature of the copy its entries.
Bytes go over once; a later backup to the same place copies what is new. A backup exists only when its
manifest does, which is written last. A restored installation is proved while it is written.
"""

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from alembic import command
from alembic.config import Config
from blake3 import blake3
from pydantic import SecretStr
from sqlalchemy import inspect, text

from sightline.app.installation import Installation, migrate, open_installation
from sightline.app.settings import Settings, load_settings
from sightline.kernel import clock
from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.record import archive, upkeep
from sightline.runtime import jobs
from sightline.runtime.blobs import BlobNotHeld, Blobs, open_blobs
from sightline.runtime.db import Database, open_database
from sightline.trust import access, audit

FORM = 1
SNAPSHOTS, OBJECTS = "snapshots", "objects"
# Made again from the rest whenever they are wanted.
REMADE = ("metadata/", "derived/")
AT_ONCE = 64
# The job engine keeps its own account of its tables' form.
NOT_DUMPED = frozenset({"dbos.dbos_migrations", "public.alembic_version"})
RESTORING = "restoring.json"

audit.declare("system.backup", "A backup of the installation was taken")
audit.declare("system.restore", "The installation was restored from a backup")

commands = typer.Typer()
Tell = Callable[[str], None]


class NotABackup(NotFound):
    """There is no complete backup at this place."""


class BackupDamaged(Invalid):
    """What the backup holds is not what was put into it; use another."""


class NotEmpty(Conflict):
    """There is an installation already; a backup is restored into an empty one only."""


class OtherKindOfDatabase(Invalid):
    """The backup is of the other kind of database; restore it into that kind."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: parts by name with size and SHA-256, and the objects in a list of its own."""

    form: int
    snapshot: str
    taken_at: str
    version: str
    database: str
    revision: str
    parts: dict[str, list[Any]]
    objects: int
    bytes: int
    copied: int
    studies: int
    audit_size: int
    settings: dict[str, str]


@commands.command("backup")
def backup_command(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(help="Folder, or object store such as s3://bucket/prefix.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Back up everything while the server runs; to the same place again, only what is new is copied."""
    installation = cast(Installation, ctx.obj.installation)
    manifest = take_backup(installation, target, by=ctx.obj.operator)
    if as_json:
        typer.echo(json.dumps(asdict(manifest)))
        return
    size = f"{manifest.bytes / (1 << 20):.0f} MiB"
    counts = f"{manifest.studies} studies, {manifest.objects} objects, {size}, {manifest.copied} copied"
    typer.echo(f"Backup {manifest.snapshot}: {counts}. It holds patient data and the audit key: guard it.")


@commands.command("restore")
def restore_command(
    source: Annotated[str, typer.Argument(help="Where the backup is.")],
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", help="Which backup; the newest unless named.")
    ] = None,
) -> None:
    """Restore a backup into an empty installation, and prove it while it is written."""
    manifest = restore(source, load_settings(), snapshot=snapshot)
    counts = f"{manifest.studies} studies, {manifest.objects} objects"
    typer.echo(f"Restored {manifest.snapshot}: {counts}. Run sightline audit verify and sightline serve.")


def take_backup(installation: Installation, target: str, *, by: access.Person) -> Manifest:
    """Copy everything that the installation holds to `target`; return what the backup holds.

    Parameters
    ----------
    target : str
        A folder or an object store, which may hold earlier backups of the same installation.
    """
    access.require(by, "system.maintain")
    with closing(open_blobs(target)) as there, tempfile.TemporaryDirectory() as scratch:
        snapshot = _free_name(there)
        draft = Path(scratch)
        parts: dict[str, list[Any]] = {}
        with suppress(audit.TrailBroken):
            installation.seal().sign()
        for path in sorted((installation.folder / audit.FOLDER).glob("*")):
            if path.is_file() and path.name in {"key.pem", "key.pub", "checkpoints.txt"}:
                _put_part(there, snapshot, f"audit/{path.name}", path.read_bytes(), parts)
        revision = _dump_database(installation.database, draft / "database")
        for path in sorted((draft / "database").iterdir()):
            _put_part(there, snapshot, f"database/{path.name}", path, parts)
        listed = _copy_objects(installation.store.blobs, there, draft)
        _put_part(there, snapshot, "objects.txt.gz", listed.path, parts)
        with installation.database.reading() as db:
            studies = archive.count(db, archive.Query("study", {}))
            size = audit.head(db).size
        manifest = Manifest(
            FORM,
            snapshot,
            clock.now().isoformat(timespec="seconds"),
            version("sightline"),
            "sqlite" if installation.database.is_sqlite else "postgresql",
            revision,
            parts,
            listed.objects,
            listed.bytes,
            listed.copied,
            studies,
            size,
            _settings_of(installation.settings),
        )
        there.put_if_absent(
            f"{SNAPSHOTS}/{snapshot}/manifest.json", json.dumps(asdict(manifest), indent=1).encode()
        )
    with installation.database.transaction() as db:
        facts = {"objects": listed.objects, "copied": listed.copied}
        audit.record(db, "system.backup", by=by, on=snapshot, **facts)
    return manifest


def find_backups(there: Blobs) -> list[str]:
    """Return the names of the complete backups at a place, oldest first."""
    ending = "/manifest.json"
    keys = there.list(f"{SNAPSHOTS}/")
    return sorted(key.split("/")[1] for key in keys if key.endswith(ending))


def restore(source: str, settings: Settings, *, snapshot: str | None = None) -> Manifest:
    """Fill the empty installation that `settings` names from a backup.

    Cut off, it can be called again and goes on. Every part and every object is held against the manifest
    while it is written; the database comes last, so that no half-restored installation can be served.

    Raises
    ------
    NotABackup, BackupDamaged
        If there is no such backup, or it is not what was put into it.
    NotEmpty
        If the installation holds something.
    OtherKindOfDatabase
        If the backup is of SQLite and the installation on PostgreSQL, or the other way round.
    """
    folder = Path(settings.server.data).absolute()
    address = settings.server.database_url or f"sqlite:///{folder / 'sightline.db'}"
    kind = "sqlite" if address.startswith("sqlite") else "postgresql"
    with closing(open_blobs(source)) as there:
        manifest = _read_manifest(there, snapshot)
        if manifest.database != kind:
            raise OtherKindOfDatabase(
                f"This backup is of a {manifest.database} database; restore it into one of that kind."
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(open_blobs(settings.server.blobs_url or folder / "blobs")) as blobs:
            _require_empty(folder, address, blobs, manifest.snapshot)
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                draft = Path(scratch)
                _fetch_parts(there, manifest, draft)
                _restore_objects(there, blobs, draft / "objects.txt.gz")
                _restore_audit(draft / "audit", folder / audit.FOLDER)
                if kind == "sqlite":
                    _restore_sqlite(draft / "database" / "sightline.db", address)
                else:
                    _restore_postgresql(draft / "database", address, manifest.revision)
    (folder / RESTORING).unlink(missing_ok=True)
    _take_up(settings, manifest)
    return manifest


def _take_up(settings: Settings, manifest: Manifest) -> None:
    """Open what was restored: tables brought up to date, rows written of what came after it."""
    with closing(open_installation(settings)) as installation:
        archive.recover(installation.store, everything=True)
        with installation.database.transaction() as db:
            upkeep.forget_served(db)
            facts = {"taken_at": manifest.taken_at, "objects": manifest.objects}
            audit.record(db, "system.restore", by=installation.operator, on=manifest.snapshot, **facts)


def _free_name(there: Blobs) -> str:
    """Return a name for a backup: the second it was begun, and one more where that is taken."""
    began = clock.now().strftime("%Y%m%dT%H%M%SZ")
    taken = {key.split("/")[1] for key in there.list(f"{SNAPSHOTS}/")}
    return next(n for i in range(1000) if (n := began if not i else f"{began}-{i}") not in taken)


def _put_part(
    there: Blobs, snapshot: str, name: str, content: bytes | Path, parts: dict[str, list[Any]]
) -> None:
    digest = hashlib.sha256()
    for chunk in [content] if isinstance(content, bytes) else _read(content):
        digest.update(chunk)
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    there.put_if_absent(f"{SNAPSHOTS}/{snapshot}/{name}", content)
    parts[name] = [size, digest.hexdigest()]


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def _settings_of(settings: Settings) -> dict[str, str]:
    """Return the settings that were made, without secrets and addresses that may hold one."""
    found: dict[str, str] = {}
    for part in (getattr(settings, name) for name in settings.__dataclass_fields__):
        for name, value in part:
            prefix = part.model_config.get("env_prefix", "")
            is_secret = isinstance(value, SecretStr) or "url" in name or "secret" in name
            if name in part.model_fields_set and not is_secret:
                found[f"{prefix}{name}".upper()] = str(value)
    return found


# ---- the database ----


def _dump_database(database: Database, folder: Path) -> str:
    """Write the database as it is at one moment into `folder`; return its revision."""
    folder.mkdir()
    if database.is_sqlite:
        return _dump_sqlite(database, folder / "sightline.db")
    return _dump_postgresql(database, folder)


def _dump_sqlite(database: Database, path: Path) -> str:
    source = str(database.engine.url.database)
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(path)) as copy:
        live.backup(copy)  # in one step: one snapshot, however much is written meanwhile
        copy.execute("PRAGMA journal_mode=DELETE")
        return str(copy.execute("select version_num from alembic_version").fetchone()[0])


def _dump_postgresql(database: Database, folder: Path) -> str:
    """Write each table by COPY, all of one snapshot, with the order in which they can be read back."""
    with database.reading() as db:
        raw = cast(Any, db.connection.driver_connection)
        tables = _tables_in_order(db)
        for schema, table, columns in tables:
            names = ", ".join(f'"{c}"' for c in columns)
            with (
                gzip.open(folder / f"{schema}.{table}.copy.gz", "wb", compresslevel=1) as file,
                raw.cursor() as cursor,
                cursor.copy(f'COPY "{schema}"."{table}" ({names}) TO STDOUT') as copy,
            ):
                for chunk in copy:
                    file.write(chunk)
        order = [{"schema": s, "table": t, "columns": list(c)} for s, t, c in tables]
        (folder / "tables.json").write_text(json.dumps(order))
        return str(db.execute(text("select version_num from alembic_version")).scalar_one())


def _tables_in_order(db: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return schema, name and columns of each table of ours and the job engine's, parents first."""
    found = []
    inspector = inspect(db)
    for schema in ("public", "dbos"):
        if schema not in inspector.get_schema_names():
            continue
        for table, _ in inspector.get_sorted_table_and_fkc_names(schema):
            if table is None or f"{schema}.{table}" in NOT_DUMPED:
                continue
            columns = [c for c in inspector.get_columns(table, schema) if not c.get("computed")]
            found.append((schema, table, tuple(str(c["name"]) for c in columns)))
    return found


def _restore_sqlite(dump: Path, address: str) -> None:
    place = Path(address.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(dump)) as copy:
        if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise BackupDamaged("The database in this backup is damaged; use another backup.")
    handle = os.open(dump, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    dump.rename(place)


def _restore_postgresql(folder: Path, address: str, revision: str) -> None:
    database = open_database(address)
    try:
        with database.transaction() as db:
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            config.attributes["connection"] = db
            command.upgrade(config, revision)
        jobs.open_queue(database)  # makes the tables of the job engine
        order = json.loads((folder / "tables.json").read_text())
        with database.transaction() as db:
            names = ", ".join(f'"{t["schema"]}"."{t["table"]}"' for t in order)
            db.execute(text(f"TRUNCATE {names}"))
            # What triggers keep beside the rows is in the backup too; written twice it would be wrong.
            _set_triggers(db, order, "DISABLE")
            for table in order:
                _copy_in(db, folder, table)
            _set_triggers(db, order, "ENABLE")
            _reset_sequences(db, order)
        migrate(database)
    finally:
        jobs.close_queues()
        database.dispose()


def _set_triggers(db: Any, order: list[dict[str, Any]], state: str) -> None:
    for table in order:
        db.execute(text(f'ALTER TABLE "{table["schema"]}"."{table["table"]}" {state} TRIGGER USER'))


def _copy_in(db: Any, folder: Path, table: dict[str, Any]) -> None:
    raw = db.connection.driver_connection
    names = ", ".join(f'"{c}"' for c in table["columns"])
    place = folder / f"{table['schema']}.{table['table']}.copy.gz"
    statement = f'COPY "{table["schema"]}"."{table["table"]}" ({names}) FROM STDIN'
    with gzip.open(place, "rb") as file, raw.cursor() as cursor, cursor.copy(statement) as copy:
        while chunk := file.read(1 << 20):
            copy.write(chunk)


def _reset_sequences(db: Any, order: list[dict[str, Any]]) -> None:
    """Have each table go on counting after the rows that were read."""
    for table in order:
        name = f'"{table["schema"]}"."{table["table"]}"'
        for column in table["columns"]:
            found = db.execute(text("select pg_get_serial_sequence(:t, :c)"), {"t": name, "c": column})
            sequence = found.scalar_one()
            if sequence is not None:
                highest = db.execute(text(f'select max("{column}") from {name}')).scalar_one()  # noqa: S608
                if highest is not None:
                    db.execute(text("select setval(:s, :v)"), {"s": sequence, "v": highest})


# ---- the bytes ----


@dataclass(frozen=True, slots=True)
class _Listed:
    """The list of the objects of a backup, and what it adds up to."""

    path: Path
    objects: int
    bytes: int
    copied: int


def _copy_objects(blobs: Blobs, there: Blobs, draft: Path) -> _Listed:
    """Copy what `there` has not yet, and list everything with its size and hash."""
    path = draft / "objects.txt.gz"
    objects = size = copied = 0
    with _known(there, draft) as known, gzip.open(path, "wt", encoding="ascii") as listing:
        for keys in _parts((k for k in blobs.list("") if not k.startswith(REMADE)), AT_ONCE):
            for key, length, digest, was_new in _copy_part(blobs, there, keys, known):
                listing.write(f"{key} {length} {digest}\n")
                objects, size, copied = objects + 1, size + length, copied + was_new
    return _Listed(path, objects, size, copied)


def _copy_part(
    blobs: Blobs, there: Blobs, keys: list[str], known: Callable[[str], tuple[int, str] | None]
) -> Iterator[tuple[str, int, str, bool]]:
    earlier = {key: found for key in keys if (found := known(key)) is not None}
    new = {key: _Hashed(blobs, key) for key in keys if key not in earlier}
    there.put_many([(f"{OBJECTS}/{key}", iter(hashed)) for key, hashed in new.items()])
    for key in keys:
        if key in earlier:
            yield key, *earlier[key], False
            continue
        hashed = new[key]
        if hashed.gone:  # its last copy went while we were at it (trash): it is no part of the backup
            there.delete(f"{OBJECTS}/{key}")
        elif hashed.whole:
            yield key, hashed.size, hashed.digest.hexdigest(), True
        else:  # a backup that was cut off had brought it
            again = _Hashed(there, f"{OBJECTS}/{key}")
            for _ in again:
                pass
            yield key, again.size, again.digest.hexdigest(), False


class _Hashed:
    """The bytes of a blob, hashed as they go by."""

    def __init__(self, blobs: Blobs, key: str) -> None:
        self._blobs, self._key = blobs, key
        self.digest = blake3()
        self.size = 0
        self.whole = self.gone = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            chunks = self._blobs.stream(self._key)
        except BlobNotHeld:
            self.gone = True
            return
        for chunk in chunks:
            self.digest.update(chunk)
            self.size += len(chunk)
            yield chunk
        self.whole = True


@contextmanager
def _known(there: Blobs, draft: Path) -> Iterator[Callable[[str], tuple[int, str] | None]]:
    """Give a question for what the newest backup at the place has listed."""
    names = find_backups(there)
    with closing(sqlite3.connect(draft / "known.db")) as db:
        db.execute("create table known (key text primary key, size integer, hash text) without rowid")
        if names:
            listed = draft / "earlier.txt.gz"
            with listed.open("wb") as file:
                file.writelines(there.stream(f"{SNAPSHOTS}/{names[-1]}/objects.txt.gz"))
            db.executemany("insert or replace into known values (?, ?, ?)", _lines(listed))

        def ask(key: str) -> tuple[int, str] | None:
            row = db.execute("select size, hash from known where key = ?", (key,)).fetchone()
            return (int(row[0]), str(row[1])) if row else None

        yield ask


def _lines(listing: Path) -> Iterator[tuple[str, int, str]]:
    with gzip.open(listing, "rt", encoding="ascii") as file:
        for line in file:
            key, size, digest = line.split()
            yield key, int(size), digest


def _parts(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


def _restore_objects(there: Blobs, blobs: Blobs, listing: Path) -> None:
    """Copy every object of the list, each held against its hash before it counts."""
    for part in _parts(_lines(listing), AT_ONCE):
        new = {key: _Hashed(there, f"{OBJECTS}/{key}") for key, _, _ in part}
        stored = blobs.put_many([(key, iter(new[key])) for key, _, _ in part])
        for (key, size, digest), was_new in zip(part, stored, strict=True):
            hashed = new[key]
            if not was_new:  # from a restore that was cut off
                hashed = _Hashed(blobs, key)
                for _ in hashed:
                    pass
            if hashed.gone or hashed.size != size or hashed.digest.hexdigest() != digest:
                blobs.delete(key)
                raise BackupDamaged("An object in this backup is missing or damaged; use another.", key=key)


# ---- the rest ----


def _read_manifest(there: Blobs, snapshot: str | None) -> Manifest:
    names = find_backups(there)
    if not names or (snapshot is not None and snapshot not in names):
        known = f"; there are {', '.join(names)}" if names else ""
        raise NotABackup(f"There is no such backup at this place{known}.")
    raw = there.get(f"{SNAPSHOTS}/{snapshot or names[-1]}/manifest.json")
    try:
        values = json.loads(raw)
        if values.get("form") != FORM:
            raise BackupDamaged("This backup was taken by a later Sightline; restore it with that one.")
        return Manifest(**values)
    except (ValueError, TypeError, AttributeError):
        raise BackupDamaged("The manifest of this backup cannot be read; use another backup.") from None


def _fetch_parts(there: Blobs, manifest: Manifest, draft: Path) -> None:
    for name, (size, digest) in manifest.parts.items():
        place = draft / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise BackupDamaged("The manifest of this backup names a part outside of it.")
        place.parent.mkdir(parents=True, exist_ok=True)
        found = hashlib.sha256()
        with place.open("wb") as file:
            for chunk in there.stream(f"{SNAPSHOTS}/{manifest.snapshot}/{name}"):
                found.update(chunk)
                file.write(chunk)
        if place.stat().st_size != size or found.hexdigest() != digest:
            raise BackupDamaged(f"The part {name} of this backup is damaged; use another backup.")


def _require_empty(folder: Path, address: str, blobs: Blobs, snapshot: str) -> None:
    """Refuse an installation that holds something, except what a restore of the same backup began."""
    marker = folder / RESTORING
    if marker.exists() and json.loads(marker.read_text()).get("snapshot") == snapshot:
        return
    if address.startswith("sqlite"):
        held = Path(address.removeprefix("sqlite:///")).exists()
    else:
        database = open_database(address)
        held = bool(inspect(database.engine).get_table_names())
        database.dispose()
    if held or (folder / audit.FOLDER).exists() or next(blobs.list(""), None) is not None:
        raise NotEmpty("There is an installation already; name an empty folder (and database) to restore to.")
    marker.write_text(json.dumps({"snapshot": snapshot, "at": datetime.isoformat(clock.now())}))


def _restore_audit(source: Path, place: Path) -> None:
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        target = place / path.name
        shutil.copyfile(path, target)
        target.chmod(0o600 if path.name == "key.pem" else 0o640)
