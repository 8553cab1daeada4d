"""The table of uploads under way."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, String, Table, Text, delete, insert, select, update

from sightline.kernel import clock
from sightline.runtime.db import Db, Instant, Json, metadata
from sightline.wire.media._model import Upload

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("person", String(64), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("results", Json, nullable=False),
    Column("touched_at", Instant, nullable=False, index=True),
)
_FIELDS = tuple(uploads.c[name] for name in Upload.__slots__)


def add_upload(db: Db, upload: Upload) -> None:
    """Remember an upload that begins."""
    values = {name: getattr(upload, name) for name in Upload.__slots__}
    db.execute(insert(uploads).values(values | {"results": list(upload.results), "touched_at": clock.now()}))


def find_upload(db: Db, id: str, *, locked: bool = False) -> Upload | None:  # noqa: A002
    """Return an upload, locked for who will change it."""
    wanted = select(*_FIELDS).where(uploads.c.id == id)
    row = db.execute(wanted.with_for_update() if locked else wanted).first()
    return _upload(row) if row else None


def change_upload(db: Db, id: str, **values: Any) -> None:  # noqa: A002
    """Change what is remembered of an upload."""
    db.execute(update(uploads).where(uploads.c.id == id).values(values | {"touched_at": clock.now()}))


def stale_uploads(db: Db, before: datetime, limit: int) -> list[Upload]:
    """Return uploads that nobody has touched since then."""
    wanted = select(*_FIELDS).where(uploads.c.touched_at < before).limit(limit)
    return [_upload(row) for row in db.execute(wanted)]


def _upload(row: Any) -> Upload:
    return Upload(**row._asdict() | {"results": tuple(row.results)})


def remove_upload(db: Db, id: str) -> None:  # noqa: A002
    """Forget an upload."""
    db.execute(delete(uploads).where(uploads.c.id == id))
