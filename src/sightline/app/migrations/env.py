"""Alembic's entry: run the steps inside the connection that it is handed."""

from typing import Any, Literal

from alembic import context

from sightline.app.tables import metadata
from sightline.runtime.db import Instant, Json


def is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Leave the tables of the job engine alone: it migrates them itself."""
    return kind != "table" or name in metadata.tables


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types so that a migration stands without our code."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and item is Json:
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=False,
    include_object=is_ours,
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
