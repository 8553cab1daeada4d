"""An installation: its folder, database, blobs and keys, opened and brought up to date."""

import fcntl
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import func, select

import sightline.app.tables  # noqa: F401  fills the metadata
from sightline.app.settings import Settings, load_settings
from sightline.kernel.errors import Conflict, NotFound, Unavailable
from sightline.record import archive
from sightline.runtime import jobs
from sightline.runtime.blobs import open_blobs
from sightline.runtime.db import Database, open_database
from sightline.trust import access, audit

# Names the lock that one migration at a time holds on PostgreSQL; any number that nobody else uses.
MIGRATING = 860011112


class NoInstallation(NotFound):
    """There is no installation in the folder; name another with --data, or start one there."""


class FolderUnusable(Unavailable):
    """The data folder cannot be made; name another with ``--data``, or make it and let us write there."""


class DatabaseIsNewer(Conflict):
    """The tables were changed by a later Sightline; install that version or a newer one."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What every command and the server work on."""

    settings: Settings
    folder: Path
    database: Database
    store: archive.Store
    operator: access.Person

    def worker(self) -> jobs.Worker:
        """Return the worker that runs this installation's jobs."""
        extras: dict[str, Any] = {
            "store": self.store,
            "media_settings": self.settings.media,
            "prior_settings": self.settings.priors,
            "transfer_settings": self.settings.transfers,
            "upkeep_settings": self.settings.upkeep,
        }
        return jobs.Worker(self.database, lock=self.folder / "worker.lock", **extras)

    def seal(self) -> audit.Seal:
        """Return what signs the audit trail."""
        return audit.Seal(self.database, self.folder / audit.FOLDER)

    def close(self) -> None:
        """Close connections, and give up the folder for half-written bytes."""
        jobs.close_queues()
        self.store.blobs.close()
        self.database.dispose()


def open_installation(settings: Settings | None = None, *, make: bool = True) -> Installation:
    """Open the installation that the settings name; `make` it when there is none yet.

    Raises
    ------
    NoInstallation
        If there is none, and none is to be made.
    FolderUnusable
        If its folder cannot be made.
    """
    settings = settings or load_settings()
    folder = Path(settings.server.data).absolute()
    if not make and settings.server.database_url is None and not (folder / "sightline.db").exists():
        raise NoInstallation(
            f"There is no installation in {folder}; name its folder with --data, or make one there with "
            "'sightline serve' or 'sightline import'."
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as cause:
        raise FolderUnusable(
            f"The data folder {folder} cannot be made ({cause.strerror}); name another with --data."
        ) from cause
    # SQLite does not wait when two at once turn a new file to its write-ahead log: one of them is refused.
    with _alone(folder / "migrate.lock"):
        database = open_database(settings.server.database_url or f"sqlite:///{folder / 'sightline.db'}")
        migrate(database)
        jobs.open_queue(database)
    store = archive.Store(
        database, open_blobs(settings.server.blobs_url or folder / "blobs"), settings.archive
    )
    return Installation(settings, folder, database, store, access.operator(getpass.getuser()))


def migrate(database: Database) -> None:
    """Bring the tables up to date.

    Raises
    ------
    DatabaseIsNewer
        If a later Sightline has changed them: this one would not know what it reads.
    """
    with database.transaction() as db:
        if not database.is_sqlite:  # servers on other machines do not see our lock file
            db.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = db
        try:
            command.upgrade(config, "head")
        except CommandError as cause:
            raise DatabaseIsNewer(
                "A later Sightline has changed the tables of this database; "
                "install that version or a newer one."
            ) from cause


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
