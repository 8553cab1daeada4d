"""Write the next migration from the difference between the tables in the code and those of the last one.

    python tools/new_migration.py "what changes"

Read what it wrote before you commit it: a renamed column looks like one dropped and one added.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

import sightline.app
from sightline.app.installation import migrate
from sightline.runtime.db import open_database


def main(message: str) -> None:
    """Migrate a fresh database to the newest step and write the difference as the next one."""
    folder = Path(sightline.app.__file__).parent / "migrations"
    count = len(list((folder / "versions").glob("[0-9]*.py")))
    with tempfile.TemporaryDirectory() as scratch:
        database = open_database(f"sqlite:///{scratch}/empty.db")
        if count:
            migrate(database)
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        with database.transaction() as db:
            config.attributes["connection"] = db
            command.revision(config, message, autogenerate=True, rev_id=f"{count + 1:04d}")
        database.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
