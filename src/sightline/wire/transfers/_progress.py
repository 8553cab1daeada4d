"""How a running transfer tells how far it is, and hears that it shall end."""

from collections.abc import Callable
from dataclasses import dataclass

from sightline.kernel import clock
from sightline.record import archive
from sightline.runtime.db import Database
from sightline.trust import access
from sightline.wire.transfers import _store as store_
from sightline.wire.transfers._model import Cancelled, Transfer
from sightline.wire.transfers.settings import TransferSettings


@dataclass(slots=True)
class Work:
    """One attempt at a transfer: what it works on, and its own means of telling.

    `check` raises when the process ends or a person cancelled; `tell` writes numbers to the transfer's row.
    """

    transfer: Transfer
    store: archive.Store
    settings: TransferSettings
    person: access.Person
    stopping: Callable[[], None]
    bytes: int = 0

    @property
    def database(self) -> Database:
        """The installation's database."""
        return self.store.database

    @property
    def source(self) -> archive.Source:
        """Whence objects come that the transfer brings."""
        return archive.Source("import", self.transfer.peer, self.person)

    def check(self) -> None:
        """Stop when the process ends, or when a person cancelled the transfer."""
        self.stopping()
        with self.database.reading() as db:
            now = store_.get_transfer(db, self.transfer.id)
        if now is None or now.state == "cancelled":
            raise Cancelled

    def tell(self, **numbers: int) -> None:
        """Write how far it is; the end so far is what the rate is counted to."""
        with self.database.transaction() as db:
            store_.change_transfer(db, self.transfer.id, bytes=self.bytes, ended_at=clock.now(), **numbers)

    def note(self, reasons: dict[str, str], **numbers: int) -> None:
        """Write what became of instances, and how far it is, at once."""
        with self.database.transaction() as db:
            store_.note_items(db, self.transfer.id, reasons)
            store_.change_transfer(db, self.transfer.id, bytes=self.bytes, ended_at=clock.now(), **numbers)
