"""Where studies go, when, and how it goes: frozen values and the rules that need no database."""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from sightline.kernel.errors import Conflict, Invalid, NotFound, Unavailable

Kind: TypeAlias = Literal["send", "retrieve", "migrate", "import"]
State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]
AuthKind: TypeAlias = Literal["none", "basic", "bearer"]

KINDS: tuple[Kind, ...] = ("send", "retrieve", "migrate", "import")
STATES: tuple[State, ...] = ("waiting", "running", "done", "failed", "cancelled")
OPEN: tuple[State, ...] = ("waiting", "running")
AUTH_KINDS: tuple[AuthKind, ...] = ("none", "basic", "bearer")
LONGEST_WAIT_S = 3600.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")


class TransferNotKnown(NotFound):
    """No transfer has this id."""


class RuleNotKnown(NotFound):
    """No forwarding rule has this name."""


class ServerNotKnown(NotFound):
    """No DICOMweb server has this name."""


class DestinationNotKnown(Invalid):
    """Neither a peer nor a DICOMweb server is called so; add it first."""


class NotAServer(Invalid):
    """What is said of the server cannot be; the message says what."""


class NotARule(Invalid):
    """What is said of the rule cannot be; the message says what."""


class NotATransfer(Invalid):
    """What is asked for cannot be transferred; the message says why."""


class TransferEnded(Conflict):
    """The transfer has ended; start another."""


class TransferUnderWay(Conflict):
    """The transfer waits or runs already."""


class OtherSideFailed(Unavailable):
    """The other side did not take or give what was asked; it is tried again."""


class Cancelled(Exception):
    """A person cancelled the transfer while it ran."""


@dataclass(frozen=True, slots=True)
class Server:
    """A DICOMweb server; its secret is kept and never shown. `priors`: a source of earlier studies."""

    name: str
    url: str
    auth_kind: AuthKind = "none"
    secret: str = field(default="", repr=False)
    priors: bool = False


@dataclass(frozen=True, slots=True)
class When:
    """Which studies a rule is for; an empty field asks nothing, ``*`` and ``?`` stand for any characters.

    `modality` is one that the study has, `source` whence it came (``dimse:CT1``, or the name alone),
    `label` one of its labels, `description` its own.
    """

    modality: str = ""
    source: str = ""
    label: str = ""
    description: str = ""

    def matches(
        self, *, modalities: Sequence[str], sources: Sequence[str], labels: Sequence[str], description: str
    ) -> bool:
        """Say whether a study is meant.

        >>> When(modality="CT", description="*chest*").matches(
        ...     modalities=["CT", "SR"], sources=[], labels=[], description="CT Chest")
        True
        """
        names = [*sources, *(source.partition(":")[2] for source in sources)]
        asked = (
            (self.modality, modalities),
            (self.source, names),
            (self.label, labels),
            (self.description, [description]),
        )
        return all(not pattern or any(_is_like(value, pattern) for value in have) for pattern, have in asked)


def _is_like(value: str, pattern: str) -> bool:
    # Only * and ? are wildcards; a bracket stands for itself.
    return fnmatch.fnmatchcase(value.casefold(), pattern.casefold().replace("[", "[[]"))


@dataclass(frozen=True, slots=True)
class Rule:
    """Which studies are sent where as soon as they have settled."""

    name: str
    when: When
    to: tuple[str, ...]
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Transfer:
    """One study (or a whole archive) on its way, and how far it is.

    `total`, `done` and `failed` count instances; of a migration they count studies. `differences` says what
    the two sides do not have in common.
    """

    id: str
    kind: Kind
    peer: str
    study_uid: str | None
    state: State
    total: int
    done: int
    failed: int
    bytes: int
    rate_per_s: float | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    error: str
    differences: dict[str, Any] | None
    rule: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StudyReport:
    """What became of one study of a migration: how many the source has, we have, and what is between."""

    study_uid: str
    state: str
    expected: int
    held: int
    missing: int
    extra: int
    conflicting: int
    reason: str


def checked_server(server: Server) -> Server:
    """Return a server as it is kept; its address is http(s), names a host and carries no password."""
    if not _NAME.fullmatch(server.name):
        raise NotAServer("A name has 1 to 64 letters, digits, blanks, dots, dashes and underscores.")
    try:
        parts = urlsplit(server.url.strip())
        _ = parts.port
    except ValueError:
        raise NotAServer("The address is not one.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(server.url) > 500:
        raise NotAServer("The address begins with http:// or https:// and names a host.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise NotAServer("The address holds no password, question mark or hash; give the secret apart.")
    if server.auth_kind not in AUTH_KINDS:
        raise NotAServer(f"Authentication is one of {', '.join(AUTH_KINDS)}.")
    if len(server.secret) > 8192 or any(ord(c) < 32 for c in server.secret):
        raise NotAServer("The secret is too long or holds control characters.")
    if server.auth_kind == "basic" and server.secret and ":" not in server.secret:
        raise NotAServer("The secret of basic authentication is user:password.")
    return replace(server, url=server.url.strip().rstrip("/"))


def checked_rule(rule: Rule) -> Rule:
    """Return a rule as it is kept."""
    if not _NAME.fullmatch(rule.name):
        raise NotARule("A name has 1 to 64 letters, digits, blanks, dots, dashes and underscores.")
    if not 0 < len(rule.to) <= 20:
        raise NotARule("A rule sends to 1 to 20 destinations.")
    when = rule.when
    if any(len(text) > 200 for text in (when.modality, when.source, when.label, when.description)):
        raise NotARule("A condition has at most 200 characters.")
    return replace(rule, to=tuple(dict.fromkeys(name.strip() for name in rule.to)))


def wait_s(attempts: int, first_s: float) -> float:
    """Return how long to wait after `attempts` attempts have failed.

    >>> wait_s(1, 30), wait_s(3, 30), wait_s(20, 30)
    (30.0, 120.0, 3600.0)
    """
    return float(min(first_s * 2 ** min(attempts - 1, 20), LONGEST_WAIT_S))
