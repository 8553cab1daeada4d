"""What is remembered: acts, entries, and what a verification found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sightline.kernel.errors import Unavailable

FOLDER = "audit"  # in the data folder of the installation: key and checkpoints
WHOLE = "trail"  # what a person reads who asks for the trail of no one thing


class UnknownAct(LookupError):
    """The code records an act that no module declared: a mistake of ours, so nothing is written."""


class TrailBroken(Unavailable):
    """The trail no longer fits its last signed checkpoint; nothing is signed until a person has looked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that someone did, as it was hashed into the tree."""

    seq: int
    at: datetime
    act: str
    by: str
    by_name: str
    on: str
    site: str
    purpose: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """The tree as it is now: number of entries, root in hexadecimal, and when it was last proved whole."""

    size: int
    root: str
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    `record` is the first entry that is not as it was, None when all are; where only a range can be named it
    is the first of the range. `checkpoints` counts the signed checkpoints that the trail was held against.
    """

    ok: bool
    size: int
    root: str
    checkpoints: int = 0
    problem: str | None = None
    record: int | None = None


def summarise(verdict: Verdict) -> str:
    """Return a verdict as one line.

    >>> summarise(Verdict(True, 12, "ab12", 2))
    'The audit trail is whole: 12 records, 2 signed checkpoints, root ab12.'
    """
    if not verdict.ok:
        return f"THE AUDIT TRAIL IS NOT WHOLE: {verdict.problem}."
    counted = f"{verdict.size} records, {verdict.checkpoints} signed checkpoints"
    return f"The audit trail is whole: {counted}, root {verdict.root}."


_acts: dict[str, str] = {}


def declare(act: str, description: str) -> str:
    """Make `act` known with a sentence for the reader of the trail; return it."""
    if _acts.setdefault(act, description) != description:
        raise ValueError(f"The act {act} is declared twice, with different descriptions.")
    return act


def acts() -> dict[str, str]:
    """Return every declared act with its description, by name; the reference page is printed from this."""
    return dict(sorted(_acts.items()))


def describe(act: str) -> str:
    """Return the description of `act`; its name when an older release declared it."""
    return _acts.get(act, act)


def require_declared(act: str) -> None:
    """Refuse an act that no module declared."""
    if act not in _acts:
        raise UnknownAct(f"No act is called {act}; declare it with audit.declare where it is done.")
