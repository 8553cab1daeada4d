"""Who is known by which AE title, and what becomes of who calls."""

import re
from dataclasses import dataclass, fields
from typing import Any

from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.kernel.texts import one_line
from sightline.trust import access

WAYS = ("get", "move")
RIGHTS = ("echo", "store", "find", "retrieve", "worklist", "mpps", "commit")
EVERY_RIGHT = frozenset(RIGHTS)
ECHO_ONLY = frozenset({"echo"})

SHORTEST_PDU, LONGEST_PDU = 16384, 16 << 20


class PeerNotKnown(NotFound):
    """No peer has this AE title; add it first."""


class PeerKnownAlready(Conflict):
    """Another peer has this AE title; change that one, or choose another title."""


class NotAPeer(Invalid):
    """What is said of the peer cannot be; the message says which value and what it may be."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another application entity: where it listens, what it may do here, how far it is waited for.

    An empty `host` means that the peer is never called and may call from anywhere. `certificate_sha256` is
    the fingerprint of the certificate that it must show; it then counts instead of the address.
    `rate_per_s` limits the messages that it may send per second, None leaves them free. `retrieve_by` says
    how studies are retrieved from it: ``get`` on our association, ``move`` by one that it opens to us.
    `priors` makes it a source of earlier studies.
    """

    title: str
    host: str = ""
    port: int = 104
    description: str = ""
    tls: bool = False
    certificate_sha256: str | None = None
    rights: frozenset[str] = EVERY_RIGHT
    max_pdu: int = 1 << 20
    max_associations: int = 16
    rate_per_s: float | None = None
    acse_timeout_s: int = 30
    dimse_timeout_s: int = 60
    network_timeout_s: int = 300
    enabled: bool = True
    retrieve_by: str = "get"
    priors: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an association is not accepted, in the codes of PS3.8 9.3.4; `why` is for our log."""

    result: int
    source: int
    reason: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, with which rights and limits; `peer` is None for one that is not in the list."""

    title: str
    peer: Peer | None
    rights: frozenset[str]
    person: access.Person
    max_pdu: int = 1 << 20
    max_associations: int = 64
    rate_per_s: float | None = None
    acse_timeout_s: int = 30
    dimse_timeout_s: int = 60
    network_timeout_s: int = 300


PERMANENT, TRANSIENT = 1, 2
CALLING_UNKNOWN = (PERMANENT, 1, 3)
CALLED_UNKNOWN = (PERMANENT, 1, 7)
LIMIT_EXCEEDED = (TRANSIENT, 3, 2)

LIMITS = (
    "max_pdu",
    "max_associations",
    "rate_per_s",
    "acse_timeout_s",
    "dimse_timeout_s",
    "network_timeout_s",
)


def parse_title(text: str) -> str:
    r"""Return an AE title without the spaces around it, which mean nothing.

    Raises
    ------
    NotAPeer
        If it is empty, longer than 16 characters, or holds a control character, a backslash or a character
        beyond ASCII (PS3.5 6.2, AE).

    Examples
    --------
    >>> parse_title(" CT 1 ")
    'CT 1'
    """
    title = text.strip(" ")
    if not 0 < len(title) <= 16 or any(not " " <= c <= "~" or c == "\\" for c in title):
        raise NotAPeer("An AE title has 1 to 16 characters of ASCII, no backslash and no control characters.")
    return title


def parse_fingerprint(text: str | None) -> str | None:
    """Return the SHA-256 of a certificate as 64 lower-case digits; colons between them are allowed.

    >>> parse_fingerprint("AB:" * 31 + "AB") == "ab" * 32
    True
    """
    if not text:
        return None
    digits = text.replace(":", "").strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise NotAPeer("A certificate is named by its SHA-256: 64 hexadecimal digits.")
    return digits


_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:_%-]{0,251}[A-Za-z0-9])?|::1?")


def checked(peer: Peer) -> Peer:
    """Return the peer as it is kept.

    Raises
    ------
    NotAPeer
        Names the first value that cannot be.
    """
    unknown = peer.rights - EVERY_RIGHT
    sound = (
        (not peer.host or _HOST.fullmatch(peer.host), "The address is a host name or an IP address."),
        (0 < peer.port < 65536, "A port is between 1 and 65535."),
        (not unknown, f"Rights are {', '.join(RIGHTS)}."),
        (SHORTEST_PDU <= peer.max_pdu <= LONGEST_PDU, "The largest PDU is between 16384 and 16777216 bytes."),
        (0 < peer.max_associations <= 1024, "Associations at once are between 1 and 1024."),
        (peer.rate_per_s is None or 0 < peer.rate_per_s <= 1e6, "A rate is above 0 per second, or none."),
        (peer.retrieve_by in WAYS, f"Studies are retrieved by {' or '.join(WAYS)}."),
        (not peer.priors or peer.host, "A source of earlier studies needs an address to be asked at."),
        (all(0 < s <= 86400 for s in _timeouts(peer)), "A time-out is between 1 and 86400 s."),
    )
    for holds, sentence in sound:
        if not holds:
            raise NotAPeer(sentence)
    values = {f.name: getattr(peer, f.name) for f in fields(peer)}
    values["title"] = parse_title(peer.title)
    values["description"] = one_line(peer.description)[:200]
    values["certificate_sha256"] = parse_fingerprint(peer.certificate_sha256)
    return Peer(**values)


def _timeouts(peer: Peer) -> tuple[int, int, int]:
    return peer.acse_timeout_s, peer.dimse_timeout_s, peer.network_timeout_s


def person_of(title: str) -> access.Person:
    """Return on whose behalf a peer acts here."""
    return access.Person(f"ae:{title}", title, title, frozenset({"service"}), access.EVERY_SITE, "operations")


def limits_of(peer: Peer) -> dict[str, Any]:
    """Return the limits of a peer as an admission carries them."""
    return {name: getattr(peer, name) for name in LIMITS}
