"""People, their sessions and tokens, the rules for passwords, and the refusals."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import ClassVar

from sightline.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from sightline.trust.access import ACTIONS, ROLES, Person

COOKIE = "sightline_session"
# Lets scanners find a token that was committed or pasted by mistake.
TOKEN_PREFIX = "slt_"  # noqa: S105  no secret
MIN_PASSWORD = 8
MAX_PASSWORD = 1024
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_SITE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
CLINICAL_ROLES = frozenset({"radiologist", "technologist", "referrer"})


class NotLoggedIn(Unauthenticated):
    """The request carries no session or token; log in, or send a bearer token."""


class SessionEnded(Unauthenticated):
    """The session was ended, or nobody used it for too long; log in again."""


class TokenNotValid(Unauthenticated):
    """The token is not known, has expired or was revoked; make a new one."""


class WrongPassword(Unauthenticated):
    """The name is not known or the password is wrong; nobody is told which."""


class SetupLinkNotValid(Unauthenticated):
    """The set-up link was used before or has expired; ask an administrator for a new one."""


class TooManyAttempts(Forbidden):
    """Too many wrong passwords in a row; wait a few minutes."""

    status: ClassVar[int] = 429


class CrossSiteRequest(Forbidden):
    """A page of another site tried to act in the name of the person who is logged in here."""


class WeakPassword(Invalid):
    """The password is too short, too long, too common or holds the user name; choose another."""


class NotAUsername(Invalid):
    """A user name has 1 to 64 of a-z, 0-9, dot, dash, underscore and @."""


class NotASite(Invalid):
    """A site has a name of 1 to 64 of a-z, 0-9, dot, dash and underscore."""


class UnknownRole(Invalid):
    """No role has that name; see the list of roles."""


class UnknownScope(Invalid):
    """A scope is an action, such as archive.read, or all of a kind, such as archive.*."""


class UsernameTaken(Conflict):
    """Somebody has that user name already; choose another."""


class LastAdministrator(Conflict):
    """Nobody else could manage people; make another administrator first."""


class NoSuchPerson(NotFound):
    """Nobody has that user name."""


class NoSuchToken(NotFound):
    """No token has that id."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How long sessions live and how many wrong passwords are borne."""

    session_idle: timedelta = timedelta(minutes=60)
    session_max: timedelta = timedelta(hours=12)
    attempts: int = 10
    attempts_window: timedelta = timedelta(minutes=5)
    setup_link_life: timedelta = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Account:
    """A person as an administrator sees them."""

    id: str
    username: str
    name: str
    roles: frozenset[str]
    site: str
    active: bool
    has_password: bool
    created_at: datetime

    def person(self, scopes: frozenset[str] | None = None) -> Person:
        """Return the person who acts, narrowed to the scopes of a token if there is one."""
        return Person(
            self.id, self.name, self.username, self.roles, self.site, purpose_of(self.roles), scopes
        )


@dataclass(frozen=True, slots=True)
class Token:
    """A token for a program, without the secret."""

    id: str
    username: str
    scopes: frozenset[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def purpose_of(roles: frozenset[str]) -> str:
    """Return why a person with these roles uses data: care first, then research, else operations.

    >>> purpose_of(frozenset({"radiologist", "researcher"})), purpose_of(frozenset({"administrator"}))
    ('treatment', 'operations')
    """
    if roles & CLINICAL_ROLES:
        return "treatment"
    return "research" if "researcher" in roles else "operations"


def parse_username(text: str) -> str:
    """Return the user name in the one form that is compared: composed, lower case.

    >>> parse_username(" Ada.Lovelace ")
    'ada.lovelace'
    """
    username = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _USERNAME.fullmatch(username):
        raise NotAUsername("A user name has 1 to 64 of a-z, 0-9, dot, dash, underscore and @.")
    return username


def parse_site(text: str) -> str:
    """Return the name of a site, or refuse it; no person can be given every site."""
    if not _SITE.fullmatch(text):
        raise NotASite("A site has a name of 1 to 64 of a-z, 0-9, dot, dash and underscore.")
    return text


def parse_roles(roles: frozenset[str]) -> frozenset[str]:
    """Return `roles` if each is one that a person can hold."""
    unknown = sorted(roles - ROLES.keys())
    if unknown or not roles:
        named = f"No role is called {', '.join(unknown)}." if unknown else "A person needs a role."
        raise UnknownRole(f"{named} Choose from {', '.join(ROLES)}.")
    return roles


def parse_scopes(scopes: frozenset[str] | None) -> frozenset[str] | None:
    """Return `scopes` if each is an action or all of a kind; None leaves all that the roles permit."""
    if scopes is None:
        return None
    known = ACTIONS.keys() | {f"{action.partition('.')[0]}.*" for action in ACTIONS}
    unknown = sorted(scopes - known)
    if unknown or not scopes:
        named = (
            f"No action is called {', '.join(unknown)}."
            if unknown
            else "An empty list of scopes permits nothing."
        )
        raise UnknownScope(f"{named} A scope is an action such as archive.read, or archive.*.")
    return scopes


def check_password(password: str, username: str) -> None:
    """Refuse a password that would be guessed first; no other rule on what it is made of.

    Sources: OWASP ASVS 5.0 6.2.1 (at least 8), 6.2.4 (common), 6.2.5 (no composition rules), 6.2.9 (64 and
    more are allowed), 6.2.11 (words of the context).
    """
    if len(password) < MIN_PASSWORD:
        raise WeakPassword(f"A password has at least {MIN_PASSWORD} characters; 15 or more are better.")
    if len(password) > MAX_PASSWORD:
        raise WeakPassword(f"A password has at most {MAX_PASSWORD} characters.")
    folded = password.casefold()
    if len(username) > 2 and username in folded:
        raise WeakPassword("The password holds the user name; choose another.")
    if _is_common(folded):
        raise WeakPassword(
            "The password is among those that are tried first; choose another, such as four words."
        )


@cache
def _common_passwords() -> frozenset[str]:
    text = (files("sightline.trust.identity") / "_data" / "common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def _is_common(folded: str) -> bool:
    """Say whether a password is on the list, bare or with digits or signs around it, or repeats or counts."""
    core = re.sub(r"^[\d\W_]+|[\d\W_]+$", "", folded)
    if folded in _common_passwords() or core in _common_passwords():
        return True
    steps = {ord(b) - ord(a) for a, b in pairwise(folded)}
    return len(set(folded)) <= 2 or steps in ({1}, {-1})


def initials(name: str) -> str:
    """Return up to three initials of a name.

    >>> initials("Ada Lovelace"), initials("admin")
    ('AL', 'A')
    """
    return "".join(word[0] for word in name.split())[:3].upper()
