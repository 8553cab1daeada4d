"""An installation: made in an empty folder, opened by many at once."""

import stat
import subprocess
import sys

import pytest
from sqlalchemy import text

from sightline.app.installation import open_installation
from sightline.app.settings import Settings
from sightline.kernel.errors import PlatformError
from sightline.runtime.db import DatabaseUnavailable, open_database
from sightline.runtime.settings import ServerSettings

OPEN = "from sightline.app.installation import open_installation; open_installation().close(); print('ok')"


def open_at_once(folders, url=None):
    """Open one installation from a process for each folder, all at the same time."""
    import os

    environment = {**os.environ, **({"SIGHTLINE_DATABASE_URL": url} if url else {})}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN],
            env={**environment, "SIGHTLINE_DATA": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    return [(p.communicate(timeout=120), p.returncode) for p in started]


def test_an_empty_folder_becomes_an_installation_that_only_its_owner_can_read(installation):
    assert stat.S_IMODE(installation.folder.stat().st_mode) == 0o700
    assert (installation.folder / "sightline.db").is_file()
    assert installation.operator.id.startswith("operator:")
    with installation.database.reading() as db:
        assert db.scalar(text("select version_num from alembic_version"))


def test_opened_twice_at_once_in_one_folder_both_work(tmp_path):
    for (out, err), code in open_at_once([tmp_path / "data"] * 2):
        assert (code, out) == (0, "ok\n"), err


def test_opened_at_once_by_two_machines_on_one_postgresql_both_work(tmp_path, postgresql_url):
    for (out, err), code in open_at_once([tmp_path / "one", tmp_path / "two"], postgresql_url):
        assert (code, out) == (0, "ok\n"), err


def test_what_is_there_is_there_again_when_it_is_opened_again(tmp_path):
    settings = Settings(server=ServerSettings(data=str(tmp_path / "data")))
    first = open_installation(settings)
    first.store.blobs.put_if_absent("a", b"bytes")
    first.close()

    again = open_installation(settings)

    assert again.store.blobs.get("a") == b"bytes"
    again.close()


def test_a_database_that_is_none_is_refused_and_left_alone(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sightline.db").write_bytes(b"letters to the editor" * 50)

    with pytest.raises(DatabaseUnavailable):
        open_installation(Settings(server=ServerSettings(data=str(tmp_path / "data"))))

    assert (tmp_path / "data" / "sightline.db").read_bytes() == b"letters to the editor" * 50


def test_a_folder_that_cannot_be_made_is_a_refusal_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(PlatformError, match="file/data"):
        open_installation(Settings(server=ServerSettings(data=str(tmp_path / "file" / "data"))))


def test_on_postgresql_the_tables_are_those_of_the_code_and_of_the_jobs(tmp_path, postgresql_url):
    server = ServerSettings(data=str(tmp_path / "data"), database_url=postgresql_url)
    opened = open_installation(Settings(server=server))
    opened.close()

    database = open_database(postgresql_url)
    with database.reading() as db:
        schemas = set(db.scalars(text("select distinct schemaname from pg_tables")))
    database.dispose()
    assert {"public", "dbos"} <= schemas
