"""Migrations: from nothing to exactly the tables that the code knows, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from sightline.app.installation import DatabaseIsNewer, migrate
from sightline.app.tables import metadata
from sightline.runtime.db import open_database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request):
    opened = open_database(request.getfixturevalue(f"{request.param}_url"))
    yield opened
    opened.dispose()


def tables_of(database):
    with database.engine.connect() as db:
        return set(inspect(db).get_table_names())


def test_an_empty_database_gets_exactly_the_tables_of_the_code(empty):
    migrate(empty)

    with empty.transaction() as db:
        options = {
            "compare_type": True,
            "include_object": lambda *a: a[2] != "table" or a[1] in metadata.tables,
        }
        differences = compare_metadata(MigrationContext.configure(db, opts=options), metadata)
    assert differences == []
    assert tables_of(empty) == {*metadata.tables, "alembic_version"}


def test_migrating_again_changes_nothing(empty):
    migrate(empty)
    with empty.transaction() as db:
        db.execute(text("insert into workers (id, seen_at) values ('w', '2026-01-01 00:00:00')"))

    migrate(empty)

    with empty.reading() as db:
        assert db.scalar(text("select id from workers")) == "w"


def test_a_migration_that_breaks_leaves_nothing_half_made(empty, monkeypatch):
    from alembic.operations import Operations

    make_index = Operations.create_index

    def break_at_last(self, name, *rest, **options):
        if name == "ix_audit_subject_seq":
            raise OSError("disk full")
        return make_index(self, name, *rest, **options)

    monkeypatch.setattr(Operations, "create_index", break_at_last)
    monkeypatch.setattr("alembic.op.create_index", lambda *a, **k: break_at_last(_current(), *a, **k))
    with pytest.raises(OSError, match="disk full"):
        migrate(empty)
    monkeypatch.undo()

    assert tables_of(empty) == set()
    migrate(empty)
    assert "audit" in tables_of(empty)


def _current():
    from alembic import op

    return op._proxy


def test_a_database_of_a_later_release_is_refused_and_left_as_it_is(empty):
    migrate(empty)
    with empty.transaction() as db:
        db.execute(text("update alembic_version set version_num = '9999'"))

    with pytest.raises(DatabaseIsNewer, match="install that version or a newer one"):
        migrate(empty)

    with empty.reading() as db:
        assert db.scalar(text("select version_num from alembic_version")) == "9999"
