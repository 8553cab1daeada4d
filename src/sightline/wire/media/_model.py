"""What an import found and did."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sightline.kernel.errors import Conflict, Invalid, NotFound
from sightline.record.archive import Outcome

UploadState: TypeAlias = Literal["receiving", "waiting", "done", "failed"]
Form: TypeAlias = Literal["zip", "dicomdir", "nifti"]


class UploadNotKnown(NotFound):
    """There is no such upload, or it was left alone too long; begin it again."""


class WrongOffset(Conflict):
    """The piece does not begin where the upload stands; ask where it stands and go on from there."""


class UploadTooLarge(Invalid):
    """More than this installation takes in one upload; send it in parts."""

    status = 413


class NothingToExport(NotFound):
    """The study holds nothing of the form that was asked for."""


@dataclass(slots=True)
class ImportSummary:
    """Counts and reasons; `refused` and `skipped` are ``(name, reason)``, `stopped` why it ended early."""

    stored: int = 0
    held: int = 0
    conflicts: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    studies: dict[str, int] = field(default_factory=dict)
    stopped: str = ""

    @property
    def seen(self) -> int:
        """How many objects came to an end so far."""
        return self.stored + self.held + len(self.conflicts) + len(self.refused)

    def add(self, outcome: Outcome) -> None:
        """Count one outcome; `studies` counts what was stored or held in each."""
        if outcome.status == "conflict":
            self.conflicts.append((outcome.name, outcome.reason))
        elif outcome.status == "refused":
            self.refused.append((outcome.name, outcome.reason))
        else:
            self.stored += outcome.status == "stored"
            self.held += outcome.status == "held"
            self.studies[outcome.study_uid] = self.studies.get(outcome.study_uid, 0) + 1


Progress = Callable[[ImportSummary], None]
"""Is told after each object."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in, in pieces: how much of it is here, and in the end what became of its objects.

    `results` has an entry per object: name, status, reason, study_uid.
    """

    id: str
    person: str
    name: str
    size: int
    offset: int
    state: UploadState
    results: tuple[dict[str, Any], ...] = ()
