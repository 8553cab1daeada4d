"""The other application entities: who they are, where they listen, what they may do here, how far they go.

Invariants: from beyond this machine one that is not in the list may only echo, unless the operator opened
the door; a peer calls from its address or shows its certificate; every change of the list has an author.
"""

from sightline.wire.peers._admission import Turnstile, admit, forget_list, is_loopback
from sightline.wire.peers._model import (
    EVERY_RIGHT,
    RIGHTS,
    WAYS,
    Admission,
    NotAPeer,
    Peer,
    PeerKnownAlready,
    PeerNotKnown,
    Rejection,
    parse_fingerprint,
    parse_title,
    person_of,
)
from sightline.wire.peers._service import (
    add_peer,
    change_peer,
    find_peer,
    list_peers,
    put_peer,
    remove_peer,
)

__all__ = [
    "EVERY_RIGHT",
    "RIGHTS",
    "WAYS",
    "Admission",
    "NotAPeer",
    "Peer",
    "PeerKnownAlready",
    "PeerNotKnown",
    "Rejection",
    "Turnstile",
    "add_peer",
    "admit",
    "change_peer",
    "find_peer",
    "forget_list",
    "is_loopback",
    "list_peers",
    "parse_fingerprint",
    "parse_title",
    "person_of",
    "put_peer",
    "remove_peer",
]
