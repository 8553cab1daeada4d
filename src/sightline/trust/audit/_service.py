"""Recording and reading the trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sightline.kernel import clock
from sightline.runtime.db import Db
from sightline.trust.access import Person
from sightline.trust.audit import _store as store
from sightline.trust.audit._merkle import hash_leaf
from sightline.trust.audit._model import Entry, Head, declare, require_declared

declare("audit.read", "A person looked at the audit trail")


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done and is not yet in the trail."""

    act: str
    by: Person
    on: str
    at: datetime
    facts: dict[str, Any]


def record(db: Db, act: str, *, by: Person, on: str, **facts: Any) -> int:
    """Append to the trail, in the caller's transaction, that `by` did `act` on `on`; return its number.

    The trail grows by one writer at a time: from here until the transaction ends, others who record wait.
    So record last, after everything else that the use case writes.

    Parameters
    ----------
    db : Db
        The transaction of the act; when it is rolled back, the entry never was.
    act : str
        A declared act, such as ``finding.accept``.
    by : Person
        Who did it, for which site and purpose.
    on : str
        Opaque id or UID of what it was done to, at most 128 characters.
    **facts
        JSON values: opaque ids, UIDs, versions, hashes, codes and numbers. Never a name, a date of birth, an
        MRN or free text about a patient, because an entry can never be taken out again.

    Raises
    ------
    UnknownAct
        If no module declared `act`.
    """
    return append(db, [Deed(act, by, on, clock.now(), facts)])


def record_all(db: Db, deeds: Sequence[Deed]) -> None:
    """Do as `record` for several deeds, in order, at the cost of one."""
    if deeds:
        append(db, deeds)


def append(db: Db, deeds: Sequence[Deed]) -> int:
    """Append deeds in order and return the number of the last."""
    for deed in deeds:
        require_declared(deed.act)
    frontier = store.lock_frontier(db)
    rows = []
    for deed in deeds:
        row = _row(frontier.size, deed)
        frontier.add(row.leaf)
        rows.append(row)
    store.add_rows(db, rows, frontier)
    return frontier.size - 1


def trail(
    db: Db, *, on: str | None = None, by: str | None = None, limit: int = 100, before: int | None = None
) -> list[Entry]:
    """Return entries, newest first: those on one thing, by one person, or all."""
    return store.find_entries(db, on=on, by=by, limit=limit, before=before)


def head(db: Db) -> Head:
    """Return the size and root of the tree, and when it was last proved whole."""
    return store.get_head(db)


def _row(seq: int, deed: Deed) -> store.Row:
    by = deed.by
    entry = Entry(seq, deed.at, deed.act, by.id, by.name, deed.on, by.site, by.purpose, deed.facts)
    text = store.encode_entry(entry)
    return store.Row(seq, deed.at, deed.act, by.id, deed.on, text, hash_leaf(text.encode()))
