"""Use cases of hanging protocols: see, keep, share and remove them."""

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError

from sightline.care.hanging import _store as store
from sightline.care.hanging._model import (
    MOST_KEPT,
    HangingProtocol,
    HangingProtocolExists,
    HangingProtocolNotHeld,
    NotAHangingProtocol,
    Owned,
    Owner,
    TooManyHangingProtocols,
    built_in,
    checked,
)
from sightline.kernel import clock
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("hanging.put", "A hanging protocol was kept or changed")
audit.declare("hanging.remove", "A hanging protocol was removed")


def find_protocols(db: Db, *, by: access.Person, owner: Owner | None = None) -> tuple[Owned, ...]:
    """Return what a person may use: their own, the site's, the built-in; of one id only the nearest.

    With `owner` all of that owner are returned, also those that stand behind one of the same id.
    """
    access.require(by, "hanging.read")
    everywhere = (Owner.SITE, access.EVERY_SITE)
    kept = store.find(db, ((Owner.MINE, by.id), (Owner.SITE, by.site), everywhere))
    every = (*kept, *(Owned(Owner.BUILT_IN, protocol) for protocol in built_in()))
    if owner is not None:
        every = tuple(owned for owned in every if owned.owner is owner)
    return _nearest(every)


def add_protocol(db: Db, protocol: HangingProtocol, *, by: access.Person, owner: Owner = Owner.MINE) -> Owned:
    """Keep a protocol under an id that is not in use yet.

    Raises
    ------
    HangingProtocolExists
        If one of this id is kept already.
    """
    holder = _holder(by, owner, protocol.id)
    if store.held(db, holder, protocol.id):
        raise _exists(protocol.id)
    return _put(db, holder, protocol, by=by)


def put_protocol(db: Db, protocol: HangingProtocol, *, by: access.Person, owner: Owner = Owner.MINE) -> Owned:
    """Keep a protocol, in place of the one of its id if there is one.

    Raises
    ------
    TooManyHangingProtocols
        If the person, or the site, keeps as many as can be kept.
    NotAHangingProtocol
        If it is too large.
    """
    return _put(db, _holder(by, owner, protocol.id), protocol, by=by)


def import_protocols(
    db: Db, protocols: Sequence[HangingProtocol], *, by: access.Person, owner: Owner = Owner.MINE
) -> tuple[Owned, ...]:
    """Keep all of these protocols, in place of those of the same ids, or none if one cannot be kept."""
    read = checked(tuple(protocols))
    return tuple(put_protocol(db, protocol, by=by, owner=owner) for protocol in read)


def remove_protocol(db: Db, protocol_id: str, *, by: access.Person, owner: Owner = Owner.MINE) -> None:
    """Forget a protocol; one of the same id behind it is seen again."""
    holder = _holder(by, owner, protocol_id)
    if not store.remove(db, holder, protocol_id):
        raise HangingProtocolNotHeld("No hanging protocol of this id is kept here; nothing was removed.")
    audit.record(db, "hanging.remove", by=by, on=protocol_id, owner=owner.value)


def _holder(by: access.Person, owner: Owner, protocol_id: str) -> store.Holder:
    """Return whose protocols are meant, if the person may change them."""
    if owner is Owner.BUILT_IN:
        raise NotAHangingProtocol("Built-in protocols cannot be changed; keep your own under the same id.")
    access.require(by, "hanging.edit" if owner is Owner.MINE else "hanging.manage", on=protocol_id)
    return (owner, by.id) if owner is Owner.MINE else (owner, by.site)


def _put(db: Db, holder: store.Holder, protocol: HangingProtocol, *, by: access.Person) -> Owned:
    (protocol,) = checked((protocol,))
    owner, _ = holder
    new = not store.held(db, holder, protocol.id)
    if new and store.count(db, holder) >= MOST_KEPT:
        raise TooManyHangingProtocols(f"At most {MOST_KEPT} hanging protocols are kept; remove one first.")
    try:
        store.put(db, holder, protocol, at=clock.now(), new=new)
    except IntegrityError as cause:  # another request was faster
        raise _exists(protocol.id) from cause
    audit.record(db, "hanging.put", by=by, on=protocol.id, owner=owner.value, new=new)
    return Owned(owner, protocol)


def _exists(protocol_id: str) -> HangingProtocolExists:
    return HangingProtocolExists("A hanging protocol of this id is kept already; change it.", id=protocol_id)


def _nearest(every: Sequence[Owned]) -> tuple[Owned, ...]:
    first: dict[str, Owned] = {}
    for owned in every:
        first.setdefault(owned.protocol.id, owned)
    return tuple(first.values())
