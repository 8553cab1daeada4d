"""The wire is tested on SQLite; what depends on the kind of database is tested with the archive itself."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sightline.runtime import jobs
from sightline.runtime.db import Database, open_database


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A fresh SQLite database with an open job queue."""
    shutil.copy(sqlite_template, tmp_path / "sightline.db")
    opened = open_database(f"sqlite:///{tmp_path}/sightline.db")
    jobs.open_queue(opened)
    yield opened
    jobs.close_queues()
    opened.dispose()
