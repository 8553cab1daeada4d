"""Who is let in: by title, address and certificate, against a list that is at most two seconds old."""

import ipaddress
import socket
import threading
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Engine

from sightline.runtime.db import Database
from sightline.wire.peers import _store as store
from sightline.wire.peers._model import (
    CALLED_UNKNOWN,
    CALLING_UNKNOWN,
    ECHO_ONLY,
    EVERY_RIGHT,
    LIMIT_EXCEEDED,
    Admission,
    NotAPeer,
    Peer,
    Rejection,
    limits_of,
    parse_title,
    person_of,
)

AGE_S = 2.0
RESOLVED_S = 60.0
log = structlog.get_logger(__name__)


def admit(
    database: Database,
    *,
    calling: str,
    called: str,
    address: str,
    certificate_sha256: str | None,
    own_title: str,
    open_door: bool,
) -> Admission | Rejection:
    """Decide on one who asks for an association.

    A peer of the list must call from its address, or show its certificate where one is bound to it.
    Who is not in the list has every right on this machine itself; from elsewhere it may only echo, unless
    the operator opened the door. The title that is called must be ours, except from this machine.

    Parameters
    ----------
    calling, called : str
        The AE titles of the A-ASSOCIATE-RQ.
    address : str
        IP address that the connection comes from.
    certificate_sha256 : str or None
        Fingerprint of the certificate that was shown and verified.
    own_title : str
        Our AE title.
    open_door : bool
        Whether one who is not known may do more than echo.
    """
    here = is_loopback(address)
    try:
        title = parse_title(calling)
    except NotAPeer:
        return Rejection(*CALLING_UNKNOWN, why="the calling AE title is not one")
    if not here and called.strip(" ") != own_title:
        return Rejection(*CALLED_UNKNOWN, why="the AE title that is called is not ours")
    peer = _peers_of(database).get(title)
    if peer is None:
        return _stranger(title, every_right=here or open_door)
    if not peer.enabled:
        return Rejection(*CALLING_UNKNOWN, why="the peer is disabled")
    if peer.certificate_sha256 is not None:
        if peer.certificate_sha256 != certificate_sha256:
            return Rejection(
                *CALLING_UNKNOWN, why="the peer does not show the certificate bound to its title"
            )
    elif not _calls_from(peer, address):
        if here:
            return _stranger(title, every_right=True)
        return Rejection(*CALLING_UNKNOWN, why="the peer calls from an address that is not its own")
    return Admission(peer.title, peer, peer.rights, person_of(peer.title), **limits_of(peer))


def _stranger(title: str, *, every_right: bool) -> Admission:
    return Admission(title, None, EVERY_RIGHT if every_right else ECHO_ONLY, person_of(title))


def is_loopback(address: str) -> bool:
    """Say whether an address is of this machine.

    >>> is_loopback("::ffff:127.0.0.1"), is_loopback("10.0.0.1"), is_loopback("localhost")
    (True, False, False)
    """
    found = _ip(address)
    return found is not None and found.is_loopback


def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _calls_from(peer: Peer, address: str) -> bool:
    """Say whether the address is the peer's; a name may stand for several addresses."""
    if not peer.host:
        return True
    calling = _ip(address)
    own = _ip(peer.host)
    return calling == own if own is not None else calling in _resolve(peer.host)


_resolved: dict[str, tuple[float, frozenset[object]]] = {}


def _resolve(host: str) -> frozenset[object]:
    """Return the addresses of a name; asked again after a minute, and kept when nobody answers."""
    at, known = _resolved.get(host, (float("-inf"), frozenset()))
    now = time.monotonic()
    if now - at < RESOLVED_S:
        return known
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError:
        log.warning("the name of a peer cannot be resolved", host=host)
    else:
        known = frozenset(_ip(str(entry[4][0])) for entry in found)
    if len(_resolved) > 10_000:
        _resolved.clear()
    _resolved[host] = (now, known)
    return known


_lists: "WeakKeyDictionary[Engine, tuple[float, dict[str, Peer]]]" = WeakKeyDictionary()


def _peers_of(database: Database) -> dict[str, Peer]:
    at, known = _lists.get(database.engine, (float("-inf"), {}))
    now = time.monotonic()
    if now - at < AGE_S:
        return known
    with database.reading() as db:
        known = {peer.title: peer for peer in store.find(db)}
    _lists[database.engine] = (now, known)
    return known


def forget_list(database: Database) -> None:
    """Have the next caller meet the list as it is now."""
    _lists.pop(database.engine, None)


@dataclass(slots=True)
class _Pace:
    """When the next message of a peer is due."""

    due: float = 0.0
    inside: int = 0


class Turnstile:
    """Counts who is inside and keeps each to its number of associations and its rate."""

    def __init__(self) -> None:
        self._paces: dict[str, _Pace] = {}
        self._lock = threading.Lock()

    def enter(self, admission: Admission) -> Rejection | None:
        """Count one association more, or tell its peer to come back later."""
        with self._lock:
            pace = self._paces.setdefault(admission.title, _Pace())
            if pace.inside >= admission.max_associations:
                return Rejection(*LIMIT_EXCEEDED, why="the peer has as many associations as it may have")
            pace.inside += 1
        return None

    def leave(self, admission: Admission) -> None:
        """Count one association less."""
        with self._lock:
            pace = self._paces.get(admission.title)
            if pace is None:
                return
            pace.inside -= 1
            if pace.inside <= 0:
                del self._paces[admission.title]

    def wait_s(self, admission: Admission) -> float:
        """Return how long the message that has come must wait so that its peer keeps its rate, in s."""
        if admission.rate_per_s is None:
            return 0.0
        now = time.monotonic()
        with self._lock:
            pace = self._paces.get(admission.title)
            if pace is None:
                return 0.0
            pace.due = max(pace.due, now) + 1 / admission.rate_per_s
            return max(0.0, pace.due - 1 / admission.rate_per_s - now)
