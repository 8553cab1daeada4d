"""Use cases of the list of peers."""

from sqlalchemy.exc import IntegrityError

from sightline.runtime.db import Db
from sightline.trust import access, audit
from sightline.wire.peers import _store as store
from sightline.wire.peers._model import Peer, PeerKnownAlready, PeerNotKnown, checked, parse_title

audit.declare("peer.add", "A peer was made known")
audit.declare("peer.change", "What is known of a peer was changed")
audit.declare("peer.remove", "A peer was removed from the list")


def list_peers(db: Db, *, by: access.Person) -> tuple[Peer, ...]:
    """Return every peer, by title."""
    access.require(by, "peer.read")
    return store.find(db)


def find_peer(db: Db, title: str) -> Peer:
    """Return the peer of this title, for those who are about to call it.

    Raises
    ------
    PeerNotKnown
        If there is none.
    """
    peer = store.get(db, title.strip(" "))
    if peer is None:
        raise PeerNotKnown("No peer has this AE title; add it to the list of peers first.")
    return peer


def add_peer(db: Db, peer: Peer, *, by: access.Person) -> Peer:
    """Make a peer known.

    Raises
    ------
    PeerKnownAlready
        If its title is taken.
    NotAPeer
        If one of its values cannot be.
    """
    access.require(by, "peer.manage", on=peer.title)
    new = checked(peer)
    taken = PeerKnownAlready(f"A peer called {new.title} is known already; change that one.")
    if store.get(db, new.title) is not None:
        raise taken
    try:
        store.add(db, new)
    except IntegrityError as cause:  # another request was faster
        raise taken from cause
    audit.record(db, "peer.add", by=by, on=new.title, **_facts(new))
    return new


def change_peer(db: Db, peer: Peer, *, by: access.Person) -> Peer:
    """Replace what is known of a peer."""
    access.require(by, "peer.manage", on=peer.title)
    new = checked(peer)
    before = find_peer(db, new.title)
    if new != before:
        store.change(db, new)
        audit.record(db, "peer.change", by=by, on=new.title, before=_facts(before), **_facts(new))
    return new


def put_peer(db: Db, peer: Peer, *, by: access.Person) -> Peer:
    """Make a peer known, or replace what is known of it."""
    known = store.get(db, parse_title(peer.title)) is not None
    return change_peer(db, peer, by=by) if known else add_peer(db, peer, by=by)


def remove_peer(db: Db, title: str, *, by: access.Person) -> None:
    """Forget a peer; associations that are open go on to their end."""
    access.require(by, "peer.manage", on=title)
    if not store.remove(db, title):
        raise PeerNotKnown("No peer has this AE title; nothing was removed.")
    audit.record(db, "peer.remove", by=by, on=title)


def _facts(peer: Peer) -> dict[str, object]:
    return {
        "host": peer.host,
        "port": peer.port,
        "tls": peer.tls,
        "certificate_sha256": peer.certificate_sha256,
        "rights": sorted(peer.rights),
        "enabled": peer.enabled,
        "retrieve_by": peer.retrieve_by,
        "priors": peer.priors,
    }
