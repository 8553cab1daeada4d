"""Who asks, what can be asked for, and the refusal."""

from dataclasses import dataclass

from sightline.kernel.errors import Forbidden

EVERY_SITE = "*"


class NotAllowed(Forbidden):
    """The policy does not permit this person to do this; ask an administrator for the role it needs."""


class UnknownAction(LookupError):
    """The code asks for an action that is not in the registry: a mistake of ours, not of the caller."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: a human, a program with a token, an operator at the command line, or the service itself.

    `site` is the site the person works for, ``*`` for every site. `purpose` is why data are used:
    ``treatment``, ``operations`` or ``research``. `scopes` narrow what a token may do (``archive.read``,
    ``archive.*``); None means all that the roles permit.
    """

    id: str
    name: str
    username: str
    roles: frozenset[str]
    site: str
    purpose: str = "treatment"
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """Something that may be asked for; `clinical` when it shows or changes what we hold about a patient."""

    name: str
    description: str
    clinical: bool = True


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies in force: their text and its SHA-256, which names the version."""

    text: str
    sha256: str


SYSTEM = Person("system", "Sightline", "system", frozenset({"service"}), EVERY_SITE, "operations")
NOBODY = Person("nobody", "Nobody", "", frozenset(), "", "none")


def operator(os_user: str) -> Person:
    """Return the person who works on the installation from its own command line."""
    name = f"operator:{os_user}"
    return Person(name, name, name, frozenset({"operator"}), EVERY_SITE, "operations")


def covers(scopes: frozenset[str] | None, action: str) -> bool:
    """Say whether the scopes of a token reach `action`.

    >>> covers(frozenset({"archive.*"}), "archive.read"), covers(frozenset({"archive.read"}), "archive.store")
    (True, False)
    """
    if scopes is None:
        return True
    return action in scopes or f"{action.partition('.')[0]}.*" in scopes
