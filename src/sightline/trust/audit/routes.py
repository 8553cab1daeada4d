"""HTTP face of the audit trail.

Whoever builds the application says how callers are known, because identity records here and so stands above.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from sightline.runtime.db import Database
from sightline.runtime.http import Snapshot, get_database
from sightline.trust import access, audit


class Item(BaseModel):
    """One thing that someone did."""

    seq: int
    at: datetime
    act: str
    by: str
    on: str
    text: str


class Trail(BaseModel):
    """The newest entries, and the tree that they are leaves of."""

    items: list[Item]
    size: int
    root: str
    verified_at: datetime | None


class Verification(BaseModel):
    """Whether the trail is whole; if not, what is wrong."""

    ok: bool
    size: int
    root: str
    checkpoints: int
    problem: str | None
    record: int | None
    text: str


def build_router(caller_of: Callable[[Request], access.Person]) -> APIRouter:
    """Return the routes; `caller_of` tells who sends a request.

    They use ``app.state.database``, and ``app.state.audit_folder``, which holds the key and the checkpoints.
    """
    router = APIRouter(prefix="/audit", tags=["audit"])
    Caller = Annotated[access.Person, Depends(caller_of)]

    @router.get("")
    def get_trail(
        caller: Caller,
        db: Snapshot,
        on: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: int | None = None,
    ) -> Trail:
        """Return who did what, newest first; `before` is the last number of the page before."""
        access.require(caller, "audit.read", on=on)
        audit.record_read(caller, "audit.read", on or audit.WHOLE)
        head = audit.head(db)
        items = [_item(entry) for entry in audit.trail(db, on=on, limit=limit, before=before)]
        return Trail(items=items, size=head.size, root=head.root, verified_at=head.verified_at)

    @router.post("/verification")
    def verify(
        caller: Caller, request: Request, database: Annotated[Database, Depends(get_database)]
    ) -> Verification:
        """Prove that the whole trail is as it was written."""
        access.require(caller, "audit.verify")
        folder: Path = request.app.state.audit_folder
        verdict = audit.verify_and_remember(database, folder)
        return Verification(
            ok=verdict.ok,
            size=verdict.size,
            root=verdict.root,
            checkpoints=verdict.checkpoints,
            problem=verdict.problem,
            record=verdict.record,
            text=audit.summarise(verdict),
        )

    return router


def _item(entry: audit.Entry) -> Item:
    text = audit.describe(entry.act)
    return Item(seq=entry.seq, at=entry.at, act=entry.act, by=entry.by_name, on=entry.on, text=text)
